static char text[65536];
unsigned main(void) {
  unsigned x = 9, words = 0, numbers = 0, strings = 0, others = 0;
  static const char letters[] = "ab1 2\"c  d9x\"y.\n";
  for (unsigned i = 0; i < sizeof text; i++) text[i] = letters[(x = x * 1103515245 + 12345) >> 28];
  for (int round = 0; round < 1200; round++) {
    int state = 0;
    for (unsigned i = 0; i < sizeof text; i++) {
      char c = text[i];
      switch (state) {
        case 0:
          if (c >= 'a' && c <= 'z') { state = 1; words++; }
          else if (c >= '0' && c <= '9') { state = 2; numbers++; }
          else if (c == '"') { state = 3; strings++; }
          else if (c == '.') state = 4;
          break;
        case 1: if (!(c >= 'a' && c <= 'z')) state = c == '"' ? 3 : 0; break;
        case 2: if (!(c >= '0' && c <= '9')) state = c == '.' ? 4 : 0; break;
        case 3: if (c == '"') state = 0; else if (c == '\n') state = 4; break;
        default: others++; state = c == '.' ? 4 : 0;
      }
    }
  }
  return words ^ numbers << 3 ^ strings << 7 ^ others << 11;
}

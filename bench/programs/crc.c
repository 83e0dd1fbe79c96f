static unsigned char data[65536];
unsigned main(void) {
  unsigned table[256], crc = ~0u, x = 1;
  for (unsigned i = 0; i < 256; i++) {
    unsigned c = i;
    for (int k = 0; k < 8; k++) c = c & 1 ? (c >> 1) ^ 0xedb88320u : c >> 1;
    table[i] = c;
  }
  for (unsigned i = 0; i < sizeof data; i++) data[i] = (x = x * 1103515245 + 12345) >> 16;
  for (int round = 0; round < 3200; round++)
    for (unsigned i = 0; i < sizeof data; i++) crc = table[(crc ^ data[i]) & 255] ^ (crc >> 8);
  return crc;
}

static unsigned char composite[1 << 20];
unsigned main(void) {
  unsigned sum = 0;
  for (int round = 0; round < 80; round++) {
    for (unsigned i = 0; i < sizeof composite; i++) composite[i] = 0;
    for (unsigned i = 2; i * i < sizeof composite; i++)
      if (!composite[i])
        for (unsigned k = i * i; k < sizeof composite; k += i) composite[k] = 1;
    for (unsigned i = 2; i < sizeof composite; i++)
      if (!composite[i]) sum = sum * 31 + i;
  }
  return sum;
}

/* A chase through 4,093 pages in an order that no table of translations holds. */
unsigned main(void) {
  char *base = (char *)0x42000000;
  for (unsigned i = 0; i < 4093; i++) *(unsigned *)(base + 4096 * i) = i * 1021 % 4093 * 4096;
  unsigned at = 4096, sum = 0;
  for (unsigned i = 0; i < 10000000; i++) { at = *(unsigned *)(base + at) + 4096; if (at >= 4093 * 4096) at -= 4093 * 4096; sum = sum * 3 + at; }
  return sum;
}

/* What parsers and copies do: words and halfwords at every address of a buffer, read and written. */
static unsigned char data[8192] __attribute__((aligned(4096)));
unsigned main(void) {
  unsigned sum = 1;
  for (unsigned i = 0; i < sizeof data; i++) data[i] = i * 7;
  for (unsigned round = 0; round < 40000; round++)
    for (unsigned i = 0; i < sizeof data - 8; i += 3) {
      sum = sum * 3 + *(volatile unsigned *)(data + i);
      *(volatile unsigned short *)(data + i + 5) = sum;
    }
  return sum;
}

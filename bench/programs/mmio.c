/* The UART's flag register, read in a loop. */
unsigned main(void) {
  unsigned sum = 0;
  for (unsigned i = 0; i < 5000000; i++) sum = sum * 3 + *(volatile unsigned *)0x09000018;
  return sum;
}

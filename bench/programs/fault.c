/* Page-fault round trips: a section is not there, the abort handler of start.S maps it, the program takes it away again. */
unsigned main(void) {
  volatile unsigned *page = (volatile unsigned *)0x50000000;
  volatile unsigned *entry = (volatile unsigned *)(0x40004000 + 4 * 0x500);
  unsigned sum = 1;
  for (unsigned i = 0; i < 500000; i++) {
    unsigned at = i & 1023;
    sum = sum * 5 + page[at] + i;
    page[at] = sum;
    *entry = 0;
    __asm__ volatile("dsb\n\tmcr p15, 0, %0, c8, c7, 1\n\tdsb\n\tisb" : : "r"(page) : "memory");
  }
  return sum;
}

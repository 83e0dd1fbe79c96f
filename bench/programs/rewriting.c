/* An instruction that is written anew before each of its calls. */
static unsigned code[16] __attribute__((aligned(4096))) = { 0xe3a00000, 0xe12fff1e };
unsigned main(void) {
  unsigned sum = 0;
  unsigned (*function)(void) = (unsigned (*)(void))code;
  for (unsigned i = 0; i < 200000; i++) {
    code[0] = 0xe3a00000 | (i & 255);
    __asm__ volatile("dsb\n mcr p15, 0, %0, c7, c11, 1\n dsb\n mcr p15, 0, %0, c7, c5, 1\n mcr p15, 0, %0, c7, c5, 6\n dsb\n isb" : : "r"(code) : "memory");
    sum = sum * 3 + function();
  }
  return sum;
}

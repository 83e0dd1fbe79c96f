unsigned main(void) {
  register unsigned r0 __asm__("r0") = 0;
  for (unsigned i = 0; i < 3000000; i++) __asm__ volatile("svc #0" : "+r"(r0) : : "lr", "memory");
  return r0;
}

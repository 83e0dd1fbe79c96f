static char from[8192], to[8192];
static unsigned __attribute__((noinline)) length(const char *s) { const char *p = s; while (*p) p++; return p - s; }
static void __attribute__((noinline)) copy(char *d, const char *s) { while ((*d++ = *s++)) ; }
unsigned main(void) {
  unsigned sum = 0;
  for (unsigned i = 0; i + 1 < sizeof from; i++) from[i] = 'a' + i % 23;
  for (unsigned i = 0; i < 30000; i++) { copy(to, from + (i & 63)); sum += length(to); from[i & 4095] ^= 1; }
  return sum;
}

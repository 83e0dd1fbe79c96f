static unsigned __attribute__((noinline, noclone)) ackermann(unsigned m, unsigned n) {
  return m == 0 ? n + 1 : n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1));
}
static unsigned __attribute__((noinline, noclone)) fib(unsigned n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
unsigned main(void) {
  unsigned sum = 0;
  for (int i = 0; i < 12; i++) sum = sum * 3 + fib(32) + ackermann(2, 400);
  return sum;
}

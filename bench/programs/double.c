unsigned main(void) {
  double x = 0.5, y = 1.25, s = 0;
  for (int i = 1; i < 20000000; i++) {
    x = x * 1.0000001 + 0.3 / i;
    y = y * 0.9999999 - x * 1e-7;
    s += x > y ? x - y : y - x;
  }
  union { double d; unsigned w[2]; } u = { s };
  return u.w[0] ^ u.w[1];
}

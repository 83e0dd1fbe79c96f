unsigned main(void) {
  float x = 0.5f, y = 1.25f, s = 0;
  for (int i = 1; i < 20000000; i++) {
    x = x * 0.999f + 0.3f / i;
    y = y * 0.9999f - x * 1e-3f;
    s = s * 0.875f + (x > y ? x - y : y - x);
  }
  union { float f; unsigned w; } u = { s };
  return u.w;
}

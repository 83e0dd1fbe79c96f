static double a[256], b[256];
__attribute__((target("fpu=neon-vfpv4"))) unsigned main(void) {
  double s = 0;
  float t = 1;
  for (int i = 0; i < 256; i++) { a[i] = 1.0 / (i + 3); b[i] = 0.01 * (i - 100); }
  for (int round = 0; round < 300000; round++) {
    double sum = 0;
    for (int i = 0; i < 256; i++) sum = a[i] * b[i] + sum;
    s = s * 0.5 + sum;
    t = t * 0.75f + 0.3f;
    a[round & 255] += 1e-6;
  }
  union { double d; unsigned w[2]; } u = { s };
  union { float f; unsigned w; } v = { t };
  return u.w[0] ^ u.w[1] ^ v.w;
}

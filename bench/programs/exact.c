/* Sums and products of whole numbers: nothing is inexact, so FPSCR stays as it begins, clear. */
static double v[64];
unsigned main(void) {
  double sum = 0;
  for (int i = 0; i < 64; i++) v[i] = i * 3 - 50;
  for (int i = 0; i < 1500000; i++) {
    sum = 0;
    for (int j = 0; j < 32; j++) sum = sum + v[j] * v[63 - j] - v[j + 16];
    v[i & 63] = (i & 127) - sum * 0;
  }
  return (unsigned)(long long)sum;
}

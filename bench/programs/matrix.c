static int a[96][96], b[96][96], c[96][96];
unsigned main(void) {
  unsigned sum = 0;
  for (int i = 0; i < 96; i++) for (int k = 0; k < 96; k++) { a[i][k] = i * k + 3; b[i][k] = i - k; }
  for (int round = 0; round < 350; round++) {
    for (int i = 0; i < 96; i++)
      for (int k = 0; k < 96; k++) {
        int s = 0;
        for (int n = 0; n < 96; n++) s += a[i][n] * b[n][k];
        c[i][k] = s;
      }
    a[round % 96][3] += c[5][round % 96];
    sum = sum * 31 + (unsigned)c[round % 96][7];
  }
  return sum;
}

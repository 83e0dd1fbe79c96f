static int v[1 << 15];
static void quick(int *a, int n) {
  while (n > 12) {
    int p = a[n >> 1], i = 0, j = n - 1;
    for (;;) {
      while (a[i] < p) i++;
      while (a[j] > p) j--;
      if (i >= j) break;
      int t = a[i]; a[i] = a[j]; a[j] = t;
      i++; j--;
    }
    quick(a, i);
    a += i; n -= i;
  }
  for (int i = 1; i < n; i++) {
    int x = a[i], j = i;
    for (; j > 0 && a[j - 1] > x; j--) a[j] = a[j - 1];
    a[j] = x;
  }
}
unsigned main(void) {
  unsigned x = 1, sum = 0;
  for (int round = 0; round < 180; round++) {
    for (int i = 0; i < 1 << 15; i++) v[i] = (int)(x = x * 1664525 + 1013904223) >> 4;
    quick(v, 1 << 15);
    for (int i = 0; i < 1 << 15; i++) sum = sum * 33 + (unsigned)v[i];
  }
  return sum;
}

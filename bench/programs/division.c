unsigned main(void) {
  unsigned long long x = 0x123456789abcdefull, sum = 0;
  for (unsigned i = 1; i < 1500000; i++) {
    x = x * 6364136223846793005ull + 1442695040888963407ull;
    sum += x / (i * 77ull + (x >> 40)) + (unsigned)(x >> 3) / i;
  }
  return (unsigned)(sum ^ sum >> 32);
}

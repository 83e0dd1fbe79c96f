typedef unsigned (*operation)(unsigned, unsigned);
static unsigned add(unsigned a, unsigned b) { return a + b; }
static unsigned eor(unsigned a, unsigned b) { return a ^ b; }
static unsigned mul(unsigned a, unsigned b) { return a * (b | 1); }
static unsigned rot(unsigned a, unsigned b) { return a >> (b & 31) | a << (-b & 31); }
static operation volatile table[4] = { add, eor, mul, rot };
unsigned main(void) {
  unsigned x = 1, y = 2;
  for (unsigned i = 0; i < 40000000; i++) { x = table[(x >> 3 ^ i) & 3](x, y + i); y += x; }
  return x ^ y;
}

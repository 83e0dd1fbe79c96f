#include <arm_neon.h>
static unsigned char in[65536], out[65536];
unsigned main(void) {
  unsigned sum = 0;
  for (unsigned i = 0; i < sizeof in; i++) in[i] = i * 7 + (i >> 5);
  for (int round = 0; round < 12000; round++) {
    for (unsigned i = 16; i + 32 <= sizeof in; i += 16) {
      uint8x16_t l = vld1q_u8(in + i - 1), m = vld1q_u8(in + i), r = vld1q_u8(in + i + 1);
      vst1q_u8(out + i, vaddq_u8(vhaddq_u8(l, r), veorq_u8(m, vshrq_n_u8(m, 1))));
    }
    in[round] ^= out[round + 64];
  }
  for (unsigned i = 0; i < sizeof out; i++) sum = sum * 31 + out[i];
  return sum;
}

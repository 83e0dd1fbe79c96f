/* Sums and products of whole numbers in four lanes: FPSCR stays clear. */
#include <arm_neon.h>
static float v[256];
unsigned main(void) {
  float32x4_t sum = vdupq_n_f32(0);
  for (int i = 0; i < 256; i++) v[i] = i * 3 % 32 - 10;
  for (int round = 0; round < 250000; round++) {
    sum = vdupq_n_f32(round & 7);
    for (int i = 0; i < 124; i += 4) sum = vsubq_f32(vaddq_f32(sum, vmulq_f32(vld1q_f32(v + i), vld1q_f32(v + i + 4))), vld1q_f32(v + i + 128));
    v[round & 255] = round & 15;
  }
  return vgetq_lane_f32(sum, 0) + 3 * vgetq_lane_f32(sum, 1) + 5 * vgetq_lane_f32(sum, 3);
}

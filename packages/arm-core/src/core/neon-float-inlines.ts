import type { InlineVector, Lanes, Rounding, VectorKernel } from '@tablewalk/engine';
import { inlineLanesOrKernel, simd } from '@tablewalk/engine';
import * as float from '../fp/neon-float-kernels.js';

/*
 * Single-precision Advanced SIMD written out. It always rounds to nearest and flushes denormals: vectors with one among operands or results, with a NaN or
 * an infinite result are the kernel's as a whole.
 */

type Entry = readonly [VectorKernel, InlineVector];

const LEAST_NORMAL = 0x00800000n;
const INFINITE = 0x7f800000n;

/** Pushes all ones where a lane is a denormal: neither zero nor normal. */
const denormal = (k: Lanes, x: number): void => {
  k.get(x);
  k.op(simd.F32_ABS);
  k.splat(2, LEAST_NORMAL);
  k.op(simd.F32_LT);
  k.get(x);
  k.zero();
  k.op(simd.F32_NE);
  k.op(simd.AND);
};
/** Pushes all ones where a lane is infinite or a NaN. */
const notFinite = (k: Lanes, x: number): void => {
  k.get(x);
  k.op(simd.F32_ABS);
  k.splat(2, INFINITE);
  k.op(simd.F32_LT);
  k.op(simd.NOT);
};
const isZero = (k: Lanes, x: number): void => {
  k.get(x);
  k.zero();
  k.op(simd.F32_EQ);
};
const slowIf = (k: Lanes, slow: number): void => {
  k.op(simd.ANY_TRUE);
  k.w.brIf(slow);
};
const checkOperands = (k: Lanes, slow: number, ...operands: readonly number[]): void => {
  operands.forEach((operand, i) => {
    denormal(k, operand);
    if (i > 0) k.op(simd.OR);
  });
  slowIf(k, slow);
};

/** A sum or difference. What it leaves of the larger operand is the smaller one just when nothing was lost. */
const sum = (k: Lanes, slow: number, code: typeof simd.F32_ADD | typeof simd.F32_SUB, a: number, b: number): number => {
  const subtracts = code === simd.F32_SUB;
  k.of(code, a, b);
  const r = k.keep();
  denormal(k, r);
  notFinite(k, r);
  k.op(simd.OR);
  slowIf(k, slow);
  k.recordInexact(() => {
    if (subtracts) k.of(simd.F32_SUB, a, r);
    else k.of(simd.F32_SUB, r, a);
    k.get(b);
    k.op(simd.F32_NE);
    k.of(subtracts ? simd.F32_ADD : simd.F32_SUB, r, b);
    k.get(a);
    k.op(simd.F32_NE);
    k.op(simd.OR);
  });
  return r;
};

/** Pushes the lower or upper two lanes in double precision. */
const promoted = (k: Lanes, x: number, upper: boolean): void => {
  pushHalf(k, x, upper);
  k.op(simd.PROMOTE_LOW);
};
/** Pushes a vector whose lower lanes are those. */
const pushHalf = (k: Lanes, x: number, upper: boolean): void => {
  k.get(x);
  if (!upper) return;
  k.get(x);
  k.w.shuffle([8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15]);
};
/** Looks at both halves, if there are two: `push` pushes lanes of all ones where a result is inexact. */
const recordHalves = (k: Lanes, push: (upper: boolean) => void): void => {
  k.recordInexact(() => {
    push(false);
    if (!k.q) return;
    push(true);
    k.op(simd.OR);
  });
};
/** Slow where `r` is not finite, or not above the smallest normal number: it may have been tiny before it was rounded, unless what `pushIsZero` pushes says that it is 0. */
const checkProduct = (k: Lanes, slow: number, r: number, pushIsZero: () => void): void => {
  k.get(r);
  k.op(simd.F32_ABS);
  k.splat(2, LEAST_NORMAL);
  k.op(simd.F32_LE);
  pushIsZero();
  k.op(simd.AND_NOT);
  notFinite(k, r);
  k.op(simd.OR);
  slowIf(k, slow);
};
const product = (k: Lanes, slow: number, a: number, b: number): number => {
  k.of(simd.F32_MUL, a, b);
  const r = k.keep();
  checkProduct(k, slow, r, () => {
    isZero(k, a);
    isZero(k, b);
    k.op(simd.OR);
  });
  recordHalves(k, (upper) => {
    promoted(k, a, upper);
    promoted(k, b, upper);
    k.op(simd.F64_MUL);
    promoted(k, r, upper);
    k.op(simd.F64_NE);
  });
  return r;
};

/** D and Q forms of two operands that are neither denormal nor anything that `result` sends away. */
const binary = (
  kernels: readonly VectorKernel[],
  result: (k: Lanes, slow: number, a: number, b: number, d: number) => void,
  rounding: Rounding = 'records',
): readonly Entry[] =>
  kernels.map(
    (kernel, q): Entry => [
      kernel,
      inlineLanesOrKernel(q === 1, rounding, (k, slow, d, n, m) => {
        const a = k.read(n);
        const b = k.read(m);
        checkOperands(k, slow, a, b);
        result(k, slow, a, b, d);
      }),
    ],
  );
const chained = (kernels: readonly VectorKernel[], code: typeof simd.F32_ADD | typeof simd.F32_SUB): readonly Entry[] =>
  binary(kernels, (k, slow, a, b, d) => {
    const c = k.read(d);
    checkOperands(k, slow, c);
    k.get(sum(k, slow, code, c, product(k, slow, a, b)));
  });

/** In double, two lanes at a time: right unless a sum is just between two singles. */
const fused = (kernels: readonly VectorKernel[], negate: boolean): readonly Entry[] =>
  binary(
    kernels,
    (k, slow, a, b, d) => {
      const c = k.read(d);
      checkOperands(k, slow, c);
      const half = (high: boolean): number => {
        promoted(k, a, high);
        promoted(k, b, high);
        k.op(simd.F64_MUL);
        if (negate) k.op(simd.F64_NEG);
        promoted(k, c, high);
        k.op(simd.F64_ADD);
        const s = k.keep();
        k.get(s);
        k.splat(3, 0x1fffffffn);
        k.op(simd.AND);
        k.splat(3, 0x10000000n);
        k.op(simd.EQ[3]);
        slowIf(k, slow);
        k.get(s);
        k.op(simd.DEMOTE_ZERO);
        return k.keep();
      };
      k.get(half(false), half(true));
      k.w.shuffle([0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]);
      const r = k.keep();
      checkProduct(k, slow, r, () => {
        isZero(k, a);
        isZero(k, b);
        k.op(simd.OR);
        isZero(k, c);
        k.op(simd.AND);
      });
      k.get(r);
    },
    'recorded',
  );

const compared = (kernels: readonly VectorKernel[], code: number, absolute = false): readonly Entry[] =>
  binary(kernels, (k, slow, a, b) => {
    for (const operand of [a, b]) {
      k.of(simd.F32_NE, operand, operand);
      slowIf(k, slow);
    }
    for (const operand of [a, b]) {
      k.get(operand);
      if (absolute) k.op(simd.F32_ABS);
    }
    k.op(code);
  });

/** Comparisons with zero have the operand in n and m alike. */
const comparedWithZero = (kernels: readonly VectorKernel[], code: number): readonly Entry[] =>
  binary(kernels, (k, slow, _, b) => {
    k.of(simd.F32_NE, b, b);
    slowIf(k, slow);
    k.get(b);
    k.zero();
    k.op(code);
  });
const extreme = (kernels: readonly VectorKernel[], code: number): readonly Entry[] =>
  binary(kernels, (k, slow, a, b) => {
    k.of(code, a, b);
    const r = k.keep();
    k.of(simd.F32_NE, r, r);
    slowIf(k, slow);
    k.get(r);
  });

/** Whole numbers to singles and back, without fraction bits. */
const fromInteger = (kernels: readonly VectorKernel[], sign: 0 | 1): readonly Entry[] =>
  kernels.map(
    (kernel, q): Entry => [
      kernel,
      inlineLanesOrKernel(q === 1, 'records', (k, slow, _, m, fractionBits) => {
        if (fractionBits !== 0) {
          k.w.i32(1);
          k.w.brIf(slow);
        }
        const a = k.read(m);
        k.of(simd.F32_FROM_I32[sign], a);
        const r = k.keep();
        recordHalves(k, (upper) => {
          pushHalf(k, a, upper);
          k.op(simd.F64_FROM_I32[sign]);
          promoted(k, r, upper);
          k.op(simd.F64_NE);
        });
        k.get(r);
      }),
    ],
  );
const toInteger = (kernels: readonly VectorKernel[], sign: 0 | 1): readonly Entry[] =>
  kernels.map(
    (kernel, q): Entry => [
      kernel,
      inlineLanesOrKernel(q === 1, 'records', (k, slow, _, m, fractionBits) => {
        if (fractionBits !== 0) {
          k.w.i32(1);
          k.w.brIf(slow);
        }
        const a = k.read(m);
        checkOperands(k, slow, a);
        // In range: [-2^31, 2^31) or (-1, 2^32).
        k.get(a);
        k.splat(2, sign === 0 ? 0xcf000000n : 0xbf800000n);
        k.op(sign === 0 ? simd.F32_GE : simd.F32_GT);
        k.get(a);
        k.splat(2, sign === 0 ? 0x4f000000n : 0x4f800000n);
        k.op(simd.F32_LT);
        k.op(simd.AND);
        k.op(simd.NOT);
        slowIf(k, slow);
        k.recordInexact(() => {
          k.get(a, a);
          k.op(simd.F32_TRUNC);
          k.op(simd.F32_NE);
        });
        k.get(a);
        k.op(simd.I32_FROM_F32[sign]);
      }),
    ],
  );

export const neonFloatInlines: readonly Entry[] = [
  ...binary(float.vaddF32, (k, slow, a, b) => k.get(sum(k, slow, simd.F32_ADD, a, b))),
  ...binary(float.vsubF32, (k, slow, a, b) => k.get(sum(k, slow, simd.F32_SUB, a, b))),
  ...binary(float.vabdF32, (k, slow, a, b) => {
    k.get(sum(k, slow, simd.F32_SUB, a, b));
    k.op(simd.F32_ABS);
  }),
  ...binary(float.vmulF32, (k, slow, a, b) => k.get(product(k, slow, a, b))),
  ...chained(float.vmlaF32, simd.F32_ADD),
  ...chained(float.vmlsF32, simd.F32_SUB),
  ...fused(float.vfmaF32, false),
  ...fused(float.vfmsF32, true),
  ...extreme(float.vmaxF32, simd.F32_MAX),
  ...extreme(float.vminF32, simd.F32_MIN),
  ...compared(float.vceqF32, simd.F32_EQ),
  ...compared(float.vcgeF32, simd.F32_GE),
  ...compared(float.vcgtF32, simd.F32_GT),
  ...compared(float.vacgeF32, simd.F32_GE, true),
  ...compared(float.vacgtF32, simd.F32_GT, true),
  ...comparedWithZero(float.vceqZeroF32, simd.F32_EQ),
  ...comparedWithZero(float.vcgeZeroF32, simd.F32_GE),
  ...comparedWithZero(float.vcgtZeroF32, simd.F32_GT),
  ...comparedWithZero(float.vcleZeroF32, simd.F32_LE),
  ...comparedWithZero(float.vcltZeroF32, simd.F32_LT),
  ...fromInteger(float.vcvtF32S32, 0),
  ...fromInteger(float.vcvtF32U32, 1),
  ...toInteger(float.vcvtS32F32, 0),
  ...toInteger(float.vcvtU32F32, 1),
];

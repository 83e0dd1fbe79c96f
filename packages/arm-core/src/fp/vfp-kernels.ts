import type { VectorKernel } from '@tablewalk/engine';
import { layout } from '@tablewalk/engine';
import { FpUnit, OP_ADD, OP_DIV, OP_MUL, OP_SUB } from './fp-unit.js';
import { FPSCR_FZ, NZCV_EQUAL, NZCV_GREATER, NZCV_LESS } from './fpscr.js';
import { add32, add64, div32, div64, fma32, fma64, mul32, mul64, OddRounding, sqrt32, sqrt64 } from './host-arithmetic.js';
import { kernel } from './kernel.js';

/**
 * VFP arithmetic and comparisons (ARM DDI 0406C, A7.5): registers by number (S0-S31 for single, D0-D31 for double) as immediates. Each kernel tries the
 * host's arithmetic and falls back to the exact integer path.
 */

const S0 = layout.D0;
const F0 = layout.D0 / 2;
const D0 = layout.D0;
const CONTROL = layout.FPSCR_CONTROL;
const SIGN = 0x80000000 | 0;

const exact64 = (unit: FpUnit, words: Int32Array, op: number, d: number, n: number, m: number, negate: number): void => {
  unit.begin();
  unit.unpack64(unit.a, words[D0 + 2 * n + 1]!, words[D0 + 2 * n]!);
  unit.unpack64(unit.b, words[D0 + 2 * m + 1]!, words[D0 + 2 * m]!);
  unit.binary(op);
  unit.pack64(unit.r);
  words[D0 + 2 * d] = unit.low;
  words[D0 + 2 * d + 1] = unit.high ^ negate;
  unit.end();
};
const exact32 = (unit: FpUnit, words: Int32Array, op: number, d: number, n: number, m: number, negate: number): void => {
  unit.begin();
  unit.unpack32(unit.a, words[S0 + n]!);
  unit.unpack32(unit.b, words[S0 + m]!);
  unit.binary(op);
  words[S0 + d] = unit.pack32(unit.r) ^ negate;
  unit.end();
};

export const vaddF64 = kernel('vadd.f64', ({ words, f64 }) => {
  const unit = new FpUnit(words);
  return (d, n, m) => {
    const r = add64(words, f64[F0 + n]!, f64[F0 + m]!);
    if (r === r) f64[F0 + d] = r;
    else exact64(unit, words, OP_ADD, d, n, m, 0);
  };
});
export const vsubF64 = kernel('vsub.f64', ({ words, f64 }) => {
  const unit = new FpUnit(words);
  return (d, n, m) => {
    const r = add64(words, f64[F0 + n]!, -f64[F0 + m]!);
    if (r === r) f64[F0 + d] = r;
    else exact64(unit, words, OP_SUB, d, n, m, 0);
  };
});
export const vmulF64 = kernel('vmul.f64', ({ words, f64 }) => {
  const unit = new FpUnit(words);
  return (d, n, m) => {
    const r = mul64(words, f64[F0 + n]!, f64[F0 + m]!);
    if (r === r) f64[F0 + d] = r;
    else exact64(unit, words, OP_MUL, d, n, m, 0);
  };
});
export const vnmulF64 = kernel('vnmul.f64', ({ words, f64 }) => {
  const unit = new FpUnit(words);
  return (d, n, m) => {
    const r = mul64(words, f64[F0 + n]!, f64[F0 + m]!);
    if (r === r) f64[F0 + d] = -r;
    else exact64(unit, words, OP_MUL, d, n, m, SIGN);
  };
});
export const vdivF64 = kernel('vdiv.f64', ({ words, f64 }) => {
  const unit = new FpUnit(words);
  return (d, n, m) => {
    const r = div64(words, f64[F0 + n]!, f64[F0 + m]!);
    if (r === r) f64[F0 + d] = r;
    else exact64(unit, words, OP_DIV, d, n, m, 0);
  };
});
export const vaddF32 = kernel('vadd.f32', ({ words, f32 }) => {
  const unit = new FpUnit(words);
  return (d, n, m) => {
    const r = add32(words, f32[S0 + n]!, f32[S0 + m]!);
    if (r === r) f32[S0 + d] = r;
    else exact32(unit, words, OP_ADD, d, n, m, 0);
  };
});
export const vsubF32 = kernel('vsub.f32', ({ words, f32 }) => {
  const unit = new FpUnit(words);
  return (d, n, m) => {
    const r = add32(words, f32[S0 + n]!, -f32[S0 + m]!);
    if (r === r) f32[S0 + d] = r;
    else exact32(unit, words, OP_SUB, d, n, m, 0);
  };
});
export const vmulF32 = kernel('vmul.f32', ({ words, f32 }) => {
  const unit = new FpUnit(words);
  return (d, n, m) => {
    const r = mul32(words, f32[S0 + n]!, f32[S0 + m]!);
    if (r === r) f32[S0 + d] = r;
    else exact32(unit, words, OP_MUL, d, n, m, 0);
  };
});
export const vnmulF32 = kernel('vnmul.f32', ({ words, f32 }) => {
  const unit = new FpUnit(words);
  return (d, n, m) => {
    const r = mul32(words, f32[S0 + n]!, f32[S0 + m]!);
    if (r === r) f32[S0 + d] = -r;
    else exact32(unit, words, OP_MUL, d, n, m, SIGN);
  };
});
export const vdivF32 = kernel('vdiv.f32', ({ words, f32 }) => {
  const unit = new FpUnit(words);
  return (d, n, m) => {
    const r = div32(words, f32[S0 + n]!, f32[S0 + m]!);
    if (r === r) f32[S0 + d] = r;
    else exact32(unit, words, OP_DIV, d, n, m, 0);
  };
});

export const vsqrtF64 = kernel('vsqrt.f64', ({ words, f64 }) => {
  const unit = new FpUnit(words);
  return (d, m) => {
    const r = sqrt64(words, f64[F0 + m]!);
    if (r === r) {
      f64[F0 + d] = r;
      return;
    }
    unit.begin();
    unit.unpack64(unit.a, words[D0 + 2 * m + 1]!, words[D0 + 2 * m]!);
    unit.squareRoot();
    unit.pack64(unit.r);
    words[D0 + 2 * d] = unit.low;
    words[D0 + 2 * d + 1] = unit.high;
    unit.end();
  };
});
export const vsqrtF32 = kernel('vsqrt.f32', ({ words, f32 }) => {
  const unit = new FpUnit(words);
  return (d, m) => {
    const r = sqrt32(words, f32[S0 + m]!);
    if (r === r) {
      f32[S0 + d] = r;
      return;
    }
    unit.begin();
    unit.unpack32(unit.a, words[S0 + m]!);
    unit.squareRoot();
    words[S0 + d] = unit.pack32(unit.r);
    unit.end();
  };
});

/**
 * Multiply-accumulate in two roundings: (negateAccumulator ? -d : d) + (negateProduct ? -(n * m) : n * m), negation being of the sign bit, NaNs too
 * (A8.8.337 VMLA, A8.8.356 VNMLA).
 */
const chained64 = (name: string, negateAccumulator: boolean, negateProduct: boolean): VectorKernel =>
  kernel(name, ({ words, f64 }) => {
    const unit = new FpUnit(words);
    const flipD = negateAccumulator ? SIGN : 0;
    const flipP = negateProduct ? SIGN : 0;
    return (d, n, m) => {
      const p = mul64(words, f64[F0 + n]!, f64[F0 + m]!);
      if (p === p) {
        const r = add64(words, negateAccumulator ? -f64[F0 + d]! : f64[F0 + d]!, negateProduct ? -p : p);
        if (r === r) {
          f64[F0 + d] = r;
          return;
        }
      }
      unit.begin();
      unit.unpack64(unit.a, words[D0 + 2 * n + 1]!, words[D0 + 2 * n]!);
      unit.unpack64(unit.b, words[D0 + 2 * m + 1]!, words[D0 + 2 * m]!);
      unit.binary(OP_MUL);
      unit.pack64(unit.r);
      unit.unpack64(unit.a, words[D0 + 2 * d + 1]! ^ flipD, words[D0 + 2 * d]!);
      unit.unpack64(unit.b, unit.high ^ flipP, unit.low);
      unit.binary(OP_ADD);
      unit.pack64(unit.r);
      words[D0 + 2 * d] = unit.low;
      words[D0 + 2 * d + 1] = unit.high;
      unit.end();
    };
  });
const chained32 = (name: string, negateAccumulator: boolean, negateProduct: boolean): VectorKernel =>
  kernel(name, ({ words, f32 }) => {
    const unit = new FpUnit(words);
    const flipD = negateAccumulator ? SIGN : 0;
    const flipP = negateProduct ? SIGN : 0;
    return (d, n, m) => {
      const p = mul32(words, f32[S0 + n]!, f32[S0 + m]!);
      if (p === p) {
        const r = add32(words, negateAccumulator ? -f32[S0 + d]! : f32[S0 + d]!, negateProduct ? -p : p);
        if (r === r) {
          f32[S0 + d] = r;
          return;
        }
      }
      unit.begin();
      unit.unpack32(unit.a, words[S0 + n]!);
      unit.unpack32(unit.b, words[S0 + m]!);
      unit.binary(OP_MUL);
      const product = unit.pack32(unit.r) ^ flipP;
      unit.unpack32(unit.a, words[S0 + d]! ^ flipD);
      unit.unpack32(unit.b, product);
      unit.binary(OP_ADD);
      words[S0 + d] = unit.pack32(unit.r);
      unit.end();
    };
  });
export const vmlaF64 = chained64('vmla.f64', false, false);
export const vmlsF64 = chained64('vmls.f64', false, true);
export const vnmlaF64 = chained64('vnmla.f64', true, true);
export const vnmlsF64 = chained64('vnmls.f64', true, false);
export const vmlaF32 = chained32('vmla.f32', false, false);
export const vmlsF32 = chained32('vmls.f32', false, true);
export const vnmlaF32 = chained32('vnmla.f32', true, true);
export const vnmlsF32 = chained32('vnmls.f32', true, false);

/** Fused: (negateAccumulator ? -d : d) + (negateFactor ? -n : n) * m, rounded once (A8.8.317 VFMA, A8.8.318 VFNMA). */
const fused64 = (name: string, negateAccumulator: boolean, negateFactor: boolean): VectorKernel =>
  kernel(name, ({ words, f64 }) => {
    const unit = new FpUnit(words);
    const odd = new OddRounding();
    const flipD = negateAccumulator ? SIGN : 0;
    const flipN = negateFactor ? SIGN : 0;
    return (d, n, m) => {
      const c = f64[F0 + d]!;
      const a = f64[F0 + n]!;
      const r = fma64(words, odd, negateAccumulator ? -c : c, negateFactor ? -a : a, f64[F0 + m]!);
      if (r === r) {
        f64[F0 + d] = r;
        return;
      }
      unit.begin();
      unit.unpack64(unit.c, words[D0 + 2 * d + 1]! ^ flipD, words[D0 + 2 * d]!);
      unit.unpack64(unit.a, words[D0 + 2 * n + 1]! ^ flipN, words[D0 + 2 * n]!);
      unit.unpack64(unit.b, words[D0 + 2 * m + 1]!, words[D0 + 2 * m]!);
      unit.multiplyAdd();
      unit.pack64(unit.r);
      words[D0 + 2 * d] = unit.low;
      words[D0 + 2 * d + 1] = unit.high;
      unit.end();
    };
  });
const fused32 = (name: string, negateAccumulator: boolean, negateFactor: boolean): VectorKernel =>
  kernel(name, ({ words, f32 }) => {
    const unit = new FpUnit(words);
    const odd = new OddRounding();
    const flipD = negateAccumulator ? SIGN : 0;
    const flipN = negateFactor ? SIGN : 0;
    return (d, n, m) => {
      const c = f32[S0 + d]!;
      const a = f32[S0 + n]!;
      const r = fma32(words, odd, negateAccumulator ? -c : c, negateFactor ? -a : a, f32[S0 + m]!);
      if (r === r) {
        f32[S0 + d] = r;
        return;
      }
      unit.begin();
      unit.unpack32(unit.c, words[S0 + d]! ^ flipD);
      unit.unpack32(unit.a, words[S0 + n]! ^ flipN);
      unit.unpack32(unit.b, words[S0 + m]!);
      unit.multiplyAdd();
      words[S0 + d] = unit.pack32(unit.r);
      unit.end();
    };
  });
export const vfmaF64 = fused64('vfma.f64', false, false);
export const vfmsF64 = fused64('vfms.f64', false, true);
export const vfnmaF64 = fused64('vfnma.f64', true, true);
export const vfnmsF64 = fused64('vfnms.f64', true, false);
export const vfmaF32 = fused32('vfma.f32', false, false);
export const vfmsF32 = fused32('vfms.f32', false, true);
export const vfnmaF32 = fused32('vfnma.f32', true, true);
export const vfnmsF32 = fused32('vfnms.f32', true, false);

const compared = (a: number, b: number): number => (a < b ? NZCV_LESS : a > b ? NZCV_GREATER : NZCV_EQUAL);
const FLUSHES = FPSCR_FZ;

/** VCMP and VCMPE (`signalling`) of d with m; with `c` = 1, of d with zero. */
const compare64 = (name: string, signalling: boolean): VectorKernel =>
  kernel(name, ({ words, f64 }) => {
    const unit = new FpUnit(words);
    return (d, m, withZero) => {
      const a = f64[F0 + d]!;
      const b = withZero === 1 ? 0 : f64[F0 + m]!;
      if (a === a && b === b && (words[CONTROL]! & FLUSHES) === 0) {
        words[layout.FPSCR_NZCV] = compared(a, b);
        return;
      }
      unit.begin();
      unit.unpack64(unit.a, words[D0 + 2 * d + 1]!, words[D0 + 2 * d]!);
      if (withZero === 1) unit.unpack64(unit.b, 0, 0);
      else unit.unpack64(unit.b, words[D0 + 2 * m + 1]!, words[D0 + 2 * m]!);
      words[layout.FPSCR_NZCV] = unit.compare(signalling);
      unit.end();
    };
  });
const compare32 = (name: string, signalling: boolean): VectorKernel =>
  kernel(name, ({ words, f32 }) => {
    const unit = new FpUnit(words);
    return (d, m, withZero) => {
      const a = f32[S0 + d]!;
      const b = withZero === 1 ? 0 : f32[S0 + m]!;
      if (a === a && b === b && (words[CONTROL]! & FLUSHES) === 0) {
        words[layout.FPSCR_NZCV] = compared(a, b);
        return;
      }
      unit.begin();
      unit.unpack32(unit.a, words[S0 + d]!);
      unit.unpack32(unit.b, withZero === 1 ? 0 : words[S0 + m]!);
      words[layout.FPSCR_NZCV] = unit.compare(signalling);
      unit.end();
    };
  });
export const vcmpF64 = compare64('vcmp.f64', false);
export const vcmpeF64 = compare64('vcmpe.f64', true);
export const vcmpF32 = compare32('vcmp.f32', false);
export const vcmpeF32 = compare32('vcmpe.f32', true);

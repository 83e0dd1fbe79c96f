import type { StateViews, VectorKernel } from '@tablewalk/engine';
import { layout } from '@tablewalk/engine';
import { FpUnit, OP_ADD, OP_DIV, OP_MUL, OP_SUB } from './fp-unit.js';
import { FPSCR_FZ, FPSCR_RMODE, IXC, NZCV_EQUAL, NZCV_GREATER, NZCV_LESS, ROUND_NEAREST, ROUND_ZERO } from './fpscr.js';
import {
  add32,
  add64,
  div32,
  div64,
  fma32,
  fma64,
  MIN_NORMAL_32,
  MIN_NORMAL_64,
  mul32,
  mul64,
  OddRounding,
  sqrt32,
  sqrt64,
} from './host-arithmetic.js';

/**
 * VFP data processing (ARM DDI 0406C, A7.5): registers by number (S0-S31 for single, D0-D31 for double) as immediates. Each kernel tries the host's
 * arithmetic and falls back to the exact integer path.
 */

const S0 = layout.D0;
const F0 = layout.D0 / 2;
const D0 = layout.D0;
const CONTROL = layout.FPSCR_CONTROL;
const EXCEPTIONS = layout.FPSCR_EXCEPTIONS;
const SIGN = 0x80000000 | 0;

type Run = (a: number, b: number, c: number) => void;
const kernel = (name: string, bind: (state: StateViews) => Run): VectorKernel => ({ kind: 'vector', name, bind });

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

/** d is a D register, m an S register. */
export const vcvtF64F32 = kernel('vcvt.f64.f32', ({ words, f64, f32 }) => {
  const unit = new FpUnit(words);
  return (d, m) => {
    const a = f32[S0 + m]!;
    if (a === 0 || Math.abs(a) >= MIN_NORMAL_32) {
      f64[F0 + d] = a;
      return;
    }
    unit.begin();
    unit.unpack32(unit.a, words[S0 + m]!);
    unit.convert();
    unit.pack64(unit.r);
    words[D0 + 2 * d] = unit.low;
    words[D0 + 2 * d + 1] = unit.high;
    unit.end();
  };
});
/** d is an S register, m a D register. */
export const vcvtF32F64 = kernel('vcvt.f32.f64', ({ words, f64, f32 }) => {
  const unit = new FpUnit(words);
  return (d, m) => {
    const a = f64[F0 + m]!;
    const r = Math.fround(a);
    if ((a === 0 || (Math.abs(a) > MIN_NORMAL_32 && Math.abs(r) < Infinity)) && (words[CONTROL]! & FPSCR_RMODE) === 0) {
      if (r !== a) words[EXCEPTIONS] = words[EXCEPTIONS]! | IXC;
      f32[S0 + d] = r;
      return;
    }
    unit.begin();
    unit.unpack64(unit.a, words[D0 + 2 * m + 1]!, words[D0 + 2 * m]!);
    unit.convert();
    words[S0 + d] = unit.pack32(unit.r);
    unit.end();
  };
});

/**
 * Floating point to a 32-bit integer in S register d: m is a D or S register; the third immediate is 1 for rounding towards zero, 0 for RMode.
 */
const toInteger = (name: string, double: boolean, unsigned: boolean): VectorKernel =>
  kernel(name, ({ words, f64, f32 }) => {
    const unit = new FpUnit(words);
    const least = unsigned ? -1 : -0x80000001;
    const most = unsigned ? 0x100000000 : 0x80000000;
    return (d, m, towardsZero) => {
      const a = double ? f64[F0 + m]! : f32[S0 + m]!;
      if (towardsZero === 1 && a > least && a < most && (a === 0 || Math.abs(a) >= (double ? MIN_NORMAL_64 : MIN_NORMAL_32))) {
        const r = Math.trunc(a);
        if (r !== a) words[EXCEPTIONS] = words[EXCEPTIONS]! | IXC;
        words[S0 + d] = r;
        return;
      }
      unit.begin();
      if (double) unit.unpack64(unit.a, words[D0 + 2 * m + 1]!, words[D0 + 2 * m]!);
      else unit.unpack32(unit.a, words[S0 + m]!);
      words[S0 + d] = unit.toInteger(32, unsigned, 0, towardsZero === 1 ? ROUND_ZERO : unit.mode);
      unit.end();
    };
  });
export const vcvtS32F64 = toInteger('vcvt.s32.f64', true, false);
export const vcvtU32F64 = toInteger('vcvt.u32.f64', true, true);
export const vcvtS32F32 = toInteger('vcvt.s32.f32', false, false);
export const vcvtU32F32 = toInteger('vcvt.u32.f32', false, true);

/** Integers from S register m. To double they are exact. */
export const vcvtF64S32 = kernel('vcvt.f64.s32', ({ words, f64 }) => (d, m) => {
  f64[F0 + d] = words[S0 + m]!;
});
export const vcvtF64U32 = kernel('vcvt.f64.u32', ({ u32, f64 }) => (d, m) => {
  f64[F0 + d] = u32[S0 + m]!;
});
const fromInteger32 = (name: string, unsigned: boolean): VectorKernel =>
  kernel(name, ({ words, u32, f32 }) => {
    const unit = new FpUnit(words);
    return (d, m) => {
      const value = unsigned ? u32[S0 + m]! : words[S0 + m]!;
      if ((words[CONTROL]! & FPSCR_RMODE) === 0) {
        const r = Math.fround(value);
        if (r !== value) words[EXCEPTIONS] = words[EXCEPTIONS]! | IXC;
        f32[S0 + d] = r;
        return;
      }
      unit.begin();
      unit.fromInteger(words[S0 + m]!, unsigned, 0);
      words[S0 + d] = unit.pack32(unit.r);
      unit.end();
    };
  });
export const vcvtF32S32 = fromInteger32('vcvt.f32.s32', false);
export const vcvtF32U32 = fromInteger32('vcvt.f32.u32', true);

/** Fixed point in register d (its low `size` bits) to floating point in the same register; b: fraction bits. Rounds to nearest (A8.8.307). */
const fromFixed = (double: boolean, size: number, unsigned: boolean): VectorKernel =>
  kernel(`vcvt.f${double ? 64 : 32}.${unsigned ? 'u' : 's'}${size}.fixed`, ({ words }) => {
    const unit = new FpUnit(words);
    return (d, fractionBits) => {
      unit.begin();
      const raw = words[double ? D0 + 2 * d : S0 + d]!;
      unit.fromInteger(size === 32 ? raw : unsigned ? raw & 0xffff : (raw << 16) >> 16, unsigned, fractionBits);
      if (double) {
        unit.pack64(unit.r, ROUND_NEAREST);
        words[D0 + 2 * d] = unit.low;
        words[D0 + 2 * d + 1] = unit.high;
      } else words[S0 + d] = unit.pack32(unit.r, ROUND_NEAREST);
      unit.end();
    };
  });
/** Floating point in register d to fixed point in the same register, extended to the register's width; rounds towards zero. */
const toFixed = (double: boolean, size: number, unsigned: boolean): VectorKernel =>
  kernel(`vcvt.${unsigned ? 'u' : 's'}${size}.f${double ? 64 : 32}.fixed`, ({ words }) => {
    const unit = new FpUnit(words);
    return (d, fractionBits) => {
      unit.begin();
      if (double) unit.unpack64(unit.a, words[D0 + 2 * d + 1]!, words[D0 + 2 * d]!);
      else unit.unpack32(unit.a, words[S0 + d]!);
      const value = unit.toInteger(size, unsigned, fractionBits, ROUND_ZERO);
      if (double) {
        words[D0 + 2 * d] = value;
        words[D0 + 2 * d + 1] = unsigned ? 0 : value >> 31;
      } else words[S0 + d] = value;
      unit.end();
    };
  });
/** By double | 32-bit << 1 | unsigned << 2. */
export const vcvtFromFixed: readonly VectorKernel[] = Array.from({ length: 8 }, (_, k) =>
  fromFixed((k & 1) !== 0, (k & 2) !== 0 ? 32 : 16, (k & 4) !== 0),
);
export const vcvtToFixed: readonly VectorKernel[] = Array.from({ length: 8 }, (_, k) =>
  toFixed((k & 1) !== 0, (k & 2) !== 0 ? 32 : 16, (k & 4) !== 0),
);

/** VCVTB, VCVTT: half of S register m (third immediate 1: the upper) to single in d. */
export const vcvtF32F16 = kernel('vcvt.f32.f16', ({ words }) => {
  const unit = new FpUnit(words);
  return (d, m, top) => {
    unit.begin();
    unit.unpack16(unit.a, words[S0 + m]! >>> (top === 1 ? 16 : 0));
    unit.convert();
    words[S0 + d] = unit.pack32(unit.r);
    unit.end();
  };
});
/** Single in m to a half of S register d, whose other half stays. */
export const vcvtF16F32 = kernel('vcvt.f16.f32', ({ words }) => {
  const unit = new FpUnit(words);
  return (d, m, top) => {
    unit.begin();
    unit.unpack32(unit.a, words[S0 + m]!);
    const half = unit.convertTo16();
    const old = words[S0 + d]!;
    words[S0 + d] = top === 1 ? (old & 0xffff) | (half << 16) : (old & ~0xffff) | half;
    unit.end();
  };
});

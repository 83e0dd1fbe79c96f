import type { VectorKernel } from '@tablewalk/engine';
import { layout } from '@tablewalk/engine';
import { FpUnit } from './fp-unit.js';
import { FPSCR_RMODE, IXC, ROUND_NEAREST, ROUND_ZERO } from './fpscr.js';
import { MIN_NORMAL_32, MIN_NORMAL_64 } from './host-arithmetic.js';
import { kernel } from './kernel.js';

/**
 * VCVT between formats, integers and fixed point (ARM DDI 0406C, A8.8.306, A8.8.308-A8.8.311), with the host's arithmetic where that is exact and the
 * integer path elsewhere. Registers by number as immediates, as in the arithmetic kernels.
 */

const S0 = layout.D0;
const F0 = layout.D0 / 2;
const D0 = layout.D0;
const CONTROL = layout.FPSCR_CONTROL;
const EXCEPTIONS = layout.FPSCR_EXCEPTIONS;

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

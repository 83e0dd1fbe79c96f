import { D0, FPSCR_CONTROL, FPSCR_NZCV } from '../layout.js';
import type { Precision, Work } from './float-work.js';
import { floatPrecisions, orKernel } from './float-work.js';
import type { Local } from './function-writer.js';
import type { InlineVector } from './inline-kernels.js';
import { FPSCR_MODE } from './inline-kernels.js';
import * as wasm from './opcodes.js';
import { wordOf } from './simd-registers.js';

const { double, single } = floatPrecisions;

/*
 * VFP arithmetic on the host's. Operands and results are registers in the state. Whatever is not an ordinary case, or not known to be rounded as ARM
 * does, is left to the kernel.
 */

/**
 * Exact zeros are as ARM has them, and denormal sums are exact. What a sum leaves of its larger operand is the smaller one just when nothing was lost; of what
 * is infinite or not a number it leaves something else.
 */
const sum = (k: Work, subtract: boolean, a: Local, b: Local): Local => {
  const { p } = k;
  const r = k.of(subtract ? p.sub : p.add, a, b);
  k.recordInexact(
    (inexact) => {
      k.unlessEqual(inexact, subtract ? k.sub(a, r) : k.sub(r, a), b);
      k.unlessEqual(inexact, subtract ? k.add(r, b) : k.sub(r, b), a);
    },
    () => k.finite(r),
  );
  return r;
};
export const inlineAdd = (p: Precision, subtract: boolean): InlineVector =>
  orKernel(p, 'records', (k, d, n, m) => k.write(d, sum(k, subtract, k.read(n), k.read(m))));

/** Of the 53 bits of a number's significand those below the upper 26: products of numbers that have none of them are exact. */
const LOWER_BITS = 0x7ffffff;

/**
 * Records inexactness unless a * b is `r` exactly: an ordinary number or a zero, which was found to be right, and what a * b is rounded when `isProduct`. What overflows in
 * the product's error is the kernel's.
 */
const recordProduct = (k: Work, a: Local, b: Local, r: Local, isProduct: boolean): void => {
  const { w } = k;
  k.recordInexact((inexact) => {
    const exact = w.block();
    k.isZero(r);
    w.brIf(exact);
    if (k.p === single) k.unlessEqual(inexact, k.of(wasm.F64_MUL, k.promoted(a), k.promoted(b), wasm.TYPE_F64), k.promoted(r), double);
    else {
      const p = isProduct ? r : k.mul(a, b);
      k.normal(p, undefined, double, DEKKER_LEAST);
      if (!isProduct) k.unlessEqual(inexact, p, r);
      for (const factor of [a, b]) {
        w.get(factor);
        w.op(wasm.I64_REINTERPRET_F64);
      }
      w.op(wasm.I64_OR);
      w.op(wasm.I32_WRAP_I64);
      w.and(LOWER_BITS);
      w.op(wasm.I32_EQZ);
      w.brIf(exact);
      const error = productError(k, a, b, p);
      k.finite(error);
      k.isZero(error);
      w.op(wasm.I32_EQZ);
      w.brIf(inexact);
    }
    w.end();
  });
};

const product = (k: Work, n: number, m: number): Local => {
  const a = k.read(n);
  const b = k.read(m);
  const r = k.mul(a, b);
  k.normal(r, () => k.zeroOf(r, a, b));
  recordProduct(k, a, b, r, true);
  return r;
};
export const inlineMultiply = (p: Precision, negate: boolean): InlineVector =>
  orKernel(p, 'records', (k, d, n, m) => k.write(d, product(k, n, m), negate));

export const inlineDivide = (p: Precision): InlineVector =>
  orKernel(p, 'records', (k, d, n, m) => {
    const a = k.read(n);
    const b = k.read(m);
    const r = k.of(p.div, a, b);
    k.normal(r, () => k.zeroOf(r, a));
    recordProduct(k, r, b, a, false);
    k.write(d, r);
  });

export const inlineSquareRoot = (p: Precision): InlineVector =>
  orKernel(p, 'records', (k, d, m) => {
    const a = k.read(m);
    const r = k.local();
    k.w.get(a);
    k.w.op(p.sqrt);
    k.w.set(r);
    k.finite(r);
    recordProduct(k, r, r, a, false);
    k.write(d, r);
  });

/** Rounded product, then rounded sum. */
export const inlineChained = (p: Precision, negateAccumulator: boolean, negateProduct: boolean): InlineVector =>
  orKernel(p, 'records', (k, d, n, m) => k.write(d, sum(k, negateProduct, k.read(d, negateAccumulator), product(k, n, m))));

/** From this exponent of the product on, that of 2^-959, Dekker's is exact: nothing in it underflows. What overflows is not a number at the end. */
const DEKKER_LEAST = 64;

/** a * b - p, where p = a * b rounded; exact from DEKKER_LEAST on, or not a number (T. J. Dekker, 1971). */
const productError = (k: Work, a: Local, b: Local, p: Local): Local => {
  const split = (x: Local): readonly [Local, Local] => {
    const scaled = k.local();
    k.w.get(x);
    k.w.f64(134217729);
    k.w.op(wasm.F64_MUL);
    k.w.set(scaled);
    const high = k.sub(scaled, k.sub(scaled, x));
    return [high, k.sub(x, high)];
  };
  const [ah, al] = split(a);
  const [bh, bl] = split(b);
  const rest = k.sub(k.sub(k.sub(p, k.mul(ah, bh)), k.mul(al, bh)), k.mul(ah, bl));
  return k.sub(k.mul(al, bl), rest);
};

/**
 * a + b - s, where s = a + b rounded: exact, or not a number (T. J. Dekker, 1971). The larger is taken first by a branch, which is foretold, where a sum
 * without one has two more operations to wait for: a product that is added to a sum, to which the next is added, is what code has fused operations for.
 */
const sumError = (k: Work, a: Local, b: Local, s: Local): Local => {
  const { w } = k;
  const error = k.local();
  const lessLarger = (larger: Local, smaller: Local): void => {
    w.get(smaller);
    w.get(s);
    w.get(larger);
    w.op(wasm.F64_SUB);
    w.op(wasm.F64_SUB);
    w.set(error);
  };
  w.get(a);
  w.op(wasm.F64_ABS);
  w.get(b);
  w.op(wasm.F64_ABS);
  w.op(wasm.F64_LT);
  w.if();
  lessLarger(b, a);
  w.else();
  lessLarger(a, b);
  w.end();
  return error;
};

/** More than what is relatively lost of `small` below, and little enough to be seldom in the way. */
const FUSED_MARGIN = 2 ** -50;

/**
 * d + n * m rounded once. The exact sum is vh + vl + ul, where vh is the rounded sum of the rounded product; `small`, the rounded sum of the small ones, is right
 * to 2^-53 of itself. Mostly vh is the result: the exact sum lies between vh and what is a little further away than `small`, and when even that
 * rounds to vh, so does everything between. This is a branch, so that who adds up waits for one addition and not for the errors of it. Else, when a little more
 * and a little less than `small` give the same result, it is the one. They differ next to the middle between two numbers: the kernel's. Operands and intermediate
 * results that are infinite or not a number make vh + small none, which is equal to nothing.
 */
export const inlineFusedF64 = (negateAccumulator: boolean, negateFactor: boolean): InlineVector =>
  orKernel(double, 'recorded', (k, d, n, m) => {
    const { w } = k;
    const c = k.read(d, negateAccumulator);
    const a = k.read(n, negateFactor);
    const b = k.read(m);
    const uh = k.mul(a, b);
    k.normal(uh, undefined, double, DEKKER_LEAST);
    const ul = productError(k, a, b, uh);
    const vh = k.add(uh, c);
    const vl = sumError(k, uh, c, vh);
    const small = k.add(vl, ul);
    w.get(vh);
    w.get(small);
    w.f64(1 + FUSED_MARGIN);
    w.op(wasm.F64_MUL);
    w.op(wasm.F64_ADD);
    w.get(vh);
    w.op(wasm.F64_EQ);
    w.if();
    k.normal(vh);
    k.write(d, vh);
    w.else();
    const r = k.add(vh, small);
    const margin = k.local();
    w.get(small);
    w.op(wasm.F64_ABS);
    w.f64(FUSED_MARGIN);
    w.op(wasm.F64_MUL);
    w.set(margin);
    for (const opcode of [wasm.F64_ADD, wasm.F64_SUB]) {
      w.get(vh);
      w.get(small);
      w.get(margin);
      w.op(opcode);
      w.op(wasm.F64_ADD);
      w.get(r);
      w.op(wasm.F64_EQ);
      w.op(wasm.I32_EQZ);
      w.brIf(k.slow);
    }
    k.normal(r);
    k.write(d, r);
    w.end();
  });

/**
 * The same in single precision: in double the product is exact and the sum rounded to 53 bits. Rounding that to 24 is right unless it is just in the middle,
 * where what was lost would decide.
 */
export const inlineFusedF32 = (negateAccumulator: boolean, negateFactor: boolean): InlineVector =>
  orKernel(single, 'recorded', (k, d, n, m) => {
    const { w } = k;
    const s = k.local(wasm.TYPE_F64);
    const promoted = (register: number, negate: boolean): void => {
      k.push(register, negate);
      w.op(wasm.F64_PROMOTE_F32);
    };
    promoted(n, negateFactor);
    promoted(m, false);
    w.op(wasm.F64_MUL);
    promoted(d, negateAccumulator);
    w.op(wasm.F64_ADD);
    w.tee(s);
    w.op(wasm.I64_REINTERPRET_F64);
    w.i64(0x1fffffff);
    w.op(wasm.I64_AND);
    w.i64(0x10000000);
    w.op(wasm.I64_EQ);
    w.brIf(k.slow);
    const r = k.local();
    w.get(s);
    w.op(wasm.F32_DEMOTE_F64);
    w.set(r);
    k.normal(r, () => k.isZero(s, double));
    k.write(d, r);
  });

/** NZCV of a comparison of d with m, or with 0 when `c` is 1. NaNs are the kernel's, and so are denormals that may count as 0. */
export const inlineCompare = (p: Precision): InlineVector =>
  orKernel(p, 'none', (k, d, m, withZero) => {
    const { w } = k;
    const a = k.read(d);
    const b = k.local();
    if (withZero === 1) p.constant(w, 0);
    else k.push(m);
    w.set(b);
    w.loadWord(FPSCR_CONTROL);
    w.and(FPSCR_MODE);
    w.brIf(k.slow);
    const flag = (opcode: number, shift: number): Local => {
      const local = k.local(wasm.TYPE_I32);
      w.get(a);
      w.get(b);
      w.op(opcode);
      w.tee(local);
      w.shiftLeft(shift);
      return local;
    };
    const nzcv = k.local(wasm.TYPE_I32);
    const less = flag(p.less, 31);
    const notLess = flag(p.greaterOrEqual, 29);
    w.op(wasm.I32_OR);
    flag(p.equal, 30);
    w.op(wasm.I32_OR);
    w.set(nzcv);
    w.get(less);
    w.get(notLess);
    w.op(wasm.I32_OR);
    w.op(wasm.I32_EQZ);
    w.brIf(k.slow);
    w.storeLocal(FPSCR_NZCV, nzcv);
  });

/** Integers in S register m: to double they are exact. */
export const inlineFromInteger = (p: Precision, unsigned: boolean): InlineVector => {
  const toDouble = unsigned ? wasm.F64_CONVERT_I32_U : wasm.F64_CONVERT_I32_S;
  if (p === double)
    return {
      rounds: false,
      write: ({ w, registers }, d, m) =>
        registers.write(p, wordOf(p, d), () => {
          w.loadWord(D0 + m);
          w.op(toDouble);
        }),
    };
  return orKernel(p, 'records', (k, d, m) => {
    const { w } = k;
    const r = k.local();
    w.loadWord(D0 + m);
    w.op(unsigned ? wasm.F32_CONVERT_I32_U : wasm.F32_CONVERT_I32_S);
    w.set(r);
    k.recordInexact((inexact) => {
      const exact = k.local(wasm.TYPE_F64);
      w.loadWord(D0 + m);
      w.op(toDouble);
      w.set(exact);
      k.unlessEqual(inexact, exact, k.promoted(r), double);
    });
    k.write(d, r);
  });
};

/** Register m to an integer in S register d, towards zero (third immediate 1; RMode is the kernel's). */
export const inlineToInteger = (p: Precision, unsigned: boolean): InlineVector =>
  orKernel(p, 'records', (k, d, m, towardsZero) => {
    const { w } = k;
    if (towardsZero !== 1) {
      w.i32(1);
      w.brIf(k.slow);
    }
    const a = k.read(m);
    // Exact bounds in either precision: what is below the upper and above the lower truncates to a 32-bit integer.
    const least = unsigned ? -1 : p === double ? -0x80000001 : -0x80000000;
    w.get(a);
    p.constant(w, least);
    w.op(p === single && !unsigned ? p.greaterOrEqual : p.greater);
    w.get(a);
    p.constant(w, unsigned ? 0x100000000 : 0x80000000);
    w.op(p.less);
    w.op(wasm.I32_AND);
    w.op(wasm.I32_EQZ);
    w.brIf(k.slow);
    k.recordInexact((inexact) => {
      const integer = k.local();
      w.get(a);
      w.op(p.trunc);
      w.set(integer);
      k.unlessEqual(inexact, integer, a);
    });
    k.writeInteger(d, () => {
      w.get(a);
      if (p === double) w.op(unsigned ? wasm.I32_TRUNC_F64_U : wasm.I32_TRUNC_F64_S);
      else w.op(unsigned ? wasm.I32_TRUNC_F32_U : wasm.I32_TRUNC_F32_S);
    });
  });

/** Single to double is exact; NaNs and what may be flushed are the kernel's. */
export const inlineWiden: InlineVector = orKernel(single, 'none', (k, d, m) => {
  const a = k.read(m);
  k.normal(a, () => k.isZero(a));
  const r = k.local(wasm.TYPE_F64);
  k.w.get(a);
  k.w.op(wasm.F64_PROMOTE_F32);
  k.w.set(r);
  k.write(d, r, false, double);
});
export const inlineNarrow: InlineVector = orKernel(double, 'records', (k, d, m) => {
  const a = k.read(m);
  const r = k.local(wasm.TYPE_F32);
  k.w.get(a);
  k.w.op(wasm.F32_DEMOTE_F64);
  k.w.set(r);
  k.normal(r, () => k.isZero(a), single);
  k.recordInexact((inexact) => k.unlessEqual(inexact, k.promoted(r), a));
  k.write(d, r, false, single);
});

import { layout } from '@tablewalk/engine';
import { FPSCR_FZ, FPSCR_RMODE, IXC } from './fpscr.js';

/**
 * Arithmetic on the host's floating point, for the common case: round to nearest, ordinary numbers. Every function returns the exact ARM result and
 * records inexactness in the FPSCR words, or returns NaN to say: not me, take `FpUnit`. NaNs, infinite results, results that are or may be tiny, and
 * denormal operands under flush-to-zero are declined. Declining after an inexact step does no harm: the exact path repeats the step and its flag.
 *
 * Single precision is computed in double: 53 >= 2 * 24 + 2, so rounding twice gives the same as rounding once for + - * / and square root.
 */

const CONTROL = layout.FPSCR_CONTROL;
const EXCEPTIONS = layout.FPSCR_EXCEPTIONS;
const MODE_BITS = FPSCR_RMODE | FPSCR_FZ;

/** Smallest normal numbers. */
export const MIN_NORMAL_32 = 2 ** -126;
export const MIN_NORMAL_64 = 2 ** -1022;
/** Between these magnitudes Dekker's product is exact: nothing in it overflows or underflows. */
const DEKKER_MOST = 2 ** 990;
const DEKKER_LEAST = 2 ** -960;

/** a * b - p, where p = a * b rounded; exact for magnitudes within the bounds above (T. J. Dekker, 1971). */
const productError = (a: number, b: number, p: number): number => {
  const ca = a * 134217729;
  const ah = ca - (ca - a);
  const al = a - ah;
  const cb = b * 134217729;
  const bh = cb - (cb - b);
  const bl = b - bh;
  return al * bl - (p - ah * bh - al * bh - ah * bl);
};
const inDekkerRange = (a: number, b: number, p: number): boolean => {
  const size = Math.abs(p);
  return size > DEKKER_LEAST && size < DEKKER_MOST && Math.abs(a) < DEKKER_MOST && Math.abs(b) < DEKKER_MOST;
};

/** Whether operands may be used as they are: RMode is nearest, and no denormal that FZ would flush is among them. */
const ready64 = (words: Int32Array, a: number, b: number): boolean => {
  const control = words[CONTROL]! & MODE_BITS;
  return control === 0 || (control === FPSCR_FZ && (a === 0 || Math.abs(a) >= MIN_NORMAL_64) && (b === 0 || Math.abs(b) >= MIN_NORMAL_64));
};
const ready32 = (words: Int32Array, a: number, b: number): boolean => {
  const control = words[CONTROL]! & MODE_BITS;
  return control === 0 || (control === FPSCR_FZ && (a === 0 || Math.abs(a) >= MIN_NORMAL_32) && (b === 0 || Math.abs(b) >= MIN_NORMAL_32));
};

export const add64 = (words: Int32Array, a: number, b: number): number => {
  if (!ready64(words, a, b)) return NaN;
  const r = a + b;
  const size = Math.abs(r);
  // Tiny sums are exact; flush-to-zero wants them all the same.
  if (!(size < Infinity) || (size < MIN_NORMAL_64 && r !== 0)) return NaN;
  // The sum minus its larger operand is exact, so it equals the smaller one just when nothing was lost.
  if ((words[EXCEPTIONS]! & IXC) === 0 && (r - a !== b || r - b !== a)) words[EXCEPTIONS] = words[EXCEPTIONS]! | IXC;
  return r;
};

export const mul64 = (words: Int32Array, a: number, b: number): number => {
  if (!ready64(words, a, b)) return NaN;
  const r = a * b;
  if (r === 0) return a === 0 || b === 0 ? r : NaN;
  const size = Math.abs(r);
  if (!(size > MIN_NORMAL_64 && size < Infinity)) return NaN;
  if ((words[EXCEPTIONS]! & IXC) === 0) {
    if (!inDekkerRange(a, b, r)) return NaN;
    if (productError(a, b, r) !== 0) words[EXCEPTIONS] = words[EXCEPTIONS]! | IXC;
  }
  return r;
};

export const div64 = (words: Int32Array, a: number, b: number): number => {
  if (!ready64(words, a, b)) return NaN;
  const r = a / b;
  if (r === 0) return a === 0 ? r : NaN;
  const size = Math.abs(r);
  if (!(size > MIN_NORMAL_64 && size < Infinity)) return NaN;
  if ((words[EXCEPTIONS]! & IXC) === 0) {
    const p = r * b;
    if (!inDekkerRange(r, b, p)) return NaN;
    if (p !== a || productError(r, b, p) !== 0) words[EXCEPTIONS] = words[EXCEPTIONS]! | IXC;
  }
  return r;
};

export const sqrt64 = (words: Int32Array, a: number): number => {
  if (!ready64(words, a, a) || !(a < Infinity)) return NaN;
  const r = Math.sqrt(a);
  if (r === 0) return r;
  if ((words[EXCEPTIONS]! & IXC) === 0) {
    const p = r * r;
    if (!(p > DEKKER_LEAST && p < DEKKER_MOST)) return NaN;
    if (p !== a || productError(r, r, p) !== 0) words[EXCEPTIONS] = words[EXCEPTIONS]! | IXC;
  }
  return r;
};

export const add32 = (words: Int32Array, a: number, b: number): number => (ready32(words, a, b) ? addNearest32(words, a, b) : NaN);
export const mul32 = (words: Int32Array, a: number, b: number): number => (ready32(words, a, b) ? mulNearest32(words, a, b) : NaN);

/** As `add32`, for callers that know the rounding mode and that no operand is to be flushed. */
export const addNearest32 = (words: Int32Array, a: number, b: number): number => {
  const r = Math.fround(a + b);
  const size = Math.abs(r);
  if (!(size < Infinity) || (size < MIN_NORMAL_32 && r !== 0)) return NaN;
  if ((words[EXCEPTIONS]! & IXC) === 0 && (r - a !== b || r - b !== a)) words[EXCEPTIONS] = words[EXCEPTIONS]! | IXC;
  return r;
};
/** As `mul32`, likewise. */
export const mulNearest32 = (words: Int32Array, a: number, b: number): number => {
  // Exact in double: 48 bits, exponents far from the ends.
  const exact = a * b;
  const r = Math.fround(exact);
  if (exact === 0) return r;
  if (!(Math.abs(exact) >= MIN_NORMAL_32 && Math.abs(r) < Infinity)) return NaN;
  if (r !== exact) words[EXCEPTIONS] = words[EXCEPTIONS]! | IXC;
  return r;
};

export const div32 = (words: Int32Array, a: number, b: number): number => {
  if (!ready32(words, a, b)) return NaN;
  const quotient = a / b;
  const r = Math.fround(quotient);
  if (quotient === 0) return a === 0 ? r : NaN;
  if (!(Math.abs(quotient) > MIN_NORMAL_32 && Math.abs(r) < Infinity)) return NaN;
  if (r * b !== a) words[EXCEPTIONS] = words[EXCEPTIONS]! | IXC;
  return r;
};

export const sqrt32 = (words: Int32Array, a: number): number => {
  if (!ready32(words, a, a) || !(a < Infinity)) return NaN;
  const r = Math.fround(Math.sqrt(a));
  if (r * r !== a && r === r) words[EXCEPTIONS] = words[EXCEPTIONS]! | IXC;
  return r;
};

/** Rounding to odd: where the double `s` lost `error`, its lowest bit says so, and a further rounding to fewer bits comes out right. */
export class OddRounding {
  private readonly value = new Float64Array(1);
  private readonly bits = new Int32Array(this.value.buffer);

  apply(s: number, error: number): number {
    if (error === 0) return s;
    const bits = this.bits;
    this.value[0] = s;
    if ((bits[0]! & 1) !== 0) return s;
    if (error > 0 === s > 0) bits[0] = bits[0]! | 1;
    else {
      if (bits[0] === 0) bits[1] = bits[1]! - 1;
      bits[0] = bits[0]! - 1;
    }
    return this.value[0]!;
  }
}

/** What a + b lost when it was rounded to s (D. E. Knuth's two-sum). */
const sumError = (a: number, b: number, s: number): number => {
  const t = s - a;
  return a - (s - t) + (b - t);
};

/** c + a * b rounded once (S. Boldo, G. Melquiond: Emulation of FMA and correctly rounded sums, 2008). */
export const fma64 = (words: Int32Array, odd: OddRounding, c: number, a: number, b: number): number => {
  const control = words[CONTROL]! & MODE_BITS;
  const uh = a * b;
  const size = Math.abs(uh);
  if (
    control !== 0 &&
    !(control === FPSCR_FZ && Math.abs(a) >= MIN_NORMAL_64 && Math.abs(b) >= MIN_NORMAL_64 && Math.abs(c) >= MIN_NORMAL_64)
  )
    return NaN;
  if (!(size > DEKKER_LEAST && size < DEKKER_MOST && Math.abs(a) < DEKKER_MOST && Math.abs(b) < DEKKER_MOST && Math.abs(c) < DEKKER_MOST))
    return NaN;
  const ul = productError(a, b, uh);
  const th = c + ul;
  const tl = sumError(c, ul, th);
  const vh = uh + th;
  const vl = sumError(uh, th, vh);
  const s = tl + vl;
  const error = sumError(tl, vl, s);
  const z = odd.apply(s, error);
  const r = vh + z;
  if (!(Math.abs(r) > MIN_NORMAL_64 && Math.abs(r) < Infinity)) return NaN;
  if ((words[EXCEPTIONS]! & IXC) === 0 && (error !== 0 || r - vh !== z || r - z !== vh)) words[EXCEPTIONS] = words[EXCEPTIONS]! | IXC;
  return r;
};

export const fma32 = (words: Int32Array, odd: OddRounding, c: number, a: number, b: number): number =>
  ready32(words, a, b) && ready32(words, c, c) ? fmaNearest32(words, odd, c, a, b) : NaN;

/** As `fma32`, for callers that know the rounding mode and that no operand is to be flushed. */
export const fmaNearest32 = (words: Int32Array, odd: OddRounding, c: number, a: number, b: number): number => {
  const product = a * b;
  const s = product + c;
  if (s === 0) return s;
  const error = sumError(product, c, s);
  const r = Math.fround(odd.apply(s, error));
  if (!(Math.abs(s) > MIN_NORMAL_32 && Math.abs(r) < Infinity)) return NaN;
  if (error !== 0 || r !== s) words[EXCEPTIONS] = words[EXCEPTIONS]! | IXC;
  return r;
};

import type { VectorKernel } from '@tablewalk/engine';
import { layout } from '@tablewalk/engine';
import { kernel } from './kernel.js';
import { mulHigh } from './significand.js';

/** Operations on 64-bit lanes, or with 64-bit results, in two words. */

const D0 = layout.D0;
const QC = layout.FPSCR_QC;

/** A 64-bit integer that the functions below work on in place. */
export class Pair {
  high = 0;
  low = 0;

  set(high: number, low: number): void {
    this.high = high | 0;
    this.low = low | 0;
  }
  /** Sign- or zero-extends a 32-bit integer. */
  extend(value: number, unsigned: boolean): void {
    this.low = value | 0;
    this.high = unsigned ? 0 : value >> 31;
  }
  add(high: number, low: number): void {
    const sum = (this.low >>> 0) + (low >>> 0);
    this.low = sum | 0;
    this.high = (this.high + high + (sum > 0xffffffff ? 1 : 0)) | 0;
  }
  negate(): void {
    this.low = -this.low | 0;
    this.high = (~this.high + (this.low === 0 ? 1 : 0)) | 0;
  }
  subtract(high: number, low: number): void {
    this.high = (this.high - high - (this.low >>> 0 < low >>> 0 ? 1 : 0)) | 0;
    this.low = (this.low - low) | 0;
  }
  shiftLeft(n: number): void {
    if (n >= 64) this.set(0, 0);
    else if (n >= 32) this.set(this.low << (n - 32), 0);
    else if (n > 0) this.set((this.high << n) | (this.low >>> (32 - n)), this.low << n);
  }
  shiftRight(n: number, unsigned: boolean): void {
    const fill = unsigned ? 0 : this.high >> 31;
    if (n >= 64) this.set(fill, fill);
    else if (n >= 32) this.set(fill, unsigned ? this.high >>> (n - 32) : this.high >> (n - 32));
    else if (n > 0) this.set(unsigned ? this.high >>> n : this.high >> n, (this.low >>> n) | (this.high << (32 - n)));
  }
  /** Shift right by n >= 1, rounding half up: the last bit shifted out is added. */
  shiftRightRounding(n: number, unsigned: boolean): void {
    this.shiftRight(n - 1, unsigned);
    const carry = this.low & 1;
    this.shiftRight(1, unsigned);
    this.add(0, carry);
  }
  /** Product of two 32-bit integers. */
  multiply(a: number, b: number, unsigned: boolean): void {
    this.low = Math.imul(a, b);
    let high = mulHigh(a >>> 0, b >>> 0);
    if (!unsigned) high = high - (a < 0 ? b : 0) - (b < 0 ? a : 0);
    this.high = high | 0;
  }
  /** this *= 2, saturated; true when it saturated. */
  doubleSaturating(): boolean {
    if (this.high >> 31 !== (this.high << 1) >> 31) {
      this.saturate(this.high < 0);
      return true;
    }
    this.shiftLeft(1);
    return false;
  }
  /** The most negative or most positive signed value. */
  saturate(negative: boolean): void {
    this.high = negative ? 0x80000000 | 0 : 0x7fffffff;
    this.low = negative ? 0 : -1;
  }
}

/** Changes `value`; `other` is the second operand, `accumulator` the old destination. True when the result saturated. */
export type PairLane = (value: Pair, other: Pair, accumulator: Pair, immediate: number) => boolean | void;

/** a += b, saturated. Signed addition overflowed when both operands differ in sign from the sum. */
export const addSaturating64 =
  (unsigned: boolean): PairLane =>
  (a, b) => {
    const high = a.high;
    const low = a.low;
    a.add(b.high, b.low);
    if (unsigned) {
      const carry = a.high >>> 0 < high >>> 0 || (a.high === high && a.low >>> 0 < low >>> 0);
      if (carry) a.set(-1, -1);
      return carry;
    }
    const overflow = ((high ^ a.high) & (b.high ^ a.high)) < 0;
    if (overflow) a.saturate(high < 0);
    return overflow;
  };
/** a -= b, saturated. */
export const subSaturating64 =
  (unsigned: boolean): PairLane =>
  (a, b) => {
    const high = a.high;
    const borrow = a.high >>> 0 < b.high >>> 0 || (a.high === b.high && a.low >>> 0 < b.low >>> 0);
    a.subtract(b.high, b.low);
    if (unsigned) {
      if (borrow) a.set(0, 0);
      return borrow;
    }
    const overflow = ((high ^ b.high) & (high ^ a.high)) < 0;
    if (overflow) a.saturate(high < 0);
    return overflow;
  };

const load = (words: Int32Array, pair: Pair, word: number): void => {
  pair.low = words[word]!;
  pair.high = words[word + 1]!;
};
const store = (words: Int32Array, pair: Pair, word: number): void => {
  words[word] = pair.low;
  words[word + 1] = pair.high;
};

/** 64-bit lanes: d, n, m. */
export const binary64 = (name: string, q: boolean, lane: PairLane): VectorKernel =>
  kernel(q ? `${name}.q` : name, ({ words }) => {
    const a = new Pair();
    const b = new Pair();
    const c = new Pair();
    return (d, n, m) => {
      for (let i = 0; i < (q ? 2 : 1); i++) {
        load(words, a, D0 + 2 * (n + i));
        load(words, b, D0 + 2 * (m + i));
        load(words, c, D0 + 2 * (d + i));
        if (lane(a, b, c, 0) === true) words[QC] = 1;
        store(words, a, D0 + 2 * (d + i));
      }
    };
  });
/** 64-bit lanes: d, m, immediate. */
export const unary64 = (name: string, q: boolean, lane: PairLane): VectorKernel =>
  kernel(q ? `${name}.q` : name, ({ words }) => {
    const a = new Pair();
    const b = new Pair();
    const c = new Pair();
    return (d, m, immediate) => {
      for (let i = 0; i < (q ? 2 : 1); i++) {
        load(words, a, D0 + 2 * (m + i));
        load(words, c, D0 + 2 * (d + i));
        if (lane(a, b, c, immediate) === true) words[QC] = 1;
        store(words, a, D0 + 2 * (d + i));
      }
    };
  });

/** 32-bit lanes into 64-bit ones: Q := D op D (long) or Q := Q op D (wide). The lane function gets the operands extended. */
export const widening64 = (name: string, unsigned: boolean, shape: 'long' | 'wide', lane: PairLane): VectorKernel =>
  kernel(name, ({ words }) => {
    const a = [new Pair(), new Pair()] as const;
    const b = new Pair();
    const c = new Pair();
    return (d, n, m) => {
      for (let i = 0; i < 2; i++) {
        const value = a[i]!;
        if (shape === 'wide') load(words, value, D0 + 2 * (n + i));
        else value.extend(words[D0 + 2 * n + i]!, unsigned);
        b.extend(words[D0 + 2 * m + i]!, unsigned);
        load(words, c, D0 + 2 * (d + i));
        if (lane(value, b, c, 0) === true) words[QC] = 1;
      }
      store(words, a[0], D0 + 2 * d);
      store(words, a[1], D0 + 2 * d + 2);
    };
  });
/** d, m, immediate: 32-bit lanes of m extended and shifted into 64-bit ones. */
export const lengthening64 = (name: string, unsigned: boolean): VectorKernel =>
  kernel(name, ({ words }) => {
    const a = new Pair();
    const b = new Pair();
    return (d, m, amount) => {
      a.extend(words[D0 + 2 * m]!, unsigned);
      b.extend(words[D0 + 2 * m + 1]!, unsigned);
      a.shiftLeft(amount);
      b.shiftLeft(amount);
      store(words, a, D0 + 2 * d);
      store(words, b, D0 + 2 * d + 2);
    };
  });

/** 64-bit lanes of n (and m) into 32-bit ones: the lane function returns the word. */
export type NarrowingPairLane = (words: Int32Array, value: Pair, other: Pair, immediate: number) => number;
export const narrowing64 = (name: string, twoOperands: boolean, lane: NarrowingPairLane): VectorKernel =>
  kernel(name, ({ words }) => {
    const a = new Pair();
    const b = new Pair();
    return (d, n, m) => {
      load(words, a, D0 + 2 * n);
      if (twoOperands) load(words, b, D0 + 2 * m);
      const first = lane(words, a, b, m);
      load(words, a, D0 + 2 * (n + 1));
      if (twoOperands) load(words, b, D0 + 2 * (m + 1));
      words[D0 + 2 * d + 1] = lane(words, a, b, m);
      words[D0 + 2 * d] = first;
    };
  });

/** Pairs of 32-bit lanes added into 64-bit ones, with or without accumulating. */
export const pairwiseLong64 = (name: string, unsigned: boolean, q: boolean, accumulate: boolean): VectorKernel =>
  kernel(q ? `${name}.q` : name, ({ words }) => {
    const a = new Pair();
    const b = new Pair();
    return (d, m) => {
      for (let i = 0; i < (q ? 2 : 1); i++) {
        a.extend(words[D0 + 2 * (m + i)]!, unsigned);
        b.extend(words[D0 + 2 * (m + i) + 1]!, unsigned);
        a.add(b.high, b.low);
        if (accumulate) a.add(words[D0 + 2 * (d + i) + 1]!, words[D0 + 2 * (d + i)]!);
        store(words, a, D0 + 2 * (d + i));
      }
    };
  });

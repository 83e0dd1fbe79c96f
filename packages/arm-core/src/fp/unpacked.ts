/** Classes of a floating-point value. NaNs are the two highest. */
export const ZERO = 0;
export const FINITE = 1;
export const INFINITE = 2;
export const QUIET_NAN = 3;
export const SIGNALLING_NAN = 4;

/**
 * A floating-point value taken apart: (-1)^sign * sig * 2^(exp - 127), where sig is a 128-bit integer, most significant word first, whose bit 127 is set
 * for FINITE values. Wide enough for the exact product of two doubles and for the sum of such a product and a third, with the bits that fall off the
 * end kept as one (`shiftRightJam`). A NaN keeps its fraction with the quiet bit at bit 126, so that payloads move between formats by truncation.
 */
export class Unpacked {
  cls = ZERO;
  sign = 0;
  exp = 0;
  readonly sig = new Uint32Array(4);

  set(cls: number, sign: number): void {
    this.cls = cls;
    this.sign = sign;
  }
  copy(from: Unpacked): void {
    this.cls = from.cls;
    this.sign = from.sign;
    this.exp = from.exp;
    const to = this.sig;
    const s = from.sig;
    to[0] = s[0]!;
    to[1] = s[1]!;
    to[2] = s[2]!;
    to[3] = s[3]!;
  }
  /** Significand := the 64 bits given, at the top. */
  setTop(high: number, low: number): void {
    const s = this.sig;
    s[0] = high;
    s[1] = low;
    s[2] = 0;
    s[3] = 0;
  }
}

/** Shifts right; bit 0 becomes the OR of itself and everything shifted out. */
export const shiftRightJam = (s: Uint32Array, amount: number): void => {
  let n = amount;
  let lost = 0;
  if (n >= 128) {
    lost = s[0]! | s[1]! | s[2]! | s[3]!;
    s[0] = s[1] = s[2] = s[3] = 0;
    n = 0;
  }
  for (; n >= 32; n -= 32) {
    lost |= s[3]!;
    s[3] = s[2]!;
    s[2] = s[1]!;
    s[1] = s[0]!;
    s[0] = 0;
  }
  if (n > 0) {
    const up = 32 - n;
    lost |= s[3]! << up;
    s[3] = (s[3]! >>> n) | (s[2]! << up);
    s[2] = (s[2]! >>> n) | (s[1]! << up);
    s[1] = (s[1]! >>> n) | (s[0]! << up);
    s[0] = s[0]! >>> n;
  }
  if (lost !== 0) s[3] = s[3]! | 1;
};

/** Shifts left until bit 127 is set; the number of places. The value must not be 0. */
export const normalise = (s: Uint32Array): number => {
  let n = 0;
  while (s[0] === 0) {
    s[0] = s[1]!;
    s[1] = s[2]!;
    s[2] = s[3]!;
    s[3] = 0;
    n += 32;
  }
  const left = Math.clz32(s[0]!);
  if (left > 0) {
    const down = 32 - left;
    s[0] = (s[0]! << left) | (s[1]! >>> down);
    s[1] = (s[1]! << left) | (s[2]! >>> down);
    s[2] = (s[2]! << left) | (s[3]! >>> down);
    s[3] = s[3]! << left;
  }
  return n + left;
};

export const compareSig = (a: Uint32Array, b: Uint32Array): number => {
  for (let i = 0; i < 4; i++) {
    const difference = a[i]! - b[i]!;
    if (difference !== 0) return difference;
  }
  return 0;
};

/** a += b (modulo 2^128). */
export const addSig = (a: Uint32Array, b: Uint32Array): void => {
  let carry = 0;
  for (let i = 3; i >= 0; i--) {
    const sum = a[i]! + b[i]! + carry;
    a[i] = sum;
    carry = sum > 0xffffffff ? 1 : 0;
  }
};

/** a -= b (modulo 2^128). */
export const subSig = (a: Uint32Array, b: Uint32Array): void => {
  let borrow = 0;
  for (let i = 3; i >= 0; i--) {
    const difference = a[i]! - b[i]! - borrow;
    a[i] = difference;
    borrow = difference < 0 ? 1 : 0;
  }
};

/** High 32 bits of the unsigned 64-bit product. */
export const mulHigh = (a: number, b: number): number => {
  const al = a & 0xffff;
  const ah = a >>> 16;
  const bl = b & 0xffff;
  const bh = b >>> 16;
  const middle = ah * bl + ((al * bl) >>> 16);
  const cross = al * bh + (middle % 0x10000);
  return (ah * bh + Math.floor(middle / 0x10000) + Math.floor(cross / 0x10000)) >>> 0;
};

/** r := product of the upper 64 bits of a and of b, exactly 128 bits. */
export const mulTop = (r: Uint32Array, a: Uint32Array, b: Uint32Array): void => {
  const a0 = a[0]!;
  const a1 = a[1]!;
  const b0 = b[0]!;
  const b1 = b[1]!;
  const low = Math.imul(a1, b1) >>> 0;
  let w2 = mulHigh(a1, b1) + (Math.imul(a0, b1) >>> 0) + (Math.imul(a1, b0) >>> 0);
  let w1 = mulHigh(a0, b1) + mulHigh(a1, b0) + (Math.imul(a0, b0) >>> 0) + Math.floor(w2 / 0x100000000);
  w2 %= 0x100000000;
  const w0 = mulHigh(a0, b0) + Math.floor(w1 / 0x100000000);
  w1 %= 0x100000000;
  r[0] = w0;
  r[1] = w1;
  r[2] = w2;
  r[3] = low;
};

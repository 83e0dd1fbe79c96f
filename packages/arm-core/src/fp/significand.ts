/** Arithmetic of 128-bit significands (`Unpacked.sig`: four words, the most significant first), in place and without allocating. */

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

/** q := n / d, 64 bits at the top of q and the OR of the rest as its bit 0. Both operands have bit 127 set; they are destroyed. */
export const divideSig = (q: Uint32Array, n: Uint32Array, d: Uint32Array): void => {
  // Long division of significands shifted down by one; the remainder becomes the lowest bit.
  shiftRightJam(n, 1);
  shiftRightJam(d, 1);
  let q0 = 0;
  let q1 = 0;
  for (let i = 0; i < 64; i++) {
    q0 = (q0 << 1) | (q1 >>> 31);
    q1 <<= 1;
    if (compareSig(n, d) >= 0) {
      subSig(n, d);
      q1 |= 1;
    }
    addSig(n, n);
  }
  q[0] = q0;
  q[1] = q1;
  q[2] = 0;
  q[3] = (n[0]! | n[1]! | n[2]! | n[3]!) !== 0 ? 1 : 0;
};

/**
 * q := square root of a radicand in [1, 4), two of its bits being integer: 60 bits, one of them integer, at the top of q and the OR of the rest as its
 * bit 0. The radicand is destroyed; `remainder` and `trial` are scratch space.
 */
export const rootSig = (q: Uint32Array, radicand: Uint32Array, remainder: Uint32Array, trial: Uint32Array): void => {
  // Root bit by bit, the remainder kept below 2^66 in 128 bits.
  remainder.fill(0);
  let q0 = 0;
  let q1 = 0;
  for (let i = 0; i < 60; i++) {
    // remainder = remainder * 4 + next two bits
    for (let k = 0; k < 2; k++) {
      addSig(remainder, remainder);
      remainder[3] = remainder[3]! | (radicand[0]! >>> 31);
      addSig(radicand, radicand);
    }
    // trial = root * 4 + 1
    trial[0] = 0;
    trial[1] = q0 >>> 30;
    trial[2] = (q0 << 2) | (q1 >>> 30);
    trial[3] = (q1 << 2) | 1;
    q0 = (q0 << 1) | (q1 >>> 31);
    q1 <<= 1;
    if (compareSig(remainder, trial) >= 0) {
      subSig(remainder, trial);
      q1 |= 1;
    }
  }
  q[0] = (q0 << 4) | (q1 >>> 28);
  q[1] = q1 << 4;
  q[2] = 0;
  q[3] = (remainder[0]! | remainder[1]! | remainder[2]! | remainder[3]!) !== 0 ? 1 : 0;
};

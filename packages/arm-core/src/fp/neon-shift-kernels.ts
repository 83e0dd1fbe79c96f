import type { BySign, MakeLane } from './neon-kernel-sets.js';
import { clamp, lanewise, least, most, unary } from './neon-kernel-sets.js';
import type { Pair, PairLane } from './neon-wide64.js';

/** Shifts of lanes by registers and by immediates (ARM DDI 0406C, A7.4.1, A7.4.4), those that change the width aside. */

const shiftedLeft = (value: number, amount: number): number => value * 2 ** amount;
export const shiftedRight = (value: number, amount: number, rounding: boolean): number => {
  // Beyond 40 places nothing but the sign is left, and halves are no longer representable beside the value.
  if (amount > 40) return rounding || value >= 0 ? 0 : -1;
  return Math.floor((value + (rounding ? 2 ** (amount - 1) : 0)) / 2 ** amount);
};
/** Amounts of register shifts are the low byte of the lane, signed: negative is to the right. */
const byRegister =
  (rounding: boolean, saturating: boolean): MakeLane =>
  (size, unsigned) =>
  (words) => {
    const bits = 8 << size;
    const low = least(size, unsigned);
    const high = most(size, unsigned);
    return (value, shift) => {
      const amount = (shift << 24) >> 24;
      if (amount < 0) return shiftedRight(value, -amount, rounding);
      if (saturating) return clamp(words, shiftedLeft(value, Math.min(amount, 64)), low, high);
      return amount >= bits ? 0 : value << amount;
    };
  };
const leftSaturating64 = (a: Pair, amount: number, unsigned: boolean): boolean => {
  const high = a.high;
  const low = a.low;
  a.shiftLeft(amount);
  const backHigh = a.high;
  const backLow = a.low;
  if (amount < 64) a.shiftRight(amount, unsigned);
  else a.set(0, 0);
  const lost = a.high !== high || a.low !== low;
  if (!lost) a.set(backHigh, backLow);
  else if (unsigned) a.set(-1, -1);
  else a.saturate(high < 0);
  return lost;
};
const byRegister64 =
  (rounding: boolean, saturating: boolean) =>
  (unsigned: boolean): PairLane =>
  (a, b) => {
    const amount = (b.low << 24) >> 24;
    if (amount < 0) {
      if (rounding) a.shiftRightRounding(-amount, unsigned);
      else a.shiftRight(-amount, unsigned);
    } else if (saturating) return leftSaturating64(a, amount, unsigned);
    else a.shiftLeft(amount);
    return false;
  };
/** Immediates d, value register, shift register. */
export const vshlReg = lanewise('vshl', byRegister(false, false), byRegister64(false, false));
export const vrshlReg = lanewise('vrshl', byRegister(true, false), byRegister64(true, false));
export const vqshlReg = lanewise('vqshl', byRegister(false, true), byRegister64(false, true));
export const vqrshlReg = lanewise('vqrshl', byRegister(true, true), byRegister64(true, true));

/** Shifts by an immediate: d, m, amount. */
const rightImmediate = (name: string, rounding: boolean, accumulate: boolean): BySign =>
  unary(
    name,
    () => () => (value, amount, accumulator) => shiftedRight(value, amount, rounding) + (accumulate ? accumulator : 0),
    (unsigned) => (a, _, c, amount) => {
      if (rounding) a.shiftRightRounding(amount, unsigned);
      else a.shiftRight(amount, unsigned);
      if (accumulate) a.add(c.high, c.low);
    },
  );
export const vshr = rightImmediate('vshr', false, false);
export const vsra = rightImmediate('vsra', false, true);
export const vrshr = rightImmediate('vrshr', true, false);
export const vrsra = rightImmediate('vrsra', true, true);
export const vshlImm = unary(
  'vshl.imm',
  () => () => (value, amount) => value << amount,
  () => (a, _, __, amount) => a.shiftLeft(amount),
)[1];
export const vsli = unary(
  'vsli',
  () => () => (value, amount, old) => (value << amount) | (old & ((1 << amount) - 1)),
  () => (a, b, c, amount) => {
    a.shiftLeft(amount);
    b.set(-1, -1);
    b.shiftLeft(amount);
    a.set(a.high | (c.high & ~b.high), a.low | (c.low & ~b.low));
  },
)[1];
export const vsri = unary(
  'vsri',
  (size) => () => (value, amount, old) => {
    const mask = amount >= 32 ? 0 : most(size, true) >>> amount;
    return ((amount >= 32 ? 0 : value >>> amount) & mask) | (old & ~mask);
  },
  () => (a, b, c, amount) => {
    a.shiftRight(amount, true);
    b.set(-1, -1);
    b.shiftRight(amount, true);
    a.set(a.high | (c.high & ~b.high), a.low | (c.low & ~b.low));
  },
)[1];
export const vqshlImm = unary(
  'vqshl.imm',
  (size, unsigned) => (words) => (value, amount) => clamp(words, shiftedLeft(value, amount), least(size, unsigned), most(size, unsigned)),
  (unsigned) => (a, _, __, amount) => leftSaturating64(a, amount, unsigned),
);
/** Signed operand, unsigned result. */
export const vqshlu = unary(
  'vqshlu',
  (size) => (words) => (value, amount) => clamp(words, shiftedLeft(value, amount), 0, most(size, true)),
  () => (a, _, __, amount) => {
    if (a.high < 0) {
      a.set(0, 0);
      return true;
    }
    return leftSaturating64(a, amount, true);
  },
)[0];

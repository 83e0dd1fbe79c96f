import type { InlineVector, Lanes, VectorKernel } from '@tablewalk/engine';
import { inlineLanes, simd } from '@tablewalk/engine';
import * as arithmetic from '../fp/neon-arithmetic-kernels.js';
import type { BySign, BySize } from '../fp/neon-kernel-sets.js';
import * as shifts from '../fp/neon-shift-kernels.js';
import * as widths from '../fp/neon-width-kernels.js';
import { halves, moveInlines } from './neon-move-inlines.js';

/*
 * Integer Advanced SIMD kernels that the translator writes out, as vector instructions of WebAssembly. D registers are vectors whose upper half is 0 and
 * not stored.
 */

type Entry = readonly [VectorKernel, InlineVector];
/** Pushes the result for registers d, n and m. */
type Value = (k: Lanes, d: number, n: number, m: number) => void;
/** Pushes the result for operands in locals. */
type Binary = (k: Lanes, a: number, b: number) => void;

/** D and Q forms by size, where `make` has a way. */
const bySize = (kernels: BySize, make: (size: number) => Value | undefined): readonly Entry[] =>
  kernels.flatMap((sizes, q) =>
    sizes.flatMap((kernel, size): readonly Entry[] => {
      const value = make(size);
      return value === undefined ? [] : [[kernel, inlineLanes(q === 1, value)]];
    }),
  );
const bySign = (kernels: BySign, make: (size: number, sign: 0 | 1) => Value | undefined): readonly Entry[] => [
  ...bySize(kernels[0], (size) => make(size, 0)),
  ...bySize(kernels[1], (size) => make(size, 1)),
];
const two =
  (binary: Binary): Value =>
  (k, _, n, m) =>
    binary(k, k.read(n), k.read(m));
const opcode = (code: number | undefined): Value | undefined =>
  code === undefined || code < 0 ? undefined : two((k, a, b) => k.of(code, a, b));
const unary =
  (code: number): Value =>
  (k, _, m) => {
    k.push(m);
    k.op(code);
  };
/** The same added to the destination, or taken from it. */
const accumulating =
  (value: Value, code: number): Value =>
  (k, d, n, m) => {
    k.push(d);
    value(k, d, n, m);
    k.op(code);
  };

/** Halves of sums and differences, of which the bit that is lost counts. */
const halving = (size: number, sign: 0 | 1, kind: 'add' | 'round' | 'subtract'): Value | undefined => {
  if (kind === 'round' && sign === 1 && size < 2) return opcode(size === 0 ? 123 : 155);
  const half = simd.SHR[sign][size]!;
  return two((k, a, b) => {
    if (kind === 'subtract') {
      // a / 2 - b / 2, less 1 where only b was odd.
      for (const operand of [a, b]) {
        k.get(operand);
        k.shift(half, 1);
      }
      k.op(simd.SUB[size]!);
      k.of(simd.AND_NOT, b, a);
      k.splat(size, 1n);
      k.op(simd.AND);
      k.op(simd.SUB[size]!);
      return;
    }
    k.of(kind === 'round' ? simd.OR : simd.AND, a, b);
    k.of(simd.XOR, a, b);
    k.shift(half, 1);
    k.op(kind === 'round' ? simd.SUB[size]! : simd.ADD[size]!);
  });
};

/** There is no product of bytes: the even and the odd ones as halfwords. */
const product = (size: number): Binary => {
  if (size > 0) return (k, a, b) => k.of(simd.MUL[size]!, a, b);
  return (k, a, b) => {
    k.of(simd.MUL[1], a, b);
    k.splat(1, 0xffn);
    k.op(simd.AND);
    for (const operand of [a, b]) {
      k.get(operand);
      k.shift(simd.SHR[1][1], 8);
    }
    k.op(simd.MUL[1]);
    k.shift(simd.SHL[1], 8);
    k.op(simd.OR);
  };
};

const difference =
  (size: number, sign: 0 | 1): Binary =>
  (k, a, b) => {
    k.of(simd.MAX[sign][size]!, a, b);
    k.of(simd.MIN[sign][size]!, a, b);
    k.op(simd.SUB[size]!);
  };

const saturating = (size: number, saturated: number | undefined, plain: number): Value | undefined => {
  if (saturated === undefined || size > 1) return undefined;
  return two((k, a, b) => {
    k.of(saturated, a, b);
    const r = k.keep();
    k.of(plain, a, b);
    k.saturated(r, k.keep());
    k.get(r);
  });
};

const compareWithZero =
  (code: number): Value =>
  (k, _, m) => {
    k.push(m);
    k.zero();
    k.op(code);
  };

const sameWidth: readonly Entry[] = [
  ...bySign(arithmetic.vhadd, (size, sign) => halving(size, sign, 'add')),
  ...bySign(arithmetic.vrhadd, (size, sign) => halving(size, sign, 'round')),
  ...bySign(arithmetic.vhsub, (size, sign) => halving(size, sign, 'subtract')),
  ...bySign(arithmetic.vcgt, (size, sign) => opcode(simd.GT[sign][size])),
  ...bySign(arithmetic.vcge, (size, sign) => opcode(simd.GE[sign][size])),
  ...bySign(arithmetic.vmax, (size, sign) => opcode(simd.MAX[sign][size])),
  ...bySign(arithmetic.vmin, (size, sign) => opcode(simd.MIN[sign][size])),
  ...bySign(arithmetic.vabd, (size, sign) => two(difference(size, sign))),
  ...bySign(arithmetic.vaba, (size, sign) => accumulating(two(difference(size, sign)), simd.ADD[size]!)),
  ...bySize(arithmetic.vtst, (size) =>
    two((k, a, b) => {
      k.of(simd.AND, a, b);
      k.zero();
      k.op(simd.NE[size]!);
    }),
  ),
  ...bySize(arithmetic.vmul, (size) => two(product(size))),
  ...bySize(arithmetic.vmla, (size) => accumulating(two(product(size)), simd.ADD[size]!)),
  ...bySize(arithmetic.vmls, (size) => accumulating(two(product(size)), simd.SUB[size]!)),
  ...bySize(arithmetic.vadd, (size) => opcode(simd.ADD[size])),
  ...bySize(arithmetic.vsub, (size) => opcode(simd.SUB[size])),
  ...bySize(arithmetic.vceq, (size) => opcode(simd.EQ[size])),
  ...bySign(arithmetic.vqadd, (size, sign) => saturating(size, simd.ADD_SATURATING[sign][size], simd.ADD[size]!)),
  ...bySign(arithmetic.vqsub, (size, sign) => saturating(size, simd.SUB_SATURATING[sign][size], simd.SUB[size]!)),
  ...bySize(arithmetic.vabs, (size) => unary(simd.ABS[size]!)),
  ...bySize(arithmetic.vneg, (size) => unary(simd.NEG[size]!)),
  ...bySize(arithmetic.vcnt, (size) => (size === 0 ? unary(simd.POPCNT) : undefined)),
  ...bySize(arithmetic.vcgtZero, (size) => compareWithZero(simd.GT[0][size]!)),
  ...bySize(arithmetic.vcgeZero, (size) => compareWithZero(simd.GE[0][size]!)),
  ...bySize(arithmetic.vceqZero, (size) => compareWithZero(simd.EQ[size]!)),
  ...bySize(arithmetic.vcleZero, (size) => compareWithZero(simd.LE_S[size]!)),
  ...bySize(arithmetic.vcltZero, (size) => compareWithZero(simd.LT_S[size]!)),
];

/** Shift to the right by up to the width of a lane, with or without rounding, of the vector in a local. */
const shiftedRight = (k: Lanes, value: number, size: number, sign: 0 | 1, amount: number, rounding: boolean): void => {
  const bits = 8 << size;
  const code = simd.SHR[sign][size]!;
  if (amount < bits) {
    k.get(value);
    k.shift(code, amount);
  } else if (sign === 1) k.zero();
  else {
    k.get(value);
    k.shift(code, bits - 1);
  }
  if (!rounding || amount === 0) return;
  k.get(value);
  k.shift(code, amount - 1);
  k.splat(size, 1n);
  k.op(simd.AND);
  k.op(simd.ADD[size]!);
};
const rightImmediate =
  (rounding: boolean, accumulate: boolean) =>
  (size: number, sign: 0 | 1): Value => {
    const value: Value = (k, _, m, amount) => shiftedRight(k, k.read(m), size, sign, amount, rounding);
    return accumulate ? accumulating(value, simd.ADD[size]!) : value;
  };
const ones = (size: number): bigint => (1n << BigInt(8 << size)) - 1n;
/** Shifted bits go into the destination, whose others stay. */
const inserting =
  (left: boolean) =>
  (size: number): Value =>
  (k, d, m, amount) => {
    const bits = 8 << size;
    if (amount === bits) {
      k.push(d);
      return;
    }
    k.push(m);
    k.shift(left ? simd.SHL[size]! : simd.SHR[1][size]!, amount);
    k.push(d);
    k.splat(size, left ? (ones(size) << BigInt(amount)) & ones(size) : ones(size) >> BigInt(amount));
    k.op(simd.BITSELECT);
  };

const shiftsByImmediate: readonly Entry[] = [
  ...bySign(shifts.vshr, rightImmediate(false, false)),
  ...bySign(shifts.vsra, rightImmediate(false, true)),
  ...bySign(shifts.vrshr, rightImmediate(true, false)),
  ...bySign(shifts.vrsra, rightImmediate(true, true)),
  ...bySize(shifts.vshlImm, (size) => (k, _, m, amount) => {
    k.push(m);
    k.shift(simd.SHL[size]!, amount);
  }),
  ...bySize(shifts.vsli, inserting(true)),
  ...bySize(shifts.vsri, inserting(false)),
];

/* Widening: Q := D op D, Q := Q op D. */

const widened = (k: Lanes, n: number, size: number, sign: 0 | 1): void => {
  k.push(n, false);
  k.op(simd.EXTEND_LOW[sign][size]!);
};
const wide = (kernels: readonly (readonly VectorKernel[])[], make: (size: number, sign: 0 | 1) => Value): readonly Entry[] =>
  kernels.flatMap((sizes, sign) => sizes.map((kernel, size): Entry => [kernel, inlineLanes(true, make(size, sign as 0 | 1))]));
const long =
  (code: (size: number) => number) =>
  (size: number, sign: 0 | 1): Value =>
  (k, _, n, m) => {
    widened(k, n, size, sign);
    widened(k, m, size, sign);
    k.op(code(size));
  };
const wideAndNarrow =
  (code: (size: number) => number) =>
  (size: number, sign: 0 | 1): Value =>
  (k, _, n, m) => {
    k.push(n);
    widened(k, m, size, sign);
    k.op(code(size));
  };
const longProduct =
  (size: number, sign: 0 | 1): Value =>
  (k, _, n, m) => {
    k.push(n, false);
    k.push(m, false);
    k.op(simd.EXTENDED_PRODUCT_LOW[sign][size]!);
  };
const longDifference =
  (size: number, sign: 0 | 1): Value =>
  (k, d, n, m) => {
    long((s) => simd.SUB[s + 1]!)(size, sign)(k, d, n, m);
    k.op(simd.ABS[size + 1]!);
  };
const addWide = (size: number): number => simd.ADD[size + 1]!;
const subWide = (size: number): number => simd.SUB[size + 1]!;

/** Neighbours added into lanes twice as wide. */
const pairwiseLong =
  (accumulate: boolean) =>
  (size: number, sign: 0 | 1): Value => {
    const value: Value = (k, _, m) => {
      if (size < 2) {
        k.push(m);
        k.op(simd.PAIRWISE_LONG[sign][size]!);
        return;
      }
      const words = k.read(m);
      k.get(words);
      k.shift(simd.SHL[3], 32);
      k.shift(simd.SHR[sign][3], 32);
      k.get(words);
      k.shift(simd.SHR[sign][3], 32);
      k.op(simd.ADD[3]);
    };
    return accumulate ? accumulating(value, simd.ADD[size + 1]!) : value;
  };

const widening: readonly Entry[] = [
  ...wide(widths.vaddl, long(addWide)),
  ...wide(widths.vsubl, long(subWide)),
  ...wide(widths.vaddw, wideAndNarrow(addWide)),
  ...wide(widths.vsubw, wideAndNarrow(subWide)),
  ...wide(widths.vabdl, longDifference),
  ...wide(widths.vabal, (size, sign) => accumulating(longDifference(size, sign), addWide(size))),
  ...wide(widths.vmull, longProduct),
  ...wide(widths.vmlal, (size, sign) => accumulating(longProduct(size, sign), addWide(size))),
  ...wide(widths.vmlsl, (size, sign) => accumulating(longProduct(size, sign), subWide(size))),
  ...wide(widths.vshll, (size, sign) => (k, _, m, amount) => {
    widened(k, m, size, sign);
    k.shift(simd.SHL[size + 1]!, amount);
  }),
  ...bySign(widths.vpaddl, pairwiseLong(false)),
  ...bySign(widths.vpadal, pairwiseLong(true)),
];

/* Narrowing: D := Q. */

const takeHalves = (k: Lanes, size: number, high: boolean): void => {
  k.zero();
  k.w.shuffle([...halves(size, high), 16, 16, 16, 16, 16, 16, 16, 16]);
};
const narrow = (kernels: readonly VectorKernel[], make: (size: number) => Value | undefined): readonly Entry[] =>
  kernels.flatMap((kernel, size): readonly Entry[] => {
    const value = make(size);
    return value === undefined ? [] : [[kernel, inlineLanes(true, value, false)]];
  });
const highNarrow =
  (code: (size: number) => number, rounding: boolean) =>
  (size: number): Value =>
  (k, _, n, m) => {
    k.push(n);
    k.push(m);
    k.op(code(size));
    if (rounding) {
      k.splat(size + 1, 1n << BigInt((8 << size) - 1));
      k.op(simd.ADD[size + 1]!);
    }
    takeHalves(k, size, true);
  };
const shiftNarrow =
  (rounding: boolean) =>
  (size: number): Value =>
  (k, _, m, amount) => {
    shiftedRight(k, k.read(m), size + 1, 1, amount, rounding);
    takeHalves(k, size, false);
  };
/** Saturated from lanes of `from` to lanes of `to` (0: signed), for results of 8 and 16 bits. */
const saturatingNarrow =
  (from: 0 | 1, to: 0 | 1, rounding: boolean) =>
  (size: number): Value | undefined => {
    if (size > 1) return undefined;
    return (k, _, m, amount) => {
      shiftedRight(k, k.read(m), size + 1, from, amount, rounding);
      const value = k.keep();
      k.get(value);
      if (from === 1) {
        // The instruction takes its operand as signed.
        k.splat(size + 1, ones(size));
        k.op(simd.MIN[1][size + 1]!);
      }
      const bounded = k.keep();
      k.of(simd.NARROW[to][size]!, bounded, bounded);
      const r = k.keep();
      k.get(r);
      k.op(simd.EXTEND_LOW[to][size]!);
      k.saturated(k.keep(), value);
      k.get(r);
    };
  };

const narrowing: readonly Entry[] = [
  ...narrow(widths.vaddhn, highNarrow(addWide, false)),
  ...narrow(widths.vraddhn, highNarrow(addWide, true)),
  ...narrow(widths.vsubhn, highNarrow(subWide, false)),
  ...narrow(widths.vrsubhn, highNarrow(subWide, true)),
  ...narrow(widths.vmovn, shiftNarrow(false)),
  ...narrow(widths.vrshrn, shiftNarrow(true)),
  ...narrow(widths.vqshrn[0], saturatingNarrow(0, 0, false)),
  ...narrow(widths.vqshrn[1], saturatingNarrow(1, 1, false)),
  ...narrow(widths.vqrshrn[0], saturatingNarrow(0, 0, true)),
  ...narrow(widths.vqrshrn[1], saturatingNarrow(1, 1, true)),
  ...narrow(widths.vqshrun, saturatingNarrow(0, 1, false)),
  ...narrow(widths.vqrshrun, saturatingNarrow(0, 1, true)),
];

export const neonInlines: readonly Entry[] = [...sameWidth, ...shiftsByImmediate, ...widening, ...narrowing, ...moveInlines];

import type { InlineVector, Lanes, VectorKernel } from '@tablewalk/engine';
import { inlineLanes, inlineWork, simd } from '@tablewalk/engine';
import * as arithmetic from '../fp/neon-arithmetic-kernels.js';
import type { BySign, BySize } from '../fp/neon-kernel-sets.js';
import * as permute from '../fp/neon-permute-kernels.js';
import * as shifts from '../fp/neon-shift-kernels.js';
import * as widths from '../fp/neon-width-kernels.js';

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

/** Bytes of the low (or high) halves of the wide lanes of a vector; `size` is the narrow one's. */
const halves = (size: number, high: boolean): readonly number[] =>
  Array.from({ length: 8 }, (_, i) => {
    const lane = i >> size;
    return (lane << (size + 1)) + (high ? 1 << size : 0) + (i & ((1 << size) - 1));
  });
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

/* Bytes moved about. */

const bytes = (from: (i: number) => number): readonly number[] => Array.from({ length: 16 }, (_, i) => from(i));
/** d := even and odd lanes of n, then of m, combined: D registers only. */
const pairwise =
  (size: number, code: number): Value =>
  (k, _, n, m) => {
    const a = k.read(n);
    const b = k.read(m);
    for (const odd of [false, true]) {
      k.get(a, b);
      const lanes = halves(size, odd);
      k.w.shuffle([...lanes.slice(0, 4), ...lanes.slice(0, 4).map((byte) => byte + 16), ...lanes.slice(0, 8)]);
    }
    k.op(code);
  };
const pairwiseEntries = (kernels: readonly VectorKernel[], code: (size: number) => number): readonly Entry[] =>
  kernels.map((kernel, size): Entry => [kernel, inlineLanes(false, pairwise(size, code(size)))]);

/** Two registers rearranged in place: `source(i, count)` is where element i of d:m comes from. */
const rearrange = (kernels: readonly (readonly VectorKernel[])[], source: (i: number, count: number) => number): readonly Entry[] =>
  kernels.flatMap((sizes, q) =>
    sizes.map((kernel, size): Entry => {
      const width = q === 1 ? 16 : 8;
      const from = (byte: number): number => {
        const at = (source(byte >> size, width >> size) << size) | (byte & ((1 << size) - 1));
        return at < width ? at : at - width + 16;
      };
      return [
        kernel,
        inlineWork(q === 1, (k, d, m) => {
          const a = k.read(d);
          const b = k.read(m);
          const [first, second] = [0, width].map((start) => {
            k.get(a, b);
            k.w.shuffle(bytes((i) => (i < width ? from(start + i) : 0)));
            return k.keep();
          });
          k.write(d, first!);
          k.write(m, second!);
        }),
      ];
    }),
  );

/** Structures in the temporaries: byte `at` of them is this byte of element `k` of register `r`. */
const structures = (kernels: readonly (readonly VectorKernel[])[], load: boolean): readonly Entry[] =>
  kernels.flatMap((sizes, index) =>
    sizes.slice(0, 2).map((kernel, size): Entry => {
      const n = index + 2;
      /** Where byte i of the kth register is among the 8 n bytes. */
      const place = (k: number, i: number): number => (((i >> size) * n + k) << size) | (i & ((1 << size) - 1));
      return [
        kernel,
        inlineWork(true, (k, d, step, registers) => {
          for (let r = 0; r < registers; r++) {
            const at = 32 + r * n;
            const register = (j: number): number => (d + r + j * step) & 31;
            if (load) {
              const low = k.read(at);
              const high = n > 2 ? k.read(at + 2) : low;
              const results = Array.from({ length: n }, (_, j) => {
                k.get(low, high);
                k.w.shuffle(bytes((i) => (i < 8 ? place(j, i) : 0)));
                return k.keep();
              });
              results.forEach((value, j) => k.write(register(j), value, false));
              continue;
            }
            const pair = (j: number): number => {
              if (j >= n) return k.read(register(j - 2), false);
              k.push(register(j), false);
              const first = k.keep();
              if (j + 1 >= n) return first;
              k.push(register(j + 1), false);
              const second = k.keep();
              k.get(first, second);
              k.w.shuffle(bytes((i) => (i < 8 ? i : i + 8)));
              return k.keep();
            };
            const low = pair(0);
            const high = n > 2 ? pair(2) : low;
            /** Which byte of low:high is byte `to` of the structures. */
            const source = (to: number): number => {
              const element = to >> size;
              return (element % n) * 8 + ((Math.floor(element / n) << size) | (to & ((1 << size) - 1)));
            };
            for (let half = 0; half < n; half += 2) {
              k.get(low, high);
              k.w.shuffle(bytes((i) => (half * 8 + i < 8 * n ? source(half * 8 + i) : 0)));
              const value = k.keep();
              k.write(at + half, value, half + 1 < n);
            }
          }
        }),
      ];
    }),
  );

const table = (length: number): InlineVector =>
  inlineLanes(false, (k, d, n, options) => {
    const index = k.read(options & 0xff);
    const extend = options >> 8 === 1;
    const part = (first: number, count: number): void => {
      k.push(n + first, count > 1);
      k.get(index);
      if (first > 0) {
        k.splat(0, BigInt(8 * first));
        k.op(simd.SUB[0]);
      }
      k.op(simd.SWIZZLE);
    };
    part(0, length);
    if (length > 2) {
      part(2, length - 2);
      k.op(simd.OR);
    }
    if (!extend) return;
    k.push(d);
    k.get(index);
    k.splat(0, BigInt(8 * length));
    k.op(simd.GE[1][0]);
    k.op(simd.NOT);
    k.op(simd.BITSELECT);
  });

const moving: readonly Entry[] = [
  ...pairwiseEntries(arithmetic.vpadd, (size) => simd.ADD[size]!),
  ...([0, 1] as const).flatMap((sign) => [
    ...pairwiseEntries(arithmetic.vpmax[sign]!, (size) => simd.MAX[sign][size]!),
    ...pairwiseEntries(arithmetic.vpmin[sign]!, (size) => simd.MIN[sign][size]!),
  ]),
  ...permute.vext.map(
    (kernel, q): Entry => [
      kernel,
      inlineLanes(q === 1, (k, _, n, options) => {
        k.push(n);
        k.push(options & 0xff);
        const width = q === 1 ? 16 : 8;
        k.w.shuffle(bytes((i) => (i < width ? ((at) => (at < width ? at : at - width + 16))((options >> 8) + i) : 0)));
      }),
    ],
  ),
  ...permute.vrev.map(
    (kernel, q): Entry => [
      kernel,
      inlineLanes(q === 1, (k, _, m, distance) => {
        k.push(m);
        k.zero();
        k.w.shuffle(bytes((i) => i ^ distance));
      }),
    ],
  ),
  ...rearrange(permute.vtrn, (i, count) => (i < count ? (i & 1 ? count + i - 1 : i) : i & 1 ? i : i - count + 1)),
  ...rearrange(permute.vuzp, (i, count) => (i < count ? 2 * i : 2 * (i - count) + 1)),
  ...rearrange(permute.vzip, (i, count) => (i & 1 ? count + (i >> 1) : i >> 1)),
  ...permute.vtbl.map((kernel, i): Entry => [kernel, table(i + 1)]),
  ...structures(permute.deinterleave, true),
  ...structures(permute.interleave, false),
];

export const neonInlines: readonly Entry[] = [...sameWidth, ...shiftsByImmediate, ...widening, ...narrowing, ...moving];

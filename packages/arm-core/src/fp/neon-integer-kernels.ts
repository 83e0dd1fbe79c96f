import type { VectorKernel } from '@tablewalk/engine';
import { layout } from '@tablewalk/engine';
import type { BinaryLane, WideShape } from './neon-lanes.js';
import {
  binaryLanes,
  kernel,
  narrowingLanes,
  narrowingShiftLanes,
  pairLanes,
  pairwiseLongLanes,
  unaryLanes,
  wideningLanes,
} from './neon-lanes.js';
import type { PairLane } from './neon-wide64.js';
import { binary64, lengthening64, narrowing64, Pair, pairwiseLong64, unary64, widening64 } from './neon-wide64.js';

/** Integer Advanced SIMD (ARM DDI 0406C, A7.4, A8.8): kernels by operation, element size and register width. */

const QC = layout.FPSCR_QC;
const D0 = layout.D0;

/** Kernels of one operation: by Q, then by size (0: 8 bits, 3: 64). */
export type BySize = readonly [readonly VectorKernel[], readonly VectorKernel[]];
/** The same twice: signed, unsigned. */
export type BySign = readonly [BySize, BySize];

const typeName = (unsigned: boolean | undefined, size: number): string =>
  `${unsigned === undefined ? 'i' : unsigned ? 'u' : 's'}${8 << size}`;
const least = (size: number, unsigned: boolean): number => (unsigned ? 0 : -(2 ** ((8 << size) - 1)));
const most = (size: number, unsigned: boolean): number => 2 ** ((8 << size) - (unsigned ? 0 : 1)) - 1;

/** Clamps and records saturation. */
const clamp = (words: Int32Array, value: number, low: number, high: number): number => {
  if (value >= low && value <= high) return value;
  words[QC] = 1;
  return value < low ? low : high;
};

type MakeLane = (size: number, unsigned: boolean) => BinaryLane;
const sized = (build: (q: boolean, size: number) => VectorKernel, sizes: readonly number[]): BySize => [
  sizes.map((size) => build(false, size)),
  sizes.map((size) => build(true, size)),
];
const three = [0, 1, 2] as const;
const four = [0, 1, 2, 3] as const;

const lanewise = (name: string, make: MakeLane, wide?: (unsigned: boolean) => PairLane): BySign => {
  const of = (unsigned: boolean): BySize =>
    sized(
      (q, size) =>
        size === 3
          ? binary64(`${name}.${typeName(unsigned, 3)}`, q, wide!(unsigned))
          : binaryLanes(`${name}.${typeName(unsigned, size)}`, size, unsigned, q, make(size, unsigned)),
      wide === undefined ? three : four,
    );
  return [of(false), of(true)];
};
const signless = (name: string, make: (size: number) => BinaryLane, unsigned = false): BySize =>
  sized((q, size) => binaryLanes(`${name}.i${8 << size}`, size, unsigned, q, make(size)), three);
const plain =
  (lane: (a: number, b: number, accumulator: number) => number): (() => BinaryLane) =>
  () =>
  () =>
    lane;

export const vhadd = lanewise(
  'vhadd',
  plain((a, b) => Math.floor((a + b) / 2)),
);
export const vrhadd = lanewise(
  'vrhadd',
  plain((a, b) => Math.floor((a + b + 1) / 2)),
);
export const vhsub = lanewise(
  'vhsub',
  plain((a, b) => Math.floor((a - b) / 2)),
);
export const vcgt = lanewise(
  'vcgt',
  plain((a, b) => (a > b ? -1 : 0)),
);
export const vcge = lanewise(
  'vcge',
  plain((a, b) => (a >= b ? -1 : 0)),
);
export const vmax = lanewise(
  'vmax',
  plain((a, b) => (a > b ? a : b)),
);
export const vmin = lanewise(
  'vmin',
  plain((a, b) => (a < b ? a : b)),
);
export const vabd = lanewise(
  'vabd',
  plain((a, b) => Math.abs(a - b)),
);
export const vaba = lanewise(
  'vaba',
  plain((a, b, c) => c + Math.abs(a - b)),
);
export const vtst = signless(
  'vtst',
  plain((a, b) => ((a & b) !== 0 ? -1 : 0)),
);
export const vmul = signless(
  'vmul',
  plain((a, b) => Math.imul(a, b)),
);
export const vmla = signless(
  'vmla',
  plain((a, b, c) => c + Math.imul(a, b)),
);
export const vmls = signless(
  'vmls',
  plain((a, b, c) => c - Math.imul(a, b)),
);

/** Sums and comparisons of whole words of lanes at once: what memory and string functions live on. */
const inWords = (name: string, size: number, q: boolean, lane: (a: number, b: number) => number): VectorKernel =>
  kernel(`${name}.i${8 << size}${q ? '.q' : ''}`, ({ words }) => {
    const count = q ? 4 : 2;
    return (d, n, m) => {
      const to = D0 + 2 * d;
      const left = D0 + 2 * n;
      const right = D0 + 2 * m;
      for (let i = 0; i < count; i++) words[to + i] = lane(words[left + i]!, words[right + i]!);
    };
  });
/** The top bit of every lane. */
const topBits = [0x80808080 | 0, 0x80008000 | 0];
const addWord = (size: number): ((a: number, b: number) => number) => {
  if (size === 2) return (a, b) => (a + b) | 0;
  const top = topBits[size]!;
  return (a, b) => ((a & ~top) + (b & ~top)) ^ ((a ^ b) & top);
};
const subWord = (size: number): ((a: number, b: number) => number) => {
  if (size === 2) return (a, b) => (a - b) | 0;
  const top = topBits[size]!;
  return (a, b) => ((a | top) - (b & ~top)) ^ (~(a ^ b) & top);
};
const equalWord = (size: number): ((a: number, b: number) => number) => {
  if (size === 2) return (a, b) => (a === b ? -1 : 0);
  const top = topBits[size]!;
  const shift = (8 << size) - 1;
  const lane = size === 0 ? 0xff : 0xffff;
  return (a, b) => {
    const x = a ^ b;
    // Top bit of a lane: 1 where the lane of x is 0.
    const zero = ~(((x & ~top) + ~top) | x) & top;
    return Math.imul(zero >>> shift, lane);
  };
};
export const vadd = sized(
  (q, size) => (size === 3 ? binary64('vadd.i64', q, (a, b) => a.add(b.high, b.low)) : inWords('vadd', size, q, addWord(size))),
  four,
);
export const vsub = sized(
  (q, size) => (size === 3 ? binary64('vsub.i64', q, (a, b) => a.subtract(b.high, b.low)) : inWords('vsub', size, q, subWord(size))),
  four,
);
export const vceq = sized((q, size) => inWords('vceq', size, q, equalWord(size)), three);

/** Signed addition overflowed when both operands differ in sign from the sum. */
const addSaturating64 =
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
const subSaturating64 =
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
export const vqadd = lanewise(
  'vqadd',
  (size, unsigned) => (words) => (a, b) => clamp(words, a + b, least(size, unsigned), most(size, unsigned)),
  addSaturating64,
);
export const vqsub = lanewise(
  'vqsub',
  (size, unsigned) => (words) => (a, b) => clamp(words, a - b, least(size, unsigned), most(size, unsigned)),
  subSaturating64,
);

/** Carry-less product of the low `8` bits: polynomials over {0, 1} (A2.8.1). */
const polynomial = (a: number, b: number): number => {
  let product = 0;
  for (let i = 0; i < 8; i++) if (((b >> i) & 1) !== 0) product ^= (a & 0xff) << i;
  return product;
};
export const vmulP8: readonly VectorKernel[] = [false, true].map((q) => binaryLanes('vmul.p8', 0, true, q, () => polynomial));
export const vmullP8 = wideningLanes('vmull.p8', 0, true, 'long', () => polynomial);

/** High half of the doubled product; `rounding` adds half first. Sizes 1 and 2. */
const doublingHigh =
  (rounding: boolean) =>
  (size: number): BinaryLane =>
  (words) => {
    if (size === 1) return (a, b) => clamp(words, Math.floor((2 * a * b + (rounding ? 0x8000 : 0)) / 0x10000), -0x8000, 0x7fff);
    const product = new Pair();
    return (a, b) => {
      product.multiply(a, b, false);
      if (product.doubleSaturating()) {
        words[QC] = 1;
        return 0x7fffffff;
      }
      if (rounding && product.low < 0) {
        // 0x7fffffff.8 and above rounds up to what does not fit.
        if (product.high === 0x7fffffff) words[QC] = 1;
        else return product.high + 1;
      }
      return product.high;
    };
  };
const highProducts = (name: string, rounding: boolean): BySize =>
  sized((q, size) => binaryLanes(`${name}.s${8 << size}`, size, false, q, doublingHigh(rounding)(size)), [0, 1, 2]);
export const vqdmulh = highProducts('vqdmulh', false);
export const vqrdmulh = highProducts('vqrdmulh', true);

/* Shifts. Amounts of register shifts are the low byte of the lane, signed: negative is to the right. */

const shiftedLeft = (value: number, amount: number): number => value * 2 ** amount;
const shiftedRight = (value: number, amount: number, rounding: boolean): number => {
  // Beyond 40 places nothing but the sign is left, and halves are no longer representable beside the value.
  if (amount > 40) return rounding || value >= 0 ? 0 : -1;
  return Math.floor((value + (rounding ? 2 ** (amount - 1) : 0)) / 2 ** amount);
};
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

const unary = (name: string, make: MakeLane, wide?: (unsigned: boolean) => PairLane): BySign => {
  const of = (unsigned: boolean): BySize =>
    sized(
      (q, size) =>
        size === 3
          ? unary64(`${name}.${typeName(unsigned, 3)}`, q, wide!(unsigned))
          : unaryLanes(`${name}.${typeName(unsigned, size)}`, size, unsigned, q, make(size, unsigned)),
      wide === undefined ? three : four,
    );
  return [of(false), of(true)];
};

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

/* Narrowing. Sizes are those of the result: 0 (from 16 bits) to 2 (from 64). */

/** High halves of sums and differences: d, n, m. */
const highNarrow = (name: string, subtract: boolean, rounding: boolean): readonly VectorKernel[] => [
  ...([0, 1] as const).map((size) => {
    const half = rounding ? 2 ** ((8 << size) - 1) : 0;
    const scale = 2 ** (8 << size);
    return narrowingLanes(
      `${name}.i${16 << size}`,
      size,
      true,
      () => (a, b) => Math.floor((subtract ? a - b + half : a + b + half) / scale),
    );
  }),
  narrowing64(`${name}.i64`, true, (_, a, b) => {
    if (subtract) a.subtract(b.high, b.low);
    else a.add(b.high, b.low);
    if (rounding) a.add(0, 0x80000000);
    return a.high;
  }),
];
export const vaddhn = highNarrow('vaddhn', false, false);
export const vraddhn = highNarrow('vraddhn', false, true);
export const vsubhn = highNarrow('vsubhn', true, false);
export const vrsubhn = highNarrow('vrsubhn', true, true);

/** Saturates a 64-bit integer to 32 bits. */
const narrow64 = (words: Int32Array, a: Pair, unsignedIn: boolean, unsignedOut: boolean): number => {
  const negative = !unsignedIn && a.high < 0;
  if (unsignedOut ? a.high === 0 : unsignedIn ? a.high === 0 && a.low >= 0 : a.high === a.low >> 31) return a.low;
  words[QC] = 1;
  if (unsignedOut) return negative ? 0 : -1;
  return negative ? 0x80000000 | 0 : 0x7fffffff;
};
/**
 * Shift right by an immediate, then narrow: d, m, amount (0 for plain moves). `out`: 'i' takes the low half, else it saturates.
 */
const shiftNarrow = (name: string, unsignedIn: boolean, out: 'i' | 's' | 'u', rounding: boolean): readonly VectorKernel[] => [
  ...([0, 1] as const).map((size) => {
    const low = least(size, out === 'u');
    const high = most(size, out === 'u');
    return narrowingShiftLanes(
      `${name}.${out === 'i' ? 'i' : unsignedIn ? 'u' : 's'}${16 << size}`,
      size,
      unsignedIn,
      (words) => (value, amount) => {
        const shifted = amount === 0 ? value : shiftedRight(value, amount, rounding);
        return out === 'i' ? shifted : clamp(words, shifted, low, high);
      },
    );
  }),
  narrowing64(`${name}.${out === 'i' ? 'i' : unsignedIn ? 'u' : 's'}64`, false, (words, a, _, amount) => {
    if (amount > 0) {
      if (rounding) a.shiftRightRounding(amount, unsignedIn);
      else a.shiftRight(amount, unsignedIn);
    }
    return out === 'i' ? a.low : narrow64(words, a, unsignedIn, out === 'u');
  }),
];
export const vmovn = shiftNarrow('vshrn', true, 'i', false);
export const vrshrn = shiftNarrow('vrshrn', true, 'i', true);
/** By sign. */
export const vqshrn = [shiftNarrow('vqshrn', false, 's', false), shiftNarrow('vqshrn', true, 'u', false)] as const;
export const vqrshrn = [shiftNarrow('vqrshrn', false, 's', true), shiftNarrow('vqrshrn', true, 'u', true)] as const;
export const vqshrun = shiftNarrow('vqshrun', false, 'u', false);
export const vqrshrun = shiftNarrow('vqrshrun', false, 'u', true);

/* Widening. Sizes are those of the narrow operands: 0 to 2. By sign, then size. */

const widening = (
  name: string,
  shape: WideShape,
  lane: (a: number, b: number, accumulator: number) => number,
  wide: (unsigned: boolean) => PairLane,
): readonly (readonly VectorKernel[])[] =>
  [false, true].map((unsigned) => [
    ...([0, 1] as const).map((size) => wideningLanes(`${name}.${typeName(unsigned, size)}`, size, unsigned, shape, () => lane)),
    widening64(`${name}.${typeName(unsigned, 2)}`, unsigned, shape, wide(unsigned)),
  ]);
const add64Lane = (): PairLane => (a, b) => a.add(b.high, b.low);
const sub64Lane = (): PairLane => (a, b) => a.subtract(b.high, b.low);
/** |a - b| of extended 32-bit values. */
const difference64 = (accumulate: boolean) => (): PairLane => (a, b, c) => {
  a.subtract(b.high, b.low);
  if (a.high < 0) a.negate();
  if (accumulate) a.add(c.high, c.low);
};
const product64 =
  (mode: 'set' | 'add' | 'subtract') =>
  (unsigned: boolean): PairLane =>
  (a, b, c) => {
    a.multiply(a.low, b.low, unsigned);
    if (mode === 'add') a.add(c.high, c.low);
    else if (mode === 'subtract') {
      a.negate();
      a.add(c.high, c.low);
    }
  };
export const vaddl = widening('vaddl', 'long', (a, b) => a + b, add64Lane);
export const vaddw = widening('vaddw', 'wide', (a, b) => a + b, add64Lane);
export const vsubl = widening('vsubl', 'long', (a, b) => a - b, sub64Lane);
export const vsubw = widening('vsubw', 'wide', (a, b) => a - b, sub64Lane);
export const vabdl = widening('vabdl', 'long', (a, b) => Math.abs(a - b), difference64(false));
export const vabal = widening('vabal', 'long', (a, b, c) => c + Math.abs(a - b), difference64(true));
export const vmull = widening('vmull', 'long', (a, b) => a * b, product64('set'));
export const vmlal = widening('vmlal', 'long', (a, b, c) => c + a * b, product64('add'));
export const vmlsl = widening('vmlsl', 'long', (a, b, c) => c - a * b, product64('subtract'));

/** Doubling products of 16-bit (1) and 32-bit (2) lanes, each step saturated. Index 0 is not used. */
const doublingLong = (name: string, mode: 'set' | 'add' | 'subtract'): readonly VectorKernel[] => {
  const half: BinaryLane = (words) => (a, b, c) => {
    const product = clamp(words, 2 * a * b, -0x80000000, 0x7fffffff);
    return mode === 'set' ? product : clamp(words, mode === 'add' ? c + product : c - product, -0x80000000, 0x7fffffff);
  };
  const add = addSaturating64(false);
  const subtract = subSaturating64(false);
  const word: PairLane = (a, b, c) => {
    a.multiply(a.low, b.low, false);
    let saturated = a.doubleSaturating();
    if (mode === 'add') saturated = (add(a, c, c, 0) as boolean) || saturated;
    else if (mode === 'subtract') {
      b.set(a.high, a.low);
      a.set(c.high, c.low);
      saturated = (subtract(a, b, c, 0) as boolean) || saturated;
    }
    return saturated;
  };
  return [
    wideningLanes(`${name}.s8`, 0, false, 'long', half),
    wideningLanes(`${name}.s16`, 1, false, 'long', half),
    widening64(`${name}.s32`, false, 'long', word),
  ];
};
export const vqdmull = doublingLong('vqdmull', 'set');
export const vqdmlal = doublingLong('vqdmlal', 'add');
export const vqdmlsl = doublingLong('vqdmlsl', 'subtract');

/** VSHLL and VMOVL: d, m, amount. */
export const vshll: readonly (readonly VectorKernel[])[] = [false, true].map((unsigned) => [
  ...([0, 1] as const).map((size) => {
    const name = `vshll.${typeName(unsigned, size)}`;
    const views = [
      ['i8', 'i16'],
      ['u8', 'u16'],
    ] as const;
    return kernel(name, (state) => {
      const narrow = state[views[unsigned ? 1 : 0][size]!];
      const wide = size === 0 ? state.u16 : state.words;
      const count = 8 >> size;
      const narrowBase = (D0 * 4) >> size;
      const results = new Float64Array(8);
      return (d, m, amount) => {
        for (let i = 0; i < count; i++) results[i] = narrow[narrowBase + m * count + i]! << amount;
        for (let i = 0; i < count; i++) wide[(narrowBase >> 1) + d * (count / 2) + i] = results[i]!;
      };
    });
  }),
  lengthening64(`vshll.${typeName(unsigned, 2)}`, unsigned),
]);

export const vpadd = three.map((size) => pairLanes(`vpadd.i${8 << size}`, size, false, () => (a, b) => a + b));
export const vpmax = [false, true].map((unsigned) =>
  three.map((size) => pairLanes(`vpmax.${typeName(unsigned, size)}`, size, unsigned, () => (a, b) => (a > b ? a : b))),
);
export const vpmin = [false, true].map((unsigned) =>
  three.map((size) => pairLanes(`vpmin.${typeName(unsigned, size)}`, size, unsigned, () => (a, b) => (a < b ? a : b))),
);
const pairwiseLong = (name: string, accumulate: boolean): BySign => {
  const of = (unsigned: boolean): BySize =>
    sized(
      (q, size) =>
        size === 2
          ? pairwiseLong64(`${name}.${typeName(unsigned, 2)}`, unsigned, q, accumulate)
          : pairwiseLongLanes(`${name}.${typeName(unsigned, size)}`, size, unsigned, q, accumulate),
      three,
    );
  return [of(false), of(true)];
};
export const vpaddl = pairwiseLong('vpaddl', false);
export const vpadal = pairwiseLong('vpadal', true);

/* One operand: d, m. */

const simple = (name: string, make: (size: number) => BinaryLane, unsigned = false): BySize =>
  sized((q, size) => unaryLanes(`${name}.${8 << size}`, size, unsigned, q, make(size)), three);
export const vabs = simple('vabs', () => () => (a) => Math.abs(a));
export const vneg = simple('vneg', () => () => (a) => -a);
export const vqabs = simple('vqabs', (size) => (words) => (a) => clamp(words, Math.abs(a), least(size, false), most(size, false)));
export const vqneg = simple('vqneg', (size) => (words) => (a) => clamp(words, -a, least(size, false), most(size, false)));
export const vclz = simple('vclz', (size) => () => (a) => Math.clz32(a) - (32 - (8 << size)), true);
export const vcls = simple('vcls', (size) => () => (a) => Math.clz32(a ^ (a >> 31)) - (32 - (8 << size)) - 1);
export const vcnt = simple(
  'vcnt',
  () => () => (a) => {
    let count = 0;
    for (let v = a; v !== 0; v &= v - 1) count++;
    return count;
  },
  true,
);
/** Comparisons with zero. */
export const vcgtZero = simple('vcgt.zero', () => () => (a) => (a > 0 ? -1 : 0));
export const vcgeZero = simple('vcge.zero', () => () => (a) => (a >= 0 ? -1 : 0));
export const vceqZero = simple('vceq.zero', () => () => (a) => (a === 0 ? -1 : 0));
export const vcleZero = simple('vcle.zero', () => () => (a) => (a <= 0 ? -1 : 0));
export const vcltZero = simple('vclt.zero', () => () => (a) => (a < 0 ? -1 : 0));

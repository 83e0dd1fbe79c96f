import type { VectorKernel } from '@tablewalk/engine';
import { layout } from '@tablewalk/engine';
import { kernel } from './kernel.js';
import { polynomial } from './neon-arithmetic-kernels.js';
import type { BySign, BySize } from './neon-kernel-sets.js';
import { clamp, least, most, sized, three, typeName } from './neon-kernel-sets.js';
import type { BinaryLane, WideShape } from './neon-lanes.js';
import { narrowingLanes, narrowingShiftLanes, pairwiseLongLanes, wideningLanes } from './neon-lanes.js';
import { shiftedRight } from './neon-shift-kernels.js';
import type { Pair, PairLane } from './neon-wide64.js';
import { addSaturating64, lengthening64, narrowing64, pairwiseLong64, subSaturating64, widening64 } from './neon-wide64.js';

/** Integer Advanced SIMD whose results are narrower or wider than the operands (ARM DDI 0406C, A7.4.2-A7.4.5). */

const QC = layout.FPSCR_QC;
const D0 = layout.D0;

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

export const vmullP8 = wideningLanes('vmull.p8', 0, true, 'long', () => polynomial);

/** Sums of neighbours, twice as wide: d, m. By sign, Q, then size. */
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

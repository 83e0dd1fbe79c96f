import type { VectorKernel } from '@tablewalk/engine';
import { layout } from '@tablewalk/engine';
import type { BinaryLane } from './neon-lanes.js';
import { binaryLanes, unaryLanes } from './neon-lanes.js';
import type { PairLane } from './neon-wide64.js';
import { binary64, unary64 } from './neon-wide64.js';

/** Kernels of one integer operation for every element size and register width, and the arithmetic of sizes that they share. */

const QC = layout.FPSCR_QC;

/** Kernels of one operation: by Q, then by size (0: 8 bits, 3: 64). */
export type BySize = readonly [readonly VectorKernel[], readonly VectorKernel[]];
/** The same twice: signed, unsigned. */
export type BySign = readonly [BySize, BySize];

/** `i8`, `u16`, `s32`: the type as mnemonics have it. */
export const typeName = (unsigned: boolean | undefined, size: number): string =>
  `${unsigned === undefined ? 'i' : unsigned ? 'u' : 's'}${8 << size}`;
/** The range of an element of 8 << size bits. */
export const least = (size: number, unsigned: boolean): number => (unsigned ? 0 : -(2 ** ((8 << size) - 1)));
export const most = (size: number, unsigned: boolean): number => 2 ** ((8 << size) - (unsigned ? 0 : 1)) - 1;

/** Clamps and records saturation. */
export const clamp = (words: Int32Array, value: number, low: number, high: number): number => {
  if (value >= low && value <= high) return value;
  words[QC] = 1;
  return value < low ? low : high;
};

/** What one lane of 8 << size bits becomes. */
export type MakeLane = (size: number, unsigned: boolean) => BinaryLane;
export const sized = (build: (q: boolean, size: number) => VectorKernel, sizes: readonly number[]): BySize => [
  sizes.map((size) => build(false, size)),
  sizes.map((size) => build(true, size)),
];
export const three = [0, 1, 2] as const;
export const four = [0, 1, 2, 3] as const;

/** Both signs of an operation of two registers; `wide` makes the one for 64 bits. */
export const lanewise = (name: string, make: MakeLane, wide?: (unsigned: boolean) => PairLane): BySign => {
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
/** An operation of two registers that is the same for both signs. */
export const signless = (name: string, make: (size: number) => BinaryLane, unsigned = false): BySize =>
  sized((q, size) => binaryLanes(`${name}.i${8 << size}`, size, unsigned, q, make(size)), three);
/** A lane function that needs neither size nor state. */
export const plain =
  (lane: (a: number, b: number, accumulator: number) => number): (() => BinaryLane) =>
  () =>
  () =>
    lane;

/** Both signs of an operation of one register and an immediate. */
export const unary = (name: string, make: MakeLane, wide?: (unsigned: boolean) => PairLane): BySign => {
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

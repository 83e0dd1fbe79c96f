import type { VectorKernel } from '@tablewalk/engine';
import { layout } from '@tablewalk/engine';
import { kernel } from './kernel.js';

/**
 * Kernels that do the same to every lane. Registers are D register numbers, also for Q forms (then even); D32 to D39 are the state's temporaries, where
 * by-scalar forms and structure loads put what they work on.
 */

/** A view of the state whose elements are lanes of one size and signedness. */
export type LaneView = 'i8' | 'u8' | 'i16' | 'u16' | 'words' | 'u32';
const signedViews = ['i8', 'i16', 'words'] as const;
const unsignedViews = ['u8', 'u16', 'u32'] as const;
/** View for lanes of 8 << size bits, size 0 to 2. */
export const viewOf = (size: number, unsigned: boolean): LaneView => (unsigned ? unsignedViews : signedViews)[size]!;

/** Number of D register 32: the first temporary. */
export const TEMP_D = (layout.TEMP0 - layout.D0) / 2;

/** Name of a kernel of lanes: `vadd.i8`, with `.q` for the Q form. */
const named = (name: string, q: boolean): string => (q ? `${name}.q` : name);

/** What one lane becomes. `words` is there for FPSCR.QC. */
export type BinaryLane = (words: Int32Array) => (a: number, b: number, accumulator: number) => number;
/** Immediates d, n, m. */
export const binaryLanes = (name: string, size: number, unsigned: boolean, q: boolean, make: BinaryLane): VectorKernel =>
  kernel(named(name, q), (state) => {
    const lanes = state[viewOf(size, unsigned)];
    const per = 8 >> size;
    const base = (layout.D0 * 4) >> size;
    const count = q ? 2 * per : per;
    const lane = make(state.words);
    return (d, n, m) => {
      const to = base + d * per;
      const left = base + n * per;
      const right = base + m * per;
      for (let i = 0; i < count; i++) lanes[to + i] = lane(lanes[left + i]!, lanes[right + i]!, lanes[to + i]!);
    };
  });

/** Immediates d, m and one more for the lane function (a shift amount). */
export const unaryLanes = (name: string, size: number, unsigned: boolean, q: boolean, make: BinaryLane): VectorKernel =>
  kernel(named(name, q), (state) => {
    const lanes = state[viewOf(size, unsigned)];
    const per = 8 >> size;
    const base = (layout.D0 * 4) >> size;
    const count = q ? 2 * per : per;
    const lane = make(state.words);
    return (d, m, extra) => {
      const to = base + d * per;
      const from = base + m * per;
      for (let i = 0; i < count; i++) lanes[to + i] = lane(lanes[from + i]!, extra, lanes[to + i]!);
    };
  });

/** d := pairs of n, then pairs of m (D registers only). */
export const pairLanes = (name: string, size: number, unsigned: boolean, make: BinaryLane): VectorKernel =>
  kernel(name, (state) => {
    const lanes = state[viewOf(size, unsigned)];
    const per = 8 >> size;
    const half = per / 2;
    const base = (layout.D0 * 4) >> size;
    const lane = make(state.words);
    const results = new Float64Array(8);
    return (d, n, m) => {
      const to = base + d * per;
      const left = base + n * per;
      const right = base + m * per;
      for (let i = 0; i < half; i++) {
        results[i] = lane(lanes[left + 2 * i]!, lanes[left + 2 * i + 1]!, 0);
        results[half + i] = lane(lanes[right + 2 * i]!, lanes[right + 2 * i + 1]!, 0);
      }
      for (let i = 0; i < per; i++) lanes[to + i] = results[i]!;
    };
  });

/** Shapes of operands that differ in width: Q := D op D, Q := Q op D. */
export type WideShape = 'long' | 'wide';
/** Lanes of 8 << size bits, size 0 or 1, into lanes twice as wide. */
export const wideningLanes = (name: string, size: number, unsigned: boolean, shape: WideShape, make: BinaryLane): VectorKernel =>
  kernel(name, (state) => {
    const narrow = state[viewOf(size, unsigned)];
    const wide = state[viewOf(size + 1, unsigned)];
    const count = 8 >> size;
    const narrowBase = (layout.D0 * 4) >> size;
    const wideBase = narrowBase >> 1;
    const lane = make(state.words);
    const results = new Float64Array(8);
    const leftLanes = shape === 'long' ? narrow : wide;
    return (d, n, m) => {
      const to = wideBase + d * (count / 2);
      const left = shape === 'long' ? narrowBase + n * count : wideBase + n * (count / 2);
      const right = narrowBase + m * count;
      for (let i = 0; i < count; i++) results[i] = lane(leftLanes[left + i]!, narrow[right + i]!, wide[to + i]!);
      for (let i = 0; i < count; i++) wide[to + i] = results[i]!;
    };
  });

/** Lanes of 16 << size bits (size 0 or 1), from n and m, into D lanes half as wide. One operand: n = m. */
export const narrowingLanes = (name: string, size: number, unsigned: boolean, make: BinaryLane): VectorKernel =>
  kernel(name, (state) => {
    const wide = state[viewOf(size + 1, unsigned)];
    const narrow = state[viewOf(size, true)];
    const count = 8 >> size;
    const narrowBase = (layout.D0 * 4) >> size;
    const wideBase = narrowBase >> 1;
    const lane = make(state.words);
    const results = new Float64Array(8);
    return (d, n, m) => {
      const to = narrowBase + d * count;
      const left = wideBase + n * (count / 2);
      const right = wideBase + m * (count / 2);
      for (let i = 0; i < count; i++) results[i] = lane(wide[left + i]!, wide[right + i]!, 0);
      for (let i = 0; i < count; i++) narrow[to + i] = results[i]!;
    };
  });
/** As `narrowingLanes` for one operand and an immediate: d, m, immediate. */
export const narrowingShiftLanes = (name: string, size: number, unsigned: boolean, make: BinaryLane): VectorKernel =>
  kernel(name, (state) => {
    const wide = state[viewOf(size + 1, unsigned)];
    const narrow = state[viewOf(size, true)];
    const count = 8 >> size;
    const narrowBase = (layout.D0 * 4) >> size;
    const wideBase = narrowBase >> 1;
    const lane = make(state.words);
    const results = new Float64Array(8);
    return (d, m, extra) => {
      const to = narrowBase + d * count;
      const from = wideBase + m * (count / 2);
      for (let i = 0; i < count; i++) results[i] = lane(wide[from + i]!, extra, 0);
      for (let i = 0; i < count; i++) narrow[to + i] = results[i]!;
    };
  });

/** Adjacent lanes of 8 << size bits (size 0 or 1) added into lanes twice as wide, with or without accumulating. */
export const pairwiseLongLanes = (name: string, size: number, unsigned: boolean, q: boolean, accumulate: boolean): VectorKernel =>
  kernel(named(name, q), (state) => {
    const narrow = state[viewOf(size, unsigned)];
    const wide = state[viewOf(size + 1, unsigned)];
    const per = 4 >> size;
    const count = q ? 2 * per : per;
    const narrowBase = (layout.D0 * 4) >> size;
    const wideBase = narrowBase >> 1;
    return (d, m) => {
      const to = wideBase + d * per;
      const from = narrowBase + m * per * 2;
      // Lane i of the result lies over lanes 2i and 2i + 1 of the operand: nothing is overwritten early.
      for (let i = 0; i < count; i++) wide[to + i] = narrow[from + 2 * i]! + narrow[from + 2 * i + 1]! + (accumulate ? wide[to + i]! : 0);
    };
  });

import type { VectorKernel } from '@tablewalk/engine';
import { layout } from '@tablewalk/engine';
import { kernel } from './kernel.js';

/** Kernels that move bytes about. Registers are D register numbers; D32 to D39 are the temporaries. */

const B0 = layout.D0 * 4;

/** VEXT: d, n, m | first byte << 8. */
export const vext: readonly VectorKernel[] = [false, true].map((q) =>
  kernel(q ? 'vext.q' : 'vext', ({ u8 }) => {
    const count = q ? 16 : 8;
    const bytes = new Uint8Array(32);
    return (d, n, options) => {
      const left = B0 + 8 * n;
      const right = B0 + 8 * (options & 0xff);
      const first = options >> 8;
      for (let i = 0; i < count; i++) {
        bytes[i] = u8[left + i]!;
        bytes[count + i] = u8[right + i]!;
      }
      for (let i = 0; i < count; i++) u8[B0 + 8 * d + i] = bytes[first + i]!;
    };
  }),
);

/** VREV: d, m, distance: every byte i of the result is byte i ^ distance (element and group sizes are powers of two). */
export const vrev: readonly VectorKernel[] = [false, true].map((q) =>
  kernel(q ? 'vrev.q' : 'vrev', ({ u8 }) => {
    const bytes = new Uint8Array(16);
    const count = q ? 16 : 8;
    return (d, m, distance) => {
      const from = B0 + 8 * m;
      for (let i = 0; i < count; i++) bytes[i] = u8[from + i]!;
      for (let i = 0; i < count; i++) u8[B0 + 8 * d + i] = bytes[i ^ distance]!;
    };
  }),
);

/** VTBL and VTBX by length - 1: d, first register of the table, m | extend << 8. */
export const vtbl: readonly VectorKernel[] = [1, 2, 3, 4].map((length) =>
  kernel(`vtbl.${length}`, ({ u8 }) => {
    const table = new Uint8Array(8 * length);
    const results = new Uint8Array(8);
    return (d, n, options) => {
      const extend = options >> 8;
      for (let i = 0; i < 8 * length; i++) table[i] = u8[B0 + 8 * n + i]!;
      for (let i = 0; i < 8; i++) {
        const index = u8[B0 + 8 * (options & 0xff) + i]!;
        results[i] = index < 8 * length ? table[index]! : extend === 1 ? u8[B0 + 8 * d + i]! : 0;
      }
      for (let i = 0; i < 8; i++) u8[B0 + 8 * d + i] = results[i]!;
    };
  }),
);

/** Two registers rearranged in place: `source(i)` is where element i of d:m, `count` elements in each, comes from. */
const rearrange = (name: string, source: (i: number, count: number) => number): readonly (readonly VectorKernel[])[] =>
  [false, true].map((q) =>
    [0, 1, 2].map((size) =>
      kernel(`${name}.${8 << size}${q ? '.q' : ''}`, ({ u8 }) => {
        const width = q ? 16 : 8;
        const count = width >> size;
        const bytes = new Uint8Array(32);
        // Byte k of d:m comes from byte from[k].
        const from = Uint8Array.from({ length: 2 * width }, (_, k) => (source(k >> size, count) << size) | (k & ((1 << size) - 1)));
        return (d, m) => {
          const first = B0 + 8 * d;
          const second = B0 + 8 * m;
          for (let i = 0; i < width; i++) {
            bytes[i] = u8[first + i]!;
            bytes[width + i] = u8[second + i]!;
          }
          // With d = m (UNPREDICTABLE) the second register's part wins.
          for (let i = 0; i < width; i++) u8[first + i] = bytes[from[i]!]!;
          for (let i = 0; i < width; i++) u8[second + i] = bytes[from[width + i]!]!;
        };
      }),
    ),
  );
/** By Q, then size. d[1], m[0] exchanged in every pair of lanes. */
export const vtrn = rearrange('vtrn', (i, count) => (i < count ? (i & 1 ? count + i - 1 : i) : i & 1 ? i : i - count + 1));
/** Even elements to d, odd ones to m. */
export const vuzp = rearrange('vuzp', (i, count) => (i < count ? 2 * i : 2 * (i - count) + 1));
/** The elements of d and m in turn. */
export const vzip = rearrange('vzip', (i, count) => (i & 1 ? count + (i >> 1) : i >> 1));

/**
 * VLD2 to VLD4: structures of `n` elements in the temporaries, taken apart into registers d, d + step, ...; the immediates are d, step and the number
 * of structures. VST: the other way. `mask` wraps register numbers.
 */
const structure = (name: string, n: number, size: number, load: boolean): VectorKernel => ({
  repeatable: !load,
  ...kernel(`${name}.${8 << size}`, ({ u8 }) => {
    const width = 1 << size;
    const temporaries = layout.TEMP0 * 4;
    return (d, step, registers) => {
      // `registers` D registers for each element of the structure: 1, or 2 for VLD2 of four registers (the second two steps on).
      let at = temporaries;
      for (let r = 0; r < registers; r++)
        for (let e = 0; e < 8; e += width)
          for (let k = 0; k < n; k++) {
            const lane = B0 + 8 * ((d + r + k * step) & 31) + e;
            for (let i = 0; i < width; i++, at++) {
              if (load) u8[lane + i] = u8[at]!;
              else u8[at] = u8[lane + i]!;
            }
          }
    };
  }),
});
/** By number of elements - 2, then size. */
export const deinterleave = [2, 3, 4].map((n) => [0, 1, 2].map((size) => structure(`vld${n}`, n, size, true)));
export const interleave = [2, 3, 4].map((n) => [0, 1, 2].map((size) => structure(`vst${n}`, n, size, false)));

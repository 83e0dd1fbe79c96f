import type { InlineVector, Lanes, VectorKernel } from '@tablewalk/engine';
import { inlineLanes, inlineWork, simd } from '@tablewalk/engine';
import * as arithmetic from '../fp/neon-arithmetic-kernels.js';
import * as permute from '../fp/neon-permute-kernels.js';

/* Advanced SIMD kernels that move bytes about, or combine neighbours, written out (neon-inlines.ts). */

type Entry = readonly [VectorKernel, InlineVector];
/** Pushes the result for registers d, n and m. */
type Value = (k: Lanes, d: number, n: number, m: number) => void;

/** Bytes of the low (or high) halves of the wide lanes of a vector; `size` is the narrow one's. */
export const halves = (size: number, high: boolean): readonly number[] =>
  Array.from({ length: 8 }, (_, i) => {
    const lane = i >> size;
    return (lane << (size + 1)) + (high ? 1 << size : 0) + (i & ((1 << size) - 1));
  });
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

export const moveInlines: readonly Entry[] = [
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

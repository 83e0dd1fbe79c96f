import type { VectorKernel } from '@tablewalk/engine';
import { layout } from '@tablewalk/engine';
import { kernel } from './kernel.js';
import type { BySize } from './neon-kernel-sets.js';
import { clamp, four, lanewise, least, most, plain, signless, sized, three, typeName } from './neon-kernel-sets.js';
import type { BinaryLane } from './neon-lanes.js';
import { binaryLanes, pairLanes, unaryLanes } from './neon-lanes.js';
import { addSaturating64, binary64, Pair, subSaturating64 } from './neon-wide64.js';

/** Integer Advanced SIMD with results as wide as the operands (ARM DDI 0406C, A7.4.1, A7.4.3, A7.4.5), shifts aside. */

const QC = layout.FPSCR_QC;
const D0 = layout.D0;

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
export const polynomial = (a: number, b: number): number => {
  let product = 0;
  for (let i = 0; i < 8; i++) if (((b >> i) & 1) !== 0) product ^= (a & 0xff) << i;
  return product;
};
export const vmulP8: readonly VectorKernel[] = [false, true].map((q) => binaryLanes('vmul.p8', 0, true, q, () => polynomial));

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

export const vpadd = three.map((size) => pairLanes(`vpadd.i${8 << size}`, size, false, () => (a, b) => a + b));
export const vpmax = [false, true].map((unsigned) =>
  three.map((size) => pairLanes(`vpmax.${typeName(unsigned, size)}`, size, unsigned, () => (a, b) => (a > b ? a : b))),
);
export const vpmin = [false, true].map((unsigned) =>
  three.map((size) => pairLanes(`vpmin.${typeName(unsigned, size)}`, size, unsigned, () => (a, b) => (a < b ? a : b))),
);

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

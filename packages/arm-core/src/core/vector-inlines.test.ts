import type { InlineVector, StateViews, VectorKernel } from '@tablewalk/engine';
import { Builder, instantiateRegions, layout, makeTrampoline, noInlineKernels, RegionModuleBuilder, singleBlock } from '@tablewalk/engine';
import { describe, expect, it } from 'vitest';
import { fpInlines } from './fp-inlines.js';
import { neonFloatInlines } from './neon-float-inlines.js';
import { neonInlines } from './neon-inlines.js';

/* Each kernel that is written out does to the registers and the FPSCR what the kernel does. */

const views = (memory: WebAssembly.Memory): StateViews => ({
  words: new Int32Array(memory.buffer, 0, layout.STATE_BYTES / 4),
  u32: new Uint32Array(memory.buffer, 0, layout.STATE_BYTES / 4),
  f32: new Float32Array(memory.buffer, 0, layout.STATE_BYTES / 4),
  f64: new Float64Array(memory.buffer, 0, layout.STATE_BYTES / 8),
  u8: new Uint8Array(memory.buffer, 0, layout.STATE_BYTES),
  i8: new Int8Array(memory.buffer, 0, layout.STATE_BYTES),
  u16: new Uint16Array(memory.buffer, 0, layout.STATE_BYTES / 2),
  i16: new Int16Array(memory.buffer, 0, layout.STATE_BYTES / 2),
});

let seed = 12345;
const random = (below: number): number => {
  seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
  return Math.floor(((seed >>> 0) / 2 ** 32) * below);
};
const pick = <T>(list: readonly T[]): T => list[random(list.length)]!;

/** Zeros, ones, the ends of every range, denormals, infinities, NaNs, and anything. */
const singles = [0, 0x80000000, 0x3f800000, 0xbf800000, 1, 0x007fffff, 0x00800000, 0x80800000, 0x7f7fffff, 0x7f800000, 0xff800000];
const moreSingles = [
  0x7fc00000, 0x7f800001, 0x4f000000, 0xcf000000, 0xcf000001, 0x4f800000, 0x3f800001, 0x33800000, 0xb3800000, 0x34000000,
];
const highs = [0, 0x80000000, 0x3ff00000, 0xbff00000, 0x00100000, 0x00080000, 0x7fe00000, 0x7ff00000, 0xfff00000, 0x7ff80000, 0x7ff00001];
const moreHighs = [0x41e00000, 0xc1e00000, 0x41f00000, 0x3ca00000, 0x3cb00000, 0x43300000, 0x38000000, 0x380fffff, 0x47efffff];
const lows = [0, 0, 0, 1, 0x80000000, 0xffffffff, 0x10000000, 0x20000000, 0xe0000000];
const small = (): number => ((110 + random(40)) << 23) | random(0x800000) | (random(2) << 31);
/** Few bits, far apart: products and sums of these lie just between two numbers, or a little beside. */
const sparseSingle = (): number =>
  ((127 - pick([0, 0, 0, 1, 12, 23, 24, 25, 30, 50, 60])) << 23) |
  pick([0, 1 << 11, 1 << 12, 1, 1, 0x7ffffe, 1 << random(23)]) |
  (random(2) << 31);
const sparseDouble = (): readonly [low: number, high: number] => {
  const bit = pick([0, 26, 25, 1, 27, random(32)]);
  const high = ((1023 - pick([0, 0, 0, 1, 26, 52, 53, 54, 60, 100, 107])) << 20) | (random(2) << 31);
  return random(3) === 0 ? [0xfc000000, high | 0xfffff] : [pick([0, 1, 1 << bit]), high];
};

const fill = ({ words, f64 }: StateViews): void => {
  const kind = random(7);
  for (let i = 0; i < 80; i += 2) {
    const low = layout.D0 + i;
    if (kind === 0) {
      words[low] = random(2 ** 32);
      words[low + 1] = random(2 ** 32);
    } else if (kind === 1) {
      words[low] = pick([...singles, ...moreSingles]);
      words[low + 1] = pick([...singles, ...moreSingles]);
    } else if (kind === 2) {
      words[low] = pick([...lows, random(2 ** 32)]);
      words[low + 1] = pick([...highs, ...moreHighs, 0x3fe00000 + random(0x400000), 0x43200000 + random(0x100000)]);
    } else if (kind === 3) {
      words[low] = sparseSingle();
      words[low + 1] = sparseSingle();
    } else if (kind === 4) [words[low], words[low + 1]] = sparseDouble();
    else if (kind === 5) f64[low / 2] = (random(200) - 100) * 2 ** pick([0, 0, -3, 30, 500]);
    else {
      words[low] = small();
      words[low + 1] = small();
    }
  }
  words[layout.FPSCR_CONTROL] = random(3) === 0 ? pick([1 << 24, 1 << 22, 3 << 22, 1 << 25, 3 << 24]) : 0;
  words[layout.FPSCR_EXCEPTIONS] = pick([0, 0, 2, 16, 17, 0x9f]);
  words[layout.FPSCR_QC] = random(2);
  words[layout.FPSCR_NZCV] = random(16) << 28;
};

/** What the third immediate of a kernel may be, by its name; otherwise it is a register. */
const amountOf = (name: string): readonly [low: number, high: number] | undefined => {
  const size = Number(/\d+(?=(\.q|\.imm)?$)/.exec(name)?.[0]) || 8;
  if (/^v(r?shr|r?sra|sri)\.[su]/.test(name)) return [1, size];
  if (/^v(shl\.imm|sli)/.test(name)) return [0, size - 1];
  if (/^v(shrn|rshrn|qr?shru?n)/.test(name)) return [0, size / 2];
  if (/^vshll/.test(name)) return [0, size];
  return undefined;
};
const immediates = (name: string, q: boolean): readonly [number, number, number] => {
  const any = (): number => (q ? 2 * random(16) : random(32));
  if (/^vext/.test(name)) return [any(), any(), any() | (random(q ? 16 : 8) << 8)];
  if (/^vrev/.test(name)) return [any(), any(), pick([1, 3, 7, 2, 6, 4])];
  if (/^vtbl/.test(name)) return [random(32), random(29), random(32) | (random(2) << 8)];
  const structure = /^v(ld|st)([234])/.exec(name);
  if (structure !== null) {
    const n = Number(structure[2]);
    const step = 1 + random(2);
    return [random(32 - (n - 1) * step - 1), step, n === 2 && step === 2 ? 1 + random(2) : 1];
  }
  if (/^v(cmp|cmpe)\./.test(name)) return [random(32), random(32), random(2)];
  if (/^vcvt\.[su]32\.f(32|64)$/.test(name)) return [random(32), random(32), random(4) === 0 ? 0 : 1];
  if (/^vcvt.*simd/.test(name)) return [any(), any(), random(4) === 0 ? 1 + random(31) : 0];
  if (/zero/.test(name)) {
    const m = any();
    return [any(), m, m];
  }
  const amount = amountOf(name);
  if (amount !== undefined) return [q ? any() : 2 * random(16), q ? any() : 2 * random(16), amount[0] + random(amount[1] - amount[0] + 1)];
  // Registers that are Q in one form or another: even ones serve all.
  if (q || /[hl]n?\.|[lw]\./.test(name)) return [2 * random(16), 2 * random(16), 2 * random(16)];
  return [random(32), random(32), random(32)];
};

/** Registers 1 to 3 as doubles, or in single precision, such that 1 + 2 * 3 is just in the middle between two numbers, or hardly beside it. */
const fillNearMiddle = ({ words, f32, f64 }: StateViews, isDouble: boolean): void => {
  const [bits, at, values] = isDouble ? [52, layout.D0 / 2, f64] : [23, layout.D0, f32];
  const ulp = 2 ** -bits;
  const sign = (): number => (random(2) === 0 ? 1 : -1);
  const exponent = random(isDouble ? 600 : 60) - (isDouble ? 300 : 30);
  const accumulator =
    1 + (random(3) === 0 ? pick([0, 1, 2, 2 ** bits - 1, 2 ** bits - 2]) : Math.floor((random(2 ** 30) / 2 ** 30) * 2 ** bits)) * ulp;
  const p = pick([0, 1, 2, 3, random(64), 2 ** random(bits - 1), random(2 ** 20)]);
  // (1 + p ulp) (1 - p ulp) and the like, of half a unit of the accumulator's last place, of a quarter, or of one and a half.
  const factor = 1 + p * ulp;
  const other =
    pick([1 - p * ulp, 1 + p * ulp, 1, 1 - ulp / 2, 1 + ulp, 1 - (p + pick([1, 2, -1, -2])) * ulp]) *
    pick([0.5, 0.5, 0.5, 0.25, 1.5, 1, 2 ** -20]);
  values[at + 1] = sign() * accumulator * 2 ** exponent;
  values[at + 2] = sign() * factor;
  values[at + 3] = sign() * other * ulp * 2 ** exponent;
  words[layout.FPSCR_CONTROL] = 0;
  words[layout.FPSCR_EXCEPTIONS] = 16;
};

const check = (
  [kernel, inline]: readonly [VectorKernel, InlineVector],
  rounds: number,
  registers?: readonly [number, number, number],
  fillRegisters = fill,
): void => {
  const memory = new WebAssembly.Memory({ initial: Math.ceil(layout.STATE_BYTES / 65536) });
  const state = views(memory);
  const expected = views(new WebAssembly.Memory({ initial: Math.ceil(layout.STATE_BYTES / 65536) }));
  const reference = kernel.bind(expected);
  const q = /\.q$/.test(kernel.name);
  const builder = new RegionModuleBuilder(0, { ...noInlineKernels, vector: new Map([[kernel, inline]]) });
  const all = registers === undefined ? Array.from({ length: 5 }, () => immediates(kernel.name, q)) : [registers];
  all.forEach(([a, b, c], slot) => {
    const block = new Builder();
    block.instruction(0, 4, 0);
    block.vector(kernel, a, b, c);
    builder.add(singleBlock(block), { privileged: true, thumb: false, alignmentChecked: false, key: 0 }, slot);
  });
  const table = new WebAssembly.Table({ element: 'anyfunc', initial: all.length });
  const host = { memory, table, state, bound: new Map() };
  instantiateRegions(builder.finish(), { ...host, follow: makeTrampoline(0, host).follow });
  const functions = all.map((_, slot) => table.get(slot) as (entry: number, pc: number, depth: number) => number);
  state.words.fill(layout.JUMP_INVALID, layout.JUMP_TABLE / 4);
  for (let i = 0; i < rounds; i++) {
    const [a, b, c] = all[i % all.length]!;
    fillRegisters(state);
    expected.words.set(state.words.subarray(0, layout.TEMP0 + 32));
    state.words[layout.BUDGET] = 1000;
    reference(a, b, c);
    functions[i % all.length]!(0, 0x8000, 0);
    for (let word = layout.FPSCR_CONTROL; word < layout.TEMP0 + 16; word++) {
      if (word === layout.DECODE_MODE) continue;
      if (state.words[word] !== expected.words[word])
        expect.fail(
          `${kernel.name} ${a}, ${b}, ${c}: word ${word} is ${state.u32[word]!.toString(16)}, not ${expected.u32[word]!.toString(16)} (round ${i})`,
        );
    }
  }
};

describe('kernels written out do what the kernels do', () => {
  it.each([
    ['VFP', fpInlines, 2400],
    ['integer Advanced SIMD', neonInlines, 40],
    ['floating-point Advanced SIMD', neonFloatInlines, 2000],
  ] as const)('%s', (_, entries, rounds) => {
    for (const entry of entries) check(entry, rounds);
  });

  it('fused sums in the middle between two numbers, and hardly beside it', () => {
    const fused = fpInlines.filter(([{ name }]) => /^vfn?m[as]\./.test(name));
    expect(fused).toHaveLength(8);
    for (const entry of fused) check(entry, 10_000, [1, 2, 3], (state) => fillNearMiddle(state, entry[0].name.endsWith('64')));
  });
});

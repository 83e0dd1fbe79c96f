import { decodeTables } from '../../packages/arm-core/src/isa/decode-tables.js';
import type { Encoding, InstructionSet } from '../../packages/arm-core/src/isa/encoding.js';
import { encodings } from '../../packages/arm-core/src/isa/families/index.js';
import type { CompiledPattern } from '../../packages/arm-core/src/isa/pattern.js';
import { compilePattern, extractFields, matches } from '../../packages/arm-core/src/isa/pattern.js';
import { Random } from '../support/random.js';
import type { Batch } from './batch-layout.js';
import { CODE_BYTES, IN_CPSR, IN_FLAGS, IN_FPSCR, IN_REGISTERS, IN_VECTORS, RECORD_BYTES } from './batch-layout.js';

/** SVC of A32, and two of T16: they end a test in either state. */
const A32_SVC = 0xef00005a;
const T16_SVCS = 0xdf5adf5a;

const EDGES = [
  0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0x80000001, 0xfffffffe, 0xffffffff, 0x00800000, 0x7f800000,
  0x3f800000, 0x7fff8000, 0x80008000, 0x7f7f7f7f, 0x80808080,
];

/** An address in the scratch page (half of them), a small number, an edge, or anything. */
const register = (r: Random): number => {
  const k = r.below(100);
  if (k < 40) return 0x40380780 + r.below(64) * 4 + (r.oneIn(8) ? r.below(4) : 0);
  if (k < 60) return r.below(40);
  if (k < 74) return r.pick(EDGES);
  return r.u32();
};

/** A binary32: edges, NaNs, infinities, denormals, and numbers near 1 whose sums and products are interesting. */
const single = (r: Random): number => {
  switch (r.below(9)) {
    case 0:
      return r.pick(EDGES);
    case 1:
      return r.u32();
    case 2:
      return ((r.u32() & 0x80000000) | 0x7f800000 | (r.oneIn(2) ? r.u32() & 0x7fffff : 0)) >>> 0;
    case 3:
      return (r.u32() & 0x807fffff) >>> 0;
    case 4:
      return ((r.u32() & 0x80000000) | ((1 + r.below(40)) << 23) | (r.u32() & 0x7fffff)) >>> 0;
    default:
      return ((r.u32() & 0x807fffff & (r.oneIn(3) ? 0xfffff000 : 0xffffffff)) | ((107 + r.below(40)) << 23)) >>> 0;
  }
};

/** High word of a binary64, and its low word. */
const double = (r: Random): [high: number, low: number] => {
  const low = r.oneIn(3) ? 0 : r.u32();
  switch (r.below(9)) {
    case 0:
      return [r.pick(EDGES), 0];
    case 1:
      return [r.u32(), r.u32()];
    case 2:
      return [((r.u32() & 0x800fffff) | 0x7ff00000) >>> 0, low];
    case 3:
      return [(r.u32() & 0x800fffff) >>> 0, low];
    case 4:
      // Around the ends of binary32's range, where narrowing overflows and becomes denormal.
      return [((r.u32() & 0x800fffff) | ((r.oneIn(2) ? 1023 + 120 + r.below(12) : 1023 - 155 + r.below(32)) << 20)) >>> 0, low];
    case 5:
      return [((r.u32() & 0x80000000) | (0x7ff << 20) | (r.oneIn(2) ? 0 : 0x80000)) >>> 0, 0];
    default:
      return [((r.u32() & 0x800fffff) | ((1003 + r.below(70)) << 20)) >>> 0, low];
  }
};

/** Rounding mode, flush-to-zero, default NaN, alternative half precision, and cumulative flags that are already set. */
const fpscr = (r: Random): number => {
  if (r.oneIn(3)) return 0;
  return ((r.u32() & 0x07c00000) | (r.oneIn(3) ? r.u32() & 0xf800009f : 0)) >>> 0;
};

/** A word of the encoding: fixed bits, should-be bits as they should be, random fields, some of them at their ends. */
export const wordOf = (r: Random, pattern: CompiledPattern): number => {
  let word = ((pattern.value | pattern.shouldValue) >>> 0) | (r.u32() & ~(pattern.mask | pattern.shouldMask));
  for (const { letter, pieces } of pattern.fields) {
    if (letter === 'c' && pattern.hasCondition) word = (word & 0x0fffffff) | ((r.oneIn(8) ? r.below(15) : 14) << 28);
    else if (r.oneIn(8)) {
      const ones = r.oneIn(2);
      for (const { shift, width } of pieces) {
        const mask = width === 32 ? -1 : ((1 << width) - 1) << shift;
        word = ones ? word | mask : word & ~mask;
      }
    }
  }
  return (pattern.bits === 16 ? word & 0xffff : word) >>> 0;
};

/** Instructions that would wait for the watchdog, or whose result is the host's time. */
const LEFT_OUT = /^(WFI|WFE|YIELD|DBG)_/;

/** A branch to itself or a little before: it would loop until the watchdog ends it. */
const loops = (encoding: Encoding, word: number): boolean => {
  const { name } = encoding;
  if (name === 'B_A1' || name === 'BL_A1' || name === 'BLX_imm_A2') return (word & 0xffffff) >= 0xffff00;
  if (name === 'B_T1') return (word & 0xff) > 0x80;
  if (name === 'B_T2') return (word & 0x7ff) > 0x400;
  if (/^(B|BL|BLX_imm)_T\d$/.test(name)) return ((word >>> 26) & 1) === 1;
  return false;
};

export interface Target {
  readonly encoding: Encoding;
  readonly pattern: CompiledPattern;
}

/** Every encoding that can be run alone in USR mode. */
export const targets: readonly Target[] = encodings
  .filter((encoding) => !LEFT_OUT.test(encoding.name))
  .map((encoding) => ({ encoding, pattern: compilePattern(encoding) }));

const tables = decodeTables();

/** Record that decodes the word, and whether the manual calls the word UNPREDICTABLE. */
export const lookUp = (isa: InstructionSet, word: number): { name: string; unpredictable: boolean } | undefined => {
  const decoded = tables[isa].decode(word);
  if (decoded === undefined) return undefined;
  const { encoding, pattern } = decoded.entry;
  const should = ((word ^ pattern.shouldValue) & pattern.shouldMask) !== 0;
  return { name: encoding.name, unpredictable: should || encoding.unpredictable?.(decoded.fields) === true };
};

const UNDEFINED_NAMES = { A32: 'no A32 record', T32: 'no T32 record', T16: 'no T16 record' } as const;

/** A word that no record decodes. */
export const undefinedWord = (r: Random, isa: InstructionSet): number | undefined => {
  for (let tries = 0; tries < 400; tries++) {
    let word = r.u32();
    if (isa === 'T16') word = (word & 0xffff) % 0xe800;
    else if (isa === 'T32') word = (((0xe800 + ((word >>> 16) % 0x1800)) << 16) | (word & 0xffff)) >>> 0;
    else if (r.oneIn(2)) word = (word | 0xf0000000) >>> 0;
    if (tables[isa].decode(word) === undefined) return word;
  }
  return undefined;
};

export interface GenerateOptions {
  readonly seed: number;
  readonly count: number;
  /** Names to make, all when absent. */
  readonly only?: RegExp;
  /** UNPREDICTABLE words as well. */
  readonly unpredictable?: boolean;
}

/** A batch: encodings in turn, one UNDEFINED word in 24. The same options give the same batch as long as the records are the same. */
export const generate = ({ seed, count, only, unpredictable = false }: GenerateOptions): Batch => {
  const r = new Random(seed);
  const list = only === undefined ? targets : targets.filter(({ encoding }) => only.test(encoding.name));
  const names = [...list.map(({ encoding }) => encoding.name), ...Object.values(UNDEFINED_NAMES)];
  const index = new Map(names.map((name, i) => [name, i]));
  const code = new Uint32Array((count * CODE_BYTES) / 4);
  const input = new Uint32Array((count * RECORD_BYTES) / 4);
  const kinds = new Uint16Array(count);
  let turn = r.below(list.length);
  for (let i = 0; i < count; i++) {
    let word: number | undefined;
    let isa: InstructionSet = 'A32';
    let name = '';
    if (only === undefined && r.oneIn(24)) {
      isa = r.pick(['A32', 'T32', 'T32', 'T16'] as const);
      word = undefinedWord(r, isa);
      name = UNDEFINED_NAMES[isa];
    }
    for (let tries = 0; word === undefined; tries++) {
      if (tries % 50 === 0) turn = (turn + 1) % list.length;
      const { encoding, pattern } = list[turn]!;
      const candidate = wordOf(r, pattern);
      if (!matches(pattern, candidate) || encoding.unless?.(extractFields(pattern, candidate)) === true) continue;
      // A stricter record may own the word.
      const owner = lookUp(encoding.isa, candidate);
      if (owner === undefined || owner.name !== encoding.name || loops(encoding, candidate)) continue;
      if (owner.unpredictable && !unpredictable) continue;
      word = candidate;
      isa = encoding.isa;
      name = encoding.name;
    }
    kinds[i] = index.get(name)!;
    writeTest(r, isa, word, code.subarray(i * 8, i * 8 + 8), input.subarray(i * 96, i * 96 + 96), i);
  }
  return { count, code, input, kinds, names };
};

const writeTest = (r: Random, isa: InstructionSet, word: number, slot: Uint32Array, record: Uint32Array, i: number): void => {
  const thumb = isa !== 'A32';
  for (let k = 0; k < 8; k++) slot[k] = ((thumb ? 1 : 0) ^ k) & 1 ? A32_SVC : T16_SVCS;
  slot[0] = isa === 'A32' ? word : isa === 'T32' ? ((word << 16) | (word >>> 16)) >>> 0 : (word | (T16_SVCS << 16)) >>> 0;
  if (thumb) slot[1] = T16_SVCS;
  record.set(slot);
  writeState(r, record, thumb);
  record[IN_FLAGS] = 1 | ((i & 0xffff) << 8);
};

/** Registers, flags, FPSCR and vectors that a test begins with. */
export const writeState = (r: Random, record: Uint32Array, thumb: boolean): void => {
  for (let k = 0; k < 15; k++) record[IN_REGISTERS + k] = register(r);
  record[IN_CPSR] = ((r.u32() & 0xf80f0000) | 0x150 | (thumb ? 0x20 : 0)) >>> 0;
  record[IN_FPSCR] = fpscr(r);
  for (let k = 0; k < 32; k++) {
    const at = IN_VECTORS + 2 * k;
    if (r.oneIn(2)) [record[at + 1], record[at]] = double(r);
    else [record[at + 1], record[at]] = [single(r), single(r)];
  }
};

import type { Encoding } from '../../packages/arm-core/src/isa/encoding.js';
import type { CompiledPattern } from '../../packages/arm-core/src/isa/pattern.js';
import { extractFields, insertFields, matches } from '../../packages/arm-core/src/isa/pattern.js';
import type { Target } from '../instructions/generate.js';
import { lookUp, targets, wordOf } from '../instructions/generate.js';
import type { Random } from '../support/random.js';
import * as at from './layout.js';

export const MODES = { usr: 0x10, fiq: 0x11, irq: 0x12, svc: 0x13, abt: 0x17, und: 0x1b, sys: 0x1f } as const;
const modes = Object.values(MODES);
/** Word of SP in a record, by mode; LR is the next. */
const stackOf: Readonly<Record<number, number>> = {
  [MODES.usr]: at.SP_USR,
  [MODES.sys]: at.SP_USR,
  [MODES.fiq]: at.FIQ + 5,
  [MODES.irq]: at.IRQ,
  [MODES.svc]: at.SVC,
  [MODES.abt]: at.ABT,
  [MODES.und]: at.UND,
};
const spsrs = [at.FIQ + 7, at.IRQ + 2, at.SVC + 2, at.ABT + 2, at.UND + 2];

/** Hashed, writable for both privileges. */
const WINDOW = 0x46080800;
/** Where the tests' memory accesses go: a page or section of every kind. */
export const dataAddresses: readonly number[] = [
  ...[WINDOW, WINDOW, 0x46081800, 0x460827a0, 0x46083800, 0x46084800, 0x46085800, 0x46086800, 0x46088800, 0x46180800, 0x46181800],
  ...[0x46200000, 0x463007c0, 0x46400400, 0x46500400, 0x46700400, 0x48100000, 0x40200400, 0xfffff000, 0x00000000],
];
/** Pages' last bytes, for accesses that straddle. */
const edges: readonly number[] = [
  0x46081000, 0x46082000, 0x46083000, 0x46085000, 0x46086000, 0x46087000, 0x46181000, 0x46300000, 0x46400000,
];
/** No word can be loaded here in any mode. */
const faulting: readonly number[] = [
  0x46085800, 0x46086800, 0x46181800, 0x46200000, 0x46700400, 0x48100000, 0x00000040, 0x46080801, 0x46080802,
];
/** Where jumps go. */
export const codeAddresses: readonly number[] = [
  ...[0x46088040, 0x46089040, 0x4608a040, 0x4608b040, 0x46080800, 0x46083040, 0x46084040, 0x46086040, 0x46180800, 0x46182040, 0x46181000],
  ...[0x46200040, 0x46300040, 0x46400040, 0x46500040, 0x46600040, 0x46700040, 0x48100000, 0x00000100],
];

const EDGES = [
  0, 1, 2, 0x7f, 0x80, 0xff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0x80000001, 0xfffffffe, 0xffffffff, 0x7f800000, 0x3f800000,
];

const byName = new Map(targets.map((target) => [target.encoding.name, target]));

export const encodingsLike = (pattern: RegExp, except = /^$/): readonly Target[] =>
  targets.filter(({ encoding }) => pattern.test(encoding.name) && !except.test(encoding.name));

export interface Emitted {
  readonly encoding: Encoding;
  readonly fields: Readonly<Record<string, number>>;
}

/** One test being written: its slot of code and its input record. */
export class TestWriter {
  readonly r: Random;
  readonly thumb: boolean;
  readonly input: Uint32Array;
  /** VA of the slot. */
  readonly slot: number;
  mode: number;
  private readonly code: Uint32Array;
  private readonly halves: Uint16Array;
  private length = 0;

  constructor(r: Random, index: number, code: Uint32Array, input: Uint32Array, thumb: boolean) {
    this.r = r;
    this.code = code;
    this.halves = new Uint16Array(code.buffer, code.byteOffset, code.length * 2);
    this.input = input;
    this.slot = at.CODE + index * at.CODE_WORDS * 4;
    this.thumb = thumb;
    this.mode = r.pick(modes);
    this.code.fill(this.thumb ? 0xdf5adf5a : at.END);
    for (let k = 0; k < 35; k++) input[k] = this.value();
    for (const k of [at.FIQ + 5, at.IRQ, at.SVC, at.ABT, at.UND, at.SP_USR]) input[k] = WINDOW + 8 * k - 200;
    for (const k of spsrs) input[k] = this.status();
    input[at.CPSR] = this.status(this.mode, this.thumb);
    input[at.PC] = this.slot;
    input[at.CPACR] = 0x00f00000;
    input[at.DACR] = 0x11;
    input[at.FPEXC] = 0x40000000;
    input[at.FPSCR] = r.oneIn(3) ? r.u32() & 0xf7c00000 : 0;
    input[at.CONTEXTIDR] = r.oneIn(2) ? 0 : 0x1234505;
    input[at.TPIDRURW] = r.pick(EDGES);
    input[at.TPIDRURO] = r.pick(EDGES);
    input[at.CSSELR] = r.below(4);
    for (let k = 0; k < 32; k++) input[at.VECTORS + k] = r.oneIn(2) ? r.pick(EDGES) : 0x3f800000 + (r.below(64) << 18);
  }

  /** A register: an address, a small number, an edge. Few values, so that recorded tests compress. */
  value(): number {
    const { r } = this;
    const k = r.below(10);
    if (k < 4) return WINDOW - 64 + 4 * r.below(32);
    if (k < 5) return this.dataAddress();
    if (k < 8) return r.below(40);
    return r.pick(EDGES);
  }

  dataAddress(): number {
    const { r } = this;
    if (r.oneIn(6)) return r.pick(edges) - 8 + r.below(12);
    return (r.pick(dataAddresses) + (r.oneIn(4) ? r.below(8) : 4 * r.below(4))) >>> 0;
  }

  faultingAddress(): number {
    return this.r.pick(faulting);
  }

  /** A CPSR: any flags, E seldom, any masks (nothing is pending), IT only where asked for. */
  status(mode: number = this.r.pick(modes), thumb: boolean = this.r.oneIn(2), it = 0): number {
    const { r } = this;
    const itBits = ((it & 3) << 25) | ((it >>> 2) << 10);
    return ((r.u32() & 0xf80f01c0) | (r.oneIn(6) ? 0x200 : 0) | itBits | (thumb ? 0x20 : 0) | mode) >>> 0;
  }

  get privileged(): boolean {
    return this.mode !== MODES.usr;
  }

  setMode(mode: number): void {
    this.mode = mode;
    this.input[at.CPSR] = ((this.input[at.CPSR]! & ~0x1f) | mode) >>> 0;
  }

  setBits(word: number, mask: number, value: number): void {
    this.input[word] = ((this.input[word]! & ~mask) | value) >>> 0;
  }

  /** Word of R[n] in the input record, as the test's mode sees it. */
  private wordOfRegister(n: number, mode: number): number {
    if (n < 8) return n;
    if (n < 13) return mode === MODES.fiq ? at.FIQ + n - 8 : n;
    return stackOf[mode]! + n - 13;
  }
  setRegister(n: number, value: number, mode = this.mode): void {
    if (n < 15) this.input[this.wordOfRegister(n, mode)] = value >>> 0;
  }
  setSpsr(value: number): void {
    const word = stackOf[this.mode]! + 2;
    if (spsrs.includes(word)) this.input[word] = value >>> 0;
  }

  private push(isa: string, word: number): void {
    if (isa === 'A32') {
      this.code[this.length >> 1] = word;
      this.length += 2;
    } else if (isa === 'T16') this.halves[this.length++] = word;
    else {
      this.halves[this.length++] = word >>> 16;
      this.halves[this.length++] = word & 0xffff;
    }
  }

  /** A raw word or halfword. */
  raw(word: number): void {
    this.push(this.thumb ? (word >>> 16 === 0 ? 'T16' : 'T32') : 'A32', word);
  }

  /** Halfwords written so far. */
  get written(): number {
    return this.length;
  }

  /** A word of the encoding with these fields, the others random; nothing UNPREDICTABLE. False when there is no such word. */
  emitTarget(
    { encoding, pattern }: Target,
    fields: Readonly<Record<string, number>> = {},
    accept: (fields: Readonly<Record<string, number>>) => boolean = () => true,
  ): Emitted | undefined {
    for (let tries = 0; tries < 60; tries++) {
      const word = this.withFields(pattern, wordOf(this.r, pattern), fields);
      if (word === undefined || !matches(pattern, word)) continue;
      const found = extractFields(pattern, word);
      if (encoding.unless?.(found) === true || !accept(found)) continue;
      const owner = lookUp(encoding.isa, word);
      if (owner === undefined || owner.name !== encoding.name || owner.unpredictable) continue;
      this.push(encoding.isa, word);
      return { encoding, fields: found };
    }
    return undefined;
  }

  private withFields(pattern: CompiledPattern, word: number, fields: Readonly<Record<string, number>>): number | undefined {
    if (Object.keys(fields).length === 0) return word;
    return insertFields(pattern, { ...extractFields(pattern, word), ...fields });
  }

  /** The same by name; fields that the encoding does not have are an error. */
  emit(
    name: string,
    fields: Readonly<Record<string, number>> = {},
    accept?: (fields: Readonly<Record<string, number>>) => boolean,
  ): Emitted | undefined {
    const target = byName.get(name);
    if (target === undefined) throw new Error(`no encoding ${name}`);
    return this.emitTarget(target, fields, accept);
  }

  /** Data at the end of the slot, word 13 on, in the byte order of the test. */
  data(words: readonly number[]): number {
    const swap = (this.input[at.CPSR]! & 0x200) !== 0;
    words.forEach((word, i) => {
      const k = at.CODE_WORDS - words.length + i;
      this.code[k] = swap ? ((word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0 : word >>> 0;
    });
    return this.slot + 4 * (at.CODE_WORDS - words.length);
  }

  /** A place in the slot that ends the test in the given instruction set; SVCs enough for an IT block. */
  landing(thumb: boolean): number {
    for (let k = 9; k < 13; k++) this.code[k] = thumb ? 0xdf5adf5a : at.END;
    return this.slot + 36 + (thumb ? 1 : 0);
  }
}

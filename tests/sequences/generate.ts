import type { Encoding, InstructionSet } from '../../packages/arm-core/src/isa/encoding.js';
import type { CompiledPattern } from '../../packages/arm-core/src/isa/pattern.js';
import { extractFields, matches } from '../../packages/arm-core/src/isa/pattern.js';
import { IN_CPSR, IN_FPSCR, IN_REGISTERS, IN_VECTORS } from '../instructions/batch-layout.js';
import { lookUp, targets, undefinedWord, wordOf, writeState } from '../instructions/generate.js';
import { Random } from '../support/random.js';
import * as at from './places.js';

/** What runs of a world begin with. */
export interface Sequence {
  readonly seed: number;
  /** Where its code is: {@link at.codeAt}. */
  readonly slot: number;
  /** As at {@link at.STATE}; the second has other registers. */
  readonly states: readonly [Uint32Array, Uint32Array];
  readonly code: Uint8Array;
  /** As at {@link at.DATA}, the same for all sequences of a group. */
  readonly data: Uint8Array;
  readonly thumb: boolean;
  /** Offsets of the instructions in `code`, and of what ends it. */
  readonly offsets: readonly number[];
  /** Instructions after which a sequence that has not ended is given up. */
  readonly limit: number;
}

/** Would leave the modes and translations that the world stands on, wait, or end the machine. */
const NEVER =
  /^(HVC|SMC|WFI|WFE|YIELD|DBG|RFE|SRS|CPS|MSR_banked|MRS_banked|SUBS_PC_LR|BKPT|HLT|UDF|LDM[ID][AB]_(user|return)|STM[ID][AB]_user)/;

/** Made with a target inside the sequence instead. */
const BRANCHES = /^(B|BL|BLX_imm|CBZ|TBB|IT|SVC)_/;

/** Only harmless without privilege. */
const USER_ONLY = /^(MSR|MCR|MRC|MCRR|MRRC|CDP|LDC|STC|VMSR|VMRS|BXJ)/;

const sets = {
  a32: targets.filter(({ encoding }) => encoding.isa === 'A32' && !NEVER.test(encoding.name) && !BRANCHES.test(encoding.name)),
  thumb: targets.filter(({ encoding }) => encoding.isa !== 'A32' && !NEVER.test(encoding.name) && !BRANCHES.test(encoding.name)),
};

/** Encodings that sequences are made of. */
export const encodingNames: readonly string[] = [...sets.a32, ...sets.thumb].map(({ encoding }) => encoding.name);

/** A word written to r15 ends most sequences: one in ten is enough. */
const writesPc = (encoding: Encoding, pattern: CompiledPattern, word: number): boolean => {
  const fields = extractFields(pattern, word);
  if (/^(LDM|POP)/.test(encoding.name))
    return pattern.fields.some(({ pieces }) => pieces.reduce((n, { width }) => n + width, 0) >= 13 && (word & 0x8000) !== 0);
  if (/^(BX|BLX_reg)/.test(encoding.name)) return true;
  return fields['d'] === 15 || (fields['t'] === 15 && /^LDR/.test(encoding.name));
};

/** Counts the rounds of a loop. */
const COUNTER = 10;

/** Whether a field of four bits is the counter's number, or a list has it: the instruction may write it. */
const namesCounter = (pattern: CompiledPattern, word: number): boolean => {
  const fields = extractFields(pattern, word);
  return pattern.fields.some(({ letter, pieces }) => {
    const bits = pieces.reduce((n, { width }) => n + width, 0);
    return bits === 4 ? fields[letter] === COUNTER : bits >= 13 && bits <= 16 && ((fields[letter]! >>> COUNTER) & 1) === 1;
  });
};

const randomWord = (r: Random, target: (typeof targets)[number], inIt: boolean, inLoop: boolean): number | undefined => {
  const { encoding, pattern } = target;
  for (let tries = 0; tries < 40; tries++) {
    const word = wordOf(r, pattern);
    if (!matches(pattern, word) || encoding.unless?.(extractFields(pattern, word)) === true) continue;
    const owner = lookUp(encoding.isa, word);
    if (owner?.name !== encoding.name || owner.unpredictable) continue;
    if (writesPc(encoding, pattern, word) && (inIt || !r.oneIn(10))) continue;
    if (inLoop && namesCounter(pattern, word)) continue;
    return word;
  }
  return undefined;
};

/** A place in data, at its page's edge, in a page without access, in the code, or none. */
const pointer = (r: Random, slot: number): number => {
  switch (r.below(8)) {
    case 0:
      return at.WINDOW + 0xfe0 + r.below(64);
    case 1:
      return at.WINDOW + r.below(0x6000);
    case 2:
      return at.WINDOW + 0x5000 + r.below(1024) * 4;
    case 3:
      return at.DATA + r.below(0x1000) * 4;
    case 4:
      return at.windowCodeAt(slot) + 0x400 + r.below(256) * 4;
    default:
      return at.WINDOW + 0x100 + r.below(0x380) * 4;
  }
};

type Item =
  | { readonly kind: 'word'; readonly word: number; readonly size: 2 | 4 }
  /** MOVW or MOVT of the address of an instruction to r12. */
  | { readonly kind: 'address'; readonly target: number; readonly top: boolean; readonly window: boolean }
  /** Condition 14: always; with `link` a call. */
  | { readonly kind: 'branch'; readonly condition: number; readonly target: number; readonly link: boolean };

/** MOVW, or MOVT for the upper half. */
const moveHalf = (thumb: boolean, register: number, value: number, top: boolean): number => {
  const half = top ? value >>> 16 : value & 0xffff;
  if (!thumb) return ((top ? 0xe340_0000 : 0xe300_0000) | ((half >>> 12) << 16) | (register << 12) | (half & 0xfff)) >>> 0;
  const immediate = ((half >>> 12) << 16) | (((half >>> 11) & 1) << 26) | (((half >>> 8) & 7) << 12) | (half & 0xff);
  return ((top ? 0xf2c0_0000 : 0xf240_0000) | immediate | (register << 8)) >>> 0;
};

/** Writes instructions of one instruction set. */
class Writer {
  readonly items: Item[] = [];
  readonly r: Random;
  readonly slot: number;
  readonly thumb: boolean;
  private readonly list: typeof targets;
  private turn: number;
  /** Index of the item that a loop begins with, or -1. */
  loop = -1;

  constructor(r: Random, slot: number, thumb: boolean, privileged: boolean) {
    this.r = r;
    this.slot = slot;
    this.thumb = thumb;
    const list = thumb ? sets.thumb : sets.a32;
    this.list = privileged ? list.filter(({ encoding }) => !USER_ONLY.test(encoding.name)) : list;
    this.turn = r.below(this.list.length);
  }

  word(word: number, isa: InstructionSet): void {
    this.items.push({ kind: 'word', word, size: isa === 'T16' ? 2 : 4 });
  }

  /** Any encoding, each as likely. */
  any(inIt = false): void {
    for (;;) {
      this.turn = this.r.oneIn(4) ? this.r.below(this.list.length) : (this.turn + 37) % this.list.length;
      const target = this.list[this.turn]!;
      if (inIt && /^(SETEND|CBZ|IT)/.test(target.encoding.name)) continue;
      const word = randomWord(this.r, target, inIt, this.loop >= 0);
      if (word === undefined) continue;
      this.word(word, target.encoding.isa);
      return;
    }
  }

  constant(register: number, value: number): void {
    for (const top of [false, true]) this.word(moveHalf(this.thumb, register, value, top), this.thumb ? 'T32' : 'A32');
  }

  /** Stores another instruction over one of this sequence, through one mapping of the page or the other. */
  rewrite(): void {
    const { r } = this;
    const target = this.items.length + r.below(16);
    const window = r.oneIn(2);
    const word = this.replacement();
    for (const top of [false, true]) this.items.push({ kind: 'address', target, top, window });
    this.constant(11, word);
    if (this.thumb) this.word(0xf8cc_b000, 'T32');
    else this.word(0xe58c_b000, 'A32');
  }

  /** As the word is in memory. */
  private replacement(): number {
    for (;;) {
      const target = this.r.pick(this.list);
      const word = randomWord(this.r, target, true, false);
      if (word === undefined) continue;
      if (target.encoding.isa === 'A32') return word;
      return target.encoding.isa === 'T16' ? ((word << 16) | word) >>> 0 : ((word << 16) | (word >>> 16)) >>> 0;
    }
  }

  /** STR of `value` to `address`. */
  store(address: number, value: number): void {
    this.constant(12, address);
    this.constant(11, value);
    if (this.thumb) this.word(0xf8cc_b000, 'T32');
    else this.word(0xe58c_b000, 'A32');
  }

  it(): void {
    const { r } = this;
    const count = 1 + r.below(4);
    const condition = r.below(14);
    // Bits above the last: then or else for each instruction after the first.
    let mask = 1 << (4 - count);
    for (let k = 1; k < count; k++) mask |= (r.oneIn(2) ? condition & 1 : (condition & 1) ^ 1) << (4 - k);
    this.word(0xbf00 | (condition << 4) | mask, 'T16');
    for (let k = 0; k < count; k++) this.any(true);
  }
}

/** `subs r10, r10, #1` and a branch back, so that a loop ends. */
const loopEnd = (w: Writer, target: number): void => {
  w.word(w.thumb ? 0xf1ba_0a01 : 0xe25a_a001, w.thumb ? 'T32' : 'A32');
  w.items.push({ kind: 'branch', condition: 1, target, link: false });
};

const pointerRegisters = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12];

const fill = (w: Writer, count: number): void => {
  const { r } = w;
  while (w.items.length < count) {
    const k = r.below(100);
    if (k < 68) w.any();
    else if (k < 76)
      w.items.push({
        kind: 'branch',
        condition: r.oneIn(4) ? 14 : r.below(14),
        // Mostly forwards and not far.
        target: r.oneIn(80) ? r.below(w.items.length + 1) : w.items.length + 2 + r.below(8),
        link: r.oneIn(6),
      });
    else if (k < 82 && w.thumb) w.it();
    else if (k < 88) w.constant(r.pick(pointerRegisters), pointer(r, w.slot));
    else if (k < 91 && w.loop < 0) {
      w.constant(COUNTER, 2 + r.below(6));
      w.loop = w.items.length;
    } else if (k < 94 && w.loop >= 0) {
      loopEnd(w, w.loop);
      w.loop = -1;
    } else if (k < 95) w.store(pointer(r, w.slot), r.u32());
    else if (k < 97) w.rewrite();
    else if (k < 98)
      w.items.push({ kind: 'word', word: w.thumb ? 0xdf00 | r.below(256) : (0xef00_0000 | r.below(65536)) >>> 0, size: w.thumb ? 2 : 4 });
    else {
      const isa = w.thumb ? r.pick(['T16', 'T32'] as const) : 'A32';
      const word = undefinedWord(r, isa);
      if (word !== undefined) w.word(word, isa);
    }
  }
};

const sizeOf = (item: Item): number => (item.kind === 'word' ? item.size : 4);

const branchWord = (thumb: boolean, { condition, link }: Item & { kind: 'branch' }, distance: number): number => {
  if (!thumb) return ((condition << 28) | (link ? 0x0b00_0000 : 0x0a00_0000) | (((distance - 8) >> 2) & 0xff_ffff)) >>> 0;
  const offset = distance - 4;
  if (link || condition === 14) {
    const s = offset < 0 ? 1 : 0;
    const i1 = (offset >> 23) & 1;
    const i2 = (offset >> 22) & 1;
    return (
      (((0xf000 | (s << 10) | ((offset >> 12) & 0x3ff)) << 16) |
        (link ? 0xd000 : 0x9000) |
        ((i1 ^ s ^ 1) << 13) |
        ((i2 ^ s ^ 1) << 11) |
        ((offset >> 1) & 0x7ff)) >>>
      0
    );
  }
  const s = offset < 0 ? 1 : 0;
  return (
    (((0xf000 | (s << 10) | (condition << 6) | ((offset >> 12) & 0x3f)) << 16) |
      0x8000 |
      (((offset >> 18) & 1) << 13) |
      (((offset >> 19) & 1) << 11) |
      ((offset >> 1) & 0x7ff)) >>>
    0
  );
};

const wordAt = (w: Writer, item: Item, here: number, offsets: readonly number[]): number => {
  if (item.kind === 'word') return item.word;
  const target = offsets[Math.min(item.target, w.items.length)]!;
  if (item.kind === 'branch') return branchWord(w.thumb, item, target - here);
  const page = item.window && target < 0x1000 ? at.windowCodeAt(w.slot) : at.codeAt(w.slot);
  return moveHalf(w.thumb, 12, page + (target & ~3), item.top);
};

/** Jumps to what ends a sequence, everywhere: LDR PC from the literal behind it. */
const filledWithEnds = (thumb: boolean): Uint8Array => {
  const code = new Uint8Array(at.CODE_BYTES);
  const words = new Uint32Array(code.buffer);
  for (let k = 0; k < words.length; k += 2) {
    words[k] = thumb ? 0xf000_f8df : 0xe51f_f004;
    words[k + 1] = at.DONE;
  }
  return code;
};
const ends = { a32: filledWithEnds(false), thumb: filledWithEnds(true) };

/** Writes the instructions from `base` on; returns their offsets and that of what follows. */
const place = (w: Writer, base: number, bytes: Uint8Array): number[] => {
  const code = new DataView(bytes.buffer);
  const offsets: number[] = [];
  let offset = base;
  for (const item of w.items) {
    offsets.push(offset);
    offset += sizeOf(item);
  }
  offsets.push(offset);
  w.items.forEach((item, i) => {
    const here = offsets[i]!;
    const word = wordAt(w, item, here, offsets);
    if (sizeOf(item) === 2) code.setUint16(here, word, true);
    else if (w.thumb) {
      code.setUint16(here, word >>> 16, true);
      code.setUint16(here + 2, word, true);
    } else code.setUint32(here, word, true);
  });
  // NOPs to the next jump to the end.
  if (w.thumb) for (; (offset & 7) !== 0; offset += 2) code.setUint16(offset, 0xbf00, true);
  else if (offset & 4) code.setUint32(offset, 0xe320_f000, true);
  return offsets;
};

/** Registers, flags, FPSCR, vectors and timer to begin with. */
const stateOf = (r: Random, slot: number, thumb: boolean, privileged: boolean, entry: number, timed: boolean): Uint32Array => {
  const state = new Uint32Array(at.STATE_WORDS);
  const record = new Uint32Array(96);
  writeState(r, record, thumb);
  for (let k = 0; k < 15; k++) state[k] = r.oneIn(2) ? pointer(r, slot) : record[IN_REGISTERS + k]!;
  state[at.STATE_CPSR] = ((record[IN_CPSR]! & 0xf80f_0000) | (privileged ? 0x5f : 0x50) | (thumb ? 0x20 : 0)) >>> 0;
  state[at.STATE_FPSCR] = record[IN_FPSCR]!;
  state[at.STATE_ENTRY] = entry;
  if (timed) {
    state[at.STATE_TICKS] = 1 + r.below(24);
    state[at.STATE_TICKS_AGAIN] = r.oneIn(3) ? 0 : 3 + r.below(20);
  }
  state[at.STATE_GO] = 1;
  for (let k = 0; k < 64; k++) state[at.STATE_VECTORS + k] = record[IN_VECTORS + k]!;
  return state;
};

/** Data for sequences of a group. */
const dataOf = (r: Random): Uint8Array => {
  const data = new Uint8Array(at.DATA_BYTES);
  const words = new Uint32Array(data.buffer);
  for (let k = 0; k < words.length; k++) {
    const kind = r.below(8);
    // A sequence that jumps into its data shall end.
    words[k] = kind < 2 ? at.END_T16 : kind === 2 ? 0 : kind === 3 ? pointer(r, r.below(at.SLOTS)) : r.u32();
  }
  return data;
};

const generate = (seed: number, slot: number, data: Uint8Array): Sequence => {
  const r = new Random(seed);
  const thumb = r.oneIn(2);
  const privileged = r.oneIn(3);
  const code = (thumb ? ends.thumb : ends.a32).slice();
  const w = new Writer(r, slot, thumb, privileged);
  // Long ones cost more than they find: regions begin at most blocks and reach to the end.
  const count = r.oneIn(6) ? 20 + r.below(181) : 20 + r.below(24);
  fill(w, count);
  // One in four begins so that it crosses into the second page.
  const base = r.oneIn(4) ? 0x1000 - 4 * r.below(count) - (thumb ? 2 * r.below(2) : 0) : 0x400 + 4 * r.below(16);
  const offsets = place(w, base, code);
  const entry = at.codeAt(slot) + base + (thumb ? 1 : 0);
  const state = (timed: boolean): Uint32Array => stateOf(r, slot, thumb, privileged, entry, timed);
  return { seed, slot, states: [state(r.oneIn(6)), state(!r.oneIn(4))], code, data, thumb, offsets, limit: 150 + 4 * count };
};

/** The sequences of {@link at.SLOTS} seeds from a multiple of that on: 20 to 200 instructions of one instruction set each, with what they begin with. */
export const generateGroup = (seed: number): readonly Sequence[] => {
  const data = dataOf(new Random(~seed));
  return Array.from({ length: at.SLOTS }, (_, slot) => generate(seed + slot, slot, data));
};

import { IN_CPSR, IN_FPSCR, IN_VECTORS } from '../instructions/batch-layout.js';
import { writeState } from '../instructions/generate.js';
import { Random } from '../support/random.js';
import { placeItems } from './items.js';
import * as at from './places.js';
import { base, offset, pointer, value } from './values.js';
import type { Roles } from './words.js';
import { Writer } from './writer.js';

/** What runs of a world begin with. */
export interface Sequence {
  readonly seed: number;
  /** Where its code is: {@link at.codeAt}. */
  readonly slot: number;
  /** As at {@link at.STATE}; the second has other registers. */
  readonly states: readonly [Uint32Array, Uint32Array];
  readonly code: Uint8Array;
  /** The code of the later runs: for one in four another instruction somewhere, which the host writes. */
  readonly later: Uint8Array;
  /** As at {@link at.DATA}, the same for all sequences of a group. */
  readonly data: Uint8Array;
  readonly thumb: boolean;
  /** Offsets of the instructions in `code`, and of what ends it. */
  readonly offsets: readonly number[];
  /** Instructions after which a sequence that has not ended is given up. */
  readonly limit: number;
}

/** Jumps to what ends a sequence, everywhere: LDR PC from the literal behind it; and the stubs. */
const emptySlot = (thumb: boolean): Uint8Array => {
  const code = new Uint8Array(at.CODE_BYTES);
  const words = new Uint32Array(code.buffer);
  for (let k = 0; k < words.length; k += 2) {
    words[k] = thumb ? 0xf000_f8df : 0xe51f_f004;
    words[k + 1] = at.DONE;
  }
  // ADDS r0, r0, #1; EORS r1, r1, r0; BX LR
  words.set([0xe290_0001, 0xe031_1000, 0xe12f_ff1e], at.STUB_A32 / 4);
  words.set([0x4041_3001, 0x4770_4770], at.STUB_T16 / 4);
  return code;
};
const empty = { a32: emptySlot(false), thumb: emptySlot(true) };

/** FPSCR: 0; nearest and inexact already, where regions use the host's arithmetic; or any. */
const fpscr = (r: Random, any: number): number => {
  const k = r.below(6);
  return k === 0 ? 0 : k < 4 ? 0x10 | (r.oneIn(3) ? any & 0xf300_009f : 0) : any;
};

/** Registers, flags, FPSCR, vectors and timer to begin with. */
const stateOf = (r: Random, slot: number, thumb: boolean, privileged: boolean, roles: Roles, timed: boolean): Uint32Array => {
  const state = new Uint32Array(at.STATE_WORDS);
  const record = new Uint32Array(96);
  writeState(r, record, thumb);
  for (let k = 0; k < 15; k++) state[k] = r.oneIn(6) ? pointer(r, slot) : value(r);
  for (const n of roles.bases) state[n] = base(r);
  state[13] = state[13]! & ~3;
  state[roles.index] = offset(r);
  const bigEndian = r.oneIn(5) ? 0x200 : 0;
  state[at.STATE_CPSR] = ((record[IN_CPSR]! & 0xf80f_0000) | (privileged ? 0x5f : 0x50) | (thumb ? 0x20 : 0) | bigEndian) >>> 0;
  state[at.STATE_FPSCR] = fpscr(r, record[IN_FPSCR]!);
  if (timed) {
    // A tick is sixteen instructions; some thirty are the driver's.
    state[at.STATE_TICKS] = 2 + r.below(r.oneIn(3) ? 24 : 4);
    state[at.STATE_TICKS_AGAIN] = r.oneIn(4) ? 0 : 1 + r.below(r.oneIn(3) ? 20 : 3);
  }
  state[at.STATE_GO] = 1;
  state[at.STATE_ALIGNED] = r.oneIn(6) ? 2 : 0;
  for (let k = 0; k < 64; k++) state[at.STATE_VECTORS + k] = r.oneIn(3) ? value(r) : record[IN_VECTORS + k]!;
  return state;
};

/** Data for sequences of a group. */
const dataOf = (r: Random): Uint8Array => {
  const data = new Uint8Array(at.DATA_BYTES);
  const words = new Uint32Array(data.buffer);
  for (let k = 0; k < words.length; k++) {
    const kind = r.below(8);
    // A sequence that jumps into its data shall end.
    words[k] = kind === 0 ? at.END_T16 : kind === 1 ? value(r) : kind === 2 ? pointer(r, r.below(at.SLOTS)) : r.u32();
  }
  return data;
};

const generate = (seed: number, slot: number, data: Uint8Array): Sequence => {
  const r = new Random(seed);
  const thumb = r.oneIn(2);
  const privileged = r.oneIn(3);
  const code = (thumb ? empty.thumb : empty.a32).slice();
  const w = new Writer(r, slot, thumb, privileged);
  // Long ones cost more than they find: regions begin at most blocks and reach to the end.
  const count = r.oneIn(6) ? 20 + r.below(181) : 20 + r.below(24);
  w.write(count);
  // One in four begins so that it crosses into the second page; others so near to the first that literals may be before it.
  const begin = r.oneIn(4) ? 0x1000 - 4 * r.below(count) - (thumb ? 2 * r.below(2) : 0) : 0x300 + 4 * r.below(96);
  const offsets = placeItems(w.items, thumb, slot, begin, code);
  const states = [r.oneIn(6), !r.oneIn(4)].map((timed) => stateOf(r, slot, thumb, privileged, w.roles, timed)) as [
    Uint32Array,
    Uint32Array,
  ];
  // One in eight is run at its other address: its second page is another sequence's there, or missing.
  const place = r.oneIn(8) && begin < 0x1000 ? at.windowCodeAt(slot) : at.codeAt(slot);
  for (const state of states) state[at.STATE_ENTRY] = place + begin + (thumb ? 1 : 0);
  const later = r.oneIn(4) ? w.patched(code, offsets) : code;
  return { seed, slot, states, code, later, data, thumb, offsets, limit: 150 + 4 * count };
};

/** The sequences of {@link at.SLOTS} seeds from a multiple of that on: 20 to 200 instructions of one instruction set each, with what they begin with. */
export const generateGroup = (seed: number): readonly Sequence[] => {
  const data = dataOf(new Random(~seed));
  return Array.from({ length: at.SLOTS }, (_, slot) => generate(seed + slot, slot, data));
};

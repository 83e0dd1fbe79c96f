import type { Random } from '../support/random.js';
import * as at from './places.js';

/** Where carries, signs, shifts and lanes change. */
const EDGES = [
  0, 1, 2, 0xffff_ffff, 0xffff_fffe, 0x8000_0000, 0x8000_0001, 0x7fff_ffff, 0x7fff_fffe, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff,
  0xffff_8000, 0xffff_ff80, 0x8000_8000, 0x7fff_7fff, 0x8080_8080, 0x7f7f_7f7f, 0x00ff_00ff, 0xff00_ff00, 0x7fff_8000, 0x0080_0000,
  0x3f80_0000, 0x7f80_0000, 0x7fc0_0000, 0x5555_5555,
];

/** Amounts at which shifts by registers change what they do. */
const AMOUNTS = [0, 1, 7, 8, 15, 16, 30, 31, 32, 33, 63, 64, 65, 127, 128, 255, 256, 257, 0xffff_ffe0, 0x1_20];

const OFFSETS = [0, 1, 2, 3, 4, 4, 8, 8, 12, 16, 31, 32, 32, 32, 32, 33, 64, 0xffff_fffc, 0xffff_fff8];

/** An edge, an amount, a small number, or anything. */
export const value = (r: Random): number => {
  const k = r.below(16);
  if (k < 6) return r.pick(EDGES);
  if (k < 9) return r.pick(AMOUNTS);
  if (k < 11) return r.below(256);
  return r.u32();
};

/** What is added to an address. */
export const offset = (r: Random): number => r.pick(OFFSETS);

/** A place in data, at its page's edge, in a page without access, in the code, or none. */
export const pointer = (r: Random, slot: number): number => {
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

/** An address that most accesses find something at, aligned as a rule; some are near the edge of what may be read or written. */
export const base = (r: Random): number => {
  const k = r.below(24);
  if (k === 0) return at.WINDOW + 0xfe0 + 4 * r.below(12);
  if (k === 1) return at.WINDOW + 0x1fe0 + 4 * r.below(10);
  if (k === 2) return at.WINDOW + 0x5fc0 + 4 * r.below(20);
  if (k === 3) return at.WINDOW + 0x1000 + 4 * r.below(64);
  // Only with privilege.
  if (k === 4) return at.WINDOW + 0x3000 + 4 * r.below(0x380);
  if (k < 7) return at.WINDOW + 0x100 + r.below(0xd00);
  if (k < 15) return at.DATA + 0x100 + 8 * r.below(0x200);
  return at.WINDOW + 0x100 + 8 * r.below(0x1a0);
};

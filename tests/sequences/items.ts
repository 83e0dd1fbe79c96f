import * as at from './places.js';

/** An instruction whose place is known later: index of the item. */
export interface Label {
  item: number;
}

/** Pieces of a sequence. Targets beyond the last are the sequence's end. */
export type Item =
  | { readonly kind: 'word'; readonly word: number; readonly size: 2 | 4 }
  /** MOVW or MOVT of an address to r12: of an instruction, of its word in one mapping of the page or the other, or of a place in the slot. */
  | { readonly kind: 'address'; readonly target: Label | number; readonly top: boolean; readonly of: 'call' | 'word' | 'window' | 'stub' }
  /** Condition 14: always. `narrow` is for near ones. */
  | { readonly kind: 'branch'; readonly condition: number; readonly target: Label; readonly narrow: boolean }
  /** BL, or BLX to a place in the slot. */
  | { readonly kind: 'call'; readonly target: Label | number }
  | { readonly kind: 'compare and branch'; readonly register: number; readonly nonzero: boolean; readonly target: Label }
  /** Of TBB or TBH, four bytes. */
  | { readonly kind: 'table'; readonly targets: readonly Label[] };

/** MOVW, or MOVT for the upper half. */
export const moveHalf = (thumb: boolean, register: number, value: number, top: boolean): number => {
  const half = top ? value >>> 16 : value & 0xffff;
  if (!thumb) return ((top ? 0xe340_0000 : 0xe300_0000) | ((half >>> 12) << 16) | (register << 12) | (half & 0xfff)) >>> 0;
  const immediate = ((half >>> 12) << 16) | (((half >>> 11) & 1) << 26) | (((half >>> 8) & 7) << 12) | (half & 0xff);
  return ((top ? 0xf2c0_0000 : 0xf240_0000) | immediate | (register << 8)) >>> 0;
};

/** B_T4, BL_T1 or BLX_imm_T2: what differs is in `kind`. */
const wideBranch = (offset: number, kind: number): number => {
  const s = offset < 0 ? 1 : 0;
  const i1 = (offset >> 23) & 1;
  const i2 = (offset >> 22) & 1;
  const low = kind | ((i1 ^ s ^ 1) << 13) | ((i2 ^ s ^ 1) << 11) | ((offset >> 1) & 0x7ff);
  return (((0xf000 | (s << 10) | ((offset >> 12) & 0x3ff)) << 16) | low) >>> 0;
};

const branchWord = (thumb: boolean, condition: number, narrow: boolean, distance: number): number => {
  if (!thumb) return ((condition << 28) | 0x0a00_0000 | (((distance - 8) >> 2) & 0xff_ffff)) >>> 0;
  const offset = distance - 4;
  if (narrow) return condition === 14 ? 0xe000 | ((offset >> 1) & 0x7ff) : 0xd000 | (condition << 8) | ((offset >> 1) & 0xff);
  if (condition === 14) return wideBranch(offset, 0x9000);
  const s = offset < 0 ? 1 : 0;
  const high = 0xf000 | (s << 10) | (condition << 6) | ((offset >> 12) & 0x3f);
  return ((high << 16) | 0x8000 | (((offset >> 18) & 1) << 13) | (((offset >> 19) & 1) << 11) | ((offset >> 1) & 0x7ff)) >>> 0;
};

const callWord = (thumb: boolean, here: number, target: number, exchanges: boolean): number => {
  if (thumb) return exchanges ? wideBranch(target - ((here + 4) & ~3), 0xc000) : wideBranch(target - here - 4, 0xd000);
  const distance = target - here - 8;
  return ((exchanges ? 0xfa00_0000 | (((distance >> 1) & 1) << 24) : 0xeb00_0000) | ((distance >> 2) & 0xff_ffff)) >>> 0;
};

export const sizeOf = (item: Item, thumb: boolean): 2 | 4 => {
  if (item.kind === 'word') return item.size;
  if (item.kind === 'compare and branch' || (item.kind === 'branch' && item.narrow && thumb)) return 2;
  return 4;
};

/** Where things of a sequence are: offsets of its items and of what follows, from the slot's code. */
interface Layout {
  readonly thumb: boolean;
  readonly slot: number;
  readonly offsets: readonly number[];
}

const wordAt = (item: Item, here: number, { thumb, slot, offsets }: Layout): number => {
  const offsetOf = (label: Label | number): number =>
    typeof label === 'number' ? label : offsets[Math.min(label.item, offsets.length - 1)]!;
  switch (item.kind) {
    case 'word':
      return item.word;
    case 'branch':
      return branchWord(thumb, item.condition, item.narrow, offsetOf(item.target) - here);
    case 'call':
      return callWord(thumb, here, offsetOf(item.target), typeof item.target === 'number');
    case 'compare and branch': {
      // At most 126 bytes ahead of PC: to what is the nearest of all when the target is too far.
      const distance = Math.min(offsetOf(item.target) - here - 4, 126);
      const offset = distance < 0 ? 0 : offsets.some((each) => each === here + 4 + distance) ? distance : 0;
      return 0xb100 | (item.nonzero ? 0x800 : 0) | ((offset >> 6) << 9) | (((offset >> 1) & 31) << 3) | item.register;
    }
    case 'table': {
      const size = 4 / item.targets.length;
      return item.targets.reduce((word, target, i) => {
        const entry = Math.max(0, offsetOf(target) - here) >> 1;
        return (word | (Math.min(entry, size === 1 ? 255 : 0xffff) << (8 * size * i))) >>> 0;
      }, 0);
    }
    case 'address': {
      const offset = offsetOf(item.target);
      const code = at.codeAt(slot);
      if (item.of === 'call') return moveHalf(thumb, 12, (code + offset) | (thumb ? 1 : 0), item.top);
      if (item.of === 'stub') return moveHalf(thumb, 12, (code + offset) | (thumb ? 0 : 1), item.top);
      const page = item.of === 'window' && offset < 0x1000 ? at.windowCodeAt(slot) : code;
      return moveHalf(thumb, 12, page + (offset & ~3), item.top);
    }
  }
};

/** Writes items into a slot's code from `base` on; returns their offsets and that of what follows. */
export const placeItems = (items: readonly Item[], thumb: boolean, slot: number, base: number, bytes: Uint8Array): number[] => {
  const code = new DataView(bytes.buffer);
  const offsets: number[] = [];
  let offset = base;
  for (const item of items) {
    offsets.push(offset);
    offset += sizeOf(item, thumb);
  }
  offsets.push(offset);
  items.forEach((item, i) => {
    const here = offsets[i]!;
    const word = wordAt(item, here, { thumb, slot, offsets });
    if (sizeOf(item, thumb) === 2) code.setUint16(here, word, true);
    else if (thumb && item.kind !== 'table') {
      code.setUint16(here, word >>> 16, true);
      code.setUint16(here + 2, word, true);
    } else code.setUint32(here, word, true);
  });
  // NOPs to the next jump to the end.
  if (thumb) for (; (offset & 7) !== 0; offset += 2) code.setUint16(offset, 0xbf00, true);
  else if (offset & 4) code.setUint32(offset, 0xe320_f000, true);
  return offsets;
};

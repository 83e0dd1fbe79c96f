import type { Value } from '@tablewalk/engine';
import { layout, ops } from '@tablewalk/engine';
import type { ArmBuilder } from '../arm-builder.js';
import type { Encoding, Fields } from '../encoding.js';

/** What a load or store moves. */
export interface Access {
  readonly size: 1 | 2 | 4;
  /** MEM_ flags beside size and endianness. */
  readonly flags: number;
}
export const WORD: Access = { size: 4, flags: 0 };
export const BYTE: Access = { size: 1, flags: 0 };
export const HALF: Access = { size: 2, flags: 0 };
export const SIGNED_BYTE: Access = { size: 1, flags: ops.MEM_SIGNED };
export const SIGNED_HALF: Access = { size: 2, flags: ops.MEM_SIGNED };
export const unprivileged = (access: Access): Access => ({ size: access.size, flags: access.flags | ops.MEM_UNPRIVILEGED });

/** When the offset applies and whether the base is written: `offset` writes it only when field w is 1. */
export type Indexing = 'offset' | 'pre' | 'post';

/** The offset of an addressing mode. `add` gives base + offset; it is asked again for the write-back, after the access. */
export interface Offset {
  add(b: ArmBuilder, f: Fields, base: Value): Value;
  /** Whether the offset can still be computed when register t has been loaded. */
  survives(f: Fields, t: number): boolean;
  /** Known offset in bytes, or undefined. */
  constant(f: Fields): number | undefined;
}

/** Immediate in field i, in units of `scale` bytes; direction in field u (missing: up), or `down`. */
export const immediateOffset = (scale = 1, down = false): Offset => {
  const constant = (f: Fields): number => f['i']! * scale * (down || f['u'] === 0 ? -1 : 1);
  return {
    add: (b, f, base) => {
      const k = constant(f);
      return k === 0 ? base : b.add(base, b.const(k));
    },
    survives: () => true,
    constant,
  };
};

/** An offset that the encoding implies. */
export const constantOffset = (k: number): Offset => ({
  add: (b, _f, base) => b.add(base, b.const(k)),
  survives: () => true,
  constant: () => k,
});

/** R[m] shifted by an immediate: type in y, amount in a (DecodeImmShift); no carry is needed. */
const shiftedIndex = (b: ArmBuilder, f: Fields): Value => {
  const m = b.reg(f['m']!);
  const amount = f['a'] ?? 0;
  switch (f['y'] ?? 0) {
    case 0:
      return amount === 0 ? m : b.shl(m, b.const(amount));
    case 1:
      return amount === 0 ? b.const(0) : b.shr(m, b.const(amount));
    case 2:
      return b.sar(m, b.const(amount === 0 ? 31 : amount));
    default:
      return amount === 0 ? b.or(b.shl(b.carry(), b.const(31)), b.shr(m, b.const(1))) : b.rotr(m, b.const(amount));
  }
};

/** Register in field m, shift in y and a, direction in u; missing fields mean no shift, and up. */
export const registerOffset: Offset = {
  add: (b, f, base) => {
    const index = shiftedIndex(b, f);
    return f['u'] === 0 ? b.sub(base, index) : b.add(base, index);
  },
  survives: (f, t) => f['m'] !== t,
  constant: () => undefined,
};

/** R[n] as a base: PC is aligned to a word. */
const baseOf = (b: ArmBuilder, n: number): Value => (n === 15 ? b.pcAligned() : b.getReg(n));

/** Address of the access. */
const addressOf = (b: ArmBuilder, f: Fields, n: number, offset: Offset, indexing: Indexing): Value => {
  if (indexing === 'post') return baseOf(b, n);
  const known = offset.constant(f);
  if (n === 15 && known !== undefined) return b.pagePc(((b.offset + (b.thumb ? 4 : 8)) & ~3) + known);
  return offset.add(b, f, baseOf(b, n));
};

const writesBase = (f: Fields, indexing: Indexing): boolean => indexing !== 'offset' || f['w'] === 1;

/** R[n] := R[n] + offset. Write-back to PC is UNPREDICTABLE: a branch here. */
const writeBase = (b: ArmBuilder, f: Fields, n: number, offset: Offset): void => {
  if (offset.constant(f) === 0) return;
  const value = offset.add(b, f, baseOf(b, n));
  if (n === 15) b.branchTo(value);
  else b.setReg(n, value);
};

interface Form {
  readonly access: Access;
  readonly offset: Offset;
  readonly indexing?: Indexing;
  /** Base register when it is not field n. */
  readonly base?: number;
}

/**
 * LDR and its narrow forms. The load is the last thing that can fault; the destination wins over the write-back when they are the same register
 * (UNPREDICTABLE).
 */
export const load = ({ access, offset, indexing = 'offset', base }: Form): Encoding['semantics'] => {
  return (b, f) => {
    const n = base ?? f['n']!;
    const t = f['t']!;
    const value = b.read(addressOf(b, f, n, offset, indexing), access.size, access.flags);
    const writes = writesBase(f, indexing) && t !== n;
    if (t === 15) {
      if (writes) writeBase(b, f, n, offset);
      b.jumpExchange(value);
      return;
    }
    if (writes && !offset.survives(f, t)) {
      // UNPREDICTABLE only before ARMv6, so it has to be right: the index register is the destination.
      const written = offset.add(b, f, baseOf(b, n));
      b.setReg(t, value);
      if (n === 15) b.branchTo(written);
      else b.setReg(n, written);
      return;
    }
    b.setReg(t, value);
    if (writes) writeBase(b, f, n, offset);
  };
};

export const store = ({ access, offset, indexing = 'offset', base }: Form): Encoding['semantics'] => {
  return (b, f) => {
    const n = base ?? f['n']!;
    const address = addressOf(b, f, n, offset, indexing);
    b.write(address, access.size, b.reg(f['t']!), access.flags);
    if (writesBase(f, indexing)) writeBase(b, f, n, offset);
  };
};

/** Registers of a doubleword access: field x, or Rt + 1 in A32, where an odd Rt is UNPREDICTABLE and taken as UNDEFINED. */
const pairOf = (f: Fields): readonly [number, number] | undefined => {
  const t = f['t']!;
  const second = f['x'];
  if (second !== undefined) return [t, second];
  return t & 1 ? undefined : [t, t + 1];
};

/** LDRD: both words or, on a fault, nothing. A base that is also loaded (UNPREDICTABLE) ends as the written-back value. */
export const loadPair = ({ offset, indexing = 'offset' }: Pick<Form, 'offset' | 'indexing'>): Encoding['semantics'] => {
  return (b, f) => {
    const pair = pairOf(f);
    if (pair === undefined) return b.undefined();
    const n = f['n']!;
    const writes = writesBase(f, indexing) && offset.constant(f) !== 0;
    const overlaps = pair.includes(n) || !offset.survives(f, pair[0]) || !offset.survives(f, pair[1]);
    const early = writes && overlaps ? offset.add(b, f, baseOf(b, n)) : undefined;
    b.readMultiple(
      addressOf(b, f, n, offset, indexing),
      pair.map((t) => (t === 15 ? layout.TEMP0 : t)),
    );
    if (early === undefined) {
      if (writes) writeBase(b, f, n, offset);
    } else if (n === 15) b.branchTo(early);
    else b.setReg(n, early);
    if (pair.includes(15)) b.branchTo(b.getState(layout.TEMP0));
  };
};

export const storePair = ({ offset, indexing = 'offset' }: Pick<Form, 'offset' | 'indexing'>): Encoding['semantics'] => {
  return (b, f) => {
    const pair = pairOf(f);
    if (pair === undefined) return b.undefined();
    const n = f['n']!;
    const words = pair.map((t) => (t === 15 ? ~b.reg(15) : t));
    b.writeMultiple(addressOf(b, f, n, offset, indexing), words);
    if (writesBase(f, indexing)) writeBase(b, f, n, offset);
  };
};

/** Memory hints: nothing to do, and no access that could fault. */
export const hint: Encoding['semantics'] = () => {};

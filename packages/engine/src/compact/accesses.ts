import type { ClosureEnvironment } from '../closures/environment.js';
import { FAST_ADDEND, FAST_WRITE_TAG } from '../layout.js';
import * as op from '../ops.js';
import * as compact from './opcodes.js';

/** A shadow byte's bit: the line is dirty in the L1 data cache (closures/memory-shadowed.ts). */
const DIRTY = 1;

/** Accesses of compact code that are not written out where they are executed. `at` is the place of a head in `code`. */
export interface CompactAccesses {
  /** A store of the state word `source` where lines are modelled. */
  readonly storeLine: (head: number, source: number, va: number, table: number) => void;
  readonly storeMany: (code: Int32Array, at: number, checksLines: boolean) => void;
  /** Words that are not in one page of the fast table, or want the access port for another reason. */
  readonly loadAsking: (code: Int32Array, at: number, va: number) => void;
  readonly storeAsking: (code: Int32Array, at: number, va: number) => void;
}

export const compactAccesses = ({ state: { words: R }, m8, m16, m32, access, lines }: ClosureEnvironment): CompactAccesses => {
  const shadow = lines?.shadow ?? new Uint8Array(1);
  const log2 = lines?.log2 ?? 31;

  const lineIsDirty = (host: number): boolean => (shadow[host >>> log2]! & DIRTY) !== 0;
  const areDirty = (host: number, bytes: number): boolean => {
    for (let at = 0; at < bytes; at += 1 << log2) if (!lineIsDirty(host + at)) return false;
    return lineIsDirty(host + bytes - 1);
  };

  const storeLine = (head: number, source: number, va: number, table: number): void => {
    const flags = head >>> 24;
    const size = flags & op.MEM_SIZE;
    const e = table + ((va >>> 10) & 0x3ffc);
    const host = (va + R[e + FAST_ADDEND]!) | 0;
    if (R[e + FAST_WRITE_TAG] !== (va & (-4097 + size)) || !lineIsDirty(host))
      access.store(va, flags, R[source]!, compact.instructionOf(head));
    else if (size === 4) m32[host >>> 2] = R[source]!;
    else if (size === 2) m16[host >>> 1] = R[source]!;
    else m8[host >>> 0] = R[source]!;
  };

  const loadAsking = (code: Int32Array, at: number, va: number): void => {
    const head = code[at]!;
    access.loadMultiple(va, code.slice(at + 4, at + compact.lengthOf(head)), head >>> 24, compact.instructionOf(head));
  };
  const storeAsking = (code: Int32Array, at: number, va: number): void => {
    const head = code[at]!;
    const values = code.slice(at + 4, at + compact.lengthOf(head));
    for (let i = 0; i < values.length; i++) values[i] = R[values[i]!]!;
    access.storeMultiple(va, values, values.length, head >>> 24, compact.instructionOf(head));
  };
  const storeMany = (code: Int32Array, at: number, checksLines: boolean): void => {
    const count = compact.lengthOf(code[at]!) - 4;
    const va = (R[code[at + 1]!]! + code[at + 2]!) | 0;
    const e = code[at + 3]! + ((va >>> 10) & 0x3ffc);
    if (R[e + FAST_WRITE_TAG] === (va & -4093) && (va & 0xfff) <= 4096 - 4 * count) {
      const host = (va + R[e + FAST_ADDEND]!) | 0;
      if (!checksLines || areDirty(host, 4 * count)) {
        for (let i = 0; i < count; i++) m32[(host >>> 2) + i] = R[code[at + 4 + i]!]!;
        return;
      }
    }
    storeAsking(code, at, va);
  };

  return { storeLine, storeMany, loadAsking, storeAsking };
};

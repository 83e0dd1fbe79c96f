import { FAST_ADDEND, FAST_WRITE_TAG } from '../layout.js';
import type { ClosureEnvironment, LineShadow } from './environment.js';

type Effect = () => void;
type Value = () => number;

/*
 * Stores of a core whose caches are modelled: as in memory.ts, and the line's shadow byte must say that the line is dirty already. The first store to a
 * line is the access port's, which keeps the old bytes.
 */
const DIRTY = 1;

const wordStore =
  (
    { state: { words: R }, m32, access }: ClosureEnvironment,
    { shadow, log2 }: LineShadow,
    t: number,
    address: Value,
    source: Value,
    flags: number,
    k: number,
  ): Effect =>
  () => {
    const va = address();
    const v = source();
    const e = t + ((va >>> 10) & 0x3ffc);
    const h = (va + R[e + FAST_ADDEND]!) | 0;
    if (R[e + FAST_WRITE_TAG] === (va & -4093) && (shadow[h >>> log2]! & DIRTY) !== 0) m32[h >>> 2] = v;
    else access.store(va, flags, v, k);
  };

const plainWordStore =
  (
    { state: { words: R }, m32, access }: ClosureEnvironment,
    { shadow, log2 }: LineShadow,
    t: number,
    n: number,
    offset: number,
    s: number,
    flags: number,
    k: number,
  ): Effect =>
  () => {
    const va = (R[n]! + offset) | 0;
    const e = t + ((va >>> 10) & 0x3ffc);
    const h = (va + R[e + FAST_ADDEND]!) | 0;
    if (R[e + FAST_WRITE_TAG] === (va & -4093) && (shadow[h >>> log2]! & DIRTY) !== 0) m32[h >>> 2] = R[s]!;
    else access.store(va, flags, R[s]!, k);
  };

const halfStore =
  (
    { state: { words: R }, m16, access }: ClosureEnvironment,
    { shadow, log2 }: LineShadow,
    t: number,
    address: Value,
    source: Value,
    flags: number,
    k: number,
  ): Effect =>
  () => {
    const va = address();
    const v = source();
    const e = t + ((va >>> 10) & 0x3ffc);
    const h = (va + R[e + FAST_ADDEND]!) | 0;
    if (R[e + FAST_WRITE_TAG] === (va & -4095) && (shadow[h >>> log2]! & DIRTY) !== 0) m16[h >>> 1] = v;
    else access.store(va, flags, v, k);
  };

const byteStore =
  (
    { state: { words: R }, m8, access }: ClosureEnvironment,
    { shadow, log2 }: LineShadow,
    t: number,
    address: Value,
    source: Value,
    flags: number,
    k: number,
  ): Effect =>
  () => {
    const va = address();
    const v = source();
    const e = t + ((va >>> 10) & 0x3ffc);
    const h = (va + R[e + FAST_ADDEND]!) | 0;
    if (R[e + FAST_WRITE_TAG] === (va & -4096) && (shadow[h >>> log2]! & DIRTY) !== 0) m8[h >>> 0] = v;
    else access.store(va, flags, v, k);
  };

/** A store of `size` bytes that does not swap: `t` is the word index of the fast table. */
export const shadowedStore = (
  env: ClosureEnvironment,
  lines: LineShadow,
  t: number,
  size: number,
  address: Value,
  source: Value,
  flags: number,
  k: number,
): Effect => (size === 4 ? wordStore : size === 2 ? halfStore : byteStore)(env, lines, t, address, source, flags, k);

/** The commonest: a word from a register at register plus constant. */
export const shadowedWordStore = plainWordStore;

/** Stores of `count` words from the state words of `list`; `slow` does the rest. */
export const shadowedStoreMultiple = (
  { state: { words: R }, m32 }: ClosureEnvironment,
  { shadow, log2 }: LineShadow,
  t: number,
  address: Value,
  list: Int32Array,
  slow: (va: number) => void,
): Effect => {
  const count = list.length;
  const last = 4096 - 4 * count;
  const bytes = 4 * count - 1;
  const lineBytes = 1 << log2;
  return () => {
    const va = address();
    const e = t + ((va >>> 10) & 0x3ffc);
    if (R[e + FAST_WRITE_TAG] === (va & -4093) && (va & 0xfff) <= last) {
      const h = (va + R[e + FAST_ADDEND]!) | 0;
      let dirty = shadow[(h + bytes) >>> log2]! & DIRTY;
      for (let at = 0; at < bytes; at += lineBytes) dirty &= shadow[(h + at) >>> log2]!;
      if (dirty !== 0) {
        for (let i = 0; i < count; i++) m32[(h >>> 2) + i] = R[list[i]!]!;
        return;
      }
    }
    slow(va);
  };
};

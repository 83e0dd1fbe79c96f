import { FAST_ADDEND, FAST_WRITE_TAG } from '../layout.js';
import * as op from '../ops.js';
import { type ClosureEnvironment, tableOf } from './environment.js';
import { shadowedStore, shadowedStoreMultiple, shadowedWordStore } from './memory-shadowed.js';
import type { Operand } from './operand.js';
import { asCode } from './operand.js';

type Effect = () => void;
type Value = () => number;

/*
 * Fast path of loads and stores: one look at the fast table, whose tag holds the page and demands alignment; everything else is the access port's.
 * `t` is the word index of the table for the privilege of the access. Addresses come in two shapes, register plus constant and any closure.
 */

/** Bytes that leave a page for the whole of a multiple access. */
const lastStart = (count: number): number => 4096 - 4 * count;

const word = {
  rc:
    ({ state: { words: R }, m32, access }: ClosureEnvironment, t: number, n: number, offset: number, flags: number, k: number): Value =>
    () => {
      const va = (R[n]! + offset) | 0;
      const e = t + ((va >>> 10) & 0x3ffc);
      return R[e] === (va & -4093) ? m32[((va + R[e + FAST_ADDEND]!) | 0) >>> 2]! : access.load(va, flags, k);
    },
  x:
    ({ state: { words: R }, m32, access }: ClosureEnvironment, t: number, address: Value, flags: number, k: number): Value =>
    () => {
      const va = address();
      const e = t + ((va >>> 10) & 0x3ffc);
      return R[e] === (va & -4093) ? m32[((va + R[e + FAST_ADDEND]!) | 0) >>> 2]! : access.load(va, flags, k);
    },
  setRc:
    (
      { state: { words: R }, m32, access }: ClosureEnvironment,
      d: number,
      t: number,
      n: number,
      offset: number,
      flags: number,
      k: number,
    ): Effect =>
    () => {
      const va = (R[n]! + offset) | 0;
      const e = t + ((va >>> 10) & 0x3ffc);
      R[d] = R[e] === (va & -4093) ? m32[((va + R[e + FAST_ADDEND]!) | 0) >>> 2]! : access.load(va, flags, k);
    },
  setX:
    ({ state: { words: R }, m32, access }: ClosureEnvironment, d: number, t: number, address: Value, flags: number, k: number): Effect =>
    () => {
      const va = address();
      const e = t + ((va >>> 10) & 0x3ffc);
      R[d] = R[e] === (va & -4093) ? m32[((va + R[e + FAST_ADDEND]!) | 0) >>> 2]! : access.load(va, flags, k);
    },
};
const half = {
  rc:
    ({ state: { words: R }, m16, access }: ClosureEnvironment, t: number, n: number, offset: number, flags: number, k: number): Value =>
    () => {
      const va = (R[n]! + offset) | 0;
      const e = t + ((va >>> 10) & 0x3ffc);
      return R[e] === (va & -4095) ? m16[((va + R[e + FAST_ADDEND]!) | 0) >>> 1]! : access.load(va, flags, k);
    },
  x:
    ({ state: { words: R }, m16, access }: ClosureEnvironment, t: number, address: Value, flags: number, k: number): Value =>
    () => {
      const va = address();
      const e = t + ((va >>> 10) & 0x3ffc);
      return R[e] === (va & -4095) ? m16[((va + R[e + FAST_ADDEND]!) | 0) >>> 1]! : access.load(va, flags, k);
    },
  setRc:
    (
      { state: { words: R }, m16, access }: ClosureEnvironment,
      d: number,
      t: number,
      n: number,
      offset: number,
      flags: number,
      k: number,
    ): Effect =>
    () => {
      const va = (R[n]! + offset) | 0;
      const e = t + ((va >>> 10) & 0x3ffc);
      R[d] = R[e] === (va & -4095) ? m16[((va + R[e + FAST_ADDEND]!) | 0) >>> 1]! : access.load(va, flags, k);
    },
  setX:
    ({ state: { words: R }, m16, access }: ClosureEnvironment, d: number, t: number, address: Value, flags: number, k: number): Effect =>
    () => {
      const va = address();
      const e = t + ((va >>> 10) & 0x3ffc);
      R[d] = R[e] === (va & -4095) ? m16[((va + R[e + FAST_ADDEND]!) | 0) >>> 1]! : access.load(va, flags, k);
    },
};
const byte = {
  rc:
    ({ state: { words: R }, m8, access }: ClosureEnvironment, t: number, n: number, offset: number, flags: number, k: number): Value =>
    () => {
      const va = (R[n]! + offset) | 0;
      const e = t + ((va >>> 10) & 0x3ffc);
      return R[e] === (va & -4096) ? m8[((va + R[e + FAST_ADDEND]!) | 0) >>> 0]! : access.load(va, flags, k);
    },
  x:
    ({ state: { words: R }, m8, access }: ClosureEnvironment, t: number, address: Value, flags: number, k: number): Value =>
    () => {
      const va = address();
      const e = t + ((va >>> 10) & 0x3ffc);
      return R[e] === (va & -4096) ? m8[((va + R[e + FAST_ADDEND]!) | 0) >>> 0]! : access.load(va, flags, k);
    },
  setRc:
    (
      { state: { words: R }, m8, access }: ClosureEnvironment,
      d: number,
      t: number,
      n: number,
      offset: number,
      flags: number,
      k: number,
    ): Effect =>
    () => {
      const va = (R[n]! + offset) | 0;
      const e = t + ((va >>> 10) & 0x3ffc);
      R[d] = R[e] === (va & -4096) ? m8[((va + R[e + FAST_ADDEND]!) | 0) >>> 0]! : access.load(va, flags, k);
    },
  setX:
    ({ state: { words: R }, m8, access }: ClosureEnvironment, d: number, t: number, address: Value, flags: number, k: number): Effect =>
    () => {
      const va = address();
      const e = t + ((va >>> 10) & 0x3ffc);
      R[d] = R[e] === (va & -4096) ? m8[((va + R[e + FAST_ADDEND]!) | 0) >>> 0]! : access.load(va, flags, k);
    },
};
const signedHalf = {
  rc:
    ({ state: { words: R }, m16, access }: ClosureEnvironment, t: number, n: number, offset: number, flags: number, k: number): Value =>
    () => {
      const va = (R[n]! + offset) | 0;
      const e = t + ((va >>> 10) & 0x3ffc);
      return R[e] === (va & -4095) ? (m16[((va + R[e + FAST_ADDEND]!) | 0) >>> 1]! << 16) >> 16 : access.load(va, flags, k);
    },
  x:
    ({ state: { words: R }, m16, access }: ClosureEnvironment, t: number, address: Value, flags: number, k: number): Value =>
    () => {
      const va = address();
      const e = t + ((va >>> 10) & 0x3ffc);
      return R[e] === (va & -4095) ? (m16[((va + R[e + FAST_ADDEND]!) | 0) >>> 1]! << 16) >> 16 : access.load(va, flags, k);
    },
  setRc:
    (
      { state: { words: R }, m16, access }: ClosureEnvironment,
      d: number,
      t: number,
      n: number,
      offset: number,
      flags: number,
      k: number,
    ): Effect =>
    () => {
      const va = (R[n]! + offset) | 0;
      const e = t + ((va >>> 10) & 0x3ffc);
      R[d] = R[e] === (va & -4095) ? (m16[((va + R[e + FAST_ADDEND]!) | 0) >>> 1]! << 16) >> 16 : access.load(va, flags, k);
    },
  setX:
    ({ state: { words: R }, m16, access }: ClosureEnvironment, d: number, t: number, address: Value, flags: number, k: number): Effect =>
    () => {
      const va = address();
      const e = t + ((va >>> 10) & 0x3ffc);
      R[d] = R[e] === (va & -4095) ? (m16[((va + R[e + FAST_ADDEND]!) | 0) >>> 1]! << 16) >> 16 : access.load(va, flags, k);
    },
};
const signedByte = {
  rc:
    ({ state: { words: R }, m8, access }: ClosureEnvironment, t: number, n: number, offset: number, flags: number, k: number): Value =>
    () => {
      const va = (R[n]! + offset) | 0;
      const e = t + ((va >>> 10) & 0x3ffc);
      return R[e] === (va & -4096) ? (m8[((va + R[e + FAST_ADDEND]!) | 0) >>> 0]! << 24) >> 24 : access.load(va, flags, k);
    },
  x:
    ({ state: { words: R }, m8, access }: ClosureEnvironment, t: number, address: Value, flags: number, k: number): Value =>
    () => {
      const va = address();
      const e = t + ((va >>> 10) & 0x3ffc);
      return R[e] === (va & -4096) ? (m8[((va + R[e + FAST_ADDEND]!) | 0) >>> 0]! << 24) >> 24 : access.load(va, flags, k);
    },
  setRc:
    (
      { state: { words: R }, m8, access }: ClosureEnvironment,
      d: number,
      t: number,
      n: number,
      offset: number,
      flags: number,
      k: number,
    ): Effect =>
    () => {
      const va = (R[n]! + offset) | 0;
      const e = t + ((va >>> 10) & 0x3ffc);
      R[d] = R[e] === (va & -4096) ? (m8[((va + R[e + FAST_ADDEND]!) | 0) >>> 0]! << 24) >> 24 : access.load(va, flags, k);
    },
  setX:
    ({ state: { words: R }, m8, access }: ClosureEnvironment, d: number, t: number, address: Value, flags: number, k: number): Effect =>
    () => {
      const va = address();
      const e = t + ((va >>> 10) & 0x3ffc);
      R[d] = R[e] === (va & -4096) ? (m8[((va + R[e + FAST_ADDEND]!) | 0) >>> 0]! << 24) >> 24 : access.load(va, flags, k);
    },
};

const loaderOf = (flags: number): typeof word => {
  switch (flags & (op.MEM_SIZE | op.MEM_SIGNED)) {
    case 1:
      return byte;
    case 2:
      return half;
    case 1 | op.MEM_SIGNED:
      return signedByte;
    case 2 | op.MEM_SIGNED:
      return signedHalf;
    default:
      return word;
  }
};

/** An address as register plus constant, when it is one. */
export interface AddressShape {
  readonly base: number;
  readonly offset: number;
}

/** LOAD as a value. */
export const loadValue = (
  env: ClosureEnvironment,
  privileged: boolean,
  flags: number,
  shape: AddressShape | undefined,
  address: Operand,
  k: number,
): Value => {
  const { access } = env;
  if (flags & op.MEM_SWAP || env.everyAccess) {
    const run = asCode(env.state.words, address);
    return () => access.load(run(), flags, k);
  }
  const t = tableOf(flags, privileged);
  const loader = loaderOf(flags);
  return shape ? loader.rc(env, t, shape.base, shape.offset, flags, k) : loader.x(env, t, asCode(env.state.words, address), flags, k);
};

/** LOAD into state word `d`. */
export const loadInto = (
  env: ClosureEnvironment,
  privileged: boolean,
  d: number,
  flags: number,
  shape: AddressShape | undefined,
  address: Operand,
  k: number,
): Effect => {
  const { access } = env;
  const R = env.state.words;
  if (flags & op.MEM_SWAP || env.everyAccess) {
    const run = asCode(R, address);
    return () => {
      R[d] = access.load(run(), flags, k);
    };
  }
  const t = tableOf(flags, privileged);
  const loader = loaderOf(flags);
  return shape ? loader.setRc(env, d, t, shape.base, shape.offset, flags, k) : loader.setX(env, d, t, asCode(R, address), flags, k);
};

const storeWord = {
  rcR:
    (
      { state: { words: R }, m32, access }: ClosureEnvironment,
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
      if (R[e + FAST_WRITE_TAG] === (va & -4093)) m32[((va + R[e + FAST_ADDEND]!) | 0) >>> 2] = R[s]!;
      else access.store(va, flags, R[s]!, k);
    },
  xR:
    ({ state: { words: R }, m32, access }: ClosureEnvironment, t: number, address: Value, s: number, flags: number, k: number): Effect =>
    () => {
      const va = address();
      const e = t + ((va >>> 10) & 0x3ffc);
      if (R[e + FAST_WRITE_TAG] === (va & -4093)) m32[((va + R[e + FAST_ADDEND]!) | 0) >>> 2] = R[s]!;
      else access.store(va, flags, R[s]!, k);
    },
  xX:
    (
      { state: { words: R }, m32, access }: ClosureEnvironment,
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
      if (R[e + FAST_WRITE_TAG] === (va & -4093)) m32[((va + R[e + FAST_ADDEND]!) | 0) >>> 2] = v;
      else access.store(va, flags, v, k);
    },
};
const storeHalf = {
  rcR:
    (
      { state: { words: R }, m16, access }: ClosureEnvironment,
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
      if (R[e + FAST_WRITE_TAG] === (va & -4095)) m16[((va + R[e + FAST_ADDEND]!) | 0) >>> 1] = R[s]!;
      else access.store(va, flags, R[s]!, k);
    },
  xR:
    ({ state: { words: R }, m16, access }: ClosureEnvironment, t: number, address: Value, s: number, flags: number, k: number): Effect =>
    () => {
      const va = address();
      const e = t + ((va >>> 10) & 0x3ffc);
      if (R[e + FAST_WRITE_TAG] === (va & -4095)) m16[((va + R[e + FAST_ADDEND]!) | 0) >>> 1] = R[s]!;
      else access.store(va, flags, R[s]!, k);
    },
  xX:
    (
      { state: { words: R }, m16, access }: ClosureEnvironment,
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
      if (R[e + FAST_WRITE_TAG] === (va & -4095)) m16[((va + R[e + FAST_ADDEND]!) | 0) >>> 1] = v;
      else access.store(va, flags, v, k);
    },
};
const storeByte = {
  rcR:
    (
      { state: { words: R }, m8, access }: ClosureEnvironment,
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
      if (R[e + FAST_WRITE_TAG] === (va & -4096)) m8[((va + R[e + FAST_ADDEND]!) | 0) >>> 0] = R[s]!;
      else access.store(va, flags, R[s]!, k);
    },
  xR:
    ({ state: { words: R }, m8, access }: ClosureEnvironment, t: number, address: Value, s: number, flags: number, k: number): Effect =>
    () => {
      const va = address();
      const e = t + ((va >>> 10) & 0x3ffc);
      if (R[e + FAST_WRITE_TAG] === (va & -4096)) m8[((va + R[e + FAST_ADDEND]!) | 0) >>> 0] = R[s]!;
      else access.store(va, flags, R[s]!, k);
    },
  xX:
    ({ state: { words: R }, m8, access }: ClosureEnvironment, t: number, address: Value, source: Value, flags: number, k: number): Effect =>
    () => {
      const va = address();
      const v = source();
      const e = t + ((va >>> 10) & 0x3ffc);
      if (R[e + FAST_WRITE_TAG] === (va & -4096)) m8[((va + R[e + FAST_ADDEND]!) | 0) >>> 0] = v;
      else access.store(va, flags, v, k);
    },
};

/** STORE. */
export const storeEffect = (
  env: ClosureEnvironment,
  privileged: boolean,
  flags: number,
  shape: AddressShape | undefined,
  address: Operand,
  source: Operand,
  k: number,
): Effect => {
  const { access } = env;
  const R = env.state.words;
  if (flags & op.MEM_SWAP || env.everyAccess || env.everyStore) {
    const run = asCode(R, address);
    const v = asCode(R, source);
    return () => access.store(run(), flags, v(), k);
  }
  const t = tableOf(flags, privileged);
  const size = flags & op.MEM_SIZE;
  if (env.lines) {
    if (shape && source.kind === 'word' && size === 4)
      return shadowedWordStore(env, env.lines, t, shape.base, shape.offset, source.word, flags, k);
    return shadowedStore(env, env.lines, t, size, asCode(R, address), asCode(R, source), flags, k);
  }
  const storer = size === 4 ? storeWord : size === 2 ? storeHalf : storeByte;
  if (source.kind === 'word') {
    if (shape) return storer.rcR(env, t, shape.base, shape.offset, source.word, flags, k);
    return storer.xR(env, t, asCode(R, address), source.word, flags, k);
  }
  return storer.xX(env, t, asCode(R, address), asCode(R, source), flags, k);
};

/** LOAD_MULTIPLE: `list` holds state words. */
export const loadMultipleEffect = (
  env: ClosureEnvironment,
  privileged: boolean,
  flags: number,
  address: Value,
  list: Int32Array,
  k: number,
): Effect => {
  const { access, m32 } = env;
  const R = env.state.words;
  if (flags & op.MEM_SWAP || env.everyAccess) return () => access.loadMultiple(address(), list, flags, k);
  const t = tableOf(flags, privileged);
  const count = list.length;
  const last = lastStart(count);
  if (count === 2) {
    const first = list[0]!;
    const second = list[1]!;
    return () => {
      const va = address();
      const e = t + ((va >>> 10) & 0x3ffc);
      if (R[e] === (va & -4093) && (va & 0xfff) <= last) {
        const h = ((va + R[e + FAST_ADDEND]!) | 0) >>> 2;
        R[first] = m32[h]!;
        R[second] = m32[h + 1]!;
      } else access.loadMultiple(va, list, flags, k);
    };
  }
  return () => {
    const va = address();
    const e = t + ((va >>> 10) & 0x3ffc);
    if (R[e] === (va & -4093) && (va & 0xfff) <= last) {
      const h = ((va + R[e + FAST_ADDEND]!) | 0) >>> 2;
      for (let i = 0; i < count; i++) R[list[i]!] = m32[h + i]!;
    } else access.loadMultiple(va, list, flags, k);
  };
};

/** STORE_MULTIPLE: `list` holds state words; values that are not in one are computed into one beforehand. */
export const storeMultipleEffect = (
  env: ClosureEnvironment,
  privileged: boolean,
  flags: number,
  address: Value,
  list: Int32Array,
  k: number,
): Effect => {
  const { access, m32 } = env;
  const R = env.state.words;
  const t = tableOf(flags, privileged);
  const count = list.length;
  const last = lastStart(count);
  const values = new Int32Array(count);
  const slow = (va: number): void => {
    for (let i = 0; i < count; i++) values[i] = R[list[i]!]!;
    access.storeMultiple(va, values, count, flags, k);
  };
  if (flags & op.MEM_SWAP || env.everyAccess || env.everyStore) return () => slow(address());
  if (env.lines) return shadowedStoreMultiple(env, env.lines, t, address, list, slow);
  return () => {
    const va = address();
    const e = t + ((va >>> 10) & 0x3ffc);
    if (R[e + FAST_WRITE_TAG] === (va & -4093) && (va & 0xfff) <= last) {
      const h = ((va + R[e + FAST_ADDEND]!) | 0) >>> 2;
      for (let i = 0; i < count; i++) m32[h + i] = R[list[i]!]!;
    } else slow(va);
  };
};

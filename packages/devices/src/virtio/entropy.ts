import type { Snapshot, Stateful } from '@tablewalk/machine/contracts';
import { snapshotData } from '../snapshots.js';

/** Where random bytes come from. */
export interface EntropySource extends Stateful {
  fill(target: Uint8Array): void;
  /** Power-on reset: the same bytes again. */
  reset(): void;
}

const SCHEMA = 'devices/seeded-entropy';
const VERSION = 1;

/** The finaliser of MurmurHash3, which spreads a short seed over the generator's state. */
function spread(seed: number): number {
  let z = seed;
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return (z ^ (z >>> 16)) >>> 0;
}

/**
 * Reproducible bytes: xoshiro128** (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2018), little-endian words.
 * Every machine with the same seed sees the same bytes; it is no source of secrets. `seed` counts modulo 2^32.
 */
export function seededEntropy(seed: number): EntropySource {
  const state = new Uint32Array(4);
  /** Bytes of the last word not yet given out. */
  let left = 0;
  let word = 0;

  const reset = (): void => {
    for (let i = 0; i < 4; i++) state[i] = spread((seed + Math.imul(i + 1, 0x9e3779b9)) >>> 0);
    // All zero is the one state that the generator cannot leave.
    if ((state[0] | state[1] | state[2] | state[3]) === 0) state[0] = 1;
    left = 0;
    word = 0;
  };
  const next = (): number => {
    const scrambled = Math.imul(state[1], 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0;
    const shifted = state[1] << 9;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = (state[3] << 11) | (state[3] >>> 21);
    return result;
  };
  reset();

  return {
    reset,
    fill(target) {
      for (let i = 0; i < target.length; i++) {
        if (left === 0) {
          word = next();
          left = 4;
        }
        target[i] = word & 0xff;
        word >>>= 8;
        left--;
      }
    },
    snapshot(): Snapshot {
      return { schema: SCHEMA, version: VERSION, data: { state: [...state], left, word } };
    },
    restore(snapshot) {
      const data = snapshotData<{ state: number[]; left: number; word: number }>('seeded-entropy', snapshot, SCHEMA, VERSION);
      state.set(data.state);
      left = data.left;
      word = data.word;
    },
  };
}

import { hostWords, type Words } from '../words.js';
import { ConformanceError, type Invariant } from './conformance-error.js';

/** Words that hold a plugin to its bounds, count, remember where it was, and can throw at a given access. */
export class GuardedWords implements Words {
  readonly words: Words;
  readonly count: number;
  readonly invariant: Invariant;
  accesses = 0;
  /** Throws {@link aborted} at this access, counted as `accesses` is. */
  abortAt = Number.POSITIVE_INFINITY;
  readonly aborted = new Error('aborted by the conformance kit');
  /** Indexes touched since it was cleared, where somebody wants to know. */
  touched: Set<number> | undefined;

  constructor(count: number, words: Words, invariant: Invariant) {
    this.words = words;
    this.count = count;
    this.invariant = invariant;
  }

  private access(index: number, what: string): void {
    if (!Number.isInteger(index) || index < 0 || index >= this.count) {
      throw new ConformanceError(this.invariant, `${what} of word ${index}, of ${this.count}`);
    }
    if (++this.accesses === this.abortAt) throw this.aborted;
    this.touched?.add(index);
  }

  load(index: number): number {
    this.access(index, 'load');
    return this.words.load(index);
  }

  store(index: number, value: number): void {
    this.access(index, 'store');
    if (!Number.isInteger(value) || value < -0x80000000 || value > 0xffffffff) {
      throw new ConformanceError(this.invariant, `store of ${value} in word ${index} is not of 32 bits`);
    }
    this.words.store(index, value);
  }

  /** All words, past the guard. */
  snapshot(): Uint32Array {
    // Pictures are taken before and after every operation: host words give theirs at once.
    const { array: host } = this.words as { array?: unknown };
    if (host instanceof Uint32Array) return host.slice(0, this.count);
    const array = new Uint32Array(this.count);
    for (let index = 0; index < this.count; index++) array[index] = this.words.load(index);
    return array;
  }

  /** Guarded host words with the same contents. */
  copy(): GuardedWords {
    return new GuardedWords(this.count, hostWords(this.snapshot()), this.invariant);
  }
}

/** The first index at which two arrays of one length differ, or -1. */
export function firstDifference(left: Uint32Array, right: Uint32Array): number {
  for (let index = 0; index < left.length; index++) if (left[index] !== right[index]) return index;
  return -1;
}

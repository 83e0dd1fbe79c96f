import { instructionOf, lengthOf } from './opcodes.js';

/** 32 MiB: twice what the most instructions that are kept take as a rule. */
const MOST_WORDS = 1 << 23;

/** A block's place in a {@link CompactStore}. */
export interface CompactRange {
  from: number;
  end: number;
}

/** Where compact code is: one list of words, since many small ones would take more than what is in them. What is dropped leaves a gap until {@link move}. */
export class CompactStore {
  words: Int32Array;
  /** Where the next block begins. */
  top = 0;

  private readonly most: number;

  /** `capacity` in words; where what is kept needs more it grows, up to `most` or a little beyond. */
  constructor(capacity: number, most: number = MOST_WORDS) {
    this.words = new Int32Array(capacity);
    this.most = most;
  }

  /** Little room is left: whoever knows what is kept should {@link move} it before more is added. */
  get crowded(): boolean {
    return this.top > this.words.length - (this.words.length >>> 4);
  }

  /** After a move: less should be kept, since it does not grow any more. */
  get exhausted(): boolean {
    return this.words.length >= this.most && this.top > this.words.length >>> 1;
  }

  /** Makes room for so many words more. */
  reserve(count: number): void {
    if (this.top + count <= this.words.length) return;
    const larger = new Int32Array(2 * (this.words.length + count));
    larger.set(this.words.subarray(0, this.top));
    this.words = larger;
  }

  /** Moves what is kept together, in the order that `ranges` visits it, and changes their places. Nobody may be executing one. */
  move(ranges: (visit: (range: CompactRange) => void) => void): void {
    const before = this.words;
    this.words = new Int32Array(before.length);
    this.top = 0;
    ranges((range) => {
      const { from, end } = range;
      this.words.set(before.subarray(from, end), this.top);
      range.from = this.top;
      this.top += end - from;
      range.end = this.top;
    });
    // Half full at most, so that moving costs each word that is added one that is moved.
    if (this.top > this.words.length >>> 1 && this.words.length < this.most) this.reserve(this.words.length);
  }

  clear(): void {
    this.top = 0;
  }

  /** Where instruction `k` of the code in [from, end) begins; `end` when it has none. */
  startOf(from: number, end: number, k: number): number {
    const { words } = this;
    let at = from;
    while (at < end && instructionOf(words[at]!) < k) at += lengthOf(words[at]!);
    return at;
  }
}

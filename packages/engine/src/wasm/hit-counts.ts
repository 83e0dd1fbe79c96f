import { HIT_FETCHES, HIT_LOADS, HIT_LOOKS, HIT_PENDING, HIT_STORES } from '../layout.js';
import type { FunctionWriter, Local } from './function-writer.js';
import * as wasm from './opcodes.js';

/** The counters that hits go to, each of which has a byte of {@link HIT_PENDING}. */
const WORDS = [HIT_LOADS, HIT_STORES, HIT_LOOKS, HIT_FETCHES] as const;
const MOST = 255;

/** How many of each. */
export type Counted = readonly number[];

/**
 * Counts of hits in a block, which are known when it is written: they are added at its ends and not one by one, since an addition in memory waits for the one
 * before it. Where the region is left in between a local says what is to be added; where others are called the state does.
 */
export class HitCounts {
  private readonly w: FunctionWriter;
  private pending: number[] = WORDS.map(() => 0);
  private left: Local = 0;
  /** What is counted is added at once. */
  private atOnce = false;

  constructor(w: FunctionWriter) {
    this.w = w;
  }

  begin(): void {
    this.left = this.w.local(wasm.TYPE_I32);
  }

  beginBlock(): void {
    this.pending.fill(0);
  }

  /** `isCertain`: whoever comes to the end of the block has come by here. */
  add(word: (typeof WORDS)[number], count: number, isCertain: boolean): void {
    const i = WORDS.indexOf(word);
    const sum = this.pending[i]! + count;
    if (this.atOnce || !isCertain || sum > MOST) this.w.add(word, count);
    else this.pending[i] = sum;
  }

  /** What has been counted in the block and not added. */
  get counted(): Counted {
    return this.pending.slice();
  }

  /** `write` writes what is done elsewhere than where it stands, when so much had been counted. */
  as(counted: Counted, write: () => void): void {
    const { pending } = this;
    this.pending = counted.slice();
    write();
    this.pending = pending;
  }

  /** This was not done after all, and will be added. */
  takeBack(counted: Counted): void {
    WORDS.forEach((word, i) => {
      if (counted[i]! !== 0) this.w.add(word, -counted[i]!);
    });
  }

  /** What was counted since `before`. */
  since(before: Counted): Counted {
    return this.pending.map((count, i) => count - before[i]!);
  }

  /** `write` opens a block and writes in it. Who branches to the block's end has counted elsewhere what it counts. */
  unlessElsewhere(write: () => void): void {
    const { w } = this;
    const before = this.counted;
    const done = w.block();
    write();
    w.br(done);
    w.end();
    this.takeBack(this.since(before));
    w.end();
  }

  /** Adds everything. */
  flush(): void {
    WORDS.forEach((word, i) => {
      if (this.pending[i]! !== 0) this.w.add(word, this.pending[i]!);
    });
    this.pending.fill(0);
  }

  /** `write` writes a way out of the block, which is not always taken when `isConditional`. */
  exit(isConditional: boolean, write: () => void): void {
    const before = this.counted;
    this.flush();
    this.atOnce = true;
    write();
    this.atOnce = false;
    if (isConditional) this.pending = before.slice();
  }

  private get packed(): number {
    return this.pending.reduce((packed, count, i) => packed | (count << (8 * i)), 0);
  }

  /** The region may be left here: {@link addLeft} follows. */
  leave(): void {
    this.w.i32(this.packed);
    this.w.set(this.left);
  }

  addLeft(): void {
    const { w } = this;
    WORDS.forEach((word, i) => {
      w.storeWord(word, () => {
        w.loadWord(word);
        w.get(this.left);
        if (i > 0) w.shiftRight(8 * i);
        w.and(MOST);
        w.op(wasm.I32_ADD);
      });
    });
  }

  /** `write` writes a call of those who want to know. */
  around(write: () => void): void {
    const { packed } = this;
    if (packed !== 0) this.w.storeWord(HIT_PENDING, () => this.w.i32(packed));
    write();
    if (packed !== 0) this.w.storeWord(HIT_PENDING, () => this.w.i32(0));
  }
}

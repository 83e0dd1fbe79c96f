import { D0 } from '../layout.js';
import type { Precision } from './float-work.js';
import type { FunctionWriter, Local } from './function-writer.js';

/** Register `n` of a precision. */
export interface FloatRegister {
  readonly p: Precision;
  readonly n: number;
}

/**
 * Locals beside those floating-point registers that a region computes with. The state is written as well, at once, so that whoever looks there finds what is;
 * but the next operation does not wait for a load of what was just stored, which takes a processor longer than an addition. Whoever writes the state by other
 * means says so.
 */
export class FloatRegisters {
  private readonly w: FunctionWriter;
  private readonly kept: (FloatRegister & { readonly word: number; readonly local: Local })[] = [];

  constructor(w: FunctionWriter) {
    this.w = w;
  }

  /** Another function: nothing is kept. */
  begin(): void {
    if (this.kept.length > 0) this.kept.length = 0;
  }

  keep({ p, n }: FloatRegister): void {
    if (this.find(p, n) === undefined) this.kept.push({ p, n, word: D0 + p.words * n, local: this.w.local(p.type) });
  }

  find(p: Precision, n: number): Local | undefined {
    for (const one of this.kept) if (one.n === n && one.p === p) return one.local;
    return undefined;
  }

  /** The state may be another. */
  load(): void {
    for (const one of this.kept) this.loadOne(one.p, one.word, one.local);
  }

  /** `count` words of the state from `first` on were written; `except` has what they are now. */
  wrote(first: number, count: number, except?: Local): void {
    for (const { p, word, local } of this.kept)
      if (word < first + count && first < word + p.words && local !== except) this.loadOne(p, word, local);
  }

  /** Words of the state were written. */
  wroteAll(words: readonly number[]): void {
    for (const { p, word, local } of this.kept) if (words.some((one) => one >= word && one < word + p.words)) this.loadOne(p, word, local);
  }

  private loadOne(p: Precision, word: number, local: Local): void {
    const { w } = this;
    w.state();
    w.access(p.load, p.alignLog2, w.stateOffset + 4 * word);
    w.set(local);
  }

  /** Pushes register `n`. */
  push(p: Precision, n: number): void {
    const { w } = this;
    const local = this.find(p, n);
    if (local !== undefined) {
      w.get(local);
      return;
    }
    w.state();
    w.access(p.load, p.alignLog2, w.stateOffset + 4 * (D0 + p.words * n));
  }

  /** Register `n` := what `push` pushes. */
  write(p: Precision, n: number, push: () => void): void {
    const { w } = this;
    const local = this.find(p, n);
    const word = D0 + p.words * n;
    w.state();
    push();
    if (local !== undefined) w.tee(local);
    w.access(p.store, p.alignLog2, w.stateOffset + 4 * word);
    this.wrote(word, p.words, local);
  }
}

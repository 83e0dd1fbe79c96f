import { D0 } from '../layout.js';
import type { FunctionWriter, Local } from './function-writer.js';
import * as wasm from './opcodes.js';
import * as simd from './simd-opcodes.js';

/** What words of the state that are a register are taken as. Addresses, and values to store, are on the stack. */
export interface RegisterForm {
  readonly type: number;
  readonly words: number;
  readonly load: (w: FunctionWriter, offset: number) => void;
  readonly store: (w: FunctionWriter, offset: number) => void;
  /** Makes what was computed as a load of it would. */
  readonly settle: (w: FunctionWriter) => void;
}

const LOWER_HALF = 0xffff_ffff_ffff_ffffn;

/** Vectors: Q registers, and D registers with zeros above. */
export const quad: RegisterForm = {
  type: wasm.TYPE_V128,
  words: 4,
  load: (w, offset) => w.simdAccess(simd.V128_LOAD, 3, offset),
  store: (w, offset) => w.simdAccess(simd.V128_STORE, 3, offset),
  settle: () => {},
};
export const half: RegisterForm = {
  type: wasm.TYPE_V128,
  words: 2,
  load: (w, offset) => w.simdAccess(simd.LOAD64_ZERO, 3, offset),
  store: (w, offset) => {
    w.simdAccess(simd.STORE64_LANE, 3, offset);
    w.lane(0);
  },
  settle: (w) => {
    w.v128(LOWER_HALF);
    w.simd(simd.AND);
  },
};

/** The word at which register `n` of a precision begins. */
export const wordOf = (form: RegisterForm, n: number): number => D0 + form.words * n;

/** How code that is written out comes to SIMD registers: by the words of the state at which they begin. */
export interface RegisterAccess {
  /** The local that a register is in. It is not to be set. */
  readonly find: (form: RegisterForm, word: number) => Local | undefined;
  readonly push: (form: RegisterForm, word: number) => void;
  /** The register := what `value` pushes. */
  readonly write: (form: RegisterForm, word: number, value: () => void) => void;
  /** `count` words from `first` on were written otherwise. */
  readonly wrote: (first: number, count: number) => void;
}

/** Finds out which registers code comes to, and writes nothing. */
export class RegisterUses implements RegisterAccess {
  private readonly registers: SimdRegisters;
  constructor(registers: SimdRegisters) {
    this.registers = registers;
  }
  find(form: RegisterForm, word: number): undefined {
    this.registers.keep(form, word);
  }
  push(form: RegisterForm, word: number): void {
    this.registers.keep(form, word);
  }
  write(form: RegisterForm, word: number, value: () => void): void {
    value();
    this.registers.keep(form, word);
  }
  wrote(): void {}
}

/**
 * Locals beside those SIMD registers that a region computes with. The state is written as well, at once, so that whoever looks there finds what is; but the
 * next operation does not wait for a load of what was just stored, which takes a processor longer than an addition. Whoever writes the state by other means
 * says so.
 */
export class SimdRegisters implements RegisterAccess {
  private readonly w: FunctionWriter;
  private readonly kept: { readonly form: RegisterForm; readonly word: number; readonly local: Local }[] = [];
  /** First words and counts of what was written since {@link beginWork}. */
  private readonly written: number[] = [];

  constructor(w: FunctionWriter) {
    this.w = w;
  }

  /** Another function: nothing is kept. */
  begin(): void {
    if (this.kept.length > 0) this.kept.length = 0;
  }

  keep(form: RegisterForm, word: number): void {
    if (this.find(form, word) === undefined) this.kept.push({ form, word, local: this.w.local(form.type) });
  }

  find(form: RegisterForm, word: number): Local | undefined {
    for (const one of this.kept) if (one.word === word && one.form === form) return one.local;
    return undefined;
  }

  /** What `count` words from `word` on, 2 or 4, are kept as; when not as one register the first two may be one. */
  formIn(word: number, count: number): RegisterForm {
    const kept = (words: number): RegisterForm | undefined => this.kept.find((one) => one.word === word && one.form.words === words)?.form;
    return (count === 4 ? kept(4) : undefined) ?? kept(2) ?? (count === 4 ? quad : half);
  }

  /** The state may be another. */
  load(): void {
    for (const { form, word, local } of this.kept) this.loadOne(form, word, local);
  }

  wrote(first: number, count: number, except?: Local): void {
    this.written.push(first, count);
    for (const { form, word, local } of this.kept)
      if (word < first + count && first < word + form.words && local !== except) this.loadOne(form, word, local);
  }

  /** Code is being written that does one thing in two ways. */
  beginWork(): void {
    this.written.length = 0;
  }
  /** The state is what the other way has made of it. */
  wroteSame(): void {
    const words = this.written.splice(0);
    for (let i = 0; i < words.length; i += 2) this.wrote(words[i]!, words[i + 1]!);
  }

  private loadOne(form: RegisterForm, word: number, local: Local): void {
    this.pushState(form, word);
    this.w.set(local);
  }

  private pushState(form: RegisterForm, word: number): void {
    this.w.state();
    form.load(this.w, this.w.stateOffset + 4 * word);
  }

  push(form: RegisterForm, word: number): void {
    const local = this.find(form, word);
    if (local === undefined) this.pushState(form, word);
    else this.w.get(local);
  }

  write(form: RegisterForm, word: number, value: () => void): void {
    this.copy(form, word, () => {
      value();
      if (this.find(form, word) !== undefined) form.settle(this.w);
    });
  }

  /** The register := what `value` pushes, which is as a load would have it. */
  copy(form: RegisterForm, word: number, value: () => void): void {
    const { w } = this;
    const local = this.find(form, word);
    w.state();
    value();
    if (local !== undefined) w.tee(local);
    form.store(w, w.stateOffset + 4 * word);
    this.wrote(word, form.words, local);
  }
}

import { layout } from '@tablewalk/engine';
import type { RegisterBanks } from './banks.js';
import { bankOf } from './banks.js';

/** CPSR bits that are kept in `CPSR_CONTROL`: J, E, A, I, F, T, M. */
const CONTROL = 0x010003ff;

/** CPSR as one word, over the state words where its parts are kept (layout.ts). */
export class ProgramStatus {
  private readonly words: Int32Array;
  private readonly banks: RegisterBanks;

  constructor(words: Int32Array, banks: RegisterBanks) {
    this.words = words;
    this.banks = banks;
  }

  /** Unsigned; `itstate` is that of the instruction that reads. */
  read(itstate: number): number {
    const R = this.words;
    return (
      ((R[layout.FLAG_N]! & 0x80000000) |
        (R[layout.FLAG_Z] === 0 ? 1 << 30 : 0) |
        (R[layout.FLAG_C]! << 29) |
        ((R[layout.FLAG_V]! >>> 31) << 28) |
        (R[layout.FLAG_Q]! << 27) |
        ((itstate & 3) << 25) |
        (R[layout.FLAG_GE]! << 16) |
        ((itstate >>> 2) << 10) |
        R[layout.CPSR_CONTROL]!) >>>
      0
    );
  }

  /** Writes the bits of `mask`; true when control bits changed. A mode that does not exist is not entered: M stays as it was. */
  write(value: number, mask: number): boolean {
    const R = this.words;
    if (mask & 0x80000000) R[layout.FLAG_N] = value;
    if (mask & 0x40000000) R[layout.FLAG_Z] = value & 0x40000000 ? 0 : 1;
    if (mask & 0x20000000) R[layout.FLAG_C] = (value >>> 29) & 1;
    if (mask & 0x10000000) R[layout.FLAG_V] = value << 3;
    if (mask & 0x08000000) R[layout.FLAG_Q] = (value >>> 27) & 1;
    if (mask & 0x000f0000) R[layout.FLAG_GE] = ((((R[layout.FLAG_GE]! << 16) & ~mask) | (value & mask & 0x000f0000)) >>> 16) & 15;
    if (mask & 0x0600fc00) this.writeIt(value, mask);
    const before = R[layout.CPSR_CONTROL]!;
    let bits = mask & CONTROL;
    if (bits & 0x1f && bankOf(((before & ~bits) | (value & bits)) & 0x1f) < 0) bits &= ~0x1f;
    const after = (before & ~bits) | (value & bits);
    if (after === before) return false;
    R[layout.CPSR_CONTROL] = after;
    this.banks.switch(before & 0x1f, after & 0x1f);
    return true;
  }

  private writeIt(value: number, mask: number): void {
    const old = this.words[layout.ITSTATE]!;
    const inPlace = ((old & 3) << 25) | ((old >>> 2) << 10);
    const merged = (inPlace & ~mask) | (value & mask);
    this.words[layout.ITSTATE] = ((merged >>> 25) & 3) | (((merged >>> 10) & 0x3f) << 2);
  }
}

import { layout } from '@tablewalk/engine';
import { MODE_ABT, MODE_FIQ, MODE_IRQ, MODE_SVC, MODE_SYS, MODE_UND, MODE_USR } from '../system/core-system.js';

/** Banks of r13, r14 and SPSR (ARM DDI 0406C, B1.3.2). User and System share the first and have no SPSR. */
const BANK_COUNT = 6;
const FIQ = 1;

/** Bank of a mode, or -1 for one that this core does not have (Monitor, Hyp, reserved encodings). */
export const bankOf = (mode: number): number => {
  switch (mode) {
    case MODE_USR:
    case MODE_SYS:
      return 0;
    case MODE_FIQ:
      return FIQ;
    case MODE_IRQ:
      return 2;
    case MODE_SVC:
      return 3;
    case MODE_ABT:
      return 4;
    case MODE_UND:
      return 5;
    default:
      return -1;
  }
};

/** Names of the banks for registers and snapshots. */
export const bankNames = ['usr', 'fiq', 'irq', 'svc', 'abt', 'und'] as const;

/** The registers of the modes that are not current. r0-r14 of the current mode are in the state words. */
export class RegisterBanks {
  private readonly words: Int32Array;
  /** r13 and r14 by bank; the current bank's entry is stale. */
  private readonly r13 = new Int32Array(BANK_COUNT);
  private readonly r14 = new Int32Array(BANK_COUNT);
  readonly spsr = new Int32Array(BANK_COUNT);
  /** r8-r12 of the set that is not current. */
  private readonly others = new Int32Array(5);

  constructor(words: Int32Array) {
    this.words = words;
  }

  /** Exchanges the current registers for those of another mode. */
  switch(from: number, to: number): void {
    const old = bankOf(from);
    const next = bankOf(to);
    if (old === next) return;
    const R = this.words;
    this.r13[old] = R[13]!;
    this.r14[old] = R[14]!;
    if (old === FIQ || next === FIQ) {
      for (let i = 0; i < 5; i++) {
        const kept = R[8 + i]!;
        R[8 + i] = this.others[i]!;
        this.others[i] = kept;
      }
    }
    R[13] = this.r13[next]!;
    R[14] = this.r14[next]!;
  }

  /** Register 8-14 of `mode` while `current` is the mode. */
  read(current: number, mode: number, n: number): number {
    if (n < 13) return (bankOf(mode) === FIQ) === (bankOf(current) === FIQ) ? this.words[n]! : this.others[n - 8]!;
    if (bankOf(mode) === bankOf(current)) return this.words[n]!;
    return (n === 13 ? this.r13 : this.r14)[bankOf(mode)]!;
  }

  write(current: number, mode: number, n: number, value: number): void {
    if (n < 13) {
      if ((bankOf(mode) === FIQ) === (bankOf(current) === FIQ)) this.words[n] = value;
      else this.others[n - 8] = value;
    } else if (bankOf(mode) === bankOf(current)) this.words[n] = value;
    else (n === 13 ? this.r13 : this.r14)[bankOf(mode)] = value;
  }

  reset(): void {
    this.r13.fill(0);
    this.r14.fill(0);
    this.spsr.fill(0);
    this.others.fill(0);
    this.words.fill(0, 0, layout.PC + 1);
  }

  /** Every banked register by name. The current mode's come from the state words. */
  save(current: number): Record<string, number> {
    const out: Record<string, number> = {};
    const modes = [MODE_USR, MODE_FIQ, MODE_IRQ, MODE_SVC, MODE_ABT, MODE_UND];
    for (let bank = 0; bank < BANK_COUNT; bank++) {
      const name = bankNames[bank]!;
      out[`sp_${name}`] = this.read(current, modes[bank]!, 13) >>> 0;
      out[`lr_${name}`] = this.read(current, modes[bank]!, 14) >>> 0;
      if (bank > 0) out[`spsr_${name}`] = this.spsr[bank]! >>> 0;
    }
    for (let n = 8; n < 13; n++) {
      out[`r${n}_usr`] = this.read(current, MODE_USR, n) >>> 0;
      out[`r${n}_fiq`] = this.read(current, MODE_FIQ, n) >>> 0;
    }
    return out;
  }

  /** Writes back what `save` returned, with `current` the mode. Names it does not know are ignored by the caller's version check. */
  load(current: number, saved: Readonly<Record<string, number>>): void {
    const modes = [MODE_USR, MODE_FIQ, MODE_IRQ, MODE_SVC, MODE_ABT, MODE_UND];
    for (let bank = 0; bank < BANK_COUNT; bank++) {
      const name = bankNames[bank]!;
      this.write(current, modes[bank]!, 13, saved[`sp_${name}`]!);
      this.write(current, modes[bank]!, 14, saved[`lr_${name}`]!);
      if (bank > 0) this.spsr[bank] = saved[`spsr_${name}`]!;
    }
    for (let n = 8; n < 13; n++) {
      this.write(current, MODE_USR, n, saved[`r${n}_usr`]!);
      this.write(current, MODE_FIQ, n, saved[`r${n}_fiq`]!);
    }
  }
}

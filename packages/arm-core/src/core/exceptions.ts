import { layout } from '@tablewalk/engine';
import type { ExceptionKind, LateEffects } from '@tablewalk/machine';
import { CPSR_A, CPSR_E, CPSR_F, CPSR_I, CPSR_J, CPSR_T, MODE_ABT, MODE_FIQ, MODE_IRQ, MODE_SVC, MODE_UND } from '../system/core-system.js';
import type { RegisterBanks } from './banks.js';
import { bankOf } from './banks.js';

/** What exception entry needs of the core. */
export interface ExceptionOwner {
  readonly words: Int32Array;
  readonly banks: RegisterBanks;
  readonly late: LateEffects | undefined;
  readCpsr(): number;
  writeCpsr(value: number, mask: number): void;
  /** Base of the vectors: 0xffff0000 with SCTLR.V, else VBAR. */
  vectorBase(): number;
  /** SCTLR.TE and SCTLR.EE: instruction set and endianness of handlers. */
  readonly thumbExceptions: boolean;
  readonly bigEndianExceptions: boolean;
  observeException(kind: ExceptionKind, pc: number, target: number, cpsr: number): void;
}

/** Vector offsets, target modes, and which of A and F are masked on entry besides I (ARM DDI 0406C, B1.8.1 and B1.8.5). */
const entries = {
  undefined: { offset: 0x04, mode: MODE_UND, mask: CPSR_I },
  svc: { offset: 0x08, mode: MODE_SVC, mask: CPSR_I },
  'prefetch-abort': { offset: 0x0c, mode: MODE_ABT, mask: CPSR_I | CPSR_A },
  'data-abort': { offset: 0x10, mode: MODE_ABT, mask: CPSR_I | CPSR_A },
  irq: { offset: 0x18, mode: MODE_IRQ, mask: CPSR_I | CPSR_A },
  fiq: { offset: 0x1c, mode: MODE_FIQ, mask: CPSR_I | CPSR_A | CPSR_F },
} as const;

export type TakenException = keyof typeof entries;

/** Exception entry: SPSR, LR, mode, masks, instruction set, vector. */
export class Exceptions {
  private readonly owner: ExceptionOwner;

  constructor(owner: ExceptionOwner) {
    this.owner = owner;
  }

  /** `pc` is the instruction concerned; `returnAddress` goes to the link register as it is; `spsr` is the CPSR to save. */
  enter(kind: TakenException, pc: number, returnAddress: number, spsr: number): void {
    const { owner } = this;
    const { offset, mode, mask } = entries[kind];
    const control = mode | mask | (owner.thumbExceptions ? CPSR_T : 0) | (owner.bigEndianExceptions ? CPSR_E : 0);
    const target = (owner.vectorBase() + offset) >>> 0;
    // What was written before has its effect for the handler, not for how it is entered.
    owner.late?.contextSynchronized();
    owner.writeCpsr(control, 0x1f | mask | CPSR_T | CPSR_E | CPSR_J);
    owner.banks.spsr[bankOf(mode)] = spsr;
    owner.words[14] = returnAddress;
    owner.words[layout.ITSTATE] = 0;
    owner.words[layout.PC] = target;
    owner.observeException(kind, pc >>> 0, target, spsr >>> 0);
  }
}

import type { Clock, Diagnostics } from '@tablewalk/machine/contracts';

/** Fault registers: exception entry writes them, so the core keeps them. Unsigned words. */
export interface FaultRegisters {
  dfsr: number;
  dfar: number;
  ifsr: number;
  ifar: number;
}

/** Data and unified cache operations by the manual's names (ARM DDI 0406C.d, B4.2.1). The operand is a VA, or set/way packed as the guest wrote it. */
export type DataCacheOperation = 'DCIMVAC' | 'DCISW' | 'DCCMVAC' | 'DCCSW' | 'DCCMVAU' | 'DCCIMVAC' | 'DCCISW';
export type InstructionCacheOperation = 'ICIALLU' | 'ICIALLUIS' | 'ICIMVAU';
export type BranchPredictorOperation = 'BPIALL' | 'BPIALLIS' | 'BPIMVA';

/** What the core's registers need of the core. Optional members do nothing when absent: at functional fidelity memory is always coherent. */
export interface ThreadRegisters {
  TPIDRURW: number;
  TPIDRURO: number;
  TPIDRPRW: number;
}

export interface CoreRegisterHost {
  /** The cycle counter counts this: one instruction, one nanosecond, one cycle. */
  readonly clock: Clock;
  readonly faults: FaultRegisters;
  /** The thread registers, which code reads without asking the bank. Unsigned. */
  readonly thread: ThreadRegisters;
  /** Current privilege, asked only by the performance monitors. */
  readonly privileged: boolean;
  /** ISR: A in bit 8, I in bit 7, F in bit 6, from the lines that are pending now (B4.1.83). */
  pendingInterrupts(): number;
  /** VBAR was written (aligned to 32 bytes). */
  vectorBaseChanged(vbar: number): void;
  /** CPACR was written: access to VFP and Advanced SIMD may have changed. */
  coprocessorAccessChanged(cpacr: number): void;
  /** CP15ISB, CP15DSB, CP15DMB. */
  barrier(kind: 'dsb' | 'dmb' | 'isb', option: number): void;
  /** `va` is 0 for operations on all entries. */
  instructionCacheInvalidated?(operation: InstructionCacheOperation, va: number): void;
  branchPredictorInvalidated?(operation: BranchPredictorOperation, va: number): void;
  dataCacheMaintained?(operation: DataCacheOperation, operand: number): void;
  /** Level of the performance monitors' interrupt (PMUIRQ). */
  performanceInterrupt?(level: boolean): void;
  readonly diagnostics?: Diagnostics;
  /** Writes of CPACR, VBAR and CSSELR have their effect when {@link RegisterGroup.synchronize} is called. Default: at once. */
  readonly lateEffects?: boolean;
}

/** A group of registers that keeps its values in a plain object by name. */
export interface RegisterGroup {
  /** Power-on values. */
  reset(): void;
  /** Values by register name; a copy. Parts of a register that software cannot read by themselves have a name of their own. */
  state(): Record<string, number>;
  /** Takes values that `state` made; the caller has checked the names. The clock must have been restored before. */
  restore(state: Readonly<Record<string, number>>): void;
  /** A context synchronization event, with {@link CoreRegisterHost.lateEffects}. */
  synchronize?(): void;
}

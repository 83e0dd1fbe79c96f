import type { StateViews } from '@tablewalk/engine';
import type { CoreProfile } from '../profiles/profile.js';

/** Processor modes (ARM DDI 0406C, B1.3.1). */
export const MODE_USR = 0x10;
export const MODE_FIQ = 0x11;
export const MODE_IRQ = 0x12;
export const MODE_SVC = 0x13;
export const MODE_MON = 0x16;
export const MODE_ABT = 0x17;
export const MODE_HYP = 0x1a;
export const MODE_UND = 0x1b;
export const MODE_SYS = 0x1f;

export const CPSR_T = 1 << 5;
export const CPSR_F = 1 << 6;
export const CPSR_I = 1 << 7;
export const CPSR_A = 1 << 8;
export const CPSR_E = 1 << 9;
export const CPSR_J = 1 << 24;

/** What instructions with system effects may do to the core. Implemented by `ArmCore`; kernels (CALL micro-operations) get it as first argument. */
export interface CoreSystem {
  readonly state: StateViews;
  readonly profile: CoreProfile;
  /** VA of the instruction being executed. */
  instructionAddress(): number;
  /** Whether it is T32. */
  readonly thumb: boolean;
  /** Current mode, CPSR.M. */
  readonly mode: number;
  /** SCTLR.SW: SWP and SWPB exist. */
  readonly swapEnabled: boolean;
  /** The whole CPSR as MRS or an exception would see it (IT bits are those of the instruction being executed). Unsigned. */
  readCpsr(): number;
  /**
   * Writes the CPSR bits of `mask`, whatever the privilege: the caller has applied the rules of its instruction. Switches banks, and takes care of
   * pending interrupts that become unmasked. A mode that does not exist leaves the mode as it was and sets nothing else wrong.
   */
  writeCpsr(value: number, mask: number): void;
  /** SPSR of the current mode; in User and System mode (UNPREDICTABLE) 0. */
  readSpsr(): number;
  writeSpsr(value: number, mask: number): void;
  /** Registers 8-14 as `mode` sees them (also for the current mode), and SPSRs. */
  readBanked(mode: number, n: number): number;
  writeBanked(mode: number, n: number, value: number): void;
  readBankedSpsr(mode: number): number;
  writeBankedSpsr(mode: number, value: number): void;
  /** Exception return: CPSR := `cpsr` by the rules of CPSRWriteByInstr with return, PC := `pc` aligned for the new instruction set. Follow with RESYNC. */
  exceptionReturn(pc: number, cpsr: number): void;
  /** PC := `pc` for the next instruction, same instruction set. Follow with RESYNC. */
  setPc(pc: number): void;
  /** Takes the exception at once (banks, SPSR, LR, PC, masks). Follow with RESYNC when it is not thrown out of. */
  takeUndefined(): void;
  takeSvc(immediate: number): void;
  takePrefetchAbort(status: number, address: number): void;
  takeDataAbort(status: number, address: number, write: boolean): void;
  /** Ends the running instruction here, with whatever exception was taken before: for kernels that find a fault in mid-instruction. */
  leave(): never;
  /** HVC and SMC: the board's handler if there is one (PSCI), else UNDEFINED. */
  hypervisorCall(immediate: number): void;
  secureMonitorCall(immediate: number): void;
  /** Semihosting call of the current instruction set's SVC/BKPT/HLT; true when a handler took it. */
  semihosting(): boolean;
  /** BKPT: Prefetch Abort with the debug-event status (B2.4, DBGDSCR not enabled). */
  takeBreakpoint(immediate: number): void;
  /** Data accesses with the current translation, alignment and endianness rules; a fault takes its exception and leaves. Sizes 1, 2, 4. */
  loadData(va: number, size: number, privileged: boolean): number;
  storeData(va: number, size: number, value: number, privileged: boolean): void;
  /** Takes an alignment fault and leaves, when `va` is no multiple of `size` (a power of two): for addresses that state their alignment. */
  checkAlignment(va: number, size: number, write: boolean): void;
  /** Marks [address] for exclusive access: translates for reading (faults as a load does) and remembers the physical address and size in bytes. */
  markExclusive(va: number, size: number): void;
  /**
   * STREX: true when the monitor still covers (va, size) and the store may go ahead. Clears the monitor either way. Faults as a store does (checks
   * translation and permission first, whatever the monitor says).
   */
  claimExclusive(va: number, size: number): boolean;
  clearExclusive(): void;
  /** Sleeps until an interrupt (masked or not) is pending. */
  waitForInterrupt(): void;
  /** WFE: returns at once if the event register is set (clears it), else sleeps until an event or interrupt. */
  waitForEvent(): void;
  sendEvent(): void;
  /** ISB, DSB, DMB with their option field (15 = SY): events for observers; the functional machine is sequentially consistent. */
  barrier(kind: 'dsb' | 'dmb' | 'isb', option: number): void;
  /** 32-bit system register: `key` is cp << 16 | opc1 << 12 | crn << 8 | crm << 4 | opc2. UNDEFINED when absent or not allowed. */
  readSystemRegister(key: number): number;
  writeSystemRegister(key: number, value: number): void;
  /** 64-bit: `key` is cp << 16 | opc1 << 4 | crm. Leaves the halves in `pairLow` and `pairHigh`. */
  readSystemRegister64(key: number): void;
  pairLow: number;
  pairHigh: number;
  writeSystemRegister64(key: number, low: number, high: number): void;
  /** VMRS/VMSR of FPSCR, whole word; FPEXC and the rest. */
  readFpscr(): number;
  writeFpscr(value: number): void;
  /** VMRS/VMSR by register number (FPSID 0, FPSCR 1, MVFR1 6, MVFR0 7, FPEXC 8); UNDEFINED (taken, then left) when not allowed. */
  readFpSystem(register: number): number;
  writeFpSystem(register: number, value: number): void;
}

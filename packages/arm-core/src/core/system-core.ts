import type { StateViews } from '@tablewalk/engine';
import { layout } from '@tablewalk/engine';
import type { CoreProfile } from '../profiles/profile.js';
import type { CoreSystem } from '../system/core-system.js';
import { CPSR_E } from '../system/core-system.js';
import type { RegisterBank } from '../system/register-bank.js';
import type { ArmCore } from './arm-core.js';
import { bankOf } from './banks.js';
import { ExclusiveMonitor } from './exclusive-monitor.js';
import { advanceIt } from './translator.js';

/** What a board may answer in place of an exception. */
export interface CoreHandlers {
  /** HVC; true when handled (PSCI). The handler reads and writes r0-r3 through the core. */
  readonly hypervisorCall?: (immediate: number) => boolean;
  readonly secureMonitorCall?: (immediate: number) => boolean;
  /** A semihosting call (operation in r0, parameter in r1); true when taken. */
  readonly semihosting?: () => boolean;
}

const FPEXC_ENABLE = 1 << 30;
/** FPSCR bits that can be written besides NZCV and QC: AHP, DN, FZ, RMode, STRIDE, LEN, and the cumulative exceptions (these cores do not trap). */
const FPSCR_CONTROL_BITS = 0x07f70000;
const FPSCR_EXCEPTION_BITS = 0x9f;

/** System instructions over a core: the implementation of {@link CoreSystem}. */
export class SystemCore implements CoreSystem {
  readonly state: StateViews;
  readonly profile: CoreProfile;
  handlers: CoreHandlers = {};
  pairLow = 0;
  pairHigh = 0;
  private readonly core: ArmCore;
  private readonly registers: RegisterBank;
  private readonly monitor: ExclusiveMonitor;
  private readonly pair = new Uint32Array(2);

  constructor(core: ArmCore, registers: RegisterBank) {
    this.core = core;
    this.state = core.state;
    this.profile = core.profile;
    this.registers = registers;
    this.monitor = new ExclusiveMonitor(core.words);
  }

  /** Event register of WFE and SEV. */
  get event(): boolean {
    return this.core.words[layout.EVENT] !== 0;
  }
  set event(value: boolean) {
    this.core.words[layout.EVENT] = value ? 1 : 0;
  }

  get thumb(): boolean {
    return this.core.thumb;
  }
  get mode(): number {
    return this.core.mode;
  }
  get swapEnabled(): boolean {
    return this.core.swapEnabled;
  }
  instructionAddress(): number {
    return this.core.instructionAddress();
  }
  /** VA of the instruction after the running one. */
  private nextAddress(): number {
    return this.core.followingAddress();
  }

  readCpsr(): number {
    return this.core.readCpsr();
  }
  writeCpsr(value: number, mask: number): void {
    this.core.writeCpsr(value, mask);
  }
  readSpsr(): number {
    return this.core.banks.spsr[this.core.spsrBank]! >>> 0;
  }
  writeSpsr(value: number, mask: number): void {
    const bank = this.core.spsrBank;
    if (bank <= 0) return;
    const { spsr } = this.core.banks;
    spsr[bank] = (spsr[bank]! & ~mask) | (value & mask);
  }
  readBanked(mode: number, n: number): number {
    return this.core.banks.read(this.core.mode, mode, n) >>> 0;
  }
  writeBanked(mode: number, n: number, value: number): void {
    this.core.banks.write(this.core.mode, mode, n, value);
  }
  readBankedSpsr(mode: number): number {
    const bank = bankOf(mode);
    return bank > 0 ? this.core.banks.spsr[bank]! >>> 0 : 0;
  }
  writeBankedSpsr(mode: number, value: number): void {
    const bank = bankOf(mode);
    if (bank > 0) this.core.banks.spsr[bank] = value;
  }

  exceptionReturn(pc: number, cpsr: number): void {
    // J and reserved bits: Jazelle and ThumbEE states do not exist here, so T alone selects (B1.8.10).
    this.core.words[layout.ITSTATE] = 0;
    this.core.late?.contextSynchronized();
    this.core.writeCpsr(cpsr, this.core.privileged ? 0xfe0fffff : 0xf80f0200);
    const thumb = this.core.thumb;
    if (this.core.privileged || thumb) this.writeItState(thumb ? cpsr : 0);
    this.core.words[layout.PC] = pc & (thumb ? ~1 : ~3);
  }

  private writeItState(cpsr: number): void {
    this.core.words[layout.ITSTATE] = ((cpsr >>> 25) & 3) | (((cpsr >>> 10) & 0x3f) << 2);
  }

  setPc(pc: number): void {
    this.core.words[layout.PC] = pc;
  }

  takeUndefined(): void {
    this.core.takeUndefined();
  }
  takeSvc(_immediate: number): void {
    const next = this.nextAddress();
    this.core.exceptions.enter('svc', this.instructionAddress(), next, this.core.status.read(advanceIt(this.core.itstate())));
  }
  takePrefetchAbort(status: number, address: number): void {
    this.core.takePrefetchAbort(status, address);
  }
  takeDataAbort(status: number, address: number, write: boolean): void {
    this.core.takeDataAbort(status, address, write);
  }
  takeBreakpoint(_immediate: number): void {
    this.core.takePrefetchAbort(this.core.memorySystem.faultStatus('debug'), this.core.faults.ifar);
  }
  leave(): never {
    return this.core.leave();
  }

  hypervisorCall(immediate: number): void {
    this.callBoard(this.handlers.hypervisorCall, immediate);
  }
  secureMonitorCall(immediate: number): void {
    this.callBoard(this.handlers.secureMonitorCall, immediate);
  }
  private callBoard(handler: ((immediate: number) => boolean) | undefined, immediate: number): void {
    const next = this.nextAddress();
    const itstate = advanceIt(this.core.itstate());
    this.core.synchronize();
    if (handler?.(immediate)) {
      this.core.words[layout.PC] = next;
      this.core.words[layout.ITSTATE] = itstate;
      this.core.requestAttention();
    } else this.core.takeUndefined();
  }
  semihosting(): boolean {
    this.core.synchronize();
    return this.handlers.semihosting?.() ?? false;
  }

  loadData(va: number, size: number, privileged: boolean): number {
    return this.core.access.load(va | 0, size | this.flags(size, privileged), this.core.frame.index) >>> 0;
  }
  storeData(va: number, size: number, value: number, privileged: boolean): void {
    this.core.access.store(va | 0, size | this.flags(size, privileged), value, this.core.frame.index);
  }
  private flags(size: number, privileged: boolean): number {
    const swap = size > 1 && this.core.words[layout.CPSR_CONTROL]! & CPSR_E ? 64 : 0;
    return swap | (privileged ? 0 : 32);
  }

  markExclusive(va: number, size: number): void {
    this.checkAlignment(va, size, false);
    this.monitor.mark(this.core.access.physical(va, false, this.core.privileged), size);
  }
  claimExclusive(va: number, size: number): boolean {
    this.checkAlignment(va, size, true);
    // A monitor that is open fails the store without a look at the mapping, as the architecture allows (A3.4.5).
    if (!this.monitor.marked) return false;
    return this.monitor.claim(this.core.access.physical(va, true, this.core.privileged), size);
  }
  checkAlignment(va: number, size: number, write: boolean): void {
    if (va & (size - 1)) this.core.dataAbort(this.core.memorySystem.faultStatus('alignment'), va, write);
  }
  clearExclusive(): void {
    this.monitor.clear();
  }

  waitForInterrupt(): void {
    this.core.halted = true;
    this.core.requestAttention();
  }
  waitForEvent(): void {
    // One core: nobody but interrupts could wake it, and a spurious wake-up is allowed; sleeping for ever is not.
    this.event = false;
  }
  sendEvent(): void {
    this.event = true;
  }
  barrier(kind: 'dsb' | 'dmb' | 'isb', option: number): void {
    const { observers, late } = this.core;
    if (late !== undefined && kind === 'isb') late.contextSynchronized();
    // Options with the two low bits 10 wait for stores alone (A8.8.44).
    else if (late !== undefined && kind === 'dsb') late.dataBarrier((option & 3) === 2);
    if (observers.length === 0) return;
    for (const observer of observers) observer.barrier?.(kind, option, this.instructionAddress());
  }

  private undefinedAccess(): never {
    this.core.takeUndefined();
    return this.core.leave();
  }

  readSystemRegister(key: number): number {
    const register = this.registers.find(key);
    if (register?.read === undefined || !this.registers.allowed(register, false, this.core.privileged)) return this.undefinedAccess();
    this.core.synchronize();
    return register.read() >>> 0;
  }
  writeSystemRegister(key: number, value: number): void {
    const register = this.registers.find(key);
    if (register?.write === undefined || !this.registers.allowed(register, true, this.core.privileged)) this.undefinedAccess();
    this.core.synchronize();
    for (const observer of this.core.observers) observer.systemRegisterWrite?.(register.name, value >>> 0, this.instructionAddress());
    register.write(value >>> 0);
  }
  readSystemRegister64(key: number): void {
    const register = this.registers.find64(key);
    if (register?.read === undefined || !this.registers.allowed(register, false, this.core.privileged)) this.undefinedAccess();
    this.core.synchronize();
    register.read(this.pair);
    this.pairLow = this.pair[0]!;
    this.pairHigh = this.pair[1]!;
  }
  writeSystemRegister64(key: number, low: number, high: number): void {
    const register = this.registers.find64(key);
    if (register?.write === undefined || !this.registers.allowed(register, true, this.core.privileged)) this.undefinedAccess();
    this.core.synchronize();
    register.write(low >>> 0, high >>> 0);
  }

  readFpscr(): number {
    const R = this.core.words;
    return (
      (R[layout.FPSCR_CONTROL]! | R[layout.FPSCR_NZCV]! | (R[layout.FPSCR_QC] !== 0 ? 1 << 27 : 0) | R[layout.FPSCR_EXCEPTIONS]!) >>> 0
    );
  }
  writeFpscr(value: number): void {
    const R = this.core.words;
    const before = R[layout.FPSCR_CONTROL]!;
    R[layout.FPSCR_CONTROL] = value & FPSCR_CONTROL_BITS;
    if ((before ^ value) & 0x00370000) this.core.updateMode();
    R[layout.FPSCR_NZCV] = value & 0xf0000000;
    R[layout.FPSCR_QC] = (value >>> 27) & 1;
    R[layout.FPSCR_EXCEPTIONS] = value & FPSCR_EXCEPTION_BITS;
  }
  private fpEnabled(): boolean {
    return (this.core.words[layout.FPEXC]! & FPEXC_ENABLE) !== 0;
  }
  readFpSystem(register: number): number {
    if (!this.core.vfpAccessible() || !(register === 1 ? this.fpEnabled() : this.core.privileged)) return this.undefinedAccess();
    switch (register) {
      case 0:
        return this.profile.fpsid;
      case 1:
        return this.readFpscr();
      case 6:
        return this.profile.mvfr1;
      case 7:
        return this.profile.mvfr0;
      case 8:
        return this.core.words[layout.FPEXC]! >>> 0;
      default:
        return this.undefinedAccess();
    }
  }
  writeFpSystem(register: number, value: number): void {
    if (!this.core.vfpAccessible() || !(register === 1 ? this.fpEnabled() : this.core.privileged)) this.undefinedAccess();
    if (register === 1) this.writeFpscr(value);
    else if (register === 8) {
      // EX and the rest are 0: nothing bounces on these cores, so there is nothing for software to save.
      this.core.words[layout.FPEXC] = value & FPEXC_ENABLE;
      this.core.updateMode();
    } else if (register !== 0) this.undefinedAccess();
  }
}

import type { VirtAddr } from '@tablewalk/machine';
import type { AbortReport } from './guest-abort.js';
import { GuestAbort } from './guest-abort.js';
import type { KernelProgram } from './image/program.js';
import type { Site } from './image/sites.js';
import { EXCEPTION_KINDS, FRAME_PC, TRAP_OOPS, TRAP_RETURNED } from './image/traps.js';
import { KmemError } from './kmem-error.js';
import type { KernelMachine } from './machine.js';

/**
 * The only way from a kernel routine in TypeScript to the machine. Every call executes the instruction of its call site on the CPU: registers get the
 * operands, the PC goes there, one instruction runs. Addresses are those of the kernel as it runs: physical before the MMU is on, virtual after.
 * Values are unsigned. Each method throws {@link GuestAbort} when the guest took an exception.
 */
export interface KernelPort {
  load(site: Site, address: number): number;
  store(site: Site, address: number, value: number): void;
  mcr(site: Site, value: number): void;
  mrc(site: Site): number;
  dsb(site: Site): void;
  dmb(site: Site): void;
  isb(site: Site): void;
  /** Calls guest code at an address with up to three arguments in r0-r2; r0 comes back. */
  branch(site: Site, target: VirtAddr, r0?: number, r1?: number, r2?: number): number;
  /** Where a label of the image is as the kernel runs now. */
  entry(label: string): VirtAddr;
}

/** CPSR.A, I and F. */
const MASKS = 0x1c0;
const PC = 15;
const LR = 14;
/** More instructions than any routine in guest code needs. */
const RUNAWAY = 50_000_000;
const CHUNK = 1_000_000;

/** The port on a CPU. One kernel has one. */
export class CpuPort implements KernelPort {
  private readonly machine: KernelMachine;
  private readonly program: KernelProgram;
  private readonly words: Int32Array;
  private readonly places = new Map<Site, number>();
  private readonly saved = new Int32Array(15);
  /** What to add to a linked address to get where the text is now: 0 once the kernel runs where it was linked. */
  private displacement = 0;
  private trap: number | undefined;
  /** A host routine is running. */
  active = false;

  constructor(machine: KernelMachine, program: KernelProgram) {
    this.machine = machine;
    this.program = program;
    this.words = machine.cpu.core.words;
  }

  /** The HVC handler: notes the trap and ends the run. */
  trapped(immediate: number): void {
    this.trap = immediate;
    this.machine.stop();
  }

  /** Runs guest code up to the next trap and returns its number; undefined when the machine ended otherwise. */
  runToTrap(limit = RUNAWAY): number | undefined {
    const { machine } = this;
    const end = machine.instructions + limit;
    this.trap = undefined;
    for (;;) {
      const left = end - machine.instructions;
      if (left <= 0) throw new GuestAbort(this.report('runaway'));
      const { reason } = machine.runFor(Math.min(left, CHUNK));
      if (this.trap !== undefined) {
        const { trap } = this;
        this.trap = undefined;
        return trap;
      }
      if (reason === 'crashed') throw new GuestAbort(this.report('locked-up'));
      if (reason !== 'limit' && reason !== 'stopped') return undefined;
    }
  }

  private report(kind: AbortReport['kind']): AbortReport {
    const pc = this.words[PC]! >>> 0;
    return { kind, status: 0, address: 0, pc, symbol: this.symbol(pc) };
  }

  private symbol(pc: number): string | undefined {
    return this.program.symbolAt((pc - this.displacement) >>> 0);
  }

  /** What the kernel's exception handler left in the registers of TRAP_OOPS. */
  oops(): GuestAbort {
    const R = this.words;
    const kind = EXCEPTION_KINDS[R[0]!] ?? 'undefined';
    const frame = R[3]! >>> 0;
    const { mmu } = this.machine;
    const at = frame + 4 * FRAME_PC;
    const pa = mmu.enabled ? mmu.explainWalk(at).mapping?.pa : at;
    const bytes = pa === undefined ? undefined : this.machine.readMemory(pa, 4);
    const pc = bytes === undefined ? 0 : (bytes[0]! | (bytes[1]! << 8) | (bytes[2]! << 16) | (bytes[3]! << 24)) >>> 0;
    return new GuestAbort({ kind, status: R[1]! >>> 0, address: R[2]! >>> 0, pc, symbol: this.symbol(pc) });
  }

  /**
   * Runs a host routine in the trap that the CPU is in: registers are given back as they were, except for those that the routine answers with. After
   * a GuestAbort the CPU is behind TRAP_OOPS and nothing is given back.
   */
  routine<Result>(body: () => Result, answer?: (result: Result) => readonly number[]): Result {
    if (this.active) throw new KmemError('port', 'a host routine is running already');
    const { words: R, saved } = this;
    const { cpu } = this.machine;
    const pc = R[PC]!;
    const cpsr = cpu.core.readCpsr();
    const { linkAddress } = this.program.layout;
    const here = pc >>> 0;
    this.displacement =
      here >= linkAddress && here < linkAddress + this.program.bytes.length ? 0 : this.program.layout.loadAddress - linkAddress;
    saved.set(R.subarray(0, 15));
    cpu.core.writeCpsr(cpsr | MASKS, MASKS);
    this.active = true;
    const giveBack = (): void => {
      R.set(saved);
      R[PC] = pc;
      cpu.core.writeCpsr(cpsr, MASKS);
    };
    try {
      const result = body();
      giveBack();
      answer?.(result).forEach((value, n) => {
        R[n] = value;
      });
      return result;
    } catch (error) {
      // The routine's own mistake is none of the guest's: it finds itself where it was.
      if (!(error instanceof GuestAbort)) giveBack();
      throw error;
    } finally {
      this.active = false;
    }
  }

  private place(site: Site): number {
    let at = this.places.get(site);
    if (at === undefined) {
      at = this.program.site(site) | 0;
      this.places.set(site, at);
    }
    return (at + this.displacement) | 0;
  }

  private step(site: Site): void {
    if (!this.active) throw new KmemError('port', `'${site.symbol}' was reached outside of a host routine`);
    const at = this.place(site);
    const R = this.words;
    R[PC] = at;
    this.machine.runFor(1);
    if (R[PC] !== ((at + 4) | 0)) this.aborted();
  }

  /** The CPU stands at a vector: the kernel's handler runs up to its report. */
  private aborted(): never {
    const trap = this.runToTrap(CHUNK);
    if (trap === TRAP_OOPS) throw this.oops();
    throw new GuestAbort(this.report('runaway'));
  }

  entry(label: string): VirtAddr {
    return (this.program.address(label) + this.displacement) >>> 0;
  }

  load(site: Site, address: number): number {
    this.words[0] = address;
    this.step(site);
    return this.words[1]! >>> 0;
  }
  store(site: Site, address: number, value: number): void {
    this.words[0] = address;
    this.words[1] = value;
    this.step(site);
  }
  mcr(site: Site, value: number): void {
    this.words[0] = value;
    this.step(site);
  }
  mrc(site: Site): number {
    this.step(site);
    return this.words[0]! >>> 0;
  }
  dsb(site: Site): void {
    this.step(site);
  }
  dmb(site: Site): void {
    this.step(site);
  }
  isb(site: Site): void {
    this.step(site);
  }

  branch(site: Site, target: VirtAddr, r0 = 0, r1 = 0, r2 = 0): number {
    if (!this.active) throw new KmemError('port', `'${site.symbol}' was reached outside of a host routine`);
    const R = this.words;
    const at = this.place(site);
    // BLX takes its target in r0, so the branch itself is stepped and the arguments follow.
    R[0] = target;
    R[PC] = at;
    this.machine.runFor(1);
    if (R[PC] !== (target | 0) || R[LR] !== ((at + 4) | 0)) this.aborted();
    R[0] = r0;
    R[1] = r1;
    R[2] = r2;
    const trap = this.runToTrap();
    if (trap === TRAP_OOPS) throw this.oops();
    if (trap !== TRAP_RETURNED) throw new GuestAbort(this.report('ended'));
    return R[0]! >>> 0;
  }
}

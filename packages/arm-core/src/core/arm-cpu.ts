import { layout } from '@tablewalk/engine';
import type { CachedMemory, CpuView, Snapshot } from '@tablewalk/machine';
import { MODE_ABT, MODE_FIQ, MODE_IRQ, MODE_SVC, MODE_UND, MODE_USR } from '../system/core-system.js';
import { RegisterBank } from '../system/register-bank.js';
import type { CoreRegisters } from '../system/registers-core.js';
import { defineCoreRegisters } from '../system/registers-core.js';
import type { CoreRegisterHost, ThreadRegisters } from '../system/registers-host.js';
import { ArmCore } from './arm-core.js';
import type { CachedAccess } from './cached-access.js';
import type { ArmCoreParts } from './core-parts.js';
import type { SavedTables } from './fast-table.js';
import type { CoreHandlers } from './system-core.js';
import { SystemCore } from './system-core.js';

const SCHEMA = 'arm-core/cpu';
const VERSION = 3;

/** State words by name: r0-r12, then what layout.ts calls them. */
const words = {
  pc: layout.PC,
  itstate: layout.ITSTATE,
  exclusiveSize: layout.EXCLUSIVE_SIZE,
  exclusiveAddress: layout.EXCLUSIVE_ADDRESS,
  exclusiveAddressHigh: layout.EXCLUSIVE_ADDRESS_HIGH,
  fpexc: layout.FPEXC,
} as const;

interface CpuSnapshot {
  readonly cpsr: number;
  readonly fpscr: number;
  readonly registers: Readonly<Record<string, number>>;
  readonly banks: Readonly<Record<string, number>>;
  /** d0-d31, low word first. */
  readonly simd: Uint32Array;
  readonly irq: boolean;
  readonly fiq: boolean;
  readonly halted: boolean;
  readonly event: boolean;
  readonly faults: Readonly<Record<'dfsr' | 'dfar' | 'ifsr' | 'ifar', number>>;
  readonly system: Snapshot;
  /** Null where look-ups have no state. */
  readonly tables: SavedTables | null;
}

const names = [
  'r0',
  'r1',
  'r2',
  'r3',
  'r4',
  'r5',
  'r6',
  'r7',
  'r8',
  'r9',
  'r10',
  'r11',
  'r12',
  'sp',
  'lr',
  'pc',
  'cpsr',
  'spsr',
  'fpscr',
  'fpexc',
] as const;
const bankModes: Readonly<Record<string, number>> = {
  usr: MODE_USR,
  fiq: MODE_FIQ,
  irq: MODE_IRQ,
  svc: MODE_SVC,
  abt: MODE_ABT,
  und: MODE_UND,
};

/** CP15 c7 over caches with contents. */
const cacheOperations = (
  cached: CachedMemory,
  access: CachedAccess,
): Pick<CoreRegisterHost, 'dataCacheMaintained' | 'instructionCacheInvalidated'> => ({
  dataCacheMaintained: (operation, operand) => {
    if (operation.endsWith('SW')) cached.maintainSetWay(operation, operand);
    else cached.maintain(operation, operand, access.locateForMaintenance(operand));
  },
  instructionCacheInvalidated: (operation, va) => {
    if (operation === 'ICIMVAU') cached.maintain(operation, va, access.locateForMaintenance(va));
    else cached.invalidateInstructions();
  },
});

/** The thread registers where code reads them. */
const threadRegisters = (R: Int32Array): ThreadRegisters => ({
  get TPIDRURW() {
    return R[layout.TPIDRURW]! >>> 0;
  },
  set TPIDRURW(value) {
    R[layout.TPIDRURW] = value;
  },
  get TPIDRURO() {
    return R[layout.TPIDRURO]! >>> 0;
  },
  set TPIDRURO(value) {
    R[layout.TPIDRURO] = value;
  },
  get TPIDRPRW() {
    return R[layout.TPIDRPRW]! >>> 0;
  },
  set TPIDRPRW(value) {
    R[layout.TPIDRPRW] = value;
  },
});

/** A whole core with its system registers: what a board puts into a machine. */
export class ArmCpu implements CpuView {
  readonly core: ArmCore;
  readonly system: SystemCore;
  /** CP14 and CP15: the MMU and the generic timer define theirs here. */
  readonly registers: RegisterBank;
  private readonly own: CoreRegisters;
  private readonly statefulLookups: boolean;

  constructor(parts: ArmCoreParts & { readonly handlers: CoreHandlers }) {
    this.statefulLookups = parts.statefulLookups ?? false;
    this.registers = new RegisterBank(parts.profile.absent);
    let system: SystemCore | undefined;
    const { lateEffects: late } = parts;
    // The core's own registers wait for what the memory system's wait for.
    const lateEffects = late && {
      dataBarrier: (storesOnly: boolean) => late.dataBarrier(storesOnly),
      contextSynchronized: () => {
        late.contextSynchronized();
        this.own.synchronize();
      },
    };
    this.core = new ArmCore({ ...parts, ...(lateEffects && { lateEffects }) }, (core) => {
      system = new SystemCore(core, this.registers);
      return system;
    });
    this.system = system!;
    this.system.handlers = parts.handlers;
    const { core } = this;
    this.own = defineCoreRegisters(this.registers, parts.profile, {
      clock: parts.timeline,
      faults: core.faults,
      thread: threadRegisters(core.words),
      get privileged() {
        return core.privileged;
      },
      pendingInterrupts: () => (core.irq ? 1 << 7 : 0) | (core.fiq ? 1 << 6 : 0),
      vectorBaseChanged: (vbar) => {
        core.vbar = vbar;
      },
      coprocessorAccessChanged: (cpacr) => core.coprocessorAccessChanged(cpacr),
      barrier: (kind, option) => this.system.barrier(kind, option),
      lateEffects: late !== undefined,
      ...(parts.cachedMemory && cacheOperations(parts.cachedMemory, core.access as CachedAccess)),
    });
    core.onPrivilegeChange = () => {
      if (!this.own.performance.filtered) return;
      core.synchronize();
      this.own.performance.privilegeChanged();
    };
  }

  /** Power-on. The memory system is reset first. */
  reset(): void {
    this.core.reset();
    this.own.reset();
    this.system.event = false;
  }

  /** Where the first instruction is and in what state. */
  start(entry: { readonly pc: number; readonly cpsr: number }): void {
    this.core.writeCpsr(entry.cpsr, 0xffffffff);
    this.core.words[layout.PC] = entry.pc;
  }

  registerNames(): readonly string[] {
    return [...names, ...Object.keys(this.core.banks.save(this.core.mode)), ...this.registers.names()];
  }

  readRegister(name: string): number | undefined {
    const at = (names as readonly string[]).indexOf(name);
    if (at >= 0 && at < 16) return this.core.words[at]! >>> 0;
    if (name === 'cpsr') return this.core.readCpsr();
    if (name === 'spsr') return this.system.readSpsr();
    if (name === 'fpscr') return this.system.readFpscr();
    if (name === 'fpexc') return this.core.words[layout.FPEXC]! >>> 0;
    const simd = /^d([0-9]+)\.(lo|hi)$/.exec(name);
    if (simd)
      return Number(simd[1]) < 32 ? this.core.words[layout.D0 + 2 * Number(simd[1]) + (simd[2] === 'hi' ? 1 : 0)]! >>> 0 : undefined;
    const banked = this.core.banks.save(this.core.mode)[name];
    return banked ?? this.registers.read(name);
  }

  writeRegister(name: string, value: number): boolean {
    const at = (names as readonly string[]).indexOf(name);
    if (at >= 0 && at < 16) {
      this.core.words[at] = value;
      return true;
    }
    if (name === 'cpsr') this.core.writeCpsr(value, 0xffffffff);
    else if (name === 'spsr') this.system.writeSpsr(value, 0xffffffff);
    else if (name === 'fpscr') this.system.writeFpscr(value);
    else return this.writeOther(name, value);
    return true;
  }

  private writeOther(name: string, value: number): boolean {
    const simd = /^d([0-9]+)\.(lo|hi)$/.exec(name);
    if (simd && Number(simd[1]) < 32) {
      this.core.words[layout.D0 + 2 * Number(simd[1]) + (simd[2] === 'hi' ? 1 : 0)] = value;
      return true;
    }
    const banked = /^(r8|r9|r10|r11|r12|sp|lr|spsr)_(usr|fiq|irq|svc|abt|und)$/.exec(name);
    if (!banked) return this.registers.write(name, value);
    const mode = bankModes[banked[2]!]!;
    if (banked[1] === 'spsr') this.system.writeBankedSpsr(mode, value);
    else this.system.writeBanked(mode, banked[1] === 'sp' ? 13 : banked[1] === 'lr' ? 14 : Number(banked[1]!.slice(1)), value);
    return true;
  }

  snapshot(): Snapshot<CpuSnapshot> {
    const R = this.core.words;
    const registers: Record<string, number> = {};
    for (let n = 0; n < 13; n++) registers[`r${n}`] = R[n]! >>> 0;
    for (const [name, word] of Object.entries(words)) registers[name] = R[word]! >>> 0;
    return {
      schema: SCHEMA,
      version: VERSION,
      data: {
        cpsr: this.core.readCpsr(),
        fpscr: this.system.readFpscr(),
        registers,
        banks: this.core.banks.save(this.core.mode),
        simd: this.core.state.u32.slice(layout.D0, layout.D0 + 64),
        irq: this.core.irq,
        fiq: this.core.fiq,
        halted: this.core.halted,
        event: this.system.event,
        faults: { ...this.core.faults },
        system: this.own.snapshot(),
        tables: this.statefulLookups ? this.core.saveTables() : null,
      },
    };
  }

  /** The memory system and the clock have been restored before. */
  restore(snapshot: Snapshot): void {
    if (snapshot.schema !== SCHEMA || snapshot.version !== VERSION)
      throw new Error(`[arm-core] [cpu] cannot restore ${snapshot.schema} version ${snapshot.version}`);
    const data = snapshot.data as CpuSnapshot;
    const { core } = this;
    core.fast.dropAll();
    this.own.restore(data.system);
    Object.assign(core.faults, data.faults);
    core.writeCpsr(data.cpsr, 0xffffffff);
    core.banks.load(core.mode, data.banks);
    const R = core.words;
    for (let n = 0; n < 13; n++) R[n] = data.registers[`r${n}`]!;
    for (const [name, word] of Object.entries(words)) R[word] = data.registers[name]!;
    core.state.u32.set(data.simd, layout.D0);
    this.system.writeFpscr(data.fpscr);
    core.halted = data.halted;
    core.lockedUp = false;
    this.system.event = data.event;
    core.irq = data.irq;
    core.fiq = data.fiq;
    core.updateMode();
    if (data.tables !== null && this.statefulLookups) core.loadTables(data.tables);
  }
}

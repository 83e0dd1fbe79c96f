import type { SystemRegister, Timer } from '@tablewalk/machine/contracts';
import type { CoreProfile } from '../profiles/profile.js';
import type { RegisterBank } from './register-bank.js';
import type { CoreRegisterHost, RegisterGroup } from './registers-host.js';
import { profileRegister } from './registers-id.js';

const PMCR_E = 1 << 0;
const PMCR_P = 1 << 1;
const PMCR_C = 1 << 2;
const PMCR_D = 1 << 3;
const PMCR_LC = 1 << 6;
/** E, D, X, DP, LC and LP stick; P and C act. */
const PMCR_WRITABLE = 0xf9;
const CYCLE_COUNTER = 0x80000000;
/** P, U, NSK, NSU, NSH, M and the event number. */
const EVENT_TYPE_WRITABLE = 0xfe00ffff;
const CYCLE_FILTER_WRITABLE = 0xfc000000;
/** What the A32 view of PMCCFILTR shows of that. */
const CYCLE_FILTER_VISIBLE = 0xf8000000;
const EVENT_SOFTWARE = 0x00;
const EVENT_RETIRED = 0x08;
const EVENT_CYCLES = 0x11;
const CYCLE_SELECTOR = 31;
const WRAP = 0x100000000;

/**
 * Performance monitors (ARM DDI 0406C.d, chapter C12). One instruction is one cycle, so PMCCNTR, CPU_CYCLES and INST_RETIRED all count guest time; that
 * includes the time that WFI skips. No other event is counted. Counters are brought up to date when somebody looks, not while running.
 */
export interface PerformanceMonitors extends RegisterGroup {
  /** True while a running counter leaves out PL0 or PL1: only then must the core call `privilegeChanged`. */
  readonly filtered: boolean;
  /** The core went from PL0 to PL1 or back; `host.privileged` is the new privilege and the clock is exact. */
  privilegeChanged(): void;
}

class Monitors implements PerformanceMonitors {
  pmcr = 0;
  enabled = 0;
  overflow = 0;
  interrupts = 0;
  selector = 0;
  userEnable = 0;
  cycles = 0;
  /** Cycles that PMCR.D has not yet made a tick of 64. */
  cycleRemainder = 0;
  cycleFilter = 0;
  readonly types: Uint32Array;
  readonly counts: Uint32Array;
  readonly implemented: number;
  private readonly host: CoreRegisterHost;
  private readonly identity: number;
  private readonly timer: Timer;
  private since = 0;
  private privileged = true;
  private level = false;
  filtered = false;

  constructor(profile: CoreProfile, host: CoreRegisterHost) {
    this.host = host;
    this.identity = (profileRegister(profile, 'PMCR') & 0xffffff00) >>> 0;
    const counters = (this.identity >>> 11) & 0x1f;
    this.types = new Uint32Array(counters);
    this.counts = new Uint32Array(counters);
    this.implemented = (CYCLE_COUNTER | (2 ** counters - 1)) >>> 0;
    this.timer = host.clock.timer('performance-monitors', () => this.changed());
  }

  get control(): number {
    return (this.identity | this.pmcr) >>> 0;
  }

  /** P and NSK say whether PL1 counts, U and NSU whether PL0 does; without the Security Extensions everything is Non-secure (C12.11.3). */
  private counted(filter: number): boolean {
    return this.privileged ? ((filter >>> 31) & 1) === ((filter >>> 29) & 1) : ((filter >>> 30) & 1) === ((filter >>> 28) & 1);
  }

  private running(bit: number): boolean {
    return (this.pmcr & PMCR_E) !== 0 && (this.enabled & bit) !== 0;
  }

  private countsTime(index: number): boolean {
    const event = this.types[index]! & 0xffff;
    return (event === EVENT_CYCLES || event === EVENT_RETIRED) && this.running(1 << index) && this.counted(this.types[index]!);
  }

  private add(index: number, amount: number): void {
    const sum = this.counts[index]! + amount;
    this.counts[index] = sum % WRAP;
    if (sum >= WRAP) this.overflow = (this.overflow | (1 << index)) >>> 0;
  }

  /** Adds the time since the last call to what was counting. */
  synchronize(): void {
    const now = this.host.clock.now();
    const elapsed = now - this.since;
    this.since = now;
    if (elapsed <= 0 || (this.pmcr & PMCR_E) === 0) return;
    if (this.running(CYCLE_COUNTER) && this.counted(this.cycleFilter)) {
      let ticks = elapsed;
      // The long count (LC) is never divided.
      if ((this.pmcr & (PMCR_D | PMCR_LC)) === PMCR_D) {
        const total = this.cycleRemainder + elapsed;
        ticks = Math.floor(total / 64);
        this.cycleRemainder = total % 64;
      }
      const sum = this.cycles + ticks;
      this.cycles = sum % WRAP;
      if (sum >= WRAP && (this.pmcr & PMCR_LC) === 0) this.overflow = (this.overflow | CYCLE_COUNTER) >>> 0;
    }
    for (let i = 0; i < this.counts.length; i++) if (this.countsTime(i)) this.add(i, elapsed);
  }

  /** After any change: counts up to now, then interrupt level and the time at which the next overflow interrupts. */
  changed(): void {
    this.synchronize();
    this.privileged = this.host.privileged;
    const level = (this.pmcr & PMCR_E) !== 0 && (this.overflow & this.interrupts) !== 0;
    if (level !== this.level) {
      this.level = level;
      this.host.performanceInterrupt?.(level);
    }
    this.filtered = this.hasFilter();
    const distance = level ? Number.POSITIVE_INFINITY : this.untilInterrupt();
    if (distance === Number.POSITIVE_INFINITY) this.timer.disarm();
    else this.timer.arm(this.since + distance);
  }

  private hasFilter(): boolean {
    if (this.running(CYCLE_COUNTER) && this.cycleFilter >>> 28 !== 0) return true;
    for (let i = 0; i < this.types.length; i++) if (this.running(1 << i) && this.types[i]! >>> 28 !== 0) return true;
    return false;
  }

  private untilInterrupt(): number {
    let distance = Number.POSITIVE_INFINITY;
    const wanted = this.interrupts & ~this.overflow;
    if ((wanted & CYCLE_COUNTER) !== 0 && this.running(CYCLE_COUNTER) && this.counted(this.cycleFilter) && (this.pmcr & PMCR_LC) === 0) {
      const ticks = WRAP - this.cycles;
      distance = (this.pmcr & PMCR_D) !== 0 ? ticks * 64 - this.cycleRemainder : ticks;
    }
    for (let i = 0; i < this.counts.length; i++)
      if ((wanted & (1 << i)) !== 0 && this.countsTime(i)) distance = Math.min(distance, WRAP - this.counts[i]!);
    return distance;
  }

  privilegeChanged(): void {
    if (this.filtered) this.changed();
  }

  writeControl(value: number): void {
    this.synchronize();
    if ((value & PMCR_C) !== 0) {
      this.cycles = 0;
      this.cycleRemainder = 0;
    }
    if ((value & PMCR_P) !== 0) this.counts.fill(0);
    this.pmcr = value & PMCR_WRITABLE;
    this.changed();
  }

  softwareIncrement(mask: number): void {
    this.synchronize();
    for (let i = 0; i < this.counts.length; i++) {
      const bit = 1 << i;
      const type = this.types[i]!;
      if ((mask & bit) !== 0 && (type & 0xffff) === EVENT_SOFTWARE && this.running(bit) && this.counted(type)) this.add(i, 1);
    }
    this.changed();
  }

  readCount(index: number): number {
    if (index >= this.counts.length) return 0;
    this.synchronize();
    return this.counts[index]!;
  }
  writeCount(index: number, value: number): void {
    if (index >= this.counts.length) return;
    this.synchronize();
    this.counts[index] = value;
    this.changed();
  }
  readCycles(): number {
    this.synchronize();
    return this.cycles;
  }
  writeCycles(value: number): void {
    this.synchronize();
    this.cycles = value >>> 0;
    this.cycleRemainder = 0;
    this.changed();
  }
  readType(index: number): number {
    if (index === CYCLE_SELECTOR) return this.cycleFilter;
    return index < this.types.length ? this.types[index]! : 0;
  }
  writeType(index: number, value: number): void {
    this.synchronize();
    if (index === CYCLE_SELECTOR) this.cycleFilter = (value & CYCLE_FILTER_WRITABLE) >>> 0;
    else if (index < this.types.length) this.types[index] = value & EVENT_TYPE_WRITABLE;
    this.changed();
  }

  reset(): void {
    this.restore({});
  }

  state(): Record<string, number> {
    this.synchronize();
    const state: Record<string, number> = {
      PMCR: this.pmcr,
      PMCNTENSET: this.enabled,
      PMOVSSET: this.overflow,
      PMINTENSET: this.interrupts,
      PMSELR: this.selector,
      PMUSERENR: this.userEnable,
      PMCCNTR: this.cycles,
      PMCCNTR_REMAINDER: this.cycleRemainder,
      PMCCFILTR: this.cycleFilter,
    };
    this.types.forEach((value, i) => {
      state[`PMEVTYPER${i}`] = value;
      state[`PMEVCNTR${i}`] = this.counts[i]!;
    });
    return state;
  }

  restore(state: Readonly<Record<string, number>>): void {
    const value = (name: string): number => state[name] ?? 0;
    this.pmcr = value('PMCR') & PMCR_WRITABLE;
    this.enabled = (value('PMCNTENSET') & this.implemented) >>> 0;
    this.overflow = (value('PMOVSSET') & this.implemented) >>> 0;
    this.interrupts = (value('PMINTENSET') & this.implemented) >>> 0;
    this.selector = value('PMSELR') & 0x1f;
    this.userEnable = value('PMUSERENR') & 1;
    this.cycles = value('PMCCNTR');
    this.cycleRemainder = value('PMCCNTR_REMAINDER');
    this.cycleFilter = (value('PMCCFILTR') & CYCLE_FILTER_WRITABLE) >>> 0;
    for (let i = 0; i < this.counts.length; i++) {
      this.types[i] = value(`PMEVTYPER${i}`) & EVENT_TYPE_WRITABLE;
      this.counts[i] = value(`PMEVCNTR${i}`);
    }
    this.since = this.host.clock.now();
    this.changed();
  }
}

/** CP15 c9 c12-c14, and c14 c8-c15 as QEMU's cores have it: counters and event types by number (an ARMv8 encoding). */
export function definePerformanceRegisters(bank: RegisterBank, profile: CoreProfile, host: CoreRegisterHost): PerformanceMonitors {
  const m = new Monitors(profile, host);
  const user = (): boolean => (m.userEnable & 1) !== 0;
  const define = (crn: number, crm: number, opc2: number, register: SystemRegister): void =>
    bank.define({ cp: 15, opc1: 0, crn, crm, opc2 }, register);

  define(9, 12, 0, { name: 'PMCR', pl0: user, read: () => m.control, write: (value) => m.writeControl(value) });
  define(9, 12, 1, {
    name: 'PMCNTENSET',
    pl0: user,
    read: () => m.enabled,
    write: (value) => {
      m.synchronize();
      m.enabled = (m.enabled | (value & m.implemented)) >>> 0;
      m.changed();
    },
  });
  define(9, 12, 2, {
    name: 'PMCNTENCLR',
    pl0: user,
    read: () => m.enabled,
    write: (value) => {
      m.synchronize();
      m.enabled = (m.enabled & ~value) >>> 0;
      m.changed();
    },
  });
  const readOverflow = (): number => {
    m.synchronize();
    return m.overflow;
  };
  define(9, 12, 3, {
    name: 'PMOVSR',
    pl0: user,
    read: readOverflow,
    write: (value) => {
      m.synchronize();
      m.overflow = (m.overflow & ~value) >>> 0;
      m.changed();
    },
  });
  define(9, 12, 4, { name: 'PMSWINC', pl0: user, volatile: true, write: (value) => m.softwareIncrement(value) });
  define(9, 12, 5, {
    name: 'PMSELR',
    pl0: user,
    read: () => m.selector,
    write: (value) => {
      m.selector = value & 0x1f;
    },
  });
  define(9, 13, 0, { name: 'PMCCNTR', pl0: user, read: () => m.readCycles(), write: (value) => m.writeCycles(value) });
  define(9, 13, 1, {
    name: 'PMXEVTYPER',
    pl0: user,
    read: () => m.readType(m.selector),
    write: (value) => m.writeType(m.selector, value),
  });
  define(9, 13, 2, {
    name: 'PMXEVCNTR',
    pl0: user,
    read: () => m.readCount(m.selector),
    write: (value) => m.writeCount(m.selector, value),
  });
  define(9, 14, 0, {
    name: 'PMUSERENR',
    pl0: 'read',
    read: () => m.userEnable,
    write: (value) => {
      m.userEnable = value & 1;
    },
  });
  define(9, 14, 1, {
    name: 'PMINTENSET',
    read: () => m.interrupts,
    write: (value) => {
      m.interrupts = (m.interrupts | (value & m.implemented)) >>> 0;
      m.changed();
    },
  });
  define(9, 14, 2, {
    name: 'PMINTENCLR',
    read: () => m.interrupts,
    write: (value) => {
      m.interrupts = (m.interrupts & ~value) >>> 0;
      m.changed();
    },
  });
  define(9, 14, 3, {
    name: 'PMOVSSET',
    pl0: user,
    read: readOverflow,
    write: (value) => {
      m.synchronize();
      m.overflow = (m.overflow | (value & m.implemented)) >>> 0;
      m.changed();
    },
  });

  for (let i = 0; i < m.counts.length; i++) {
    define(14, 8 | (i >> 3), i & 7, {
      name: `PMEVCNTR${i}`,
      pl0: user,
      read: () => m.readCount(i),
      write: (value) => m.writeCount(i, value),
    });
    define(14, 12 | (i >> 3), i & 7, {
      name: `PMEVTYPER${i}`,
      pl0: user,
      read: () => m.readType(i),
      write: (value) => m.writeType(i, value),
    });
  }
  define(14, 15, 7, {
    name: 'PMCCFILTR',
    pl0: user,
    read: () => (m.cycleFilter & CYCLE_FILTER_VISIBLE) >>> 0,
    write: (value) =>
      m.writeType(CYCLE_SELECTOR, ((m.cycleFilter & CYCLE_FILTER_WRITABLE & ~CYCLE_FILTER_VISIBLE) | (value & CYCLE_FILTER_VISIBLE)) >>> 0),
  });
  return m;
}

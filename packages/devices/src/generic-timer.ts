import type {
  DeviceHost,
  InterruptLine,
  Snapshot,
  Stateful,
  SystemRegister,
  SystemRegister64,
  SystemRegisterBank,
  Timer,
} from '@tablewalk/machine/contracts';
import { snapshotData } from './snapshots.js';

const SCHEMA = 'devices/generic-timer';
const VERSION = 1;
const TWO_POW_32 = 4294967296;

// CNTx_CTL (ARM DDI 0406C.d, B8.1.5)
const CTL_ENABLE = 1;
const CTL_IMASK = 2;
const CTL_ISTATUS = 4;

// CNTKCTL (ARM DDI 0406C.d, B4.1.26)
const PL0PCTEN = 1;
const PL0VCTEN = 2;
const PL0VTEN = 1 << 8;
const PL0PTEN = 1 << 9;
const CNTKCTL_WRITABLE = 0x3ff;

export interface GenericTimerOptions {
  /** Default `generic-timer`. */
  readonly name?: string;
  readonly host: DeviceHost;
  /** Where the CNT* registers are defined (CP15 c14). */
  readonly bank: SystemRegisterBank;
  /** Interrupt of the non-secure physical timer: PPI 30 of the core. */
  readonly physical: InterruptLine;
  /** Interrupt of the virtual timer: PPI 27 of the core. */
  readonly virtual: InterruptLine;
  /**
   * Guest nanoseconds of one count, a positive integer; default 16, which is 62.5 MHz. CNTFRQ resets to 10^9 over it. (On hardware CNTFRQ
   * resets UNKNOWN and firmware writes it; here the board plays that firmware, as QEMU does.)
   */
  readonly tickNs?: number;
}

/** One core's timer, visible through CP15 only. */
export interface GenericTimer extends Stateful {
  readonly name: string;
  reset(): void;
}

interface ChannelState {
  ctl: number;
  cvalLow: number;
  cvalHigh: number;
}

interface TimerState {
  frequency: number;
  cntkctl: number;
  physical: ChannelState;
  virtual: ChannelState;
}

/** One compare register with its control: the same hardware twice, on the physical and on the virtual count. */
class Channel {
  ctl = 0;
  cvalLow = 0;
  cvalHigh = 0;
  private readonly timer: Timer;
  private readonly host: DeviceHost;
  private readonly line: InterruptLine;
  private readonly tickNs: number;

  constructor(name: string, host: DeviceHost, line: InterruptLine, tickNs: number) {
    this.host = host;
    this.line = line;
    this.tickNs = tickNs;
    this.timer = host.clock.timer(name, () => this.update());
  }

  private count(): number {
    return Math.floor(this.host.clock.now() / this.tickNs);
  }

  /** The condition itself, from the count and not from the last event, so that a poll never sees a stale ISTATUS. */
  private reached(count: number): boolean {
    // The count stays below 2^53 for ever, so the compare value's high word decides unless it is as small.
    const high = Math.floor(count / TWO_POW_32);
    return high > this.cvalHigh || (high === this.cvalHigh && count >>> 0 >= this.cvalLow);
  }

  /** Drives the line and arms the timer for the next edge. */
  update(): void {
    if ((this.ctl & CTL_ENABLE) === 0) {
      this.timer.disarm();
      this.line.set(false);
      return;
    }
    if (this.reached(this.count())) {
      // Stays true until the guest writes: the count wraps after 2^64 ticks.
      this.timer.disarm();
      this.line.set((this.ctl & CTL_IMASK) === 0);
      return;
    }
    const deadline = (this.cvalHigh * TWO_POW_32 + this.cvalLow) * this.tickNs;
    // Sums above 2^53 are inexact, and also further away than guest time can count.
    if (deadline <= Number.MAX_SAFE_INTEGER) this.timer.arm(deadline);
    else this.timer.disarm();
    this.line.set(false);
  }

  readCtl(): number {
    const enabled = (this.ctl & CTL_ENABLE) !== 0;
    // ISTATUS is UNKNOWN while disabled (B8.1.5); QEMU and this model show 0.
    return enabled && this.reached(this.count()) ? this.ctl | CTL_ISTATUS : this.ctl;
  }

  writeCtl(value: number): void {
    this.ctl = value & (CTL_ENABLE | CTL_IMASK);
    this.update();
  }

  readTval(): number {
    return (this.cvalLow - (this.count() >>> 0)) >>> 0;
  }

  writeTval(value: number): void {
    const count = this.count();
    const sum = (count >>> 0) + (value >>> 0);
    const carry = sum >= TWO_POW_32 ? 1 : 0;
    const signExtension = value >> 31; // TVAL is a signed 32-bit distance (B8.1.5)
    this.cvalLow = sum >>> 0;
    this.cvalHigh = (Math.floor(count / TWO_POW_32) + carry + signExtension) >>> 0;
    this.update();
  }

  writeCval(low: number, high: number): void {
    this.cvalLow = low >>> 0;
    this.cvalHigh = high >>> 0;
    this.update();
  }

  state(): ChannelState {
    return { ctl: this.ctl, cvalLow: this.cvalLow, cvalHigh: this.cvalHigh };
  }

  load(state: ChannelState): void {
    this.ctl = state.ctl & (CTL_ENABLE | CTL_IMASK);
    this.cvalLow = state.cvalLow >>> 0;
    this.cvalHigh = state.cvalHigh >>> 0;
    this.update();
  }
}

/**
 * The Generic Timer of a core without Security and Virtualization Extensions (ARM DDI 0406C.d, chapter B8): CNTFRQ, CNTPCT, CNTVCT, CNTKCTL and
 * the physical and virtual timers. There is no CNTVOFF without a hypervisor, so both counts are equal; the hypervisor and secure banks are not
 * defined and therefore UNDEFINED, as on QEMU's `virt` with `virtualization` and `secure` off. The event stream (CNTKCTL.EVNTEN) is stored but
 * makes no events: WFE does not wait for it here.
 *
 * The count is guest time over `tickNs`, so it cannot be set and needs no snapshot of its own.
 */
export function genericTimer(options: GenericTimerOptions): GenericTimer {
  const name = options.name ?? 'generic-timer';
  const { host, bank } = options;
  const tickNs = options.tickNs ?? 16;
  const resetFrequency = Math.floor(1e9 / tickNs);
  const physical = new Channel(`${name}/physical`, host, options.physical, tickNs);
  const virtual = new Channel(`${name}/virtual`, host, options.virtual, tickNs);
  let frequency = resetFrequency;
  let cntkctl = 0;

  const mayUse =
    (mask: number) =>
    (_write: boolean): boolean =>
      (cntkctl & mask) !== 0;

  const register = (crm: number, opc2: number, definition: SystemRegister): void =>
    bank.define({ cp: 15, opc1: 0, crn: 14, crm, opc2 }, definition);
  const register64 = (opc1: number, definition: SystemRegister64): void => bank.define64({ cp: 15, opc1, crm: 14 }, definition);

  register(0, 0, {
    name: 'CNTFRQ',
    // Readable from PL0 with either counter enabled; never writable there (B4.1.21).
    pl0: (write) => !write && (cntkctl & (PL0PCTEN | PL0VCTEN)) !== 0,
    read: () => frequency,
    write: (value) => {
      frequency = value >>> 0;
    },
  });
  register(1, 0, {
    name: 'CNTKCTL',
    read: () => cntkctl,
    write: (value) => {
      cntkctl = value & CNTKCTL_WRITABLE;
    },
  });

  const channelRegisters = (prefix: string, channel: Channel, crm: number, opc1: number, pl0Mask: number): void => {
    const pl0 = mayUse(pl0Mask);
    register(crm, 0, {
      name: `${prefix}_TVAL`,
      pl0,
      volatile: true,
      read: () => channel.readTval(),
      write: (value) => channel.writeTval(value),
    });
    register(crm, 1, { name: `${prefix}_CTL`, pl0, read: () => channel.readCtl(), write: (value) => channel.writeCtl(value) });
    register64(opc1, {
      name: `${prefix}_CVAL`,
      pl0,
      read: (pair) => {
        pair[0] = channel.cvalLow;
        pair[1] = channel.cvalHigh;
      },
      write: (low, high) => channel.writeCval(low, high),
    });
  };
  channelRegisters('CNTP', physical, 2, 2, PL0PTEN);
  channelRegisters('CNTV', virtual, 3, 3, PL0VTEN);

  const readCount = (pair: Uint32Array): void => {
    const count = Math.floor(host.clock.now() / tickNs);
    pair[0] = count >>> 0;
    pair[1] = Math.floor(count / TWO_POW_32);
  };
  register64(0, { name: 'CNTPCT', pl0: mayUse(PL0PCTEN), read: readCount });
  register64(1, { name: 'CNTVCT', pl0: mayUse(PL0VCTEN), read: readCount });

  return {
    name,
    reset(): void {
      frequency = resetFrequency;
      cntkctl = 0;
      physical.load({ ctl: 0, cvalLow: 0, cvalHigh: 0 });
      virtual.load({ ctl: 0, cvalLow: 0, cvalHigh: 0 });
    },
    snapshot(): Snapshot<TimerState> {
      return { schema: SCHEMA, version: VERSION, data: { frequency, cntkctl, physical: physical.state(), virtual: virtual.state() } };
    },
    restore(snapshot: Snapshot): void {
      const state = snapshotData<TimerState>(name, snapshot, SCHEMA, VERSION);
      frequency = state.frequency >>> 0;
      cntkctl = state.cntkctl & CNTKCTL_WRITABLE;
      physical.load(state.physical);
      virtual.load(state.virtual);
    },
  };
}

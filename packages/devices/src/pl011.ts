import type { AccessSize, Device, DeviceHost, InterruptLine, Snapshot, Timer } from '@tablewalk/machine/contracts';
import { hexOffset, laneOf, primeCellId } from './access.js';
import { DeviceError } from './device-error.js';
import { snapshotData } from './snapshots.js';

const SCHEMA = 'devices/pl011';
const VERSION = 1;

// Register offsets (ARM DDI 0183G, table 3-1)
const DR = 0x00;
const RSR = 0x04;
const FR = 0x18;
const ILPR = 0x20;
const IBRD = 0x24;
const FBRD = 0x28;
const LCR_H = 0x2c;
const CR = 0x30;
const IFLS = 0x34;
const IMSC = 0x38;
const RIS = 0x3c;
const MIS = 0x40;
const ICR = 0x44;
const DMACR = 0x48;
const IDS = [0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1];

// UARTFR
const FR_CTS = 1;
const FR_DSR = 1 << 1;
const FR_DCD = 1 << 2;
const FR_RXFE = 1 << 4;
const FR_RXFF = 1 << 6;
const FR_TXFE = 1 << 7;
const FR_RI = 1 << 8;

// UARTLCR_H and UARTCR
const LCR_BRK = 1;
const LCR_FEN = 1 << 4;
const CR_UARTEN = 1;
const CR_LBE = 1 << 7;
const CR_TXE = 1 << 8;
const CR_DTR = 1 << 10;
const CR_RTS = 1 << 11;
const CR_OUT1 = 1 << 12;
const CR_OUT2 = 1 << 13;

// Interrupts, as in UARTIMSC, UARTRIS, UARTMIS and UARTICR
const INT_RI = 1;
const INT_CTS = 1 << 1;
const INT_DCD = 1 << 2;
const INT_DSR = 1 << 3;
const INT_RX = 1 << 4;
const INT_TX = 1 << 5;
const INT_RT = 1 << 6;
const INT_BE = 1 << 9;
const INT_OE = 1 << 10;
const INT_ALL = 0x7ff;

// Status bits that travel with a received character
const DATA_BE = 1 << 10;
const DATA_OE = 1 << 11;
/** Not part of UARTDR: the character came from the transmitter (loopback), so a flush may not give it back to the host's queue. */
const FROM_LOOPBACK = 1 << 12;

const FIFO_DEPTH = 16;
/** UARTIFLS receive levels in characters: 1/8, 1/4, 1/2, 3/4, 7/8; the other codes are reserved. */
const RX_LEVELS = [2, 4, 8, 12, 14, 14, 14, 14];

export interface Pl011Options {
  /** For example `pl011@9000000`. */
  readonly name: string;
  readonly host: DeviceHost;
  /** UARTINTR, the combined interrupt. */
  readonly interrupt: InterruptLine;
  /** Takes one transmitted byte (0 to 255), at once: the transmitter is infinitely fast and always empty. */
  readonly transmit: (byte: number) => void;
  /**
   * `immediate` (default, as QEMU): UARTRXINTR rises with the first character, whatever UARTIFLS says, which spares guests the wait for the receive
   * timeout. `fifo-level`: UARTRXINTR follows UARTIFLS, and UARTRTINTR rises 32 bit periods after the last activity (DDI 0183G, 2.8).
   */
  readonly receiveInterrupt?: 'immediate' | 'fifo-level';
  /** Frequency of UARTCLK in Hz, for the bit period of `fifo-level`; default 24 MHz. */
  readonly clockFrequency?: number;
}

/** A PL011 UART (ARM DDI 0183G, revision r1p4). 4 KiB window; 8, 16 and 32-bit accesses. */
export interface Pl011 extends Device {
  /**
   * Characters for the guest, any number: they wait outside the FIFO until it has room, so none is lost and no overrun occurs. Only between
   * instructions (a budget boundary).
   */
  receive(bytes: Uint8Array): void;
  /** A break condition for the guest. */
  receiveBreak(): void;
  /** Characters given to {@link receive} that have not entered the FIFO. */
  readonly waitingByteCount: number;
}

interface Pl011State {
  fifo: number[];
  waiting: number[];
  rsr: number;
  ilpr: number;
  ibrd: number;
  fbrd: number;
  lcrH: number;
  cr: number;
  ifls: number;
  imsc: number;
  ris: number;
  dmacr: number;
  rtDeadline: number;
  complained: boolean;
}

class Uart implements Pl011 {
  readonly name: string;
  private readonly host: DeviceHost;
  private readonly interrupt: InterruptLine;
  private readonly transmit: (byte: number) => void;
  private readonly byLevel: boolean;
  private readonly clockFrequency: number;
  private readonly timeout: Timer;

  private readonly fifo = new Uint16Array(FIFO_DEPTH);
  private head = 0;
  private count = 0;
  /** Host-side queue: bytes, or DATA_BE for a break. Consumed from `waitingHead`. */
  private waiting: number[] = [];
  private waitingHead = 0;

  private rsr = 0;
  private ilpr = 0;
  private ibrd = 0;
  private fbrd = 0;
  private lcrH = 0;
  private cr = CR_TXE | (1 << 9);
  private ifls = 0x12;
  private imsc = 0;
  private ris = 0;
  private dmacr = 0;
  /** The guest has been told that it transmits with a disabled UART. */
  private complained = false;

  constructor(options: Pl011Options) {
    this.name = options.name;
    this.host = options.host;
    this.interrupt = options.interrupt;
    this.transmit = options.transmit;
    this.byLevel = options.receiveInterrupt === 'fifo-level';
    this.clockFrequency = options.clockFrequency ?? 24e6;
    if (!(this.clockFrequency > 0)) throw new DeviceError(this.name, `UARTCLK of ${this.clockFrequency} Hz`);
    this.timeout = options.host.clock.timer(`${options.name}/receive-timeout`, () => {
      this.ris |= INT_RT;
      this.updateLine();
    });
  }

  get waitingByteCount(): number {
    return this.waiting.length - this.waitingHead;
  }

  receive(bytes: Uint8Array): void {
    for (const byte of bytes) this.waiting.push(byte);
    this.refill();
    this.updateLine();
  }

  receiveBreak(): void {
    this.waiting.push(DATA_BE);
    this.refill();
    this.updateLine();
  }

  private capacity(): number {
    return this.lcrH & LCR_FEN ? FIFO_DEPTH : 1;
  }

  private triggerLevel(): number {
    return this.byLevel && this.lcrH & LCR_FEN ? RX_LEVELS[(this.ifls >>> 3) & 7] : 1;
  }

  /** Moves what fits from the host's queue into the FIFO. In loopback the receiver listens to the transmitter, so the queue waits. */
  private refill(): void {
    if (this.cr & CR_LBE) return;
    const capacity = this.capacity();
    while (this.count < capacity && this.waitingHead < this.waiting.length) this.put(this.waiting[this.waitingHead++]);
    if (this.waitingHead === this.waiting.length && this.waitingHead > 0) {
      this.waiting = [];
      this.waitingHead = 0;
    }
  }

  private put(entry: number): void {
    if (this.count >= this.capacity()) {
      // Only the transmitter in loopback gets here. The character is lost; the newest one that is kept carries the mark (DDI 0183G, 3.3.1).
      this.fifo[(this.head + this.count - 1) & (FIFO_DEPTH - 1)] |= DATA_OE;
      this.ris |= INT_OE;
      return;
    }
    this.fifo[(this.head + this.count) & (FIFO_DEPTH - 1)] = entry;
    this.count++;
    if (entry & DATA_BE) this.ris |= INT_BE;
    if (this.count === this.triggerLevel()) this.ris |= INT_RX;
    this.restartTimeout();
  }

  private restartTimeout(): void {
    if (!this.byLevel || (this.lcrH & LCR_FEN) === 0) return;
    if (this.count === 0) {
      this.timeout.disarm();
      return;
    }
    // 16 UARTCLK cycles and the divisor make a bit (DDI 0183G, 2.4.3); a divisor of 0 is treated as 1 so that time goes on.
    const divisor = this.ibrd + this.fbrd / 64 || 1;
    this.timeout.arm(this.host.clock.now() + Math.ceil((32 * 16 * divisor * 1e9) / this.clockFrequency));
  }

  private take(): number {
    if (this.count === 0) return 0;
    const entry = this.fifo[this.head] & 0xfff;
    this.head = (this.head + 1) & (FIFO_DEPTH - 1);
    this.count--;
    if (this.count === this.triggerLevel() - 1) this.ris &= ~INT_RX;
    if (this.count === 0) this.ris &= ~INT_RT;
    this.rsr = entry >>> 8;
    this.restartTimeout();
    this.refill();
    this.updateLine();
    return entry;
  }

  /** The FIFO is flushed when it is switched on or off. What came from the host goes back to its queue: flow control loses nothing. */
  private flush(): void {
    const returned: number[] = [];
    for (let n = 0; n < this.count; n++) {
      const entry = this.fifo[(this.head + n) & (FIFO_DEPTH - 1)];
      if ((entry & FROM_LOOPBACK) === 0) returned.push(entry & (0xff | DATA_BE));
    }
    this.waiting = [...returned, ...this.waiting.slice(this.waitingHead)];
    this.waitingHead = 0;
    this.head = 0;
    this.count = 0;
    this.ris &= ~(INT_RX | INT_RT);
    this.timeout.disarm();
  }

  private flags(): number {
    let flags = FR_TXFE;
    if (this.count === 0) flags |= FR_RXFE;
    if (this.count >= this.capacity()) flags |= FR_RXFF;
    return flags | this.modemInputs();
  }

  /** Nobody is at the modem inputs, except the modem outputs in loopback (DDI 0183G, 3.3.8, LBE). */
  private modemInputs(): number {
    if ((this.cr & CR_LBE) === 0) return 0;
    return (
      (this.cr & CR_RTS ? FR_CTS : 0) | (this.cr & CR_DTR ? FR_DSR : 0) | (this.cr & CR_OUT1 ? FR_DCD : 0) | (this.cr & CR_OUT2 ? FR_RI : 0)
    );
  }

  private writeData(value: number): void {
    if ((this.cr & (CR_UARTEN | CR_TXE)) !== (CR_UARTEN | CR_TXE)) {
      // Sent all the same, as QEMU does: early consoles rely on firmware that is not there.
      if (!this.complained) this.host.diagnostics.guestError(this.name, 'UARTDR written while the transmitter is disabled');
      this.complained = true;
    }
    this.transmit(value & 0xff);
    if (this.cr & CR_LBE) this.put((value & 0xff) | FROM_LOOPBACK);
    this.ris |= INT_TX;
    this.updateLine();
  }

  private writeControl(value: number): void {
    const before = this.modemInputs();
    this.cr = value & 0xff87;
    const changed = before ^ this.modemInputs();
    if (changed & FR_CTS) this.ris |= INT_CTS;
    if (changed & FR_DSR) this.ris |= INT_DSR;
    if (changed & FR_DCD) this.ris |= INT_DCD;
    if (changed & FR_RI) this.ris |= INT_RI;
    if ((this.cr & (CR_UARTEN | CR_TXE)) === (CR_UARTEN | CR_TXE)) this.complained = false;
    this.refill();
  }

  private writeLineControl(value: number): void {
    const changed = (this.lcrH ^ value) & 0xff;
    if (changed & LCR_FEN) this.flush();
    this.lcrH = value & 0xff;
    if (changed & LCR_BRK && this.lcrH & LCR_BRK && this.cr & CR_LBE) this.put(DATA_BE | FROM_LOOPBACK);
    this.refill();
  }

  private updateLine(): void {
    this.interrupt.set((this.ris & this.imsc) !== 0);
  }

  read(offset: number, size: AccessSize): number {
    return laneOf(this.readWord(offset & ~3, size), offset, size);
  }

  private readWord(offset: number, size: AccessSize): number {
    switch (offset) {
      case DR:
        return this.take();
      case RSR:
        return this.rsr;
      case FR:
        return this.flags();
      case ILPR:
        return this.ilpr;
      case IBRD:
        return this.ibrd;
      case FBRD:
        return this.fbrd;
      case LCR_H:
        return this.lcrH;
      case CR:
        return this.cr;
      case IFLS:
        return this.ifls;
      case IMSC:
        return this.imsc;
      case RIS:
        return this.ris;
      case MIS:
        return this.ris & this.imsc;
      case DMACR:
        return this.dmacr;
      default: {
        const id = primeCellId(IDS, offset);
        if (id !== undefined) return id;
        this.host.diagnostics.guestError(this.name, `read of ${size} bytes at ${hexOffset(offset)}: no such register`);
        return 0;
      }
    }
  }

  write(offset: number, size: AccessSize, value: number): void {
    switch (offset) {
      case DR:
        this.writeData(value);
        return;
      case RSR:
        this.rsr = 0;
        return;
      case FR:
        this.host.diagnostics.guestError(this.name, 'write to UARTFR, which is read-only');
        return;
      case ILPR:
        this.ilpr = value & 0xff;
        return;
      case IBRD:
        this.ibrd = value & 0xffff;
        return;
      case FBRD:
        this.fbrd = value & 0x3f;
        return;
      case LCR_H:
        this.writeLineControl(value);
        break;
      case CR:
        this.writeControl(value);
        break;
      case IFLS:
        this.ifls = value & 0x3f;
        break;
      case IMSC:
        this.imsc = value & INT_ALL;
        break;
      case ICR:
        this.ris &= ~value;
        break;
      case DMACR:
        this.dmacr = value & 7;
        if (this.dmacr & 3) this.host.diagnostics.unimplemented(this.name, 'DMA is enabled in UARTDMACR, and there is no DMA controller');
        return;
      default:
        this.host.diagnostics.guestError(this.name, `write of ${size} bytes at ${hexOffset(offset)}: no such register`);
        return;
    }
    this.updateLine();
  }

  reset(): void {
    this.load({
      fifo: [],
      // What the host has typed is outside the device and stays.
      waiting: this.waiting.slice(this.waitingHead),
      rsr: 0,
      ilpr: 0,
      ibrd: 0,
      fbrd: 0,
      lcrH: 0,
      cr: 0x300,
      ifls: 0x12,
      imsc: 0,
      ris: 0,
      dmacr: 0,
      rtDeadline: Number.POSITIVE_INFINITY,
      complained: false,
    });
    this.refill();
    this.updateLine();
  }

  snapshot(): Snapshot<Pl011State> {
    const fifo: number[] = [];
    for (let n = 0; n < this.count; n++) fifo.push(this.fifo[(this.head + n) & (FIFO_DEPTH - 1)]);
    const { rsr, ilpr, ibrd, fbrd, lcrH, cr, ifls, imsc, ris, dmacr, complained } = this;
    const data = {
      fifo,
      waiting: this.waiting.slice(this.waitingHead),
      rsr,
      ilpr,
      ibrd,
      fbrd,
      lcrH,
      cr,
      ifls,
      imsc,
      ris,
      dmacr,
      complained,
    };
    return { schema: SCHEMA, version: VERSION, data: { ...data, rtDeadline: this.timeout.deadline } };
  }

  restore(snapshot: Snapshot): void {
    const state = snapshotData<Pl011State>(this.name, snapshot, SCHEMA, VERSION);
    if (state.fifo.length > FIFO_DEPTH) throw new DeviceError(this.name, `the snapshot's FIFO has ${state.fifo.length} characters`);
    this.load(state);
    this.updateLine();
  }

  private load(state: Pl011State): void {
    this.fifo.set(state.fifo);
    this.head = 0;
    this.count = state.fifo.length;
    this.waiting = state.waiting.slice();
    this.waitingHead = 0;
    this.rsr = state.rsr;
    this.ilpr = state.ilpr;
    this.ibrd = state.ibrd;
    this.fbrd = state.fbrd;
    this.lcrH = state.lcrH;
    this.cr = state.cr;
    this.ifls = state.ifls;
    this.imsc = state.imsc;
    this.ris = state.ris;
    this.dmacr = state.dmacr;
    this.complained = state.complained;
    if (state.rtDeadline === Number.POSITIVE_INFINITY) this.timeout.disarm();
    else this.timeout.arm(state.rtDeadline);
  }
}

/** Makes a UART in its reset state. */
export function pl011(options: Pl011Options): Pl011 {
  return new Uart(options);
}

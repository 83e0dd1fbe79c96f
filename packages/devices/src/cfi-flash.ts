import type { AccessSize, Device, DeviceHost, RomWindow, Snapshot } from '@tablewalk/machine/contracts';
import { hexOffset, laneOf, sizeMask } from './access.js';
import { DeviceError } from './device-error.js';
import { snapshotData } from './snapshots.js';

/*
 * Two 16-bit NOR devices with Intel's command set (CFI publication 100: 0x0001) side by side in a 32-bit bank, as on `virt`:
 *
 *   bus bits    31 .. 16     15 .. 0
 *               device 1     device 0        device address = byte offset / 4
 *
 * Commands are taken from the low byte of the bus, whichever device it reaches: guests send them to both at once.
 */
const SCHEMA = 'devices/cfi-flash';
const VERSION = 1;

// Commands (first cycle)
const READ_ARRAY = 0xff;
const PROGRAM = 0x40;
const PROGRAM_ALTERNATE = 0x10;
const BLOCK_ERASE = 0x20;
const CLEAR_STATUS = 0x50;
const LOCK_SETUP = 0x60;
const READ_STATUS = 0x70;
const READ_ID = 0x90;
const CFI_QUERY = 0x98;
const BUFFERED_PROGRAM = 0xe8;
/** Read array of another vendor's command set, with which drivers probe. */
const AMD_RESET = 0xf0;
const CONFIRM = 0xd0;
const LOCK_BLOCK = 0x01;

// Status register
const STATUS_READY = 0x80;
const STATUS_ERASE_ERROR = 0x20;
const STATUS_PROGRAM_ERROR = 0x10;
const STATUS_LOCKED = 0x02;

const MANUFACTURER = 0x89;
const DEVICE = 0x18;
/** Bytes that one buffered program may touch, over the pair: 2^11 each, as the query says. */
const BUFFER_BYTES = 4096;

/** What the next write means. */
type Expecting = 'command' | 'data' | 'erase-confirm' | 'lock' | 'count' | 'buffer' | 'buffer-confirm';
/** What a read shows. */
type Showing = 'array' | 'status' | 'id' | 'query';

export interface CfiFlashOptions {
  /** For example `flash@0`. */
  readonly name: string;
  readonly host: DeviceHost;
  /** The contents, a multiple of `sectorByteLength`. A new device is erased by its owner (filled with 0xFF) or loaded with an image. */
  readonly window: RomWindow;
  /** Erase block of the pair in bytes; default 256 KiB. */
  readonly sectorByteLength?: number;
  /** Called after the guest has changed the contents, so that an owner can save them. */
  readonly changed?: (offset: number, byteLength: number) => void;
}

interface FlashState {
  byteLength: number;
  /** One entry a sector: its bytes, or the one value that all of them have (most of a bank is empty). */
  sectors: (Uint8Array | number)[];
  expecting: Expecting;
  showing: Showing;
  status: number;
  remaining: number;
  buffer: [offset: number, size: number, value: number][];
  locked: number[];
}

/**
 * The answers to a CFI query (JESD68.01, tables 1 to 5) for one device of the pair, 16 bits each at device addresses 0x10 and up. Equal to those of
 * QEMU's `virt`, including its timings, and its bytes that follow the pair's size instead of one device's.
 */
function queryTable(byteLength: number, sectorByteLength: number): Uint8Array {
  const table = new Uint8Array(0x52);
  table.set([0x51, 0x52, 0x59], 0x10); // "QRY"
  table.set([0x01, 0x00, 0x31, 0x00], 0x13); // Intel/Sharp extended set, its table at 0x31
  table.set([0x45, 0x55], 0x1b); // 4.5 V to 5.5 V
  table.set([0x07, 0x07, 0x0a, 0x00, 0x04, 0x04, 0x04, 0x00], 0x1f); // typical and longest times, powers of two
  table[0x27] = 31 - Math.clz32(byteLength / 2); // size of one device, a power of two
  table.set([0x02, 0x00], 0x28); // 8/16 bits wide
  table.set([0x0b, 0x00], 0x2a); // write buffer: 2^11 bytes
  table[0x2c] = 1; // one region of equal erase blocks
  const blocks = byteLength / sectorByteLength - 1;
  const blockUnits = sectorByteLength / 2 / 256;
  table.set([blocks & 0xff, blocks >> 8, blockUnits & 0xff, blockUnits >> 8], 0x2d);
  table.set([0x50, 0x52, 0x49, 0x31, 0x30], 0x31); // "PRI", version 1.0
  table[0x3f] = 1; // one protection field
  return table;
}

class CfiFlash implements Device {
  readonly name: string;
  private readonly host: DeviceHost;
  private readonly window: RomWindow;
  private readonly sector: number;
  private readonly changed: (offset: number, byteLength: number) => void;
  private readonly query: Uint8Array;
  private expecting: Expecting = 'command';
  private showing: Showing = 'array';
  private status = STATUS_READY;
  private remaining = 0;
  private buffer: [offset: number, size: AccessSize, value: number][] = [];
  private readonly locked = new Set<number>();

  constructor(options: CfiFlashOptions) {
    this.name = options.name;
    this.host = options.host;
    this.window = options.window;
    this.sector = options.sectorByteLength ?? 256 * 1024;
    this.changed = options.changed ?? (() => {});
    const { byteLength } = options.window;
    if (!Number.isInteger(Math.log2(this.sector)) || this.sector < 512)
      throw new DeviceError(this.name, `sectors of ${this.sector} bytes are not possible`);
    if (byteLength === 0 || byteLength % this.sector !== 0)
      throw new DeviceError(this.name, `${byteLength} bytes are not whole sectors of ${this.sector}`);
    this.query = queryTable(byteLength, this.sector);
    this.window.setDirect(true);
  }

  read(offset: number, size: AccessSize): number {
    switch (this.showing) {
      case 'status':
        return laneOf(this.onBoth(this.status), offset, size);
      case 'id':
        return laneOf(this.onBoth(this.identifier(offset)), offset, size);
      case 'query':
        return laneOf(this.onBoth(this.query[(offset >>> 2) & 0xff] ?? 0), offset, size);
      default: {
        // The bus reads the array directly; this is for monitors and for accesses it chose to send here.
        const bytes = this.window.bytes();
        let value = 0;
        for (let n = 0; n < size; n++) value |= (bytes[offset + n] ?? 0xff) << (n * 8);
        return value >>> 0;
      }
    }
  }

  private onBoth(value: number): number {
    return (value | (value << 16)) >>> 0;
  }

  /** Manufacturer and device, and at address 2 of each block whether it is locked. */
  private identifier(offset: number): number {
    switch ((offset >>> 2) & 0xff) {
      case 0:
        return MANUFACTURER;
      case 1:
        return DEVICE;
      case 2:
        return this.locked.has(this.sectorOf(offset)) ? 1 : 0;
      default:
        return 0;
    }
  }

  private sectorOf(offset: number): number {
    return Math.floor(offset / this.sector);
  }

  write(offset: number, size: AccessSize, value: number): void {
    const command = value & 0xff;
    switch (this.expecting) {
      case 'command':
        this.command(offset, command);
        return;
      case 'data':
        this.expecting = 'command';
        this.program(offset, size, value);
        return;
      case 'erase-confirm':
        this.confirmed(command, () => this.erase(offset));
        return;
      case 'lock':
        if (command === LOCK_BLOCK) {
          this.expecting = 'command';
          this.locked.add(this.sectorOf(offset));
        } else {
          this.confirmed(command, () => this.locked.delete(this.sectorOf(offset)));
        }
        return;
      case 'count':
        // Writes to follow, less one. A write of the pair counts once.
        this.remaining = (value & 0xffff) + 1;
        if (this.remaining > BUFFER_BYTES) this.fail(offset, `buffered program of ${this.remaining} writes`);
        else this.expecting = 'buffer';
        return;
      case 'buffer':
        this.buffer.push([offset, size, value >>> 0]);
        if (--this.remaining === 0) this.expecting = 'buffer-confirm';
        return;
      case 'buffer-confirm':
        this.confirmed(command, () => this.programBuffer());
        return;
    }
  }

  private confirmed(command: number, action: () => void): void {
    if (command === CONFIRM) {
      this.expecting = 'command';
      action();
    } else if (command === READ_ARRAY) {
      this.showArray();
    } else {
      this.fail(0, `0x${command.toString(16)} where a confirmation is expected`);
    }
  }

  private command(offset: number, command: number): void {
    switch (command) {
      case READ_ARRAY:
      case AMD_RESET:
      case 0x00:
        this.showArray();
        return;
      case CLEAR_STATUS:
        this.status = STATUS_READY;
        this.showArray();
        return;
      case READ_STATUS:
        this.show('status', 'command');
        return;
      case READ_ID:
        this.show('id', 'command');
        return;
      case CFI_QUERY:
        this.show('query', 'command');
        return;
      case PROGRAM:
      case PROGRAM_ALTERNATE:
        this.show('status', 'data');
        return;
      case BLOCK_ERASE:
        this.show('status', 'erase-confirm');
        return;
      case LOCK_SETUP:
        this.show('status', 'lock');
        return;
      case BUFFERED_PROGRAM:
        this.buffer = [];
        this.show('status', 'count');
        return;
      default:
        this.fail(offset, `unknown command 0x${command.toString(16)}`);
    }
  }

  private show(showing: Showing, expecting: Expecting): void {
    this.showing = showing;
    this.expecting = expecting;
    this.window.setDirect(false);
  }

  private showArray(): void {
    this.showing = 'array';
    this.expecting = 'command';
    this.buffer = [];
    this.window.setDirect(true);
  }

  private fail(offset: number, message: string): void {
    this.host.diagnostics.guestError(this.name, `${message} at ${hexOffset(offset)}: back to read array`);
    this.showArray();
  }

  private isLocked(offset: number, error: number): boolean {
    if (!this.locked.has(this.sectorOf(offset))) return false;
    this.status |= STATUS_LOCKED | error;
    return true;
  }

  /** Programming clears bits and cannot set them: that takes an erase. */
  private store(offset: number, size: AccessSize, value: number): void {
    const bytes = this.window.bytes();
    const data = new Uint8Array(size);
    const masked = value & sizeMask(size);
    for (let n = 0; n < size; n++) data[n] = bytes[offset + n] & (masked >>> (n * 8));
    this.window.write(offset, data);
  }

  private program(offset: number, size: AccessSize, value: number): void {
    if (this.isLocked(offset, STATUS_PROGRAM_ERROR)) return;
    this.store(offset, size, value);
    this.changed(offset, size);
  }

  private programBuffer(): void {
    const writes = this.buffer;
    this.buffer = [];
    let low = Number.POSITIVE_INFINITY;
    let high = 0;
    for (const [offset, size] of writes) {
      low = Math.min(low, offset);
      high = Math.max(high, offset + size);
    }
    if (this.sectorOf(low) !== this.sectorOf(high - 1)) {
      this.status |= STATUS_PROGRAM_ERROR;
      this.host.diagnostics.guestError(this.name, `buffered program from ${hexOffset(low)} to ${hexOffset(high)} leaves its block`);
      return;
    }
    if (this.isLocked(low, STATUS_PROGRAM_ERROR)) return;
    for (const [offset, size, value] of writes) this.store(offset, size, value);
    this.changed(low, high - low);
  }

  private erase(offset: number): void {
    if (this.isLocked(offset, STATUS_ERASE_ERROR)) return;
    const start = this.sectorOf(offset) * this.sector;
    this.window.write(start, new Uint8Array(this.sector).fill(0xff));
    this.changed(start, this.sector);
  }

  reset(): void {
    this.status = STATUS_READY;
    this.remaining = 0;
    this.locked.clear();
    this.showArray();
  }

  /** The byte that the whole sector consists of, or undefined. Looked for in words: a bank is 64 MiB, and snapshots are taken often. */
  private uniform(words: Readonly<Int32Array>, index: number): number | undefined {
    if (!this.window.touched(index * this.sector, this.sector)) return 0;
    const from = (index * this.sector) / 4;
    const end = from + this.sector / 4;
    const first = words[from]!;
    if (first !== Math.imul(first & 0xff, 0x01010101)) return undefined;
    for (let at = from + 1; at < end; at++) if (words[at] !== first) return undefined;
    return first & 0xff;
  }

  private words(): Readonly<Int32Array> {
    const bytes = this.window.bytes();
    return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  }

  private copySectors(): (Uint8Array | number)[] {
    const bytes = this.window.bytes();
    const words = this.words();
    return Array.from(
      { length: bytes.length / this.sector },
      (_, index) => this.uniform(words, index) ?? bytes.slice(index * this.sector, (index + 1) * this.sector),
    );
  }

  /** Writes the sectors that differ: what nobody has written costs the host no memory, and a restored machine should not either. */
  private restoreSectors(sectors: readonly (Uint8Array | number)[]): void {
    const words = this.words();
    sectors.forEach((sector, index) => {
      if (typeof sector !== 'number') this.window.write(index * this.sector, sector);
      else if (this.uniform(words, index) !== sector) this.window.write(index * this.sector, new Uint8Array(this.sector).fill(sector));
    });
  }

  snapshot(): Snapshot<FlashState> {
    const { expecting, showing, status, remaining } = this;
    return {
      schema: SCHEMA,
      version: VERSION,
      data: {
        byteLength: this.window.byteLength,
        sectors: this.copySectors(),
        expecting,
        showing,
        status,
        remaining,
        buffer: this.buffer.map(([offset, size, value]) => [offset, size, value]),
        locked: [...this.locked].sort((a, b) => a - b),
      },
    };
  }

  restore(snapshot: Snapshot): void {
    const state = snapshotData<FlashState>(this.name, snapshot, SCHEMA, VERSION);
    if (state.byteLength !== this.window.byteLength || state.sectors.length !== this.window.byteLength / this.sector) {
      throw new DeviceError(this.name, `the snapshot has ${state.byteLength} bytes of flash instead of ${this.window.byteLength}`);
    }
    for (const [index, sector] of state.sectors.entries()) {
      if (typeof sector !== 'number' && sector.length !== this.sector)
        throw new DeviceError(this.name, `sector ${index} of the snapshot is not whole`);
    }
    this.restoreSectors(state.sectors);
    this.expecting = state.expecting;
    this.showing = state.showing;
    this.status = state.status;
    this.remaining = state.remaining;
    this.buffer = state.buffer.map(([offset, size, value]) => [offset, size as AccessSize, value]);
    this.locked.clear();
    for (const sector of state.locked) this.locked.add(sector);
    this.window.setDirect(this.showing === 'array');
  }
}

/**
 * Makes one bank on top of `window`. All blocks are unlocked after a reset, as on QEMU (hardware of this family may start locked). A reset keeps the
 * contents. Operations finish at once.
 */
export function cfiFlash(options: CfiFlashOptions): Device {
  return new CfiFlash(options);
}

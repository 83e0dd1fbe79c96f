import type { AccessSize, Device, DeviceHost, DmaPort, PhysAddr, Snapshot } from '@tablewalk/machine/contracts';
import { hexOffset } from './access.js';
import { DeviceError } from './device-error.js';
import { snapshotData } from './snapshots.js';

/*
 * The firmware configuration device as QEMU documents it (docs/specs/fw_cfg), memory-mapped:
 *
 *   +0x00  data      8 bytes; any access reads the next bytes of the selected item, first byte at the lowest address
 *   +0x08  selector  16 bits, big-endian, write-only
 *   +0x10  DMA address, bits 63:32, big-endian; reads as `QEMU`
 *   +0x14  DMA address, bits 31:0, big-endian; reads as ` CFG`; a write starts the transfer
 */
const SCHEMA = 'devices/fw-cfg';
const VERSION = 1;

/** Selector keys that are not files. Sizes are 32-bit little-endian, texts end in a zero byte. */
export const FW_CFG_SIGNATURE = 0x00;
export const FW_CFG_ID = 0x01;
export const FW_CFG_NOGRAPHIC = 0x04;
export const FW_CFG_CPU_COUNT = 0x05;
export const FW_CFG_KERNEL_ADDRESS = 0x07;
export const FW_CFG_KERNEL_SIZE = 0x08;
export const FW_CFG_INITRD_ADDRESS = 0x0a;
export const FW_CFG_INITRD_SIZE = 0x0b;
export const FW_CFG_KERNEL_ENTRY = 0x10;
export const FW_CFG_KERNEL_DATA = 0x11;
export const FW_CFG_INITRD_DATA = 0x12;
export const FW_CFG_COMMAND_LINE_SIZE = 0x14;
export const FW_CFG_COMMAND_LINE_DATA = 0x15;
export const FW_CFG_SETUP_SIZE = 0x17;
export const FW_CFG_SETUP_DATA = 0x18;
export const FW_CFG_FILE_DIRECTORY = 0x19;
export const FW_CFG_FIRST_FILE = 0x20;

/** Bits 15 (local to the architecture) and 14 (a relic) of a selector do not number an item. */
const KEY_FLAGS = 0xc000;
const KEY_LOCAL = 0x8000;
const MAX_FILES = 0x4000 - FW_CFG_FIRST_FILE;

// Control word of a DMA request
const DMA_ERROR = 1;
const DMA_READ = 2;
const DMA_SKIP = 4;
const DMA_SELECT = 8;
const DMA_WRITE = 16;
/** ID: the traditional interface and DMA. */
const FEATURES = 3;
const DMA_SIGNATURE_LOW = 0x554d4551; // "QEMU" as the little-endian word that a load gives
const DMA_SIGNATURE_HIGH = 0x47464320; // " CFG"
/** Zeros are copied in pieces, so that a guest's absurd length costs the host no memory. */
const ZERO_CHUNK = 4096;

/** An item with a fixed key. */
export interface FwCfgItem {
  readonly key: number;
  readonly data: Uint8Array;
}

/** An item with a name, found through the directory. */
export interface FwCfgFile {
  /** At most 55 ASCII characters, for example `opt/org.example/greeting`. */
  readonly name: string;
  readonly data: Uint8Array;
  /** Lets the guest overwrite the bytes (never lengthen them) by DMA; default false. */
  readonly writable?: boolean;
  /** Runs after the guest has written; `data` is the live contents. */
  readonly written?: (data: Readonly<Uint8Array>) => void;
}

export interface FwCfgOptions {
  /** For example `fw-cfg@9020000`. */
  readonly name: string;
  readonly host: DeviceHost;
  readonly dma: DmaPort;
  /** Besides signature, ID and directory, which the device makes. The bytes are not copied unless the item is writable. */
  readonly items?: readonly FwCfgItem[];
  readonly files?: readonly FwCfgFile[];
}

/** What {@link fwCfgBootItems} hands to firmware. */
export interface FwCfgBoot {
  readonly kernel?: Uint8Array;
  readonly initrd?: Uint8Array;
  readonly commandLine?: string;
}

interface Entry {
  data: Uint8Array;
  readonly writable: boolean;
  readonly written: ((data: Readonly<Uint8Array>) => void) | undefined;
}

interface FwCfgState {
  key: number;
  position: number;
  dmaAddressHigh: number;
  /** Current contents of the writable files, by key. */
  writable: [number, Uint8Array][];
}

/** `value` as 32 bits, little-endian: how sizes are stored. */
export function fwCfgU32(value: number): Uint8Array {
  return Uint8Array.of(value, value >>> 8, value >>> 16, value >>> 24);
}

/** The items by which `virt` hands kernel, initrd and command line to firmware: data and size under their keys, only those that are given. */
export function fwCfgBootItems(boot: FwCfgBoot): FwCfgItem[] {
  const items: FwCfgItem[] = [];
  if (boot.kernel)
    items.push({ key: FW_CFG_KERNEL_SIZE, data: fwCfgU32(boot.kernel.length) }, { key: FW_CFG_KERNEL_DATA, data: boot.kernel });
  if (boot.initrd)
    items.push({ key: FW_CFG_INITRD_SIZE, data: fwCfgU32(boot.initrd.length) }, { key: FW_CFG_INITRD_DATA, data: boot.initrd });
  if (boot.commandLine !== undefined) {
    const text = utf8(`${boot.commandLine}\0`);
    items.push({ key: FW_CFG_COMMAND_LINE_SIZE, data: fwCfgU32(text.length) }, { key: FW_CFG_COMMAND_LINE_DATA, data: text });
  }
  return items;
}

/** UTF-8 without TextEncoder, which is not part of the language. */
function utf8(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x80) bytes.push(code);
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 63));
    else if (code < 0x10000) bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    else bytes.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
  }
  return Uint8Array.from(bytes);
}

/** The directory: a big-endian count, then 64 bytes a file: size (32), key (16), reserved (16), name (56, zero-padded). Sorted by name. */
function directory(files: readonly FwCfgFile[]): Uint8Array {
  const bytes = new Uint8Array(4 + 64 * files.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, files.length);
  files.forEach((file, index) => {
    const at = 4 + 64 * index;
    view.setUint32(at, file.data.length);
    view.setUint16(at + 4, FW_CFG_FIRST_FILE + index);
    for (let n = 0; n < file.name.length; n++) bytes[at + 8 + n] = file.name.charCodeAt(n);
  });
  return bytes;
}

function byteSwap(value: number): number {
  return (((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
}

class FwCfg implements Device {
  readonly name: string;
  private readonly host: DeviceHost;
  private readonly dma: DmaPort;
  private readonly entries = new Map<number, Entry>();
  private readonly initial = new Map<number, Uint8Array>();
  private key = FW_CFG_SIGNATURE;
  private position = 0;
  private dmaAddressHigh = 0;
  private readonly request = new Uint8Array(16);
  private readonly zeros = new Uint8Array(ZERO_CHUNK);

  constructor(options: FwCfgOptions) {
    this.name = options.name;
    this.host = options.host;
    this.dma = options.dma;
    const files = [...(options.files ?? [])].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    if (files.length > MAX_FILES) throw new DeviceError(this.name, `${files.length} files: at most ${MAX_FILES}`);
    for (const [index, file] of files.entries()) {
      if (!/^[\x20-\x7e]{1,55}$/.test(file.name))
        throw new DeviceError(this.name, `file name '${file.name}' is not 1 to 55 ASCII characters`);
      if (index > 0 && files[index - 1].name === file.name) throw new DeviceError(this.name, `two files are named '${file.name}'`);
    }
    this.add(FW_CFG_SIGNATURE, Uint8Array.of(0x51, 0x45, 0x4d, 0x55));
    this.add(FW_CFG_ID, fwCfgU32(FEATURES));
    for (const item of options.items ?? []) {
      if (
        !Number.isInteger(item.key) ||
        item.key < 0 ||
        item.key > 0xffff ||
        (item.key & ~KEY_FLAGS) >= FW_CFG_FIRST_FILE ||
        item.key & 0x4000
      ) {
        throw new DeviceError(this.name, `key ${item.key} is not that of a fixed item`);
      }
      this.add(item.key, item.data);
    }
    this.add(FW_CFG_FILE_DIRECTORY, directory(files));
    for (const [index, file] of files.entries()) this.add(FW_CFG_FIRST_FILE + index, file.data, file);
  }

  private add(key: number, data: Uint8Array, file?: FwCfgFile): void {
    if (this.entries.has(key)) throw new DeviceError(this.name, `key 0x${key.toString(16)} is given twice`);
    const writable = file?.writable === true;
    if (writable) this.initial.set(key, data.slice());
    this.entries.set(key, { data: writable ? data.slice() : data, writable, written: file?.written });
  }

  private select(key: number): void {
    this.key = key & (KEY_LOCAL | 0x3fff);
    this.position = 0;
  }

  /** Past the end, and in an item that does not exist, everything reads as zero: that is the device's rule. */
  private nextByte(): number {
    const data = this.entries.get(this.key)?.data;
    return data !== undefined && this.position < data.length ? data[this.position++] : 0;
  }

  read(offset: number, size: AccessSize): number {
    if (offset < 8) {
      let value = 0;
      for (let n = 0; n < size; n++) value |= this.nextByte() << (n * 8);
      return value >>> 0;
    }
    if (offset >= 0x10 && offset < 0x18) {
      const word = offset < 0x14 ? DMA_SIGNATURE_LOW : DMA_SIGNATURE_HIGH;
      return size === 4 ? word : (word >>> ((offset & 3) * 8)) & (size === 2 ? 0xffff : 0xff);
    }
    this.host.diagnostics.guestError(this.name, `read of ${size} bytes at ${hexOffset(offset)}: the selector cannot be read`);
    return 0;
  }

  write(offset: number, size: AccessSize, value: number): void {
    if (offset === 8 && size === 2) this.select(((value & 0xff) << 8) | ((value >>> 8) & 0xff));
    else if (offset === 0x10 && size === 4) this.dmaAddressHigh = byteSwap(value);
    else if (offset === 0x14 && size === 4) {
      const high = this.dmaAddressHigh;
      this.dmaAddressHigh = 0;
      this.transfer(high * 4294967296 + byteSwap(value));
    } else {
      this.host.diagnostics.guestError(this.name, `write of ${size} bytes at ${hexOffset(offset)}: no such register`);
    }
  }

  /** One request: control, length and address, big-endian, at `at` in guest memory; the control word becomes the answer. */
  private transfer(at: PhysAddr): void {
    if (!Number.isSafeInteger(at) || !this.dma.read(at, this.request)) {
      this.host.diagnostics.guestError(this.name, `DMA request at 0x${at.toString(16)}, which is not RAM`);
      return;
    }
    const view = new DataView(this.request.buffer);
    const control = view.getUint32(0);
    const length = view.getUint32(4);
    const address = view.getUint32(8) * 4294967296 + view.getUint32(12);
    if (control & DMA_SELECT) this.select(control >>> 16);
    let done = true;
    if (control & DMA_READ) done = this.dmaRead(address, length);
    else if (control & DMA_WRITE) done = this.dmaWrite(address, length);
    else if (control & DMA_SKIP) this.skip(length);
    if (!done)
      this.host.diagnostics.guestError(
        this.name,
        `DMA of ${length} bytes with key 0x${this.key.toString(16)} and address 0x${address.toString(16)} failed`,
      );
    this.dma.writeU32(at, byteSwap(done ? 0 : DMA_ERROR));
  }

  private skip(length: number): void {
    const data = this.entries.get(this.key)?.data;
    if (data !== undefined) this.position = Math.min(data.length, this.position + length);
  }

  private dmaRead(address: PhysAddr, length: number): boolean {
    if (!Number.isSafeInteger(address) || !this.dma.contains(address, length)) return false;
    const data = this.entries.get(this.key)?.data;
    const available = data === undefined ? 0 : Math.min(length, data.length - this.position);
    if (data !== undefined && available > 0) {
      if (!this.dma.write(address, data.subarray(this.position, this.position + available))) return false;
      this.position += available;
    }
    for (let at = available; at < length; at += ZERO_CHUNK) {
      const chunk = Math.min(ZERO_CHUNK, length - at);
      if (!this.dma.write(address + at, chunk === ZERO_CHUNK ? this.zeros : this.zeros.subarray(0, chunk))) return false;
    }
    return true;
  }

  private dmaWrite(address: PhysAddr, length: number): boolean {
    if (length === 0) return true;
    const entry = this.entries.get(this.key);
    if (entry === undefined || !entry.writable || length > entry.data.length - this.position) return false;
    if (!Number.isSafeInteger(address) || !this.dma.read(address, entry.data.subarray(this.position, this.position + length))) return false;
    this.position += length;
    entry.written?.(entry.data);
    return true;
  }

  reset(): void {
    this.select(FW_CFG_SIGNATURE);
    this.dmaAddressHigh = 0;
    for (const [key, data] of this.initial) this.entries.get(key)?.data.set(data);
  }

  snapshot(): Snapshot<FwCfgState> {
    const writable: [number, Uint8Array][] = [];
    for (const [key, entry] of this.entries) if (entry.writable) writable.push([key, entry.data.slice()]);
    return {
      schema: SCHEMA,
      version: VERSION,
      data: { key: this.key, position: this.position, dmaAddressHigh: this.dmaAddressHigh, writable },
    };
  }

  restore(snapshot: Snapshot): void {
    const state = snapshotData<FwCfgState>(this.name, snapshot, SCHEMA, VERSION);
    for (const [key, data] of state.writable) {
      const entry = this.entries.get(key);
      if (!entry?.writable || entry.data.length !== data.length) {
        throw new DeviceError(
          this.name,
          `the snapshot has a writable file with key 0x${key.toString(16)} and ${data.length} bytes, which is not here`,
        );
      }
    }
    for (const [key, data] of state.writable) this.entries.get(key)?.data.set(data);
    this.key = state.key;
    this.position = state.position;
    this.dmaAddressHigh = state.dmaAddressHigh;
  }
}

/** Makes the device: a window of 0x18 bytes. Items other than writable files are part of the machine's configuration, not of its state. */
export function fwCfg(options: FwCfgOptions): Device {
  return new FwCfg(options);
}

import type { AccessPort, Frame, StateViews } from '@tablewalk/engine';
import { hashStore, layout, ops, reverseBytes } from '@tablewalk/engine';
import type { AccessSize, GuestMemory, MemorySystem, SystemBus } from '@tablewalk/machine';
import { ACCESS_FETCH, ACCESS_READ, ACCESS_WRITE, GRANULE_SHIFT } from '@tablewalk/machine';
import { FastTable } from './fast-table.js';

/** What the slow path needs of its core. */
export interface AccessOwner {
  /** Of the core's profile. */
  readonly profile: { readonly lpae: boolean };
  readonly privileged: boolean;
  readonly alignmentChecked: boolean;
  /** Takes a data abort for the running instruction. */
  takeDataAbort(status: number, va: number, write: boolean): void;
  /** The same, and leaves it. */
  dataAbort(status: number, va: number, write: boolean): never;
  /** The same for an instruction that can no longer be fetched. */
  prefetchAbort(status: number, va: number): never;
  /** Brings guest time to the running instruction, before anything that can see it. */
  synchronize(): void;
  /** Interworking branch that changes the instruction set. */
  exchange(target: number): void;
  /** Translated code under a written granule must go. */
  codeWritten(hostPage: number, granules: number): void;
}

/** Stores beside the code of a page after which it is given up, the first time; then twice as many, and so on. */
const FIRST_PATIENCE = 64;
const MOST_TIMES_FORGOTTEN = 9;

/** Instead of a host offset: what is there is no memory. */
export const DEVICE = -1;
/** Instead of a host offset: the translation faults, and the memory system says how. */
export const FAULT = -2;

/** A value in the order that it has in memory. */
const stored = (value: number, flags: number): number => {
  if ((flags & ops.MEM_SWAP) === 0) return value;
  return (flags & ops.MEM_SIZE) === 4 ? reverseBytes(value) : ((value & 0xff) << 8) | ((value >>> 8) & 0xff);
};

/**
 * Everything that is not a hit in the fast table: refills it, splits unaligned accesses, reaches devices, finds faults. Physical addresses are doubles
 * (40 bits); host offsets are below 2^32.
 */
export class MemoryAccess implements AccessPort {
  readonly frame: Frame;
  protected readonly R: Int32Array;
  protected readonly memory: GuestMemory;
  private readonly bus: SystemBus;
  protected readonly system: MemorySystem;
  protected readonly fast: FastTable;
  protected readonly owner: AccessOwner;
  /** Each store is noted in the state's STORE_HASH; the closures must be made to bring every store here. */
  hashesStores = false;
  /** Physical address of the last translation that was no direct memory. */
  protected devicePa = 0;
  private readonly scratch = new Int32Array(64);
  /** For each page of guest memory that holds code: stores beside it that came this way, and how often its code was given up for them. */
  private readonly besideCode: Uint16Array;
  private readonly timesForgotten: Uint8Array;

  constructor(
    frame: Frame,
    state: StateViews,
    memory: GuestMemory,
    bus: SystemBus,
    system: MemorySystem,
    fast: FastTable,
    owner: AccessOwner,
  ) {
    this.frame = frame;
    this.R = state.words;
    this.memory = memory;
    this.bus = bus;
    this.system = system;
    this.fast = fast;
    this.owner = owner;
    this.besideCode = new Uint16Array(memory.codeGranules.length);
    this.timesForgotten = new Uint8Array(memory.codeGranules.length);
  }

  exchange(target: number): void {
    this.owner.exchange(target);
  }

  /** Host offset of `va` for a data access, or DEVICE with `devicePa` set. Takes the fault otherwise. */
  private locate(va: number, write: boolean, privileged: boolean): number {
    const host = this.find(va, write, privileged);
    if (host !== FAULT) return host;
    const { status, va: where } = this.system.fault;
    return this.owner.dataAbort(status, where, write);
  }

  /** Host offset of `va` for a data access, DEVICE with `devicePa` set, or FAULT. */
  protected find(va: number, write: boolean, privileged: boolean): number {
    const R = this.R;
    const entry = FastTable.entry(va, privileged);
    if (R[entry + (write ? layout.FAST_SPARE : layout.FAST_READ_TAG)] === (va & ~0xfff)) {
      const known = (va + R[entry + layout.FAST_ADDEND]!) >>> 0;
      // The code that stores had to look out for is gone, perhaps: pages are reused.
      if (write && this.mayStoreDirectly(known >>> 12)) R[entry + layout.FAST_WRITE_TAG] = va & ~0xfff;
      return known;
    }
    const known = this.fast.devices.find(va, write, privileged);
    if (known >= 0) {
      this.devicePa = known;
      return DEVICE;
    }
    const { system } = this;
    if (!system.translate(va >>> 0, write ? ACCESS_WRITE : ACCESS_READ, privileged)) return FAULT;
    const { pa, readable, writable, global } = system.translation;
    const region = this.memory.regionAt(pa);
    if (region === undefined || !region.direct || (write && !region.writable)) {
      this.fast.setDevice(va, write, privileged, pa);
      this.devicePa = pa;
      return DEVICE;
    }
    const host = this.memory.hostOffset(region, pa);
    const mayWrite = writable && region.writable;
    this.fast.fill(entry, va, host, readable, mayWrite, this.mayStoreDirectly(Math.floor(host / 4096)), global);
    return host;
  }

  /** Stores to a page with translated code are looked at. */
  protected mayStoreDirectly(hostPage: number): boolean {
    return this.memory.codeGranules[hostPage] === 0;
  }

  /** Host offset for executing at `va`, or -1 when it is no memory. Faults are left in the memory system: undefined. */
  locateCode(va: number, privileged: boolean): number | undefined {
    if (!this.system.translate(va >>> 0, ACCESS_FETCH, privileged)) return undefined;
    const { pa } = this.system.translation;
    const region = this.memory.regionAt(pa);
    return region?.direct ? this.memory.hostOffset(region, pa) : DEVICE;
  }

  private mode(flags: number): boolean {
    return this.owner.privileged && (flags & ops.MEM_UNPRIVILEGED) === 0;
  }

  private alignmentFault(va: number, write: boolean): never {
    return this.owner.dataAbort(this.system.faultStatus('alignment'), va >>> 0, write);
  }

  private deviceRead(pa: number, size: AccessSize, va: number): number {
    this.owner.synchronize();
    const value = this.bus.read(pa, size);
    if (this.bus.aborted) this.owner.dataAbort(this.system.faultStatus('external'), va >>> 0, false);
    return value;
  }

  private deviceWrite(pa: number, size: AccessSize, value: number, va: number): void {
    this.owner.synchronize();
    this.bus.write(pa, size, value);
    if (this.bus.aborted) this.owner.dataAbort(this.system.faultStatus('external'), va >>> 0, true);
  }

  private checkCode(host: number, byteLength: number): void {
    const page = Math.floor(host / 4096);
    const code = this.memory.codeGranules[page]!;
    if (code === 0) return;
    const first = (host & 0xfff) >>> GRANULE_SHIFT;
    const last = ((host + byteLength - 1) & 0xfff) >>> GRANULE_SHIFT;
    const touched = ((1 << first) | (1 << last)) & code;
    if (touched !== 0) this.owner.codeWritten(page, touched);
    else if (++this.besideCode[page]! >= FIRST_PATIENCE << this.timesForgotten[page]!) {
      // What is beside the code is what the page is for, by now: memory is reused. If not, the code is made again, and the page waits twice as long.
      this.besideCode[page] = 0;
      if (this.timesForgotten[page]! < MOST_TIMES_FORGOTTEN) this.timesForgotten[page]!++;
      this.owner.codeWritten(page, code);
    }
  }

  load(va: number, flags: number, index: number): number {
    this.frame.index = index;
    const size = (flags & ops.MEM_SIZE) as AccessSize;
    const privileged = this.mode(flags);
    if (va & (size - 1)) {
      if (this.owner.alignmentChecked || flags & ops.MEM_ALIGNED) this.alignmentFault(va, false);
      return this.loaded(this.loadBytes(va, size, privileged), size, flags);
    }
    return this.loadAt(this.locate(va, false, privileged), va, size, flags);
  }

  /** An aligned load from where `find` says. */
  private loadAt(host: number, va: number, size: AccessSize, flags: number): number {
    this.noteAccess(va, host, false);
    return this.loaded(host === DEVICE ? this.deviceRead(this.devicePa, size, va) : this.read(host, size), size, flags);
  }

  private loaded(value: number, size: AccessSize, flags: number): number {
    let v = value;
    if (flags & ops.MEM_SWAP) v = size === 4 ? reverseBytes(v) : ((v & 0xff) << 8) | (v >>> 8);
    if (flags & ops.MEM_SIGNED) return size === 1 ? (v << 24) >> 24 : (v << 16) >> 16;
    return v | 0;
  }

  /**
   * An instruction's only access, into or out of a register of the state. False: it took a data abort for the running instruction. What is rare, an unaligned
   * access or a bus that does not answer, is thrown as by {@link load} and {@link store}; a page that is not there is not, since throwing costs more than
   * taking the exception.
   */
  transfer(register: number, va: number, flags: number, isStore: boolean): boolean {
    const { R } = this;
    const size = (flags & ops.MEM_SIZE) as AccessSize;
    if (va & (size - 1)) {
      if (isStore) this.store(va, flags, R[register]!, this.frame.index);
      else R[register] = this.load(va, flags, this.frame.index);
      return true;
    }
    return this.transferAt(this.find(va, isStore, this.mode(flags)), register, va, flags, isStore);
  }

  /** The same of an aligned access, to where `find` says. */
  transferAt(host: number, register: number, va: number, flags: number, isStore: boolean): boolean {
    const { R } = this;
    if (host === FAULT) {
      const { status, va: where } = this.system.fault;
      this.owner.takeDataAbort(status, where, isStore);
      return false;
    }
    if (isStore) this.storeWhole(host, va, flags, R[register]!);
    else R[register] = this.loadAt(host, va, (flags & ops.MEM_SIZE) as AccessSize, flags);
    return true;
  }

  private loadBytes(va: number, size: number, privileged: boolean): number {
    const straddles = (va & 0xfff) + size > 4096;
    let host = this.locate(va, false, privileged);
    let value = 0;
    for (let i = 0; i < size; i++) {
      if (i > 0 && (straddles || host === DEVICE)) host = this.locate(va + i, false, privileged);
      if (i === 0 || ((va + i) & 7) === 0) this.noteAccess(va + i, straddles || host === DEVICE ? host : host + i, false);
      const byte = host === DEVICE ? this.deviceRead(this.devicePa, 1, va + i) : this.read(straddles ? host : host + i, 1);
      value |= byte << (8 * i);
    }
    return value;
  }

  store(va: number, flags: number, value: number, index: number): void {
    this.frame.index = index;
    const size = (flags & ops.MEM_SIZE) as AccessSize;
    const privileged = this.mode(flags);
    if (va & (size - 1)) {
      if (this.owner.alignmentChecked || flags & ops.MEM_ALIGNED) this.alignmentFault(va, true);
      const v = stored(value, flags);
      this.noteStore(this.storeBytes(va, size, v, privileged), size, v);
    } else this.storeWhole(this.locate(va, true, privileged), va, flags, value);
  }

  /** An aligned store to where `find` says. */
  private storeWhole(host: number, va: number, flags: number, value: number): void {
    const size = (flags & ops.MEM_SIZE) as AccessSize;
    const v = stored(value, flags);
    this.noteStore(this.storeAt(host, va, size, v, true), size, v);
  }

  protected noteStore(where: number, size: AccessSize, v: number): void {
    if (this.hashesStores) this.R[layout.STORE_HASH] = hashStore(this.R[layout.STORE_HASH]!, where, size, v);
  }

  /** Returns where it was: the offset in guest memory, or the address of a device. */
  private storeAligned(va: number, size: AccessSize, v: number, privileged: boolean, counts: boolean): number {
    return this.storeAt(this.locate(va, true, privileged), va, size, v, counts);
  }

  private storeAt(host: number, va: number, size: AccessSize, v: number, counts: boolean): number {
    if (counts) this.noteAccess(va, host, true);
    if (host === DEVICE) {
      const pa = this.devicePa;
      this.deviceWrite(pa, size, size === 4 ? v >>> 0 : v & (size === 2 ? 0xffff : 0xff), va);
      return pa;
    }
    this.write(va, host, size, v);
    return host;
  }

  /** A load or store of a whole access inside a line is about to happen: for who counts. */
  protected noteAccess(_va: number, _host: number, _write: boolean): void {}

  protected read(host: number, size: AccessSize): number {
    return size === 4 ? this.memory.i32[host >>> 2]! : size === 2 ? this.memory.u16[host >>> 1]! : this.memory.u8[host]!;
  }

  protected write(_va: number, host: number, size: AccessSize, value: number): void {
    this.checkCode(host, size);
    if (size === 4) this.memory.i32[host >>> 2] = value;
    else if (size === 2) this.memory.u16[host >>> 1] = value;
    else this.memory.u8[host] = value;
  }

  /** A walk read a descriptor in this page: of interest only where translations are always those of the tables. */
  watchTable(_hostPage: number): void {}

  /** For {@link AccessPort}; nobody asks at functional fidelity. */
  fetch(_va: number, _index: number): void {}

  /** Returns where its first byte was. */
  private storeBytes(va: number, size: number, v: number, privileged: boolean): number {
    // A store that straddles pages writes nothing when the second faults; the first page's fault comes first, at the access's own address.
    if ((va & 0xfff) + size > 4096) {
      this.locate(va, true, privileged);
      this.locate((va | 0xfff) + 1, true, privileged);
    }
    const first = this.storeAligned(va, 1, v & 0xff, privileged, true);
    for (let i = 1; i < size; i++) this.storeAligned((va + i) | 0, 1, (v >>> (8 * i)) & 0xff, privileged, ((va + i) & 7) === 0);
    return first;
  }

  loadMultiple(va: number, list: Int32Array, flags: number, index: number): void {
    this.frame.index = index;
    if (va & 3 && (this.owner.alignmentChecked || flags & ops.MEM_ALIGNED)) this.alignmentFault(va, false);
    const single = (flags & (ops.MEM_SWAP | ops.MEM_UNPRIVILEGED)) | 4;
    const { scratch } = this;
    for (let i = 0; i < list.length; i++) scratch[i] = this.load((va + 4 * i) | 0, single, index);
    for (let i = 0; i < list.length; i++) this.R[list[i]!] = scratch[i]!;
  }

  storeMultiple(va: number, values: Int32Array, count: number, flags: number, index: number): void {
    this.frame.index = index;
    if (va & 3 && (this.owner.alignmentChecked || flags & ops.MEM_ALIGNED)) this.alignmentFault(va, true);
    const privileged = this.mode(flags);
    this.locate(va, true, privileged);
    const end = (va + 4 * count - 1) | 0;
    // The fault of the second page is that page's first byte's.
    if ((va ^ end) & ~0xfff) this.locate(end & ~0xfff, true, privileged);
    const single = (flags & (ops.MEM_SWAP | ops.MEM_UNPRIVILEGED)) | 4;
    for (let i = 0; i < count; i++) this.store((va + 4 * i) | 0, single, values[i]!, index);
  }

  /** Physical address behind a data access, for the exclusive monitor. Faults as the access would, and finds translations where it does. */
  physical(va: number, write: boolean, privileged: boolean): number {
    const host = this.locate(va, write, privileged);
    return host === DEVICE ? this.devicePa : this.memory.physical(host);
  }
}

import type { Frame, StateViews } from '@tablewalk/engine';
import { layout } from '@tablewalk/engine';
import type { AccessSize, CachedMemory, GuestMemory, MemorySystem, SystemBus, Translation } from '@tablewalk/machine';
import { ACCESS_FETCH, ACCESS_READ, ACCESS_WRITE, LINE_DIRTY } from '@tablewalk/machine';
import { FastTable } from './fast-table.js';
import type { LineTable } from './line-table.js';
import type { AccessOwner } from './memory-access.js';
import { DEVICE, FAULT, MemoryAccess } from './memory-access.js';

/** The attributes of a translation in one word, as {@link CachedMemory} takes them. */
const packed = ({ type, inner, outer, shareable }: Translation): number => type | (inner << 2) | (outer << 4) | (shareable ? 64 : 0);

/** DFSR.CM: the fault is that of a cache operation. It came with the Large Physical Address Extension (ARM DDI 0406C, B4.1.52). */
const DFSR_CM = 1 << 13;

/** A domain or permission fault, in the layout of DFSR (B3.13.3, B3.13.4). */
const isDenial = (status: number): boolean => ((status & 0x200) !== 0 ? (status & 0x3c) === 0x0c : (status & 0x409) === 9);

/**
 * Memory access of a core whose caches are modelled. The fast table holds what may go straight to RAM: loads of memory whose views agree, stores to lines
 * that are dirty already. When every access counts (`measured`) nothing goes straight.
 */
export class CachedAccess extends MemoryAccess {
  private readonly cached: CachedMemory;
  private readonly everyAccess: boolean;
  private readonly shift: number;
  /** Of the last translation that was memory. */
  private attributes = 0;
  /** As what the last one was asked for. */
  private isPrivileged = false;

  constructor(
    frame: Frame,
    state: StateViews,
    memory: GuestMemory,
    bus: SystemBus,
    system: MemorySystem,
    fast: FastTable,
    owner: AccessOwner,
    cached: CachedMemory,
  ) {
    super(frame, state, memory, bus, system, fast, owner);
    this.cached = cached;
    this.everyAccess = cached.everyAccess;
    this.shift = cached.lineSizeLog2;
  }

  override find(va: number, write: boolean, privileged: boolean): number {
    const { R, system, cached } = this;
    const entry = FastTable.entry(va, privileged);
    if (!this.everyAccess && R[entry + (write ? layout.FAST_SPARE : layout.FAST_READ_TAG)] === (va & ~0xfff)) {
      this.attributes = this.fast.attributesOf(entry);
      return (va + R[entry + layout.FAST_ADDEND]!) >>> 0;
    }
    const { lines } = this.fast;
    if (lines?.findPage(va, write, privileged)) {
      lines.look();
      this.isPrivileged = privileged;
      this.attributes = lines.attributes;
      return lines.host;
    }
    if (!system.translate(va >>> 0, write ? ACCESS_WRITE : ACCESS_READ, privileged)) return FAULT;
    const { translation } = system;
    const { pa } = translation;
    const region = this.memory.regionAt(pa);
    if (region === undefined || !region.direct || (write && !region.writable)) {
      this.devicePa = pa;
      return DEVICE;
    }
    const host = this.memory.hostOffset(region, pa);
    this.isPrivileged = privileged;
    this.attributes = packed(translation);
    const accessClass = cached.classOf(this.attributes);
    const direct = cached.enterData(host >>> 12, accessClass);
    if (this.everyAccess) {
      lines?.enterPage(va, host, write, privileged, this.attributes);
      return host;
    }
    const mayWrite = translation.writable && region.writable;
    this.fast.fill(entry, va, host, translation.readable && direct, mayWrite, accessClass === 2, translation.global);
    this.fast.setAttributes(entry, this.attributes);
    return host;
  }

  protected override noteAccess(va: number, host: number, write: boolean): void {
    if (!this.everyAccess || host === DEVICE) return;
    const { lines } = this.fast;
    if (lines?.findPage(va, write, this.isPrivileged)) lines.access(va, write, this.isPrivileged);
    else this.cached.note(va >>> 0, host, write ? ACCESS_WRITE : ACCESS_READ, this.attributes);
  }

  /**
   * An aligned access whose page `lines` has just found, for a region: what {@link load} and {@link store} do, and nothing that they do for others. Result: what
   * was loaded, without its sign.
   */
  counted(lines: LineTable, va: number, size: AccessSize, write: boolean, privileged: boolean, value: number): number {
    const { host } = lines;
    this.attributes = lines.attributes;
    lines.lookWithHits();
    lines.access(va, write, privileged);
    return this.transferred(va, host, size, write, value);
  }

  /** The same of an access that is not aligned but inside the page, and may be so. In the order of {@link load} and {@link store}, byte by byte. */
  countedBytes(lines: LineTable, va: number, size: AccessSize, write: boolean, privileged: boolean, value: number): number {
    const first = lines.host;
    this.attributes = lines.attributes;
    this.isPrivileged = privileged;
    const counted = lines.countBytes(va, size, write, privileged);
    if (!write) {
      if (!counted) {
        lines.lookWithHits();
        this.noteAccess(va, first, false);
      }
      let loaded = 0;
      for (let i = 0; i < size; i++) {
        if (!counted && i > 0 && ((va + i) & 7) === 0) this.noteAccess(va + i, first + i, false);
        loaded |= this.read(first + i, 1) << (8 * i);
      }
      return loaded;
    }
    if (!counted) lines.settle();
    for (let i = 0; i < size; i++) {
      const host = counted ? first + i : this.find(va + i, true, privileged);
      if (host !== first + i) throw new Error('[arm-core] [measured] a page has changed in the middle of a store');
      if (!counted && (i === 0 || ((va + i) & 7) === 0)) this.noteAccess(va + i, host, true);
      this.write(va + i, host, 1, (value >>> (8 * i)) & 0xff);
    }
    this.cached.storeDone();
    return 0;
  }

  /** The same where {@link find} has found that it is memory. */
  found(va: number, host: number, size: AccessSize, write: boolean, value: number): number {
    this.noteAccess(va, host, write);
    return this.transferred(va, host, size, write, value);
  }

  private transferred(va: number, host: number, size: AccessSize, write: boolean, value: number): number {
    if (!write) return this.read(host, size);
    this.write(va, host, size, value);
    this.cached.storeDone();
    return 0;
  }

  protected override noteStore(where: number, size: AccessSize, v: number): void {
    super.noteStore(where, size, v);
    if (this.everyAccess) this.cached.storeDone();
  }

  protected override read(host: number, size: AccessSize): number {
    return this.cached.classOf(this.attributes) === 0 ? this.cached.loadPast(host, size) : super.read(host, size);
  }

  protected override write(va: number, host: number, size: AccessSize, value: number): void {
    const { cached, attributes } = this;
    // Without a TLB the next fetch may translate to something else.
    if (!this.fast.keeps) this.fast.dropCode();
    switch (cached.classOf(attributes)) {
      case 0:
        cached.storePast(host, size, value);
        break;
      case 1:
        cached.storeThrough(va >>> 0, host, size, value, attributes);
        break;
      case 2:
        if ((cached.shadow[host >>> this.shift]! & LINE_DIRTY) === 0) cached.makeDirty(va >>> 0, host, attributes);
        if (size === 4) this.memory.i32[host >>> 2] = value;
        else if (size === 2) this.memory.u16[host >>> 1] = value;
        else this.memory.u8[host] = value;
        break;
    }
  }

  override locateCode(va: number, privileged: boolean): number | undefined {
    const host = super.locateCode(va, privileged);
    if (host !== undefined && host >= 0) this.cached.enterCode(Math.floor(host / 4096), packed(this.system.translation), va >>> 0);
    return host;
  }

  override fetch(va: number, index: number): void {
    // A line that execution is in already is not fetched again.
    const line = va & -(1 << this.cached.fetchLineSizeLog2);
    if (line === this.fast.fetchLine) return;
    this.frame.index = index;
    const { system } = this;
    if (!system.translate(va >>> 0, ACCESS_FETCH, this.owner.privileged)) this.owner.prefetchAbort(system.fault.status, system.fault.va);
    this.fast.fetchLine = line;
    const { pa } = system.translation;
    const region = this.memory.regionAt(pa);
    if (!region?.direct) return;
    const host = this.memory.hostOffset(region, pa);
    const attributes = packed(system.translation);
    this.cached.note(va >>> 0, host, ACCESS_FETCH, attributes);
    this.fast.lines?.enterFetch(va, host, this.owner.privileged, attributes);
  }

  /**
   * Host offset of `va` for maintenance, or -1 when it is no memory. An address that does not translate is a Data Abort of the instruction, with WnR set
   * (ARM DDI 0406C, B3.12.3, B4.1.52). Permissions and domains are not looked at: the operation happens although a load might not be allowed.
   */
  locateForMaintenance(va: number): number {
    const { system } = this;
    if (!system.translate(va >>> 0, ACCESS_READ, true)) {
      const { status } = system.fault;
      if (isDenial(status)) return -1;
      this.owner.dataAbort(this.owner.profile.lpae ? status | DFSR_CM : status, va >>> 0, true);
    }
    const { pa } = system.translation;
    const region = this.memory.regionAt(pa);
    return region === undefined ? -1 : this.memory.hostOffset(region, pa);
  }
}

import type { DmaPort, PhysAddr, RomWindow } from './contracts/index.js';

/** Bytes of code granules: stores are checked against translated code in pieces of this size (32 to a page). */
export const GRANULE_SHIFT = 7;
export const PAGE_SHIFT = 12;
const WASM_PAGE = 65536;
const ROM_CHUNK_SHIFT = 16;

/** Told when bytes under translated code change. `hostPage` is the offset in the memory divided by 4096, `granules` one bit per 128 bytes. */
export interface CodeWatcher {
  codeWritten(hostPage: number, granules: number): void;
}

/** A directly readable range of physical addresses. */
export interface DirectRegion {
  readonly name: string;
  readonly base: PhysAddr;
  readonly byteLength: number;
  /** Offset of its first byte in the WebAssembly.Memory; a multiple of 64 KiB. */
  readonly hostOffset: number;
  readonly writable: boolean;
  /** False while a ROM's reads go to its device. */
  direct: boolean;
}

export interface RegionOptions {
  readonly name: string;
  readonly base: PhysAddr;
  readonly byteLength: number;
  /** RAM is writable; a ROM window is written through its device only. */
  readonly writable: boolean;
}

/**
 * Guest memory: one WebAssembly.Memory that holds a reserved area (core state, fast tables) and then every RAM and ROM region. Pages that the guest
 * never touches cost the host nothing.
 *
 *   0          reserved          RAM                       flash 0      flash 1
 *   |----------|-----------------|-------------------------|------------|
 */
export class GuestMemory implements DmaPort {
  readonly memory: { readonly buffer: ArrayBufferLike };
  readonly buffer: ArrayBuffer;
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly i32: Int32Array;
  /** One word per host page: bit n says that translated code overlaps granule n. */
  readonly codeGranules: Uint32Array;
  readonly regions: readonly DirectRegion[];
  /** For each ROM, a byte for each 64 KiB: 1 once something was written there. */
  private readonly writtenRom = new Map<DirectRegion, Uint8Array>();
  private watcher: CodeWatcher | undefined;
  private directChanged: (() => void) | undefined;
  private bring: ((hostPage: number) => void) | undefined;
  private deferred = new Uint8Array(0);

  /** Offset of the bytes behind the regions that belong to whoever asked for them. */
  readonly tailOffset: number;
  private snooper: ((offset: number, byteLength: number) => void) | undefined;

  /**
   * `reservedBytes` at offset 0 are the cores', `tailBytes` behind the regions a memory-system model's: given the offset of the tail it says how many.
   * Throws a RangeError when the sum exceeds 4 GiB or the host has no such memory.
   */
  constructor(reservedBytes: number, regions: readonly RegionOptions[], tailBytes: (tailOffset: number) => number = () => 0) {
    let offset = Math.ceil(reservedBytes / WASM_PAGE) * WASM_PAGE;
    this.regions = regions.map((region) => {
      const hostOffset = offset;
      offset += Math.ceil(region.byteLength / WASM_PAGE) * WASM_PAGE;
      return { ...region, hostOffset, direct: true };
    });
    this.tailOffset = offset;
    const pages = Math.ceil((offset + tailBytes(offset)) / WASM_PAGE);
    if (pages > 65536) throw new RangeError(`[machine] [memory] ${pages * WASM_PAGE} bytes do not fit one WebAssembly memory`);
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    this.buffer = this.memory.buffer as ArrayBuffer;
    this.u8 = new Uint8Array(this.buffer);
    this.u16 = new Uint16Array(this.buffer);
    this.i32 = new Int32Array(this.buffer);
    this.codeGranules = new Uint32Array(offset >>> PAGE_SHIFT);
  }

  /** Connects the code cache (once) and whoever keeps host addresses of regions. */
  watch(watcher: CodeWatcher, directChanged: () => void): void {
    this.watcher = watcher;
    this.directChanged = directChanged;
  }

  /** Who must hear of writes of others than the core before they happen: caches that are snooped. */
  snoop(snooper: (offset: number, byteLength: number) => void): void {
    this.snooper = snooper;
  }

  /** Region that contains `pa`, direct or not. */
  regionAt(pa: PhysAddr): DirectRegion | undefined {
    for (const region of this.regions) if (pa >= region.base && pa < region.base + region.byteLength) return region;
    return undefined;
  }

  /** Offset in the memory of a physical address of RAM, or -1. */
  ramOffset(pa: PhysAddr, byteLength: number): number {
    for (const region of this.regions) {
      if (region.writable && pa >= region.base && pa + byteLength <= region.base + region.byteLength) {
        const offset = region.hostOffset + (pa - region.base);
        if (this.bring !== undefined) this.arrive(offset, byteLength);
        return offset;
      }
    }
    return -1;
  }

  /** Offset in the memory of `pa`, which is in `region`. What is there up to the end of the page may be used from now on. */
  hostOffset(region: DirectRegion, pa: PhysAddr): number {
    const offset = region.hostOffset + (pa - region.base);
    if (this.bring !== undefined) this.arrive(offset, 1);
    return offset;
  }

  /** Physical address of what is at an offset in the memory: the inverse of {@link hostOffset}. */
  physical(offset: number): PhysAddr {
    for (const { base, byteLength, hostOffset } of this.regions)
      if (offset >= hostOffset && offset < hostOffset + byteLength) return base + (offset - hostOffset);
    throw new RangeError(`[machine] [memory] ${offset} is outside every region`);
  }

  /**
   * Leaves the contents of these pages, by their offset in the memory divided by 4096, where they are until they are first used: `bring` then writes
   * one. Who uses `u8` and its like without having asked for the offset here does not see them. Once at most.
   */
  defer(hostPages: Uint32Array, bring: (hostPage: number) => void): void {
    this.deferred = new Uint8Array(this.codeGranules.length);
    for (const page of hostPages) this.deferred[page] = 1;
    this.bring = bring;
  }

  /** Brings what is deferred of [offset, offset + byteLength). */
  arrive(offset: number, byteLength: number): void {
    const { deferred, bring } = this;
    if (bring === undefined) return;
    const last = Math.floor((offset + byteLength - 1) / 4096);
    for (let page = Math.floor(offset / 4096); page <= last; page++) {
      if (deferred[page] !== 1) continue;
      deferred[page] = 0;
      bring(page);
    }
  }

  /** Brings everything that is deferred. */
  arriveAll(): void {
    this.arrive(0, this.tailOffset);
    this.bring = undefined;
  }

  /** The one door: call before bytes [offset, offset + byteLength) of the memory change. */
  willWrite(offset: number, byteLength: number): void {
    if (byteLength === 0) return;
    if (this.bring !== undefined) this.arrive(offset, byteLength);
    this.snooper?.(offset, byteLength);
    const last = offset + byteLength - 1;
    const lastPage = Math.floor(last / 4096);
    for (let page = Math.floor(offset / 4096); page <= lastPage; page++) {
      const code = this.codeGranules[page]!;
      if (code === 0) continue;
      const from = page * 4096 >= offset ? 0 : (offset & 0xfff) >>> GRANULE_SHIFT;
      const to = page === lastPage ? (last & 0xfff) >>> GRANULE_SHIFT : 31;
      const touched = (-1 << from) & (-1 >>> (31 - to)) & code;
      if (touched !== 0) this.watcher?.codeWritten(page, touched);
    }
  }

  contains(address: PhysAddr, byteLength: number): boolean {
    return byteLength === 0 || this.ramOffset(address, byteLength) >= 0;
  }
  read(address: PhysAddr, target: Uint8Array): boolean {
    if (target.length === 0) return true;
    const offset = this.ramOffset(address, target.length);
    if (offset < 0) return false;
    target.set(this.u8.subarray(offset, offset + target.length));
    return true;
  }
  write(address: PhysAddr, source: Uint8Array): boolean {
    if (source.length === 0) return true;
    const offset = this.ramOffset(address, source.length);
    if (offset < 0) return false;
    this.willWrite(offset, source.length);
    this.u8.set(source, offset);
    return true;
  }
  readU16(address: PhysAddr): number | undefined {
    const offset = this.ramOffset(address, 2);
    return offset < 0 ? undefined : this.u8[offset]! | (this.u8[offset + 1]! << 8);
  }
  readU32(address: PhysAddr): number | undefined {
    const offset = this.ramOffset(address, 4);
    if (offset < 0) return undefined;
    const { u8 } = this;
    return (u8[offset]! | (u8[offset + 1]! << 8) | (u8[offset + 2]! << 16) | (u8[offset + 3]! << 24)) >>> 0;
  }
  writeU16(address: PhysAddr, value: number): boolean {
    const offset = this.ramOffset(address, 2);
    if (offset < 0) return false;
    this.willWrite(offset, 2);
    this.u8[offset] = value;
    this.u8[offset + 1] = value >>> 8;
    return true;
  }
  writeU32(address: PhysAddr, value: number): boolean {
    const offset = this.ramOffset(address, 4);
    if (offset < 0) return false;
    this.willWrite(offset, 4);
    for (let i = 0; i < 4; i++) this.u8[offset + i] = value >>> (8 * i);
    return true;
  }

  private romChunks(region: DirectRegion): Uint8Array {
    let chunks = this.writtenRom.get(region);
    if (chunks === undefined) {
      chunks = new Uint8Array(Math.ceil(region.byteLength / (1 << ROM_CHUNK_SHIFT)));
      this.writtenRom.set(region, chunks);
    }
    return chunks;
  }

  /** The window of a ROM region for its device. */
  romWindow(name: string): RomWindow {
    const region = this.regions.find((candidate) => candidate.name === name && !candidate.writable);
    if (!region) throw new Error(`[machine] [memory] no ROM region ${name}`);
    const bytes = this.u8.subarray(region.hostOffset, region.hostOffset + region.byteLength);
    const chunks = this.romChunks(region);
    return {
      byteLength: region.byteLength,
      bytes: () => bytes,
      touched: (offset, length) => {
        const last = (offset + length - 1) >>> ROM_CHUNK_SHIFT;
        for (let chunk = offset >>> ROM_CHUNK_SHIFT; chunk <= last; chunk++) if (chunks[chunk] !== 0) return true;
        return false;
      },
      write: (offset, source) => {
        if (source.length > 0) chunks.fill(1, offset >>> ROM_CHUNK_SHIFT, ((offset + source.length - 1) >>> ROM_CHUNK_SHIFT) + 1);
        this.willWrite(region.hostOffset + offset, source.length);
        bytes.set(source, offset);
      },
      setDirect: (direct) => {
        if (region.direct === direct) return;
        region.direct = direct;
        this.directChanged?.();
      },
    };
  }
}

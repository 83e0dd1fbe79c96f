import type { CachedMemory, CachedMemoryPort, GuestMemory, PhysAddr, Snapshot, VirtAddr } from '@tablewalk/machine';
import { ACCESS_FETCH, ACCESS_READ, ACCESS_WRITE, MEMORY_NORMAL } from '@tablewalk/machine';
import {
  CACHE_CONTRACT,
  CACHE_L1_DATA,
  CACHE_L1_INSTRUCTION,
  CACHE_L2,
  type Cache,
  type CacheEvictionSink,
  type CacheHierarchy,
  type CacheUnit,
} from '../contracts/cache.js';
import { SCTLR_C, SCTLR_I } from '../control-bits.js';
import { MmuError } from '../mmu-error.js';
import { CacheMaintenance, type MaintainedLines, type SavedMaintenance } from './cache-maintenance.js';
import { HeldPages } from './held-pages.js';
import { HostAddresses } from './host-addresses.js';
import { InstructionImages } from './instruction-images.js';
import { ABSENT, DIFFERS, L1_DIRTY, L1_STALE, L2_DIRTY, L2_STALE, LineViews, type SavedLines } from './line-views.js';

export interface CoherencyOptions {
  /** Made with {@link shadowBytes} of tail. */
  readonly memory: GuestMemory;
  readonly caches: CacheHierarchy;
  /** Models are told of every access (`measured`), not only of those that change which views are equal. */
  readonly everyAccess?: boolean;
  /** Maintenance takes effect at the next DSB. */
  readonly lateEffects?: boolean;
}

interface CoherencyData {
  readonly lines: SavedLines;
  readonly instruction: ReturnType<InstructionImages['save']>;
  readonly held: readonly Uint32Array[];
  readonly maintenance: SavedMaintenance;
  readonly caches: Snapshot;
}

const SCHEMA = 'mmu/coherency';
const VERSION = 3;

/** Write-back, write-allocate, inner and outer: for lines that the model is told of on somebody else's behalf. */
const WRITE_BACK = MEMORY_NORMAL | (1 << 2) | (1 << 4);

const dataLineLog2 = (caches: CacheHierarchy): number => (caches.data ?? caches.unified)?.lineSizeLog2 ?? 6;

/** Whether a store that misses brings the line into the L1. */
const allocates = (caches: CacheHierarchy, attributes: number): boolean =>
  (caches.data ?? caches.unified)?.writeAllocate === true && ((attributes >>> 2) & 3) === 1;

/** Whether the L2 has a store that came past the L1: it had the line, or brings it in. */
const keepsBelow = (caches: CacheHierarchy, level: number, attributes: number): boolean => {
  const outer = (attributes >>> 4) & 3;
  if (outer === 0 || outer === 2) return false;
  return level === 2 || (outer === 1 && caches.unified?.writeAllocate === true);
};

/** Bytes that the map of a guest memory of this many bytes needs in its tail. */
export const shadowBytes = (caches: CacheHierarchy, tailOffset: number): number => tailOffset >>> dataLineLog2(caches);

/**
 * Memory with caches that can be incoherent. RAM is what the core's cacheable accesses see; {@link LineViews} keeps what the levels below have where
 * that differs, {@link InstructionImages} what the instruction cache has. The cache model decides how long a line may stay as it is.
 *
 *     core, cacheable ----> RAM
 *     fetch --> images -\
 *     walk (ID_MMFR3, TTBR attributes) --> RAM, point of unification or memory
 *     uncached access, device ----------------------------------------> memory
 */
export class CoherencyMap implements CachedMemory, CacheEvictionSink {
  readonly lineSizeLog2: number;
  readonly fetchLineSizeLog2: number;
  readonly shadow: Uint8Array;
  readonly everyAccess: boolean;
  readonly caches: CacheHierarchy;
  /** Accesses by kind (ACCESS_*) and by the level that had them (1, 2, 3), and in the last four walks'. */
  readonly counts = new Float64Array(16);
  private readonly memory: GuestMemory;
  private readonly views: LineViews;
  private readonly images: InstructionImages;
  private readonly addresses: HostAddresses;
  private readonly l1: HeldPages;
  private readonly l2: HeldPages;
  private readonly maintenance: CacheMaintenance;
  private port: CachedMemoryPort = { dropHostPage: () => {}, dropData: () => {}, codeWritten: () => {}, dropCode: () => {} };
  private dataOn = false;
  private instructionOn = false;
  /** Line of a store that misses and does not allocate, or -1: it passes to the next level with the next access. */
  private passed = -1;
  /** That store goes to memory: no level keeps it. */
  private passedBy = false;
  /** Reports of the model that follow from what is being done here anyway. */
  private muted = false;
  /** Pages that may have direct loads for class 0. Host state. */
  private readonly readPast: Uint8Array;
  /** Pages whose translated code was fetched past the instruction cache. Host state. */
  private readonly codePast: Uint8Array;
  /** Pages with an {@link ABSENT} line. */
  private readonly absentPages: Uint8Array;

  constructor(options: CoherencyOptions) {
    const { memory, caches } = options;
    if (caches.contract !== CACHE_CONTRACT)
      throw new MmuError(caches.name, `is written for cache contract ${String(caches.contract)}, this is ${CACHE_CONTRACT}`);
    this.memory = memory;
    this.caches = caches;
    this.lineSizeLog2 = dataLineLog2(caches);
    if (this.lineSizeLog2 < 3 || this.lineSizeLog2 > 7)
      throw new MmuError(caches.name, `data lines of ${2 ** this.lineSizeLog2} bytes: 8 to 128 are possible`);
    this.fetchLineSizeLog2 = caches.instruction?.lineSizeLog2 ?? this.lineSizeLog2;
    const instructionLog2 = this.fetchLineSizeLog2;
    if (instructionLog2 < 3 || instructionLog2 > 7)
      throw new MmuError(caches.name, `instruction lines of ${2 ** instructionLog2} bytes: 8 to 128 are possible`);
    const twoLevels = caches.data !== null && caches.unified !== null && caches.levelOfCoherency > caches.levelOfUnification;
    this.views = new LineViews(memory, this.lineSizeLog2, twoLevels);
    this.shadow = this.views.shadow;
    const pages = memory.tailOffset >>> 12;
    this.images = new InstructionImages(pages, instructionLog2, caches.instruction?.colourCount ?? 1);
    this.addresses = new HostAddresses(memory);
    this.l1 = new HeldPages(pages);
    this.l2 = new HeldPages(pages);
    const lines: MaintainedLines = {
      l1Written: (line) => this.l1Written(line),
      l2Written: (line) => this.l2Written(line),
      invalidate: (line) => this.invalidate(line),
      emptied: (level, clean) => this.emptied(level, clean),
      forgetCode: (va, host) => this.forgetCode(va, host),
      forgetAllCode: () => {
        this.images.forgetAll((hostPage, granules) => this.port.codeWritten(hostPage, granules));
        this.port.dropCode();
      },
      quietly: (run) => this.quietly(run),
    };
    this.maintenance = new CacheMaintenance(caches, this.lineSizeLog2, this.addresses, lines, this, options.lateEffects ?? false);
    this.readPast = new Uint8Array(pages);
    this.codePast = new Uint8Array(pages);
    this.absentPages = new Uint8Array(pages);
    this.everyAccess = options.everyAccess ?? false;
    memory.snoop((offset, byteLength) => this.snooped(offset, byteLength));
  }

  connect(port: CachedMemoryPort): void {
    this.port = port;
  }

  controlChanged(sctlr: number): void {
    this.dataOn = (sctlr & SCTLR_C) !== 0;
    this.instructionOn = (sctlr & SCTLR_I) !== 0;
  }

  // ---- data

  classOf(attributes: number): 0 | 1 | 2 {
    if (!this.dataOn || (attributes & 3) !== MEMORY_NORMAL) return 0;
    const inner = (attributes >>> 2) & 3;
    return inner === 0 ? 0 : inner === 2 ? 1 : 2;
  }

  enterData(hostPage: number, accessClass: 0 | 1 | 2): boolean {
    if (accessClass === 0) {
      this.readPast[hostPage] = 1;
      return this.views.slotsOfPage[hostPage] === 0;
    }
    this.l1.enter(hostPage);
    this.l2.enter(hostPage);
    if (this.absentPages[hostPage] !== 0) this.fetchAhead(hostPage);
    return true;
  }

  /** The page is touched again: lines of it that were invalidated may be held again. */
  private fetchAhead(hostPage: number): void {
    this.absentPages[hostPage] = 0;
    const first = hostPage << (12 - this.lineSizeLog2);
    for (let line = first; line < first + (1 << (12 - this.lineSizeLog2)); line++) this.shadow[line]! &= ~ABSENT;
  }

  loadPast(host: number, size: 1 | 2 | 4): number {
    if (!this.views.has(host >>> this.lineSizeLog2)) return this.ramValue(host, size);
    let value = 0;
    for (let i = size - 1; i >= 0; i--) value = value * 256 + this.views.pocByte(host + i);
    return value;
  }

  private ramValue(host: number, size: 1 | 2 | 4): number {
    const { memory } = this;
    return size === 4 ? memory.i32[host >>> 2]! >>> 0 : size === 2 ? memory.u16[host >>> 1]! : memory.u8[host]!;
  }

  storePast(host: number, size: 1 | 2 | 4, value: number): void {
    const line = host >>> this.lineSizeLog2;
    const hostPage = host >>> 12;
    if (this.shadow[line] === 0 && !this.l1.has(hostPage) && !this.l2.has(hostPage)) {
      this.belowChanges(line, true);
      const { memory } = this;
      if (size === 4) memory.i32[host >>> 2] = value;
      else if (size === 2) memory.u16[host >>> 1] = value;
      else memory.u8[host] = value;
      return;
    }
    for (let i = 0; i < size; i++) this.setMemoryByte(host + i, (value >>> (8 * i)) & 0xff);
  }

  /** Somebody who does not see the caches changes memory. */
  private setMemoryByte(host: number, value: number): void {
    const line = host >>> this.lineSizeLog2;
    const hostPage = Math.floor(host / 4096);
    const { views } = this;
    const flags = this.shadow[line]!;
    const present = (flags & ABSENT) === 0;
    const inL1 = (flags & (L1_DIRTY | L1_STALE)) !== 0 || (present && this.l1.has(hostPage));
    const inL2 = views.twoLevels && ((flags & (L2_DIRTY | L2_STALE)) !== 0 || (present && this.l2.has(hostPage)));
    if (!inL1 && !inL2) {
      this.belowChanges(line, true);
      this.memory.u8[host] = value;
      if (views.has(line)) {
        views.setPouByte(host, value);
        views.setPocByte(host, value);
      }
      return;
    }
    if (views.separate(line)) this.pageDiffers(hostPage);
    if (inL2) {
      this.memoryChanges(line);
      if ((flags & L2_DIRTY) === 0) this.mark(line, L2_STALE);
    } else {
      this.belowChanges(line, true);
      views.setPouByte(host, value);
    }
    views.setPocByte(host, value);
    if (!inL1) this.memory.u8[host] = value;
    else if ((flags & L1_DIRTY) === 0) this.mark(line, L1_STALE);
    // What is stale is held: the model is told, so that it can give the line up.
    if ((flags & DIFFERS) === 0 && !this.everyAccess) {
      const pa = this.addresses.pa(line << this.lineSizeLog2);
      this.caches.access(pa >>> 0, pa, ACCESS_READ, WRITE_BACK, this);
    }
  }

  private mark(line: number, flag: number): void {
    this.shadow[line]! |= flag;
  }

  storeThrough(_va: VirtAddr, host: number, size: 1 | 2 | 4, value: number, _attributes: number): void {
    const line = host >>> this.lineSizeLog2;
    this.belowChanges(line, true);
    const { memory, views } = this;
    if (size === 4) memory.i32[host >>> 2] = value;
    else if (size === 2) memory.u16[host >>> 1] = value;
    else memory.u8[host] = value;
    if (!views.has(line)) return;
    for (let i = 0; i < size; i++) {
      views.setPouByte(host + i, (value >>> (8 * i)) & 0xff);
      views.setPocByte(host + i, (value >>> (8 * i)) & 0xff);
    }
  }

  makeDirty(va: VirtAddr, host: number, attributes: number): void {
    const line = host >>> this.lineSizeLog2;
    if (!this.everyAccess) {
      const pa = this.addresses.pa(host);
      // Loads are not seen; a cache that allocates for them alone is taken to hold the line already.
      if (!allocates(this.caches, attributes)) this.caches.access(va, pa, ACCESS_READ, attributes, this);
      this.caches.access(va, pa, ACCESS_WRITE, attributes, this);
    }
    if (this.views.separate(line)) this.pageDiffers(Math.floor(host / 4096));
    this.shadow[line] = (this.shadow[line]! | L1_DIRTY) & ~(L1_STALE | ABSENT);
  }

  /** The first line of a page differs: who read it past the caches directly must not go on. */
  private pageDiffers(hostPage: number): void {
    if (this.readPast[hostPage] === 0) return;
    this.readPast[hostPage] = 0;
    this.port.dropHostPage(hostPage);
  }

  note(va: VirtAddr, host: number, kind: 0 | 1 | 2, attributes: number): void {
    this.passOn();
    const cached = kind === ACCESS_FETCH ? this.instructionOn && (attributes & 0xf) > MEMORY_NORMAL : this.classOf(attributes) !== 0;
    if (!cached) {
      this.counts[kind * 4]!++;
      return;
    }
    const level = this.caches.access(va, this.addresses.pa(host), kind, attributes, this);
    this.counts[kind * 4 + level]!++;
    if (level === 1) return;
    if (kind === ACCESS_WRITE && !allocates(this.caches, attributes)) {
      this.passed = host >>> this.lineSizeLog2;
      this.passedBy = !keepsBelow(this.caches, level, attributes);
    }
    // A miss reads the line from below: what somebody else wrote there is seen now.
    if (kind === ACCESS_FETCH) {
      if (this.images.forget(host)) this.port.codeWritten(Math.floor(host / 4096), this.images.granules(host));
      return;
    }
    const line = host >>> this.lineSizeLog2;
    if (level === 3 && (this.shadow[line]! & L2_STALE) !== 0) this.l2Dropped(line);
    if ((this.shadow[line]! & L1_STALE) !== 0) this.l1Dropped(line);
  }

  /** A store that did not enter the L1 has been made by now: it is the next level's. */
  private passOn(): void {
    if (this.passed < 0) return;
    const line = this.passed;
    this.passed = -1;
    this.l1Written(line);
    if (this.passedBy) this.l2Written(line);
  }

  // ---- what the levels do to a line

  /** The point of unification (and memory, with `memoryToo`) is about to change: fetched code lives on in the instruction cache. */
  private belowChanges(line: number, memoryToo: boolean): void {
    const hostPage = line >>> (12 - this.lineSizeLog2);
    const held = this.images.holds(hostPage);
    if (held) {
      const from = line << this.lineSizeLog2;
      this.images.keep(from >>> 0, (from >>> 0) + (1 << this.lineSizeLog2), this.pouByte, this.imageAdded);
    }
    if (!held || (memoryToo && this.codePast[hostPage] !== 0)) this.dropCodeOf(line, hostPage);
  }
  private readonly pouByte = (host: number): number => this.views.pouByte(host);
  private readonly imageAdded = (host: number): void => {
    if (this.everyAccess) return;
    const pa = this.addresses.pa(host);
    this.caches.access(pa >>> 0, pa, ACCESS_FETCH, WRITE_BACK, this);
  };

  private memoryChanges(line: number): void {
    const hostPage = line >>> (12 - this.lineSizeLog2);
    if (this.codePast[hostPage] !== 0) this.dropCodeOf(line, hostPage);
  }

  private dropCodeOf(line: number, hostPage: number): void {
    const granule = 1 << (((line << this.lineSizeLog2) & 0xfff) >>> 7);
    const touched = this.memory.codeGranules[hostPage]! & granule;
    if (touched !== 0) this.port.codeWritten(hostPage, touched);
  }

  /** The L1 writes the line back: the next level is as new. */
  private l1Written(line: number): void {
    const { views } = this;
    if ((this.shadow[line]! & L1_DIRTY) === 0) return;
    this.belowChanges(line, !views.twoLevels);
    views.copyDown(line);
    this.shadow[line] = views.twoLevels
      ? (this.shadow[line]! | L2_DIRTY) & ~(L1_DIRTY | L1_STALE | L2_STALE)
      : this.shadow[line]! & ~(L1_DIRTY | L1_STALE);
    views.settle(line);
  }
  /** The L1 gives the line up as it is: loads get the next level's bytes. */
  private l1Dropped(line: number): void {
    if ((this.shadow[line]! & (L1_DIRTY | L1_STALE)) === 0) return;
    this.views.copyUp(line);
    this.shadow[line]! &= ~(L1_DIRTY | L1_STALE);
    this.views.settle(line);
  }
  private l2Written(line: number): void {
    if ((this.shadow[line]! & L2_DIRTY) === 0) return;
    this.memoryChanges(line);
    this.views.copyToMemory(line);
    this.shadow[line]! &= ~(L2_DIRTY | L2_STALE);
    this.views.settle(line);
  }
  private l2Dropped(line: number): void {
    if ((this.shadow[line]! & (L2_DIRTY | L2_STALE)) === 0) return;
    this.belowChanges(line, false);
    this.views.copyFromMemory(line);
    this.shadow[line]! &= ~(L2_DIRTY | L2_STALE);
    if ((this.shadow[line]! & (L1_DIRTY | L1_STALE)) === 0) {
      const kept = !this.caches.inclusive && this.l1.has(line >>> (12 - this.lineSizeLog2)) && (this.shadow[line]! & ABSENT) === 0;
      if (kept) this.mark(line, L1_STALE);
      else this.views.copyUp(line);
    }
    this.views.settle(line);
  }

  /** Gives the line up at every level as it is: what memory has is seen. */
  private invalidate(line: number): void {
    this.l2Dropped(line);
    this.l1Dropped(line);
    const hostPage = line >>> (12 - this.lineSizeLog2);
    if (!this.l1.has(hostPage) && !this.l2.has(hostPage)) return;
    this.mark(line, ABSENT);
    if (this.absentPages[hostPage] !== 0) return;
    this.absentPages[hostPage] = 1;
    this.port.dropHostPage(hostPage);
  }

  // ---- what the model reports

  writtenBack(pa: PhysAddr, unit: CacheUnit): void {
    if (this.muted) return;
    if (this.isFirst(unit)) this.eachLine(pa, unit, (line) => this.l1Written(line));
    else if (unit === CACHE_L2 && this.views.twoLevels) this.eachLine(pa, unit, (line) => this.l2Written(line));
  }

  dropped(pa: PhysAddr, _dirty: boolean, unit: CacheUnit): void {
    if (this.muted) return;
    if (unit === CACHE_L1_INSTRUCTION) {
      const host = this.addresses.host(pa);
      if (host >= 0 && this.images.forget(host)) this.port.codeWritten(Math.floor(host / 4096), this.images.granules(host));
    } else if (this.isFirst(unit)) this.eachLine(pa, unit, (line) => this.l1Dropped(line));
    else if (unit === CACHE_L2 && this.views.twoLevels) this.eachLine(pa, unit, (line) => this.l2Dropped(line));
  }

  /** The level whose lines the core's stores make dirty. */
  private isFirst(unit: CacheUnit): boolean {
    return unit === CACHE_L1_DATA || (unit === CACHE_L2 && this.caches.data === null);
  }

  private eachLine(pa: PhysAddr, unit: CacheUnit, run: (line: number) => void): void {
    const host = this.addresses.host(pa);
    if (host < 0) return;
    const log2 = (unit === CACHE_L2 ? this.caches.unified : this.caches.data)?.lineSizeLog2 ?? this.lineSizeLog2;
    const first = host >>> this.lineSizeLog2;
    const count = log2 <= this.lineSizeLog2 ? 1 : 1 << (log2 - this.lineSizeLog2);
    for (let line = first; line < first + count; line++) run(line);
  }

  // ---- instruction side

  enterCode(hostPage: number, attributes: number, va: VirtAddr): void {
    const past = !(this.instructionOn && (attributes & 3) === MEMORY_NORMAL && (attributes & 0xc) !== 0);
    if ((this.codePast[hostPage] !== 0) !== past) {
      this.codePast[hostPage] = past ? 1 : 0;
      const granules = this.memory.codeGranules[hostPage]!;
      if (granules !== 0) this.port.codeWritten(hostPage, granules);
    }
    if (!past) this.images.enter(hostPage, va);
  }

  fetch(host: number): number {
    return this.fetchByte(host) | (this.fetchByte(host + 1) << 8);
  }

  private fetchByte(host: number): number {
    if (this.codePast[Math.floor(host / 4096)] !== 0) return this.views.pocByte(host);
    const held = this.images.byte(host);
    return held >= 0 ? held : this.views.pouByte(host);
  }

  invalidateInstructions(): void {
    this.maintenance.request({ kind: 'all', operation: 'ICIALLU', va: 0, at: 0 });
  }

  /** ICIMVAU, which reaches a line under its own colours alone. */
  private forgetCode(va: VirtAddr, host: number): void {
    const hostPage = Math.floor(host / 4096);
    if (this.images.reaches(hostPage, va) && this.images.forget(host)) this.port.codeWritten(hostPage, this.images.granules(host));
  }

  /** The bytes [host, host + byteLength) were changed from outside, by somebody who means the code too: a debugger. */
  forgetInstructions(host: number, byteLength: number): void {
    for (let at = host; at < host + byteLength; at++) this.images.forget(at);
  }

  // ---- maintenance

  maintain(operation: string, va: VirtAddr, host: number): void {
    this.maintenance.request({ kind: 'address', operation, va, at: host });
  }
  maintainSetWay(operation: string, operand: number): void {
    this.maintenance.request({ kind: 'set-way', operation, va: 0, at: operand });
  }

  dataBarrier(storesOnly: boolean): void {
    this.maintenance.complete(storesOnly);
  }

  /** While `run` does something to the model whose effects on lines are done here already, its reports are not heard. */
  private quietly(run: () => void): void {
    this.muted = true;
    try {
      run();
    } finally {
      this.muted = false;
    }
  }

  /** Set/way operations went through all of a level. */
  private emptied(level: number, clean: boolean): void {
    for (const line of [...this.views.lines()]) {
      if (level === 1) {
        if (clean) this.l1Written(line);
        this.l1Dropped(line);
      } else {
        if (clean) this.l2Written(line);
        this.l2Dropped(line);
      }
    }
    (level === 1 ? this.l1 : this.l2).clear();
    this.port.dropData();
  }

  // ---- other observers of memory

  /** What a walk reads: `attributes` are those of the TTBR it went through. */
  walk(host: number, attributes: number): number {
    const inner = (attributes >>> 2) & 3;
    const outer = (attributes >>> 4) & 3;
    const { walks } = this.caches;
    this.passOn();
    const cached = walks !== 'memory' && (inner !== 0 || outer !== 0);
    if (this.everyAccess) this.counts[12 + (cached ? this.caches.walk(this.addresses.pa(host), attributes, this) : 0)]!++;
    return this.peekWalk(host, attributes);
  }

  /** The same without a trace in the models. */
  peekWalk(host: number, attributes: number): number {
    const { views } = this;
    const inner = (attributes >>> 2) & 3;
    const outer = (attributes >>> 4) & 3;
    const { walks } = this.caches;
    if (!views.has(host >>> this.lineSizeLog2) || (walks === 'l1d' && inner !== 0)) return this.memory.i32[host >>> 2]! >>> 0;
    const unified = walks !== 'memory' && (inner !== 0 || outer !== 0);
    let word = 0;
    for (let i = 3; i >= 0; i--) word = word * 256 + (unified ? views.pouByte(host + i) : views.pocByte(host + i));
    return word;
  }

  /** A master that is not coherent reads or writes memory itself. */
  readMemory(host: number, target: Uint8Array): void {
    for (let i = 0; i < target.length; i++) target[i] = this.views.pocByte(host + i);
  }
  writeMemory(host: number, source: Uint8Array): void {
    for (let i = 0; i < source.length; i++) this.setMemoryByte(host + i, source[i]!);
  }

  /** A coherent master, or the machine's owner, is about to write: caches are snooped, so the lines go back to memory first. */
  private snooped(offset: number, byteLength: number): void {
    const last = offset + byteLength - 1;
    for (let page = Math.floor(offset / 4096); page <= Math.floor(last / 4096); page++) {
      if (this.views.slotsOfPage[page] === 0 && !this.images.holds(page) && this.memory.codeGranules[page] === 0) continue;
      const from = Math.max(offset, page * 4096) >>> this.lineSizeLog2;
      const to = Math.min(last, page * 4096 + 4095) >>> this.lineSizeLog2;
      for (let line = from; line <= to; line++) {
        this.l1Written(line);
        this.l2Written(line);
        this.l2Dropped(line);
        this.l1Dropped(line);
        this.belowChanges(line, true);
      }
    }
  }

  /** Gives up one line of the model's choice, as a core may at any time. */
  evictOne(random: number): boolean {
    return this.caches.evictOne(random, this);
  }

  // ---- state

  /** As after power-on: caches hold nothing, and all see what is in RAM. */
  reset(): void {
    this.quietly(() => this.caches.reset(this));
    this.views.clear();
    this.images.reset();
    this.l1.clear();
    this.l2.clear();
    this.maintenance.reset();
    this.passed = -1;
    this.absentPages.fill(0);
    this.readPast.fill(0);
    this.codePast.fill(0);
    this.counts.fill(0);
  }

  /**
   * The L1s hold lines that nobody brought, as after a reset that does not invalidate them: of the memory from `pa` on as much as they have room for, with
   * other bytes, half of the data lines dirty. `random` gives 32-bit numbers.
   */
  fillUnknown(random: () => number, pa: PhysAddr): void {
    const start = this.addresses.host(pa);
    const region = this.memory.regionAt(pa);
    if (region === undefined || !region.writable) return;
    const room = (cache: Cache | null): number =>
      cache === null ? 0 : Math.min((cache.setCount * cache.wayCount) << cache.lineSizeLog2, region.byteLength - (pa - region.base));
    const size = 1 << this.lineSizeLog2;
    for (let host = start; host < start + room(this.caches.data); host += size) this.fillLine(host >>> this.lineSizeLog2, random);
    const code = room(this.caches.instruction);
    for (let host = start; host < start + code; host += 4096) {
      const hostPage = Math.floor(host / 4096);
      this.images.enter(hostPage, this.addresses.pa(host));
      this.images.keep(host, Math.min(host + 4096, start + code), () => random() & 0xff, this.imageAdded);
      this.port.codeWritten(hostPage, this.memory.codeGranules[hostPage]!);
    }
    this.caches.resetStats();
  }

  private fillLine(line: number, random: () => number): void {
    const host = line << this.lineSizeLog2;
    const dirty = (random() & 1) !== 0;
    const pa = this.addresses.pa(host >>> 0);
    this.caches.access(pa >>> 0, pa, ACCESS_READ, WRITE_BACK, this);
    if (dirty) this.caches.access(pa >>> 0, pa, ACCESS_WRITE, WRITE_BACK, this);
    this.l1.enter(line >>> (12 - this.lineSizeLog2));
    this.views.separate(line);
    for (let word = 0; word < 1 << (this.lineSizeLog2 - 2); word++) this.memory.i32[(host >>> 2) + word] = random();
    this.mark(line, dirty ? L1_DIRTY : L1_STALE);
  }

  snapshot(): Snapshot<CoherencyData> {
    this.passOn();
    return {
      schema: SCHEMA,
      version: VERSION,
      data: {
        lines: this.views.save(),
        instruction: this.images.save(),
        held: [this.l1.save(), this.l2.save()],
        maintenance: this.maintenance.save(),
        caches: this.caches.snapshot(),
      },
    };
  }

  /** RAM has been restored before. */
  restore(snapshot: Snapshot): void {
    if (snapshot.schema !== SCHEMA || snapshot.version !== VERSION)
      throw new MmuError('coherency', `cannot restore ${snapshot.schema} version ${snapshot.version}`);
    const data = snapshot.data as CoherencyData;
    // The model first: if it refuses, nothing has changed.
    this.caches.restore(data.caches);
    this.views.clear();
    this.views.load(data.lines);
    this.images.load(data.instruction);
    this.l1.load(data.held[0]!);
    this.l2.load(data.held[1]!);
    this.maintenance.load(data.maintenance);
    this.passed = -1;
    this.absentPages.fill(0);
    for (let line = 0; line < this.shadow.length; line++)
      if ((this.shadow[line]! & ABSENT) !== 0) this.absentPages[line >>> (12 - this.lineSizeLog2)] = 1;
    this.readPast.fill(0);
    this.codePast.fill(0);
    this.port.dropData();
    this.port.dropCode();
  }
}

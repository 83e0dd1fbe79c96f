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
import { DataLines } from './data-lines.js';
import { FetchedCode } from './fetched-code.js';
import { HostAddresses } from './host-addresses.js';
import type { SavedImages } from './instruction-images.js';
import { LineViews, type SavedLines, viewBytes } from './line-views.js';
import { PlainLevels, REFUSED } from './plain-levels.js';

export interface CoherencyOptions {
  /** Made with {@link coherencyBytes} of tail. */
  readonly memory: GuestMemory;
  readonly caches: CacheHierarchy;
  /** Models are told of every access (`measured`), not only of those that change which views are equal. */
  readonly everyAccess?: boolean;
  /** Maintenance takes effect at the next DSB. */
  readonly lateEffects?: boolean;
}

interface CoherencyData {
  readonly lines: SavedLines;
  readonly instruction: SavedImages;
  readonly held: readonly Uint32Array[];
  readonly maintenance: SavedMaintenance;
  readonly caches: Snapshot;
}

const SCHEMA = 'mmu/coherency';
const VERSION = 3;

const FEWEST_VIEWS = 1024;
const MOST_VIEWS = 1 << 16;

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

const hasTwoLevels = ({ data, unified, levelOfCoherency, levelOfUnification }: CacheHierarchy): boolean =>
  data !== null && unified !== null && levelOfCoherency > levelOfUnification;

/** As many lines as are dirty at a time, at most: as many views are apart until somebody writes past the caches. */
const viewCount = ({ data, unified }: CacheHierarchy): number => {
  let count = 0;
  for (const cache of [data, unified]) if (cache !== null) count += cache.setCount * cache.wayCount;
  return Math.min(Math.max(count, FEWEST_VIEWS), MOST_VIEWS);
};

/** Bytes that the views of a guest memory of this many bytes need in its tail. */
const bytesOfViews = (caches: CacheHierarchy, tailOffset: number): number =>
  viewBytes(tailOffset, dataLineLog2(caches), hasTwoLevels(caches), viewCount(caches));

/** Bytes that the map of a guest memory of this many bytes needs in its tail. */
export const coherencyBytes = (caches: CacheHierarchy, tailOffset: number): number =>
  bytesOfViews(caches, tailOffset) + (tailOffset >>> 12);

/**
 * Memory with caches that can be incoherent. RAM is what the core's cacheable accesses see; {@link LineViews} keeps what the levels below have where
 * that differs, {@link FetchedCode} what the instruction cache has. {@link DataLines} says what becomes of a line when it is stored to, written back or
 * given up; the cache model decides how long it may stay as it is, and this class is between the two.
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
  /** What the levels below have. Changed by {@link DataLines} alone, and by code that does the same. */
  readonly views: LineViews;
  private readonly lines: DataLines;
  private readonly code: FetchedCode;
  private readonly addresses: HostAddresses;
  private readonly maintenance: CacheMaintenance;
  /** Given where every access is counted, when the caches are such. */
  readonly plain: PlainLevels | undefined;
  private port: CachedMemoryPort = { dropHostPage: () => {}, dropData: () => {}, codeWritten: () => {}, dropCode: () => {} };
  private dataOn = false;
  private instructionOn = false;
  /** Line of a store that misses and does not allocate, or -1: it passes to the next level with the next access. */
  private passed = -1;
  /** That store goes to memory: no level keeps it. */
  private passedBy = false;
  /** Reports of the model that follow from what is being done here anyway. */
  private muted = false;
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
    const twoLevels = hasTwoLevels(caches);
    this.views = new LineViews(memory, this.lineSizeLog2, twoLevels, viewCount(caches), () => this.port.dropData());
    this.shadow = this.views.shadow;
    const port = (): CachedMemoryPort => this.port;
    this.addresses = new HostAddresses(memory);
    const codePages = memory.tailOffset + bytesOfViews(caches, memory.tailOffset);
    this.code = new FetchedCode(memory, this.views, codePages, instructionLog2, caches.instruction?.colourCount ?? 1, port, (host) =>
      this.holdsUnseen(host, ACCESS_FETCH),
    );
    this.lines = new DataLines(memory, this.views, this.code, caches.inclusive, port, (line) =>
      this.holdsUnseen((line << this.lineSizeLog2) >>> 0, ACCESS_READ),
    );
    const lines: MaintainedLines = {
      l1Written: (line) => this.lines.l1Written(line),
      l2Written: (line) => this.lines.l2Written(line),
      invalidate: (line) => this.lines.invalidate(line),
      emptied: (level, clean) => this.lines.emptied(level, clean),
      forgetCode: (va, host) => this.code.forgetAt(va, host),
      forgetAllCode: () => this.code.forgetAll(),
      quietly: (run) => this.quietly(run),
    };
    this.maintenance = new CacheMaintenance(caches, this.lineSizeLog2, this.addresses, lines, this, options.lateEffects ?? false);
    this.everyAccess = options.everyAccess ?? false;
    const ram = memory.regions.find((region) => region.writable);
    if (this.everyAccess && ram !== undefined)
      this.plain = PlainLevels.of(caches, { ram, sink: this, lines: this.lines, shadow: this.shadow, shift: this.lineSizeLog2 });
    memory.snoop((offset, byteLength) => this.lines.snooped(offset, byteLength));
  }

  connect(port: CachedMemoryPort): void {
    this.port = port;
  }

  controlChanged(sctlr: number): void {
    this.dataOn = (sctlr & SCTLR_C) !== 0;
    this.instructionOn = (sctlr & SCTLR_I) !== 0;
  }

  /** By page: {@link FetchedCode.pages}. */
  get codePages(): Uint8Array {
    return this.code.pages;
  }

  // ---- data

  classOf(attributes: number): 0 | 1 | 2 {
    if (!this.dataOn || (attributes & 3) !== MEMORY_NORMAL) return 0;
    const inner = (attributes >>> 2) & 3;
    return inner === 0 ? 0 : inner === 2 ? 1 : 2;
  }

  /** An access with these attributes is held in its L1, and a store stays there, when the line is. */
  isHeldInFirst(attributes: number, isFetch: boolean): boolean {
    if (!isFetch) return this.classOf(attributes) === 2;
    const inner = (attributes >>> 2) & 3;
    return this.instructionOn && (attributes & 3) === MEMORY_NORMAL && (inner & 1) !== 0;
  }

  enterData(hostPage: number, accessClass: 0 | 1 | 2): boolean {
    if (accessClass === 0) return this.lines.enterPast(hostPage);
    this.lines.enter(hostPage);
    return true;
  }

  loadPast(host: number, size: 1 | 2 | 4): number {
    return this.lines.loadPast(host, size);
  }
  storePast(host: number, size: 1 | 2 | 4, value: number): void {
    this.lines.storePast(host, size, value);
  }
  storeThrough(_va: VirtAddr, host: number, size: 1 | 2 | 4, value: number, _attributes: number): void {
    this.lines.storeThrough(host, size, value);
  }

  /** A line is held that no access of the core's brought: the model is told, so that it can give the line up. */
  private holdsUnseen(host: number, kind: typeof ACCESS_READ | typeof ACCESS_FETCH): void {
    if (this.everyAccess) return;
    const pa = this.addresses.pa(host);
    this.caches.access(pa >>> 0, pa, kind, WRITE_BACK, this);
  }

  makeDirty(va: VirtAddr, host: number, attributes: number): void {
    if (!this.everyAccess) {
      const pa = this.addresses.pa(host);
      // Loads are not seen; a cache that allocates for them alone is taken to hold the line already.
      if (!allocates(this.caches, attributes)) this.caches.access(va, pa, ACCESS_READ, attributes, this);
      this.caches.access(va, pa, ACCESS_WRITE, attributes, this);
    }
    this.lines.makeDirty(host >>> this.lineSizeLog2);
  }

  note(va: VirtAddr, host: number, kind: 0 | 1 | 2, attributes: number): void {
    if (kind === ACCESS_FETCH) this.noteAny(va, host, kind, attributes);
    else this.noteData(va, host, kind, attributes);
  }

  private noteAny(va: VirtAddr, host: number, kind: 0 | 1 | 2, attributes: number): void {
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
    // A miss reads the line from below.
    if (kind === ACCESS_FETCH) this.code.forget(host);
    else this.lines.loaded(host >>> this.lineSizeLog2, level === 3);
  }

  /** {@link note} of a load or store. Result: the L1's number of the line (`CacheHits.lineAt`) where that is known, or less than 0. */
  noteData(va: VirtAddr, host: number, kind: 0 | 1, attributes: number): number {
    const { plain } = this;
    if (plain !== undefined && this.classOf(attributes) === 2) {
      this.passOn();
      const slot = plain.access(va, host, kind === ACCESS_WRITE, attributes);
      if (slot !== REFUSED) {
        this.counts[kind * 4 + plain.level]!++;
        return slot;
      }
    }
    this.noteAny(va, host, kind, attributes);
    return -1;
  }

  storeDone(): void {
    this.passOn();
  }

  /** A store that did not enter the L1 has been made by now: it is the next level's. */
  private passOn(): void {
    if (this.passed < 0) return;
    const line = this.passed;
    this.passed = -1;
    this.lines.l1Written(line);
    if (this.passedBy) this.lines.l2Written(line);
  }

  // ---- what the model reports

  writtenBack(pa: PhysAddr, unit: CacheUnit): void {
    if (this.muted) return;
    const level = this.levelOf(unit);
    const host = level === 0 ? -1 : this.addresses.host(pa);
    if (host < 0) return;
    const first = host >>> this.lineSizeLog2;
    for (let line = first; line < first + this.linesOf(unit); line++) {
      if (level === 1) this.lines.l1Written(line);
      else this.lines.l2Written(line);
    }
  }

  dropped(pa: PhysAddr, _dirty: boolean, unit: CacheUnit): void {
    if (this.muted) return;
    const isCode = unit === CACHE_L1_INSTRUCTION;
    const level = this.levelOf(unit);
    const host = level === 0 && !isCode ? -1 : this.addresses.host(pa);
    if (host < 0) return;
    if (isCode) {
      this.code.forget(host);
      return;
    }
    const first = host >>> this.lineSizeLog2;
    for (let line = first; line < first + this.linesOf(unit); line++) {
      if (level === 1) this.lines.l1Dropped(line);
      else this.lines.l2Dropped(line);
    }
  }

  /** 1: the level whose lines the core's stores make dirty. 2: the one below, where there is one. 0: neither. */
  private levelOf(unit: CacheUnit): 0 | 1 | 2 {
    if (unit === CACHE_L1_DATA || (unit === CACHE_L2 && this.caches.data === null)) return 1;
    return unit === CACHE_L2 && this.views.twoLevels ? 2 : 0;
  }

  /** Data lines in a line of this unit. */
  private linesOf(unit: CacheUnit): number {
    const log2 = (unit === CACHE_L2 ? this.caches.unified : this.caches.data)?.lineSizeLog2 ?? this.lineSizeLog2;
    return log2 <= this.lineSizeLog2 ? 1 : 1 << (log2 - this.lineSizeLog2);
  }

  // ---- instruction side

  enterCode(hostPage: number, attributes: number, va: VirtAddr): void {
    this.code.enter(hostPage, attributes, va, this.instructionOn);
  }

  fetch(host: number): number {
    return this.code.halfword(host);
  }

  invalidateInstructions(): void {
    this.maintenance.request({ kind: 'all', operation: 'ICIALLU', va: 0, at: 0 });
  }

  /** The bytes [host, host + byteLength) were changed from outside, by somebody who means the code too: a debugger. */
  forgetInstructions(host: number, byteLength: number): void {
    this.code.forgetBytes(host, byteLength);
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
    for (let i = 0; i < source.length; i++) this.lines.setMemoryByte(host + i, source[i]!);
  }

  /** Gives up one line of the model's choice, as a core may at any time. */
  evictOne(random: number): boolean {
    return this.caches.evictOne(random, this);
  }

  // ---- state

  /** As after power-on: caches hold nothing, and all see what is in RAM. */
  reset(): void {
    this.quietly(() => this.caches.reset(this));
    this.lines.reset();
    this.code.reset();
    this.maintenance.reset();
    this.passed = -1;
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
    for (let host = start; host < start + code; host += 4096)
      this.code.fillUnknown(host, Math.min(host + 4096, start + code), this.addresses.pa(host), () => random() & 0xff);
    this.caches.resetStats();
  }

  private fillLine(line: number, random: () => number): void {
    const host = line << this.lineSizeLog2;
    const dirty = (random() & 1) !== 0;
    const pa = this.addresses.pa(host >>> 0);
    this.caches.access(pa >>> 0, pa, ACCESS_READ, WRITE_BACK, this);
    if (dirty) this.caches.access(pa >>> 0, pa, ACCESS_WRITE, WRITE_BACK, this);
    this.lines.fillUnknown(line, dirty, random);
  }

  snapshot(): Snapshot<CoherencyData> {
    this.passOn();
    const { lines, held } = this.lines.save();
    return {
      schema: SCHEMA,
      version: VERSION,
      data: {
        lines,
        instruction: this.code.save(),
        held,
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
    this.lines.load(data);
    this.code.load(data.instruction);
    this.maintenance.load(data.maintenance);
    this.passed = -1;
    this.port.dropData();
    this.port.dropCode();
  }
}

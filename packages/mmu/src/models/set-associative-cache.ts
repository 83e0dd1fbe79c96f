import type { Snapshot } from '@tablewalk/machine/contracts';
import { attributeInner, attributeOuter } from '../attributes.js';
import {
  CACHE_CONTRACT,
  CACHE_FILLED,
  CACHE_HIT,
  CACHE_L1_DATA,
  CACHE_L2,
  CACHE_PASSED,
  type Cache,
  type CacheEvictionSink,
  type CacheLine,
  type CacheReplacement,
  type CacheUnit,
} from '../contracts/cache.js';
import type { CacheHits } from '../contracts/hits.js';
import { MmuError } from '../mmu-error.js';
import { integerIn, log2, powerOfTwoIn } from './geometry.js';
import { declaredReplacement, Replacement, type ReplacementPolicy, type ReplacementState } from './replacement.js';

export interface SetAssociativeCacheOptions {
  readonly name?: string;
  /** Which cache of the core this is; an L2 goes by the outer attributes of an access, an L1 by the inner ones. Default: L1 data. */
  readonly unit?: CacheUnit;
  /** Bytes: 64 B to 64 MiB. `byteLength / (ways * lineLength)` is a power of two. */
  readonly byteLength: number;
  readonly ways: number;
  /** Bytes in a line: a power of two, 16 to 256. */
  readonly lineLength: number;
  /** Default `random`. */
  readonly replacement?: ReplacementPolicy;
  /** Seed of `random`. Default 1. */
  readonly seed?: number;
  /** The set is chosen by VA. Default false: by PA. */
  readonly virtuallyIndexed?: boolean;
  /** Default true. */
  readonly writeBack?: boolean;
  /** Default true. Without write-back there is no write allocation. */
  readonly writeAllocate?: boolean;
  /** Holds lines of write-through memory. Default true; some cores take such memory as non-cacheable. */
  readonly writeThrough?: boolean;
}

const SCHEMA = 'mmu/cache-set-associative';
const VERSION = 2;

interface SetAssociativeCacheData {
  readonly shape: string;
  readonly tags: Float64Array;
  readonly dirty: Uint8Array;
  readonly replacement: ReplacementState;
}

/** Policy of an access for this unit: 0 non-cacheable, 1 write-back write-allocate, 2 write-through, 3 write-back. */
export function policyOf(unit: CacheUnit, attributes: number): number {
  return unit === CACHE_L2 ? attributeOuter(attributes) : attributeInner(attributes);
}

/** Counters that every cache model has. */
export class CacheCounters {
  reads = 0;
  readMisses = 0;
  writes = 0;
  writeMisses = 0;
  evictions = 0;
  writeBacks = 0;

  reset(): void {
    this.reads = 0;
    this.readMisses = 0;
    this.writes = 0;
    this.writeMisses = 0;
    this.evictions = 0;
    this.writeBacks = 0;
  }

  record(): Record<string, number> {
    return {
      reads: this.reads,
      'read misses': this.readMisses,
      writes: this.writes,
      'write misses': this.writeMisses,
      evictions: this.evictions,
      'write-backs': this.writeBacks,
    };
  }
}

/**
 * Sets and ways. A slot holds a line number (PA divided by the line length, exact in a double for 40-bit addresses) or -1, and whether it is dirty. Its arrays
 * are open to {@link PlainLevels}, which does what {@link access} does.
 */
export class SetAssociativeCache implements Cache {
  readonly name: string;
  readonly contract = CACHE_CONTRACT;
  readonly replacement: CacheReplacement;
  readonly unit: CacheUnit;
  readonly lineSizeLog2: number;
  readonly setCount: number;
  readonly wayCount: number;
  readonly virtuallyIndexed: boolean;
  readonly colourCount: number;
  readonly writeBack: boolean;
  readonly writeAllocate: boolean;

  private readonly writeThrough: boolean;
  private readonly shape: string;
  readonly setMask: number;
  private readonly lineLength: number;
  /** Exact, and a multiplication is several times as quick as a division. */
  private readonly linesPerByte: number;
  tags: Float64Array;
  dirty: Uint8Array;
  readonly policy: Replacement;
  readonly counters = new CacheCounters();
  readonly hits?: CacheHits;

  constructor(options: SetAssociativeCacheOptions) {
    const name = options.name ?? 'set-associative';
    this.name = name;
    this.unit = integerIn(name, 'the unit', options.unit ?? CACHE_L1_DATA, 0, 2) as CacheUnit;
    this.lineLength = powerOfTwoIn(name, 'the line length', options.lineLength, 16, 256);
    this.linesPerByte = 1 / this.lineLength;
    this.lineSizeLog2 = log2(this.lineLength);
    const byteLength = integerIn(name, 'the size in bytes', options.byteLength, 64, 64 << 20);
    this.wayCount = integerIn(name, 'the number of ways', options.ways, 1, 65536);
    if (byteLength % (this.wayCount * this.lineLength) !== 0) {
      throw new MmuError(name, `${byteLength} bytes do not divide into ${this.wayCount} ways of ${this.lineLength}-byte lines`);
    }
    this.setCount = powerOfTwoIn(name, 'the number of sets', byteLength / (this.wayCount * this.lineLength), 1, 1 << 20);
    this.setMask = this.setCount - 1;
    this.virtuallyIndexed = options.virtuallyIndexed ?? false;
    this.colourCount = this.virtuallyIndexed ? Math.max(1, (this.setCount * this.lineLength) / 4096) : 1;
    this.writeBack = options.writeBack ?? true;
    this.writeAllocate = this.writeBack && (options.writeAllocate ?? true);
    this.writeThrough = options.writeThrough ?? true;
    const policy = options.replacement ?? 'random';
    this.policy = new Replacement(name, policy, this.setCount, this.wayCount, options.seed ?? 1);
    this.replacement = declaredReplacement([policy]);
    this.tags = new Float64Array(this.setCount * this.wayCount).fill(-1);
    this.dirty = new Uint8Array(this.tags.length);
    this.shape = `${this.setCount} sets, ${this.wayCount} ways, ${this.lineLength} bytes, ${policy}`;
    if (this.writeBack && this.policy.hitsChange !== 'more' && this.tags.length <= 65536) this.hits = this.makeHits();
  }

  /** Moves its lines there. */
  placeLines(tags: Float64Array, dirty: Uint8Array): void {
    tags.set(this.tags);
    dirty.set(this.dirty);
    this.tags = tags;
    this.dirty = dirty;
  }

  private makeHits(): CacheHits {
    const { policy, counters } = this;
    return {
      lineAt: (va, pa) => this.find(va, pa),
      isDirty: (va, pa) => this.dirty[this.find(va, pa)] === 1,
      pairCount: policy.hitsChange === 'way' ? this.setCount : 0,
      placePairs: (halfwords) => policy.placePairs(halfwords),
      hit: (reads, writes) => {
        counters.reads += reads;
        counters.writes += writes;
      },
      listener: null,
    };
  }

  access(va: number, pa: number, write: boolean, attributes: number, sink: CacheEvictionSink): number {
    const policy = this.unit === CACHE_L2 ? attributeOuter(attributes) : attributeInner(attributes);
    if (policy === 0 || (policy === 2 && !this.writeThrough)) return write ? CACHE_PASSED : 0;
    const counters = this.counters;
    const tags = this.tags;
    const line = Math.floor(pa * this.linesPerByte);
    const set = this.setOf(va, pa);
    const ways = this.wayCount;
    const first = set * ways;
    const end = first + ways;
    const back = this.writeBack && policy !== 2;
    if (write) counters.writes++;
    else counters.reads++;

    for (let slot = first; slot < end; slot++) {
      if (tags[slot] !== line) continue;
      this.policy.touch(set, slot - first);
      if (!write) return CACHE_HIT;
      if (!back) return CACHE_HIT | CACHE_PASSED;
      this.dirty[slot] = 1;
      return CACHE_HIT;
    }

    if (write) {
      counters.writeMisses++;
      if (!back || !this.writeAllocate || policy !== 1) return CACHE_PASSED;
    } else {
      counters.readMisses++;
    }
    let slot = first;
    while (slot < end && tags[slot] >= 0) slot++;
    if (slot === end) {
      slot = first + this.policy.victim(set);
      counters.evictions++;
      this.give(slot, true, sink);
    }
    tags[slot] = line;
    this.dirty[slot] = write ? 1 : 0;
    this.policy.filled(set, slot - first);
    return CACHE_FILLED;
  }

  clean(va: number, pa: number, sink: CacheEvictionSink): void {
    const slot = this.find(va, pa);
    if (slot >= 0) this.cleanSlot(slot, sink);
  }

  invalidate(va: number, pa: number, sink: CacheEvictionSink): void {
    const slot = this.find(va, pa);
    if (slot >= 0) this.give(slot, false, sink);
  }

  cleanInvalidate(va: number, pa: number, sink: CacheEvictionSink): void {
    const slot = this.find(va, pa);
    if (slot >= 0) this.give(slot, true, sink);
  }

  cleanSetWay(set: number, way: number, sink: CacheEvictionSink): void {
    const slot = this.slotOf(set, way);
    if (slot >= 0) this.cleanSlot(slot, sink);
  }

  invalidateSetWay(set: number, way: number, sink: CacheEvictionSink): void {
    const slot = this.slotOf(set, way);
    if (slot >= 0) this.give(slot, false, sink);
  }

  cleanInvalidateSetWay(set: number, way: number, sink: CacheEvictionSink): void {
    const slot = this.slotOf(set, way);
    if (slot >= 0) this.give(slot, true, sink);
  }

  invalidateAll(sink: CacheEvictionSink): void {
    for (let slot = 0; slot < this.tags.length; slot++) if (this.tags[slot] >= 0) this.give(slot, false, sink);
  }

  evictOne(random: number, sink: CacheEvictionSink): boolean {
    let held = 0;
    for (const tag of this.tags) if (tag >= 0) held++;
    if (held === 0) return false;
    let index = (random >>> 0) % held;
    let slot = 0;
    while (this.tags[slot] < 0 || index-- > 0) slot++;
    this.give(slot, true, sink);
    return true;
  }

  reset(sink: CacheEvictionSink): void {
    this.invalidateAll(sink);
    this.policy.reset();
    this.counters.reset();
  }

  *lines(): Iterable<CacheLine> {
    for (let slot = 0; slot < this.tags.length; slot++) {
      if (this.tags[slot] < 0) continue;
      yield {
        set: Math.floor(slot / this.wayCount),
        way: slot % this.wayCount,
        pa: this.tags[slot] * this.lineLength,
        dirty: this.dirty[slot] !== 0,
      };
    }
  }

  stats(): Record<string, number> {
    return this.counters.record();
  }

  resetStats(): void {
    this.counters.reset();
  }

  snapshot(): Snapshot<SetAssociativeCacheData> {
    const data = { shape: this.shape, tags: this.tags.slice(), dirty: this.dirty.slice(), replacement: this.policy.snapshot() };
    return { schema: SCHEMA, version: VERSION, data };
  }

  restore(snapshot: Snapshot): void {
    if (snapshot.schema !== SCHEMA || snapshot.version !== VERSION) {
      throw new MmuError(this.name, `cannot restore ${snapshot.schema} version ${snapshot.version}`);
    }
    const data = snapshot.data as SetAssociativeCacheData;
    if (data.shape !== this.shape) throw new MmuError(this.name, `cannot restore the state of a cache of ${data.shape}`);
    this.tags.set(data.tags);
    this.dirty.set(data.dirty);
    this.policy.restore(data.replacement);
  }

  private setOf(va: number, pa: number): number {
    if (this.virtuallyIndexed) return (va >>> this.lineSizeLog2) & this.setMask;
    // The bits that count are in the lower word of the address: 2^20 sets of 256-byte lines end at bit 27.
    return (pa >>> this.lineSizeLog2) & this.setMask;
  }

  private find(va: number, pa: number): number {
    const line = Math.floor(pa * this.linesPerByte);
    const first = this.setOf(va, pa) * this.wayCount;
    for (let slot = first; slot < first + this.wayCount; slot++) if (this.tags[slot] === line) return slot;
    return -1;
  }

  /** Slot of a line by its number, where the set is chosen by PA, or -1. */
  slotOfLine(line: number): number {
    const { tags, wayCount } = this;
    const first = (line & this.setMask) * wayCount;
    for (let slot = first; slot < first + wayCount; slot++) if (tags[slot] === line) return slot;
    return -1;
  }

  private slotOf(set: number, way: number): number {
    if (set < 0 || set >= this.setCount || way < 0 || way >= this.wayCount) return -1;
    const slot = set * this.wayCount + way;
    return this.tags[slot] >= 0 ? slot : -1;
  }

  private cleanSlot(slot: number, sink: CacheEvictionSink): void {
    if (this.dirty[slot] === 0) return;
    this.dirty[slot] = 0;
    this.hits?.listener?.lineCleaned(slot);
    this.counters.writeBacks++;
    sink.writtenBack(this.tags[slot] * this.lineLength, this.unit);
  }

  /** The line leaves, written back first or lost. */
  give(slot: number, save: boolean, sink: CacheEvictionSink): void {
    if (save) this.cleanSlot(slot, sink);
    const pa = this.tags[slot] * this.lineLength;
    const lost = this.dirty[slot] !== 0;
    this.hits?.listener?.lineDropped(slot);
    this.tags[slot] = -1;
    this.dirty[slot] = 0;
    sink.dropped(pa, lost, this.unit);
  }
}

/** See {@link SetAssociativeCache}. Throws `MmuError` for a geometry that does not fit. */
export function setAssociativeCache(options: SetAssociativeCacheOptions): Cache {
  return new SetAssociativeCache(options);
}

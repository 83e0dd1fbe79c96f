import type { Snapshot } from '@tablewalk/machine/contracts';
import {
  CACHE_CONTRACT,
  CACHE_FILLED,
  CACHE_HIT,
  CACHE_L1_DATA,
  CACHE_PASSED,
  type Cache,
  type CacheEvictionSink,
  type CacheLine,
  type CacheUnit,
} from '../contracts/cache.js';
import type { CacheHits } from '../contracts/hits.js';
import { MmuError } from '../mmu-error.js';
import { integerIn, log2, powerOfTwoIn } from './geometry.js';
import { CacheCounters, policyOf } from './set-associative-cache.js';

export interface RetainForeverCacheOptions {
  readonly name?: string;
  readonly unit?: CacheUnit;
  /** Bytes in a line: a power of two, 16 to 256. */
  readonly lineLength: number;
  /** Sets and ways that software counts through; a set/way operation takes every line that folds into it. Powers of two, 1 to 65,536 together. */
  readonly setCount: number;
  readonly wayCount: number;
  /** Lines held at most; beyond it sets and ways give up their oldest line in turn. 1 to 16,777,216, default 1,048,576. */
  readonly bound?: number;
}

const SCHEMA = 'mmu/cache-retain-forever';
const VERSION = 1;

interface RetainForeverCacheData {
  readonly shape: string;
  /** Line numbers by set and way and there in the order in which they came, and for each whether it is dirty. */
  readonly lines: Float64Array;
  readonly dirty: Uint8Array;
  readonly turn: number;
}

/**
 * The data cache that never evicts by itself: a line stays, and stays dirty, until maintenance names it. Physically indexed, write-back,
 * write-allocate. Lines fold into the sets and ways that software sees: the set by the low bits of the line number, the way by those above.
 */
export class RetainForeverCache implements Cache {
  readonly name: string;
  readonly contract = CACHE_CONTRACT;
  readonly replacement = 'fifo';
  readonly unit: CacheUnit;
  readonly lineSizeLog2: number;
  readonly setCount: number;
  readonly wayCount: number;
  readonly virtuallyIndexed = false;
  readonly colourCount = 1;
  readonly writeBack = true;
  readonly writeAllocate = true;
  private readonly lineLength: number;
  private readonly bound: number;
  /** By set and way: dirty or not by line number. A Map keeps the order of insertion, which is the order of age. */
  private readonly places: Map<number, boolean>[];
  private count = 0;
  /** The place that gives up a line next when the bound is reached. */
  private turn = 0;
  private readonly counters = new CacheCounters();
  readonly hits: CacheHits = {
    lineAt: (_va, pa) => (this.dirtiness(pa) === undefined ? -1 : Math.floor(pa / this.lineLength) & 0xffff),
    isDirty: (_va, pa) => this.dirtiness(pa) === true,
    pairCount: 0,
    placePairs: () => {},
    hit: (reads, writes) => {
      this.counters.reads += reads;
      this.counters.writes += writes;
    },
    listener: null,
  };

  constructor(options: RetainForeverCacheOptions) {
    const name = options.name ?? 'retain-forever';
    this.name = name;
    this.unit = integerIn(name, 'the unit', options.unit ?? CACHE_L1_DATA, 0, 2) as CacheUnit;
    this.lineLength = powerOfTwoIn(name, 'the line length', options.lineLength, 16, 256);
    this.lineSizeLog2 = log2(this.lineLength);
    this.setCount = powerOfTwoIn(name, 'the number of sets', options.setCount, 1, 65536);
    this.wayCount = powerOfTwoIn(name, 'the number of ways', options.wayCount, 1, 65536 / this.setCount);
    this.bound = integerIn(name, 'the bound', options.bound ?? 1 << 20, 1, 1 << 24);
    this.places = Array.from({ length: this.setCount * this.wayCount }, () => new Map());
  }

  access(_va: number, pa: number, write: boolean, attributes: number, sink: CacheEvictionSink): number {
    const policy = policyOf(this.unit, attributes);
    if (policy === 0) return write ? CACHE_PASSED : 0;
    const line = Math.floor(pa / this.lineLength);
    const place = this.places[this.placeOf(line)];
    const dirty = place.get(line);
    if (write) this.counters.writes++;
    else this.counters.reads++;
    if (dirty !== undefined) {
      if (!write) return CACHE_HIT;
      if (policy === 2) return CACHE_HIT | CACHE_PASSED;
      if (!dirty) place.set(line, true);
      return CACHE_HIT;
    }
    if (write) {
      this.counters.writeMisses++;
      if (policy !== 1) return CACHE_PASSED;
    } else {
      this.counters.readMisses++;
    }
    if (this.count === this.bound) this.makeRoom(sink);
    place.set(line, write);
    this.count++;
    return CACHE_FILLED;
  }

  clean(_va: number, pa: number, sink: CacheEvictionSink): void {
    this.save(Math.floor(pa / this.lineLength), sink);
  }

  invalidate(_va: number, pa: number, sink: CacheEvictionSink): void {
    this.give(Math.floor(pa / this.lineLength), false, sink);
  }

  cleanInvalidate(_va: number, pa: number, sink: CacheEvictionSink): void {
    this.give(Math.floor(pa / this.lineLength), true, sink);
  }

  cleanSetWay(set: number, way: number, sink: CacheEvictionSink): void {
    for (const line of this.folded(set, way)) this.save(line, sink);
  }

  invalidateSetWay(set: number, way: number, sink: CacheEvictionSink): void {
    for (const line of this.folded(set, way)) this.give(line, false, sink);
  }

  cleanInvalidateSetWay(set: number, way: number, sink: CacheEvictionSink): void {
    for (const line of this.folded(set, way)) this.give(line, true, sink);
  }

  invalidateAll(sink: CacheEvictionSink): void {
    for (const place of this.places) for (const line of [...place.keys()]) this.give(line, false, sink);
  }

  evictOne(random: number, sink: CacheEvictionSink): boolean {
    if (this.count === 0) return false;
    let index = (random >>> 0) % this.count;
    let place = 0;
    while (index >= this.places[place].size) index -= this.places[place++].size;
    this.give([...this.places[place].keys()][index], true, sink);
    return true;
  }

  reset(sink: CacheEvictionSink): void {
    this.invalidateAll(sink);
    this.turn = 0;
    this.counters.reset();
  }

  *lines(): Iterable<CacheLine> {
    for (let set = 0; set < this.setCount; set++) {
      for (let way = 0; way < this.wayCount; way++) {
        for (const [line, dirty] of this.places[way * this.setCount + set]) yield { set, way, pa: line * this.lineLength, dirty };
      }
    }
  }

  stats(): Record<string, number> {
    return this.counters.record();
  }

  resetStats(): void {
    this.counters.reset();
  }

  snapshot(): Snapshot<RetainForeverCacheData> {
    const lines = new Float64Array(this.count);
    const dirty = new Uint8Array(this.count);
    let i = 0;
    for (const place of this.places) {
      for (const [line, isDirty] of place) {
        lines[i] = line;
        dirty[i++] = Number(isDirty);
      }
    }
    const data = { shape: this.shape(), lines, dirty, turn: this.turn };
    return { schema: SCHEMA, version: VERSION, data };
  }

  restore(snapshot: Snapshot): void {
    if (snapshot.schema !== SCHEMA || snapshot.version !== VERSION) {
      throw new MmuError(this.name, `cannot restore ${snapshot.schema} version ${snapshot.version}`);
    }
    const data = snapshot.data as RetainForeverCacheData;
    if (data.shape !== this.shape()) throw new MmuError(this.name, `cannot restore the state of a cache of ${data.shape}`);
    for (const place of this.places) place.clear();
    data.lines.forEach((line, i) => {
      this.places[this.placeOf(line)].set(line, data.dirty[i] !== 0);
    });
    this.count = data.lines.length;
    this.turn = data.turn;
  }

  private shape(): string {
    return `${this.setCount} sets, ${this.wayCount} ways, ${this.lineLength} bytes, ${this.bound} lines`;
  }

  /** The set is the line number's low bits, the way those above. */
  private placeOf(line: number): number {
    return line % this.places.length;
  }

  private folded(set: number, way: number): number[] {
    if (set < 0 || set >= this.setCount || way < 0 || way >= this.wayCount) return [];
    return [...this.places[way * this.setCount + set].keys()];
  }

  private makeRoom(sink: CacheEvictionSink): void {
    while (this.places[this.turn].size === 0) this.turn = (this.turn + 1) % this.places.length;
    const [oldest] = this.places[this.turn].keys();
    this.turn = (this.turn + 1) % this.places.length;
    this.counters.evictions++;
    this.give(oldest, true, sink);
  }

  private dirtiness(pa: number): boolean | undefined {
    const line = Math.floor(pa / this.lineLength);
    return this.places[this.placeOf(line)].get(line);
  }

  private save(line: number, sink: CacheEvictionSink): void {
    const place = this.places[this.placeOf(line)];
    if (place.get(line) !== true) return;
    place.set(line, false);
    this.hits.listener?.lineCleaned(line & 0xffff);
    this.counters.writeBacks++;
    sink.writtenBack(line * this.lineLength, this.unit);
  }

  private give(line: number, save: boolean, sink: CacheEvictionSink): void {
    const place = this.places[this.placeOf(line)];
    if (!place.has(line)) return;
    if (save) this.save(line, sink);
    const lost = place.get(line) === true;
    this.hits.listener?.lineDropped(line & 0xffff);
    place.delete(line);
    this.count--;
    sink.dropped(line * this.lineLength, lost, this.unit);
  }
}

/** See {@link RetainForeverCache}. Throws `MmuError` for a geometry that does not fit. */
export function retainForeverCache(options: RetainForeverCacheOptions): Cache {
  return new RetainForeverCache(options);
}

import { ACCESS_FETCH, ACCESS_WRITE, type AccessKind, type Snapshot } from '@tablewalk/machine/contracts';
import { attributeInner, attributeOuter } from '../attributes.js';
import {
  CACHE_CONTRACT,
  CACHE_HIT,
  CACHE_L1_DATA,
  CACHE_L1_INSTRUCTION,
  CACHE_L2,
  CACHE_PASSED,
  type Cache,
  type CacheEvictionSink,
  type CacheHierarchy,
  type CacheUnit,
  type WalkLevel,
} from '../contracts/cache.js';
import { MmuError } from '../mmu-error.js';
import { integerIn, oneOf } from './geometry.js';

export interface CacheHierarchyOptions {
  readonly name?: string;
  /** L1 instruction cache, of unit CACHE_L1_INSTRUCTION. */
  readonly instruction?: Cache | null;
  /** L1 data cache, of unit CACHE_L1_DATA. */
  readonly data?: Cache | null;
  /** Unified L2, of unit CACHE_L2. Its lines are at least as long as those above. */
  readonly unified?: Cache | null;
  /** Default false. */
  readonly inclusive?: boolean;
  /** CLIDR.LoUU: 0 or 1. Default: 1 if there is an L1. */
  readonly levelOfUnification?: number;
  /** CLIDR.LoC: 0 to 2. Default: 2 with an L2, or else as the level of unification. */
  readonly levelOfCoherency?: number;
  /** Default `l1d`. A level that does not exist passes the walk on. */
  readonly walks?: WalkLevel;
}

/** Victims of the L1 have lost their attributes: they are write-back write-allocate in the L2. */
const WRITE_BACK = (1 << 2) | (1 << 4);
const NOBODY: CacheEvictionSink = { writtenBack: () => {}, dropped: () => {} };

const SCHEMA = 'mmu/cache-hierarchy';
const VERSION = 1;

type HierarchyData = Readonly<Record<'instruction' | 'data' | 'unified', Snapshot | null>>;

/**
 * Up to two levels of caches. The L1s report into a queue that is worked off when their own operation is over, since what they write back goes
 * into the L2, which may evict, which takes lines out of the L1s if it is inclusive.
 *
 * Bytes that an L1 writes back and the L2 does not keep are reported as written back by the L2 too: memory has them.
 */
export class CoreCaches implements CacheHierarchy {
  readonly name: string;
  readonly contract = CACHE_CONTRACT;
  readonly instruction: Cache | null;
  readonly data: Cache | null;
  readonly unified: Cache | null;
  readonly inclusive: boolean;
  readonly levelOfUnification: number;
  readonly levelOfCoherency: number;
  readonly walks: WalkLevel;

  /** Whom the operation under way reports to. This and what follows is open to `PlainLevels`, which does the usual parts of {@link access} by itself. */
  outer: CacheEvictionSink = NOBODY;
  /** What the L1 wrote back and the L2 does not know yet: the first `queued`. An array that is emptied is made anew each time. */
  private readonly queue: number[] = [];
  private queued = 0;
  readonly fromL1: CacheEvictionSink;
  private readonly fromL2: CacheEvictionSink;
  /** What the L2 gives up is thrown away (DCIMVAC, DCISW), so lines above it are too. */
  private discarding = false;

  constructor(options: CacheHierarchyOptions) {
    const name = options.name ?? 'hierarchy';
    this.name = name;
    this.instruction = checked(name, 'L1 instruction cache', options.instruction, CACHE_L1_INSTRUCTION);
    this.data = checked(name, 'L1 data cache', options.data, CACHE_L1_DATA);
    this.unified = checked(name, 'L2', options.unified, CACHE_L2);
    this.inclusive = options.inclusive ?? false;
    const levels = this.unified !== null ? 2 : this.data !== null || this.instruction !== null ? 1 : 0;
    const l1 = this.data !== null || this.instruction !== null ? 1 : 0;
    this.levelOfUnification = integerIn(name, 'the level of unification', options.levelOfUnification ?? l1, 0, l1);
    const toMemory = options.levelOfCoherency ?? (levels === 2 ? 2 : this.levelOfUnification);
    this.levelOfCoherency = integerIn(name, 'the level of coherency', toMemory, this.levelOfUnification, levels);
    this.walks = oneOf(name, 'the level that walks enter', options.walks ?? 'l1d', ['l1d', 'l2', 'memory']);
    if (this.walks === 'l1d' && this.data?.virtuallyIndexed) {
      throw new MmuError(name, 'walks have no VA to look into a virtually indexed L1 data cache with');
    }
    for (const above of [this.instruction, this.data]) {
      if (above !== null && this.unified !== null && above.lineSizeLog2 > this.unified.lineSizeLog2) {
        throw new MmuError(
          name,
          `lines of the L2 are shorter than those of the ${above === this.data ? 'L1 data' : 'L1 instruction'} cache`,
        );
      }
    }
    this.fromL1 = {
      writtenBack: (pa, unit) => {
        this.outer.writtenBack(pa, unit);
        this.arrives(pa);
      },
      dropped: (pa, dirty, unit) => this.outer.dropped(pa, dirty, unit),
    };
    this.fromL2 = {
      writtenBack: (pa, unit) => this.outer.writtenBack(pa, unit),
      dropped: (pa, dirty, unit) => {
        this.outer.dropped(pa, dirty, unit);
        if (this.inclusive) this.dropAbove(pa);
      },
    };
  }

  access(va: number, pa: number, kind: AccessKind, attributes: number, sink: CacheEvictionSink): number {
    this.outer = sink;
    return this.through(kind === ACCESS_FETCH ? this.instruction : this.data, va, pa, kind === ACCESS_WRITE, attributes);
  }

  walk(pa: number, attributes: number, sink: CacheEvictionSink): number {
    this.outer = sink;
    if (this.walks === 'memory') return 3;
    return this.through(this.walks === 'l1d' ? this.data : null, pa, pa, false, attributes);
  }

  cleanToUnification(va: number, pa: number, sink: CacheEvictionSink): void {
    if (this.levelOfUnification === 0) return;
    this.outer = sink;
    this.data?.clean(va, pa, this.fromL1);
    this.drain();
  }

  cleanToCoherency(va: number, pa: number, sink: CacheEvictionSink): void {
    if (this.levelOfCoherency === 0) return;
    this.outer = sink;
    this.data?.clean(va, pa, this.fromL1);
    this.drain();
    if (this.levelOfCoherency === 2) this.unified?.clean(va, pa, this.fromL2);
  }

  invalidateToCoherency(va: number, pa: number, sink: CacheEvictionSink): void {
    if (this.levelOfCoherency === 0) return;
    this.outer = sink;
    this.data?.invalidate(va, pa, this.fromL1);
    if (this.levelOfCoherency !== 2) return;
    this.discarding = true;
    this.unified?.invalidate(va, pa, this.fromL2);
    this.discarding = false;
  }

  cleanInvalidateToCoherency(va: number, pa: number, sink: CacheEvictionSink): void {
    if (this.levelOfCoherency === 0) return;
    this.outer = sink;
    this.data?.cleanInvalidate(va, pa, this.fromL1);
    this.drain();
    if (this.levelOfCoherency === 2) this.unified?.cleanInvalidate(va, pa, this.fromL2);
  }

  invalidateInstruction(va: number, pa: number, sink: CacheEvictionSink): void {
    this.instruction?.invalidate(va, pa, sink);
  }

  invalidateInstructionAll(sink: CacheEvictionSink): void {
    this.instruction?.invalidateAll(sink);
  }

  cleanSetWay(level: number, set: number, way: number, sink: CacheEvictionSink): void {
    this.outer = sink;
    this.atLevel(level)?.cleanSetWay(set, way, level === 1 ? this.fromL1 : this.fromL2);
    this.drain();
  }

  invalidateSetWay(level: number, set: number, way: number, sink: CacheEvictionSink): void {
    this.outer = sink;
    this.discarding = true;
    this.atLevel(level)?.invalidateSetWay(set, way, level === 1 ? this.fromL1 : this.fromL2);
    this.discarding = false;
  }

  cleanInvalidateSetWay(level: number, set: number, way: number, sink: CacheEvictionSink): void {
    this.outer = sink;
    this.atLevel(level)?.cleanInvalidateSetWay(set, way, level === 1 ? this.fromL1 : this.fromL2);
    this.drain();
  }

  evictOne(random: number, sink: CacheEvictionSink): boolean {
    this.outer = sink;
    const caches = this.present();
    const first = (random >>> 0) % caches.length;
    const rest = Math.floor((random >>> 0) / caches.length);
    for (let i = 0; i < caches.length; i++) {
      const cache = caches[(first + i) % caches.length];
      if (cache.evictOne(rest, cache === this.unified ? this.fromL2 : this.fromL1)) {
        this.drain();
        return true;
      }
    }
    return false;
  }

  reset(sink: CacheEvictionSink): void {
    for (const cache of this.present()) cache.reset(sink);
  }

  stats(): Record<string, number> {
    const result: Record<string, number> = {};
    for (const cache of this.present()) {
      for (const [key, value] of Object.entries(cache.stats())) result[`${LABELS[cache.unit]} ${key}`] = value;
    }
    return result;
  }

  resetStats(): void {
    for (const cache of this.present()) cache.resetStats();
  }

  snapshot(): Snapshot<HierarchyData> {
    const of = (cache: Cache | null): Snapshot | null => cache?.snapshot() ?? null;
    return {
      schema: SCHEMA,
      version: VERSION,
      data: { instruction: of(this.instruction), data: of(this.data), unified: of(this.unified) },
    };
  }

  restore(snapshot: Snapshot): void {
    if (snapshot.schema !== SCHEMA || snapshot.version !== VERSION) {
      throw new MmuError(this.name, `cannot restore ${snapshot.schema} version ${snapshot.version}`);
    }
    const data = snapshot.data as HierarchyData;
    const pairs: [Cache | null, Snapshot | null][] = [
      [this.instruction, data.instruction],
      [this.data, data.data],
      [this.unified, data.unified],
    ];
    if (pairs.some(([cache, state]) => (cache === null) !== (state === null))) {
      throw new MmuError(this.name, 'cannot restore the state of other levels');
    }
    // One that refuses must leave the others as they were.
    const done: [Cache, Snapshot][] = [];
    try {
      for (const [cache, state] of pairs) {
        if (cache === null || state === null) continue;
        const before = cache.snapshot();
        cache.restore(state);
        done.push([cache, before]);
      }
    } catch (error) {
      for (const [cache, before] of done) cache.restore(before);
      throw error;
    }
  }

  // ---- inside

  /** Through an L1 (null: past it), and what it does not have from below. */
  private through(l1: Cache | null, va: number, pa: number, write: boolean, attributes: number): number {
    if (l1 === null || attributeInner(attributes) === 0) return this.below(va, pa, write, attributes);
    const result = l1.access(va, pa, write, attributes, this.fromL1);
    if (result === CACHE_HIT) return 1;
    if (this.queued !== 0) this.drain();
    const level = this.below(va, pa, (result & CACHE_PASSED) !== 0, attributes);
    return (result & CACHE_HIT) !== 0 ? 1 : level;
  }

  below(va: number, pa: number, write: boolean, attributes: number): number {
    const l2 = this.unified;
    if (l2 === null || attributeOuter(attributes) === 0) return 3;
    return (l2.access(va, pa, write, attributes, this.fromL2) & CACHE_HIT) !== 0 ? 2 : 3;
  }

  /** The L1 wrote a line back: for {@link drain}. */
  arrives(pa: number): void {
    this.queue[this.queued++] = pa;
  }

  /** What the L1 wrote back arrives below. */
  drain(): void {
    // An inclusive L2 may add to the queue while it is worked off.
    for (let i = 0; i < this.queued; i++) {
      const pa = this.queue[i];
      if (this.unified === null) continue;
      if ((this.unified.access(pa, pa, true, WRITE_BACK, this.fromL2) & CACHE_PASSED) !== 0) this.outer.writtenBack(pa, CACHE_L2);
    }
    this.queued = 0;
  }

  /** The L2 lost a line: so do the L1s. What is dirty there goes to memory past the L2, or nowhere. */
  private dropAbove(pa: number): void {
    const l2 = this.unified as Cache;
    const toMemory: CacheEvictionSink = {
      writtenBack: (line, unit) => {
        this.outer.writtenBack(line, unit);
        this.outer.writtenBack(line, CACHE_L2);
      },
      dropped: (line, dirty, unit) => this.outer.dropped(line, dirty, unit),
    };
    for (const cache of [this.instruction, this.data]) {
      if (cache === null) continue;
      for (let line = pa; line < pa + 2 ** l2.lineSizeLog2; line += 2 ** cache.lineSizeLog2) {
        for (let colour = 0; colour < cache.colourCount; colour++) {
          // With one colour the VA does not matter beyond the page's offset, which it shares with the PA.
          const va = cache.colourCount === 1 ? line % 2 ** 32 : (line & 0xfff) | (colour << 12);
          if (this.discarding) cache.invalidate(va, line, toMemory);
          else cache.cleanInvalidate(va, line, toMemory);
        }
      }
    }
  }

  private atLevel(level: number): Cache | null {
    if (level > this.levelOfCoherency) return null;
    return level === 1 ? this.data : level === 2 ? this.unified : null;
  }

  private present(): Cache[] {
    return [this.instruction, this.data, this.unified].filter((cache) => cache !== null);
  }
}

const LABELS = ['L1I', 'L1D', 'L2'] as const;

function checked(model: string, what: string, cache: Cache | null | undefined, unit: CacheUnit): Cache | null {
  if (cache === null || cache === undefined) return null;
  if (cache.contract !== CACHE_CONTRACT) {
    throw new MmuError(cache.name, `is written for cache contract ${String(cache.contract)}, this is ${CACHE_CONTRACT}`);
  }
  if (cache.unit !== unit) throw new MmuError(model, `the ${what} is of unit ${unit}, and ${cache.name} of unit ${cache.unit}`);
  return cache;
}

/** See {@link CoreCaches}. Throws `MmuError` for caches that do not fit together. */
export function cacheHierarchy(options: CacheHierarchyOptions): CacheHierarchy {
  return new CoreCaches(options);
}

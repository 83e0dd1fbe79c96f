import type { Cache, CacheEvictionSink, CacheLine, CacheUnit } from '../contracts/cache.js';
import { Random } from './conformance.js';

/** Packed attributes by policy: inner and outer alike. */
export const NON_CACHEABLE = 2;
export const WRITE_BACK_ALLOCATE = 2 | (1 << 2) | (1 << 4);
export const WRITE_THROUGH = 2 | (2 << 2) | (2 << 4);
export const WRITE_BACK = 2 | (3 << 2) | (3 << 4);

export interface CacheEvent {
  readonly kind: 'written back' | 'dropped' | 'lost';
  readonly pa: number;
  readonly unit: CacheUnit;
}

export class EventLog implements CacheEvictionSink {
  readonly events: CacheEvent[] = [];

  writtenBack(pa: number, unit: CacheUnit): void {
    this.events.push({ kind: 'written back', pa, unit });
  }
  dropped(pa: number, dirty: boolean, unit: CacheUnit): void {
    this.events.push({ kind: dirty ? 'lost' : 'dropped', pa, unit });
  }
  take(): CacheEvent[] {
    return this.events.splice(0);
  }
}

export type CacheStep =
  | {
      readonly kind: 'access';
      readonly va: number;
      readonly pa: number;
      readonly write: boolean;
      readonly attributes: number;
      readonly result: number;
    }
  | { readonly kind: 'clean' | 'invalidate' | 'cleanInvalidate'; readonly va: number; readonly pa: number }
  | { readonly kind: 'setWay'; readonly operation: 'clean' | 'invalidate' | 'cleanInvalidate'; readonly set: number; readonly way: number }
  | { readonly kind: 'invalidateAll' }
  | { readonly kind: 'evictOne'; readonly result: boolean };

/** Random accesses to a few sets of a cache, so that they compete, with maintenance between them. PAs reach beyond 4 GB; a PA has several VAs. */
export class CacheTrace {
  readonly random: Random;
  private readonly maintenance: boolean;

  constructor(seed: number, maintenance = true) {
    this.random = new Random(seed);
    this.maintenance = maintenance;
  }

  /** A byte of one of the lines that compete. */
  address(cache: Cache): { va: number; pa: number } {
    const { random } = this;
    const line = 2 ** cache.lineSizeLog2;
    const sets = Math.max(1, cache.setCount);
    const set = random.below(Math.min(sets, 4));
    const tag = random.below(cache.wayCount * 2 + 2);
    const pa = (tag % 7 === 6 ? 2 ** 32 * 3 : 0) + 0x40000000 + (tag * sets + set) * line + random.below(line);
    // An alias of the same page offset.
    const va = (0xc0000000 + (pa % 0x10000000) + random.below(4) * 0x1000) % 2 ** 32;
    return { va, pa };
  }

  step(cache: Cache, sink: CacheEvictionSink): CacheStep {
    const { random } = this;
    const { va, pa } = this.address(cache);
    const choice = this.maintenance ? random.below(1000) : 0;
    if (choice < 860) {
      const write = random.below(3) === 0;
      const attributes = this.maintenance
        ? random.pick([WRITE_BACK_ALLOCATE, WRITE_BACK_ALLOCATE, WRITE_BACK, WRITE_THROUGH, NON_CACHEABLE])
        : WRITE_BACK_ALLOCATE;
      return { kind: 'access', va, pa, write, attributes, result: cache.access(va, pa, write, attributes, sink) };
    }
    if (choice < 960) {
      const kind = random.pick(['clean', 'invalidate', 'cleanInvalidate'] as const);
      cache[kind](va, pa, sink);
      return { kind, va, pa };
    }
    if (choice < 990) {
      const operation = random.pick(['clean', 'invalidate', 'cleanInvalidate'] as const);
      const set = random.below(Math.min(4, cache.setCount + 1));
      const way = random.below(cache.wayCount + 1);
      cache[`${operation}SetWay`](set, way, sink);
      return { kind: 'setWay', operation, set, way };
    }
    if (choice < 991) {
      cache.invalidateAll(sink);
      return { kind: 'invalidateAll' };
    }
    return { kind: 'evictOne', result: cache.evictOne(random.word(), sink) };
  }
}

export const lineKey = (line: CacheLine): string => `${line.set}/${line.pa}`;

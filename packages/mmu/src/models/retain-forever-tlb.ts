import type { Snapshot } from '@tablewalk/machine/contracts';
import type { TlbHits } from '../contracts/hits.js';
import {
  TLB_CONTRACT,
  TLB_ENTRY_GLOBAL,
  TLB_ENTRY_LOCKED,
  TLB_ENTRY_VALID,
  TLB_ENTRY_WORDS,
  type Tlb,
  type TlbEvictionSink,
  type TlbSide,
  type WalkCache,
} from '../contracts/tlb.js';
import { MmuError } from '../mmu-error.js';
import { integerIn } from './geometry.js';
import { RetainedEntries, type RetainedState } from './retained-entries.js';

export interface RetainForeverTlbOptions {
  readonly name?: string;
  /** Translations held at most; beyond it the places are given up in turn. 1 to 1,048,576, default 65,536 (2 MB). */
  readonly bound?: number;
  /** Keeps table descriptors too, as many at most. Default true. */
  readonly walkCache?: boolean;
}

const SCHEMA = 'mmu/tlb-retain-forever';
const VERSION = 1;

interface RetainForeverData {
  readonly bound: number;
  readonly entries: RetainedState;
  readonly walks: RetainedState | null;
}

class RetainedWalkCache implements WalkCache {
  readonly table: RetainedEntries;
  private readonly bound: number;
  hits = 0;
  misses = 0;

  constructor(bound: number) {
    this.bound = bound;
    this.table = new RetainedEntries(bound);
  }

  get arena(): Uint32Array {
    return this.table.arena;
  }

  lookup(va: number, asid: number): number {
    const offset = this.table.find(va, asid);
    if (offset < 0) this.misses++;
    else this.hits++;
    return offset;
  }

  insert(entry: Readonly<Uint32Array>): void {
    const tag = ((entry[1] & ~(TLB_ENTRY_GLOBAL | TLB_ENTRY_LOCKED)) | TLB_ENTRY_VALID) >>> 0;
    const same = this.table.same(entry[0], tag);
    if (same >= 0) this.table.remove(same);
    if (this.table.count < this.bound) this.table.insert(entry, tag);
    else this.table.replace(entry, tag);
  }

  entries(): Iterable<number> {
    return this.table.entries();
  }
}

/**
 * The TLB that never forgets: what the architecture allows at its worst, since software may not count on an eviction. Each translation stays until
 * maintenance names it. Nothing is locked: maintenance takes all it covers.
 */
export class RetainForeverTlb implements Tlb {
  readonly name: string;
  readonly contract = TLB_CONTRACT;
  readonly replacement = 'fifo';
  readonly walks?: RetainedWalkCache;
  readonly hits: { readonly instruction: TlbHits; readonly data: TlbHits };
  private readonly table: RetainedEntries;
  private readonly bound: number;
  private hitCount = 0;
  private misses = 0;
  private evictions = 0;

  constructor(options: RetainForeverTlbOptions = {}) {
    this.name = options.name ?? 'retain-forever';
    this.bound = integerIn(this.name, 'the bound', options.bound ?? 65536, 1, 1 << 20);
    this.table = new RetainedEntries(this.bound);
    if (options.walkCache ?? true) this.walks = new RetainedWalkCache(this.bound);
    // Of several entries for one address the same answers, whatever was looked up before.
    const hits: TlbHits = {
      entryAt: (va, asid) => (this.table.find(va, asid) < 0 ? -1 : 0),
      hit: (count) => {
        this.hitCount += count;
      },
      listeners: [],
    };
    this.hits = { instruction: hits, data: hits };
  }

  get arena(): Uint32Array {
    return this.table.arena;
  }

  lookup(va: number, asid: number): number {
    const offset = this.table.find(va, asid);
    if (offset < 0) this.misses++;
    else this.hitCount++;
    return offset;
  }

  insert(entry: Readonly<Uint32Array>, _fetch: boolean, sink: TlbEvictionSink): void {
    const { table } = this;
    // A piece of a mapping would be missed by maintenance of another address of it, and needs no cutting here: this TLB has room for the whole.
    const tag = ((entry[1] & ~(TLB_ENTRY_LOCKED | (0x3f << 19))) | TLB_ENTRY_VALID) >>> 0;
    const same = table.same(entry[0], tag);
    if (same >= 0) {
      sink.evicted(table.arena, same);
      table.remove(same);
    }
    for (const listener of this.hits.data.listeners) listener(entry[0], tag & 31);
    const victim = table.victim();
    if (victim < 0) {
      table.insert(entry, tag);
      return;
    }
    sink.evicted(table.arena, victim);
    this.evictions++;
    table.replace(entry, tag);
  }

  invalidateAll(_side: TlbSide, sink: TlbEvictionSink): void {
    for (const o of this.table.entries()) sink.evicted(this.table.arena, o);
    this.table.clear();
    this.walks?.table.clear();
  }

  invalidateMva(va: number, asid: number, _side: TlbSide, sink: TlbEvictionSink): void {
    this.table.invalidate(va, asid, true, (arena, o) => sink.evicted(arena, o));
    this.walks?.table.invalidate(va, asid, false, null);
  }

  invalidateAsid(asid: number, _side: TlbSide, sink: TlbEvictionSink): void {
    this.table.invalidate(-1, asid, false, (arena, o) => sink.evicted(arena, o));
    this.walks?.table.invalidate(-1, asid, false, null);
  }

  invalidateMvaAllAsid(va: number, _side: TlbSide, sink: TlbEvictionSink): void {
    this.table.invalidate(va, -1, true, (arena, o) => sink.evicted(arena, o));
    this.walks?.table.invalidate(va, -1, false, null);
  }

  evictOne(random: number, sink: TlbEvictionSink): boolean {
    const walkCount = this.walks?.table.count ?? 0;
    const count = this.table.count + walkCount;
    if (count === 0) return false;
    const index = (random >>> 0) % count;
    if (index < this.table.count) {
      sink.evicted(this.table.arena, index * TLB_ENTRY_WORDS);
      this.table.remove(index * TLB_ENTRY_WORDS);
    } else {
      this.walks?.table.remove((index - this.table.count) * TLB_ENTRY_WORDS);
    }
    return true;
  }

  reset(sink: TlbEvictionSink): void {
    for (const o of this.table.entries()) sink.evicted(this.table.arena, o);
    this.table.clear();
    this.walks?.table.clear();
    this.resetStats();
  }

  entries(): Iterable<number> {
    return this.table.entries();
  }

  stats(): Record<string, number> {
    const result: Record<string, number> = { 'main hits': this.hitCount, 'main misses': this.misses, 'main evictions': this.evictions };
    if (this.walks !== undefined) {
      result['walk cache hits'] = this.walks.hits;
      result['walk cache misses'] = this.walks.misses;
    }
    return result;
  }

  resetStats(): void {
    this.hitCount = 0;
    this.misses = 0;
    this.evictions = 0;
    if (this.walks !== undefined) {
      this.walks.hits = 0;
      this.walks.misses = 0;
    }
  }

  snapshot(): Snapshot<RetainForeverData> {
    return {
      schema: SCHEMA,
      version: VERSION,
      data: { bound: this.bound, entries: this.table.snapshot(), walks: this.walks?.table.snapshot() ?? null },
    };
  }

  restore(snapshot: Snapshot): void {
    if (snapshot.schema !== SCHEMA || snapshot.version !== VERSION) {
      throw new MmuError(this.name, `cannot restore ${snapshot.schema} version ${snapshot.version}`);
    }
    const data = snapshot.data as RetainForeverData;
    if (data.bound !== this.bound || (data.walks === null) !== (this.walks === undefined)) {
      throw new MmuError(this.name, 'cannot restore the state of a TLB of another shape');
    }
    this.table.restore(data.entries);
    if (data.walks !== null) this.walks?.table.restore(data.walks);
  }
}

/** See {@link RetainForeverTlb}. Throws `MmuError` for a bound that does not fit. */
export function retainForeverTlb(options: RetainForeverTlbOptions = {}): Tlb {
  return new RetainForeverTlb(options);
}

import type { DirectRegion } from '@tablewalk/machine';
import type { CacheEvictionSink, CacheHierarchy } from '../contracts/cache.js';
import { CoreCaches } from '../models/cache-hierarchy.js';
import { SetAssociativeCache } from '../models/set-associative-cache.js';
import type { DataLines } from './data-lines.js';
import { L1_DIRTY, L1_STALE } from './line-views.js';

/** Results of an access: nothing has been done; it is done, and the L1 does not have the line. */
export const REFUSED = -1;
export const GONE = -2;

const WRITE_BACK_ALLOCATE = 1;
const WRITE_BACK = 3;

/** What {@link PlainLevels} changes besides the models. */
export interface PlainLevelsParts {
  readonly ram: DirectRegion;
  /** Told by the models of what is not done here. */
  readonly sink: CacheEvictionSink;
  readonly lines: DataLines;
  readonly shadow: Uint8Array;
  /** log2 of the length of lines. */
  readonly shift: number;
}

/**
 * The most common ways of a load or store through an L1 data cache and an L2 of {@link SetAssociativeCache} whose lines are as long as those of the views: a hit,
 * and a miss that finds what it asks for in the L2 (or has none below), whatever it gives up. What `CoreCaches.access` does and what follows from its reports, in
 * one function over the models' arrays and in the same order; anything else is refused before something has changed.
 */
export class PlainLevels {
  private readonly caches: CoreCaches;
  readonly l1: SetAssociativeCache;
  readonly l2: SetAssociativeCache | null;
  private readonly sink: CacheEvictionSink;
  private readonly lines: DataLines;
  private readonly shadow: Uint8Array;
  private readonly shift: number;
  /** RAM: where it is, in lines. */
  private readonly firstLine: number;
  private readonly lineCount: number;
  private readonly hostLine: number;
  /** Where the access just made found the line: 1, 2, or 3 for memory. */
  level = 1;

  private constructor(
    caches: CoreCaches,
    l1: SetAssociativeCache,
    l2: SetAssociativeCache | null,
    { ram, sink, lines, shadow, shift }: PlainLevelsParts,
  ) {
    this.caches = caches;
    this.l1 = l1;
    this.l2 = l2;
    this.sink = sink;
    this.lines = lines;
    this.shadow = shadow;
    this.shift = shift;
    this.firstLine = ram.base / 2 ** shift;
    this.lineCount = ram.byteLength / 2 ** shift;
    this.hostLine = ram.hostOffset / 2 ** shift;
  }

  /** Undefined for caches that are not such. */
  static of(caches: CacheHierarchy, parts: PlainLevelsParts): PlainLevels | undefined {
    const { shift } = parts;
    if (!(caches instanceof CoreCaches)) return undefined;
    const { data, unified } = caches;
    if (!(data instanceof SetAssociativeCache) || data.lineSizeLog2 !== shift || !data.writeBack) return undefined;
    if (unified === null) return new PlainLevels(caches, data, null, parts);
    if (!(unified instanceof SetAssociativeCache) || unified.lineSizeLog2 !== shift || unified.virtuallyIndexed) return undefined;
    return unified.writeBack ? new PlainLevels(caches, data, unified, parts) : undefined;
  }

  /**
   * An access at `va` to the byte of RAM at `host`. Result: the L1's slot of the line, which is in it now (and dirty after a store), or {@link GONE} or
   * {@link REFUSED}.
   */
  access(va: number, host: number, write: boolean, attributes: number): number {
    const { l1, l2, shift } = this;
    const inner = (attributes >> 2) & 3;
    const index = (host >>> shift) - this.hostLine;
    if (inner !== WRITE_BACK_ALLOCATE && inner !== WRITE_BACK) return REFUSED;
    if (index < 0 || index >= this.lineCount) return REFUSED;
    const line = index + this.firstLine;
    const { tags } = l1;
    const set = (l1.virtuallyIndexed ? va >>> shift : line) & l1.setMask;
    const first = set * l1.wayCount;
    const end = first + l1.wayCount;
    const { counters, policy } = l1;
    for (let slot = first; slot < end; slot++) {
      if (tags[slot] !== line) continue;
      policy.touch(set, slot - first);
      if (write) {
        counters.writes++;
        l1.dirty[slot] = 1;
      } else counters.reads++;
      this.level = 1;
      return slot;
    }
    if (write && (inner !== WRITE_BACK_ALLOCATE || !l1.writeAllocate)) return REFUSED;
    let below = -1;
    if (l2 !== null) {
      const outer = (attributes >> 4) & 3;
      if (outer !== WRITE_BACK_ALLOCATE && outer !== WRITE_BACK) return REFUSED;
      below = l2.slotOfLine(line);
      if (below < 0) return REFUSED;
    }
    if (write) {
      counters.writes++;
      counters.writeMisses++;
    } else {
      counters.reads++;
      counters.readMisses++;
    }
    let slot = first;
    while (slot < end && tags[slot] >= 0) slot++;
    let waits = false;
    if (slot === end) {
      slot = first + policy.victim(set);
      counters.evictions++;
      waits = this.give(slot);
    }
    tags[slot] = line;
    l1.dirty[slot] = write ? 1 : 0;
    policy.filled(set, slot - first);
    if (waits) this.caches.drain();
    this.level = l2 === null ? 3 : this.readBelow(l2, line, below, va, attributes);
    const viewLine = host >>> shift;
    // The L2 has the line, or gave it up a moment ago and told: nothing is stale there of what comes from memory.
    if ((this.shadow[viewLine]! & L1_STALE) !== 0) this.lines.l1Dropped(viewLine);
    // An inclusive L2 may have taken it away again, to make room for what was written back.
    return tags[slot] === line ? slot : GONE;
  }

  /** The L2 is asked for a line that it had in this slot when the access began: what the L1 wrote back may have taken its place. */
  private readBelow(l2: SetAssociativeCache, line: number, slot: number, va: number, attributes: number): number {
    if (l2.tags[slot] !== line) return this.caches.below(va, line * 2 ** this.shift, false, attributes);
    l2.counters.reads++;
    const set = line & l2.setMask;
    l2.policy.touch(set, slot - set * l2.wayCount);
    return 2;
  }

  /** The L1 gives up a slot. True: what it wrote back waits for the L2 to take it (`CoreCaches.drain`). */
  private give(slot: number): boolean {
    const { l1, l2, shadow } = this;
    const distance = l1.tags[slot]! - this.firstLine;
    if (distance < 0 || distance >= this.lineCount) {
      this.caches.outer = this.sink;
      l1.give(slot, true, this.caches.fromL1);
      return true;
    }
    // Small integers from here on.
    const index = distance | 0;
    const line = index + this.firstLine;
    const viewLine = index + this.hostLine;
    let waits = false;
    if (l1.dirty[slot] !== 0) {
      l1.counters.writeBacks++;
      this.lines.l1Written(viewLine);
      if (l2 !== null) waits = !this.writeBelow(l2, line);
    }
    l1.hits?.listener?.lineDropped(slot);
    if ((shadow[viewLine]! & (L1_DIRTY | L1_STALE)) !== 0) this.lines.l1Dropped(viewLine);
    return waits;
  }

  /** A line that was written back arrives in the L2, if that has it. Else it has to wait until the L1 is done. */
  private writeBelow(l2: SetAssociativeCache, line: number): boolean {
    const slot = l2.slotOfLine(line);
    if (slot < 0) {
      this.caches.outer = this.sink;
      this.caches.arrives(line * 2 ** this.shift);
      return false;
    }
    l2.counters.writes++;
    l2.dirty[slot] = 1;
    const set = line & l2.setMask;
    l2.policy.touch(set, slot - set * l2.wayCount);
    return true;
  }
}

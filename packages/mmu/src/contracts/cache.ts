import type { AccessKind, PhysAddr, Stateful, VirtAddr } from '@tablewalk/machine/contracts';
import type { CacheHits } from './hits.js';

/** Version of {@link Cache} and {@link CacheHierarchy} that a model was written for. */
export const CACHE_CONTRACT = 2;

/** How a model chooses what to give up; as for a TLB. */
export type CacheReplacement = 'fifo' | 'random' | 'needs-hits';

/** Which cache of a core a report is about. A cache on its own is whatever it was made as. */
export const CACHE_L1_INSTRUCTION = 0;
export const CACHE_L1_DATA = 1;
export const CACHE_L2 = 2;
export type CacheUnit = 0 | 1 | 2;

/** Told of each line that leaves a cache. Addresses are of the first byte of the line, `unit` is the cache that reports. */
export interface CacheEvictionSink {
  /** A dirty line's bytes go to the next level, which is then as new as the line. */
  writtenBack(pa: PhysAddr, unit: CacheUnit): void;
  /** The line is no longer held by this cache. `dirty` means that its bytes were lost, not written back. */
  dropped(pa: PhysAddr, dirty: boolean, unit: CacheUnit): void;
}

export interface CacheLine {
  readonly set: number;
  readonly way: number;
  readonly pa: PhysAddr;
  readonly dirty: boolean;
}

/** What {@link Cache.access} says, in bits. None of them: a read that missed and was not allocated. */
export const CACHE_HIT = 1;
/** A miss: the line is held now, read from the next level. */
export const CACHE_FILLED = 2;
/** A write that the next level gets too: write-through, or a miss that does not allocate. */
export const CACHE_PASSED = 4;

/**
 * A cache as a set of tags: which lines are held and which are dirty. Contents live in guest memory, so a model decides *where the newest bytes are*,
 * not what they are. Addresses need not be aligned; an access does not cross a line. A model with physical indexing ignores `va`, one with virtual
 * indexing finds a line only under the colour of the `va` that it is given.
 */
export interface Cache extends Stateful {
  readonly name: string;
  readonly contract: typeof CACHE_CONTRACT;
  readonly replacement: CacheReplacement;
  readonly unit: CacheUnit;
  /** log2 of the line length in bytes. */
  readonly lineSizeLog2: number;
  /** Sets and ways as CCSIDR has them, and as set/way maintenance counts them. */
  readonly setCount: number;
  readonly wayCount: number;
  /** The set is chosen by VA (VIPT). */
  readonly virtuallyIndexed: boolean;
  /** Sets that one line may be in under different VAs, by 4 KB of VA: 1 with physical indexing. */
  readonly colourCount: number;
  /** Write-back, when the attributes of the access allow it. */
  readonly writeBack: boolean;
  /** A write that misses allocates, when the attributes of the access allow it. */
  readonly writeAllocate: boolean;
  /** For code that finds hits by itself. */
  readonly hits?: CacheHits;
  /**
   * One access to cacheable memory. `attributes` is the packed word of the mapping (policy and allocation hints). A miss allocates or not as the model
   * and the attributes say, evicting as it must. Returns CACHE_* bits.
   */
  access(va: VirtAddr, pa: PhysAddr, write: boolean, attributes: number, sink: CacheEvictionSink): number;
  /** Writes the line back if it is dirty; it stays, clean. */
  clean(va: VirtAddr, pa: PhysAddr, sink: CacheEvictionSink): void;
  /** Gives the line up without writing it back. */
  invalidate(va: VirtAddr, pa: PhysAddr, sink: CacheEvictionSink): void;
  cleanInvalidate(va: VirtAddr, pa: PhysAddr, sink: CacheEvictionSink): void;
  /** The same by set and way. A set or way that the cache does not have is ignored. */
  cleanSetWay(set: number, way: number, sink: CacheEvictionSink): void;
  invalidateSetWay(set: number, way: number, sink: CacheEvictionSink): void;
  cleanInvalidateSetWay(set: number, way: number, sink: CacheEvictionSink): void;
  invalidateAll(sink: CacheEvictionSink): void;
  /** Gives one line up, written back if it is dirty. As {@link Tlb.evictOne}. */
  evictOne(random: number, sink: CacheEvictionSink): boolean;
  /** As after power-on, empty: dirty lines are lost. */
  reset(sink: CacheEvictionSink): void;
  /** Valid lines, by set and then by way. */
  lines(): Iterable<CacheLine>;
  /** Counters by name (`reads`, `read misses`, `writes`, ...); not part of a snapshot. */
  stats(): Record<string, number>;
  resetStats(): void;
}

/** Which view of memory table walks have: that of the L1 data cache, that of the L2, or that of memory itself. */
export type WalkLevel = 'l1d' | 'l2' | 'memory';

/**
 * The caches of one core: what `measured` drives, and where `architectural` reads line sizes, colours, policies and points from. A level that a core does
 * not have is null; with no L1 at all, every access goes to memory.
 */
export interface CacheHierarchy extends Stateful {
  readonly name: string;
  readonly contract: typeof CACHE_CONTRACT;
  /** L1 instruction cache. */
  readonly instruction: Cache | null;
  /** L1 data cache. */
  readonly data: Cache | null;
  /** Unified L2. */
  readonly unified: Cache | null;
  /** The L2 holds whatever an L1 holds: a line that it loses leaves the L1s too. */
  readonly inclusive: boolean;
  /** Levels that a clean to the point of unification passes (CLIDR.LoUU): 0 or 1. */
  readonly levelOfUnification: number;
  /** Levels that a clean to the point of coherency passes (CLIDR.LoC): 0, 1 or 2. */
  readonly levelOfCoherency: number;
  /** Where walks of cacheable tables look. */
  readonly walks: WalkLevel;
  /**
   * One access to cacheable memory inside one line of the smallest cache. Returns the level that had it: 1, 2, or 3 for memory.
   * An L1 access is made for what is inner cacheable, an L2 access for what is outer cacheable (`attributes`).
   */
  access(va: VirtAddr, pa: PhysAddr, kind: AccessKind, attributes: number, sink: CacheEvictionSink): number;
  /** A walk reads a descriptor of a cacheable table, entering at {@link walks}. Returns the level that had it. */
  walk(pa: PhysAddr, attributes: number, sink: CacheEvictionSink): number;
  /** DCCMVAU. */
  cleanToUnification(va: VirtAddr, pa: PhysAddr, sink: CacheEvictionSink): void;
  /** DCCMVAC. */
  cleanToCoherency(va: VirtAddr, pa: PhysAddr, sink: CacheEvictionSink): void;
  /** DCIMVAC. */
  invalidateToCoherency(va: VirtAddr, pa: PhysAddr, sink: CacheEvictionSink): void;
  /** DCCIMVAC. */
  cleanInvalidateToCoherency(va: VirtAddr, pa: PhysAddr, sink: CacheEvictionSink): void;
  /** ICIMVAU. */
  invalidateInstruction(va: VirtAddr, pa: PhysAddr, sink: CacheEvictionSink): void;
  /** ICIALLU. */
  invalidateInstructionAll(sink: CacheEvictionSink): void;
  /** DCCSW, DCISW, DCCISW on data or unified caches; `level` is 1 or 2. A level, set or way that is not there is ignored. */
  cleanSetWay(level: number, set: number, way: number, sink: CacheEvictionSink): void;
  invalidateSetWay(level: number, set: number, way: number, sink: CacheEvictionSink): void;
  cleanInvalidateSetWay(level: number, set: number, way: number, sink: CacheEvictionSink): void;
  /** Gives up one line of one of the caches, with what inclusion takes along. As {@link Cache.evictOne}. */
  evictOne(random: number, sink: CacheEvictionSink): boolean;
  reset(sink: CacheEvictionSink): void;
  /** Counters of all levels, each name after its cache's (`L1D read misses`). */
  stats(): Record<string, number>;
  resetStats(): void;
}

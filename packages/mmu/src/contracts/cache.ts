import type { PhysAddr, Stateful, VirtAddr } from '@tablewalk/machine/contracts';

/** Version of {@link Cache} that a model was written for. */
export const CACHE_CONTRACT = 1;

/** How a model chooses what to give up; as for a TLB. */
export type CacheReplacement = 'fifo' | 'random' | 'needs-hits';

/** Told of each line that leaves a cache. Addresses are of the first byte of the line. */
export interface CacheEvictionSink {
  /** A dirty line's bytes go to the next level, which is then as new as the line. */
  writtenBack(pa: PhysAddr): void;
  /** The line is no longer held. `dirty` means that its bytes were lost, not written back. */
  dropped(pa: PhysAddr, dirty: boolean): void;
}

export interface CacheLine {
  readonly set: number;
  readonly way: number;
  readonly pa: PhysAddr;
  readonly dirty: boolean;
}

/**
 * A cache as a set of tags: which lines are held and which are dirty. Contents live in guest memory, so a model decides *where the newest bytes are*,
 * not what they are. Addresses need not be aligned. A model with physical indexing ignores `va`.
 */
export interface Cache extends Stateful {
  readonly name: string;
  readonly contract: typeof CACHE_CONTRACT;
  readonly replacement: CacheReplacement;
  /** log2 of the line length in bytes. */
  readonly lineSizeLog2: number;
  readonly setCount: number;
  readonly wayCount: number;
  /**
   * One access to cacheable memory. `attributes` is the packed word of the mapping (policy and allocation hints). True for a hit; a miss allocates
   * or not as the model and the attributes say, evicting as it must.
   */
  access(va: VirtAddr, pa: PhysAddr, write: boolean, attributes: number, sink: CacheEvictionSink): boolean;
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
  /** Valid lines, by set and then by way. */
  lines(): Iterable<CacheLine>;
}

import type { VirtAddr } from './addresses.js';

/** Told of what no longer hits as it did. */
export interface HitPort {
  /** Translations around `va`, of 2^sizeLog2 bytes. */
  translationsChanged(va: VirtAddr, sizeLog2: number): void;
  /** The line of this number is no longer held. */
  lineDropped(line: number): void;
  /** The line of this number is no longer dirty. */
  lineCleaned(line: number): void;
}

/**
 * A set-associative cache in guest memory: byte offset of its tags (doubles: lines by their numbers, PA divided by the length of a line, or less than 0), set by set,
 * and of a byte for each of these, not 0 when the line is dirty.
 */
export interface CachePlace {
  readonly tags: number;
  readonly dirty: number;
  readonly setMask: number;
  readonly wayCount: number;
}

/**
 * Lines that have been stored to, whose old bytes are kept, in guest memory. Where a level's views of a line differ bits of its shadow byte say how; a store to a line
 * with none of them needs more than is done here.
 */
export interface ViewPlaces {
  /** A word for each line of the memory, of those that differ: the number of its view and 1. */
  readonly slots: number;
  /** The views: what the next level has. As long as a line each. */
  readonly lower: number;
  /** A byte for each page of the memory: not 0 when a line of it is not to be written back here, since it may be code. */
  readonly codePages: number;
  /** Bits of a shadow byte: the L1 has newer bytes, the L2 has, any difference; those that a store ends, and those that a write-back ends. */
  readonly dirty: number;
  readonly dirtyBelow: number;
  readonly differs: number;
  readonly endedByStore: number;
  readonly endedByWriteBack: number;
}

/**
 * Accesses that the first level of the TLB lets through and the L1, of two ways and LRU, has, or has not while the next level has them: what else is so when they change
 * nothing but counters, the order of use, and a line that the L1 gives up and the next level has. Offsets in guest memory.
 */
export interface MissPath {
  /** RAM in lines: the first one's number, its number from the memory's beginning, how many there are. */
  readonly firstLine: number;
  readonly hostLine: number;
  readonly lineCount: number;
  /** A byte for each line of the memory, and its bits with which a clean line that is given up, or one that is loaded, has more to it. */
  readonly shadow: number;
  readonly givenUp: number;
  readonly loaded: number;
  readonly first: CachePlace;
  /** The set of the L1 is chosen by VA. */
  readonly virtuallyIndexed: boolean;
  /** The L2; undefined: memory. */
  readonly second: CachePlace | undefined;
  /** Undefined: stores, and dirty lines that are given up, are no such accesses. */
  readonly views: ViewPlaces | undefined;
  /** Whether loads, or stores, with these attributes from the page with the byte at `host` may be such. It holds as long as {@link HitPath.lineAt}. */
  applies(host: number, attributes: number, isStore: boolean): boolean;
  count(counts: MissCounts): void;
}

/** So many were in the L1, so many not; for so many of these it gave up a line, and so many of these were dirty. */
export interface MissCounts {
  readonly loadsFound: number;
  readonly loadsMissed: number;
  readonly storesFound: number;
  readonly storesMissed: number;
  readonly evictions: number;
  readonly writeBacks: number;
}

/**
 * One side (data or fetch) of models that count each access, for code that knows what hits their first level and has it counted afterwards. What holds of an
 * address ends when the {@link HitPort} or the tables of translations (`FastTablePort`, `CachedMemoryPort`) are told so.
 */
export interface HitPath {
  /** log2 of a line's length. */
  readonly lineSizeLog2: number;
  /** Number, 0 to 65,535, of the one translation in the TLB's first level that a look-up of `va` would hit; -1 when there is none, or more than one. */
  translationAt(va: VirtAddr): number;
  /**
   * Number, 0 to 65,535, of the line that an access at `va`, whose byte is at `host` in guest memory, with these attributes would hit in the L1 cache with
   * nothing changed but counters and the order of use; -1 when it would not.
   */
  lineAt(va: VirtAddr, host: number, attributes: number): number;
  /**
   * A load or store of which nothing is known goes through the caches, as with `CachedMemory.note`. Result: as {@link lineAt}, of a line that is dirty when it was
   * stored to.
   */
  access(va: VirtAddr, host: number, isStore: boolean, attributes: number): number;
  /** Offset in guest memory of halfwords that hits change: a hit of line n makes halfword n >>> 1 to n. -1 when the order of use does not matter. */
  readonly pairs: number;
  /** So many accesses hit, and as many looks at the TLB, the last of them at translation `last`. The order of use is noted already. */
  hit(reads: number, writes: number, looks: number, last: number): void;
  /** One look at the TLB hit this translation. */
  look(translation: number): void;
  connect(port: HitPort): void;
  /** Of data, where the models are such. Slots of the L1 are numbered as its lines are. */
  readonly misses?: MissPath;
}

export interface HitPaths {
  readonly data: HitPath;
  readonly fetch: HitPath;
  /** Offset in guest memory, a multiple of 8, of as much as was asked for, for whoever uses these paths. */
  readonly room: number;
}

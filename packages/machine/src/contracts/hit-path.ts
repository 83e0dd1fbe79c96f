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
}

export interface HitPaths {
  readonly data: HitPath;
  readonly fetch: HitPath;
}

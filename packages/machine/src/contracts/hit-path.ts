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
  /**
   * What an access at `va`, whose byte is at `host` in guest memory, with these attributes would be: the line's number in bits 31:16, the translation's in
   * 15:0. -1 unless it would hit the first levels of TLB and cache and change nothing but their counters and times.
   */
  find(va: VirtAddr, host: number, attributes: number): number;
  /** The line that `find` found is dirty. */
  isDirty(va: VirtAddr, host: number): boolean;
  /** Offset in guest memory of a double for each line, by its number: when it was used last, as {@link clock} counts. -1 when the order does not matter. */
  readonly stamps: number;
  /** Accesses so far: the next is one more. */
  readonly clock: number;
  /** So many accesses hit, and as many looks at the TLB, the last of them at translation `last`. Their times are noted already. */
  hit(reads: number, writes: number, looks: number, last: number): void;
  connect(port: HitPort): void;
}

export interface HitPaths {
  readonly data: HitPath;
  readonly fetch: HitPath;
}

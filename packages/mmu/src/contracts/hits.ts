import type { PhysAddr, VirtAddr } from '@tablewalk/machine/contracts';

/*
 * What a model offers to code that finds hits by itself and has them counted afterwards. A model without it is right as it is, and asked at each access. One
 * that has it promises that a hit of its first level changes nothing but what is said here.
 */

/** The first level of a TLB on one side of the core. */
export interface TlbHits {
  /** Number, 0 to 65,535, of the one entry that a look-up of `va` would hit; -1 when none would, or when more than one translates it. */
  entryAt(va: VirtAddr, asid: number): number;
  /** `count` look-ups were hits, the last of them of entry `last`. */
  hit(count: number, last: number): void;
  /** Told of each mapping that this level takes up or gives up: of what is around `va`, 2^sizeLog2 bytes. One for each side that it serves. */
  readonly listeners: ((va: VirtAddr, sizeLog2: number) => void)[];
}

/** An L1 cache that is write-back. */
export interface CacheHits {
  /**
   * A number, 0 to 65,535, for the line that is held for these addresses; -1 when it is not. Two lines may have one number when the order of use does not
   * matter ({@link pairCount} is 0).
   */
  lineAt(va: VirtAddr, pa: PhysAddr): number;
  /** The line that is held for these addresses is dirty. */
  isDirty(va: VirtAddr, pa: PhysAddr): boolean;
  /** Halfwords that hits change: a hit of line n makes halfword n >>> 1 to n, whose bit 0 is the one of two that was used last. 0 when the order of use does not matter. */
  readonly pairCount: number;
  /** Moves these halfwords there: as many as {@link pairCount}. */
  placePairs(halfwords: Uint16Array): void;
  /** So many reads and writes were hits, the writes of lines that were dirty already. The order of use is noted already. */
  hit(reads: number, writes: number): void;
  /** Told of each line that is given up, and of each that is clean from now on, by its number. */
  listener: { lineDropped(line: number): void; lineCleaned(line: number): void } | null;
}

import type { Stateful, VirtAddr } from '@tablewalk/machine/contracts';
import type { TlbHits } from './hits.js';

/**
 * A TLB model holds translations as integers in a typed array: an entry is {@link TLB_ENTRY_WORDS} consecutive words at an offset that is a
 * multiple of it.
 *
 *     word 0   VA of the first byte, aligned on the size
 *     word 1   size log2 (7:0), ASID (15:8), global (16), descriptor level (18:17), log2 of the whole mapping's size (24:19), locked (30), valid (31)
 *     word 2   PA[31:0] of the first byte
 *     word 3   PA[39:32] (7:0)
 *     word 4   AP[2:0] (2:0), XN (3), PXN (4), domain (8:5), contiguous (9)
 *     word 5   attributes, packed as the MMU packs them
 *     word 6   address [31:0] of the descriptor it came from
 *     word 7   address [39:32] of the descriptor (7:0)
 *
 * A model may hold a piece of a mapping (a micro-TLB of 4 KB pages splinters a section). Then the size and the addresses are the piece's, and bits
 * 24:19 of word 1 the log2 of the size of what it is a piece of; they are 0 in an entry that is a whole mapping.
 *
 * An entry of a {@link WalkCache} says where the next table is: words 0 and 1 are the range that the table descriptor maps, its ASID and its level,
 * never global; words 2 and 3 the PA of the table; word 4 PXN (4) and domain (8:5) of a short descriptor, bits 63:59 of a long one in 14:10, those of
 * the tables above ORed in; word 5 nothing.
 */
export const TLB_ENTRY_WORDS = 8;
export const TLB_ENTRY_VALID = 0x80000000;
/** In an entry given to `insert`: put it where it stays, if there is such a place. In an entry held: it is there. */
export const TLB_ENTRY_LOCKED = 0x40000000;
export const TLB_ENTRY_GLOBAL = 0x10000;
/** Shift of the whole mapping's size in word 1. */
export const TLB_ENTRY_WHOLE_SHIFT = 19;

/** Which half of a TLB a maintenance operation is for (ITLBI*, DTLBI*, TLBI*). A unified structure takes each of them as for both (B4.2.2). */
export const TLB_SIDE_INSTRUCTION = 1;
export const TLB_SIDE_DATA = 2;
export const TLB_SIDE_BOTH = 3;
export type TlbSide = 1 | 2 | 3;

/** Version of {@link Tlb} that a model was written for. */
export const TLB_CONTRACT = 2;

/** How a model chooses what to give up. `needs-hits` is exact only when every hit is reported to it (the `measured` fidelity). */
export type TlbReplacement = 'fifo' | 'random' | 'needs-hits';

/**
 * Told of each translation that a model no longer has, whatever the reason, while its words are still readable. It hears of it at the latest when no
 * entry is left, on either side, that gives the translation: what was made from an entry may be kept until then. To report what is still held
 * is allowed, not to report what is gone is a fault.
 */
export interface TlbEvictionSink {
  evicted(arena: Uint32Array, offset: number): void;
}

/**
 * Table descriptors that walks met, so that a later walk starts at the lower level. Filled and asked by the walker; invalidated by the maintenance of
 * the {@link Tlb} that it belongs to. A table descriptor is never global: an operation that names an ASID needs that ASID, and TLBIASID takes
 * all of its ASID (B3.10.1).
 */
export interface WalkCache {
  /** Where the entries are, as in {@link Tlb.arena}. */
  readonly arena: Uint32Array;
  /** Offset in `arena` of the table descriptor nearest to the end of the walk of `va` in this address space, or -1. */
  lookup(va: VirtAddr, asid: number): number;
  /** Copies the entry (TLB_ENTRY_WORDS words at 0) in. */
  insert(entry: Readonly<Uint32Array>): void;
  /** As {@link Tlb.entries}. */
  entries(): Iterable<number>;
}

/**
 * A TLB, of however many levels, as the core's two sides see it. `fetch` is true for the instruction side: micro-TLBs and split TLBs differ by it,
 * a unified one ignores it.
 */
export interface Tlb extends Stateful {
  readonly name: string;
  readonly contract: typeof TLB_CONTRACT;
  readonly replacement: TlbReplacement;
  /**
   * Where the entries are. Words may be read at any time, and change only inside the methods below. A model that grows replaces the array inside
   * `insert` and `restore`: take it from here after each of them.
   */
  readonly arena: Uint32Array;
  /** The cache of table descriptors, of a model that has one. */
  readonly walks?: WalkCache;
  /** For code that finds hits by itself. */
  readonly hits?: { readonly instruction: TlbHits; readonly data: TlbHits };
  /**
   * Offset in `arena` of the entry that translates `va` in this address space (equal ASID, or global), or -1. It holds until the next call of any
   * method. A hit in a lower level may fill an upper one, which may evict.
   */
  lookup(va: VirtAddr, asid: number, fetch: boolean, sink: TlbEvictionSink): number;
  /**
   * Copies the entry (TLB_ENTRY_WORDS words at 0) in, evicting as it must. Held entries with the same VA, size and address space are replaced. A
   * model of no capacity keeps nothing.
   */
  insert(entry: Readonly<Uint32Array>, fetch: boolean, sink: TlbEvictionSink): void;
  /** Every entry that is not locked. */
  invalidateAll(side: TlbSide, sink: TlbEvictionSink): void;
  /** Entries of mappings that cover `va` and are global or of this ASID, locked ones too. */
  invalidateMva(va: VirtAddr, asid: number, side: TlbSide, sink: TlbEvictionSink): void;
  /** Non-global entries of this ASID, locked ones too. */
  invalidateAsid(asid: number, side: TlbSide, sink: TlbEvictionSink): void;
  /** Entries of mappings that cover `va`, of every ASID, that are not locked (as on Cortex-A9: DDI 0388I, 4.2.27). */
  invalidateMvaAllAsid(va: VirtAddr, side: TlbSide, sink: TlbEvictionSink): void;
  /**
   * Gives up one translation, with all its copies, or one entry of the walk cache: an eviction that the architecture allows at any time. `random` (32
   * bits, unsigned) chooses; the same number after the same history chooses the same. Locked entries stay. False when there is nothing to give up.
   */
  evictOne(random: number, sink: TlbEvictionSink): boolean;
  /** As after power-on: entries, locks, replacement state and counters. */
  reset(sink: TlbEvictionSink): void;
  /** Offsets in `arena` of the valid entries of all levels, in an order that is the same for the same history. */
  entries(): Iterable<number>;
  /** Counters by name, such as `micro instruction hits`. Names are the model's own and always the same; they are not part of a snapshot. */
  stats(): Record<string, number>;
  resetStats(): void;
}

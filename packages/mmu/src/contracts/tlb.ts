import type { Stateful, VirtAddr } from '@tablewalk/machine/contracts';

/**
 * A TLB model holds translations as integers in a typed array: an entry is {@link TLB_ENTRY_WORDS} consecutive words at an offset that is a
 * multiple of it.
 *
 *     word 0   VA of the first byte, aligned on the size
 *     word 1   size log2 (7:0), ASID (15:8), global (16), descriptor level (18:17), valid (31)
 *     word 2   PA[31:0] of the first byte
 *     word 3   PA[39:32] (7:0)
 *     word 4   AP[2:0] (2:0), XN (3), PXN (4), domain (8:5), contiguous (9)
 *     word 5   attributes, packed as the MMU packs them
 *     word 6   address [31:0] of the descriptor it came from
 *     word 7   address [39:32] of the descriptor (7:0)
 */
export const TLB_ENTRY_WORDS = 8;
export const TLB_ENTRY_VALID = 0x80000000;
export const TLB_ENTRY_GLOBAL = 0x10000;

/** Version of {@link Tlb} that a model was written for. */
export const TLB_CONTRACT = 1;

/** How a model chooses what to give up. `needs-hits` is exact only when every hit is reported to it (the `measured` fidelity). */
export type TlbReplacement = 'fifo' | 'random' | 'needs-hits';

/** Told of each entry that a model gave up, whatever the reason, while its words are still readable. */
export interface TlbEvictionSink {
  evicted(arena: Uint32Array, offset: number): void;
}

export interface Tlb extends Stateful {
  readonly name: string;
  readonly contract: typeof TLB_CONTRACT;
  readonly replacement: TlbReplacement;
  /** Where the entries are. Words may be read at any time, and change only inside the methods below. */
  readonly arena: Uint32Array;
  /** Offset in `arena` of the entry that translates `va` in this address space (equal ASID, or global), or -1. */
  lookup(va: VirtAddr, asid: number): number;
  /** Copies the entry (TLB_ENTRY_WORDS words at 0) in, evicting as it must. A model of no capacity keeps nothing. */
  insert(entry: Readonly<Uint32Array>, sink: TlbEvictionSink): void;
  invalidateAll(sink: TlbEvictionSink): void;
  /** Entries that cover `va` and are global or of this ASID. */
  invalidateMva(va: VirtAddr, asid: number, sink: TlbEvictionSink): void;
  /** Non-global entries of this ASID. */
  invalidateAsid(asid: number, sink: TlbEvictionSink): void;
  /** Entries that cover `va`, of every ASID. */
  invalidateMvaAllAsid(va: VirtAddr, sink: TlbEvictionSink): void;
  /** Offsets in `arena` of the valid entries, in an order that is the same for the same history. */
  entries(): Iterable<number>;
}

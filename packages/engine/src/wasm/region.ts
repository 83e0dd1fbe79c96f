import type { Builder } from '../builder.js';

/** Straight code within a region: instructions [first, end) of its builder. Only the last of them may exit. */
export interface RegionBlock {
  /** Offset of its first instruction from the page. */
  readonly offset: number;
  readonly first: number;
  end: number;
  /** Offset of the instruction after its last. */
  next: number;
  /** It leaves ITSTATE set, or something else that only the core's dispatch understands: every way out goes there. */
  resyncs: boolean;
  /** Offsets that its computed jump has been seen to lead to. */
  targets: readonly number[];
}

/** What one function is made of: blocks of one page, the head first. ITSTATE is 0 at the beginning of each. */
export interface Region {
  readonly builder: Builder;
  readonly blocks: readonly RegionBlock[];
}

/** Of the state that a translation depends on, what the emitter needs to know. */
export interface RegionMode {
  readonly privileged: boolean;
  readonly thumb: boolean;
  /** SCTLR.A. */
  readonly alignmentChecked: boolean;
  /** Decode mode as the jump table has it. */
  readonly key: number;
}

/** How code is written when somebody compares what it does. */
export interface RegionVariant {
  /** False: each region comes back to whoever runs it at its exits, calls too. Default true. */
  readonly linked?: boolean;
  /** The state word STORE_HASH goes on with each store (store-hash.ts). Default false. */
  readonly hashesStores?: boolean;
}

/** The block that `builder` holds as a region of its own. */
export const singleBlock = (builder: Builder): Region => ({
  builder,
  blocks: [{ offset: builder.offsets[0]!, first: 0, end: builder.offsets.length, next: builder.nextOffset, resyncs: false, targets: [] }],
});

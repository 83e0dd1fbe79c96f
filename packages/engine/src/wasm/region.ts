import type { Builder } from '../builder.js';
import type { PlainAccess } from './plain-access.js';

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
  /**
   * Offsets of instructions whose accesses leave often: there, and at what is the interpreter's anyway, the interpreter is called for the one instruction
   * ({@link StepSite}). Absent: nothing is called, everything leaves.
   */
  readonly steps?: ReadonlySet<number>;
}

/** An instruction at which a region calls the interpreter. */
export interface StepSite {
  /** From the page, and that of the instruction after it. */
  readonly offset: number;
  readonly next: number;
  readonly itstate: number;
  /** What it is, when that is simple. */
  readonly plain: PlainAccess | undefined;
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

/** A region of the same module, which may be called without the table of regions once the jump table has it. */
export interface Sibling {
  /** Its number among the module's own functions. */
  readonly number: number;
  readonly slot: number;
}

/** Where the shadow bytes of modelled caches are in the memory: one for each 2^log2 bytes of it. Bit 0 of a byte: the line is dirty. */
export interface ShadowPlace {
  readonly offset: number;
  readonly log2: number;
}

/** Where accesses are counted: log2 of the lines' lengths, and where in the memory halfword n >>> 1 becomes n with a hit of line n, or -1. */
export interface HitPlaces {
  readonly dataLog2: number;
  readonly dataPairs: number;
  readonly fetchLog2: number;
  readonly fetchPairs: number;
}

/** How the code of one core is written. */
export interface RegionVariant {
  /** Given when the core's caches are modelled: stores go straight to dirty lines only. */
  readonly shadow?: ShadowPlace;
  /** Given when every access is counted: hits of the first levels go straight. */
  readonly hits?: HitPlaces;
  /** False: each region comes back to whoever runs it at its exits, calls too: for who compares. Default true. */
  readonly linked?: boolean;
  /** The state word STORE_HASH goes on with each store (store-hash.ts), for who compares. Default false. */
  readonly hashesStores?: boolean;
}

/** The block that `builder` holds as a region of its own. */
export const singleBlock = (builder: Builder): Region => ({
  builder,
  blocks: [{ offset: builder.offsets[0]!, first: 0, end: builder.offsets.length, next: builder.nextOffset, resyncs: false, targets: [] }],
});

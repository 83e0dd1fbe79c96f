import type { Code } from './codes.js';
import type { Geometry } from './geometry.js';
import type { PageDescriptors } from './page-descriptors.js';
import type { Words } from './words.js';

/** Version of {@link AllocatorPlugin} and {@link PageAllocator} that a plugin was written for. */
export const ALLOCATOR_CONTRACT = 1;

/** Where a run may lie. Page numbers are absolute, in pages of the geometry; logarithms are 0 to 30. */
export interface Constraints {
  /** The run starts at a multiple of `1 << alignLog2` pages. */
  readonly alignLog2?: number;
  /** The run starts at this page or above it. */
  readonly min?: number;
  /** The run ends at or before this page (end exclusive). May lie beyond the geometry. */
  readonly max?: number;
  /** The run does not cross a multiple of `1 << boundaryLog2` pages. */
  readonly boundaryLog2?: number;
}

/** What a plugin promises. The conformance kit holds it to that. */
export interface AllocatorCapabilities {
  /** Never answers `EXHAUSTED` while a fit exists (for `alignment: 'natural'`: a natural fit). */
  readonly complete: boolean;
  /** Any range of taken pages can be freed, across the borders of allocations too. Otherwise exactly what was allocated, or reserved. */
  readonly partialFree: boolean;
  /** `reserve` works. */
  readonly reserve: boolean;
  /** `resize` works. */
  readonly resize: boolean;
  /**
   * `any`: every start is possible. `natural`: a run of n pages takes the next power of two of pages at a multiple of that power;
   * `alignLog2` above its own may be `UNSUPPORTED`.
   */
  readonly alignment: 'any' | 'natural';
  /** `lowest`: a run is always the lowest one that fits, so that placements are those of every other such plugin. */
  readonly placement?: 'lowest';
  /** Keeps words in the free pages themselves, so it needs {@link Hooks.pageWords}. */
  readonly inBand?: boolean;
  /** The most pages that one allocation can have; larger ones are `UNSUPPORTED`. */
  readonly maxPages?: number;
}

/** What is wrong, as {@link PageAllocator.check} and {@link Hooks.violation} report it. */
export interface Violation {
  /** The rule that is broken, in kebab-case: `runs-ordered`, `free-count`. */
  readonly rule: string;
  readonly message: string;
  readonly page?: number;
  /** Index of the metadata word. */
  readonly word?: number;
}

/** What surrounds an allocator. */
export interface Hooks {
  /** Words over the managed pages themselves: index 0 is the first word of page `firstPage`. In-band plugins need them. */
  readonly pageWords?: Words;
  /** Told in detail when an operation answers `CORRUPT`. */
  violation?(violation: Violation): void;
}

/** A picture of the managed pages, in pages. Taking it may walk all the metadata. */
export interface Stats {
  readonly pageCount: number;
  readonly freePages: number;
  /** Maximal runs of free pages. */
  readonly freeRuns: number;
  readonly largestFreeRun: number;
}

/** Told of a run, in ascending order. It may not call the allocator's operations: they answer `BUSY`. */
export type RunVisitor = (start: number, pages: number, free: boolean) => void;

/**
 * An allocator of runs of pages. Everything it remembers is in the words it was made over. Operations answer a {@link Code}, and one that
 * is negative has changed nothing.
 */
export interface PageAllocator {
  /** The plugin's name. */
  readonly name: string;
  /** Takes a run of `pages` pages; its first page, or a negative code. */
  allocate(pages: number, constraints?: Constraints): number;
  /** Takes exactly these pages, which must be free. They are given back as an allocation is. */
  reserve(start: number, pages: number): Code;
  free(start: number, pages: number): Code;
  /** Makes the run `to` pages long where it is; `EXHAUSTED` if what follows it is taken or ends. */
  resize(start: number, from: number, to: number): Code;
  /**
   * Visits runs that together tile the managed pages. Free runs are maximal; taken ones may be one a allocation or merged. For
   * `alignment: 'natural'` a run that was rounded up is taken whole.
   */
  forEachRun(visit: RunVisitor): void;
  stats(): Stats;
  /** Reads all the metadata and reports what contradicts itself. Never throws, whatever the words hold, and always ends. */
  check(): Violation[];
  /** The page descriptors that the allocator keeps, if it keeps any: object caches and kernels share them. */
  readonly descriptors?: PageDescriptors;
}

/**
 * A kind of allocator. Plugins are what a factory returns: `bitmapTree()`. `create` and `attach` throw an `AllocError` of kind `geometry` or
 * `attach` for what they cannot manage, and touch only the first `metadataWords(geometry)` words (and, in-band, free pages).
 */
export interface AllocatorPlugin {
  readonly contract: typeof ALLOCATOR_CONTRACT;
  /** `vendor/name`, shown in errors and reports. */
  readonly name: string;
  readonly capabilities: AllocatorCapabilities;
  /** The number of words that `create` uses for this geometry, at most its `maxMetadataWords`; throws if that does not suffice. */
  metadataWords(geometry: Geometry): number;
  /**
   * Upper bound of the loads and stores of one `allocate` without constraints, `free`, `reserve` or `resize` of `pages` pages (the larger count),
   * in metadata and in pages. Without it none is promised.
   */
  accessBound?(geometry: Geometry, pages: number): number;
  /** Formats the words: every page is free. Words need not be zero. */
  create(words: Words, geometry: Geometry, hooks?: Hooks): PageAllocator;
  /** Takes up what `create` made over the same words, or over a copy of them, and leaves them as they are. */
  attach(words: Words, geometry: Geometry, hooks?: Hooks): PageAllocator;
}

import type { Code } from './codes.js';
import type { Geometry } from './geometry.js';
import type { PageAllocator, Violation } from './page-allocator.js';
import type { PageDescriptors } from './page-descriptors.js';
import type { Words } from './words.js';

/** Version of {@link ObjectCachePlugin} and {@link ObjectCache} that a plugin was written for. */
export const OBJECT_CACHE_CONTRACT = 1;

/**
 * One kind of object. An object is named by the index of its first word in the words over the managed pages ({@link ObjectSurroundings.memory}):
 * byte address `firstPage * pageBytes + 4 * index`, which {@link objectAddress} and {@link objectAtAddress} convert. So a client reads and
 * writes it through the same words, and a cache finds its page, and from the page's descriptor everything else, by a shift.
 */
export interface ObjectKind {
  /** Shown in reports, as `kmalloc-64`. */
  readonly name: string;
  /** 1 to 65535, different for every cache over the same descriptors: it is the owner of the cache's pages. */
  readonly id: number;
  /** Length in bytes, at least 1; caches round it up to whole words and to the alignment. */
  readonly objectBytes: number;
  /** log2 of the alignment in bytes, 2 (the default) up to the page's own. */
  readonly alignLog2?: number;
}

/** What a cache stands on. */
export interface ObjectSurroundings {
  /** Where its pages come from. */
  readonly pages: PageAllocator;
  /** That allocator's geometry. */
  readonly geometry: Geometry;
  /** Words over the managed pages: index 0 is the first word of page `firstPage`. */
  readonly memory: Words;
  /** Descriptors of at least the managed pages: `pages.descriptors`, or the embedder's own. */
  readonly descriptors: PageDescriptors;
  /** Told in detail when an operation answers `CORRUPT`. */
  violation?(violation: Violation): void;
}

export interface ObjectCacheStats {
  /** Length of an object's place in bytes, rounding included. */
  readonly objectBytes: number;
  readonly liveObjects: number;
  /** Places in the pages that the cache holds, taken or free. */
  readonly capacity: number;
  readonly pagesHeld: number;
}

/** Objects of one size in pages of a page allocator. Everything it remembers is in words: its own, the descriptors, the pages it holds. */
export interface ObjectCache {
  /** The plugin's name. */
  readonly name: string;
  readonly kind: ObjectKind;
  /** Takes an object; its word index, or a negative code (`EXHAUSTED`, or what the page allocator answered). Contents are undefined. */
  allocate(): number;
  /**
   * Gives an object back; needs no size. `BAD_COUNT` for what is not an integer, `OUT_OF_RANGE` outside the managed pages, `FOREIGN` for a
   * page that this cache does not hold, `INTERIOR` inside an object or its page's slack, `NOT_ALLOCATED` for one that is free.
   */
  free(object: number): Code;
  /** Gives pages without objects back to the page allocator; how many. */
  shrink(): number;
  /** Visits live objects in ascending order. The visitor may not call the cache's operations: they answer `BUSY`. */
  forEachObject(visit: (object: number) => void): void;
  stats(): ObjectCacheStats;
  /** Reads all the metadata and reports what contradicts itself. Never throws, and always ends. */
  check(): Violation[];
}

/** What an object-cache plugin promises. */
export interface ObjectCacheCapabilities {
  /** The largest object in bytes, for pages of `1 << pageShift` bytes. */
  maxObjectBytes(pageShift: number): number;
  /** Never answers `EXHAUSTED` while it has a free place, or the page allocator a page run. */
  readonly complete: boolean;
}

/** A kind of object cache. Plugins are what a factory returns: `slab()`. */
export interface ObjectCachePlugin {
  readonly contract: typeof OBJECT_CACHE_CONTRACT;
  /** `vendor/name`, shown in errors and reports. */
  readonly name: string;
  readonly capabilities: ObjectCacheCapabilities;
  /** The words of its own that one cache needs. Throws an `AllocError` of kind `options` or `geometry` for what it cannot hold. */
  metadataWords(kind: ObjectKind, geometry: Geometry): number;
  /** Formats its words: an empty cache that holds no page. */
  create(words: Words, kind: ObjectKind, surroundings: ObjectSurroundings): ObjectCache;
  /**
   * Takes up what `create` made over the same words, or over a copy of all of them, pages and descriptors included. Throws an `AllocError` of kind
   * `attach` for words that hold nothing, or another cache's state.
   */
  attach(words: Words, kind: ObjectKind, surroundings: ObjectSurroundings): ObjectCache;
}

/** The byte address of an object: a number that may need more than 32 bits. */
export function objectAddress(object: number, geometry: Geometry): number {
  return geometry.firstPage * 2 ** geometry.pageShift + object * 4;
}

/** The object at a byte address; not an integer, and so refused by every cache, for an address between words. */
export function objectAtAddress(address: number, geometry: Geometry): number {
  return (address - geometry.firstPage * 2 ** geometry.pageShift) / 4;
}

import type { AllocatorPlugin, Geometry, ObjectCache, PageAllocator, Words } from '@tablewalk/alloc';
import {
  allocatorMetadataWords,
  bitmapTree,
  createAllocator,
  createObjectCache,
  DESCRIPTOR_WORDS,
  hostWords,
  knr,
  pageDescriptors,
  zoneList,
} from '@tablewalk/alloc';
import { buddy } from '@tablewalk/alloc-buddy';
import { slab } from '@tablewalk/alloc-slab';
import type { Subject } from './replay.js';

/** Ours: the same objects that users get, over words that are handed in. */
export const PAGES = 1 << 18;

export interface Ours extends Subject {
  /** The pages of the largest free run at a multiple of so many, to see whether a refusal was right. */
  hasFit(pages: number): boolean;
  /** Of a power of two of pages: counts for fullness, as it counts for the allocator. */
  readonly rounds: boolean;
}

const geometry: Geometry = { firstPage: 0x40000, pageCount: PAGES, pageShift: 4 };

class PageSubject implements Ours {
  readonly rounds: boolean;
  private readonly allocator: PageAllocator;

  constructor(plugin: AllocatorPlugin, wrap: (words: Words) => Words) {
    const words = wrap(hostWords(allocatorMetadataWords(plugin, geometry)));
    const hooks = plugin.capabilities.inBand ? { pageWords: wrap(hostWords(PAGES * 4)) } : undefined;
    this.allocator = createAllocator(plugin, geometry, words, hooks);
    this.rounds = plugin.capabilities.alignment === 'natural';
  }

  allocate(pages: number): number {
    return this.allocator.allocate(pages);
  }

  free(start: number, pages: number): void {
    if (this.allocator.free(start, pages) !== 0) throw new Error(`${this.allocator.name} does not free ${pages} pages at ${start}`);
  }

  hasFit(pages: number): boolean {
    const length = this.rounds ? 2 ** Math.ceil(Math.log2(pages)) : pages;
    let fits = false;
    this.allocator.forEachRun((start, count, free) => {
      const first = this.rounds ? Math.ceil(start / length) * length : start;
      if (free && first + length <= start + count) fits = true;
    });
    return fits;
  }
}

/** Objects of one size; `pages` of a request is not looked at. */
class ObjectSubject implements Ours {
  readonly rounds = false;
  private readonly pages: PageAllocator;
  private readonly cache: ObjectCache;

  constructor(objectBytes: number, wrap: (words: Words) => Words) {
    const of: Geometry = { firstPage: 0x40000, pageCount: 1 << 13, pageShift: 12 };
    const memory = wrap(hostWords(of.pageCount << 10));
    const pages = createAllocator(buddy(), of, wrap(hostWords(allocatorMetadataWords(buddy(), of))));
    const descriptors = pages.descriptors ?? pageDescriptors(hostWords(DESCRIPTOR_WORDS * of.pageCount), 0, of.firstPage, of.pageCount);
    this.pages = pages;
    this.cache = createObjectCache(slab(), { name: 'objects', id: 1, objectBytes }, { pages, geometry: of, memory, descriptors });
  }

  allocate(): number {
    return this.cache.allocate();
  }

  free(object: number): void {
    if (this.cache.free(object) !== 0) throw new Error(`slab does not free object ${object}`);
  }

  hasFit(): boolean {
    return this.pages.stats().freePages > 0;
  }
}

export const ours: Readonly<Record<string, (wrap: (words: Words) => Words) => Ours>> = {
  buddy: (wrap) => new PageSubject(buddy(), wrap),
  bitmapTree: (wrap) => new PageSubject(bitmapTree(), wrap),
  zoneList: (wrap) => new PageSubject(zoneList(), wrap),
  knr: (wrap) => new PageSubject(knr(), wrap),
  'slab 64 B': (wrap) => new ObjectSubject(64, wrap),
};

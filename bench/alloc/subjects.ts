import type { AllocatorPlugin, Geometry, Words } from '@tablewalk/alloc';
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

const pageSubject = (plugin: AllocatorPlugin, wrap: (words: Words) => Words): Ours => {
  const words = wrap(hostWords(allocatorMetadataWords(plugin, geometry)));
  const hooks = plugin.capabilities.inBand ? { pageWords: wrap(hostWords(PAGES * 4)) } : undefined;
  const allocator = createAllocator(plugin, geometry, words, hooks);
  const rounds = plugin.capabilities.alignment === 'natural';
  return {
    rounds,
    allocate: (pages) => allocator.allocate(pages),
    free: (start, pages) => {
      if (allocator.free(start, pages) !== 0) throw new Error(`${plugin.name} does not free ${pages} pages at ${start}`);
    },
    hasFit(pages) {
      const length = rounds ? 2 ** Math.ceil(Math.log2(pages)) : pages;
      let fits = false;
      allocator.forEachRun((start, count, free) => {
        const first = rounds ? Math.ceil(start / length) * length : start;
        if (free && first + length <= start + count) fits = true;
      });
      return fits;
    },
  };
};

/** Objects of one size; `pages` of a request is not looked at. */
const objectSubject = (objectBytes: number, wrap: (words: Words) => Words): Ours => {
  const of: Geometry = { firstPage: 0x40000, pageCount: 1 << 13, pageShift: 12 };
  const memory = wrap(hostWords(of.pageCount << 10));
  const pages = createAllocator(buddy(), of, wrap(hostWords(allocatorMetadataWords(buddy(), of))));
  const descriptors = pages.descriptors ?? pageDescriptors(hostWords(DESCRIPTOR_WORDS * of.pageCount), 0, of.firstPage, of.pageCount);
  const cache = createObjectCache(slab(), { name: 'objects', id: 1, objectBytes }, { pages, geometry: of, memory, descriptors });
  return {
    rounds: false,
    allocate: () => cache.allocate(),
    free: (object) => {
      if (cache.free(object) !== 0) throw new Error(`slab does not free object ${object}`);
    },
    hasFit: () => pages.stats().freePages > 0,
  };
};

export const ours: Readonly<Record<string, (wrap: (words: Words) => Words) => Ours>> = {
  buddy: (wrap) => pageSubject(buddy(), wrap),
  bitmapTree: (wrap) => pageSubject(bitmapTree(), wrap),
  zoneList: (wrap) => pageSubject(zoneList(), wrap),
  knr: (wrap) => pageSubject(knr(), wrap),
  'slab 64 B': (wrap) => objectSubject(64, wrap),
};

import { AllocError, OBJECT_CACHE_CONTRACT, type ObjectCachePlugin } from '@tablewalk/alloc';
import { CACHE_WORDS, headerViolations, writeHeader } from './layout.js';
import { maxObjectBytes, NAME, slabShape } from './shape.js';
import { SlabCache } from './slab-cache.js';

/**
 * Slab caches: objects of one size in slabs of 1, 2, 4 or 8 pages of any page allocator, found again through the page descriptors. Free needs no
 * size; what is no object of the cache, lies inside one or is free already is refused. Objects of up to eight pages.
 */
export const slab = (): ObjectCachePlugin => ({
  contract: OBJECT_CACHE_CONTRACT,
  name: NAME,
  capabilities: { complete: true, maxObjectBytes },
  metadataWords(kind, geometry) {
    slabShape(kind, geometry);
    return CACHE_WORDS;
  },
  create(words, kind, surroundings) {
    const shape = slabShape(kind, surroundings.geometry);
    writeHeader(words, kind, shape);
    return new SlabCache(words, kind, surroundings, shape);
  },
  attach(words, kind, surroundings) {
    const shape = slabShape(kind, surroundings.geometry);
    const [wrong] = headerViolations(words, kind, shape);
    if (wrong) throw new AllocError('attach', NAME, `${kind.name}: ${wrong.message}`);
    return new SlabCache(words, kind, surroundings, shape);
  },
});

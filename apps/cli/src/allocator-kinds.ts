import type { AllocatorPlugin, ObjectCachePlugin } from '@tablewalk/alloc';
import { ALLOCATOR_CONTRACT, OBJECT_CACHE_CONTRACT } from '@tablewalk/alloc';
import type { PluginFactory, PluginKind } from './plugins.js';
import { UsageError } from './usage-error.js';

/** A built-in factory that takes these options and refuses others. */
const taking =
  <T>(make: PluginFactory<T>, ...names: readonly string[]): PluginFactory<T> =>
  (options) => {
    const other = Object.keys(options).find((name) => !names.includes(name));
    if (other !== undefined)
      throw new UsageError(
        `there is no option '${other}'${names.length === 0 ? '' : `; there ${names.length === 1 ? 'is' : 'are'} ${names.join(', ')}`}`,
      );
    return make(options);
  };

/** Page allocators: `--allocator`. */
export const allocatorKind: PluginKind<AllocatorPlugin> = {
  role: 'allocator',
  contract: ALLOCATOR_CONTRACT,
  builtIn: {
    bitmapTree: async () => taking((await import('@tablewalk/alloc')).bitmapTree),
    buddy: async () => taking((await import('@tablewalk/alloc-buddy')).buddy, 'maxOrder'),
    knr: async () => taking((await import('@tablewalk/alloc')).knr),
    zoneList: async () => taking((await import('@tablewalk/alloc')).zoneList),
  },
  members: { capabilities: 'object', metadataWords: 'function', create: 'function', attach: 'function' },
  stateful: false,
};

/** Object caches: `--object-cache`. */
export const objectCacheKind: PluginKind<ObjectCachePlugin> = {
  role: 'object cache',
  contract: OBJECT_CACHE_CONTRACT,
  builtIn: { slab: async () => taking((await import('@tablewalk/alloc-slab')).slab) },
  members: { capabilities: 'object', metadataWords: 'function', create: 'function', attach: 'function' },
  stateful: false,
};

import type { AllocatorPlugin, ObjectCachePlugin } from '@tablewalk/alloc';
import { ALLOCATOR_CONTRACT, OBJECT_CACHE_CONTRACT } from '@tablewalk/alloc';
import type { CacheHierarchy, CoreModelName, Tlb } from '@tablewalk/mmu';
import { CACHE_CONTRACT, TLB_CONTRACT } from '@tablewalk/mmu';
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

const CORES: readonly CoreModelName[] = ['cortex-a7', 'cortex-a8', 'cortex-a9', 'cortex-a15', 'armv7-weakest'];

/** One entry for each core that has a model. */
const ofCores = <T>(make: (name: CoreModelName) => Promise<PluginFactory<T>>): Record<string, () => Promise<PluginFactory<T>>> =>
  Object.fromEntries(CORES.map((name) => [name, () => make(name)]));

/** TLB models: `--tlb`. */
export const tlbKind: PluginKind<Tlb> = {
  role: 'TLB',
  contract: TLB_CONTRACT,
  builtIn: {
    none: async () => (await import('@tablewalk/mmu')).noneTlb,
    'retain-forever': async () => {
      const { retainForeverTlb } = await import('@tablewalk/mmu');
      return () => retainForeverTlb();
    },
    ...ofCores(async (name) => {
      const { coreModels, coreTlb } = await import('@tablewalk/mmu');
      return () => coreTlb(coreModels[name]);
    }),
  },
  members: {
    replacement: 'string',
    arena: 'object',
    lookup: 'function',
    insert: 'function',
    invalidateAll: 'function',
    invalidateMva: 'function',
    invalidateAsid: 'function',
    invalidateMvaAllAsid: 'function',
    evictOne: 'function',
    reset: 'function',
    stats: 'function',
    entries: 'function',
    snapshot: 'function',
    restore: 'function',
  },
  stateful: true,
};

/** Cache models: `--cache`. */
export const cacheKind: PluginKind<CacheHierarchy> = {
  role: 'cache',
  contract: CACHE_CONTRACT,
  builtIn: {
    none: async () => (await import('@tablewalk/mmu')).noneCaches,
    ...ofCores(async (name) => {
      const { coreCaches, coreModels } = await import('@tablewalk/mmu');
      return () => coreCaches(coreModels[name]);
    }),
  },
  members: {
    levelOfUnification: 'number',
    levelOfCoherency: 'number',
    walks: 'string',
    access: 'function',
    walk: 'function',
    cleanToUnification: 'function',
    cleanToCoherency: 'function',
    invalidateToCoherency: 'function',
    cleanInvalidateToCoherency: 'function',
    invalidateInstruction: 'function',
    invalidateInstructionAll: 'function',
    cleanSetWay: 'function',
    invalidateSetWay: 'function',
    cleanInvalidateSetWay: 'function',
    evictOne: 'function',
    reset: 'function',
    stats: 'function',
    snapshot: 'function',
    restore: 'function',
  },
  stateful: true,
};

import type { AllocatorPlugin, ObjectCachePlugin } from '@tablewalk/alloc/guest';
import { ALLOCATOR_CONTRACT, OBJECT_CACHE_CONTRACT } from '@tablewalk/alloc/guest';
import type { MemoryPolicy } from '@tablewalk/kmem';
import { POLICY_CONTRACT } from '@tablewalk/kmem';
import type { PluginKind } from '../plugins.js';

/** Allocators whose state is in guest memory: `--allocator`. The built-in ones come from entries of their own for that. */
export const guestAllocatorKind: PluginKind<AllocatorPlugin> = {
  role: 'allocator',
  contract: ALLOCATOR_CONTRACT,
  builtIn: {
    zoneList: async () => (await import('@tablewalk/alloc/guest')).zoneList,
    knr: async () => (await import('@tablewalk/alloc/guest')).knr,
    bitmapTree: async () => (await import('@tablewalk/alloc/guest')).bitmapTree,
    buddy: async () => (await import('@tablewalk/alloc-buddy/guest')).buddy,
  },
  members: { capabilities: 'object', metadataWords: 'function', create: 'function', attach: 'function' },
  stateful: false,
};

/** `--object-cache`. */
export const guestObjectCacheKind: PluginKind<ObjectCachePlugin> = {
  role: 'object cache',
  contract: OBJECT_CACHE_CONTRACT,
  builtIn: { slab: async () => (await import('@tablewalk/alloc-slab/guest')).slab },
  members: { capabilities: 'object', metadataWords: 'function', create: 'function', attach: 'function' },
  stateful: false,
};

/** `--policy`. */
export const policyKind: PluginKind<MemoryPolicy> = {
  role: 'policy',
  contract: POLICY_CONTRACT,
  builtIn: {
    directMap: async () => (await import('@tablewalk/kmem')).directMap,
    pmmVmm: async () => (await import('@tablewalk/kmem')).pmmVmm,
  },
  members: { linear: 'boolean', virtualPages: 'boolean', earlyMap: 'function', open: 'function' },
  stateful: false,
};

import type { Cache, Tlb } from '@tablewalk/mmu';
import { CACHE_CONTRACT, TLB_CONTRACT } from '@tablewalk/mmu';
import type { PluginKind } from './plugins.js';

/** TLB models: `--tlb`. */
export const tlbKind: PluginKind<Tlb> = {
  role: 'TLB',
  contract: TLB_CONTRACT,
  builtIn: { none: async () => (await import('@tablewalk/mmu')).noneTlb },
  members: {
    replacement: 'string',
    arena: 'object',
    lookup: 'function',
    insert: 'function',
    invalidateAll: 'function',
    invalidateMva: 'function',
    invalidateAsid: 'function',
    invalidateMvaAllAsid: 'function',
    entries: 'function',
    snapshot: 'function',
    restore: 'function',
  },
  stateful: true,
};

/** Cache models: `--cache`. */
export const cacheKind: PluginKind<Cache> = {
  role: 'cache',
  contract: CACHE_CONTRACT,
  builtIn: { none: async () => (await import('@tablewalk/mmu')).noneCache },
  members: {
    replacement: 'string',
    lineSizeLog2: 'number',
    setCount: 'number',
    wayCount: 'number',
    access: 'function',
    clean: 'function',
    invalidate: 'function',
    cleanInvalidate: 'function',
    cleanSetWay: 'function',
    invalidateSetWay: 'function',
    cleanInvalidateSetWay: 'function',
    invalidateAll: 'function',
    lines: 'function',
    snapshot: 'function',
    restore: 'function',
  },
  stateful: true,
};

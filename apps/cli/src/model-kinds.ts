import type { Cache, CacheHierarchy, CoreModelName, Tlb } from '@tablewalk/mmu';
import { CACHE_CONTRACT, TLB_CONTRACT } from '@tablewalk/mmu';
import type { PluginFactory, PluginKind } from './plugins.js';

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

const maintenance = {
  cleanSetWay: 'function',
  invalidateSetWay: 'function',
  cleanInvalidateSetWay: 'function',
  access: 'function',
  evictOne: 'function',
  reset: 'function',
  stats: 'function',
  snapshot: 'function',
  restore: 'function',
} as const;

const cacheMembers = {
  ...maintenance,
  replacement: 'string',
  unit: 'number',
  lineSizeLog2: 'number',
  setCount: 'number',
  wayCount: 'number',
  virtuallyIndexed: 'boolean',
  colourCount: 'number',
  writeBack: 'boolean',
  writeAllocate: 'boolean',
  clean: 'function',
  invalidate: 'function',
  cleanInvalidate: 'function',
  invalidateAll: 'function',
  lines: 'function',
} as const;

const hierarchyMembers = {
  ...maintenance,
  levelOfUnification: 'number',
  levelOfCoherency: 'number',
  walks: 'string',
  walk: 'function',
  cleanToUnification: 'function',
  cleanToCoherency: 'function',
  invalidateToCoherency: 'function',
  cleanInvalidateToCoherency: 'function',
  invalidateInstruction: 'function',
  invalidateInstructionAll: 'function',
} as const;

/** Cache models: `--cache`. A whole hierarchy, or one cache, which has a `unit`. */
export const cacheKind: PluginKind<CacheHierarchy | Cache> = {
  role: 'cache',
  contract: CACHE_CONTRACT,
  builtIn: {
    none: async () => (await import('@tablewalk/mmu')).noneCaches,
    ...ofCores(async (name) => {
      const { coreCaches, coreModels } = await import('@tablewalk/mmu');
      return () => coreCaches(coreModels[name]);
    }),
  },
  members: (found) => ('unit' in found ? cacheMembers : hierarchyMembers),
  stateful: true,
};

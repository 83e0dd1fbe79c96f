import {
  type CoreModelName,
  coreModels,
  type HierarchyTlbOptions,
  hierarchyTlb,
  retainForeverTlb,
  type SetAssociativeCacheOptions,
  setAssociativeCache,
} from '@tablewalk/mmu';
import { setConfigurations } from '../../packages/mmu/src/test-support/cache-configurations.js';
import { arrayConfigurations } from '../../packages/mmu/src/test-support/tlb-configurations.js';
import { compareCache } from './cache-agreement.js';
import { ReferenceCache } from './reference-cache.js';
import { compareTlb, referenceFor } from './tlb-agreement.js';

/** A configuration compared with its reference on a random trace; returns accesses and hits, throws at a difference. */
export interface Comparison {
  readonly name: string;
  run(seed: number, accesses: number): { accesses: number; hits: number };
}

function tlb(name: string, options: HierarchyTlbOptions): Comparison {
  const all = [
    options.microInstruction,
    options.microData,
    ...('instruction' in options.main ? [options.main.instruction, options.main.data] : [options.main]),
  ];
  const entries = all.reduce((sum, array) => sum + (array?.entries ?? 0), 0);
  return {
    name: `TLB ${name}`,
    run(seed, accesses) {
      const { lookups, hits } = compareTlb(hierarchyTlb(options), referenceFor(options), seed, accesses, Math.max(24, entries * 2));
      return { accesses: lookups, hits };
    },
  };
}

function forever(bound: number): Comparison {
  return {
    name: `TLB retain-forever, bound of ${bound}`,
    run(seed, accesses) {
      const { lookups, hits } = compareTlb(retainForeverTlb({ bound, walkCache: false }), referenceFor({ bound }), seed, accesses, 64);
      return { accesses: lookups, hits };
    },
  };
}

function cache(name: string, options: SetAssociativeCacheOptions): Comparison {
  return {
    name: `cache ${name}`,
    run: (seed, accesses) => compareCache(setAssociativeCache(options), (report) => new ReferenceCache(options, report), seed, accesses),
  };
}

/** Every kind of model, and those of the cores. */
export const comparisons: readonly Comparison[] = [
  ...Object.entries(arrayConfigurations).map(([name, options]) => tlb(name, options)),
  ...(Object.keys(coreModels) as CoreModelName[]).flatMap((name) => {
    const { tlb: options } = coreModels[name];
    return options === undefined ? [] : [tlb(name, options)];
  }),
  forever(20),
  forever(100),
  ...Object.entries(setConfigurations).map(([name, options]) => cache(name, options)),
  ...(Object.keys(coreModels) as CoreModelName[]).flatMap((name) => {
    const { instruction, data } = coreModels[name].caches;
    return [...(instruction ? [cache(`${name} L1I`, instruction)] : []), ...(data ? [cache(`${name} L1D`, data)] : [])];
  }),
];

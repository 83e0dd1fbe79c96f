import {
  type CoreModelName,
  cacheHierarchy,
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
import { compareHierarchy } from './hierarchy-agreement.js';
import { ReferenceCache } from './reference-cache.js';
import type { HierarchyShape } from './reference-hierarchy.js';
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

const l1 = { byteLength: 1024, ways: 2, replacement: 'lru' } as const;
const l2 = { ways: 4, replacement: 'random' } as const;
const whole = { inclusive: false, levelOfUnification: 1, levelOfCoherency: 2, walks: 'l1d' } as const;

const hierarchies: Readonly<Record<string, HierarchyShape>> = {
  'L1 alone': { instruction: { ...l1, lineLength: 32 }, data: { ...l1, lineLength: 32 }, ...whole, levelOfCoherency: 1 },
  'L1 and L2': {
    instruction: { ...l1, lineLength: 32 },
    data: { ...l1, lineLength: 32 },
    unified: { ...l2, byteLength: 4096, lineLength: 64 },
    ...whole,
  },
  'inclusive and tight': {
    instruction: { ...l1, byteLength: 16384, lineLength: 32, virtuallyIndexed: true },
    data: { ...l1, lineLength: 32 },
    unified: { ...l2, byteLength: 1024, lineLength: 128 },
    ...whole,
    inclusive: true,
  },
  'walks at the L2, no write allocation above': {
    data: { ...l1, lineLength: 64, writeAllocate: false },
    unified: { ...l2, byteLength: 2048, lineLength: 64 },
    ...whole,
    walks: 'l2',
  },
  'L1 write-through, L2 out of reach': {
    data: { ...l1, lineLength: 32, writeBack: false },
    unified: { ...l2, byteLength: 4096, lineLength: 32 },
    ...whole,
    levelOfCoherency: 1,
    walks: 'memory',
  },
};

function hierarchy(name: string, shape: HierarchyShape): Comparison {
  return {
    name: `hierarchy ${name}`,
    run(seed, accesses) {
      const { instruction, data, unified, ...rest } = shape;
      const caches = cacheHierarchy({
        ...rest,
        instruction: instruction ? setAssociativeCache({ ...instruction, unit: 0 }) : null,
        data: data ? setAssociativeCache({ ...data, unit: 1 }) : null,
        unified: unified ? setAssociativeCache({ ...unified, unit: 2 }) : null,
      });
      return compareHierarchy(caches, shape, seed, accesses);
    },
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
  ...Object.entries(hierarchies).map(([name, shape]) => hierarchy(name, shape)),
];

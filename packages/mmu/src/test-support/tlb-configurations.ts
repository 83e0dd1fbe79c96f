import type { Tlb } from '../contracts/tlb.js';
import { type CoreModelName, coreModels, coreTlb } from '../models/core-models.js';
import { noneTlb } from '../models/none.js';
import { retainForeverTlb } from '../models/retain-forever-tlb.js';
import { type HierarchyTlbOptions, hierarchyTlb } from '../models/tlb-models.js';

/** Every kind of TLB that is made of arrays, small enough that traces fill it many times over. */
export const arrayConfigurations: Readonly<Record<string, HierarchyTlbOptions>> = {
  'fully associative, round-robin': { main: { entries: 12 } },
  'fully associative, fifo': { main: { entries: 12, replacement: 'fifo' } },
  'fully associative, random': { main: { entries: 12, replacement: 'random', seed: 77 } },
  'fully associative, lru': { main: { entries: 12, replacement: 'lru' } },
  'fully associative, plru': { main: { entries: 16, replacement: 'plru' } },
  '8 sets of 4, round-robin': { main: { entries: 32, ways: 4 } },
  '16 sets of 2, lru': { main: { entries: 32, ways: 2, replacement: 'lru' } },
  'direct-mapped': { main: { entries: 64, ways: 1 } },
  'lockable, lru': { main: { entries: 16, replacement: 'lru', lockable: 5 } },
  'lockable, random': { main: { entries: 16, ways: 4, replacement: 'random', lockable: 3 } },
  'split, fully associative, lockable': {
    main: { instruction: { entries: 8, lockable: 4 }, data: { entries: 12, replacement: 'fifo', lockable: 4 } },
  },
  'micro and main': {
    microInstruction: { entries: 4 },
    microData: { entries: 8, replacement: 'plru', ways: 2 },
    main: { entries: 16, ways: 4 },
  },
  'micro flushed, walk cache, lockdown': {
    microInstruction: { entries: 4 },
    microData: { entries: 4 },
    flushMicro: true,
    main: { entries: 16, ways: 2 },
    lockdown: 2,
    walkCache: { entries: 8, ways: 2 },
  },
  'micro of 4 KB, main lru': {
    microInstruction: { entries: 4 },
    microData: { entries: 4, replacement: 'lru' },
    microPageLog2: 12,
    main: { entries: 16, ways: 4, replacement: 'lru' },
    walkCache: { entries: 4 },
  },
  'micro larger than main': { microInstruction: { entries: 16 }, microData: { entries: 16 }, microPageLog2: 16, main: { entries: 4 } },
};

/** All models under a name, as factories. */
export function tlbConfigurations(): Map<string, () => Tlb> {
  const all = new Map<string, () => Tlb>([
    ['none', noneTlb],
    ['retain-forever', () => retainForeverTlb()],
    ['retain-forever, bound of 20', () => retainForeverTlb({ bound: 20 })],
    ['retain-forever, no walk cache', () => retainForeverTlb({ walkCache: false })],
  ]);
  for (const [name, options] of Object.entries(arrayConfigurations)) all.set(name, () => hierarchyTlb(options));
  for (const name of Object.keys(coreModels) as CoreModelName[]) all.set(name, () => coreTlb(coreModels[name]));
  return all;
}

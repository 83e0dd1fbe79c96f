import { CACHE_L1_INSTRUCTION, CACHE_L2, type Cache, type CacheHierarchy } from '../contracts/cache.js';
import { cacheHierarchy } from '../models/cache-hierarchy.js';
import { type CoreModelName, coreCaches, coreModels } from '../models/core-models.js';
import { noneCache, noneCaches } from '../models/none.js';
import { retainForeverCache } from '../models/retain-forever-cache.js';
import { type SetAssociativeCacheOptions, setAssociativeCache } from '../models/set-associative-cache.js';

/** Every kind of cache that is made of sets and ways, small enough that traces fill them many times over. */
export const setConfigurations: Readonly<Record<string, SetAssociativeCacheOptions>> = {
  'PIPT, lru': { byteLength: 2048, ways: 4, lineLength: 32, replacement: 'lru' },
  'PIPT, plru': { byteLength: 4096, ways: 8, lineLength: 64, replacement: 'plru' },
  'PIPT, fifo': { byteLength: 2048, ways: 4, lineLength: 32, replacement: 'fifo' },
  'PIPT, round-robin, 3 ways': { byteLength: 1536, ways: 3, lineLength: 32, replacement: 'round-robin' },
  'PIPT, random': { byteLength: 2048, ways: 4, lineLength: 32, replacement: 'random', seed: 99 },
  'direct-mapped': { byteLength: 1024, ways: 1, lineLength: 64 },
  'fully associative, lru': { byteLength: 1024, ways: 16, lineLength: 64, replacement: 'lru' },
  'write-through': { byteLength: 2048, ways: 4, lineLength: 32, writeBack: false, replacement: 'lru' },
  'no write allocation': { byteLength: 2048, ways: 2, lineLength: 32, writeAllocate: false, replacement: 'round-robin' },
  'write-through memory bypasses': { byteLength: 2048, ways: 2, lineLength: 32, writeThrough: false, replacement: 'lru' },
  'VIPT, four colours, lru': { byteLength: 32768, ways: 2, lineLength: 64, virtuallyIndexed: true, replacement: 'lru' },
  'VIPT, one colour': { byteLength: 8192, ways: 2, lineLength: 32, virtuallyIndexed: true, replacement: 'random' },
  'an L2': { byteLength: 8192, ways: 8, lineLength: 64, unit: CACHE_L2, replacement: 'random' },
};

export function cacheConfigurations(): Map<string, () => Cache> {
  const all = new Map<string, () => Cache>([
    ['none', noneCache],
    ['retain-forever', () => retainForeverCache({ lineLength: 32, setCount: 64, wayCount: 4 })],
    ['retain-forever, bound of 50', () => retainForeverCache({ lineLength: 64, setCount: 16, wayCount: 2, bound: 50 })],
  ]);
  for (const [name, options] of Object.entries(setConfigurations)) all.set(name, () => setAssociativeCache(options));
  return all;
}

const l1 = (instruction: boolean, lineLength: number, more: Partial<SetAssociativeCacheOptions> = {}): Cache =>
  setAssociativeCache({
    byteLength: 1024,
    ways: 2,
    lineLength,
    replacement: 'lru',
    ...more,
    ...(instruction && { unit: CACHE_L1_INSTRUCTION }),
  });
const l2 = (byteLength: number, lineLength: number): Cache =>
  setAssociativeCache({ byteLength, ways: 4, lineLength, unit: CACHE_L2, replacement: 'random' });

export function hierarchyConfigurations(): Map<string, () => CacheHierarchy> {
  const all = new Map<string, () => CacheHierarchy>([
    ['none', noneCaches],
    ['L1 alone', () => cacheHierarchy({ instruction: l1(true, 32), data: l1(false, 32) })],
    ['L1 and L2', () => cacheHierarchy({ instruction: l1(true, 32), data: l1(false, 32), unified: l2(4096, 64) })],
    ['inclusive', () => cacheHierarchy({ instruction: l1(true, 32), data: l1(false, 64), unified: l2(4096, 64), inclusive: true })],
    [
      'inclusive and tight',
      () =>
        cacheHierarchy({
          instruction: l1(true, 32, { virtuallyIndexed: true, byteLength: 16384 }),
          data: l1(false, 32),
          unified: l2(1024, 128),
          inclusive: true,
        }),
    ],
    ['walks at the L2', () => cacheHierarchy({ instruction: l1(true, 64), data: l1(false, 64), unified: l2(4096, 64), walks: 'l2' })],
    ['walks at memory', () => cacheHierarchy({ data: l1(false, 64), unified: l2(4096, 64), walks: 'memory' })],
    ['L2 out of reach', () => cacheHierarchy({ data: l1(false, 32), unified: l2(4096, 32), levelOfCoherency: 1 })],
    ['L2 alone', () => cacheHierarchy({ unified: l2(4096, 64) })],
    ['L1 write-through', () => cacheHierarchy({ data: l1(false, 32, { writeBack: false }), unified: l2(4096, 64) })],
    ['L1 without write allocation', () => cacheHierarchy({ data: l1(false, 32, { writeAllocate: false }), unified: l2(2048, 32) })],
    ['L1 that retains', () => cacheHierarchy({ data: retainForeverCache({ lineLength: 32, setCount: 16, wayCount: 2 }) })],
  ]);
  for (const name of Object.keys(coreModels) as CoreModelName[]) all.set(name, () => coreCaches(coreModels[name]));
  return all;
}

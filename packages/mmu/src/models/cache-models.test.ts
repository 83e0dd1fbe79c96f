import { describe, expect, it } from 'vitest';
import { CACHE_L2, type Cache } from '../contracts/cache.js';
import { MmuError } from '../mmu-error.js';
import { cacheConfigurations, hierarchyConfigurations } from '../test-support/cache-configurations.js';
import { cacheConformance, cacheHierarchyConformance } from '../testing/index.js';
import { cacheHierarchy } from './cache-hierarchy.js';
import { noneCache } from './none.js';
import { retainForeverCache } from './retain-forever-cache.js';
import { type SetAssociativeCacheOptions, setAssociativeCache } from './set-associative-cache.js';

/** More of them in CI. */
const steps = Number(process.env['STEPS'] ?? 250);

describe.each([...cacheConfigurations()])('cache: %s', (_name, make) => {
  for (const { name, run } of cacheConformance(make, { steps })) it(name, run);
});

describe.each([...hierarchyConfigurations()])('hierarchy: %s', (_name, make) => {
  for (const { name, run } of cacheHierarchyConformance(make, { steps })) it(name, run);
});

describe('geometry that does not fit', () => {
  const sound: SetAssociativeCacheOptions = { byteLength: 4096, ways: 2, lineLength: 32 };
  const cache = (change: Partial<Record<keyof SetAssociativeCacheOptions, unknown>>) => (): unknown =>
    setAssociativeCache({ ...sound, ...change } as SetAssociativeCacheOptions);
  const data = (): Cache => setAssociativeCache(sound);
  it.each([
    ['lines of 33 bytes', cache({ lineLength: 33 }), 'the line length is a power of two from 16 to 256, not 33'],
    ['no ways', cache({ ways: 0 }), 'the number of ways is an integer from 1 to 65536, not 0'],
    ['a negative size', cache({ byteLength: -1 }), 'the size in bytes is an integer from 64'],
    ['a size that does not divide', cache({ byteLength: 4100 }), '4100 bytes do not divide into 2 ways of 32-byte lines'],
    ['sets not a power of two', cache({ byteLength: 4096 * 3 }), 'the number of sets is a power of two'],
    [
      'a policy of another name',
      cache({ replacement: 'mru' }),
      'the replacement policy is one of round-robin, fifo, random, lru, plru, not mru',
    ],
    ['plru of three ways', cache({ byteLength: 3072, ways: 3, replacement: 'plru' }), 'plru needs a power of two of ways'],
    ['a unit that is not one', cache({ unit: 3 }), 'the unit is an integer from 0 to 2, not 3'],
    ['retained sets not a power of two', () => retainForeverCache({ lineLength: 32, setCount: 3, wayCount: 1 }), 'the number of sets'],
    ['no bound', () => retainForeverCache({ lineLength: 32, setCount: 4, wayCount: 1, bound: 0 }), 'the bound'],
    ['a data cache as L2', () => cacheHierarchy({ unified: data() }), 'the L2 is of unit 2, and set-associative of unit 1'],
    [
      'L2 lines shorter than those above',
      () =>
        cacheHierarchy({
          data: setAssociativeCache({ ...sound, lineLength: 64 }),
          unified: setAssociativeCache({ ...sound, unit: CACHE_L2 }),
        }),
      'lines of the L2 are shorter',
    ],
    [
      'coherency before unification',
      () => cacheHierarchy({ data: data(), levelOfCoherency: 0 }),
      'the level of coherency is an integer from 1 to 1, not 0',
    ],
    ['coherency beyond the last level', () => cacheHierarchy({ data: data(), levelOfCoherency: 2 }), 'not 2'],
    [
      'walks into a virtual index',
      () => cacheHierarchy({ data: setAssociativeCache({ ...sound, virtuallyIndexed: true }) }),
      'walks have no VA',
    ],
    ['walks into nothing known', () => cacheHierarchy({ walks: 'l3' as 'l2' }), 'the level that walks enter is one of'],
    [
      'another contract',
      () => cacheHierarchy({ data: { ...noneCache(), name: 'old', contract: 1 as never } }),
      '[mmu] [old] is written for cache contract 1',
    ],
  ])('%s', (_what, make, message) => {
    expect(make).toThrow(MmuError);
    expect(make).toThrow(message);
  });
});

it('a restore that one level refuses leaves the others as they were', () => {
  const make = (ways: number) => {
    const [data, unified] = [1, 2].map((unit) =>
      setAssociativeCache({ byteLength: 4096, ways: unit === 1 ? 2 : ways, lineLength: 32, unit: unit as 1 | 2 }),
    );
    return cacheHierarchy({ data: data as Cache, unified: unified as Cache });
  };
  const [two, four] = [make(2), make(4)];
  two.access(0, 0x40000000, 0, 0x16, { writtenBack: () => {}, dropped: () => {} });
  const before = four.snapshot();
  expect(() => four.restore(two.snapshot())).toThrow('cannot restore the state of a cache of 64 sets, 2 ways');
  expect(four.snapshot()).toEqual(before);
});

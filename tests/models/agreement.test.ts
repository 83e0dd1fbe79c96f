import { hierarchyTlb, setAssociativeCache } from '@tablewalk/mmu';
import { expect, it } from 'vitest';
import { compareCache } from './cache-agreement.js';
import { comparisons } from './configurations.js';
import { ReferenceCache } from './reference-cache.js';
import { compareTlb, referenceFor } from './tlb-agreement.js';

// A sample; tests/ci/75-models.sh takes more, tests/long/models.mjs ten million of each.
it.each(comparisons)('$name agrees with its reference', ({ run }) => {
  const { accesses, hits } = run(1, 2500);
  expect(accesses).toBe(2500);
  expect(hits).toBeGreaterThan(100);
});

it('a reference of another shape does not agree', () => {
  const options = { main: { entries: 16, ways: 4, replacement: 'lru' } } as const;
  const others = [
    { main: { ...options.main, replacement: 'fifo' } },
    { main: { ...options.main, ways: 8 } },
    { ...options, microData: { entries: 4 } },
    { main: { ...options.main, lockable: 1 } },
  ] as const;
  for (const other of others) expect(() => compareTlb(hierarchyTlb(options), referenceFor(other), 1, 4000, 32)).toThrow("the reference's");
  const cache = { byteLength: 32768, ways: 4, lineLength: 32, replacement: 'lru' } as const;
  for (const other of [
    { ...cache, replacement: 'plru' } as const,
    { ...cache, writeAllocate: false },
    { ...cache, virtuallyIndexed: true },
  ]) {
    expect(() => compareCache(setAssociativeCache(cache), (report) => new ReferenceCache(other, report), 1, 4000)).toThrow(
      "the reference's",
    );
  }
});

import { describe, expect, it } from 'vitest';
import type { Invariant } from './conformance-error.js';
import { type ObjectFault, pageObjects } from './fixtures/page-objects.js';
import { testObjectCache, verifyObjectCache } from './index.js';

describe('an object cache that keeps its promises', () => {
  testObjectCache(pageObjects(), it);
});

describe('an object cache with a mistake is caught', () => {
  const faults: [ObjectFault, Invariant[]][] = [
    ['double free', ['misuse-refused']],
    ['interior free', ['misuse-refused']],
    ['foreign free', ['misuse-refused']],
    ['out-of-range free', ['misuse-refused']],
    ['capacity off by one', ['in-range', 'counters']],
    ['overlap', ['disjoint', 'counters']],
    ['unaligned', ['constraints']],
    ['scribbles in objects', ['contents']],
    ['keeps empty pages', ['drain']],
    ['counts wrongly', ['counters']],
    ['blind check', ['check-flags']],
    ['state outside the words', ['counters', 'replay']],
    ['open to visitors', ['visitor-busy']],
    ['gives up early', ['complete']],
    ['attaches to anything', ['contract']],
  ];
  it.each(faults)('%s', (fault, invariants) => {
    const failures = verifyObjectCache(pageObjects(fault), { operations: 120 });
    const found = [...new Set(failures.map(({ error }) => error.invariant))];
    expect(found.filter((invariant) => invariants.includes(invariant))).not.toEqual([]);
  });
});

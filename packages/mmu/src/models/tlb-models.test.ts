import { describe, expect, it } from 'vitest';
import { MmuError } from '../mmu-error.js';
import { tlbConfigurations } from '../test-support/tlb-configurations.js';
import { tlbConformance } from '../testing/index.js';
import { retainForeverTlb } from './retain-forever-tlb.js';
import { fullyAssociativeTlb, hierarchyTlb, setAssociativeTlb } from './tlb-models.js';

/** More of them in CI. */
const steps = Number(process.env['STEPS'] ?? 250);

describe.each([...tlbConfigurations()])('%s', (_name, make) => {
  for (const { name, run } of tlbConformance(make, { steps })) it(name, run);
});

describe('geometry that does not fit', () => {
  it.each([
    ['no entries', () => fullyAssociativeTlb({ entries: 0 }), 'the number of entries (main) is an integer from 1 to 65536, not 0'],
    ['a negative number', () => fullyAssociativeTlb({ entries: -4 }), 'not -4'],
    ['a fraction', () => fullyAssociativeTlb({ entries: 2.5 }), 'not 2.5'],
    ['text', () => fullyAssociativeTlb({ entries: '8' as unknown as number }), 'not 8'],
    ['no ways', () => setAssociativeTlb({ entries: 8, ways: 0 }), 'the number of ways (main) is an integer from 1 to 8, not 0'],
    ['more ways than entries', () => setAssociativeTlb({ entries: 8, ways: 16 }), 'not 16'],
    ['ways that do not divide', () => setAssociativeTlb({ entries: 8, ways: 3 }), '8 entries do not divide into 3 ways (main)'],
    ['sets not a power of two', () => setAssociativeTlb({ entries: 12, ways: 2 }), 'the number of sets (main) is a power of two'],
    ['plru of 12 ways', () => setAssociativeTlb({ entries: 12, ways: 12, replacement: 'plru' }), 'plru needs a power of two of ways'],
    ['a policy of another name', () => fullyAssociativeTlb({ entries: 4, replacement: 'mru' as 'lru' }), 'not mru'],
    ['all ways lockable', () => fullyAssociativeTlb({ entries: 4, lockable: 4 }), 'lockable entries (main) is an integer from 0 to 3'],
    ['a seed that is not one', () => fullyAssociativeTlb({ entries: 4, seed: -1 }), 'the seed is an integer'],
    ['a micro page of 2 KB', () => hierarchyTlb({ main: { entries: 4 }, microPageLog2: 11 }), 'page size of the micro-TLBs'],
    ['no main TLB', () => hierarchyTlb({} as { main: { entries: 4 } }), 'needs a main TLB'],
    ['no bound', () => retainForeverTlb({ bound: 0 }), 'the bound is an integer'],
  ])('%s', (_what, make, message) => {
    expect(make).toThrow(MmuError);
    expect(make).toThrow(message);
  });
});

it('a snapshot of another shape is refused', () => {
  const small = fullyAssociativeTlb({ entries: 4 });
  const large = fullyAssociativeTlb({ entries: 8 });
  expect(() => large.restore(small.snapshot())).toThrow('[mmu] [fully-associative] cannot restore the state of a TLB of another shape');
  expect(() => retainForeverTlb().restore(retainForeverTlb({ bound: 5 }).snapshot())).toThrow('of another shape');
});

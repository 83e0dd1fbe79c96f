import { type AllocatorPlugin, bitmapTree, type PageAllocator, zoneList } from '@tablewalk/alloc';
import { allocatorCases, ConformanceError, type Invariant } from '@tablewalk/alloc/testing';
import { describe, expect, it } from 'vitest';
import { type Mutation, mutant } from './mutants.js';

/** The invariant that a plugin breaks first. */
function firstBroken(plugin: AllocatorPlugin): Invariant | undefined {
  for (const { run } of allocatorCases(plugin, { operations: 120 })) {
    try {
      run();
    } catch (error) {
      if (error instanceof ConformanceError) return error.invariant;
      throw error;
    }
  }
  return undefined;
}

type Shipped = 'zoneList' | 'knr' | 'bitmapTree';
const zones = 'allocators/zone-list.ts';
const runs = 'allocators/run-allocator.ts';
const list = 'allocators/knr.ts';
const tree = 'allocators/bitmap-tree.ts';
const summaries = 'allocators/summary-tree.ts';

/** Mistakes in the shipped allocators: what, where, and the promises of which one is found broken. */
const mutations: [what: string, Shipped, Mutation, Invariant[]][] = [
  [
    'a free zone is not merged with the next',
    'zoneList',
    { file: zones, from: 'else if (!keepsTail && to < count &&', to: 'else if (false &&' },
    ['runs', 'check-clean', 'counters'],
  ],
  [
    'a free zone is not merged with the one before',
    'zoneList',
    { file: zones, from: 'else if (!keepsHead && first > 0 &&', to: 'else if (false &&' },
    ['runs', 'check-clean', 'counters'],
  ],
  [
    'the capacity check is off by one',
    'zoneList',
    { file: zones, from: 'count + added > this.capacity', to: 'count + added > this.capacity + 1' },
    ['words-outside'],
  ],
  [
    'the capacity check asks where the zone is, not how many there are',
    'zoneList',
    { file: zones, from: 'count + added > this.capacity', to: 'first + added > this.capacity' },
    ['words-outside'],
  ],
  [
    'a double free is not looked for',
    'zoneList',
    { file: zones, from: /if \(\(this\.words\.load\(ZONES \+ index\) & FREE\) !== 0\) return -1;/, to: '' },
    ['misuse-refused'],
  ],
  [
    'a word after the table is touched',
    'zoneList',
    { file: zones, from: 'let at = ZONES + from;', to: 'let at = ZONES + from; words.store(ZONES + this.capacity, 0);' },
    ['words-outside'],
  ],
  [
    'a resize that fails has already counted',
    'zoneList',
    {
      file: zones,
      from: 'this.startOf(last + 2, count) < start + to) return EXHAUSTED;',
      to: 'this.startOf(last + 2, count) < start + to) { this.words.store(AT_FREE_PAGES, 0); return EXHAUSTED; }',
    },
    ['words-unchanged'],
  ],
  [
    'an exact fit is passed over',
    'zoneList',
    { file: zones, from: 'if (end - from >= pages)', to: 'if (end - from > pages)' },
    ['complete', 'lowest'],
  ],
  [
    'a fit is not the lowest',
    'zoneList',
    { file: zones, from: 'lowestFit(from, end,', to: 'lowestFit(from + (end - from > pages ? 1 : 0), end,' },
    ['lowest'],
  ],
  [
    'alignment is relative to the first page',
    'zoneList',
    {
      file: zones,
      from: /lowestFit\(from, end, pages, alignLog2, boundaryLog2\);/,
      to: 'lowestFit(from - firstPage, end - firstPage, pages, alignLog2, boundaryLog2) + firstPage;',
    },
    ['constraints', 'in-range', 'lowest', 'disjoint'],
  ],
  [
    'max is inclusive',
    'zoneList',
    { file: 'requests.ts', from: 'constraints.max ?? MAX_PAGES', to: '(constraints.max ?? MAX_PAGES) + 1' },
    ['constraints'],
  ],
  [
    'a boundary is not looked at',
    'zoneList',
    { file: zones, from: 'boundaryLog2 = 31 } = constraints;', to: '} = constraints; const boundaryLog2 = 31;' },
    ['constraints'],
  ],
  ['merged pages are counted twice', 'zoneList', { file: zones, from: '(free ? end - start :', to: '(free ? end - begin :' }, ['counters']],
  ['visitors may allocate', 'zoneList', { file: runs, from: 'this.busy = true;', to: '' }, ['visitor-busy']],
  [
    'a visitor that throws leaves the lock',
    'zoneList',
    { file: runs, from: 'this.busy = wasBusy;', to: '' },
    ['visitor-busy', 'misuse-refused'],
  ],
  [
    'check finds nothing',
    'zoneList',
    { file: runs, from: 'check(): Violation[] {', to: 'check(): Violation[] { return [];' },
    ['check-flags'],
  ],
  [
    'any words are taken up',
    'zoneList',
    { file: 'allocators/header.ts', from: "if (wrong) throw new AllocError('attach'", to: "if (!name) throw new AllocError('attach'" },
    ['contract'],
  ],
  [
    'the summaries end at their first level',
    'bitmapTree',
    { file: summaries, from: 'changed && level < top', to: 'changed && level < 1' },
    ['lowest', 'complete', 'check-clean', 'answer', 'misuse-refused'],
  ],
  [
    'a run across two words is not seen',
    'bitmapTree',
    { file: summaries, from: 'let longest = leftSuffix + rightPrefix;', to: 'let longest = 0;' },
    ['lowest', 'complete', 'check-clean'],
  ],
  [
    'a level of many pages reads the wrong word',
    'bitmapTree',
    { file: summaries, from: 'const suffix = words.load(left + 2) | 0;', to: 'const suffix = words.load(left + 1) | 0;' },
    ['lowest', 'complete', 'misuse-refused', 'answer'],
  ],
  [
    'the half before a node is taken for one behind it',
    'bitmapTree',
    { file: summaries, from: 'near + (otherPrefix ^ otherSwapped)', to: 'near + otherPrefix' },
    ['lowest', 'complete', 'check-clean'],
  ],
  [
    'pages past the end are free',
    'bitmapTree',
    { file: summaries, from: 'if ((pageCount & 31) !== 0)', to: 'if (false)' },
    ['check-clean', 'in-range', 'misuse-refused'],
  ],
  [
    'a free looks at its first page alone',
    'bitmapTree',
    { file: tree, from: 'isAll(false, start, start + pages)', to: 'isAll(false, start, start + 1)' },
    ['misuse-refused'],
  ],
  [
    'a reservation looks at nothing',
    'bitmapTree',
    { file: tree, from: 'if (!this.isAll(true, start, start + pages)) return OVERLAP;', to: '' },
    ['misuse-refused'],
  ],
  [
    'a resize grows over what is taken',
    'bitmapTree',
    { file: tree, from: '|| !this.isAll(true, start + from, start + to)', to: '' },
    ['misuse-refused', 'answer'],
  ],
  ['fractions are taken', 'bitmapTree', { file: 'requests.ts', from: '(pages | 0) !== pages ||', to: '' }, ['misuse-refused', 'answer']],
  [
    'the end of a range is not looked at',
    'bitmapTree',
    { file: 'requests.ts', from: '> geometry.pageCount ? OUT_OF_RANGE : OK', to: '> 2 ** 40 ? OUT_OF_RANGE : OK' },
    ['words-outside', 'misuse-refused'],
  ],
  [
    'a free runs into the next free block',
    'knr',
    { file: list, from: 'if (next !== BASE && next < end) return NOT_ALLOCATED;', to: '' },
    ['misuse-refused'],
  ],
  [
    'a block is not merged with the one before',
    'knr',
    { file: list, from: 'if (before !== BASE && before + size === name) {', to: 'if (false) {' },
    ['runs', 'check-clean', 'counters', 'misuse-refused', 'valid-free'],
  ],
  [
    'the page before a freed one is read',
    'knr',
    {
      file: list,
      from: 'let follows = next;\n    let length',
      to: 'this.pageWords.load(this.at(Math.max(1, name - 1)));\n    let follows = next;\n    let length',
    },
    ['pages-outside'],
  ],
  [
    'the search does not go round',
    'knr',
    { file: list, from: 'if (block === rover) return EXHAUSTED;', to: 'if (block === BASE) return EXHAUSTED;' },
    ['complete'],
  ],
];

describe('a mistake in a shipped allocator is caught by the conformance kit', () => {
  it.each(mutations)('%s (%s)', async (_what, name, mutation, expected) => {
    const { [name]: make } = await mutant(mutation);
    expect(expected).toContain(firstBroken(make()));
  });
});

/** A sound plugin with some members of its allocators replaced. */
function wrapped(plugin: AllocatorPlugin, change: (allocator: PageAllocator) => Partial<PageAllocator>): AllocatorPlugin {
  const wrap = (allocator: PageAllocator): PageAllocator => ({
    name: allocator.name,
    allocate: (pages, constraints) => allocator.allocate(pages, constraints),
    reserve: (start, pages) => allocator.reserve(start, pages),
    free: (start, pages) => allocator.free(start, pages),
    resize: (start, from, to) => allocator.resize(start, from, to),
    forEachRun: (visit) => allocator.forEachRun(visit),
    stats: () => allocator.stats(),
    check: () => allocator.check(),
    ...change(allocator),
  });
  return {
    ...plugin,
    create: (words, geometry, hooks) => wrap(plugin.create(words, geometry, hooks)),
    attach: (words, geometry, hooks) => wrap(plugin.attach(words, geometry, hooks)),
  };
}

describe('a mistake around an allocator is caught by the conformance kit', () => {
  const plugins: [what: string, AllocatorPlugin, Invariant[]][] = [
    ['another contract version', { ...zoneList(), contract: 2 as 1 }, ['contract']],
    ['no attach', { ...zoneList(), attach: undefined as never }, ['contract']],
    ['more words than it may have', { ...zoneList(), metadataWords: (geometry) => geometry.pageCount + 6 }, ['contract']],
    ['more accesses than it says', { ...bitmapTree(), accessBound: () => 20 }, ['access-bound']],
    [
      'an exception that is swallowed',
      wrapped(zoneList(), (allocator) => ({
        allocate(pages, constraints) {
          try {
            return allocator.allocate(pages, constraints);
          } catch {
            return -1;
          }
        },
      })),
      ['abort-passes'],
    ],
    [
      'nonsense for an answer',
      wrapped(zoneList(), (allocator) => ({ allocate: (pages, constraints) => allocator.allocate(pages, constraints) + 0.5 })),
      ['answer'],
    ],
    [
      'a code that is in no table',
      wrapped(zoneList(), (allocator) => ({ free: (start, pages) => allocator.free(start, pages) || -99 })),
      ['answer'],
    ],
    [
      'pages outside the memory',
      wrapped(zoneList(), (allocator) => ({ allocate: (pages) => allocator.allocate(pages) + 4096 })),
      ['in-range', 'misuse-refused'],
    ],
    [
      'pages that another has',
      wrapped(zoneList(), (allocator) => {
        let last = -1;
        return {
          allocate(pages, constraints) {
            const answer = allocator.allocate(pages, constraints);
            if (answer >= 0 && last >= 0 && pages === 1) return last;
            return (last = answer);
          },
        };
      }),
      ['disjoint', 'constraints'],
    ],
    [
      'state outside the words',
      {
        ...wrapped(zoneList(), (allocator) => {
          let calls = 0;
          return {
            allocate(pages, constraints) {
              const high = calls++ % 2 === 0 && !constraints ? allocator.allocate(pages, { alignLog2: 3 }) : -1;
              return high >= 0 ? high : allocator.allocate(pages, constraints);
            },
          };
        }),
        capabilities: { complete: true, partialFree: true, reserve: true, resize: true, alignment: 'any' },
      },
      ['replay'],
    ],
    [
      'allocations that leak a page',
      wrapped(zoneList(), (allocator) => ({
        free: (start, pages) => (pages > 1 && Number.isInteger(pages) ? allocator.free(start, pages - 1) : allocator.free(start, pages)),
      })),
      ['runs', 'counters', 'misuse-refused', 'words-unchanged'],
    ],
  ];
  it.each(plugins)('%s', (_what, plugin, expected) => {
    expect(expected).toContain(firstBroken(plugin));
  });
});

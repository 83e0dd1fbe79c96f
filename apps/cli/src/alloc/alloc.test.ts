import type { AllocatorPlugin, PageAllocator } from '@tablewalk/alloc';
import { bitmapTree, createAllocator, kernelWorkload, robsonWorkload } from '@tablewalk/alloc';
import { slab } from '@tablewalk/alloc-slab';
import { describe, expect, it } from 'vitest';
import { formatTable } from '../table.js';
import { heatMap } from './heat-map.js';
import { ObjectSubject } from './object-subject.js';
import { parseAlloc } from './options.js';
import { PageSubject } from './page-subject.js';
import { fullnessOf } from './subject.js';

const geometry = { firstPage: 0x40000, pageCount: 256, pageShift: 12 };
const workload = (fullness = 0.6) => kernelWorkload({ seed: 3, operations: 500, pageCount: 256, fullness });

describe('the map of memory', () => {
  it('shades what is neither empty nor full as neither', () => {
    const row = { label: '7', fullness: [0, 1e-6, 0.5, 1 - 1e-6, 1] };
    expect(heatMap('t', [row], false)).toBe('t\n  +-----+\n7 | .+%@|\n  +-----+\n');
    expect(heatMap('t', [row], true)).toContain('\x1b[48;5;16m \x1b[48;5;18m ');
    expect(heatMap('t', [row], true).split('\n')[2]).toMatch(/\x1b\[0m\|$/);
    expect(heatMap('none', [], false)).toBe('none\n ++\n ++\n');
  });

  it('has every page in one column, whatever their numbers', () => {
    for (const [pageCount, columns] of [
      [256, 7],
      [5, 5],
      [100, 33],
      [1, 1],
    ] as const) {
      const of = { ...geometry, pageCount };
      const allocator = createAllocator(bitmapTree(), of);
      for (let page = 0; page < pageCount; page += 3) allocator.reserve(of.firstPage + page, 1);
      const fullness = fullnessOf(allocator, of, columns);
      const pages = fullness.map(
        (part, column) => part * (Math.floor(((column + 1) * pageCount) / columns) - Math.floor((column * pageCount) / columns)),
      );
      expect(pages.reduce((sum, count) => sum + count, 0)).toBeCloseTo(Math.ceil(pageCount / 3), 9);
    }
  });
});

it('tables have numbers to the right and names to the left', () => {
  expect(
    formatTable(
      ['name', 'n'],
      [
        ['a', '5'],
        ['longer', '1234.5'],
      ],
    ),
  ).toBe('name         n\na            5\nlonger  1234.5\n');
});

describe('a subject', () => {
  it('is the same for the same seed, and costs what its words count', () => {
    const run = () => {
      const subject = new PageSubject('x', bitmapTree(), 256);
      subject.inspect(workload(), 10, 16, 2);
      return { result: subject.result!, costs: subject.count() };
    };
    const { result, costs } = run();
    expect(run()).toEqual({ result, costs });
    expect(result.report.refusedWithFit).toBe(0);
    expect(result.map).toHaveLength(10);
    expect(result.map[9]!.label).toBe(String(result.report.events));
    const end = result.map[9]!.fullness.reduce((sum, part) => sum + part * 16, 0);
    expect(end).toBeCloseTo(256 - result.report.fragmentation.freePages, 9);
    expect(costs.mean).toBeGreaterThan(1);
    expect(costs.most).toBeGreaterThanOrEqual(costs.mean);
  });

  it("meets Robson's adversary, who looks where things are", () => {
    const subject = new PageSubject('x', bitmapTree(), 256);
    subject.inspect(robsonWorkload({ livePages: 64, maxOrder: 4 }), 6, 16, 2);
    expect(subject.result!.report.peakOverLive).toBeGreaterThan(1.5);
    expect(subject.result!.map.length).toBeGreaterThan(2);
    expect(subject.result!.map.length).toBeLessThanOrEqual(12);
    expect(subject.count().mean).toBeGreaterThan(0);
  });

  it('of object caches holds what the workload holds, and a bit more', () => {
    const subject = new ObjectSubject('x', bitmapTree(), slab(), 256);
    subject.inspect(kernelWorkload({ seed: 3, operations: 3000, pageCount: 256 * 64, fullness: 0.5 }), 5, 16);
    const { refused, liveBytes, heldBytes, peakBytes, map } = subject.result!;
    expect(refused).toBe(0);
    expect(liveBytes).toBeGreaterThan(400 * 1024);
    expect(heldBytes).toBeGreaterThan(liveBytes);
    expect(heldBytes).toBeLessThan(1.5 * liveBytes);
    expect(peakBytes).toBeGreaterThanOrEqual(heldBytes);
    expect(map).toHaveLength(5);
  });
});

describe('an allocator that does wrong ends in one line in its name', () => {
  /** bitmapTree with something else in place of a part. */
  const wrong = (change: (allocator: PageAllocator) => Partial<PageAllocator>): AllocatorPlugin => ({
    ...bitmapTree(),
    create(words, of, hooks) {
      const allocator = bitmapTree().create(words, of, hooks);
      const all: PageAllocator = {
        name: 'me/wrong',
        allocate: (pages, constraints) => allocator.allocate(pages, constraints),
        reserve: (start, pages) => allocator.reserve(start, pages),
        free: (start, pages) => allocator.free(start, pages),
        resize: (start, from, to) => allocator.resize(start, from, to),
        forEachRun: (visit) => allocator.forEachRun(visit),
        stats: () => allocator.stats(),
        check: () => allocator.check(),
      };
      return { ...all, ...change(all) };
    },
  });

  it.each<[string, (allocator: PageAllocator) => Partial<PageAllocator>, RegExp]>([
    [
      'a throw',
      () => ({
        allocate: () => {
          throw new Error('out of\nideas');
        },
      }),
      /^me: allocate\(\d+\) threw out of$/,
    ],
    ['no number', () => ({ allocate: () => undefined as unknown as number }), /^me: allocate\(\d+\) answered undefined$/],
    ['a fraction', () => ({ allocate: () => 0x40000 + 0.5 }), /answered 262144\.5$/],
    ['an unknown code', () => ({ allocate: () => -99 }), /answered -99$/],
    ['what is taken', () => ({ allocate: () => 0x40000 }), /gave page 262144, which is taken/],
    ['what it has not', () => ({ allocate: () => 5 }), /gave page 5, which is taken or none of its own$/],
    ['misaligned', (all) => ({ allocate: (pages) => all.allocate(pages) }), /which is not aligned$/],
    ['a failing free', () => ({ free: () => -9 }), /answered -9 to a free/],
    ['runs with a gap', () => ({ forEachRun: (visit) => visit(0x40001, 5, true) }), /forEachRun visits 5 pages at 262145/],
    ['runs without end', () => ({ forEachRun: (visit) => visit(0x40000, Number.POSITIVE_INFINITY, true) }), /forEachRun visits Infinity/],
    ['no runs', () => ({ forEachRun: () => {} }), /forEachRun visits 0 pages at nothing/],
    ['its own doubts', () => ({ check: () => [{ rule: 'x', message: 'a bad feeling' }] }), /^me: check found a bad feeling$/],
  ])('%s', (_name, change, message) => {
    const subject = new PageSubject('me', wrong(change), 256);
    let line = '';
    try {
      subject.inspect(workload(), 5, 16, 2);
    } catch (error) {
      expect(['UsageError', 'AllocError']).toContain((error as Error).name);
      line = (error as Error).message;
    }
    expect(line).toMatch(message);
    expect(line).not.toContain('\n');
  });

  it('and so does an object cache', () => {
    const plugin = slab();
    const broken = {
      ...plugin,
      create: (...all: Parameters<typeof plugin.create>) => {
        const cache = plugin.create(...all);
        return {
          name: 'x',
          kind: cache.kind,
          allocate: () => 0,
          free: () => 0,
          shrink: () => 0,
          forEachObject: () => {},
          stats: () => cache.stats(),
          check: () => [],
        };
      },
    };
    const subject = new ObjectSubject('me', bitmapTree(), broken, 256);
    expect(() => subject.inspect(workload(), 5, 16)).toThrow(/^me: allocate gave object 0, which is taken/);
  });
});

describe('options of alloc', () => {
  it('have defaults, and lists with commas or repeated', () => {
    expect(parseAlloc([])).toMatchObject({
      allocators: ['bitmapTree', 'buddy', 'knr', 'zoneList'],
      workload: 'kernel',
      pageCount: 16384,
      fullness: 0.85,
    });
    expect(parseAlloc(['--allocator', 'knr,./a.mjs:x=1', '--allocator', 'buddy'])?.allocators).toEqual(['knr', './a.mjs:x=1', 'buddy']);
    expect(parseAlloc(['--help'])).toBeUndefined();
  });

  it.each([
    [['x'], "'x' is none"],
    [['--frob'], '--frob'],
    [['--pages', '0'], '--pages takes an integer from 1'],
    [['--pages', '1.5'], "not '1.5'"],
    [['--pages', '-4'], 'pages'],
    [['--pages', '1000000', '--object-cache', 'slab'], 'to 131072'],
    [['--operations', 'many'], "not 'many'"],
    [['--fullness', '0'], '--fullness'],
    [['--fullness', 'NaN'], '--fullness'],
    [['--order', '11'], '--order takes an integer from 0 to 10'],
    [['--allocator', 'a,,b'], 'empty name'],
    [['--allocator', 'knr,knr'], "has 'knr' twice"],
    [['--trace', 'f', '--seed', '3'], '--seed cannot be given with it'],
  ])('%j are refused', (argv, message) => {
    expect(() => parseAlloc(argv)).toThrow(message);
  });
});

import { describe, expect, it } from 'vitest';
import {
  type AllocatorPlugin,
  AllocError,
  attachAllocator,
  BAD_CONSTRAINT,
  bitmapTree,
  counted,
  createAllocator,
  decorate,
  EXHAUSTED,
  failing,
  formatLogEntry,
  type Geometry,
  hostWords,
  knr,
  type LogEntry,
  logged,
  NOT_ALLOCATED,
  OK,
  pageWordCount,
  poisoned,
  quarantined,
  redZoned,
  strict,
  type Violation,
  WRONG_LENGTH,
  zoneList,
} from '../index.js';
import { allocatorCases, testAllocator } from '../testing/index.js';

const geometry: Geometry = { firstPage: 64, pageCount: 64, pageShift: 6 };

/** A plugin with one operation replaced. */
const lying = (answer: number): AllocatorPlugin => decorate(zoneList(), 'lying', () => ({ allocate: () => answer }));

describe('decorators that remember nothing on the host keep every promise of what they decorate', () => {
  describe.each([logged(zoneList(), () => {}), counted(bitmapTree()), strict(zoneList()), strict(bitmapTree())])('$name', (plugin) => {
    testAllocator(plugin, it, { operations: 60 });
  });
});

describe('poisoned', () => {
  it('keeps the promises that need no second allocator over the same words', () => {
    const cases = allocatorCases(poisoned(bitmapTree(), { memory: { load: () => 0x6b6b6b6b, store: () => {} }, violation: () => {} }), {
      operations: 60,
    });
    for (const { name, run } of cases) if (!/attach|copy|flipped/.test(name)) run();
  });

  it('finds what was written while it was free', () => {
    const memory = hostWords(pageWordCount(geometry));
    const found: Violation[] = [];
    const allocator = createAllocator(poisoned(bitmapTree(), { memory, violation: (violation) => found.push(violation) }), geometry);
    const start = allocator.allocate(4);
    memory.array.fill(1);
    allocator.free(start, 4);
    expect(memory.array[63]).toBe(0x6b6b6b6b);
    expect(memory.array[64]).toBe(1);
    memory.store(17, 5);
    expect(allocator.allocate(4)).toBe(start);
    expect(found).toEqual([{ rule: 'write-after-free', message: 'word 1 of page 65 was written while free: 0x5', page: 65, word: 17 }]);
    expect(() => poisoned(knr(), { memory, violation: () => {} })).toThrow(
      '[alloc] [poisoned(tablewalk/knr)] the plugin keeps words in free pages',
    );
  });
});

describe('logged and counted', () => {
  it('tell what was asked and answered', () => {
    const log: LogEntry[] = [];
    const plugin = counted(logged(zoneList(), (entry) => log.push(entry)));
    const allocator = createAllocator(plugin, geometry);
    allocator.allocate(4, { alignLog2: 2 });
    allocator.reserve(100, 2);
    allocator.resize(64, 4, 5);
    allocator.free(64, 5);
    allocator.free(64, 5);
    allocator.allocate(65);
    expect(log.map(formatLogEntry)).toEqual([
      'allocate(4, {"alignLog2":2}) = 64',
      'reserve(100, 2) = ok',
      'resize(64, 4, 5) = ok',
      'free(64, 5) = ok',
      'free(64, 5) = not-allocated',
      'allocate(65) = exhausted',
    ]);
    expect(plugin.counts).toEqual({ allocate: 2, reserve: 1, free: 2, resize: 1, refused: { 'not-allocated': 1, exhausted: 1 } });
    expect(plugin.name).toBe('counted(logged(tablewalk/zone-list))');
  });
});

describe('failing', () => {
  it('refuses the allocations that it was told to', () => {
    const allocator = createAllocator(failing(zoneList(), { nth: 2, every: 5 }), geometry);
    expect(allocator.allocate(0)).toBeLessThan(EXHAUSTED);
    expect(Array.from({ length: 10 }, () => allocator.allocate(1) === EXHAUSTED)).toEqual(
      [false, true, false, false, true, false, false, false, false, true], // 2, 5, 10
    );
    expect(() => failing(zoneList(), { nth: 0 })).toThrow('[alloc] [failing] nth 0 is not a positive integer');
  });
});

describe('strict', () => {
  it('takes back exactly what it gave, whatever the plugin would take', () => {
    const told: Violation[] = [];
    const allocator = createAllocator(strict(bitmapTree()), geometry, undefined, { violation: (violation) => told.push(violation) });
    const one = allocator.allocate(4);
    const two = allocator.allocate(4);
    expect(allocator.free(one, 8)).toBe(WRONG_LENGTH);
    expect(allocator.free(one + 1, 3)).toBe(NOT_ALLOCATED);
    expect(allocator.resize(two, 3, 4)).toBe(WRONG_LENGTH);
    expect(allocator.free(one, 4)).toBe(OK);
    expect(allocator.free(one, 4)).toBe(NOT_ALLOCATED);
    expect(told.map(({ message }) => message)).toContain('free of 8 pages at page 64: wrong-length');
    expect(allocator.check()).toEqual([]);
  });

  it.each([
    [63, 'allocate(2) answered page 63, which with its pages is outside the memory'],
    [127, 'allocate(2) answered page 127, which with its pages is outside the memory'],
    [65.5, 'allocate(2) answered 65.5'],
    [Number.NaN, 'allocate(2) answered NaN'],
    [-77, 'allocate(2) answered -77'],
    [undefined as never, 'allocate(2) answered undefined'],
  ])('does not pass on the nonsense %s', (answer, message) => {
    const allocator = createAllocator(strict(lying(answer)), geometry);
    expect(() => allocator.allocate(2)).toThrow(new AllocError('plugin', 'lying(tablewalk/zone-list)', message));
  });

  it('holds answers against constraints and live runs', () => {
    const allocator = createAllocator(strict(lying(66)), geometry);
    expect(() => allocator.allocate(2, { alignLog2: 2 })).toThrow('not aligned on 4');
    expect(() => allocator.allocate(2, { min: 70 })).toThrow('not within min and max');
    expect(() => allocator.allocate(4, { boundaryLog2: 2 })).toThrow('crosses a boundary');
    expect(allocator.allocate(2)).toBe(66);
    expect(() => allocator.allocate(1)).toThrow('overlaps the run at page 66');
  });

  it('keeps its marks in words, and refuses too few of them', () => {
    const plugin = strict(zoneList());
    const words = hostWords(plugin.metadataWords(geometry));
    const start = createAllocator(plugin, geometry, words).allocate(3);
    const again = attachAllocator(plugin, geometry, hostWords(words.array.slice()));
    expect(again.free(start, 2)).toBe(WRONG_LENGTH);
    expect(again.free(start, 3)).toBe(OK);
    expect(() => plugin.metadataWords({ ...geometry, maxMetadataWords: 10 })).toThrow(
      '[strict(tablewalk/zone-list)] needs 64 words of its own',
    );
  });
});

describe('quarantined', () => {
  it('hands freed pages out late, oldest first, but rather than refuse', () => {
    const words = hostWords(99);
    const allocator = createAllocator(quarantined(bitmapTree(), { pages: 8 }), geometry, words);
    const runs = [0, 1, 2].map(() => allocator.allocate(4));
    for (const start of runs) expect(allocator.free(start, 4)).toBe(OK);
    expect(allocator.free(runs[2] as number, 4)).toBe(NOT_ALLOCATED);
    expect(allocator.resize(runs[2] as number, 4, 2)).toBe(NOT_ALLOCATED);
    // Two runs are held; the first was let go.
    expect(allocator.stats().freePages).toBe(56);
    expect(allocator.allocate(4)).toBe(runs[0]);
    expect(allocator.allocate(4)).toBe(76);
    expect(allocator.allocate(48)).toBe(80);
    expect(allocator.allocate(8)).toBe(68);
    expect(allocator.allocate(1)).toBe(EXHAUSTED);
    expect(() => attachAllocator(quarantined(bitmapTree(), { pages: 8 }), geometry, words)).toThrow('on the host, not in the words');
    expect(() => quarantined(bitmapTree(), { pages: 0 })).toThrow('pages 0 is not a positive integer');
  });
});

describe('redZoned', () => {
  it('keeps pages of nobody around a run, and the run aligned', () => {
    const allocator = createAllocator(redZoned(bitmapTree(), { pages: 2 }), geometry);
    expect(allocator.allocate(4)).toBe(66);
    expect(allocator.allocate(4, { alignLog2: 3 })).toBe(80);
    expect(allocator.allocate(1, { min: 100, max: 101 })).toBe(100);
    expect(allocator.allocate(1, { min: 100, max: 101 })).toBe(EXHAUSTED);
    expect(allocator.allocate(1, { min: 0.5 })).toBe(BAD_CONSTRAINT);
    expect(allocator.allocate(61)).toBe(EXHAUSTED);
    expect(allocator.free(66, 3)).toBe(NOT_ALLOCATED);
    expect(allocator.free(64, 1)).toBe(NOT_ALLOCATED);
    expect(allocator.resize(66, 4, 2)).toBe(OK);
    for (const [start, pages] of [
      [66, 2],
      [80, 4],
      [100, 1],
    ] as const)
      expect(allocator.free(start, pages)).toBe(OK);
    expect(allocator.stats()).toMatchObject({ freePages: 64, freeRuns: 1 });
  });

  it('finds what was written beside a run', () => {
    const memory = hostWords(pageWordCount(geometry));
    const found: Violation[] = [];
    const allocator = createAllocator(redZoned(zoneList(), { memory, violation: (violation) => found.push(violation) }), geometry);
    const start = allocator.allocate(2);
    memory.array.fill(9, 16, 48); // its own
    memory.store(48, 7); // one word too many
    expect(allocator.free(start, 2)).toBe(OK);
    expect(found).toEqual([{ rule: 'red-zone', message: 'page 67 beside the run at page 65 was written: 0x7', page: 67, word: 48 }]);
  });
});

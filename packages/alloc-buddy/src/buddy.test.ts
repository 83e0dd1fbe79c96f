import {
  attachAllocator,
  CORRUPT,
  createAllocator,
  DESCRIPTOR_WORDS,
  EXHAUSTED,
  type Geometry,
  hostWords,
  NOT_ALLOCATED,
  OK,
  OVERLAP,
  PAGE_FREE,
  PAGE_TAKEN,
  type PageAllocator,
  UNSUPPORTED,
  USE_USER,
  type Violation,
  WRONG_LENGTH,
} from '@tablewalk/alloc';
import { describe, expect, it } from 'vitest';
import { buddy } from './index.js';

const geometry: Geometry = { firstPage: 96, pageCount: 64, pageShift: 12 };
const DESCRIPTORS = 16;

const picture = (allocator: PageAllocator): string => {
  const runs: string[] = [];
  allocator.forEachRun((start, pages, free) => runs.push(`${free ? '-' : '#'}${start}+${pages}`));
  return runs.join(' ');
};

const words = (of: Geometry = geometry) => hostWords(DESCRIPTORS + DESCRIPTOR_WORDS * of.pageCount);

describe('buddy', () => {
  it('places blocks at multiples of their length, counted from page 0', () => {
    // 96 to 160: blocks of 32, 32 at 96 and 128.
    const allocator = createAllocator(buddy(), geometry);
    expect(allocator.allocate(1)).toBe(128);
    expect(allocator.allocate(8)).toBe(136);
    expect(allocator.allocate(16)).toBe(144);
    expect(allocator.allocate(32)).toBe(96);
    expect(allocator.allocate(8)).toBe(EXHAUSTED);
    expect(allocator.allocate(2)).toBe(130);
    expect(picture(allocator)).toBe('#96+32 #128+1 -129+1 #130+2 -132+4 #136+8 #144+16');
    expect(allocator.check()).toEqual([]);
  });

  it('merges to what it was', () => {
    const over = words();
    const allocator = createAllocator(buddy(), geometry, over);
    const lists = () => over.array.slice(0, DESCRIPTORS);
    const before = [...lists()];
    const runs = [1, 2, 3, 5, 8, 13].map((pages) => [allocator.allocate(pages), pages] as const);
    for (const [start, pages] of runs) expect(allocator.free(start, pages)).toBe(OK);
    expect(allocator.stats()).toEqual({ pageCount: 64, freePages: 64, freeRuns: 1, largestFreeRun: 64 });
    // The two blocks of 32 are no buddies: 96 is one's upper half. Their list may have another order now.
    expect([...lists()].slice(0, 5)).toEqual(before.slice(0, 5));
  });

  it('takes the next power of two, and remembers what was asked for', () => {
    const allocator = createAllocator(buddy(), { firstPage: 0, pageCount: 2048, pageShift: 12 });
    for (let pages = 1; pages <= 1024; pages += pages < 70 ? 1 : 61) {
      const start = allocator.allocate(pages);
      const length = 2 ** Math.ceil(Math.log2(pages));
      expect(start % length).toBe(0);
      expect(allocator.stats().freePages).toBe(2048 - length);
      for (const wrong of [pages - 1, pages + 1, length, length >> 1].filter((other) => other !== pages && other > 0)) {
        expect([pages, wrong, allocator.free(start, wrong)]).toEqual([pages, wrong, WRONG_LENGTH]);
      }
      expect(allocator.check()).toEqual([]);
      expect(allocator.free(start, pages)).toBe(OK);
      expect(allocator.free(start, pages)).toBe(NOT_ALLOCATED);
    }
    expect(allocator.allocate(1025)).toBe(UNSUPPORTED);
    expect(createAllocator(buddy({ maxOrder: 2 }), geometry).allocate(5)).toBe(UNSUPPORTED);
  });

  it('finds the place that constraints leave, inside larger blocks too', () => {
    const allocator = createAllocator(buddy(), geometry);
    expect(allocator.allocate(2, { min: 109, max: 112 })).toBe(110);
    expect(allocator.allocate(1, { min: 111, max: 112 })).toBe(EXHAUSTED);
    // The smallest block that has such a start: what is left at 96.
    expect(allocator.allocate(1, { alignLog2: 5 })).toBe(96);
    expect(allocator.allocate(1, { alignLog2: 5 })).toBe(128);
    expect(allocator.allocate(1, { alignLog2: 5 })).toBe(EXHAUSTED);
    expect(allocator.allocate(5, { boundaryLog2: 2 })).toBe(EXHAUSTED);
    expect(allocator.allocate(4, { boundaryLog2: 2, min: 140 })).toBe(140);
    expect(allocator.check()).toEqual([]);
  });

  it('reserves any free pages, as one run that is given back and resized whole', () => {
    const allocator = createAllocator(buddy(), geometry);
    expect(allocator.reserve(101, 30)).toBe(OK);
    expect(allocator.reserve(131, 1)).toBe(OK);
    expect(allocator.reserve(130, 3)).toBe(OVERLAP);
    expect(picture(allocator)).toBe('-96+5 #101+30 #131+1 -132+28');
    expect(allocator.free(101, 31)).toBe(WRONG_LENGTH);
    expect(allocator.free(104, 8)).toBe(WRONG_LENGTH);
    expect(allocator.resize(101, 30, 31)).toBe(EXHAUSTED);
    expect(allocator.resize(131, 1, 10)).toBe(OK);
    expect(allocator.resize(101, 30, 9)).toBe(OK);
    expect(picture(allocator)).toBe('-96+5 #101+9 -110+21 #131+10 -141+19');
    expect(allocator.check()).toEqual([]);
    expect(allocator.free(101, 9)).toBe(OK);
    expect(allocator.free(131, 10)).toBe(OK);
    expect(allocator.stats().largestFreeRun).toBe(64);
    expect(allocator.check()).toEqual([]);
  });

  it('resizes in place, by whole buddies, and leaves the fields of the holder', () => {
    const allocator = createAllocator(buddy(), geometry);
    const { descriptors } = allocator;
    const start = allocator.allocate(5, { min: 128 });
    expect(start).toBe(128);
    for (const page of [128, 129, 130]) descriptors?.setUse(page, USE_USER, 77);
    for (const [from, to, code] of [
      [5, 7, OK],
      [7, 16, OK],
      [16, 33, EXHAUSTED],
      [16, 3, OK],
      [3, 30, OK],
      [30, 6, OK],
    ] as const) {
      expect([from, to, allocator.resize(start, from, to)]).toEqual([from, to, code]);
      expect(allocator.check()).toEqual([]);
      for (const page of [128, 129, 130]) expect([descriptors?.use(page), descriptors?.owner(page)]).toEqual([USE_USER, 77]);
    }
    expect([descriptors?.state(128), descriptors?.order(128), descriptors?.state(136)]).toEqual([PAGE_TAKEN, 3, PAGE_FREE]);
    const neighbour = allocator.allocate(8, { min: 136, max: 144 });
    expect(allocator.resize(start, 6, 9)).toBe(EXHAUSTED);
    expect(allocator.resize(start, 6, 2000)).toBe(EXHAUSTED);
    // The upper of two buddies cannot grow over what follows: its block would not be aligned.
    expect(allocator.free(start, 6)).toBe(OK);
    expect(allocator.resize(neighbour, 8, 9)).toBe(EXHAUSTED);
  });

  it('is taken up from a copy of its words, by the same kind alone', () => {
    const over = words();
    const first = createAllocator(buddy(), geometry, over);
    const start = first.allocate(7);
    const second = attachAllocator(buddy(), geometry, hostWords(over.array.slice()));
    expect(picture(second)).toBe(picture(first));
    expect(second.free(start, 7)).toBe(OK);
    expect(first.stats().freePages).toBe(56);
    expect(() => attachAllocator(buddy({ maxOrder: 9 }), geometry, over)).toThrow('the highest order is 10, not 9');
  });

  it.each([-1, 11, 1.5, Number.NaN])('refuses a highest order of %s', (maxOrder) => {
    expect(() => buddy({ maxOrder })).toThrow('[alloc] [tablewalk/buddy] maxOrder');
  });

  it('says how many words it needs', () => {
    expect(() => createAllocator(buddy(), { ...geometry, maxMetadataWords: 271 })).toThrow('it needs 272');
    expect(() => buddy().metadataWords({ ...geometry, pageCount: 2 ** 29 })).toThrow('are more than');
  });
});

describe('damage', () => {
  const damaged = (index: number, value: number) => {
    const over = words();
    const seen: Violation[] = [];
    const allocator = createAllocator(buddy(), geometry, over, { violation: (violation) => seen.push(violation) });
    const start = allocator.allocate(4, { min: 128 });
    over.array[index] = value;
    return { allocator, over, start, seen };
  };
  const at = (page: number): number => DESCRIPTORS + DESCRIPTOR_WORDS * (page - geometry.firstPage);

  it.each([
    ['an order that has no list', 4, 0x80000000],
    ['an order that has no block', 4, 1],
    ['a list that leads out', 5 + 2, 5000],
    ['a list that leads below', 5 + 2, 3],
    ['a link that leads out', at(132) + 2, 0xffffffff],
  ])('%s is answered with corrupt, nothing is touched', (_name, index, value) => {
    const { allocator, over, seen } = damaged(index, value);
    const before = over.array.slice();
    expect(allocator.allocate(value === 0x80000000 ? 64 : value === 1 ? 1 : 4)).toBe(CORRUPT);
    expect(over.array).toEqual(before);
    expect(seen).toHaveLength(1);
    expect(allocator.check().length).toBeGreaterThan(0);
  });

  it('a buddy with broken links is not merged with', () => {
    const { allocator, over, start } = damaged(at(132) + 3, 9999);
    const before = over.array.slice();
    expect(allocator.free(start, 4)).toBe(CORRUPT);
    expect(over.array).toEqual(before);
  });

  it('a list that is a circle ends', () => {
    const over = words({ ...geometry, pageCount: 64 });
    const allocator = createAllocator(buddy(), geometry, over);
    // Every other page is free; then the second in the list links to the first.
    for (let page = 0; page < 64; page++) allocator.allocate(1);
    for (let page = 96; page < 160; page += 2) allocator.free(page, 1);
    over.array[at(156) + 2] = 158 + 1;
    expect(allocator.allocate(1, { max: 98 })).toBe(CORRUPT);
    expect(allocator.check().map(({ rule }) => rule)).toContain('lists');
  });
});

describe('cost', () => {
  /** Loads and stores of each operation of a seeded life at a given fullness. */
  const life = (pagesOf: (random: () => number) => number, fullness: number) => {
    let seed = 12345;
    const random = (): number => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      return seed / 2 ** 32;
    };
    const of: Geometry = { firstPage: 0x40000, pageCount: 1 << 14, pageShift: 12 };
    const host = words(of);
    let accesses = 0;
    const counting = {
      load: (index: number): number => {
        accesses++;
        return host.load(index);
      },
      store: (index: number, value: number): void => {
        accesses++;
        host.store(index, value);
      },
    };
    const allocator = createAllocator(buddy(), of, counting);
    const live: [number, number][] = [];
    let held = 0;
    let operations = 0;
    let total = 0;
    let most = 0;
    for (let step = 0; step < 30_000; step++) {
      const before = accesses;
      if (held < fullness * of.pageCount) {
        const pages = pagesOf(random);
        const start = allocator.allocate(pages);
        if (start >= 0) {
          live.push([start, pages]);
          held += 2 ** Math.ceil(Math.log2(pages));
        }
      } else {
        const index = Math.floor(random() * live.length);
        const [start, pages] = live[index] as [number, number];
        if (allocator.free(start, pages) !== OK) throw new Error(`cannot free ${pages} pages at ${start}`);
        live[index] = live[live.length - 1] as [number, number];
        live.pop();
        held -= 2 ** Math.ceil(Math.log2(pages));
      }
      operations++;
      total += accesses - before;
      most = Math.max(most, accesses - before);
    }
    return { mean: total / operations, most };
  };
  const uniform = (random: () => number): number => 1 + Math.floor(random() * 64);
  const kernelLike = (random: () => number): number => (random() < 0.8 ? 1 : 2 ** Math.floor(random() * 5));

  it.each([
    ['uniform', uniform, 0.5],
    ['uniform', uniform, 0.85],
    ['kernel-like', kernelLike, 0.5],
    ['kernel-like', kernelLike, 0.95],
  ] as const)('%s sizes, %#: at most 10 accesses on average and 80 at worst', (_name, pagesOf, fullness) => {
    const { mean, most } = life(pagesOf, fullness);
    expect(mean).toBeLessThanOrEqual(10);
    expect(most).toBeLessThanOrEqual(80);
  });
});

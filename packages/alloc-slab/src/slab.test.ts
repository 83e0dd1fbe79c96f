import {
  attachObjectCache,
  BAD_COUNT,
  BUSY,
  CORRUPT,
  createAllocator,
  createObjectCache,
  DESCRIPTOR_WORDS,
  EXHAUSTED,
  FOREIGN,
  type Geometry,
  hostWords,
  INTERIOR,
  NOT_ALLOCATED,
  type ObjectCache,
  OK,
  OUT_OF_RANGE,
  type PageAllocator,
  pageDescriptors,
  zoneList,
} from '@tablewalk/alloc';
import { buddy } from '@tablewalk/alloc-buddy';
import { describe, expect, it } from 'vitest';
import { slab } from './index.js';
import { CACHE_WORDS } from './layout.js';
import { slabShape } from './shape.js';

const geometry: Geometry = { firstPage: 32, pageCount: 64, pageShift: 12 };

/** Caches over one page allocator and one set of descriptors. */
const stand = (pages: PageAllocator, of = geometry) => {
  const memory = hostWords(of.pageCount * 2 ** (of.pageShift - 2));
  const own = hostWords(DESCRIPTOR_WORDS * of.pageCount);
  const descriptors = pages.descriptors ?? pageDescriptors(own, 0, of.firstPage, of.pageCount);
  const surroundings = { pages, geometry: of, memory, descriptors };
  let id = 0;
  const cache = (objectBytes: number, alignLog2 = 2, words = hostWords(CACHE_WORDS)): ObjectCache =>
    createObjectCache(slab(), { name: `test-${objectBytes}`, id: ++id, objectBytes, alignLog2 }, surroundings, words);
  return { cache, surroundings, memory, descriptors };
};
const overBuddy = (of = geometry) => stand(createAllocator(buddy(), of), of);

describe('the shape of a slab', () => {
  it.each([
    // bytes, log2 of alignment, log2 of page: pages, places, words of a place, words of the map, words before the first place
    [64, 2, 12, 1, 63, 16, 2, 2],
    [64, 6, 12, 1, 63, 16, 2, 16],
    [1, 2, 12, 1, 504, 2, 16, 16],
    [24, 2, 12, 1, 169, 6, 6, 6],
    [96, 2, 12, 1, 42, 24, 2, 2],
    [124, 2, 12, 1, 32, 31, 0, 0],
    [128, 2, 12, 1, 32, 32, 0, 0],
    [1024, 2, 12, 1, 4, 256, 0, 0],
    [1500, 2, 12, 2, 5, 375, 0, 0],
    [4096, 12, 12, 1, 1, 1024, 0, 0],
    [4097, 2, 12, 8, 7, 1025, 0, 0],
    [12288, 2, 12, 4, 1, 3072, 0, 0],
    [32768, 2, 12, 8, 1, 8192, 0, 0],
    [4, 2, 4, 1, 4, 1, 0, 0],
    [1, 2, 16, 1, 511, 32, 16, 16],
  ])(
    '%i bytes aligned to 2^%i in pages of 2^%i',
    (objectBytes, alignLog2, pageShift, pages, capacity, placeWords, mapWords, headerWords) => {
      const shape = slabShape({ name: 'x', id: 1, objectBytes, alignLog2 }, { ...geometry, pageShift });
      expect(shape).toEqual({ pages, capacity, placeWords, mapWords, headerWords });
      expect(4 * (headerWords + capacity * placeWords)).toBeLessThanOrEqual(pages * 2 ** pageShift);
    },
  );

  it.each([
    [{ objectBytes: 0 }, 'objectBytes'],
    [{ objectBytes: 1.5 }, 'objectBytes'],
    [{ objectBytes: 32769 }, 'objectBytes'],
    [{ objectBytes: 8, alignLog2: 13 }, 'alignLog2'],
    [{ objectBytes: 8, alignLog2: 1 }, 'alignLog2'],
  ])('is none for %o', (kind, word) => {
    expect(() => slab().metadataWords({ name: 'x', id: 1, ...kind }, geometry)).toThrow(word);
    expect(() => slab().metadataWords({ name: 'x', id: 1, objectBytes: 8 }, { ...geometry, pageCount: 2 ** 22 })).toThrow('2^31 words');
  });
});

describe('objects', () => {
  it('are the lowest of the slab, one after the other, aligned', () => {
    const { cache } = overBuddy();
    const objects = cache(48, 6);
    const first = objects.allocate();
    // A map of two words is before the first place, which is aligned.
    expect(first % 16).toBe(0);
    expect([objects.allocate(), objects.allocate()]).toEqual([first + 16, first + 32]);
    expect(objects.free(first + 16)).toBe(OK);
    expect(objects.allocate()).toBe(first + 16);
  });

  it.each([8, 64, 128, 1500, 5000])('of %i bytes: what is none is refused and nothing changes', (objectBytes) => {
    const { cache, surroundings, memory } = overBuddy();
    const words = hostWords(CACHE_WORDS);
    const objects = cache(objectBytes, 2, words);
    const others = cache(objectBytes);
    const object = objects.allocate();
    const second = objects.allocate();
    const foreign = others.allocate();
    const page = surroundings.pages.allocate(1);
    const before = [memory.array.slice(), words.array.slice()];
    const end = geometry.pageCount << 10;
    expect(objects.free(object + 1)).toBe(INTERIOR);
    expect(objects.free(second - 1)).toBe(INTERIOR);
    expect(objects.free(foreign)).toBe(FOREIGN);
    expect(others.free(object)).toBe(FOREIGN);
    expect(objects.free((page - geometry.firstPage) << 10)).toBe(FOREIGN);
    for (const outside of [-1, end, end + 5, -(2 ** 31), 2 ** 31, 2 ** 40, -(2 ** 40)]) expect(objects.free(outside)).toBe(OUT_OF_RANGE);
    for (const nothing of [0.5, Number.NaN, Number.POSITIVE_INFINITY, undefined, '4']) {
      expect(objects.free(nothing as number)).toBe(BAD_COUNT);
    }
    // A place that was never taken.
    if (objectBytes < 5000) expect(objects.free(second + slabShape(objects.kind, geometry).placeWords)).toBe(NOT_ALLOCATED);
    expect([memory.array, words.array]).toEqual(before);
    expect(objects.free(object)).toBe(OK);
    expect(objects.free(object)).toBe(NOT_ALLOCATED);
    expect(objects.check()).toEqual([]);
    expect(objects.stats().liveObjects).toBe(1);
  });

  it('freed and written to damage nothing', () => {
    const { cache, memory } = overBuddy();
    const objects = cache(32);
    const freed = [objects.allocate(), objects.allocate(), objects.allocate()];
    for (const object of freed) objects.free(object);
    for (const object of freed) for (let word = 0; word < 8; word++) memory.store(object + word, 0xdeadbeef);
    expect(objects.check()).toEqual([]);
    expect([objects.allocate(), objects.allocate(), objects.allocate()]).toEqual(freed);
  });

  it('are visited in ascending order, and a visitor may look only', () => {
    const { cache } = overBuddy();
    const objects = cache(700);
    const live = Array.from({ length: 100 }, () => objects.allocate());
    for (const object of live.splice(10, 50)) objects.free(object);
    const seen: number[] = [];
    objects.forEachObject((object) => {
      seen.push(object);
      expect([objects.allocate(), objects.free(object), objects.shrink()]).toEqual([BUSY, BUSY, 0]);
    });
    expect(seen).toEqual([...live].sort((a, b) => a - b));
    expect(() =>
      objects.forEachObject(() => {
        throw new Error('mine');
      }),
    ).toThrow('mine');
    expect(objects.allocate()).toBeGreaterThanOrEqual(0);
  });
});

describe('slabs', () => {
  it('come from the page allocator and go back, but for a spare one', () => {
    const { cache, surroundings } = overBuddy();
    const { pages } = surroundings;
    const objects = cache(1024);
    const live = Array.from({ length: 12 }, () => objects.allocate());
    expect(objects.stats()).toEqual({ objectBytes: 1024, liveObjects: 12, capacity: 12, pagesHeld: 3 });
    for (const object of live) objects.free(object);
    expect(objects.stats()).toEqual({ objectBytes: 1024, liveObjects: 0, capacity: 4, pagesHeld: 1 });
    expect(pages.stats().freePages).toBe(63);
    expect([objects.shrink(), objects.shrink()]).toEqual([1, 0]);
    expect(pages.stats().freePages).toBe(64);
    expect(objects.check()).toEqual([]);
    // No page says any more whose it was.
    for (let page = 32; page < 96; page++) expect(surroundings.descriptors.use(page)).toBe(0);
  });

  it('are exhausted when the page allocator is, and only then', () => {
    const { cache, surroundings } = overBuddy();
    const objects = cache(4096);
    for (let page = 0; page < 64; page++) expect(objects.allocate()).toBeGreaterThanOrEqual(0);
    expect(objects.allocate()).toBe(EXHAUSTED);
    expect(objects.stats().liveObjects).toBe(64);
    expect(objects.free(0)).toBe(OK);
    expect(objects.allocate()).toBe(0);
    expect(objects.check()).toEqual([]);
    expect(surroundings.pages.check()).toEqual([]);
  });

  it('stay in use when the page allocator does not take them back', () => {
    const pages = createAllocator(buddy(), geometry);
    let refuses = true;
    const reluctant: PageAllocator = {
      name: 'reluctant',
      descriptors: pages.descriptors!,
      allocate: (count, constraints) => pages.allocate(count, constraints),
      free: (start, count) => (refuses ? BUSY : pages.free(start, count)),
      reserve: (start, count) => pages.reserve(start, count),
      resize: (start, from, to) => pages.resize(start, from, to),
      forEachRun: (visit) => pages.forEachRun(visit),
      stats: () => pages.stats(),
      check: () => pages.check(),
    };
    const objects = stand(reluctant).cache(1024);
    const live = Array.from({ length: 12 }, () => objects.allocate());
    for (const object of live) expect(objects.free(object)).toBe(OK);
    expect(objects.check()).toEqual([]);
    expect(objects.stats()).toMatchObject({ liveObjects: 0, pagesHeld: 3 });
    expect(objects.shrink()).toBe(0);
    refuses = false;
    expect(objects.shrink()).toBe(3);
    expect(pages.stats().freePages).toBe(64);
    expect(objects.check()).toEqual([]);
  });

  it('of an allocator that answers nonsense are not taken', () => {
    for (const answer of [0.5, Number.NaN, 1000, 96, 31]) {
      const pages = { ...createAllocator(zoneList(), geometry), allocate: () => answer } as PageAllocator;
      expect(stand(pages).cache(64).allocate()).toBe(CORRUPT);
    }
  });

  it('are taken up from a copy of all words', () => {
    const pages = createAllocator(buddy(), geometry);
    const { cache, surroundings } = stand(pages);
    const words = hostWords(CACHE_WORDS);
    const objects = cache(64, 2, words);
    const live = Array.from({ length: 100 }, () => objects.allocate());
    const again = attachObjectCache(slab(), objects.kind, surroundings, hostWords(words.array.slice()));
    expect(again.stats()).toEqual(objects.stats());
    expect(again.free(live[50]!)).toBe(OK);
    expect(again.free(live[50]!)).toBe(NOT_ALLOCATED);
    expect(() => attachObjectCache(slab(), { ...objects.kind, id: 99 }, surroundings, words)).toThrow('the id is 1, not 99');
    expect(() => attachObjectCache(slab(), objects.kind, surroundings, hostWords(CACHE_WORDS))).toThrow('the mark');
  });
});

describe('a random life', () => {
  it.each([
    ['buddy', 12, 8],
    ['buddy', 12, 64],
    ['zones', 12, 64],
    ['buddy', 12, 128],
    ['zones', 12, 1500],
    ['buddy', 12, 5000],
    ['zones', 12, 12000],
    ['zones', 4, 4],
    ['buddy', 4, 20],
    ['buddy', 16, 8],
  ] as const)('over %s, pages of 2^%i, objects of %i bytes', (kind, pageShift, objectBytes) => {
    const of = { ...geometry, pageShift };
    const pages = createAllocator(kind === 'buddy' ? buddy() : zoneList(), of);
    const { cache, memory } = stand(pages, of);
    const objects = [cache(objectBytes), cache(objectBytes)] as const;
    const placeWords = slabShape(objects[0].kind, of).placeWords;
    let seed = objectBytes;
    const below = (n: number): number => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      return Math.floor((seed / 2 ** 32) * n);
    };
    const live: { object: number; of: 0 | 1; mark: number }[] = [];
    let target = 0;
    for (let step = 0; step < 3000; step++) {
      if (step % 300 === 0) target = below(2 * objects[0].stats().capacity + 100);
      if (live.length < target ? below(4) !== 0 : below(4) === 0) {
        const which = below(2) as 0 | 1;
        const object = objects[which].allocate();
        if (object < 0) expect(pages.allocate(slabShape(objects[0].kind, of).pages)).toBeLessThan(0);
        else {
          live.push({ object, of: which, mark: step });
          // An object is the holder's from its first word to its last.
          memory.store(object, step);
          memory.store(object + placeWords - 1, step);
        }
      } else if (live.length > 0) {
        const index = below(live.length);
        const one = live[index]!;
        if (memory.load(one.object) !== one.mark || memory.load(one.object + placeWords - 1) !== one.mark) {
          throw new Error(`object ${one.object} was written by somebody else`);
        }
        const answers = [objects[one.of].free(one.object), objects[one.of].free(one.object)] as const;
        if (answers[0] !== OK || (answers[1] !== NOT_ALLOCATED && answers[1] !== FOREIGN)) throw new Error(`free answered ${answers}`);
        live[index] = live[live.length - 1]!;
        live.pop();
      }
      if (step % 100 === 0) {
        expect([objects[0].check(), objects[1].check(), pages.check()]).toEqual([[], [], []]);
        expect(objects[0].stats().liveObjects + objects[1].stats().liveObjects).toBe(live.length);
      }
    }
    for (const { object, of: which } of live) objects[which].free(object);
    for (const one of objects) one.shrink();
    expect(pages.stats().freePages).toBe(64);
    expect([objects[0].check(), objects[1].check(), pages.check()]).toEqual([[], [], []]);
  });
});

describe('damage', () => {
  const filled = (objectBytes: number) => {
    const words = hostWords(CACHE_WORDS);
    const parts = overBuddy();
    const objects = parts.cache(objectBytes, 2, words);
    const live = Array.from({ length: 100 }, () => objects.allocate());
    return { ...parts, words, objects, live };
  };

  it.each([0, 1, 2, 3, 4, 5, 6])('in word %i of a cache is found', (word) => {
    const { words, objects } = filled(64);
    words.array[word]! ^= 0x10;
    expect(objects.check().length).toBeGreaterThan(0);
  });

  it('in a map, a count, a link, an owner is found', () => {
    for (const objectBytes of [64, 512]) {
      const change = [
        ({ memory, descriptors }: ReturnType<typeof filled>, page: number) =>
          objectBytes === 64 ? memory.store((page - 32) << 10, 0) : descriptors.setReferences(page, 0x100),
        ({ descriptors }: ReturnType<typeof filled>, page: number) =>
          descriptors.setReferences(page, descriptors.references(page) ^ 0x10000),
        ({ descriptors }: ReturnType<typeof filled>, page: number) => descriptors.setNext(page, page),
        ({ descriptors }: ReturnType<typeof filled>, page: number, second: number) => descriptors.setPrevious(second, page + 1),
        ({ descriptors }: ReturnType<typeof filled>, page: number) => descriptors.setUse(page, 0, 0),
        ({ descriptors }: ReturnType<typeof filled>, page: number) => descriptors.setUse(page + 20, 1, 1),
      ];
      for (const damage of change) {
        const parts = filled(objectBytes);
        // Of the two slabs with room, the first is the head of the list.
        expect(parts.objects.free(parts.live[0]!)).toBe(OK);
        damage(parts, 32 + (parts.live[1]! >>> 10), 32 + (parts.live[99]! >>> 10));
        expect(parts.objects.check().length).toBeGreaterThan(0);
      }
    }
  });

  it('in the list does not lead out of the pages', () => {
    for (const link of [1, 5000, 0xffffffff]) {
      const { words, objects } = filled(64);
      words.array[4] = link;
      expect(objects.allocate()).toBe(CORRUPT);
      expect(objects.check().length).toBeGreaterThan(0);
      expect(objects.shrink()).toBe(0);
      objects.stats();
    }
  });
});

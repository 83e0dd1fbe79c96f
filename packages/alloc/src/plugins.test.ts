import { describe, expect, it } from 'vitest';
import {
  type AllocatorPlugin,
  allocatorMetadataWords,
  attachAllocator,
  bitmapTree,
  checkAllocatorPlugin,
  checkObjectCachePlugin,
  codeName,
  codeNames,
  createAllocator,
  createObjectCache,
  type Geometry,
  hostWords,
  knr,
  type ObjectCachePlugin,
  type ObjectSurroundings,
  objectAddress,
  objectAtAddress,
  pageDescriptors,
  zoneList,
} from './index.js';
import { pageObjects } from './testing/fixtures/page-objects.js';

const geometry: Geometry = { firstPage: 8, pageCount: 100, pageShift: 12 };

describe('codes', () => {
  it('have one name each', () => {
    expect(codeNames.map((_, index) => codeName(-index))).toEqual(codeNames);
    expect(new Set(codeNames).size).toBe(14);
    expect([codeName(7), codeName(-99)]).toEqual(['ok', 'unknown code -99']);
  });
});

describe('a plugin that is none', () => {
  it.each([
    [undefined, '[alloc] [allocator plugin] is undefined'],
    [null, '[alloc] [allocator plugin] is null'],
    ['bitmapTree', '[alloc] [allocator plugin] is string'],
    [{}, '[alloc] [allocator plugin] speaks contract version undefined, not 1'],
    [{ ...zoneList(), contract: 2 }, '[alloc] [tablewalk/zone-list] speaks contract version 2, not 1'],
    [{ ...zoneList(), name: '' }, undefined],
    [{ ...zoneList(), create: 3 }, '[alloc] [tablewalk/zone-list] create is number, not a function'],
    [{ ...zoneList(), capabilities: { complete: 1 } }, '[alloc] [tablewalk/zone-list] capabilities.complete is not a boolean'],
    [
      { ...zoneList(), capabilities: { ...zoneList().capabilities, alignment: 'odd' } },
      '[alloc] [tablewalk/zone-list] capabilities.alignment is odd',
    ],
  ])('is refused by name: %#', (value, message) => {
    if (message === undefined) expect(() => checkAllocatorPlugin(value)).not.toThrow();
    else expect(() => checkAllocatorPlugin(value)).toThrow(expect.objectContaining({ name: 'AllocError', kind: 'contract', message }));
  });

  it('is refused among object caches too', () => {
    expect(() => checkObjectCachePlugin(zoneList())).toThrow('capabilities are not complete and maxObjectBytes');
    expect(() => checkObjectCachePlugin({ ...pageObjects(), contract: 0 })).toThrow('speaks contract version 0, not 1');
  });
});

describe('a plugin that misbehaves', () => {
  const broken = (change: Partial<AllocatorPlugin>): AllocatorPlugin => ({ ...zoneList(), ...change });
  const boom = (): never => {
    throw new RangeError('boom');
  };
  it.each([
    [broken({ metadataWords: boom }), 'metadataWords threw boom'],
    [broken({ metadataWords: () => -1 }), 'metadataWords answered -1'],
    [broken({ metadataWords: () => Number.NaN }), 'metadataWords answered NaN'],
    [broken({ create: boom }), 'create threw boom'],
    [
      broken({
        create() {
          throw 'text';
        },
      }),
      'create threw text',
    ],
  ])('is named, with the cause (%#)', (plugin, message) => {
    expect(() => createAllocator(plugin, geometry)).toThrow(
      expect.objectContaining({ kind: 'plugin', message: `[alloc] [tablewalk/zone-list] ${message}` }),
    );
  });

  it('keeps its cause', () => {
    try {
      createAllocator(broken({ create: boom }), geometry);
    } catch (error) {
      expect((error as Error).cause).toBeInstanceOf(RangeError);
    }
  });

  it('must make an allocator, within the words it may have', () => {
    expect(() => createAllocator(broken({ create: () => ({}) as never }), geometry)).toThrow('what create made] name is undefined');
    expect(() => createAllocator(broken({ metadataWords: () => 11 }), { ...geometry, maxMetadataWords: 10 })).toThrow(
      'takes 11 metadata words of 10',
    );
    expect(() => createAllocator(knr(), geometry)).toThrow('[alloc] [tablewalk/knr] keeps its list in the free pages');
  });
});

describe('a geometry that does not fit', () => {
  it.each([
    [{ pageCount: 0 }, 'pageCount 0 is not 1 to 1073741824'],
    [{ pageCount: 1.5 }, 'pageCount 1.5'],
    [{ firstPage: -1 }, 'firstPage -1 with 100 pages'],
    [{ firstPage: 2 ** 30 }, 'firstPage 1073741824 with 100 pages'],
    [{ pageShift: 31 }, 'pageShift 31 is not 4 to 30'],
    [{ maxMetadataWords: 0.5 }, 'maxMetadataWords 0.5 is not a count'],
  ])('is refused: %j', (change, message) => {
    expect(() => createAllocator(bitmapTree(), { ...geometry, ...change })).toThrow(expect.objectContaining({ kind: 'geometry' }));
    expect(() => createAllocator(bitmapTree(), { ...geometry, ...change })).toThrow(message);
  });

  it('says how many words it would take', () => {
    const words = allocatorMetadataWords(bitmapTree(), geometry);
    expect(() => createAllocator(bitmapTree(), { ...geometry, maxMetadataWords: words - 1 })).toThrow(`needs ${words} metadata words`);
    expect(() => attachAllocator(bitmapTree(), geometry, hostWords(words))).toThrow(expect.objectContaining({ kind: 'attach' }));
  });
});

describe('object caches', () => {
  const surroundings: ObjectSurroundings = {
    pages: createAllocator(bitmapTree(), geometry),
    geometry,
    memory: hostWords(geometry.pageCount << 10),
    descriptors: pageDescriptors(hostWords(400), 0, geometry.firstPage, geometry.pageCount),
  };
  it.each([
    [{ id: 0 }, 'id 0 is not 1 to 65535'],
    [{ objectBytes: 0 }, 'objectBytes 0'],
    [{ objectBytes: 2.5 }, 'objectBytes 2.5'],
    [{ objectBytes: 9999 }, 'objectBytes 9999 is more than 2048'],
    [{ alignLog2: 13 }, 'alignLog2 13 is not 2 to 12'],
  ])('refuse a kind that makes no sense: %j', (change, message) => {
    const kind = { name: 'inode', id: 1, objectBytes: 64, ...change };
    expect(() => createObjectCache(pageObjects(), kind, surroundings)).toThrow(`[alloc] [test/page-objects] inode: ${message}`);
  });

  it.each<[string, Partial<ObjectSurroundings>, string]>([
    ['memory', { memory: undefined as never }, 'one of them is missing'],
    ['pages', { pages: {} as never }, 'one of them is missing'],
    ['descriptors', { descriptors: undefined as never }, 'one of them is missing'],
    ['enough descriptors', { descriptors: pageDescriptors(hostWords(400), 0, geometry.firstPage, 99) }, 'are not of all 100 pages'],
  ])('refuse to stand where there are no %s', (_name, change, message) => {
    const kind = { name: 'inode', id: 1, objectBytes: 64 };
    const wrong = () => createObjectCache(pageObjects(), kind, { ...surroundings, ...change });
    expect(wrong).toThrow(`[alloc] [test/page-objects] `);
    expect(wrong).toThrow(message);
  });

  it.each<[string, Partial<ObjectCachePlugin>, string]>([
    ['speak another contract', { contract: 2 as 1 }, 'contract'],
    ['answer no length', { capabilities: { complete: true, maxObjectBytes: () => Number.NaN } }, 'maxObjectBytes answered NaN'],
    ['throw for a length', { capabilities: { complete: true, maxObjectBytes: thrower } }, 'maxObjectBytes threw not today'],
    ['answer no number of words', { metadataWords: () => 1.5 }, 'metadataWords answered 1.5'],
    ['throw', { create: thrower }, 'create threw not today'],
    ['make nothing', { create: () => undefined as never }, 'create made'],
  ])('that %s are named', (_name, change, message) => {
    const made = () => createObjectCache({ ...pageObjects(), ...change }, { name: 'inode', id: 1, objectBytes: 64 }, surroundings);
    expect(made).toThrow(expect.objectContaining({ name: 'AllocError' }));
    expect(made).toThrow(message);
  });

  it('name objects by words, which are byte addresses in another unit', () => {
    const cache = createObjectCache(pageObjects(), { name: 'inode', id: 1, objectBytes: 64 }, surroundings);
    const object = cache.allocate();
    const address = objectAddress(object, geometry);
    expect(address).toBe(0x8000 + object * 4);
    expect(objectAtAddress(address, geometry)).toBe(object);
    expect(cache.free(objectAtAddress(address + 2, geometry))).toBe(-3);
    expect(cache.free(objectAtAddress(address, geometry))).toBe(0);
  });
});

function thrower(): never {
  throw new Error('not today');
}

import { describe, expect, it } from 'vitest';
import {
  AllocError,
  attachAllocator,
  createAllocator,
  EXHAUSTED,
  type Geometry,
  hostWords,
  METADATA_FULL,
  NOT_ALLOCATED,
  OK,
  OVERLAP,
  type PageAllocator,
  zoneList,
} from '../index.js';

const geometry: Geometry = { firstPage: 100, pageCount: 64, pageShift: 12 };

function picture(allocator: PageAllocator): string {
  let text = '';
  allocator.forEachRun((start, pages, free) => {
    text += `${free ? '-' : '#'}${start}+${pages} `;
  });
  return text.trim();
}

describe('zoneList', () => {
  it('places at the lowest fit, within constraints', () => {
    const allocator = createAllocator(zoneList(), geometry);
    expect(allocator.allocate(3)).toBe(100);
    expect(allocator.allocate(8, { alignLog2: 3 })).toBe(104);
    expect(allocator.allocate(1)).toBe(103);
    expect(allocator.allocate(4, { min: 120, max: 124 })).toBe(120);
    expect(allocator.allocate(4, { min: 120, max: 124 })).toBe(EXHAUSTED);
    expect(allocator.allocate(6, { boundaryLog2: 3 })).toBe(112);
    expect(allocator.allocate(6, { boundaryLog2: 3 })).toBe(128);
    expect(allocator.check()).toEqual([]);
  });

  it('frees any taken range, across allocations too, and merges at once', () => {
    const allocator = createAllocator(zoneList(), geometry);
    for (let index = 0; index < 4; index++) allocator.allocate(8);
    expect(allocator.free(104, 20)).toBe(OK);
    expect(picture(allocator)).toBe('#100+4 -104+20 #124+8 -132+32');
    expect(allocator.free(120, 8)).toBe(NOT_ALLOCATED);
    expect(allocator.free(124, 8)).toBe(OK);
    expect(allocator.free(100, 4)).toBe(OK);
    expect(picture(allocator)).toBe('-100+64');
  });

  it('counts the zones that an operation adds, not where it happens', () => {
    const words = hostWords(16);
    const small = { ...geometry, maxMetadataWords: 6 + 4 };
    const allocator = createAllocator(zoneList(), small, words);
    expect(allocator.reserve(110, 4)).toBe(OK); // three zones
    const before = words.array.slice();
    expect(allocator.reserve(130, 4)).toBe(METADATA_FULL); // five, though it is the last of them that splits
    expect(words.array).toEqual(before);
    expect(allocator.allocate(10)).toBe(100); // takes a zone whole: still three
    expect(allocator.free(104, 2)).toBe(METADATA_FULL);
    expect(allocator.free(100, 14)).toBe(OK);
    expect(picture(allocator)).toBe('-100+64');
  });

  it('reserves, resizes in place, and takes up a copy of its words', () => {
    const words = hostWords(zoneList().metadataWords(geometry));
    const allocator = createAllocator(zoneList(), geometry, words);
    const start = allocator.allocate(4);
    expect(allocator.reserve(108, 4)).toBe(OK);
    expect(allocator.reserve(106, 4)).toBe(OVERLAP);
    expect(allocator.resize(start, 4, 9)).toBe(EXHAUSTED);
    expect(allocator.resize(start, 4, 8)).toBe(OK);
    expect(allocator.resize(start, 8, 2)).toBe(OK);
    const copy = attachAllocator(zoneList(), geometry, hostWords(words.array.slice()));
    expect(picture(copy)).toBe('#100+2 -102+6 #108+4 -112+52');
    expect(copy.check()).toEqual([]);
    expect(() => attachAllocator(zoneList(), { ...geometry, firstPage: 0 }, words)).toThrow(AllocError);
  });
});

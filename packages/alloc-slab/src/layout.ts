import type { Geometry, ObjectKind, Violation, Words } from '@tablewalk/alloc';
import type { Shape } from './shape.js';

// The words of a cache:
//
//     0  mark       1  id            2  words of a place     3  pages of a slab
//     4  first of the slabs that have room (page plus one, 0 for none), except
//     5  the spare one, which has no object (likewise)
//     6  slabs
//     7  objects, if the maps of its slabs are in the descriptors: no other word would contradict a bit of such a map
//
// A slab's pages say USE_OBJECTS and the cache's id. Of the first one the links lead through the slabs that have room (the head's back link, and those of
// a slab in no list, say nothing); the others link back to themselves and forward to the first. Word 1 of the first descriptor (the count of references) is
//
//     the map of taken places, bit n for place n         of a slab of up to 32 places
//     objects (31:16), words of the map with room (15:0)   of a larger one, whose map is at its beginning
const AT_MARK = 0;
const AT_ID = 1;
const AT_PLACE_WORDS = 2;
const AT_PAGES = 3;
export const AT_ROOM = 4;
export const AT_SPARE = 5;
export const AT_SLABS = 6;
export const AT_LIVE = 7;
export const CACHE_WORDS = 8;

const MARK = 0x5457534c; // 'TWSL'

export const writeHeader = (words: Words, kind: ObjectKind, shape: Shape): void => {
  words.store(AT_MARK, MARK);
  words.store(AT_ID, kind.id);
  words.store(AT_PLACE_WORDS, shape.placeWords);
  words.store(AT_PAGES, shape.pages);
  words.store(AT_ROOM, 0);
  words.store(AT_SPARE, 0);
  words.store(AT_SLABS, 0);
  words.store(AT_LIVE, 0);
};

export const headerViolations = (words: Words, kind: ObjectKind, shape: Shape): Violation[] => {
  const found: Violation[] = [];
  const expect = (word: number, value: number, what: string): void => {
    const held = words.load(word);
    if (held !== value) found.push({ rule: 'header', message: `${what} is ${held}, not ${value}`, word });
  };
  expect(AT_MARK, MARK, 'the mark');
  expect(AT_ID, kind.id, 'the id');
  expect(AT_PLACE_WORDS, shape.placeWords, 'the length of a place');
  expect(AT_PAGES, shape.pages, 'the number of pages of a slab');
  return found;
};

/** Index of the first word of a page in the words over the managed pages. */
export const firstWord = (page: number, geometry: Geometry): number => (page - geometry.firstPage) * 2 ** (geometry.pageShift - 2);

/** What is beyond the last place in the last word of a slab's map; those bits say taken. */
export const mapTail = (shape: Shape): number => (shape.capacity % 32 === 0 ? 0 : (-1 << (shape.capacity % 32)) >>> 0);

/** The map of a slab of up to 32 places when all are taken. */
export const fullMap = (shape: Shape): number => (shape.capacity >= 32 ? 0xffffffff : (1 << shape.capacity) - 1);

export const bitCount = (word: number): number => {
  let value = word - ((word >>> 1) & 0x55555555);
  value = (value & 0x33333333) + ((value >>> 2) & 0x33333333);
  return Math.imul((value + (value >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
};

import { AllocError } from '../alloc-error.js';
import type { Geometry } from '../geometry.js';
import type { Violation } from '../page-allocator.js';
import type { Words } from '../words.js';

// What the allocators of this package begin their words with, so that one never takes up what another one wrote, or of another geometry.
const AT_MAGIC = 0;
const AT_FIRST_PAGE = 1;
const AT_PAGE_COUNT = 2;
export const AT_FREE_PAGES = 3;
export const HEADER_WORDS = 4;

export function writeHeader(words: Words, magic: number, geometry: Geometry): void {
  words.store(AT_MAGIC, magic);
  words.store(AT_FIRST_PAGE, geometry.firstPage);
  words.store(AT_PAGE_COUNT, geometry.pageCount);
  words.store(AT_FREE_PAGES, geometry.pageCount);
}

export function wordViolation(words: Words, word: number, expected: number, what: string): Violation[] {
  const held = words.load(word);
  return held === expected ? [] : [{ rule: 'header', message: `${what} is ${held}, not ${expected}`, word }];
}

export function headerViolations(words: Words, magic: number, geometry: Geometry): Violation[] {
  return [
    ...wordViolation(words, AT_MAGIC, magic, 'the mark'),
    ...wordViolation(words, AT_FIRST_PAGE, geometry.firstPage, 'the first page'),
    ...wordViolation(words, AT_PAGE_COUNT, geometry.pageCount, 'the page count'),
  ];
}

export function freeCountViolation(words: Words, freePages: number): Violation[] {
  const counted = words.load(AT_FREE_PAGES);
  if (counted === freePages) return [];
  return [{ rule: 'free-count', message: `${counted} free pages counted, ${freePages} found`, word: AT_FREE_PAGES }];
}

/** The words that a plugin needs for a geometry. @throws AllocError of kind `geometry` when it may not have them */
export function fittingWords(name: string, words: number, geometry: Geometry): number {
  if (words > (geometry.maxMetadataWords ?? words)) {
    throw new AllocError(
      'geometry',
      name,
      `needs ${words} metadata words for ${geometry.pageCount} pages, not ${geometry.maxMetadataWords}`,
    );
  }
  return words;
}

/** Refuses to take up what is not this allocator's state. @throws AllocError of kind `attach` */
export function expectState(name: string, [wrong]: readonly Violation[]): void {
  if (wrong) throw new AllocError('attach', name, wrong.message);
}

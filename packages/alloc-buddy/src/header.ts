import { AllocError, checkGeometry, DESCRIPTOR_WORDS, type Geometry, type Violation, type Words } from '@tablewalk/alloc';
import {
  AT_FIRST_PAGE,
  AT_LISTS,
  AT_MARK,
  AT_MAX_ORDER,
  AT_ORDERS,
  AT_PAGE_COUNT,
  DESCRIPTORS,
  HIGHEST_ORDER,
  MARK,
  MOST_PAGES,
  NAME,
} from './layout.js';

export const metadataWords = (geometry: Geometry): number => {
  checkGeometry(geometry, NAME);
  const { pageCount, maxMetadataWords } = geometry;
  if (pageCount > MOST_PAGES) throw new AllocError('geometry', NAME, `${pageCount} pages are more than ${MOST_PAGES}`);
  const words = DESCRIPTORS + DESCRIPTOR_WORDS * pageCount;
  if (words > (maxMetadataWords ?? words)) {
    throw new AllocError(
      'geometry',
      NAME,
      `${maxMetadataWords} metadata words do not hold the descriptors of ${pageCount} pages; it needs ${words}`,
    );
  }
  return words;
};

export const writeHeader = (words: Words, geometry: Geometry, maxOrder: number): void => {
  words.store(AT_MARK, MARK);
  words.store(AT_FIRST_PAGE, geometry.firstPage);
  words.store(AT_PAGE_COUNT, geometry.pageCount);
  words.store(AT_MAX_ORDER, maxOrder);
  for (let word = AT_ORDERS; word < DESCRIPTORS; word++) words.store(word, 0);
};

/** What in the header is not what `writeHeader` wrote; the lists are looked at by {@link violations}. */
export const headerViolations = (words: Words, geometry: Geometry, maxOrder: number): Violation[] => {
  const found: Violation[] = [];
  const expect = (word: number, value: number, what: string): void => {
    const held = words.load(word);
    if (held !== value) found.push({ rule: 'header', message: `${what} is ${held}, not ${value}`, word });
  };
  expect(AT_MARK, MARK, 'the mark');
  expect(AT_FIRST_PAGE, geometry.firstPage, 'the first page');
  expect(AT_PAGE_COUNT, geometry.pageCount, 'the page count');
  expect(AT_MAX_ORDER, maxOrder, 'the highest order');
  for (let order = maxOrder + 1; order <= HIGHEST_ORDER; order++) expect(AT_LISTS + order, 0, `the list of order ${order}`);
  return found;
};

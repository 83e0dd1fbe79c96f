import { AllocError, checkGeometry, DESCRIPTOR_WORDS, type Geometry, PAGE_TAKEN_BODY, type Violation, type Words } from '@tablewalk/alloc';

// Words: a header of 16, then the page descriptors of `@tablewalk/alloc`, four words a page.
//
//     0  mark            1  first page        2  page count        3  highest order
//     4  bit n set: there is a free block of order n
//     5  to 15: for each order, the first block of its list of free blocks (page plus one, 0 for none)
//
// The first page of every block says what the block is (state and order); all other pages say PAGE_UNKNOWN, so that an old block inside a
// larger one cannot be taken for a block. Free blocks of an order are a list, newest first, through the links of their first pages.
export const AT_MARK = 0;
export const AT_FIRST_PAGE = 1;
export const AT_PAGE_COUNT = 2;
export const AT_MAX_ORDER = 3;
export const AT_ORDERS = 4;
export const AT_LISTS = 5;
export const DESCRIPTORS = 16;

const MARK = 0x54574244; // 'TWBD'

export const NAME = 'tablewalk/buddy';

/** Orders 0 to this one: 1024 pages, as the eleven words of lists have it. */
export const HIGHEST_ORDER = 10;

/** Indices of words stay 32-bit integers. */
const MOST_PAGES = 1 << 28;

/** The smallest order that holds so many pages, at least 1. */
export const orderFor = (pages: number): number => 32 - Math.clz32(pages - 1);

/** State and order in word 0 of a descriptor; the holder has the rest. */
export const OWN = 0xff;
export const STATE = 0xf;

/** Pages of a taken block that were not asked for: its first one, its last one, the only one. */
export const MARK_FIRST = PAGE_TAKEN_BODY | 0x10;
export const MARK_LAST = PAGE_TAKEN_BODY | 0x20;
export const MARK_BOTH = PAGE_TAKEN_BODY | 0x30;

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

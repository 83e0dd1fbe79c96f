// Numbers and nothing imported: so a bundler may write them where they are used.
//
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

export const MARK = 0x54574244; // 'TWBD'

export const NAME = 'tablewalk/buddy';

/** Orders 0 to this one: 1024 pages, as the eleven words of lists have it. */
export const HIGHEST_ORDER = 10;

/** Indices of words stay 32-bit integers. */
export const MOST_PAGES = 1 << 28;

/** State and order in word 0 of a descriptor; the holder has the rest. */
export const OWN = 0xff;
export const STATE = 0xf;

/** The smallest order that holds so many pages, at least 1. */
export const orderFor = (pages: number): number => 32 - Math.clz32(pages - 1);

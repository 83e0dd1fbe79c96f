import {
  type Geometry,
  PAGE_FREE,
  PAGE_RESERVED,
  PAGE_RESERVED_BODY,
  PAGE_TAKEN,
  PAGE_UNKNOWN,
  type Violation,
  type Words,
} from '@tablewalk/alloc';
import { MARK_BOTH, MARK_FIRST, MARK_LAST } from './blocks.js';
import { headerViolations } from './header.js';
import { AT_LISTS, AT_ORDERS, DESCRIPTORS, OWN, STATE } from './layout.js';

/** More are not told. */
const MOST = 100;

/** Everything in the words that contradicts itself or the geometry. */
export const violations = (words: Words, geometry: Geometry, maxOrder: number): Violation[] => {
  const found = headerViolations(words, geometry, maxOrder);
  const { firstPage, pageCount } = geometry;
  const end = firstPage + pageCount;
  const at = (page: number): number => DESCRIPTORS + 4 * (page - firstPage);
  const own = (page: number): number => words.load(at(page)) & OWN;
  const report = (rule: string, message: string, word: number, page?: number): void => {
    if (found.length < MOST) found.push({ rule, message, word, ...(page !== undefined && { page }) });
  };

  // The blocks tile the pages.
  const freeBlocks = new Array<number>(maxOrder + 1).fill(0);
  let before = PAGE_UNKNOWN;
  for (let page = firstPage; page < end; ) {
    const state = own(page) & STATE;
    const order = own(page) >>> 4;
    const length = 2 ** order;
    const isBlock = state === PAGE_FREE || state === PAGE_TAKEN || state === PAGE_RESERVED || state === PAGE_RESERVED_BODY;
    if (!isBlock) report('tiling', `page ${page} begins a block and has state ${state}`, at(page), page);
    if (order > maxOrder || page % length !== 0 || page + length > end) {
      report('tiling', `a block of order ${order} at page ${page} does not fit there`, at(page), page);
      page++;
      before = PAGE_UNKNOWN;
      continue;
    }
    if (state === PAGE_RESERVED_BODY && before !== PAGE_RESERVED && before !== PAGE_RESERVED_BODY) {
      report('reservations', `page ${page} goes on with a reservation that does not begin`, at(page), page);
    }
    if (state === PAGE_FREE) {
      freeBlocks[order]!++;
      const buddy = page ^ length;
      if (order < maxOrder && buddy > page && buddy + length <= end && own(buddy) === own(page)) {
        report('coalescing', `the buddies at ${page} and ${buddy} are both free`, at(page), page);
      }
    }
    let firstBeyond = 0;
    let lastBeyond = 0;
    for (let body = page + 1; body < page + length; body++) {
      const inside = own(body);
      if (inside === PAGE_UNKNOWN) continue;
      const isMark = state === PAGE_TAKEN && (inside === MARK_FIRST || inside === MARK_LAST || inside === MARK_BOTH);
      if (!isMark) report('bodies', `page ${body}, inside a block, has state ${inside & STATE} and order ${inside >>> 4}`, at(body), body);
      else {
        if (inside !== MARK_LAST && firstBeyond === 0) firstBeyond = body;
        else if (inside !== MARK_LAST) report('marks', `pages ${firstBeyond} and ${body} are both the first not asked for`, at(body), body);
        if (inside !== MARK_FIRST) lastBeyond = body;
      }
    }
    const isMarked = firstBeyond !== 0 || lastBeyond !== 0;
    if (isMarked && (firstBeyond <= page + length / 2 || lastBeyond !== page + length - 1)) {
      report(
        'marks',
        `of the block of order ${order} at ${page}, pages ${firstBeyond} to ${lastBeyond} were not asked for`,
        at(page),
        page,
      );
    }
    before = state;
    page += length;
  }

  // The lists hold the free blocks, each once, and the word of orders says which have any.
  const orders = words.load(AT_ORDERS);
  for (let order = 0; order <= maxOrder; order++) {
    const list = AT_LISTS + order;
    let count = 0;
    let previous = 0;
    let word = list;
    for (let link = words.load(list); link !== 0; link = words.load(word)) {
      if (link <= firstPage || link > end) {
        report('lists', `the list of order ${order} leads to ${link}`, word);
        break;
      }
      const page = link - 1;
      if (own(page) !== (PAGE_FREE | (order << 4))) {
        report('lists', `page ${page} is in the list of order ${order}, and no free block of it`, word, page);
        break;
      }
      if (words.load(at(page) + 3) !== previous) {
        report('lists', `page ${page} links back to ${words.load(at(page) + 3)}, not ${previous}`, at(page) + 3, page);
        break;
      }
      previous = link;
      word = at(page) + 2;
      count++;
      // Each step's link back is that of the step before, so a circle comes past its beginning, whose link back is 0.
    }
    if (count !== freeBlocks[order]) report('lists', `${count} blocks in the list of order ${order}, ${freeBlocks[order]} are free`, list);
    if (((orders >>> order) & 1) !== (words.load(list) === 0 ? 0 : 1)) {
      report('orders', `the list of order ${order} begins with ${words.load(list)}`, AT_ORDERS);
    }
  }
  if (orders >>> (maxOrder + 1) !== 0) report('orders', `orders above ${maxOrder} have blocks`, AT_ORDERS);
  return found;
};

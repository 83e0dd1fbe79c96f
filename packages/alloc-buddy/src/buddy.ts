import {
  BUSY,
  CORRUPT,
  type Code,
  type Constraints,
  checkConstraints,
  checkCount,
  checkRange,
  EXHAUSTED,
  type Geometry,
  type Hooks,
  highestEnd,
  lowestStart,
  NOT_ALLOCATED,
  OK,
  OVERLAP,
  PAGE_FREE,
  PAGE_RESERVED,
  PAGE_RESERVED_BODY,
  PAGE_TAKEN,
  PAGE_TAKEN_BODY,
  type PageAllocator,
  type PageDescriptors,
  pageDescriptors,
  type RunVisitor,
  type Stats,
  UNSUPPORTED,
  type Violation,
  type Words,
  WRONG_LENGTH,
} from '@tablewalk/alloc';
import { violations } from './check.js';
import { AT_LISTS, AT_ORDERS, DESCRIPTORS, NAME, orderFor } from './layout.js';

/** State and order in word 0 of a descriptor; the holder has the rest. */
const OWN = 0xff;
const STATE = 0xf;

/**
 * The binary buddy system (Knuth, The Art of Computer Programming, volume 1, section 2.5): blocks of `1 << order` pages at multiples of their
 * length, counted from page 0 and not from the first managed one.
 *
 * What hurts here is a load or store, not arithmetic: nothing is counted that a walk can find (`stats`), and the word of orders is written when
 * a list becomes empty or stops being so.
 */
export class Buddy implements PageAllocator {
  readonly name = NAME;
  readonly descriptors: PageDescriptors;
  readonly words: Words;
  readonly geometry: Geometry;
  readonly maxOrder: number;
  private readonly first: number;
  private readonly end: number;
  private readonly hooks: Hooks | undefined;
  /** In a visitor. */
  private busy = false;

  constructor(words: Words, geometry: Geometry, maxOrder: number, hooks: Hooks | undefined) {
    this.words = words;
    this.geometry = geometry;
    this.maxOrder = maxOrder;
    this.first = geometry.firstPage;
    this.end = geometry.firstPage + geometry.pageCount;
    this.hooks = hooks;
    this.descriptors = pageDescriptors(words, DESCRIPTORS, geometry.firstPage, geometry.pageCount);
  }

  /** Index of word 0 of a page's descriptor. */
  private at(page: number): number {
    return DESCRIPTORS + ((page - this.first) << 2);
  }

  /** A link that names no managed page; 0 is a good one. */
  private isBroken(link: number): boolean {
    return link !== 0 && (link <= this.first || link > this.end);
  }

  private corrupt(message: string, word: number): Code {
    this.hooks?.violation?.({ rule: 'links', message, word });
    return CORRUPT;
  }

  /** Puts a block at the head of its list; the word of orders as it is then. */
  private insert(block: number, order: number, orders: number): number {
    const { words } = this;
    const at = this.at(block);
    const next = words.load(AT_LISTS + order);
    words.store(at, PAGE_FREE | (order << 4));
    words.store(at + 2, next);
    words.store(at + 3, 0);
    words.store(AT_LISTS + order, block + 1);
    // A head that leads nowhere is damage; the block becomes the whole list rather than follow it out of the words.
    if (next === 0 || this.isBroken(next)) return orders | (1 << order);
    words.store(this.at(next - 1) + 3, block + 1);
    return orders;
  }

  /** Takes a block out of its list; the word of orders as it is then, or -1 and nothing changed if its links are broken. */
  private unlink(block: number, order: number, orders: number): number {
    const { words } = this;
    const at = this.at(block);
    const next = words.load(at + 2);
    const previous = words.load(at + 3);
    if (this.isBroken(next) || this.isBroken(previous)) return -1;
    if (next !== 0) words.store(this.at(next - 1) + 3, previous);
    if (previous !== 0) {
      words.store(this.at(previous - 1) + 2, next);
      return orders;
    }
    words.store(AT_LISTS + order, next);
    return next === 0 ? orders & ~(1 << order) : orders;
  }

  /**
   * Keeps the part of order `to` at `keep` of a block that is in no list, and gives the other halves to their lists.
   */
  private split(block: number, order: number, keep: number, to: number, orders: number): number {
    let now = orders;
    let low = block;
    for (let half = order - 1; half >= to; half--) {
      const middle = low + (1 << half);
      if (keep < middle) now = this.insert(middle, half, now);
      else {
        now = this.insert(low, half, now);
        low = middle;
      }
    }
    return now;
  }

  /** Puts a block, whose first page says anything but free, back, merged with its buddies; -1 and nothing changed if a list is broken. */
  private release(start: number, from: number, orders: number): number {
    const { words, first, end, maxOrder } = this;
    let block = start;
    let order = from;
    let now = orders;
    for (; order < maxOrder; order++) {
      const buddy = block ^ (1 << order);
      if (buddy < first || buddy + (1 << order) > end) break;
      const at = this.at(buddy);
      if ((words.load(at) & OWN) !== (PAGE_FREE | (order << 4))) break;
      const without = this.unlink(buddy, order, now);
      if (without < 0) {
        if (block === start && order === from) return -1;
        break;
      }
      now = without;
      // The upper half is no block any more.
      words.store(buddy < block ? this.at(block) : at, 0);
      if (buddy < block) block = buddy;
    }
    return this.insert(block, order, now);
  }

  /**
   * How many pages of a taken block were not asked for is written in the state bytes of the pages behind its first, four bits each and the
   * lowest first: the block's own word has no room for it, and its links belong to the holder. A block of order n needs n - 1 bits.
   */
  private excess(block: number, order: number): number {
    if (order < 2) return 0;
    const { words } = this;
    const at = this.at(block);
    let excess = (words.load(at + 4) & OWN) >>> 4;
    if (order > 5) excess |= words.load(at + 8) & 0xf0;
    if (order > 9) excess |= (words.load(at + 12) & 0xf0) << 4;
    return excess;
  }

  /** Writes it over one that is known, `old`; `holder` is the mask of what the holder has in those words. */
  private setExcess(block: number, order: number, excess: number, old: number, holder: number): void {
    if (order < 2) return;
    const at = this.at(block) + 4;
    for (let nibble = 0; 4 * nibble < order - 1; nibble++) {
      const value = (excess >>> (4 * nibble)) & 0xf;
      if (value === 0 && ((old >>> (4 * nibble)) & 0xf) === 0) continue;
      const index = at + 4 * nibble;
      const kept = holder === 0 ? 0 : this.words.load(index) & holder;
      this.words.store(index, (kept | (value === 0 ? 0 : PAGE_TAKEN_BODY | (value << 4))) >>> 0);
    }
  }

  allocate(pages: number, constraints?: Constraints): number {
    if (this.busy) return BUSY;
    const counted = checkCount(pages);
    if (counted !== OK) return counted;
    const order = orderFor(pages);
    if (constraints !== undefined) return this.allocateWithin(pages, order, constraints);
    if (order > this.maxOrder) return UNSUPPORTED;
    const { words } = this;
    const orders = words.load(AT_ORDERS);
    const large = (orders >>> order) << order;
    if (large === 0) return EXHAUSTED;
    const found = 31 - Math.clz32(large & -large);
    if (found > this.maxOrder) return this.corrupt(`there is a list of order ${found}`, AT_ORDERS);
    const link = words.load(AT_LISTS + found);
    if (link === 0 || this.isBroken(link)) return this.corrupt(`the list of order ${found} starts at ${link}`, AT_LISTS + found);
    const block = link - 1;
    const at = this.at(block);
    const next = words.load(at + 2);
    if (this.isBroken(next)) return this.corrupt(`page ${block} links to ${next}`, at + 2);
    words.store(AT_LISTS + found, next);
    let now = orders;
    if (next !== 0) words.store(this.at(next - 1) + 3, 0);
    else now &= ~(1 << found);
    // The lists between are empty: what is split off needs no look at them.
    for (let half = found - 1; half >= order; half--) {
      const upper = block + (1 << half);
      const atUpper = this.at(upper);
      words.store(atUpper, PAGE_FREE | (half << 4));
      words.store(atUpper + 2, 0);
      words.store(atUpper + 3, 0);
      words.store(AT_LISTS + half, upper + 1);
      now |= 1 << half;
    }
    if (now !== orders) words.store(AT_ORDERS, now);
    words.store(at, PAGE_TAKEN | (order << 4));
    const excess = (1 << order) - pages;
    if (excess !== 0) this.setExcess(block, order, excess, 0, 0);
    return block;
  }

  /** The smallest free block that has a place for it; the newest among those. */
  private allocateWithin(pages: number, order: number, constraints: Constraints): number {
    const wellFormed = checkConstraints(constraints);
    if (wellFormed !== OK) return wellFormed;
    if (order > this.maxOrder) return UNSUPPORTED;
    const { words, geometry, maxOrder } = this;
    // A block of n pages crosses no multiple of a power of two of n or more.
    if (pages > 2 ** (constraints.boundaryLog2 ?? 31)) return EXHAUSTED;
    const low = lowestStart(geometry, constraints);
    const high = highestEnd(geometry, constraints);
    const step = 2 ** Math.max(order, constraints.alignLog2 ?? 0);
    const orders = words.load(AT_ORDERS);
    let left = geometry.pageCount;
    for (let found = order; found <= maxOrder; found++) {
      if ((orders & (1 << found)) === 0) continue;
      for (let link = words.load(AT_LISTS + found); link !== 0; link = words.load(this.at(link - 1) + 2)) {
        if (this.isBroken(link) || left-- === 0) return this.corrupt(`the list of order ${found} leads to ${link}`, AT_LISTS + found);
        const block = link - 1;
        const start = Math.ceil(Math.max(block, low) / step) * step;
        if (start + (1 << order) > Math.min(block + (1 << found), high)) continue;
        const without = this.unlink(block, found, orders);
        if (without < 0) return this.corrupt(`page ${block} links out of the list`, this.at(block) + 2);
        // A first page that is left out of the run must not go on saying so; `split` makes it a block of its own.
        const now = this.split(block, found, start, order, without);
        if (now !== orders) words.store(AT_ORDERS, now);
        words.store(this.at(start), PAGE_TAKEN | (order << 4));
        this.setExcess(start, order, (1 << order) - pages, 0, 0);
        return start;
      }
    }
    return EXHAUSTED;
  }

  /** The first page of the block or piece that holds a page, or -1: the smallest that says so is the one. */
  private blockOf(page: number): number {
    for (let order = 0; order <= this.maxOrder; order++) {
      const block = (page >>> order) << order;
      if (block < this.first) break;
      const own = this.words.load(this.at(block)) & OWN;
      const state = own & STATE;
      if (state === PAGE_FREE || state === PAGE_TAKEN || state === PAGE_RESERVED || state === PAGE_RESERVED_BODY) {
        return own >>> 4 >= order ? block : -1;
      }
    }
    return -1;
  }

  free(start: number, pages: number): Code {
    if (this.busy) return BUSY;
    const ranged = checkRange(this.geometry, start, pages);
    if (ranged !== OK) return ranged;
    const { words } = this;
    const own = words.load(this.at(start)) & OWN;
    if ((own & STATE) !== PAGE_TAKEN) {
      if ((own & STATE) !== PAGE_RESERVED) return this.refusal(start);
      const length = this.reservedLength(start);
      if (length !== pages) return length < 0 ? CORRUPT : WRONG_LENGTH;
      return this.releaseReserved(start, start + pages);
    }
    const order = own >>> 4;
    if (order !== orderFor(pages)) return WRONG_LENGTH;
    const excess = this.excess(start, order);
    if (excess !== (1 << order) - pages) return WRONG_LENGTH;
    const orders = words.load(AT_ORDERS);
    const now = this.release(start, order, orders);
    if (now < 0) return this.corrupt(`the buddy of page ${start} links out of its list`, this.at(start ^ (1 << order)) + 2);
    if (excess !== 0) this.setExcess(start, order, 0, excess, 0);
    if (now !== orders) words.store(AT_ORDERS, now);
    return OK;
  }

  /** Why a run cannot begin at this page, which begins none that is taken. */
  private refusal(page: number): Code {
    const block = this.blockOf(page);
    if (block < 0) return this.corrupt(`page ${page} is in no block`, this.at(page));
    return (this.words.load(this.at(block)) & STATE) === PAGE_FREE ? NOT_ALLOCATED : WRONG_LENGTH;
  }

  reserve(start: number, pages: number): Code {
    if (this.busy) return BUSY;
    const ranged = checkRange(this.geometry, start, pages);
    if (ranged !== OK) return ranged;
    return this.takeFree(start, start + pages, PAGE_RESERVED, OVERLAP);
  }

  /**
   * Takes free pages as pieces, blocks that are in no list: the first says `state`, all others PAGE_RESERVED_BODY, so that the reservation ends
   * where such a piece does not follow.
   */
  private takeFree(start: number, end: number, state: number, otherwise: Code): Code {
    const { words } = this;
    for (let page = start; page < end; ) {
      const block = this.blockOf(page);
      if (block < 0) return this.corrupt(`page ${page} is in no block`, this.at(page));
      const at = this.at(block);
      const own = words.load(at) & OWN;
      if ((own & STATE) !== PAGE_FREE) return otherwise;
      if (this.isBroken(words.load(at + 2)) || this.isBroken(words.load(at + 3))) {
        return this.corrupt(`page ${block} links out of its list`, at + 2);
      }
      page = block + (1 << (own >>> 4));
    }
    const orders = words.load(AT_ORDERS);
    let now = orders;
    for (let page = start; page < end; ) {
      const block = this.blockOf(page);
      const order = (words.load(this.at(block)) & OWN) >>> 4;
      const blockEnd = block + (1 << order);
      now = this.unlink(block, order, now);
      // Its first page may be in the middle of what follows; what begins there says so again.
      words.store(this.at(block), 0);
      now = this.insertRange(block, start, now);
      now = this.insertRange(end, blockEnd, now);
      const stop = Math.min(end, blockEnd);
      while (page < stop) {
        const piece = this.largestAt(page, stop);
        words.store(this.at(page), (page === start ? state : PAGE_RESERVED_BODY) | (piece << 4));
        page += 1 << piece;
      }
    }
    if (now !== orders) words.store(AT_ORDERS, now);
    return OK;
  }

  /** The highest order of a block at `page` that ends by `end`. */
  private largestAt(page: number, end: number): number {
    const aligned = page === 0 ? 31 : 31 - Math.clz32(page & -page);
    return Math.min(aligned, 31 - Math.clz32(end - page), this.maxOrder);
  }

  /** Makes pages, which are in no list, free blocks without looking for their buddies. */
  insertRange(start: number, end: number, orders: number): number {
    let now = orders;
    for (let page = start; page < end; ) {
      const order = this.largestAt(page, end);
      now = this.insert(page, order, now);
      page += 1 << order;
    }
    return now;
  }

  /** Pages of the reservation at `start`, or -1. */
  private reservedLength(start: number): number {
    const { words, end } = this;
    let page = start;
    do {
      page += 1 << ((words.load(this.at(page)) & OWN) >>> 4);
      if (page > end) return -1;
    } while (page < end && (words.load(this.at(page)) & STATE) === PAGE_RESERVED_BODY);
    return page - start;
  }

  /** Frees the pages of whole pieces. */
  private releaseReserved(start: number, end: number): Code {
    const { words } = this;
    const orders = words.load(AT_ORDERS);
    let now = orders;
    for (let page = start; page < end; ) {
      const order = (words.load(this.at(page)) & OWN) >>> 4;
      const merged = this.release(page, order, now);
      // A buddy whose links are broken: free, unmerged, rather than leave half a reservation.
      now = merged < 0 ? this.insert(page, order, now) : merged;
      page += 1 << order;
    }
    if (now !== orders) words.store(AT_ORDERS, now);
    return OK;
  }

  resize(start: number, from: number, to: number): Code {
    if (this.busy) return BUSY;
    const ranged = checkRange(this.geometry, start, from);
    if (ranged !== OK) return ranged;
    const counted = checkCount(to);
    if (counted !== OK) return counted;
    const own = this.words.load(this.at(start)) & OWN;
    if ((own & STATE) === PAGE_RESERVED) return this.resizeReserved(start, from, to);
    if ((own & STATE) !== PAGE_TAKEN) return this.refusal(start);
    const order = own >>> 4;
    const excess = this.excess(start, order);
    if (order !== orderFor(from) || excess !== (1 << order) - from) return WRONG_LENGTH;
    const newOrder = orderFor(to);
    if (newOrder > this.maxOrder) return EXHAUSTED;
    return newOrder > order ? this.grow(start, order, excess, to, newOrder) : this.cut(start, order, excess, to, newOrder);
  }

  /** Writes state, order and excess of a taken block and leaves the holder's fields. */
  private retake(start: number, order: number, pages: number): void {
    const { words } = this;
    const at = this.at(start);
    words.store(at, ((words.load(at) & ~OWN) | PAGE_TAKEN | (order << 4)) >>> 0);
    this.setExcess(start, order, (1 << order) - pages, 0, ~OWN);
  }

  private cut(start: number, order: number, excess: number, to: number, newOrder: number): Code {
    const { words } = this;
    this.setExcess(start, order, 0, excess, ~OWN);
    const orders = words.load(AT_ORDERS);
    // Each upper half has a taken lower one for its buddy.
    let now = orders;
    for (let half = newOrder; half < order; half++) now = this.insert(start + (1 << half), half, now);
    this.retake(start, newOrder, to);
    if (now !== orders) words.store(AT_ORDERS, now);
    return OK;
  }

  private grow(start: number, order: number, excess: number, to: number, newOrder: number): Code {
    const { words } = this;
    if ((start & ((1 << newOrder) - 1)) !== 0 || start + (1 << newOrder) > this.end) return EXHAUSTED;
    for (let half = order; half < newOrder; half++) {
      const at = this.at(start + (1 << half));
      if ((words.load(at) & OWN) !== (PAGE_FREE | (half << 4))) return EXHAUSTED;
      if (this.isBroken(words.load(at + 2)) || this.isBroken(words.load(at + 3))) return this.corrupt(`a link leads nowhere`, at + 2);
    }
    const orders = words.load(AT_ORDERS);
    let now = orders;
    for (let half = order; half < newOrder; half++) {
      const buddy = start + (1 << half);
      now = this.unlink(buddy, half, now);
      words.store(this.at(buddy), 0);
    }
    this.setExcess(start, order, 0, excess, ~OWN);
    this.retake(start, newOrder, to);
    if (now !== orders) words.store(AT_ORDERS, now);
    return OK;
  }

  private resizeReserved(start: number, from: number, to: number): Code {
    const { words } = this;
    const length = this.reservedLength(start);
    if (length !== from) return length < 0 ? CORRUPT : WRONG_LENGTH;
    const end = start + from;
    if (to === from) return OK;
    if (to > from) {
      if (start + to > this.end) return EXHAUSTED;
      return this.takeFree(end, start + to, PAGE_RESERVED_BODY, EXHAUSTED);
    }
    // The piece that holds the cut becomes smaller ones, the ones before the cut in place of it.
    const cut = start + to;
    const piece = this.blockOf(cut);
    if (piece < start) return this.corrupt(`page ${cut} is in no piece`, this.at(cut));
    if (piece < cut) {
      const own = words.load(this.at(piece)) & OWN;
      const pieceEnd = piece + (1 << (own >>> 4));
      const holder = words.load(this.at(piece)) & ~OWN;
      for (let page = piece; page < pieceEnd; ) {
        const order = this.largestAt(page, page < cut ? cut : pieceEnd);
        const state = page === piece ? own & STATE : PAGE_RESERVED_BODY;
        words.store(this.at(page), (state | (order << 4) | (page === piece ? holder : 0)) >>> 0);
        page += 1 << order;
      }
    }
    return this.releaseReserved(cut, end);
  }

  forEachRun(visit: RunVisitor): void {
    const { words, first, end } = this;
    const wasBusy = this.busy;
    this.busy = true;
    try {
      let runStart = first;
      let runState = -1;
      for (let page = first; page < end; ) {
        const own = words.load(this.at(page)) & OWN;
        const state = own & STATE;
        // Damaged words must not make it run for ever or past the end.
        const pages = Math.min(1 << (own >>> 4), end - page);
        const continues = runState === PAGE_FREE ? state === PAGE_FREE : runState === PAGE_RESERVED && state === PAGE_RESERVED_BODY;
        if (!continues) {
          if (page > first) visit(runStart, page - runStart, runState === PAGE_FREE);
          runStart = page;
          runState = state;
        }
        page += pages;
      }
      visit(runStart, end - runStart, runState === PAGE_FREE);
    } finally {
      this.busy = wasBusy;
    }
  }

  stats(): Stats {
    let freePages = 0;
    let freeRuns = 0;
    let largestFreeRun = 0;
    this.forEachRun((_start, pages, free) => {
      if (!free) return;
      freePages += pages;
      freeRuns++;
      if (pages > largestFreeRun) largestFreeRun = pages;
    });
    return { pageCount: this.geometry.pageCount, freePages, freeRuns, largestFreeRun };
  }

  check(): Violation[] {
    return violations(this.words, this.geometry, this.maxOrder);
  }
}

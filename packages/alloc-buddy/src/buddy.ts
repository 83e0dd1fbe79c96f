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
import { Blocks } from './blocks.js';
import { violations } from './check.js';
import { AT_LISTS, AT_ORDERS, DESCRIPTORS, NAME, OWN, orderFor, STATE } from './layout.js';

/**
 * The binary buddy system (Knuth, The Art of Computer Programming, volume 1, section 2.5): blocks of `1 << order` pages at multiples of their
 * length, counted from page 0 and not from the first managed one.
 *
 * What hurts here is a load or store, not arithmetic: nothing is counted that a walk can find (`stats`), and the word of orders is written when
 * a list becomes empty or stops being so.
 */
export class Buddy extends Blocks implements PageAllocator {
  readonly name = NAME;
  readonly descriptors: PageDescriptors;
  readonly geometry: Geometry;
  /** Visits in progress. A number: V8 asks a boolean field what kind of thing it holds each time. */
  private visits = 0;

  constructor(words: Words, geometry: Geometry, maxOrder: number, hooks: Hooks | undefined) {
    super(words, geometry, maxOrder, hooks);
    this.geometry = geometry;
    this.descriptors = pageDescriptors(words, DESCRIPTORS, geometry.firstPage, geometry.pageCount);
  }

  allocate(pages: number, constraints?: Constraints): number {
    if (this.visits !== 0) return BUSY;
    const counted = checkCount(pages);
    if (counted !== OK) return counted;
    const order = orderFor(pages);
    if (constraints !== undefined) return this.allocateWithin(pages, order, constraints);
    if (order > this.maxOrder) return UNSUPPORTED;
    const { words } = this;
    const orders = words.load(AT_ORDERS) | 0;
    const large = (orders >>> order) << order;
    if (large === 0) return EXHAUSTED;
    const found = 31 - Math.clz32(large & -large);
    if (found > this.maxOrder) return this.corrupt(`there is a list of order ${found}`, AT_ORDERS);
    const link = words.load(AT_LISTS + found) | 0;
    if (link === 0 || this.isBroken(link)) return this.corrupt(`the list of order ${found} starts at ${link}`, AT_LISTS + found);
    const block = link - 1;
    const at = this.at(block);
    const next = words.load(at + 2) | 0;
    if (this.isBroken(next)) return this.corrupt(`page ${block} links to ${next}`, at + 2);
    words.store(AT_LISTS + found, next);
    let now = orders;
    if (next !== 0) words.store(this.at(next - 1) + 3, 0);
    else now ^= 1 << found;
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
    if (now !== orders) words.store(AT_ORDERS, now >>> 0);
    words.store(at, PAGE_TAKEN | (order << 4));
    this.mark(block, order, pages, true, 0);
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
        const emptied = this.unlink(block, found);
        if (emptied < 0) return this.corrupt(`page ${block} links out of the list`, this.at(block) + 2);
        // A first page that is left out of the run must not go on saying so; `split` makes it a block of its own.
        this.turn(emptied ^ this.split(block, found, start, order));
        words.store(this.at(start), PAGE_TAKEN | (order << 4));
        this.mark(start, order, pages, true, 0);
        return start;
      }
    }
    return EXHAUSTED;
  }

  free(start: number, pages: number): Code {
    if (this.visits !== 0) return BUSY;
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
    if (!this.isLength(start, order, pages)) return WRONG_LENGTH;
    const turned = this.release(start, order);
    if (turned < 0) return this.corrupt(`the buddy of page ${start} links out of its list`, this.at(start ^ (1 << order)) + 2);
    this.mark(start, order, pages, false, 0);
    this.turn(turned);
    return OK;
  }

  /** Why a run cannot begin at this page, which begins none that is taken. */
  private refusal(page: number): Code {
    const block = this.blockOf(page);
    if (block < 0) return this.corrupt(`page ${page} is in no block`, this.at(page));
    return (this.words.load(this.at(block)) & STATE) === PAGE_FREE ? NOT_ALLOCATED : WRONG_LENGTH;
  }

  reserve(start: number, pages: number): Code {
    if (this.visits !== 0) return BUSY;
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
    let turned = 0;
    for (let page = start; page < end; ) {
      const block = this.blockOf(page);
      const order = (words.load(this.at(block)) & OWN) >>> 4;
      const blockEnd = block + (1 << order);
      turned ^= this.unlink(block, order);
      // Its first page may be in the middle of what follows; what begins there says so again.
      words.store(this.at(block), 0);
      turned ^= this.insertRange(block, start) ^ this.insertRange(end, blockEnd);
      const stop = Math.min(end, blockEnd);
      while (page < stop) {
        const piece = this.largestAt(page, stop);
        words.store(this.at(page), (page === start ? state : PAGE_RESERVED_BODY) | (piece << 4));
        page += 1 << piece;
      }
    }
    this.turn(turned);
    return OK;
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
    let turned = 0;
    for (let page = start; page < end; ) {
      const order = (words.load(this.at(page)) & OWN) >>> 4;
      const merged = this.release(page, order);
      // A buddy whose links are broken: free, unmerged, rather than leave half a reservation.
      turned ^= merged < 0 ? this.insert(page, order) : merged;
      page += 1 << order;
    }
    this.turn(turned);
    return OK;
  }

  resize(start: number, from: number, to: number): Code {
    if (this.visits !== 0) return BUSY;
    const ranged = checkRange(this.geometry, start, from);
    if (ranged !== OK) return ranged;
    const counted = checkCount(to);
    if (counted !== OK) return counted;
    const own = this.words.load(this.at(start)) & OWN;
    if ((own & STATE) === PAGE_RESERVED) return this.resizeReserved(start, from, to);
    if ((own & STATE) !== PAGE_TAKEN) return this.refusal(start);
    const order = own >>> 4;
    if (!this.isLength(start, order, from)) return WRONG_LENGTH;
    const newOrder = orderFor(to);
    if (newOrder > this.maxOrder) return EXHAUSTED;
    return newOrder > order ? this.grow(start, order, from, to, newOrder) : this.cut(start, order, from, to, newOrder);
  }

  /** Writes state, order and marks of a taken block and leaves the holder's fields. */
  private retake(start: number, order: number, pages: number): void {
    const { words } = this;
    const at = this.at(start);
    words.store(at, ((words.load(at) & ~OWN) | PAGE_TAKEN | (order << 4)) >>> 0);
    this.mark(start, order, pages, true, ~OWN);
  }

  private cut(start: number, order: number, from: number, to: number, newOrder: number): Code {
    this.mark(start, order, from, false, ~OWN);
    // Each upper half has a taken lower one for its buddy.
    let turned = 0;
    for (let half = newOrder; half < order; half++) turned ^= this.insert(start + (1 << half), half);
    this.retake(start, newOrder, to);
    this.turn(turned);
    return OK;
  }

  private grow(start: number, order: number, from: number, to: number, newOrder: number): Code {
    const { words } = this;
    if ((start & ((1 << newOrder) - 1)) !== 0 || start + (1 << newOrder) > this.end) return EXHAUSTED;
    for (let half = order; half < newOrder; half++) {
      const at = this.at(start + (1 << half));
      if ((words.load(at) & OWN) !== (PAGE_FREE | (half << 4))) return EXHAUSTED;
      if (this.isBroken(words.load(at + 2)) || this.isBroken(words.load(at + 3))) return this.corrupt(`a link leads nowhere`, at + 2);
    }
    let turned = 0;
    for (let half = order; half < newOrder; half++) {
      const buddy = start + (1 << half);
      turned ^= this.unlink(buddy, half);
      words.store(this.at(buddy), 0);
    }
    this.mark(start, order, from, false, ~OWN);
    this.retake(start, newOrder, to);
    this.turn(turned);
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
    this.visits++;
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
      this.visits--;
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

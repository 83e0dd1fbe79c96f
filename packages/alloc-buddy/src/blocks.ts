import {
  CORRUPT,
  type Code,
  type Geometry,
  type Hooks,
  PAGE_FREE,
  PAGE_RESERVED,
  PAGE_RESERVED_BODY,
  PAGE_TAKEN,
  PAGE_TAKEN_BODY,
  PAGE_UNKNOWN,
  type Words,
} from '@tablewalk/alloc';
import { AT_LISTS, AT_ORDERS, DESCRIPTORS, OWN, STATE } from './layout.js';

/** Pages of a taken block that were not asked for: its first one, its last one, the only one. */
export const MARK_FIRST = PAGE_TAKEN_BODY | 0x10;
export const MARK_LAST = PAGE_TAKEN_BODY | 0x20;
export const MARK_BOTH = PAGE_TAKEN_BODY | 0x30;

/**
 * Blocks of `1 << order` pages in the descriptors, and the lists of free ones by order: what is split, merged, marked and found, whoever asks for it.
 */
export abstract class Blocks {
  readonly words: Words;
  readonly maxOrder: number;
  protected readonly first: number;
  protected readonly end: number;
  private readonly hooks: Hooks | undefined;

  constructor(words: Words, geometry: Geometry, maxOrder: number, hooks: Hooks | undefined) {
    this.words = words;
    this.maxOrder = maxOrder;
    this.first = geometry.firstPage;
    this.end = geometry.firstPage + geometry.pageCount;
    this.hooks = hooks;
  }

  /** Index of word 0 of a page's descriptor. */
  protected at(page: number): number {
    return DESCRIPTORS + ((page - this.first) << 2);
  }

  /** A link that names no managed page; 0 is a good one. */
  protected isBroken(link: number): boolean {
    return link !== 0 && (link <= this.first || link > this.end);
  }

  protected corrupt(message: string, word: number): Code {
    this.hooks?.violation?.({ rule: 'links', message, word });
    return CORRUPT;
  }

  // Lists become empty, or stop being so: `insert`, `unlink` and what calls them answer with the bits of the word of orders that turn over, and
  // most operations need not look at that word.

  /** Puts a block at the head of its list. */
  protected insert(block: number, order: number): number {
    const { words } = this;
    const at = this.at(block);
    const next = words.load(AT_LISTS + order) | 0;
    words.store(at, PAGE_FREE | (order << 4));
    words.store(at + 2, next);
    words.store(at + 3, 0);
    words.store(AT_LISTS + order, block + 1);
    // A head that leads nowhere is damage; the block becomes the whole list rather than follow it out of the words.
    if (next === 0 || this.isBroken(next)) return 1 << order;
    words.store(this.at(next - 1) + 3, block + 1);
    return 0;
  }

  /** Takes a block out of its list; -1 and nothing changed if its links are broken. */
  protected unlink(block: number, order: number): number {
    const { words } = this;
    const at = this.at(block);
    const next = words.load(at + 2) | 0;
    const previous = words.load(at + 3) | 0;
    if (this.isBroken(next) || this.isBroken(previous)) return -1;
    if (next !== 0) words.store(this.at(next - 1) + 3, previous);
    if (previous !== 0) {
      words.store(this.at(previous - 1) + 2, next);
      return 0;
    }
    words.store(AT_LISTS + order, next);
    return next === 0 ? 1 << order : 0;
  }

  /**
   * Keeps the part of order `to` at `keep` of a block that is in no list, and gives the other halves to their lists.
   */
  protected split(block: number, order: number, keep: number, to: number): number {
    let turned = 0;
    let low = block;
    for (let half = order - 1; half >= to; half--) {
      const middle = low + (1 << half);
      if (keep < middle) turned ^= this.insert(middle, half);
      else {
        turned ^= this.insert(low, half);
        low = middle;
      }
    }
    return turned;
  }

  /** Puts a block, whose first page says anything but free, back, merged with its buddies; -1 and nothing changed if a list is broken. */
  protected release(start: number, from: number): number {
    const { words, first, end, maxOrder } = this;
    let block = start;
    let order = from;
    let turned = 0;
    for (; order < maxOrder; order++) {
      const buddy = block ^ (1 << order);
      if (buddy < first || buddy + (1 << order) > end) break;
      const at = this.at(buddy);
      if ((words.load(at) & OWN) !== (PAGE_FREE | (order << 4))) break;
      const emptied = this.unlink(buddy, order);
      if (emptied < 0) {
        if (order === from) return -1;
        break;
      }
      turned ^= emptied;
      // The upper half is no block any more.
      words.store(buddy < block ? this.at(block) : at, 0);
      if (buddy < block) block = buddy;
    }
    return turned ^ this.insert(block, order);
  }

  protected turn(turned: number): void {
    if (turned !== 0) this.words.store(AT_ORDERS, (this.words.load(AT_ORDERS) ^ turned) >>> 0);
  }

  /**
   * Whether a taken block was asked for with this length. The pages beyond it are marked at their first and at the last of the block: the block's
   * own word has no room for a length, and its links belong to the holder. A power of two leaves no mark and needs one look.
   */
  protected isLength(block: number, order: number, pages: number): boolean {
    const beyond = pages - (1 << order);
    if (beyond > 0 || 2 * pages <= 1 << order) return false;
    if (order < 2) return true;
    const { words } = this;
    const end = block + (1 << order);
    if (beyond === 0) return (words.load(this.at(end - 1)) & OWN) === PAGE_UNKNOWN;
    return (words.load(this.at(end + beyond)) & OWN) === (beyond === -1 ? MARK_BOTH : MARK_FIRST);
  }

  /** Sets (or clears) the marks of a block of this length; `holder` is the mask of what the holder has in those words. */
  protected mark(block: number, order: number, pages: number, isSet: boolean, holder: number): void {
    const end = block + (1 << order);
    const first = block + pages;
    if (first === end) return;
    if (first < end - 1) this.markPage(first, isSet ? MARK_FIRST : PAGE_UNKNOWN, holder);
    this.markPage(end - 1, isSet ? (first < end - 1 ? MARK_LAST : MARK_BOTH) : PAGE_UNKNOWN, holder);
  }

  protected markPage(page: number, mark: number, holder: number): void {
    const at = this.at(page);
    this.words.store(at, holder === 0 ? mark : ((this.words.load(at) & holder) | mark) >>> 0);
  }

  /** The first page of the block or piece that holds a page, or -1: the smallest that says so is the one. */
  protected blockOf(page: number): number {
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

  /** The highest order of a block at `page` that ends by `end`. */
  protected largestAt(page: number, end: number): number {
    const aligned = page === 0 ? 31 : 31 - Math.clz32(page & -page);
    return Math.min(aligned, 31 - Math.clz32(end - page), this.maxOrder);
  }

  /** Makes pages, which are in no list, free blocks without looking for their buddies. */
  insertRange(start: number, end: number): number {
    let turned = 0;
    for (let page = start; page < end; ) {
      const order = this.largestAt(page, end);
      turned ^= this.insert(page, order);
      page += 1 << order;
    }
    return turned;
  }
}

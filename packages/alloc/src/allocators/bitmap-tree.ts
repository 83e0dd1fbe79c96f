import { CORRUPT, type Code, EXHAUSTED, NOT_ALLOCATED, OK, OVERLAP } from '../codes.js';
import { checkGeometry, type Geometry } from '../geometry.js';
import {
  ALLOCATOR_CONTRACT,
  type AllocatorPlugin,
  type Constraints,
  type Hooks,
  type RunVisitor,
  type Violation,
} from '../page-allocator.js';
import { highestEnd, lowestFit, lowestStart } from '../requests.js';
import type { Words } from '../words.js';
import { countOnes, onesFromTo, trailingOnes } from './bits.js';
import { AT_FREE_PAGES, expectState, fittingWords, freeCountViolation, headerViolations, writeHeader } from './header.js';
import { RunAllocator } from './run-allocator.js';
import { SummaryTree, treeAccessBound, treeWords } from './summary-tree.js';

const MAGIC = 0x54574254; // 'TWBT'
const NAME = 'tablewalk/bitmap-tree';

class BitmapTree extends RunAllocator {
  readonly name = NAME;
  readonly tree: SummaryTree;
  private readonly hooks: Hooks | undefined;

  constructor(words: Words, geometry: Geometry, hooks: Hooks | undefined) {
    super(words, geometry, MAGIC);
    this.hooks = hooks;
    this.tree = new SummaryTree(words, geometry.pageCount);
  }

  /** Whether the relative pages `from` to `end` are all free, or all taken. */
  private isAll(free: boolean, from: number, end: number): boolean {
    const { words, tree } = this;
    const first = from >>> 5;
    const last = (end - 1) >>> 5;
    const flip = free ? -1 : 0;
    for (let leaf = first; leaf <= last; leaf++) {
      const mask = onesFromTo(leaf === first ? from & 31 : 0, leaf === last ? (end - 1) & 31 : 31);
      if (((words.load(tree.leaves + leaf) ^ flip) & mask) !== 0) return false;
    }
    return true;
  }

  /** Makes the relative pages `from` to `end`, which are all of the other kind, free or taken. */
  private set(free: boolean, from: number, end: number): void {
    const { words, tree } = this;
    const first = from >>> 5;
    const last = (end - 1) >>> 5;
    for (let leaf = first; leaf <= last; leaf++) {
      const mask = onesFromTo(leaf === first ? from & 31 : 0, leaf === last ? (end - 1) & 31 : 31);
      // A whole word of one kind becomes one of the other: nothing to read.
      const word = mask === -1 ? (free ? -1 : 0) : words.load(tree.leaves + leaf) ^ mask;
      words.store(tree.leaves + leaf, word >>> 0);
    }
    tree.update(first, last);
    const pages = end - from;
    words.store(AT_FREE_PAGES, words.load(AT_FREE_PAGES) + (free ? pages : -pages));
  }

  protected override place(pages: number, constraints: Constraints | undefined): number {
    const relative = constraints === undefined ? this.tree.findFirst(pages) : this.findConstrained(pages, constraints);
    if (relative < 0) return EXHAUSTED;
    // What the tree says is not believed: a damaged one must not hand out taken pages.
    if (relative + pages > this.geometry.pageCount || !this.isAll(true, relative, relative + pages)) {
      this.hooks?.violation?.({
        rule: 'summary',
        message: `${pages} pages at ${relative} are not free`,
        page: this.geometry.firstPage + relative,
      });
      return CORRUPT;
    }
    this.set(false, relative, relative + pages);
    return relative;
  }

  private findConstrained(pages: number, constraints: Constraints): number {
    const { firstPage } = this.geometry;
    const end = highestEnd(this.geometry, constraints);
    const { alignLog2 = 0, boundaryLog2 = 31 } = constraints;
    let from = lowestStart(this.geometry, constraints);
    for (;;) {
      // The lowest run from here on, then the lowest place in or after it that suits; is that one free?
      const place = lowestFit(from, end, pages, alignLog2, boundaryLog2);
      if (place < 0) return -1;
      const found = this.tree.findFrom(place - firstPage, pages);
      if (found < 0) return -1;
      if (found === place - firstPage) return found;
      from = found + firstPage;
    }
  }

  protected override take(start: number, pages: number): Code {
    if (!this.isAll(true, start, start + pages)) return OVERLAP;
    this.set(false, start, start + pages);
    return OK;
  }

  protected override give(start: number, pages: number): Code {
    if (!this.isAll(false, start, start + pages)) return NOT_ALLOCATED;
    this.set(true, start, start + pages);
    return OK;
  }

  protected override stretch(start: number, from: number, to: number): Code {
    if (!this.isAll(false, start, start + from)) return NOT_ALLOCATED;
    if (to < from) {
      this.set(true, start + to, start + from);
    } else if (to > from) {
      if (start + to > this.geometry.pageCount || !this.isAll(true, start + from, start + to)) return EXHAUSTED;
      this.set(false, start + from, start + to);
    }
    return OK;
  }

  protected override walk(visit: RunVisitor): void {
    const { words, tree } = this;
    const { firstPage, pageCount } = this.geometry;
    let start = 0;
    let free = false;
    for (let page = 0; page < pageCount; ) {
      const word = words.load(tree.leaves + (page >>> 5));
      const isFree = ((word >>> (page & 31)) & 1) !== 0;
      if (isFree !== free) {
        if (page > start) visit(firstPage + start, page - start, free);
        start = page;
        free = isFree;
      }
      // To the next bit of the other kind, or the next word.
      const rest = (free ? word : ~word) >>> (page & 31);
      page += Math.min(trailingOnes(rest), 32 - (page & 31));
    }
    visit(firstPage + start, pageCount - start, free);
  }

  protected override violations(): Violation[] {
    const { words, tree } = this;
    let freePages = 0;
    for (let leaf = 0; leaf < tree.leafCount; leaf++) freePages += countOnes(words.load(tree.leaves + leaf));
    return [...freeCountViolation(words, freePages), ...tree.violations()];
  }
}

function metadataWords(geometry: Geometry): number {
  checkGeometry(geometry, NAME);
  return fittingWords(NAME, treeWords(geometry.pageCount), geometry);
}

/**
 * A bitmap of free pages under a tree of summaries (free prefix, longest free run, free suffix of each span): address-ordered first fit in
 * O(log n), at the same places as `zoneList`. The default.
 */
export function bitmapTree(): AllocatorPlugin {
  return {
    contract: ALLOCATOR_CONTRACT,
    name: NAME,
    capabilities: { complete: true, partialFree: true, reserve: true, resize: true, alignment: 'any', placement: 'lowest' },
    metadataWords,
    accessBound: ({ pageCount }, pages) => treeAccessBound(pageCount, pages),
    create(words, geometry, hooks) {
      metadataWords(geometry);
      writeHeader(words, MAGIC, geometry);
      const allocator = new BitmapTree(words, geometry, hooks);
      allocator.tree.format();
      return allocator;
    },
    attach(words, geometry, hooks) {
      metadataWords(geometry);
      expectState(NAME, headerViolations(words, MAGIC, geometry));
      return new BitmapTree(words, geometry, hooks);
    },
  };
}

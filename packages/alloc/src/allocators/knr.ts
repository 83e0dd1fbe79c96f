import { AllocError } from '../alloc-error.js';
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
import { highestEnd, highestFit, lowestStart } from '../requests.js';
import type { Words } from '../words.js';
import { AT_FREE_PAGES, expectState, fittingWords, freeCountViolation, HEADER_WORDS, headerViolations, writeHeader } from './header.js';
import { RunAllocator } from './run-allocator.js';

// The free list is circular and in address order. A block's name is its first page, relative, plus one; name 0 is the base, a block of no pages
// below all others, which stands in the metadata words so that the list is never empty. The other blocks have their header in their own
// first page:
//
//     word 0   name of the next block      word 1   pages
const MAGIC = 0x54574b52; // 'TWKR'
const AT_BASE_NEXT = HEADER_WORDS;
/** Where the next search begins. */
const AT_ROVER = HEADER_WORDS + 1;
const WORDS = HEADER_WORDS + 2;
const BASE = 0;

const NAME = 'tablewalk/knr';

class Knr extends RunAllocator {
  readonly name = NAME;
  private readonly pageWords: Words;
  private readonly hooks: Hooks;
  private readonly shift: number;

  constructor(words: Words, pageWords: Words, geometry: Geometry, hooks: Hooks) {
    super(words, geometry, MAGIC);
    this.pageWords = pageWords;
    this.hooks = hooks;
    this.shift = geometry.pageShift - 2;
  }

  private at(block: number): number {
    return (block - 1) * 2 ** this.shift;
  }

  private sizeOf(block: number): number {
    return block === BASE ? 0 : this.pageWords.load(this.at(block) + 1);
  }

  /** The next block, or -1 if the header of this one is none: memory that was written after it was freed. */
  private nextOf(block: number): number {
    const next = block === BASE ? this.words.load(AT_BASE_NEXT) : this.pageWords.load(this.at(block));
    // In address order, up to the base again: so every walk ends.
    return next === BASE || (next > block && next <= this.geometry.pageCount) ? next : -1;
  }

  private setNext(block: number, next: number): void {
    if (block === BASE) this.words.store(AT_BASE_NEXT, next);
    else this.pageWords.store(this.at(block), next);
  }

  private setSize(block: number, pages: number): void {
    this.pageWords.store(this.at(block) + 1, pages);
  }

  private corrupt(block: number): Code {
    const page = this.geometry.firstPage + block - 1;
    this.hooks.violation?.({ rule: 'list', message: `the header of the free block at page ${page} is damaged`, page });
    return CORRUPT;
  }

  private addFree(pages: number): void {
    this.words.store(AT_FREE_PAGES, this.words.load(AT_FREE_PAGES) + pages);
  }

  /** Whether the block's size is one: it ends before the next block, or with the geometry. */
  private fits(block: number, size: number, next: number): boolean {
    return block === BASE || (size > 0 && block - 1 + size <= this.geometry.pageCount && (next === BASE || block + size < next));
  }

  /** Takes `pages` pages from `start` (a name) on out of a block that has them. */
  private cut(previous: number, block: number, size: number, next: number, start: number, pages: number): void {
    const end = block + size;
    let follows = next;
    if (start + pages < end) {
      follows = start + pages;
      this.setNext(follows, next);
      this.setSize(follows, end - follows);
    }
    if (start > block) {
      this.setSize(block, start - block);
      if (follows !== next) this.setNext(block, follows);
    } else {
      this.setNext(previous, follows);
    }
    // The block's name may be gone, or may be the rover's.
    this.words.store(AT_ROVER, previous);
    this.addFree(-pages);
  }

  protected override place(pages: number, constraints: Constraints = {}): number {
    const { geometry } = this;
    const { firstPage } = geometry;
    const { alignLog2 = 0, boundaryLog2 = 31 } = constraints;
    const low = lowestStart(geometry, constraints);
    const high = highestEnd(geometry, constraints);
    const rover = this.words.load(AT_ROVER);
    if (rover > geometry.pageCount) return this.corrupt(rover);
    let previous = rover;
    let wrapped = false;
    for (;;) {
      const block = this.nextOf(previous);
      if (block < 0) return this.corrupt(previous);
      if (block === BASE) {
        wrapped = true;
      } else {
        if (wrapped && block > rover) return this.corrupt(rover);
        const size = this.sizeOf(block);
        if (size >= pages) {
          const next = this.nextOf(block);
          if (next < 0 || !this.fits(block, size, next)) return this.corrupt(block);
          const start = firstPage + block - 1;
          // From the block's tail, as in the book: what is left keeps its header.
          const place = highestFit(Math.max(start, low), Math.min(start + size, high), pages, alignLog2, boundaryLog2);
          if (place >= 0) {
            this.cut(previous, block, size, next, place - firstPage + 1, pages);
            return place - firstPage;
          }
        }
      }
      if (block === rover) return EXHAUSTED;
      previous = block;
    }
  }

  /** The last block at or below a name, from the rover round; -1 if the list is damaged, which `corrupt` has told. */
  private blockBelow(name: number): number {
    const rover = this.words.load(AT_ROVER);
    let block = rover <= name ? rover : BASE;
    for (;;) {
      const next = this.nextOf(block);
      if (next < 0) {
        this.corrupt(block);
        return -1;
      }
      if (next === BASE || next > name) return block;
      block = next;
    }
  }

  protected override take(start: number, pages: number): Code {
    const name = start + 1;
    // The block before is needed to unlink the block, so it is looked for below the block's own name.
    const before = this.blockBelow(name - 1);
    if (before < 0) return CORRUPT;
    const after = this.nextOf(before);
    const previous = after === name ? before : this.previousOf(before);
    const block = after === name ? name : before;
    if (previous < 0) return CORRUPT;
    const size = this.sizeOf(block);
    const next = this.nextOf(block);
    if (next < 0 || !this.fits(block, size, next)) return this.corrupt(block);
    if (block === BASE || name + pages > block + size) return OVERLAP;
    this.cut(previous, block, size, next, name, pages);
    return OK;
  }

  private previousOf(block: number): number {
    return block === BASE ? BASE : this.blockBelow(block - 1);
  }

  protected override give(start: number, pages: number): Code {
    const name = start + 1;
    const before = this.blockBelow(name);
    if (before < 0) return CORRUPT;
    const size = this.sizeOf(before);
    const next = this.nextOf(before);
    if (!this.fits(before, size, next)) return this.corrupt(before);
    if (before !== BASE && before + size > name) return NOT_ALLOCATED;
    const end = name + pages;
    if (next !== BASE && next < end) return NOT_ALLOCATED;
    let follows = next;
    let length = pages;
    if (next === end) {
      follows = this.nextOf(next);
      const joined = this.sizeOf(next);
      if (follows < 0 || !this.fits(next, joined, follows)) return this.corrupt(next);
      length += joined;
    }
    if (before !== BASE && before + size === name) {
      this.setSize(before, size + length);
      if (follows !== next) this.setNext(before, follows);
    } else {
      this.setNext(name, follows);
      this.setSize(name, length);
      this.setNext(before, name);
    }
    this.words.store(AT_ROVER, before);
    this.addFree(pages);
    return OK;
  }

  protected override stretch(start: number, from: number, to: number): Code {
    const name = start + 1;
    const before = this.blockBelow(name);
    if (before < 0) return CORRUPT;
    const end = name + from;
    const next = this.nextOf(before);
    if ((before !== BASE && before + this.sizeOf(before) > name) || (next !== BASE && next < end)) return NOT_ALLOCATED;
    if (to < from) return this.give(start + to, from - to);
    if (to === from) return OK;
    if (next !== end) return EXHAUSTED;
    const size = this.sizeOf(next);
    const after = this.nextOf(next);
    if (after < 0 || !this.fits(next, size, after)) return this.corrupt(next);
    if (size < to - from) return EXHAUSTED;
    this.cut(before, next, size, after, next, to - from);
    return OK;
  }

  protected override walk(visit: RunVisitor): void {
    const { firstPage, pageCount } = this.geometry;
    let taken = 1;
    for (let block = this.nextOf(BASE); block > BASE; block = this.nextOf(block)) {
      if (block > taken) visit(firstPage + taken - 1, block - taken, false);
      const size = this.sizeOf(block);
      visit(firstPage + block - 1, size, true);
      taken = block + size;
    }
    if (taken <= pageCount) visit(firstPage + taken - 1, pageCount + 1 - taken, false);
  }

  protected override violations(): Violation[] {
    const found: Violation[] = [];
    const rover = this.words.load(AT_ROVER);
    let roverFound = rover === BASE;
    let freePages = 0;
    let block = this.nextOf(BASE);
    while (block > BASE) {
      const size = this.sizeOf(block);
      const next = this.nextOf(block);
      if (block === rover) roverFound = true;
      freePages += size;
      const page = this.geometry.firstPage + block - 1;
      if (next < 0 || !this.fits(block, size, next)) {
        found.push({ rule: 'list', message: `the block at page ${page} has ${size} pages and does not end before the next`, page });
      }
      block = next;
    }
    if (block < 0) found.push({ rule: 'list', message: 'the list is not in address order' });
    if (!roverFound) found.push({ rule: 'rover', message: `the search would begin at ${rover}, which is no block`, word: AT_ROVER });
    return [...found, ...freeCountViolation(this.words, freePages)];
  }
}

function metadataWords(geometry: Geometry): number {
  checkGeometry(geometry, NAME);
  return fittingWords(NAME, WORDS, geometry);
}

function pageWordsOf(hooks: Hooks | undefined): Words {
  if (!hooks?.pageWords) throw new AllocError('options', NAME, 'keeps its list in the free pages, and there are no pageWords');
  return hooks.pageWords;
}

/**
 * The storage allocator of Kernighan and Ritchie, "The C Programming Language", 2nd edition, section 8.7, for pages: a circular free list in
 * address order with headers in the free pages, next fit from a rover, placed at the tail of a block. A few words of metadata, whatever
 * the size; linear in the number of free blocks. A header that was overwritten answers `CORRUPT`.
 */
export function knr(): AllocatorPlugin {
  return {
    contract: ALLOCATOR_CONTRACT,
    name: NAME,
    capabilities: { complete: true, partialFree: true, reserve: true, resize: true, alignment: 'any', inBand: true },
    metadataWords,
    accessBound: (geometry) => 5 * geometry.pageCount + 64,
    create(words, geometry, hooks) {
      metadataWords(geometry);
      const pageWords = pageWordsOf(hooks);
      writeHeader(words, MAGIC, geometry);
      words.store(AT_BASE_NEXT, 1);
      words.store(AT_ROVER, BASE);
      pageWords.store(0, BASE);
      pageWords.store(1, geometry.pageCount);
      return new Knr(words, pageWords, geometry, hooks ?? {});
    },
    attach(words, geometry, hooks) {
      metadataWords(geometry);
      const pageWords = pageWordsOf(hooks);
      expectState(NAME, headerViolations(words, MAGIC, geometry));
      return new Knr(words, pageWords, geometry, hooks ?? {});
    },
  };
}

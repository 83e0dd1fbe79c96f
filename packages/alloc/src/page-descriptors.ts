import type { Words } from './words.js';

/**
 * One descriptor a page, of four words (16 bytes), shared by whoever needs to know something of a page:
 *
 *     word 0   state (3:0), order (7:4)     of the page allocator
 *              use (15:8), owner (31:16)    of whoever holds the page
 *     word 1   reference count              of the holder
 *     word 2   next                         of the page allocator while the page is free, of the holder otherwise
 *     word 3   previous                     likewise
 *
 * A link is 0 for none, and otherwise the page's number plus one, so that zeroed descriptors say nothing.
 */
export const DESCRIPTOR_WORDS = 4;

/** States of a page, of the page allocator. `*_BODY` is a page of a run other than its first. */
export const PAGE_UNKNOWN = 0;
export const PAGE_FREE = 1;
export const PAGE_FREE_BODY = 2;
export const PAGE_TAKEN = 3;
export const PAGE_TAKEN_BODY = 4;
export const PAGE_RESERVED = 5;
export const PAGE_RESERVED_BODY = 6;

/** Uses of a taken page, of its holder; the owner's meaning depends on it. From 16 on they are the embedder's. */
export const USE_NONE = 0;
/** A page of an object cache; the owner is the cache's id. */
export const USE_OBJECTS = 1;
/** A translation table; the owner is an ASID, or 0 for the kernel's. */
export const USE_TABLE = 2;
/** A page mapped in user space; the owner is an ASID. */
export const USE_USER = 3;

/** Accessors of the descriptors of a range of pages. Nothing is checked: pages must be in range and values fit their fields. */
export interface PageDescriptors {
  readonly firstPage: number;
  readonly pageCount: number;
  state(page: number): number;
  order(page: number): number;
  /** Sets state and order and leaves the holder's fields. */
  setState(page: number, state: number, order: number): void;
  use(page: number): number;
  owner(page: number): number;
  /** Whether a page has this use and this owner: one look for both. */
  isUsed(page: number, use: number, owner: number): boolean;
  /** Sets use and owner and leaves the allocator's fields. */
  setUse(page: number, use: number, owner: number): void;
  references(page: number): number;
  setReferences(page: number, count: number): void;
  /** The next page of the list, or -1. */
  next(page: number): number;
  setNext(page: number, next: number): void;
  /** The previous page of the list, or -1. */
  previous(page: number): number;
  setPrevious(page: number, previous: number): void;
}

class WordDescriptors implements PageDescriptors {
  readonly words: Words;
  readonly base: number;
  readonly firstPage: number;
  readonly pageCount: number;

  constructor(words: Words, firstWord: number, firstPage: number, pageCount: number) {
    this.words = words;
    this.base = firstWord;
    this.firstPage = firstPage;
    this.pageCount = pageCount;
  }

  at(page: number): number {
    return (this.base + ((page - this.firstPage) << 2)) | 0;
  }

  state(page: number): number {
    return this.words.load(this.at(page)) & 0xf;
  }

  order(page: number): number {
    return (this.words.load(this.at(page)) >>> 4) & 0xf;
  }

  setState(page: number, state: number, order: number): void {
    const index = this.at(page);
    this.words.store(index, ((this.words.load(index) & 0xffffff00) | (order << 4) | state) >>> 0);
  }

  use(page: number): number {
    return (this.words.load(this.at(page)) >>> 8) & 0xff;
  }

  owner(page: number): number {
    return this.words.load(this.at(page)) >>> 16;
  }

  isUsed(page: number, use: number, owner: number): boolean {
    return this.words.load(this.at(page)) >>> 8 === ((owner << 8) | use);
  }

  setUse(page: number, use: number, owner: number): void {
    const index = this.at(page);
    this.words.store(index, ((this.words.load(index) & 0xff) | (use << 8) | (owner << 16)) >>> 0);
  }

  references(page: number): number {
    return this.words.load(this.at(page) + 1);
  }

  setReferences(page: number, count: number): void {
    this.words.store(this.at(page) + 1, count);
  }

  next(page: number): number {
    return this.words.load(this.at(page) + 2) - 1;
  }

  setNext(page: number, next: number): void {
    this.words.store(this.at(page) + 2, next + 1);
  }

  previous(page: number): number {
    return this.words.load(this.at(page) + 3) - 1;
  }

  setPrevious(page: number, previous: number): void {
    this.words.store(this.at(page) + 3, previous + 1);
  }
}

/** Descriptors of `pageCount` pages from `firstPage` on, in the `pageCount * DESCRIPTOR_WORDS` words from `firstWord` on. Nothing is written. */
export function pageDescriptors(words: Words, firstWord: number, firstPage: number, pageCount: number): PageDescriptors {
  return new WordDescriptors(words, firstWord, firstPage, pageCount);
}

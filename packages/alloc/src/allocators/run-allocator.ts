import { BUSY, type Code, OK } from '../codes.js';
import type { Geometry } from '../geometry.js';
import type { Constraints, PageAllocator, RunVisitor, Stats, Violation } from '../page-allocator.js';
import { checkConstraints, checkCount, checkRange } from '../requests.js';
import type { Words } from '../words.js';
import { AT_FREE_PAGES, headerViolations } from './header.js';

/**
 * What the allocators of this package do with a request before they look at their state: nobody may call from inside a visitor, and arguments are
 * what they must be. What follows is theirs, in pages relative to the first one.
 */
export abstract class RunAllocator implements PageAllocator {
  abstract readonly name: string;
  readonly words: Words;
  readonly geometry: Geometry;
  private readonly mark: number;
  /** In a visitor. */
  private busy = false;

  constructor(words: Words, geometry: Geometry, mark: number) {
    this.words = words;
    this.geometry = geometry;
    this.mark = mark;
  }

  /** Takes a run: a relative page, or a code. */
  protected abstract place(pages: number, constraints: Constraints | undefined): number;
  /** Takes the relative pages `start` to `start + pages`, which exist. */
  protected abstract take(start: number, pages: number): Code;
  /** Gives them back. */
  protected abstract give(start: number, pages: number): Code;
  /** Makes the taken pages from `start` on, `from` of them, `to` pages long. */
  protected abstract stretch(start: number, from: number, to: number): Code;
  protected abstract walk(visit: RunVisitor): void;
  /** What is wrong besides the header. */
  protected abstract violations(): Violation[];

  allocate(pages: number, constraints?: Constraints): number {
    if (this.busy) return BUSY;
    const counted = checkCount(pages);
    if (counted !== OK) return counted;
    if (constraints !== undefined) {
      const wellFormed = checkConstraints(constraints);
      if (wellFormed !== OK) return wellFormed;
    }
    const start = this.place(pages, constraints);
    return start < 0 ? start : this.geometry.firstPage + start;
  }

  reserve(start: number, pages: number): Code {
    if (this.busy) return BUSY;
    const ranged = checkRange(this.geometry, start, pages);
    return ranged !== OK ? ranged : this.take(start - this.geometry.firstPage, pages);
  }

  free(start: number, pages: number): Code {
    if (this.busy) return BUSY;
    const ranged = checkRange(this.geometry, start, pages);
    return ranged !== OK ? ranged : this.give(start - this.geometry.firstPage, pages);
  }

  resize(start: number, from: number, to: number): Code {
    if (this.busy) return BUSY;
    const ranged = checkRange(this.geometry, start, from);
    if (ranged !== OK) return ranged;
    const counted = checkCount(to);
    return counted !== OK ? counted : this.stretch(start - this.geometry.firstPage, from, to);
  }

  forEachRun(visit: RunVisitor): void {
    const wasBusy = this.busy;
    this.busy = true;
    try {
      this.walk(visit);
    } finally {
      this.busy = wasBusy;
    }
  }

  stats(): Stats {
    let freeRuns = 0;
    let largestFreeRun = 0;
    this.forEachRun((_start, pages, free) => {
      if (!free) return;
      freeRuns++;
      if (pages > largestFreeRun) largestFreeRun = pages;
    });
    return { pageCount: this.geometry.pageCount, freePages: this.words.load(AT_FREE_PAGES), freeRuns, largestFreeRun };
  }

  check(): Violation[] {
    return [...headerViolations(this.words, this.mark, this.geometry), ...this.violations()];
  }
}

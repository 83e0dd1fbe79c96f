import {
  BAD_CONSTRAINT,
  BAD_COUNT,
  type Code,
  codeName,
  EXHAUSTED,
  METADATA_FULL,
  NOT_ALLOCATED,
  OK,
  OVERLAP,
  UNSUPPORTED,
  WRONG_LENGTH,
} from '../codes.js';
import type { Geometry } from '../geometry.js';
import type { AllocatorCapabilities, Constraints } from '../page-allocator.js';
import { checkConstraints, checkCount, checkRange, highestEnd, lowestFit, lowestStart } from '../requests.js';
import { ConformanceError, type Invariant } from './conformance-error.js';

export type Operation =
  | { readonly kind: 'allocate'; readonly pages: number; readonly constraints?: Constraints }
  | { readonly kind: 'reserve'; readonly start: number; readonly pages: number }
  | { readonly kind: 'free'; readonly start: number; readonly pages: number }
  | { readonly kind: 'resize'; readonly start: number; readonly from: number; readonly to: number };

export function describeOperation(operation: Operation): string {
  switch (operation.kind) {
    case 'allocate':
      return `allocate(${operation.pages}${operation.constraints ? `, ${JSON.stringify(operation.constraints)}` : ''})`;
    case 'resize':
      return `resize(${operation.start}, ${operation.from}, ${operation.to})`;
    default:
      return `${operation.kind}(${operation.start}, ${operation.pages})`;
  }
}

/** A run that was allocated or reserved and not touched since, except by resizing. */
export interface Live {
  readonly start: number;
  pages: number;
  readonly reserved: boolean;
}

function powerOfTwoFrom(pages: number): number {
  let power = 1;
  while (power < pages) power *= 2;
  return power;
}

/** What an allocator should answer: one byte a page, and every question answered by looking at all of them. */
export class PageModel {
  readonly geometry: Geometry;
  readonly capabilities: AllocatorCapabilities;
  /** Whether `METADATA_FULL` may be answered: the plugin was given fewer words than it wanted. */
  readonly tight: boolean;
  readonly taken: Uint8Array;
  readonly live: Live[] = [];
  freePages: number;

  constructor(geometry: Geometry, capabilities: AllocatorCapabilities, tight: boolean) {
    this.geometry = geometry;
    this.capabilities = capabilities;
    this.tight = tight;
    this.taken = new Uint8Array(geometry.pageCount);
    this.freePages = geometry.pageCount;
  }

  /** What `pages` take: the next power of two of a natural allocator. */
  granted(pages: number): number {
    return this.capabilities.alignment === 'natural' ? powerOfTwoFrom(pages) : pages;
  }

  private grantedTo(live: Live): number {
    return live.reserved ? live.pages : this.granted(live.pages);
  }

  private isAll(taken: number, start: number, pages: number): boolean {
    const from = start - this.geometry.firstPage;
    if (from < 0 || from + pages > this.geometry.pageCount) return false;
    for (let page = from; page < from + pages; page++) if (this.taken[page] !== taken) return false;
    return true;
  }

  private set(taken: number, start: number, pages: number): void {
    const from = start - this.geometry.firstPage;
    this.taken.fill(taken, from, from + pages);
    this.freePages += taken ? -pages : pages;
  }

  /** Free runs, maximal, in ascending order: absolute starts and ends. */
  *freeRuns(): Iterable<[start: number, end: number]> {
    const { firstPage, pageCount } = this.geometry;
    for (let page = 0; page < pageCount; ) {
      if (this.taken[page]) {
        page++;
        continue;
      }
      const start = page;
      while (page < pageCount && !this.taken[page]) page++;
      yield [firstPage + start, firstPage + page];
    }
  }

  /** The lowest place for a request, or -1. */
  lowestPlace(pages: number, constraints: Constraints = {}): number {
    const low = lowestStart(this.geometry, constraints);
    const high = highestEnd(this.geometry, constraints);
    const granted = this.granted(pages);
    const natural = this.capabilities.alignment === 'natural' ? Math.log2(granted) : 0;
    const alignLog2 = Math.max(constraints.alignLog2 ?? 0, natural);
    if (alignLog2 > 30) return -1;
    for (const [start, end] of this.freeRuns()) {
      const place = lowestFit(Math.max(start, low), Math.min(end, high), granted, alignLog2, constraints.boundaryLog2 ?? 31);
      if (place >= 0) return place;
    }
    return -1;
  }

  /** Compares an answer with what it should be, and takes it over. */
  judge(operation: Operation, answer: number): void {
    if (!Number.isInteger(answer) || codeName(answer).startsWith('unknown')) {
      throw new ConformanceError('answer', `${describeOperation(operation)} answered ${answer}`);
    }
    if (operation.kind === 'allocate') this.judgeAllocate(operation.pages, operation.constraints, answer);
    else if (operation.kind === 'reserve') this.judgeReserve(operation.start, operation.pages, answer);
    else if (operation.kind === 'free') this.judgeFree(operation.start, operation.pages, answer);
    else this.judgeResize(operation.start, operation.from, operation.to, answer);
  }

  private expect(invariant: Invariant, answer: number, ...codes: Code[]): void {
    if (codes.includes(answer)) return;
    throw new ConformanceError(invariant, `answered ${codeName(answer)} (${answer}), not ${codes.map(codeName).join(' or ')}`);
  }

  private judgeAllocate(pages: number, constraints: Constraints | undefined, answer: number): void {
    const { capabilities, geometry } = this;
    if (checkCount(pages) !== OK) {
      this.expect('misuse-refused', answer, BAD_COUNT);
      return;
    }
    if (constraints && checkConstraints(constraints) !== OK) {
      this.expect('misuse-refused', answer, BAD_CONSTRAINT);
      return;
    }
    const granted = this.granted(pages);
    const oversize = pages > (capabilities.maxPages ?? pages);
    const overaligned = capabilities.alignment === 'natural' && 2 ** (constraints?.alignLog2 ?? 0) > granted;
    if (answer < 0) {
      const tolerated = [...(oversize || overaligned ? [UNSUPPORTED] : []), ...(this.tight ? [METADATA_FULL] : [])];
      this.expect('misuse-refused', answer, EXHAUSTED, ...tolerated);
      if (answer !== EXHAUSTED || !capabilities.complete || oversize || overaligned) return;
      const place = this.lowestPlace(pages, constraints);
      if (place >= 0) throw new ConformanceError('complete', `refused ${pages} pages, which fit at page ${place}`);
      return;
    }
    if (answer < geometry.firstPage || answer + granted > geometry.firstPage + geometry.pageCount) {
      throw new ConformanceError('in-range', `${pages} pages at page ${answer}`);
    }
    if (constraints || capabilities.alignment === 'natural') this.judgeConstraints(pages, constraints ?? {}, answer);
    if (!this.isAll(0, answer, granted)) throw new ConformanceError('disjoint', `${pages} pages at page ${answer} are not free`);
    if (capabilities.placement === 'lowest') {
      const place = this.lowestPlace(pages, constraints);
      if (place !== answer) throw new ConformanceError('lowest', `${pages} pages at page ${answer}, and page ${place} is lower`);
    }
    this.set(1, answer, granted);
    this.live.push({ start: answer, pages, reserved: false });
  }

  private judgeConstraints(pages: number, constraints: Constraints, start: number): void {
    const wrong = (what: string): never => {
      throw new ConformanceError('constraints', `${pages} pages at page ${start}: ${what}`);
    };
    const natural = this.capabilities.alignment === 'natural' ? this.granted(pages) : 1;
    if (start % Math.max(natural, 2 ** (constraints.alignLog2 ?? 0)) !== 0) wrong('not aligned');
    if (start < (constraints.min ?? 0)) wrong('below min');
    if (start + pages > (constraints.max ?? Number.POSITIVE_INFINITY)) wrong('beyond max');
    const boundary = 2 ** (constraints.boundaryLog2 ?? 31);
    if (Math.floor(start / boundary) !== Math.floor((start + pages - 1) / boundary)) wrong('across a boundary');
  }

  private judgeReserve(start: number, pages: number, answer: number): void {
    const ranged = checkRange(this.geometry, start, pages);
    if (!this.capabilities.reserve) {
      this.expect('misuse-refused', answer, UNSUPPORTED, ...(ranged === OK ? [] : [ranged]));
      return;
    }
    if (ranged !== OK) {
      this.expect('misuse-refused', answer, ranged);
      return;
    }
    if (!this.isAll(0, start, pages)) {
      this.expect('misuse-refused', answer, OVERLAP);
      return;
    }
    this.expect('valid-reserve', answer, OK, ...(this.tight ? [METADATA_FULL] : []));
    if (answer !== OK) return;
    this.set(1, start, pages);
    this.live.push({ start, pages, reserved: true });
  }

  private judgeFree(start: number, pages: number, answer: number): void {
    const ranged = checkRange(this.geometry, start, pages);
    if (ranged !== OK) {
      this.expect('misuse-refused', answer, ranged);
      return;
    }
    const { partialFree } = this.capabilities;
    let whole = this.live.findIndex((live) => live.start === start && live.pages === pages);
    if (whole < 0 && !partialFree && answer === OK) {
      // A natural allocator need not remember more than what it granted.
      whole = this.live.findIndex((live) => !live.reserved && live.start === start && this.granted(live.pages) === this.granted(pages));
    }
    if (whole >= 0) {
      // Giving back what one was given never needs room.
      this.expect('valid-free', answer, OK);
      this.set(0, start, this.grantedTo(this.live[whole] as Live));
      this.live.splice(whole, 1);
      return;
    }
    if (!partialFree) {
      this.expect('misuse-refused', answer, NOT_ALLOCATED, WRONG_LENGTH);
      return;
    }
    if (!this.isAll(1, start, pages)) {
      this.expect('misuse-refused', answer, NOT_ALLOCATED);
      return;
    }
    this.expect('valid-free', answer, OK, ...(this.tight ? [METADATA_FULL] : []));
    if (answer !== OK) return;
    this.set(0, start, pages);
    for (let index = this.live.length - 1; index >= 0; index--) {
      const live = this.live[index] as Live;
      if (live.start < start + pages && start < live.start + this.grantedTo(live)) this.live.splice(index, 1);
    }
  }

  private judgeResize(start: number, from: number, to: number, answer: number): void {
    const { capabilities } = this;
    const ranged = checkRange(this.geometry, start, from);
    const counted = checkCount(to);
    if (!capabilities.resize || ranged !== OK || counted !== OK) {
      const codes = [ranged, counted, ...(capabilities.resize ? [] : [UNSUPPORTED])].filter((code) => code !== OK);
      this.expect('misuse-refused', answer, ...codes);
      return;
    }
    const live = this.live.find((candidate) => candidate.start === start && candidate.pages === from);
    const valid = live !== undefined || (capabilities.partialFree && this.isAll(1, start, from));
    if (!valid) {
      this.expect('misuse-refused', answer, NOT_ALLOCATED, WRONG_LENGTH);
      return;
    }
    if (!live || live.reserved) {
      // Not asked by the kit: what a resized part, or a resized reservation, is worth is the plugin's business.
      throw new Error('the kit resizes allocations alone');
    }
    const before = this.granted(from);
    const after = this.granted(to);
    const possible = after <= before || this.isAll(0, start + before, after - before);
    const full = this.tight ? [METADATA_FULL] : [];
    if (!possible) {
      this.expect('misuse-refused', answer, EXHAUSTED);
      return;
    }
    // A block that grows must be aligned as its new size is.
    const natural = capabilities.alignment === 'natural' && after > before;
    this.expect('valid-resize', answer, OK, ...full, ...(natural ? [EXHAUSTED, UNSUPPORTED] : []));
    if (answer !== OK) return;
    if (after < before) this.set(0, start + after, before - after);
    else this.set(1, start + before, after - before);
    live.pages = to;
  }
}

import { BAD_CONSTRAINT, BAD_COUNT, type Code, OK, OUT_OF_RANGE } from './codes.js';
import { type Geometry, MAX_PAGES } from './geometry.js';
import type { Constraints } from './page-allocator.js';

// What every plugin has to do with a request before it looks at its metadata. `(x | 0) !== x` is false only for integers of 32 bits: it
// refuses fractions, NaN, strings and undefined at the cost of one comparison.

/** `OK`, or `BAD_COUNT`. */
export function checkCount(pages: number): Code {
  return (pages | 0) !== pages || pages <= 0 || pages > MAX_PAGES ? BAD_COUNT : OK;
}

/** `OK`, or `BAD_COUNT`, or `OUT_OF_RANGE` unless the geometry has all these pages. */
export function checkRange(geometry: Geometry, start: number, pages: number): Code {
  if (checkCount(pages) !== OK) return BAD_COUNT;
  if ((start | 0) !== start || start < geometry.firstPage) return OUT_OF_RANGE;
  return start - geometry.firstPage + pages > geometry.pageCount ? OUT_OF_RANGE : OK;
}

const isLog2 = (value: number | undefined): boolean =>
  value === undefined || ((value | 0) === value && (value as number) >= 0 && (value as number) <= 30);
const isPage = (value: number | undefined): boolean =>
  value === undefined || (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= Number.MAX_SAFE_INTEGER);

/** `OK`, or `BAD_CONSTRAINT` for what is malformed; constraints that nothing can satisfy are well formed. */
export function checkConstraints(constraints: Constraints): Code {
  const { alignLog2, min, max, boundaryLog2 } = constraints;
  if (!isLog2(alignLog2) || !isLog2(boundaryLog2) || !isPage(min) || !isPage(max)) return BAD_CONSTRAINT;
  return (min ?? 0) >= (max ?? Number.POSITIVE_INFINITY) ? BAD_CONSTRAINT : OK;
}

/** The first page at which a run may start: `min` within the geometry. Absolute. */
export function lowestStart(geometry: Geometry, constraints: Constraints): number {
  return Math.max(geometry.firstPage, Math.min(constraints.min ?? 0, MAX_PAGES));
}

/** The page at which a run must have ended: `max` within the geometry. Absolute. */
export function highestEnd(geometry: Geometry, constraints: Constraints): number {
  return Math.min(geometry.firstPage + geometry.pageCount, constraints.max ?? MAX_PAGES);
}

/**
 * The lowest start of a run of `pages` within `from` to `end` (end exclusive) that is aligned and crosses no boundary, or -1. A boundary of
 * 31 means none. All absolute, as alignment is.
 */
export function lowestFit(from: number, end: number, pages: number, alignLog2: number, boundaryLog2: number): number {
  const alignMask = 2 ** alignLog2 - 1;
  let start = (from + alignMask) & ~alignMask;
  if (start + pages > end) return -1;
  if (boundaryLog2 < 31) {
    if (pages > 2 ** boundaryLog2) return -1;
    // A start at a multiple of both powers crosses nothing; one that crosses moves to the boundary it crosses.
    if (start >> boundaryLog2 !== (start + pages - 1) >> boundaryLog2) {
      const mask = 2 ** Math.max(alignLog2, boundaryLog2) - 1;
      start = (start + mask) & ~mask;
    }
  }
  return start + pages <= end ? start : -1;
}

/** The highest such start, or -1. */
export function highestFit(from: number, end: number, pages: number, alignLog2: number, boundaryLog2: number): number {
  let start = end - pages;
  if (start < from) return -1;
  const alignMask = 2 ** alignLog2 - 1;
  start &= ~alignMask;
  if (boundaryLog2 < 31) {
    if (pages > 2 ** boundaryLog2) return -1;
    if (start >> boundaryLog2 !== (start + pages - 1) >> boundaryLog2) {
      // The highest aligned start whose run ends at or before the boundary that this one crosses.
      const boundary = ((start + pages - 1) >> boundaryLog2) << boundaryLog2;
      start = (boundary - pages) & ~alignMask;
      if (start >> boundaryLog2 !== (start + pages - 1) >> boundaryLog2) return -1;
    }
  }
  return start >= from ? start : -1;
}

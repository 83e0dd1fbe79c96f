import { AllocError } from '../alloc-error.js';
import { countOnes } from '../allocators/bits.js';
import { BUSY, type Code, codeName, NOT_ALLOCATED, OK, WRONG_LENGTH } from '../codes.js';
import type { Geometry } from '../geometry.js';
import type { AllocatorPlugin, Constraints, PageAllocator, Violation } from '../page-allocator.js';
import { checkCount, checkRange, highestEnd, lowestStart } from '../requests.js';
import { subWords, type Words } from '../words.js';
import { decorate } from './decorate.js';

// One word a page after the plugin's own: the length of the run that starts there, or 0, in bits 31:1; bit 0 makes the number of ones even, so that a
// flipped bit shows.
class Ownership {
  readonly marks: Words;
  readonly geometry: Geometry;

  constructor(marks: Words, geometry: Geometry) {
    this.marks = marks;
    this.geometry = geometry;
  }

  lengthAt(page: number): number {
    return this.marks.load(page - this.geometry.firstPage) >>> 1;
  }

  set(page: number, pages: number): void {
    this.marks.store(page - this.geometry.firstPage, ((pages << 1) | (countOnes(pages) & 1)) >>> 0);
  }

  /** Which code an operation on this run deserves. */
  owns(start: number, pages: number): Code {
    const length = this.lengthAt(start);
    return length === pages ? OK : length === 0 ? NOT_ALLOCATED : WRONG_LENGTH;
  }

  /** The page of a run that overlaps this one, or -1. */
  overlap(start: number, pages: number): number {
    const { firstPage } = this.geometry;
    for (let page = start; page < start + pages; page++) if (this.lengthAt(page) !== 0) return page;
    for (let page = start - 1; page >= firstPage; page--) {
      const length = this.lengthAt(page);
      if (length !== 0) return page + length > start ? page : -1;
    }
    return -1;
  }
}

/** Whether a code is one of the table, or a page where one may be. */
function expectAnswer(name: string, what: string, answer: number, isPage: boolean): void {
  const isKnown = Number.isInteger(answer) && !codeName(answer).startsWith('unknown');
  if (!isKnown || (!isPage && answer > 0)) throw new AllocError('plugin', name, `${what} answered ${String(answer)}`);
}

function expectPlace(inner: PageAllocator, geometry: Geometry, owners: Ownership, pages: number, c: Constraints, start: number): void {
  const wrong = (message: string): never => {
    throw new AllocError('plugin', inner.name, `allocate(${pages}) answered page ${start}, ${message}`);
  };
  if (checkRange(geometry, start, pages) !== OK) wrong('which with its pages is outside the memory');
  if (start % 2 ** (c.alignLog2 ?? 0) !== 0) wrong(`which is not aligned on ${2 ** (c.alignLog2 ?? 0)}`);
  if (start < lowestStart(geometry, c) || start + pages > highestEnd(geometry, c)) wrong('which is not within min and max');
  const boundary = 2 ** (c.boundaryLog2 ?? 31);
  if (Math.floor(start / boundary) !== Math.floor((start + pages - 1) / boundary)) wrong('which crosses a boundary');
  const overlap = owners.overlap(start, pages);
  if (overlap >= 0) wrong(`which overlaps the run at page ${overlap}`);
}

/**
 * Remembers who owns what, in one word a page of its own after the plugin's. A client must give back exactly the runs it was given: parts and
 * joins are `WRONG_LENGTH` or `NOT_ALLOCATED`, whatever the plugin would take. A plugin must answer sense: pages outside the memory,
 * against the constraints or of a live run, or a code that is in no table, throw an `AllocError` of kind `plugin` in its name.
 */
export function strict(plugin: AllocatorPlugin): AllocatorPlugin {
  const innerWords = (geometry: Geometry): number => {
    const { maxMetadataWords, ...rest } = geometry;
    const left = maxMetadataWords === undefined ? undefined : maxMetadataWords - geometry.pageCount;
    if (left !== undefined && left < 0) {
      throw new AllocError('geometry', `strict(${plugin.name})`, `needs ${geometry.pageCount} words of its own, not ${maxMetadataWords}`);
    }
    return plugin.metadataWords(left === undefined ? rest : { ...rest, maxMetadataWords: left });
  };
  const innerGeometry = (geometry: Geometry): Geometry => {
    // The plugin's own part must not spread over the marks.
    const { maxMetadataWords, ...rest } = geometry;
    return maxMetadataWords === undefined ? rest : { ...rest, maxMetadataWords: innerWords(geometry) };
  };
  const decorated = decorate(
    {
      ...plugin,
      create: (words, geometry, hooks) => plugin.create(words, innerGeometry(geometry), hooks),
      attach: (words, geometry, hooks) => plugin.attach(words, innerGeometry(geometry), hooks),
    },
    'strict',
    (inner, { words, geometry, how, hooks }) => {
      const owners = new Ownership(subWords(words, innerWords(geometry)), geometry);
      if (how === 'create') for (let page = 0; page < geometry.pageCount; page++) owners.marks.store(page, 0);
      const misuse = (code: Code, what: string, start: number, pages: number): Code => {
        hooks?.violation?.({ rule: 'ownership', message: `${what} of ${pages} pages at page ${start}: ${codeName(code)}`, page: start });
        return code;
      };
      let busy = false;
      return {
        allocate(pages, constraints) {
          const start = constraints ? inner.allocate(pages, constraints) : inner.allocate(pages);
          expectAnswer(inner.name, `allocate(${pages})`, start, true);
          if (start < 0) return start;
          expectPlace(inner, geometry, owners, pages, constraints ?? {}, start);
          owners.set(start, pages);
          return start;
        },
        reserve(start, pages) {
          const code = inner.reserve(start, pages);
          expectAnswer(inner.name, `reserve(${start}, ${pages})`, code, false);
          if (code === OK) owners.set(start, pages);
          return code;
        },
        free(start, pages) {
          if (busy) return BUSY;
          const ranged = checkRange(geometry, start, pages);
          if (ranged !== OK) return ranged;
          const owned = owners.owns(start, pages);
          if (owned !== OK) return misuse(owned, 'free', start, pages);
          const code = inner.free(start, pages);
          expectAnswer(inner.name, `free(${start}, ${pages})`, code, false);
          if (code === OK) owners.set(start, 0);
          return code;
        },
        resize(start, from, to) {
          if (busy) return BUSY;
          const ranged = checkRange(geometry, start, from);
          if (ranged !== OK) return ranged;
          const counted = checkCount(to);
          if (counted !== OK) return counted;
          const owned = owners.owns(start, from);
          if (owned !== OK) return misuse(owned, 'resize', start, from);
          const code = inner.resize(start, from, to);
          expectAnswer(inner.name, `resize(${start}, ${from}, ${to})`, code, false);
          if (code === OK) owners.set(start, to);
          return code;
        },
        forEachRun(visit) {
          const wasBusy = busy;
          busy = true;
          try {
            inner.forEachRun(visit);
          } finally {
            busy = wasBusy;
          }
        },
        check() {
          const found = inner.check();
          // The runs of a damaged allocator say nothing.
          return found.length > 0 ? found : ownershipViolations(inner, owners, plugin.capabilities.alignment === 'any');
        },
      };
    },
    { partialFree: false },
  );
  return {
    ...decorated,
    metadataWords: (geometry) => innerWords(geometry) + geometry.pageCount,
    ...(plugin.accessBound && {
      accessBound: (geometry: Geometry, pages: number) =>
        (plugin.accessBound?.(innerGeometry(geometry), pages) ?? 0) + pages + geometry.pageCount + 4,
    }),
  };
}

/** Runs that overlap, that lie in free pages, and taken pages of nobody. */
function ownershipViolations(inner: PageAllocator, owners: Ownership, exact: boolean): Violation[] {
  const { firstPage, pageCount } = owners.geometry;
  const found: Violation[] = [];
  const isTaken = new Uint8Array(pageCount);
  inner.forEachRun((start, pages, free) => {
    if (!free) isTaken.fill(1, Math.max(0, start - firstPage), Math.max(0, start - firstPage + pages));
  });
  let end = 0;
  for (let page = 0; page < pageCount; page++) {
    const mark = owners.marks.load(page);
    const length = mark >>> 1;
    const at = { page: firstPage + page };
    if ((countOnes(mark) & 1) !== 0) found.push({ rule: 'ownership', message: `the mark of page ${at.page} is damaged`, ...at });
    if (length !== 0 && (page < end || page + length > pageCount)) {
      found.push({ rule: 'ownership', message: `a run of ${length} pages at page ${at.page} overlaps another or the end`, ...at });
    }
    if (length !== 0) end = Math.max(end, Math.min(page + length, pageCount));
    if (page < end && isTaken[page] === 0) found.push({ rule: 'ownership', message: `page ${at.page} is owned and free`, ...at });
    if (exact && page >= end && isTaken[page] !== 0)
      found.push({ rule: 'ownership', message: `page ${at.page} is taken by nobody`, ...at });
  }
  return found;
}

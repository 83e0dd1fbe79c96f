import { AllocError } from '../alloc-error.js';
import { type Code, EXHAUSTED, NOT_ALLOCATED, OK, OVERLAP } from '../codes.js';
import type { Geometry } from '../geometry.js';
import type { AllocatorPlugin, Violation } from '../page-allocator.js';
import { checkConstraints, checkCount } from '../requests.js';
import type { Words } from '../words.js';
import { type DecorationContext, decorate } from './decorate.js';

// Decorators that remember on the host what they hold. So their allocators cannot be taken up from words alone.

function refuseAttach(name: string, { how }: DecorationContext): void {
  if (how === 'attach') throw new AllocError('attach', name, 'keeps what it holds on the host, not in the words');
}

function checkPages(name: string, pages: number): void {
  if (!Number.isInteger(pages) || pages < 1) throw new AllocError('options', name, `pages ${pages} is not a positive integer`);
}

/**
 * Holds freed runs back, up to `pages` pages and oldest first out, so that a use after free hits nobody's pages for a while. What is held counts
 * as taken; when something does not fit, everything held is let go before the answer. The plugin must be able to reserve.
 */
export function quarantined(plugin: AllocatorPlugin, options: { readonly pages: number }): AllocatorPlugin {
  const name = `quarantined(${plugin.name})`;
  checkPages(name, options.pages);
  if (!plugin.capabilities.reserve)
    throw new AllocError('options', name, 'holds runs back as reservations, which the plugin does not make');
  return decorate(plugin, 'quarantined', (inner, context) => {
    refuseAttach(name, context);
    const held: { start: number; pages: number }[] = [];
    let total = 0;
    const release = (limit: number): boolean => {
      const had = held.length > 0;
      while (total > limit) {
        const oldest = held.shift() as { start: number; pages: number };
        total -= oldest.pages;
        inner.free(oldest.start, oldest.pages);
      }
      return had;
    };
    const isHeld = (start: number, pages: number): boolean =>
      held.some((run) => run.start < start + pages && start < run.start + run.pages);
    const retry = (answer: number, code: Code, again: () => number): number => (answer === code && release(0) ? again() : answer);
    return {
      allocate: (pages, constraints) => retry(inner.allocate(pages, constraints), EXHAUSTED, () => inner.allocate(pages, constraints)),
      reserve: (start, pages) => retry(inner.reserve(start, pages), OVERLAP, () => inner.reserve(start, pages)),
      resize: (start, from, to) =>
        isHeld(start, from) ? NOT_ALLOCATED : retry(inner.resize(start, from, to), EXHAUSTED, () => inner.resize(start, from, to)),
      free(start, pages) {
        if (isHeld(start, pages)) return NOT_ALLOCATED;
        const code = inner.free(start, pages);
        // Taken again at once; if there is no room to write that down, the run is simply free.
        if (code !== OK || inner.reserve(start, pages) !== OK) return code;
        held.push({ start, pages });
        total += pages;
        release(options.pages);
        return OK;
      },
    };
  });
}

export interface PoisonOptions {
  /** Words over the managed pages: index 0 is the first word of page `firstPage`. */
  readonly memory: Words;
  /** Told of every word that was written while its page was free. */
  violation(violation: Violation): void;
  /** What freed pages are filled with; 0x6B6B6B6B without it. */
  readonly pattern?: number;
}

/** Fills freed pages with a pattern and looks, when they are handed out again, whether it is still there. Not for in-band plugins. */
export function poisoned(plugin: AllocatorPlugin, options: PoisonOptions): AllocatorPlugin {
  const name = `poisoned(${plugin.name})`;
  const { memory, violation, pattern = 0x6b6b6b6b } = options;
  if (plugin.capabilities.inBand) throw new AllocError('options', name, 'the plugin keeps words in free pages');
  return decorate(plugin, 'poisoned', (inner, context) => {
    refuseAttach(name, context);
    const { firstPage, pageCount, pageShift } = context.geometry;
    const perPage = 2 ** (pageShift - 2);
    const isPoisoned = new Uint8Array(pageCount);
    const inspect = (start: number, pages: number): void => {
      for (let page = start - firstPage; page < start - firstPage + pages; page++) {
        if (!isPoisoned[page]) continue;
        isPoisoned[page] = 0;
        for (let word = page * perPage; word < (page + 1) * perPage; word++) {
          const value = memory.load(word);
          if (value === pattern) continue;
          const message = `word ${word - page * perPage} of page ${firstPage + page} was written while free: 0x${value.toString(16)}`;
          violation({ rule: 'write-after-free', message, page: firstPage + page, word });
        }
      }
    };
    const poison = (start: number, pages: number): void => {
      const from = start - firstPage;
      isPoisoned.fill(1, from, from + pages);
      for (let word = from * perPage; word < (from + pages) * perPage; word++) memory.store(word, pattern);
    };
    return {
      allocate(pages, constraints) {
        const start = inner.allocate(pages, constraints);
        if (start >= 0) inspect(start, pages);
        return start;
      },
      reserve(start, pages) {
        const code = inner.reserve(start, pages);
        if (code === OK) inspect(start, pages);
        return code;
      },
      free(start, pages) {
        const code = inner.free(start, pages);
        if (code === OK) poison(start, pages);
        return code;
      },
      resize(start, from, to) {
        const code = inner.resize(start, from, to);
        if (code === OK && to > from) inspect(start + from, to - from);
        if (code === OK && to < from) poison(start + to, from - to);
        return code;
      },
    };
  });
}

export interface RedZoneOptions {
  /** Pages kept free of everybody before and after each run; 1 without it. */
  readonly pages?: number;
  /** With both, zones are filled with a pattern that is looked for when the run is resized or given back. */
  readonly memory?: Words;
  violation?(violation: Violation): void;
  /** 0xBBBBBBBB without it. */
  readonly pattern?: number;
}

/** Room before a run: at least the zone, and a multiple of the alignment, so that the run keeps it. */
interface Zoned {
  readonly lead: number;
  pages: number;
}

/**
 * Puts pages that nobody gets before and after each run (not around reservations): to be left unmapped, or filled and looked at. A run is given back
 * whole. A boundary is kept by the zones too, so that such a request may be refused where it would fit by itself.
 */
export function redZoned(plugin: AllocatorPlugin, options: RedZoneOptions = {}): AllocatorPlugin {
  const name = `redZoned(${plugin.name})`;
  const { pages: zone = 1, memory, violation, pattern = 0xbbbbbbbb } = options;
  checkPages(name, zone);
  if (plugin.capabilities.alignment === 'natural') throw new AllocError('options', name, 'zones would undo the natural alignment');
  return decorate(
    plugin,
    'redZoned',
    (inner, context) => {
      refuseAttach(name, context);
      const { geometry } = context;
      const runs = new Map<number, Zoned>();
      const zones = (start: number, { lead, pages }: Zoned): [from: number, pages: number][] => [
        [start - lead, lead],
        [start + pages, zone],
      ];
      const eachWord = (start: number, run: Zoned, act: (memory: Words, word: number, page: number) => void): void => {
        if (!memory || !violation) return;
        const perPage = 2 ** (geometry.pageShift - 2);
        for (const [from, pages] of zones(start, run)) {
          const first = (from - geometry.firstPage) * perPage;
          for (let word = first; word < first + pages * perPage; word++) {
            act(memory, word, geometry.firstPage + Math.floor(word / perPage));
          }
        }
      };
      const fill = (start: number, run: Zoned): void => eachWord(start, run, (words, word) => words.store(word, pattern));
      const inspect = (start: number, run: Zoned): void =>
        eachWord(start, run, (words, word, page) => {
          const value = words.load(word);
          if (value === pattern) return;
          violation?.({
            rule: 'red-zone',
            message: `page ${page} beside the run at page ${start} was written: 0x${value.toString(16)}`,
            page,
            word,
          });
        });
      return {
        allocate(pages, constraints) {
          const counted = checkCount(pages);
          if (counted !== OK) return counted;
          const wellFormed = constraints ? checkConstraints(constraints) : OK;
          if (wellFormed !== OK) return wellFormed;
          const { alignLog2 = 0, min, max, boundaryLog2 } = constraints ?? {};
          const align = 2 ** alignLog2;
          const lead = Math.ceil(zone / align) * align;
          const total = lead + pages + zone;
          if (total > geometry.pageCount) return EXHAUSTED;
          const outer = inner.allocate(total, {
            alignLog2,
            ...(min !== undefined && { min: Math.max(0, min - lead) }),
            ...(max !== undefined && { max: max + zone }),
            ...(boundaryLog2 !== undefined && { boundaryLog2 }),
          });
          if (outer < 0) return outer;
          const run = { lead, pages };
          runs.set(outer + lead, run);
          fill(outer + lead, run);
          return outer + lead;
        },
        free(start, pages) {
          const run = runs.get(start);
          if (!run || run.pages !== pages) {
            const isInside = [...runs].some(([at, of]) => at - of.lead < start + pages && start < at + of.pages + zone);
            return isInside ? NOT_ALLOCATED : inner.free(start, pages);
          }
          inspect(start, run);
          const code = inner.free(start - run.lead, run.lead + pages + zone);
          if (code === OK) runs.delete(start);
          return code;
        },
        resize(start, from, to) {
          const run = runs.get(start);
          if (!run || run.pages !== from || !Number.isInteger(to) || to < 1) return inner.resize(start, from, to);
          inspect(start, run);
          const outer = run.lead + from + zone;
          const code = inner.resize(start - run.lead, outer, outer + to - from);
          if (code !== OK) return code;
          run.pages = to;
          fill(start, run);
          return OK;
        },
      };
    },
    { partialFree: false, complete: false },
  );
}

/** The geometry's pages as a count of words, for whoever makes `memory`. */
export function pageWordCount(geometry: Geometry): number {
  return geometry.pageCount * 2 ** (geometry.pageShift - 2);
}

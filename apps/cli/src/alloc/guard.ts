import type { Constraints, Geometry, ObjectCache, PageAllocator } from '@tablewalk/alloc';
import { codeName } from '@tablewalk/alloc';
import { UsageError } from '../usage-error.js';

/** Calls a stranger's code; what it throws becomes one line in its name. */
export const call = <T>(label: string, what: string, run: () => T): T => {
  try {
    return run();
  } catch (error) {
    if (error instanceof UsageError) throw error;
    // An AllocError already says whose it is.
    if (error instanceof Error && error.name === 'AllocError') throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new UsageError(`${label}: ${what} threw ${message.split('\n')[0]}`, { cause: error });
  }
};

const expectCode = (label: string, what: string, answer: unknown): number => {
  if (typeof answer !== 'number' || !Number.isInteger(answer) || codeName(answer).startsWith('unknown'))
    throw new UsageError(`${label}: ${what} answered ${String(answer)}`);
  return answer;
};

/** Which of a range of things are taken, so that an answer can be told from nonsense. */
class Taken {
  private readonly bytes: Uint8Array;

  constructor(count: number) {
    this.bytes = new Uint8Array(count);
  }

  /** False, and nothing changed, unless all of them are in range and are what they are not to be. */
  set(start: number, count: number, taken: boolean): boolean {
    if (start < 0 || start + count > this.bytes.length) return false;
    for (let at = start; at < start + count; at++) if ((this.bytes[at] === 1) === taken) return false;
    this.bytes.fill(taken ? 1 : 0, start, start + count);
    return true;
  }
}

/** An allocator that is not believed: it throws, answers nonsense or gives away what is taken, and the run ends with one line that says so. */
export const guardAllocator = (label: string, allocator: PageAllocator, { firstPage, pageCount }: Geometry): PageAllocator => {
  const taken = new Taken(pageCount);
  const take = (what: string, start: number, pages: number): number => {
    if (!taken.set(start - firstPage, pages, true))
      throw new UsageError(`${label}: ${what} gave page ${start}, which is taken or none of its own`);
    return start;
  };
  return {
    name: allocator.name,
    ...(allocator.descriptors && { descriptors: allocator.descriptors }),
    allocate(pages: number, constraints?: Constraints): number {
      const what = `allocate(${pages})`;
      const start = expectCode(
        label,
        what,
        call(label, what, () => allocator.allocate(pages, constraints)),
      );
      if (start < 0) return start;
      if (start % 2 ** (constraints?.alignLog2 ?? 0) !== 0)
        throw new UsageError(`${label}: ${what} gave page ${start}, which is not aligned`);
      return take(what, start, pages);
    },
    reserve(start, pages) {
      const what = `reserve(${start}, ${pages})`;
      const answer = expectCode(
        label,
        what,
        call(label, what, () => allocator.reserve(start, pages)),
      );
      if (answer === 0) take(what, start, pages);
      return answer;
    },
    free(start, pages) {
      const what = `free(${start}, ${pages})`;
      const answer = expectCode(
        label,
        what,
        call(label, what, () => allocator.free(start, pages)),
      );
      if (answer === 0 && !taken.set(start - firstPage, pages, false)) throw new UsageError(`${label}: ${what} took what it had not given`);
      return answer;
    },
    resize(start, from, to) {
      const what = `resize(${start}, ${from}, ${to})`;
      const answer = expectCode(
        label,
        what,
        call(label, what, () => allocator.resize(start, from, to)),
      );
      if (answer === 0 && to > from) take(what, start + from, to - from);
      if (answer === 0 && to < from) taken.set(start - firstPage + to, from - to, false);
      return answer;
    },
    forEachRun(visit) {
      let next = firstPage;
      const end = firstPage + pageCount;
      const wrong = (start: unknown, pages: unknown): never => {
        throw new UsageError(`${label}: forEachRun visits ${String(pages)} pages at ${String(start)}, not what begins at ${next}`);
      };
      call(label, 'forEachRun', () =>
        allocator.forEachRun((start, pages, free) => {
          if (start !== next || !Number.isInteger(pages) || pages < 1 || start + pages > end) wrong(start, pages);
          next += pages;
          visit(start, pages, free);
        }),
      );
      if (next !== end) wrong('nothing', 0);
    },
    stats: () => call(label, 'stats', () => allocator.stats()),
    check: () => call(label, 'check', () => allocator.check()),
  };
};

/** The same for an object cache; `taken` is shared by all caches over one memory. */
export const guardObjects = (label: string, cache: ObjectCache, taken: Taken): ObjectCache => {
  const words = Math.ceil(cache.kind.objectBytes / 4);
  return {
    name: cache.name,
    kind: cache.kind,
    allocate() {
      const object = expectCode(
        label,
        'allocate',
        call(label, 'allocate', () => cache.allocate()),
      );
      if (object >= 0 && !taken.set(object, words, true))
        throw new UsageError(`${label}: allocate gave object ${object}, which is taken or outside of memory`);
      return object;
    },
    free(object) {
      const answer = expectCode(
        label,
        `free(${object})`,
        call(label, `free(${object})`, () => cache.free(object)),
      );
      if (answer === 0 && !taken.set(object, words, false)) throw new UsageError(`${label}: free(${object}) took what it had not given`);
      return answer;
    },
    shrink: () => call(label, 'shrink', () => cache.shrink()),
    forEachObject: (visit) => call(label, 'forEachObject', () => cache.forEachObject(visit)),
    stats: () => call(label, 'stats', () => cache.stats()),
    check: () => call(label, 'check', () => cache.check()),
  };
};

export const takenWords = (count: number): Taken => new Taken(count);

import { AllocError } from '../alloc-error.js';
import type { Workload, WorkloadEvent } from './workload.js';

export interface RobsonOptions {
  /** The most pages that are ever live. */
  readonly livePages: number;
  /** log2 of the longest run, in pages. */
  readonly maxOrder: number;
}

interface Run {
  readonly slot: number;
  readonly start: number;
  readonly pages: number;
}

/**
 * The adversary of Robson, "Bounds for some functions concerning dynamic storage allocation", J. ACM 21(3), 1974: it looks at where runs are, and
 * keeps of them just those that spoil the most room. In round i it chooses one residue modulo 2^i, gives back every run that does not cover
 * a page of it, and asks for runs of 2^i pages, which then fit no hole between those it kept. Any allocator needs a memory of about
 * `livePages * (1 + maxOrder / 2)` to serve it.
 */
export function robsonWorkload(options: RobsonOptions): Workload {
  const { livePages, maxOrder } = options;
  if (!Number.isSafeInteger(livePages) || livePages < 1) throw new AllocError('options', 'robson', `livePages ${livePages} is not a count`);
  if (!Number.isInteger(maxOrder) || maxOrder < 0 || 2 ** maxOrder > livePages) {
    throw new AllocError('options', 'robson', `maxOrder ${maxOrder} is not 0 to log2 of ${livePages}`);
  }
  return {
    name: 'robson',
    slots: livePages,
    warmup: 0,
    adaptive: true,
    *events(placed) {
      const empty: number[] = [];
      for (let slot = livePages - 1; slot >= 0; slot--) empty.push(slot);
      let live: Run[] = [];
      let used = 0;
      let residue = 0;
      for (let order = 0; order <= maxOrder; order++) {
        const pages = 2 ** order;
        if (order > 0) {
          // The residue that the kept runs waste more with: each holds up 2^i pages and fills but its own length.
          const waste = (candidate: number): number =>
            live.reduce((sum, run) => sum + (covers(run, candidate, pages) ? pages - run.pages : 0), 0);
          if (waste(residue + pages / 2) > waste(residue)) residue += pages / 2;
          const kept: Run[] = [];
          for (const run of live) {
            if (covers(run, residue, pages)) {
              kept.push(run);
              continue;
            }
            used -= run.pages;
            empty.push(run.slot);
            yield { kind: 'free', slot: run.slot, pages: 0 } satisfies WorkloadEvent;
          }
          live = kept;
        }
        while (used + pages <= livePages) {
          const slot = empty.pop() as number;
          yield { kind: 'allocate', slot, pages };
          const start = placed[slot] as number;
          if (start < 0) {
            empty.push(slot);
            break;
          }
          live.push({ slot, start, pages });
          used += pages;
        }
      }
    },
  };
}

/** Whether a run covers a page that is `residue` modulo `modulus`. */
function covers(run: Run, residue: number, modulus: number): boolean {
  const offset = (((residue - run.start) % modulus) + modulus) % modulus;
  return offset < run.pages;
}

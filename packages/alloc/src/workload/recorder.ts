import { OK } from '../codes.js';
import type { PageAllocator } from '../page-allocator.js';
import { TRACE_STRIDE, type Trace } from './workload.js';

/** An allocator whose successful operations become a trace. */
export interface Recorder {
  /** Use this one in place of the recorded one. */
  readonly allocator: PageAllocator;
  /** The trace so far; what is recorded before `markWarmup` is its warm-up. */
  trace(): Trace;
  markWarmup(): void;
  /** Operations that a trace cannot say: frees of a part other than a run's end, and of what was taken before the recording. */
  readonly unrecorded: number;
}

/**
 * Records what goes through an allocator. A reservation becomes an allocation of its length; a free of a run's end becomes a resize. A run of which
 * another part is freed counts as given back whole, and is `unrecorded` from then on.
 */
export function recordTrace(allocator: PageAllocator, name: string): Recorder {
  const events: number[] = [];
  const live = new Map<number, { slot: number; pages: number }>();
  const empty: number[] = [];
  let slots = 0;
  let warmup = 0;
  let unrecorded = 0;

  const take = (start: number, pages: number, alignLog2: number): void => {
    const slot = empty.pop() ?? slots++;
    live.set(start, { slot, pages });
    events.push(slot, pages, alignLog2);
  };
  const giveBack = (start: number): void => {
    const { slot } = live.get(start) as { slot: number };
    live.delete(start);
    empty.push(slot);
    events.push(slot, 0, 0);
  };
  const resized = (start: number, to: number): void => {
    const run = live.get(start) as { slot: number; pages: number };
    run.pages = to;
    events.push(run.slot, -to, 0);
  };
  const freed = (start: number, pages: number): void => {
    if (live.get(start)?.pages === pages) {
      giveBack(start);
      return;
    }
    for (const [from, run] of live) {
      if (from >= start + pages || start >= from + run.pages) continue;
      if (from < start && start + pages === from + run.pages) {
        resized(from, start - from);
      } else {
        unrecorded++;
        giveBack(from);
      }
    }
  };

  return {
    allocator: {
      name: allocator.name,
      allocate(pages, constraints) {
        const start = constraints ? allocator.allocate(pages, constraints) : allocator.allocate(pages);
        if (start >= 0) take(start, pages, constraints?.alignLog2 ?? 0);
        return start;
      },
      reserve(start, pages) {
        const code = allocator.reserve(start, pages);
        if (code === OK) take(start, pages, 0);
        return code;
      },
      free(start, pages) {
        const code = allocator.free(start, pages);
        if (code === OK) freed(start, pages);
        return code;
      },
      resize(start, from, to) {
        const code = allocator.resize(start, from, to);
        if (code !== OK || from === to) return code;
        if (live.get(start)?.pages === from) resized(start, to);
        else unrecorded++;
        return code;
      },
      forEachRun: (visit) => allocator.forEachRun(visit),
      stats: () => allocator.stats(),
      check: () => allocator.check(),
      ...(allocator.descriptors && { descriptors: allocator.descriptors }),
    },
    trace: () => ({ name, slots: Math.max(1, slots), warmup, events: Int32Array.from(events) }),
    markWarmup() {
      warmup = events.length / TRACE_STRIDE;
    },
    get unrecorded() {
      return unrecorded;
    },
  };
}

import { AllocError } from '../alloc-error.js';
import type { PageAllocator } from '../page-allocator.js';

/**
 * One thing that a client of an allocator does. Runs are named by slots, not by pages, so that the same events can drive any allocator.
 *
 * - `allocate`: takes `pages` pages, aligned on `1 << alignLog2`, into an empty slot.
 * - `resize`: makes the slot's run `pages` pages long.
 * - `free`: gives the slot's run back; `pages` is 0.
 */
export interface WorkloadEvent {
  readonly kind: 'allocate' | 'resize' | 'free';
  readonly slot: number;
  readonly pages: number;
  /** 0 without it. */
  readonly alignLog2?: number;
}

/** A seeded life of a client, the same each time it is run. */
export interface Workload {
  readonly name: string;
  /** Slots are 0 to `slots - 1`. */
  readonly slots: number;
  /** Events before this one fill the memory; measure from here. */
  readonly warmup: number;
  /** Looks at where runs were placed, so it must be run against an allocator and cannot be compiled. */
  readonly adaptive: boolean;
  /** The events. `placed[slot]` is the page that the slot's last allocation got, or a negative code; runners keep it up to date. */
  events(placed: ArrayLike<number>): Iterable<WorkloadEvent>;
}

/** Integers of one event of a {@link Trace}: slot, pages (0 frees, negative resizes to as many), alignLog2. */
export const TRACE_STRIDE = 3;

/** A workload as flat integers: what benchmarks and files use. */
export interface Trace {
  readonly name: string;
  readonly slots: number;
  readonly warmup: number;
  readonly events: Int32Array;
}

/** Flattens a workload. Throws an `AllocError` of kind `options` for an adaptive one. */
export function compileWorkload(workload: Workload): Trace {
  if (workload.adaptive) throw new AllocError('options', workload.name, 'looks at placements, so it cannot be compiled');
  const values: number[] = [];
  for (const { kind, slot, pages, alignLog2 = 0 } of workload.events(new Int32Array(workload.slots))) {
    values.push(slot, kind === 'free' ? 0 : kind === 'resize' ? -pages : pages, alignLog2);
  }
  return { name: workload.name, slots: workload.slots, warmup: workload.warmup, events: Int32Array.from(values) };
}

/** A trace as a workload again. */
export function traceWorkload(trace: Trace): Workload {
  return {
    name: trace.name,
    slots: trace.slots,
    warmup: trace.warmup,
    adaptive: false,
    *events() {
      const { events } = trace;
      for (let at = 0; at < events.length; at += TRACE_STRIDE) {
        const pages = events[at + 1] as number;
        const kind = pages > 0 ? 'allocate' : pages < 0 ? 'resize' : 'free';
        yield { kind, slot: events[at] as number, pages: Math.abs(pages), alignLog2: events[at + 2] as number };
      }
    },
  };
}

/** Where each slot of a trace is, between {@link replayTrace} calls. */
export interface TraceState {
  /** The slot's first page, or -1. */
  readonly placed: Int32Array;
  /** The slot's length in pages, or 0. */
  readonly pages: Int32Array;
}

export function traceState(trace: Trace): TraceState {
  return { placed: new Int32Array(trace.slots).fill(-1), pages: new Int32Array(trace.slots) };
}

/**
 * Performs the events `from` to `to` (end exclusive, counted in events) of a trace on an allocator; the number of refused allocations. A slot
 * whose allocation was refused stays empty, and its other events are skipped. The loop does nothing else, so that it can be timed.
 */
export function replayTrace(allocator: PageAllocator, trace: Trace, state: TraceState, from: number, to: number): number {
  const { events } = trace;
  const { placed, pages: lengths } = state;
  const end = Math.min(to * TRACE_STRIDE, events.length);
  let refused = 0;
  for (let at = from * TRACE_STRIDE; at < end; at += TRACE_STRIDE) {
    const slot = events[at] as number;
    const pages = events[at + 1] as number;
    if (pages > 0) {
      const alignLog2 = events[at + 2] as number;
      const page = alignLog2 === 0 ? allocator.allocate(pages) : allocator.allocate(pages, { alignLog2 });
      if (page < 0) {
        refused++;
        continue;
      }
      placed[slot] = page;
      lengths[slot] = pages;
    } else if (lengths[slot] !== 0) {
      const page = placed[slot] as number;
      const length = lengths[slot] as number;
      if (pages === 0) {
        allocator.free(page, length);
        lengths[slot] = 0;
        placed[slot] = -1;
      } else if (allocator.resize(page, length, -pages) === 0) {
        lengths[slot] = -pages;
      }
    }
  }
  return refused;
}

import { AllocError } from '../alloc-error.js';
import { EXHAUSTED, OK } from '../codes.js';
import type { Geometry } from '../geometry.js';
import type { PageAllocator } from '../page-allocator.js';
import type { Workload, WorkloadEvent } from '../workload/workload.js';
import { type Fragmentation, fragmentation } from './fragmentation.js';

export interface WorkloadReport {
  readonly workload: string;
  readonly allocator: string;
  readonly events: number;
  readonly allocations: number;
  /** Allocations refused, after the warm-up and in it. */
  readonly refused: number;
  /** Of them, those that asked for no alignment while a free run was long enough: a complete allocator has none. */
  readonly refusedWithFit: number;
  readonly resizesRefused: number;
  /** Most pages that the workload held at one time. */
  readonly peakLive: number;
  /** Most pages that were taken at one time, from the first one of the memory to the end of the highest run. */
  readonly peakSpan: number;
  /**
   * The span over the live pages at their peaks; 1 is perfect. For allocators that place low it is what memory would have had to be larger by;
   * others spread over whatever there is.
   */
  readonly peakOverLive: number;
  /** After the last event. */
  readonly fragmentation: Fragmentation;
}

/** Told after each event: its index, the event, the page of its slot or a code. */
export type WorkloadObserver = (index: number, event: WorkloadEvent, answer: number) => void;

/**
 * Runs a workload on an allocator over fresh memory and reports. For time, compile the workload and time `replayTrace` instead: this one looks at
 * everything.
 *
 * @throws AllocError of kind `plugin` if the allocator refuses to free what it gave.
 */
export function runWorkload(allocator: PageAllocator, geometry: Geometry, workload: Workload, observe?: WorkloadObserver): WorkloadReport {
  const placed = new Int32Array(workload.slots).fill(EXHAUSTED);
  const lengths = new Int32Array(workload.slots);
  let events = 0;
  let allocations = 0;
  let refused = 0;
  let refusedWithFit = 0;
  let resizesRefused = 0;
  let live = 0;
  let peakLive = 0;
  let peakSpan = 0;
  for (const event of workload.events(placed)) {
    const { kind, slot, pages, alignLog2 = 0 } = event;
    let answer = OK;
    if (kind === 'allocate') {
      answer = alignLog2 === 0 ? allocator.allocate(pages) : allocator.allocate(pages, { alignLog2 });
      allocations++;
      placed[slot] = answer;
      if (answer < 0) {
        refused++;
        if (alignLog2 === 0 && allocator.stats().largestFreeRun >= pages) refusedWithFit++;
      } else {
        lengths[slot] = pages;
        live += pages;
        peakSpan = Math.max(peakSpan, answer + pages - geometry.firstPage);
      }
    } else if (lengths[slot] !== 0) {
      const start = placed[slot] as number;
      const length = lengths[slot] as number;
      answer = kind === 'free' ? allocator.free(start, length) : allocator.resize(start, length, pages);
      if (kind === 'free') {
        if (answer !== OK)
          throw new AllocError('plugin', allocator.name, `answered ${answer} to a free of ${length} pages at ${start}, which it gave`);
        live -= length;
        lengths[slot] = 0;
        placed[slot] = EXHAUSTED;
      } else if (answer === OK) {
        live += pages - length;
        lengths[slot] = pages;
        peakSpan = Math.max(peakSpan, start + pages - geometry.firstPage);
      } else {
        resizesRefused++;
      }
    }
    if (live > peakLive) peakLive = live;
    observe?.(events, event, answer);
    events++;
  }
  return {
    workload: workload.name,
    allocator: allocator.name,
    events,
    allocations,
    refused,
    refusedWithFit,
    resizesRefused,
    peakLive,
    peakSpan,
    peakOverLive: peakLive === 0 ? 1 : peakSpan / peakLive,
    fragmentation: fragmentation(allocator),
  };
}

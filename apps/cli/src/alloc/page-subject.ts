import type { AllocatorPlugin, Geometry, PageAllocator, Trace, Words, Workload, WorkloadReport } from '@tablewalk/alloc';
import {
  allocatorMetadataWords,
  compileWorkload,
  countingWords,
  createAllocator,
  highOrderSuccess,
  hostWords,
  recordTrace,
  replayTrace,
  runWorkload,
  traceState,
} from '@tablewalk/alloc';
import { UsageError } from '../usage-error.js';
import { call, guardAllocator } from './guard.js';
import type { HeatRow } from './heat-map.js';
import type { Costs, Subject } from './subject.js';
import { sampler } from './subject.js';

/** What `--allocator` runs: pages straight from an allocator. */
export interface PageResult {
  readonly report: WorkloadReport;
  /** The part of the free memory, at the end, that allocations of the order asked for can get. */
  readonly highOrderSuccess: number;
  readonly map: readonly HeatRow[];
}

export class PageSubject implements Subject {
  readonly label: string;
  readonly plugin: AllocatorPlugin;
  readonly geometry: Geometry;
  result: PageResult | undefined;
  private trace: Trace | undefined;

  constructor(label: string, plugin: AllocatorPlugin, pageCount: number) {
    this.label = label;
    this.plugin = plugin;
    // An allocator in the pages themselves is given small ones: they need not hold anything else.
    this.geometry = { firstPage: 0x40000, pageCount, pageShift: plugin.capabilities.inBand ? 4 : 12 };
  }

  private make(wrap: (words: Words) => Words): PageAllocator {
    const { plugin, geometry } = this;
    const words = wrap(hostWords(allocatorMetadataWords(plugin, geometry)));
    const hooks = plugin.capabilities.inBand
      ? { pageWords: wrap(hostWords(geometry.pageCount * 2 ** (geometry.pageShift - 2))) }
      : undefined;
    return createAllocator(plugin, geometry, words, hooks);
  }

  /** Runs the workload with every answer checked, and looks at memory on the way. */
  inspect(workload: Workload, rows: number, columns: number, order: number): void {
    const guarded = guardAllocator(
      this.label,
      this.make((words) => words),
      this.geometry,
    );
    const recorder = workload.adaptive ? recordTrace(guarded, workload.name) : undefined;
    const allocator = recorder?.allocator ?? guarded;
    const compiled = recorder ? undefined : compileWorkload(workload);
    const samples = sampler(guarded, this.geometry, compiled ? compiled.events.length / 3 : 0, rows, columns);
    const report = runWorkload(allocator, this.geometry, workload, (index) => samples.after(index));
    this.trace = compiled ?? recorder!.trace();
    const violations = guarded.check();
    const success = highOrderSuccess(guarded, order);
    if (violations.length > 0) throw new UsageError(`${this.label}: check found ${violations[0]!.message}`);
    this.result = { report, highOrderSuccess: success, map: samples.rows() };
  }

  recorded(): Trace {
    return this.trace!;
  }

  /** Nanoseconds of an operation after the warm-up. */
  time(now: () => number): number {
    const trace = this.trace!;
    const allocator = this.make((words) => words);
    return call(this.label, 'an operation', () => timeReplay(allocator, trace, now));
  }

  /** Loads and stores of an operation after the warm-up. */
  count(): Costs {
    let accesses = (): number => 0;
    const allocator = this.make((words) => {
      const counting = countingWords(words);
      const before = accesses;
      accesses = () => before() + counting.loads + counting.stores;
      return counting;
    });
    return call(this.label, 'an operation', () => countReplay(allocator, this.trace!, accesses));
  }
}

const eventsOf = (trace: Trace): { readonly from: number; readonly to: number } => {
  const to = trace.events.length / 3;
  // A trace that is all warm-up is measured whole.
  return { from: trace.warmup < to ? trace.warmup : 0, to };
};

export const timeReplay = (allocator: PageAllocator, trace: Trace, now: () => number): number => {
  const { from, to } = eventsOf(trace);
  const state = traceState(trace);
  replayTrace(allocator, trace, state, 0, from);
  const start = now();
  replayTrace(allocator, trace, state, from, to);
  return to === from ? 0 : (now() - start) / (to - from);
};

export const countReplay = (allocator: PageAllocator, trace: Trace, accesses: () => number): Costs => {
  const { from, to } = eventsOf(trace);
  const state = traceState(trace);
  replayTrace(allocator, trace, state, 0, from);
  const start = accesses();
  let before = start;
  let most = 0;
  for (let event = from; event < to; event++) {
    replayTrace(allocator, trace, state, event, event + 1);
    const now = accesses();
    if (now - before > most) most = now - before;
    before = now;
  }
  return { mean: to === from ? 0 : (before - start) / (to - from), most };
};

import type {
  AllocatorPlugin,
  Code,
  Constraints,
  Geometry,
  ObjectCache,
  ObjectCachePlugin,
  PageAllocator,
  RunVisitor,
  Stats,
  Trace,
  Violation,
  Words,
  Workload,
} from '@tablewalk/alloc';
import {
  allocatorMetadataWords,
  compileWorkload,
  countingWords,
  createAllocator,
  createObjectCache,
  DESCRIPTOR_WORDS,
  hostWords,
  pageDescriptors,
  replayTrace,
  traceState,
  UNSUPPORTED,
} from '@tablewalk/alloc';
import { UsageError } from '../usage-error.js';
import { call, guardAllocator, guardObjects, takenWords } from './guard.js';
import type { HeatRow } from './heat-map.js';
import { countReplay, timeReplay } from './page-subject.js';
import type { Costs, Subject } from './subject.js';
import { sampler } from './subject.js';

/** With object caches, what a workload calls a page is so many bytes. */
export const UNIT_BYTES = 64;
const PAGE_SHIFT = 12;
const UNITS_PER_PAGE = 2 ** PAGE_SHIFT / UNIT_BYTES;

/**
 * Objects of 1 to 64 units in caches of powers of two of units, anything larger in pages: as a kernel's general allocator does. It looks like a
 * page allocator to a trace; what it gives are word indices.
 */
class ObjectHeap implements PageAllocator {
  readonly name = 'objects';
  readonly pages: PageAllocator;
  readonly caches: readonly ObjectCache[];
  private readonly firstPage: number;

  constructor(pages: PageAllocator, caches: readonly ObjectCache[], firstPage: number) {
    this.pages = pages;
    this.caches = caches;
    this.firstPage = firstPage;
  }

  private cacheFor(units: number): ObjectCache | undefined {
    return this.caches[32 - Math.clz32(units - 1)];
  }

  allocate(units: number, _constraints?: Constraints): number {
    const cache = this.cacheFor(units);
    if (cache !== undefined) return cache.allocate();
    const page = this.pages.allocate(Math.ceil(units / UNITS_PER_PAGE));
    return page < 0 ? page : (page - this.firstPage) << (PAGE_SHIFT - 2);
  }

  free(object: number, units: number): Code {
    const cache = this.cacheFor(units);
    if (cache !== undefined) return cache.free(object);
    return this.pages.free(this.firstPage + (object >> (PAGE_SHIFT - 2)), Math.ceil(units / UNITS_PER_PAGE));
  }

  reserve(): Code {
    return UNSUPPORTED;
  }

  resize(): Code {
    return UNSUPPORTED;
  }

  forEachRun(visit: RunVisitor): void {
    this.pages.forEachRun(visit);
  }

  stats(): Stats {
    return this.pages.stats();
  }

  check(): Violation[] {
    return [...this.pages.check(), ...this.caches.flatMap((cache) => cache.check())];
  }
}

export interface ObjectResult {
  readonly allocations: number;
  readonly refused: number;
  readonly liveObjects: number;
  /** Bytes that the workload asked for and holds at the end. */
  readonly liveBytes: number;
  /** Bytes of the pages that are taken at the end. */
  readonly heldBytes: number;
  /** Most bytes of pages taken, of the moments looked at. */
  readonly peakBytes: number;
  readonly map: readonly HeatRow[];
}

/** What `--object-cache` runs. */
export class ObjectSubject implements Subject {
  readonly label: string;
  readonly allocator: AllocatorPlugin;
  readonly plugin: ObjectCachePlugin;
  readonly geometry: Geometry;
  result: ObjectResult | undefined;
  private trace: Trace | undefined;

  constructor(label: string, allocator: AllocatorPlugin, plugin: ObjectCachePlugin, pageCount: number) {
    this.label = label;
    this.allocator = allocator;
    this.plugin = plugin;
    this.geometry = { firstPage: 0x40000, pageCount, pageShift: PAGE_SHIFT };
  }

  private make(wrap: (words: Words) => Words, guarded: boolean): ObjectHeap {
    const { allocator, plugin, geometry, label } = this;
    const memory = wrap(hostWords(geometry.pageCount << (PAGE_SHIFT - 2)));
    const words = wrap(hostWords(allocatorMetadataWords(allocator, geometry)));
    const made = createAllocator(allocator, geometry, words, allocator.capabilities.inBand ? { pageWords: memory } : undefined);
    const pages = guarded ? guardAllocator(label, made, geometry) : made;
    const descriptors =
      pages.descriptors ??
      pageDescriptors(wrap(hostWords(DESCRIPTOR_WORDS * geometry.pageCount)), 0, geometry.firstPage, geometry.pageCount);
    const taken = takenWords(guarded ? geometry.pageCount << (PAGE_SHIFT - 2) : 0);
    const most = call(label, 'maxObjectBytes', () => plugin.capabilities.maxObjectBytes(PAGE_SHIFT));
    const caches: ObjectCache[] = [];
    for (let bytes = UNIT_BYTES; bytes <= Math.min(2 ** PAGE_SHIFT, most); bytes *= 2) {
      const kind = { name: `objects-${bytes}`, id: caches.length + 1, objectBytes: bytes, alignLog2: Math.log2(bytes) };
      const cacheWords = wrap(hostWords(call(label, 'metadataWords', () => plugin.metadataWords(kind, geometry))));
      const cache = createObjectCache(plugin, kind, { pages, geometry, memory, descriptors }, cacheWords);
      caches.push(guarded ? guardObjects(label, cache, taken) : cache);
    }
    return new ObjectHeap(pages, caches, geometry.firstPage);
  }

  inspect(workload: Workload, rows: number, columns: number): void {
    if (workload.adaptive) throw new UsageError(`--workload ${workload.name} looks at where pages are: it cannot be run on object caches`);
    const trace = compileWorkload(workload);
    this.trace = trace;
    const heap = this.make((words) => words, true);
    const state = traceState(trace);
    const events = trace.events.length / 3;
    const samples = sampler(heap, this.geometry, events, rows, columns);
    const step = Math.max(1, Math.ceil(events / Math.max(1, rows)));
    let refused = 0;
    let peak = 0;
    for (let event = 0; event < events; event += step) {
      const next = Math.min(events, event + step);
      refused += replayTrace(heap, trace, state, event, next);
      samples.after(next - 1);
      peak = Math.max(peak, this.geometry.pageCount - heap.stats().freePages);
    }
    const [violation] = heap.check();
    if (violation) throw new UsageError(`${this.label}: check found ${violation.message}`);
    let allocations = 0;
    for (let at = 1; at < trace.events.length; at += 3) if (trace.events[at]! > 0) allocations++;
    this.result = {
      allocations,
      refused,
      liveObjects: state.pages.reduce((sum, units) => sum + (units > 0 ? 1 : 0), 0),
      liveBytes: UNIT_BYTES * state.pages.reduce((sum, units) => sum + units, 0),
      heldBytes: (this.geometry.pageCount - heap.stats().freePages) * 2 ** PAGE_SHIFT,
      peakBytes: peak * 2 ** PAGE_SHIFT,
      map: samples.rows(),
    };
  }

  recorded(): Trace {
    return this.trace!;
  }

  time(now: () => number): number {
    const heap = this.make((words) => words, false);
    return call(this.label, 'an operation', () => timeReplay(heap, this.trace!, now));
  }

  count(): Costs {
    let accesses = (): number => 0;
    const heap = this.make((words) => {
      const counting = countingWords(words);
      const before = accesses;
      accesses = () => before() + counting.loads + counting.stores;
      return counting;
    }, false);
    return call(this.label, 'an operation', () => countReplay(heap, this.trace!, accesses));
  }
}

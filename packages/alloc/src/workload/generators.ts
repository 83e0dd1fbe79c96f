import { AllocError } from '../alloc-error.js';
import { type Random, seededRandom } from '../random.js';
import type { Workload, WorkloadEvent } from './workload.js';

export interface WorkloadOptions {
  readonly seed: number;
  /** Events after the warm-up. */
  readonly operations: number;
  /** Pages of the memory that the workload is for. */
  readonly pageCount: number;
  /** The part of them that it keeps taken, 0 to 1; 0.5 without it. */
  readonly fullness?: number;
}

function checked(name: string, options: WorkloadOptions): Required<WorkloadOptions> {
  const { seed, operations, pageCount, fullness = 0.5 } = options;
  const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 1;
  if (!Number.isSafeInteger(seed)) throw new AllocError('options', name, `seed ${seed} is not an integer`);
  if (!isCount(operations)) throw new AllocError('options', name, `operations ${operations} is not a count`);
  if (!isCount(pageCount)) throw new AllocError('options', name, `pageCount ${pageCount} is not a count`);
  if (!(fullness > 0 && fullness <= 1)) throw new AllocError('options', name, `fullness ${fullness} is not above 0 and at most 1`);
  return { seed, operations, pageCount, fullness };
}

/** The slots of a generator: which are taken, by how many pages, in the order of their allocation. */
class Slots {
  readonly limit: number;
  used = 0;
  private readonly lengths: Int32Array;
  private readonly empty: number[] = [];
  private readonly taken: number[] = [];

  constructor(count: number) {
    this.limit = count;
    this.lengths = new Int32Array(count);
    for (let slot = count - 1; slot >= 0; slot--) this.empty.push(slot);
  }

  get live(): number {
    return this.taken.length;
  }

  allocate(pages: number, alignLog2 = 0): WorkloadEvent {
    const slot = this.empty.pop() as number;
    this.lengths[slot] = pages;
    this.taken.push(slot);
    this.used += pages;
    return alignLog2 === 0 ? { kind: 'allocate', slot, pages } : { kind: 'allocate', slot, pages, alignLog2 };
  }

  /** Frees the `index`th oldest; the youngest takes its place, which keeps this at O(1) and the ages nearly right. */
  free(index: number): WorkloadEvent {
    const slot = this.taken[index] as number;
    const last = this.taken.pop() as number;
    if (last !== slot) this.taken[index] = last;
    this.used -= this.lengths[slot] as number;
    this.empty.push(slot);
    return { kind: 'free', slot, pages: 0 };
  }

  resize(index: number, pages: number): WorkloadEvent {
    const slot = this.taken[index] as number;
    this.used += pages - (this.lengths[slot] as number);
    this.lengths[slot] = pages;
    return { kind: 'resize', slot, pages };
  }

  pagesAt(index: number): number {
    return this.lengths[this.taken[index] as number] as number;
  }

  get hasRoom(): boolean {
    return this.empty.length > 0;
  }
}

/** A workload whose first events fill the memory, and that then goes on for `operations` events. */
function workload(
  name: string,
  { operations }: Required<WorkloadOptions>,
  slotCount: number,
  fill: (slots: Slots) => Iterable<WorkloadEvent>,
  next: (slots: Slots) => WorkloadEvent,
  makeRandom: () => void,
): Workload {
  // The warm-up's length follows from the same seed: it is counted once.
  makeRandom();
  let warmup = 0;
  for (const _ of fill(new Slots(slotCount))) warmup++;
  return {
    name,
    slots: slotCount,
    warmup,
    adaptive: false,
    *events() {
      makeRandom();
      const slots = new Slots(slotCount);
      yield* fill(slots);
      for (let done = 0; done < operations; done++) yield next(slots);
    },
  };
}

/** Random lengths from 1 to `maxPages` (64 without it), random lifetimes, at constant fullness. */
export function uniformWorkload(options: WorkloadOptions & { readonly maxPages?: number }): Workload {
  const name = 'uniform';
  const settings = checked(name, options);
  const maxPages = Math.min(options.maxPages ?? 64, settings.pageCount);
  if (!Number.isInteger(maxPages) || maxPages < 1) throw new AllocError('options', name, `maxPages ${options.maxPages} is not a count`);
  const target = settings.pageCount * settings.fullness;
  let random: Random = seededRandom(settings.seed);
  return workload(
    name,
    settings,
    settings.pageCount + 1,
    function* (slots) {
      while (slots.used < target && slots.hasRoom) yield slots.allocate(1 + random.below(maxPages));
    },
    (slots) =>
      slots.live > 0 && (slots.used >= target || !slots.hasRoom)
        ? slots.free(random.below(slots.live))
        : slots.allocate(1 + random.below(maxPages)),
    () => {
      random = seededRandom(settings.seed);
    },
  );
}

/**
 * As a kernel does: four of five allocations are one page; stacks (2 pages), first-level tables (4 pages, aligned on them), a few larger buffers,
 * now and then one of 64 to 512 pages. Most die young, some never.
 */
export function kernelWorkload(options: WorkloadOptions): Workload {
  const settings = checked('kernel', options);
  const target = settings.pageCount * settings.fullness;
  let random: Random = seededRandom(settings.seed);
  const allocate = (slots: Slots): WorkloadEvent => {
    const kind = random.below(1000);
    if (kind < 800) return slots.allocate(1);
    if (kind < 900) return slots.allocate(2);
    if (kind < 950) return slots.allocate(4, 2);
    if (kind < 985) return slots.allocate(8 + random.below(9));
    if (kind < 998 || settings.pageCount < 4096) return slots.allocate(16 + random.below(17));
    return slots.allocate(64 * random.between(1, 8));
  };
  return workload(
    'kernel',
    settings,
    settings.pageCount + 1,
    function* (slots) {
      while (slots.used < target && slots.hasRoom) yield allocate(slots);
    },
    (slots) => {
      if (slots.live === 0 || (slots.used < target && slots.hasRoom)) return allocate(slots);
      // Two of three from the youngest eighth.
      const young = Math.max(1, slots.live >> 3);
      return slots.free(random.oneIn(3) ? random.below(slots.live) : slots.live - 1 - random.below(young));
    },
    () => {
      random = seededRandom(settings.seed);
    },
  );
}

/** A program in phases: each fills the memory with runs of lengths of its own, and gives nine of ten back before the next. */
export function phaseWorkload(options: WorkloadOptions): Workload {
  const settings = checked('phase', options);
  const target = settings.pageCount * settings.fullness;
  let random: Random = seededRandom(settings.seed);
  let low = 1;
  let draining = false;
  const begin = (): void => {
    draining = false;
    low = 2 ** random.below(Math.max(1, Math.min(7, Math.floor(Math.log2(settings.pageCount)) - 2)));
  };
  const allocate = (slots: Slots): WorkloadEvent => slots.allocate(random.between(low, 2 * low - 1));
  return workload(
    'phase',
    settings,
    settings.pageCount + 1,
    function* (slots) {
      while (slots.used < target && slots.hasRoom) yield allocate(slots);
      draining = true;
    },
    (slots) => {
      if (slots.used >= target || !slots.hasRoom) draining = true;
      else if (slots.live === 0 || slots.used < target / 10) begin();
      return draining && slots.live > 0 ? slots.free(random.below(slots.live)) : allocate(slots);
    },
    () => {
      random = seededRandom(settings.seed);
      begin();
    },
  );
}

/** Lengths that grow: many small runs, half of them freed, then runs of twice the length, which no hole of one small run holds, and so on. */
export function rampWorkload(options: WorkloadOptions): Workload {
  const settings = checked('ramp', options);
  const target = settings.pageCount * settings.fullness;
  const top = Math.max(1, 2 ** Math.floor(Math.log2(Math.max(1, settings.pageCount / 64))));
  let random: Random = seededRandom(settings.seed);
  let pages = 1;
  let toFree = 0;
  return workload(
    'ramp',
    settings,
    settings.pageCount + 1,
    function* (slots) {
      while (slots.used < target && slots.hasRoom) yield slots.allocate(pages);
    },
    (slots) => {
      if (toFree === 0 && slots.used + pages > target) {
        toFree = Math.max(1, slots.live >> 1);
        pages = pages >= top ? 1 : pages * 2;
      }
      if (toFree > 0 && slots.live > 0) {
        toFree--;
        return slots.free(random.below(slots.live));
      }
      toFree = 0;
      return slots.hasRoom ? slots.allocate(pages) : slots.free(random.below(slots.live));
    },
    () => {
      random = seededRandom(settings.seed);
      pages = 1;
      toFree = 0;
    },
  );
}

/**
 * As Larson and Krishnan's server ("Memory Allocation for Long-Running Server Applications", ISMM 1998): a fixed population in which every
 * operation replaces a random run by one of another length; from time to time one resizes its own.
 */
export function larsonWorkload(options: WorkloadOptions & { readonly maxPages?: number }): Workload {
  const name = 'larson';
  const settings = checked(name, options);
  const maxPages = Math.min(options.maxPages ?? 16, settings.pageCount);
  if (!Number.isInteger(maxPages) || maxPages < 1) throw new AllocError('options', name, `maxPages ${options.maxPages} is not a count`);
  const population = Math.max(1, Math.floor((settings.pageCount * settings.fullness * 2) / (maxPages + 1)));
  let random: Random = seededRandom(settings.seed);
  return workload(
    name,
    settings,
    population,
    function* (slots) {
      while (slots.hasRoom) yield slots.allocate(1 + random.below(maxPages));
    },
    (slots) => {
      if (slots.hasRoom) return slots.allocate(1 + random.below(maxPages));
      const index = random.below(slots.live);
      if (!random.oneIn(16)) return slots.free(index);
      return slots.resize(index, Math.max(1, Math.min(maxPages, slots.pagesAt(index) + random.between(-2, 2))));
    },
    () => {
      random = seededRandom(settings.seed);
    },
  );
}

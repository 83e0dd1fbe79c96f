import { compileWorkload, kernelWorkload, seededRandom, TRACE_STRIDE, type Trace, uniformWorkload } from '@tablewalk/alloc';
import { PAGES } from './subjects.js';

/** A workload as the timed loop reads it. */
export interface Tape {
  readonly slots: number;
  /** Events that fill the memory first. */
  readonly warmup: number;
  /** A word an event: slot (18:0), pages of its run (30:19), and whether it is freed (31). */
  readonly events: Int32Array;
}

export const SLOT_BITS = 19;
export const SLOT_MASK = (1 << SLOT_BITS) - 1;
export const PAGES_MASK = 0xfff;

const eventOf = (slot: number, pages: number, frees: boolean): number => {
  if (slot > SLOT_MASK || pages > PAGES_MASK) throw new Error(`slot ${slot} or ${pages} pages do not fit an event`);
  return slot | (pages << SLOT_BITS) | (frees ? 1 << 31 : 0);
};

const OPERATIONS = 1_000_000;
const SLOTS_OF_OBJECTS = 100_000;

/** Frees are told their lengths here, since a caller knows them and the loop need not look them up. */
const tapeOf = ({ slots, warmup, events }: Trace): Tape => {
  const words = new Int32Array(events.length / TRACE_STRIDE);
  const lengths = new Int32Array(slots);
  for (let event = 0; event < words.length; event++) {
    const slot = events[TRACE_STRIDE * event]!;
    const pages = events[TRACE_STRIDE * event + 1]!;
    words[event] = eventOf(slot, pages > 0 ? pages : lengths[slot]!, pages === 0);
    lengths[slot] = pages;
  }
  return { slots, warmup, events: words };
};

/** Of 100,000 slots a random one is filled or emptied, from half full on. */
const objectTape = (): Tape => {
  const random = seededRandom(1);
  const warmup = SLOTS_OF_OBJECTS / 2;
  const taken = new Uint8Array(SLOTS_OF_OBJECTS);
  const events = new Int32Array(warmup + OPERATIONS);
  for (let event = 0; event < events.length; event++) {
    const slot = event < warmup ? 2 * event : random.below(SLOTS_OF_OBJECTS);
    taken[slot]! ^= 1;
    events[event] = eventOf(slot, 1, taken[slot] === 0);
  }
  return { slots: SLOTS_OF_OBJECTS, warmup, events };
};

const pageTape = (workload: string, fullness: number): Tape => {
  const make = workload === 'kernel' ? kernelWorkload : uniformWorkload;
  return tapeOf(compileWorkload(make({ seed: 1, operations: OPERATIONS, pageCount: PAGES, fullness })));
};

const fullnessWhenRounded = ({ events }: Tape): number => {
  let used = 0;
  let most = 0;
  for (const event of events) {
    const pages = 2 ** Math.ceil(Math.log2((event >>> SLOT_BITS) & PAGES_MASK));
    used += event >= 0 ? pages : -pages;
    if (used > most) most = used;
  }
  return most / PAGES;
};

/** The tape of a workload; with `rounds`, for an allocator of powers of two, less is asked for, so that with what rounding adds it is as full. */
export const tapeFor = (workload: string, fullness: number, rounds: boolean): Tape => {
  if (workload === 'objects') return objectTape();
  if (!rounds) return pageTape(workload, fullness);
  let asked = fullness;
  for (let step = 0; step < 3; step++) asked *= fullness / fullnessWhenRounded(pageTape(workload, asked));
  return pageTape(workload, asked);
};

import { PAGES_MASK, SLOT_BITS, SLOT_MASK, type Tape } from './tape.js';

/** What is measured. A handle is what `allocate` gave; negative is a refusal. */
export interface Subject {
  allocate(pages: number): number;
  free(handle: number, pages: number): void;
}

/** Of each slot the handle, or a negative number: one who holds pages has such a table, and nothing else. */
export type Live = Int32Array;

export const live = (tape: Tape): Live => new Int32Array(tape.slots).fill(-1);

/** The loop that is timed: one table look-up besides the subject. How many allocations were refused. */
export const replay = (subject: Subject, tape: Tape, state: Live, from: number, to: number): number => {
  const { events } = tape;
  let refused = 0;
  for (let at = from; at < to; at++) {
    const event = events[at]!;
    const slot = event & SLOT_MASK;
    const pages = (event >>> SLOT_BITS) & PAGES_MASK;
    if (event >= 0) {
      const handle = subject.allocate(pages);
      if (handle < 0) refused++;
      state[slot] = handle;
    } else if (state[slot]! >= 0) {
      subject.free(state[slot]!, pages);
      state[slot] = -1;
    }
  }
  return refused;
};

/** What measuring costs: a stack of handles in an allocator's place. */
export class HandleStack implements Subject {
  private readonly handles: Int32Array;
  private top: number;

  constructor(handles: number) {
    this.handles = Int32Array.from({ length: handles }, (_, at) => at);
    this.top = handles;
  }

  allocate(): number {
    return this.handles[--this.top]!;
  }

  free(handle: number): void {
    this.handles[this.top++] = handle;
  }
}

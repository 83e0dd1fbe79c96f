/** What is measured. A handle is what `allocate` gave; negative is a refusal. */
export interface Subject {
  allocate(pages: number): number;
  free(handle: number, pages: number): void;
}

/** Events as `@tablewalk/alloc` flattens them: slot, pages (0 frees), alignment. */
export interface Tape {
  readonly slots: number;
  readonly warmup: number;
  readonly events: Int32Array;
}

/** Of each slot the handle, or a negative number, and the pages: two numbers side by side, so that the loop misses a cache once and not twice. */
export type Live = Int32Array;

export const live = (tape: Tape): Live => new Int32Array(2 * tape.slots).fill(-1);

/** The loop that is timed: one table look-up besides the subject. How many allocations were refused. */
export const replay = (subject: Subject, tape: Tape, state: Live, from: number, to: number): number => {
  const { events } = tape;
  let refused = 0;
  for (let at = 3 * from; at < 3 * to; at += 3) {
    const slot = 2 * events[at]!;
    const pages = events[at + 1]!;
    if (pages > 0) {
      const handle = subject.allocate(pages);
      if (handle < 0) refused++;
      state[slot] = handle;
      state[slot + 1] = pages;
    } else if (state[slot]! >= 0) {
      subject.free(state[slot]!, state[slot + 1]!);
      state[slot] = -1;
    }
  }
  return refused;
};

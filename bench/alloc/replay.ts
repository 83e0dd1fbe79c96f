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

export interface Live {
  readonly handles: Int32Array;
  readonly pages: Int32Array;
}

export const live = (tape: Tape): Live => ({ handles: new Int32Array(tape.slots).fill(-1), pages: new Int32Array(tape.slots) });

/** The loop that is timed: one table look-up besides the subject. How many allocations were refused. */
export const replay = (subject: Subject, tape: Tape, state: Live, from: number, to: number): number => {
  const { events } = tape;
  const { handles, pages: lengths } = state;
  let refused = 0;
  for (let at = 3 * from; at < 3 * to; at += 3) {
    const slot = events[at]!;
    const pages = events[at + 1]!;
    if (pages > 0) {
      const handle = subject.allocate(pages);
      if (handle < 0) refused++;
      handles[slot] = handle;
      lengths[slot] = pages;
    } else if (handles[slot]! >= 0) {
      subject.free(handles[slot]!, lengths[slot]!);
      handles[slot] = -1;
    }
  }
  return refused;
};

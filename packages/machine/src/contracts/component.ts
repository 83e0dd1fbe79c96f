/**
 * State of one component at one instant: structured-cloneable data under a named schema. Components refuse a schema or a version
 * that is not theirs instead of guessing.
 */
export interface Snapshot<Data = unknown> {
  /** Who wrote it, for example `devices/pl011`. */
  readonly schema: string;
  /** Positive integer; grows when the shape of `data` changes. */
  readonly version: number;
  /** Plain objects, arrays, numbers, strings, booleans and typed arrays (copies, never views of live state). */
  readonly data: Data;
}

/** Everything that holds guest-visible state. */
export interface Stateful {
  /** Copies the state out. Must not change it. */
  snapshot(): Snapshot;
  /** Replaces the state. Throws on a foreign schema or version, and then nothing has changed. */
  restore(snapshot: Snapshot): void;
}

/** Guest errors and unimplemented accesses are reported here, never swallowed. `-d guest_errors,unimp` shows them. */
export interface Diagnostics {
  /** The guest did what the component's manual forbids (bad register, wrong size, broken ring). One line, no newline. */
  guestError(component: string, message: string): void;
  /** The guest used something that exists on hardware and not here. One line, no newline. */
  unimplemented(component: string, message: string): void;
}

/**
 * Guest time. One retired instruction is one nanosecond, in every engine and fidelity, so a time is also an instruction count:
 * an exact integer (below 2^53) counted from reset, plus whatever WFI skipped.
 */
export interface Clock {
  /** Nanoseconds of guest time since power-on. Exact inside a block too: counts each instruction retired before the current one. */
  now(): number;
  /**
   * Creates a disarmed one-shot timer. `expire` runs at a budget boundary when `now()` is exactly `deadline` (or later when it was armed in the
   * past), between two instructions. Timers that expire together run in the order of their creation, so construct devices in a fixed order.
   */
  timer(name: string, expire: () => void): Timer;
}

export interface Timer {
  readonly name: string;
  /** Absolute guest time in ns, or Infinity when disarmed. */
  readonly deadline: number;
  /** Arms (or re-arms) for an absolute guest time in ns; a fraction is rounded up. */
  arm(deadline: number): void;
  disarm(): void;
}

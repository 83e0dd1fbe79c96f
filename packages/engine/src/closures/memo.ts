const SLOTS = 8192;

/**
 * Closures that depend on a few numbers only, to be used again: `mov r0, r4` is in a guest ten thousand times, and a closure takes 130 bytes with its context.
 * What shares a slot replaces what was there.
 */
export class Memo<T> {
  private readonly keys = new Int32Array(2 * SLOTS);
  private readonly values = new Array<T | undefined>(SLOTS).fill(undefined);
  private slot = 0;

  /** What was kept for the two keys. The next {@link keep} is for them. */
  find(a: number, b: number): T | undefined {
    const hash = Math.imul(a ^ Math.imul(b, 0x9e3779b1), 0x85ebca6b);
    const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
    const { keys } = this;
    this.slot = slot;
    if (keys[2 * slot] === a && keys[2 * slot + 1] === b) return this.values[slot];
    keys[2 * slot] = a;
    keys[2 * slot + 1] = b;
    this.values[slot] = undefined;
    return undefined;
  }
  keep(value: T): T {
    this.values[this.slot] = value;
    return value;
  }
}

import type { Cache } from '../contracts/cache.js';

/** Notices when set/way operations have been through a whole cache: nothing is held then, not even what the model was never told of. */
export class SetWaySweep {
  private readonly done: Uint8Array;
  private count = 0;
  private readonly ways: number;

  constructor(cache: Cache | null) {
    this.ways = cache?.wayCount ?? 0;
    this.done = new Uint8Array((cache?.setCount ?? 0) * this.ways);
  }

  /** True when this one completes the cache, and it begins again. */
  mark(set: number, way: number): boolean {
    const at = set * this.ways + way;
    if (way >= this.ways || at >= this.done.length || this.done[at] !== 0) return false;
    this.done[at] = 1;
    if (++this.count < this.done.length) return false;
    this.reset();
    return true;
  }

  reset(): void {
    this.done.fill(0);
    this.count = 0;
  }
  save(): Uint8Array {
    return this.done.slice();
  }
  load(done: Uint8Array): void {
    this.done.set(done);
    this.count = done.reduce((sum, one) => sum + one, 0);
  }
}

import type { BackgroundEvent, Snapshot } from '@tablewalk/machine';
import type { CoherencyMap, Vmsav7 } from '@tablewalk/mmu';
import { MachineError } from './machine-error.js';

const SCHEMA = 'board-qemu-virt/random-evictions';
const VERSION = 1;

/**
 * Gives up translations and cache lines at random moments, as a core may: what software leans on without being promised it breaks sooner. The moments and
 * the choices follow from the seed and the instruction count alone.
 */
export class RandomEvictions implements BackgroundEvent {
  due = 0;
  private state: number;
  private readonly seed: number;
  private readonly interval: number;
  private readonly mmu: Vmsav7;
  private readonly coherency: CoherencyMap | null;
  /** How many were given up. */
  count = 0;

  constructor(seed: number, interval: number, mmu: Vmsav7, coherency: CoherencyMap | null) {
    if (!Number.isInteger(interval) || interval < 1 || interval > 2 ** 30)
      throw new MachineError('evictions', `an interval of ${interval} instructions: 1 to ${2 ** 30} are possible`);
    this.seed = seed >>> 0;
    this.interval = interval;
    this.mmu = mmu;
    this.coherency = coherency;
    this.state = this.seed;
    this.next();
  }

  /** As `seededBytes` mixes. */
  private random(): number {
    this.state = (this.state + 0x9e3779b9) >>> 0;
    let word = this.state;
    word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
    word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
    return (word ^ (word >>> 16)) >>> 0;
  }

  private next(): void {
    this.due += 1 + (this.random() % (2 * this.interval - 1));
  }

  run(): void {
    const which = this.random();
    const random = this.random();
    const done = (which & 1) === 0 ? this.mmu.evictOne(random) : (this.coherency?.evictOne(random) ?? this.mmu.evictOne(random));
    if (done) this.count++;
    this.next();
  }

  snapshot(): Snapshot {
    return { schema: SCHEMA, version: VERSION, data: { due: this.due, state: this.state, count: this.count } };
  }
  restore(snapshot: Snapshot): void {
    if (snapshot.schema !== SCHEMA || snapshot.version !== VERSION)
      throw new MachineError('evictions', `cannot restore ${snapshot.schema} version ${snapshot.version}`);
    ({ due: this.due, state: this.state, count: this.count } = snapshot.data as { due: number; state: number; count: number });
  }
}

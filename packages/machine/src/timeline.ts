import type { Clock, Timer } from './contracts/index.js';

/**
 * Deadlines later than this (94 days of guest time) never come: beyond 2^53 a double no longer counts nanoseconds one by one, and a guest that slept
 * until there could not execute another instruction.
 */
const HORIZON = 2 ** 53 - 2 ** 49;

/**
 * Guest time and the events that depend on it. `current` is kept by the run loop: exact whenever a device, a register or a timer can look.
 */
export class Timeline implements Clock {
  /** Nanoseconds since power-on. Integer. */
  current = 0;
  /** Earliest deadline of all timers, or Infinity. */
  nextDeadline = Number.POSITIVE_INFINITY;
  private readonly timers: MachineTimer[] = [];
  private changed: () => void = () => {};

  /** `changed` is called whenever `nextDeadline` may have become earlier. */
  onEarlier(changed: () => void): void {
    this.changed = changed;
  }

  now(): number {
    return this.current;
  }

  timer(name: string, expire: () => void): Timer {
    const timer = new MachineTimer(name, expire, () => this.update());
    this.timers.push(timer);
    return timer;
  }

  private update(): void {
    const before = this.nextDeadline;
    let next = HORIZON;
    for (const timer of this.timers) if (timer.deadline < next) next = timer.deadline;
    if (next === HORIZON) next = Number.POSITIVE_INFINITY;
    this.nextDeadline = next;
    if (next < before) this.changed();
  }

  /** Runs every timer that is due at `current`, earliest first, then in order of creation. */
  expire(): void {
    while (this.nextDeadline <= this.current) {
      const due = this.timers.find((timer) => timer.deadline === this.nextDeadline)!;
      due.disarm();
      due.expire();
    }
  }

  /** Names and deadlines of the armed timers. */
  armed(): readonly Pick<Timer, 'name' | 'deadline'>[] {
    return this.timers.filter((timer) => timer.deadline !== Number.POSITIVE_INFINITY);
  }

  /** Power-on: time 0, nothing armed. */
  reset(): void {
    this.current = 0;
    for (const timer of this.timers) timer.disarm();
  }
}

class MachineTimer implements Timer {
  readonly name: string;
  readonly expire: () => void;
  deadline = Number.POSITIVE_INFINITY;
  private readonly update: () => void;

  constructor(name: string, expire: () => void, update: () => void) {
    this.name = name;
    this.expire = expire;
    this.update = update;
  }

  arm(deadline: number): void {
    const rounded = Math.ceil(deadline);
    if (rounded === this.deadline) return;
    this.deadline = rounded;
    this.update();
  }

  disarm(): void {
    if (this.deadline === Number.POSITIVE_INFINITY) return;
    this.deadline = Number.POSITIVE_INFINITY;
    this.update();
  }
}

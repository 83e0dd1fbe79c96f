import type { Snapshot, Stateful } from '@tablewalk/machine/contracts';

/** One property that a model must have. `run` throws a {@link ConformanceError} that says what was done and what came of it. */
export interface ConformanceCase {
  readonly name: string;
  run(): void;
}

export interface ConformanceOptions {
  /** Seed of the random traces, 32 bits. Default 1. */
  readonly seed?: number;
  /** Operations in each random trace. Default: 3,000 for a TLB, fewer for a large cache. */
  readonly steps?: number;
  /** Maintenance may take entries that it does not cover, which the architecture allows. Default false. */
  readonly mayTakeMore?: boolean;
}

export class ConformanceError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ConformanceError';
  }
}

/** Runs every case; throws the first error. For use without a test runner. */
export function runConformance(cases: readonly ConformanceCase[]): void {
  for (const { name, run } of cases) {
    try {
      run();
    } catch (cause) {
      throw new ConformanceError(`${name}: ${cause instanceof Error ? cause.message : String(cause)}`);
    }
  }
}

export function check(condition: boolean, message: string | (() => string)): void {
  if (!condition) throw new ConformanceError(typeof message === 'string' ? message : message());
}

export function same(actual: unknown, expected: unknown, what: string): void {
  const [a, e] = [canonical(actual), canonical(expected)];
  check(a === e, () => {
    let at = 0;
    while (a[at] === e[at]) at++;
    const from = Math.max(0, at - 20);
    return `${what}: ...${a.slice(from, at + 60)} is not ...${e.slice(from, at + 60)}`;
  });
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, item) => (ArrayBuffer.isView(item) ? [...(item as Uint32Array)] : item));
}

export const hex = (value: number): string => `0x${value.toString(16)}`;

/** xorshift32: numbers below `bound`, the same for the same seed everywhere. */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0 || 0x2545f491;
  }

  word(): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x >>> 0;
    return this.state;
  }

  below(bound: number): number {
    return Math.floor((this.word() / 0x100000000) * bound);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
}

/** A snapshot as it comes back from a file: no view of live state can hide in it. */
export function cloned(snapshot: Snapshot): Snapshot {
  const copy = (value: unknown): unknown => {
    if (ArrayBuffer.isView(value)) return (value as Uint32Array).slice();
    if (Array.isArray(value)) return value.map(copy);
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, copy(item)]));
  };
  return copy(snapshot) as Snapshot;
}

/** A state that is not this component's is refused, and then nothing has changed. */
export function refusesForeign(component: Stateful): void {
  const before = cloned(component.snapshot());
  for (const foreign of [
    { ...before, schema: `${before.schema}-of-another` },
    { ...before, version: before.version + 1 },
  ]) {
    let refused = false;
    try {
      component.restore(foreign);
    } catch {
      refused = true;
    }
    check(refused, `restored ${foreign.schema} version ${foreign.version}`);
    same(component.snapshot(), before, 'state after a restore that was refused');
  }
}

/** Counters are numbers, of names that never change, and resetStats sets them to 0. */
export function checkStats(model: { stats(): Record<string, number>; resetStats(): void }, work: () => void): void {
  const names = Object.keys(model.stats());
  for (const [name, value] of Object.entries(model.stats())) check(value === 0, `${name} is ${value} in a new model`);
  work();
  const after = model.stats();
  same(Object.keys(after), names, 'names of the counters after use');
  for (const [name, value] of Object.entries(after)) check(Number.isSafeInteger(value) && value >= 0, `${name} is ${value}`);
  check(names.length === 0 || Object.values(after).some((value) => value > 0), 'no counter moved');
  model.resetStats();
  for (const [name, value] of Object.entries(model.stats())) check(value === 0, `${name} is ${value} after resetStats`);
}

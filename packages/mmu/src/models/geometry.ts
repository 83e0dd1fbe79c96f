import { MmuError } from '../mmu-error.js';

/** The most entries or lines that one structure may have: what fits an array of indices and a snapshot of reasonable size. */
export const LARGEST_COUNT = 1 << 20;

/** An integer in [low, high], or a named error. */
export function integerIn(model: string, what: string, value: unknown, low: number, high: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < low || value > high) {
    throw new MmuError(model, `${what} is an integer from ${low} to ${high}, not ${String(value)}`);
  }
  return value;
}

/** A power of two in [low, high], or a named error. */
export function powerOfTwoIn(model: string, what: string, value: unknown, low: number, high: number): number {
  const n = typeof value === 'number' ? value : Number.NaN;
  if (!Number.isInteger(n) || n < low || n > high || (n & (n - 1)) !== 0) {
    throw new MmuError(model, `${what} is a power of two from ${low} to ${high}, not ${String(value)}`);
  }
  return n;
}

export function oneOf<T extends string>(model: string, what: string, value: unknown, allowed: readonly T[]): T {
  if (!allowed.includes(value as T)) throw new MmuError(model, `${what} is one of ${allowed.join(', ')}, not ${String(value)}`);
  return value as T;
}

export function log2(powerOfTwo: number): number {
  return 31 - Math.clz32(powerOfTwo);
}

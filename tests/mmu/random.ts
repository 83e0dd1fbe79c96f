/** A small seeded generator (mulberry32): the same tables in every run. */
export interface Random {
  /** An unsigned 32-bit number. */
  u32(): number;
  /** 0 to `limit` - 1. */
  below(limit: number): number;
  /** True once in `n`. */
  oneIn(n: number): boolean;
  pick<T>(values: readonly T[]): T;
}

export function random(seed: number): Random {
  let state = seed >>> 0;
  const u32 = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
  const below = (limit: number): number => Math.floor((u32() / 0x100000000) * limit);
  return { u32, below, oneIn: (n) => below(n) === 0, pick: (values) => values[below(values.length)] };
}

/** A seeded source of numbers: the same seed gives the same ones, on every engine. */
export interface Random {
  /** 0 to 0xFFFFFFFF. */
  word(): number;
  /** An integer from 0 to `limit - 1`; `limit` is 1 to 2^32. */
  below(limit: number): number;
  /** An integer from `low` to `high`, both inclusive. */
  between(low: number, high: number): number;
  /** True once in `odds` times, on average. */
  oneIn(odds: number): boolean;
}

class Xorshift implements Random {
  private state: number;

  constructor(seed: number) {
    // Neighbouring seeds must not give neighbouring states, and the state must not be zero.
    let mixed = Math.imul(seed ^ (seed >>> 15), 0x2c1b3c6d) ^ 0x297a2d39;
    mixed = Math.imul(mixed ^ (mixed >>> 12), 0x1b56c4e9);
    this.state = (mixed ^ (mixed >>> 14)) | 0 || 0x6b79d8c3;
  }

  word(): number {
    // Marsaglia, "Xorshift RNGs", 2003, with shifts 13, 17 and 5; multiplied, since its low bits alone are weak.
    let state = this.state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.state = state;
    return Math.imul(state ^ (state >>> 16), 0x45d9f3b) >>> 0;
  }

  below(limit: number): number {
    return Math.floor((this.word() / 0x100000000) * limit);
  }

  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  oneIn(odds: number): boolean {
    return this.below(odds) === 0;
  }
}

/** A generator of period 2^32 - 1; `seed` is taken modulo 2^32. Not for secrets. */
export function seededRandom(seed: number): Random {
  return new Xorshift(seed | 0);
}

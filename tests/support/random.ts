/** A seeded generator of 32-bit numbers (xorshift128, Marsaglia 2003): the same numbers for the same seed, everywhere. */
export class Random {
  private readonly s: Uint32Array;

  constructor(seed: number) {
    this.s = new Uint32Array([seed ^ 0x9e3779b9, seed * 0x85ebca6b + 1, 0x1234567, (seed << 16) ^ 0xdeadbeef]);
    for (let i = 0; i < 20; i++) this.u32();
  }

  u32(): number {
    const s = this.s;
    let t = s[3]!;
    t ^= t << 11;
    t ^= t >>> 8;
    const top = s[0]!;
    s[3] = s[2]!;
    s[2] = s[1]!;
    s[1] = top;
    s[0] = t ^ top ^ (top >>> 19);
    return s[0]! >>> 0;
  }

  /** 0 to n - 1. */
  below(n: number): number {
    return Math.floor((this.u32() / 4294967296) * n);
  }

  /** True once in n times. */
  oneIn(n: number): boolean {
    return this.below(n) === 0;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
}

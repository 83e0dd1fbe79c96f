/** Numbers in [0, 2^32) from a seed other than 0 (xorshift32, Marsaglia 2003): the same on every run. */
export const randomWords = (seed: number): (() => number) => {
  let x = seed;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x >>> 0;
  };
};

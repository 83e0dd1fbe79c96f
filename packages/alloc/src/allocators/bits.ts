// Runs of ones in a 32-bit word, bit 0 first.

/** Ones from bit 0 up. */
export function trailingOnes(word: number): number {
  return 32 - Math.clz32(word & (~word - 1));
}

/** Ones from bit 31 down. */
export function leadingOnes(word: number): number {
  return Math.clz32(~word);
}

/** The lowest bit from which `length` (1 to 32) ones follow, or -1. */
export function findOnes(word: number, length: number): number {
  let starts = word;
  let have = 1;
  while (have < length) {
    const step = have < length - have ? have : length - have;
    starts &= starts >>> step;
    have += step;
  }
  return starts === 0 ? -1 : 31 - Math.clz32(starts & -starts);
}

/** Length of the longest run of ones: the powers of two below it by halves, then what fits on top of the highest. */
export function longestOnes(word: number): number {
  if (word === 0) return 0;
  // A single run, as most words have: from its lowest bit to its highest.
  if ((word & (word + (word & -word))) === 0) return Math.clz32(word & -word) + 1 - Math.clz32(word);
  const two = word & (word >>> 1);
  if (two === 0) return 1;
  const four = two & (two >>> 2);
  let starts = two;
  let length = 2;
  if (four !== 0) {
    starts = four;
    length = 4;
    const eight = four & (four >>> 4);
    if (eight !== 0) {
      starts = eight;
      length = 8;
      const sixteen = eight & (eight >>> 8);
      if (sixteen !== 0) {
        starts = sixteen;
        length = 16;
        const more = starts & (eight >>> 16);
        if (more !== 0) {
          starts = more;
          length = 24;
        }
      }
      const more = starts & (four >>> length);
      if (more !== 0) {
        starts = more;
        length += 4;
      }
    }
    const more = starts & (two >>> length);
    if (more !== 0) {
      starts = more;
      length += 2;
    }
  }
  return (starts & (word >>> length)) !== 0 ? length + 1 : length;
}

/** Ones in the word. */
export function countOnes(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** The mask of bits `low` to `high` (inclusive). */
export function onesFromTo(low: number, high: number): number {
  return (-1 << low) & (-1 >>> (31 - high));
}

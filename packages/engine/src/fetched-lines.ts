const NONE: readonly number[] = [];

/**
 * Offsets of bytes of the instruction at [first, end) whose lines of code, of 2^log2 bytes, may be others than the one that was fetched last: of the first byte,
 * when it is not known what is executed before (`isFirst`), and of the last, since a T32 instruction may be in two lines. After each instruction the line of its
 * last byte is the one that was fetched last, wherever blocks begin.
 */
export const fetchedBytes = (first: number, end: number, isFirst: boolean, log2: number): readonly number[] => {
  const last = end - 1;
  const isInTwo = first >>> log2 !== last >>> log2;
  if (isFirst) return isInTwo ? [first, last] : [first];
  return isInTwo || (first - 1) >>> log2 !== first >>> log2 ? [last] : NONE;
};

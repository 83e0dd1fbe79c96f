/**
 * Every answer of an allocator that is not a page or an object: 0 for success, negative otherwise. The first two are exhaustion, a normal
 * answer; the rest is misuse or, for `CORRUPT`, damage. After any negative answer every metadata word is what it was before.
 */
export const OK = 0;
/** Nothing free fits the request. */
export const EXHAUSTED = -1;
/** The result could not be written down: the metadata words that the plugin was given are full. */
export const METADATA_FULL = -2;
/** A page count that is not an integer from 1 to `MAX_PAGES`, or an object that is not an integer. */
export const BAD_COUNT = -3;
/** A page that is not an integer, or pages outside the geometry. */
export const OUT_OF_RANGE = -4;
/** Malformed constraints: not integers, logarithms outside 0 to 30, `min` not below `max`. */
export const BAD_CONSTRAINT = -5;
/** The plugin's capabilities do not cover this operation or request. */
export const UNSUPPORTED = -6;
/** A free or resize of pages (an object) of which some are free already, or never were allocated. */
export const NOT_ALLOCATED = -7;
/** A reservation of pages of which some are taken. */
export const OVERLAP = -8;
/** A free or resize by another length, or of another start, than what was allocated. */
export const WRONG_LENGTH = -9;
/** The object belongs to no cache, or to another one. */
export const FOREIGN = -10;
/** The address lies inside an object and not at its start. */
export const INTERIOR = -11;
/** Called from inside a visitor of this allocator. */
export const BUSY = -12;
/** The metadata contradicts itself; nothing was changed. */
export const CORRUPT = -13;

/** One of the codes of the table {@link codeNames}. */
export type Code = number;

const names = [
  'ok',
  'exhausted',
  'metadata-full',
  'bad-count',
  'out-of-range',
  'bad-constraint',
  'unsupported',
  'not-allocated',
  'overlap',
  'wrong-length',
  'foreign',
  'interior',
  'busy',
  'corrupt',
] as const;

/** The names of the codes: `codeNames[-code]`. */
export const codeNames: readonly string[] = names;

/** The name of a code; an answer of zero or more is `ok`, a number that is not in the table is named as such. */
export function codeName(code: number): string {
  return code >= 0 ? 'ok' : (names[-code] ?? `unknown code ${code}`);
}

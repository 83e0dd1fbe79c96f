/** A promise that a plugin did not keep. */
export class ConformanceError extends Error {
  /** The promise: one of {@link invariants}. */
  readonly invariant: Invariant;

  constructor(invariant: Invariant, message: string, cause?: unknown) {
    super(`[${invariant}] ${message}`, cause === undefined ? undefined : { cause });
    this.name = 'ConformanceError';
    this.invariant = invariant;
  }
}

/** What the kit holds a plugin to, by name. */
export const invariants = {
  contract: 'the plugin has the members of its contract, and refuses geometries that do not fit with an AllocError',
  answer: 'every answer is a page (an object) or a code of the table',
  'in-range': 'a run (an object) lies within the managed pages',
  constraints: 'alignment, min, max and boundary are honoured',
  disjoint: 'a run (an object) is disjoint from everything taken',
  complete: 'a complete plugin never refuses when a fit exists',
  lowest: "placement: 'lowest' is the lowest fit",
  'valid-free': 'a valid free is never refused',
  'valid-reserve': 'a valid reservation is never refused',
  'valid-resize': 'a valid resize is never refused',
  'misuse-refused': 'an invalid operation is refused, with the code that names why',
  'words-unchanged': 'a refused operation leaves every word as it was',
  runs: 'runs are ordered, disjoint, tile the pages, and are those of the model; free ones are maximal',
  counters: 'counters equal the model',
  drain: 'when all is given back, everything is as it was at first',
  replay: 'a copy of the words, taken up, goes on identically',
  'check-clean': 'check() finds nothing after any operation',
  'check-flags': 'check() finds a flipped bit that matters, never throws, and always ends',
  'access-bound': 'an operation makes no more accesses than accessBound says',
  'words-outside': 'only the declared words are touched, by integer indexes, with 32-bit values',
  'pages-outside': 'taken pages are not touched',
  'visitor-busy': 'operations answer BUSY inside a visitor, and work after it',
  'abort-passes': 'an exception of the words passes through',
  contents: "an object's contents stay what its holder wrote",
} as const;

export type Invariant = keyof typeof invariants;

import { AllocError } from '../alloc-error.js';
import { EXHAUSTED } from '../codes.js';
import type { AllocatorPlugin, Constraints } from '../page-allocator.js';
import { checkConstraints, checkCount } from '../requests.js';
import { decorate } from './decorate.js';

/** Which allocations fail, counted from 1 over all allocators of the plugin: the `nth`, or every `every`th; both, if both are given. */
export interface FailingOptions {
  readonly nth?: number;
  readonly every?: number;
}

/** Answers `EXHAUSTED` to chosen allocations, to see what a client does then. Malformed requests are answered as ever, and not counted. */
export function failing(plugin: AllocatorPlugin, options: FailingOptions): AllocatorPlugin {
  for (const [key, value] of Object.entries(options)) {
    if (!Number.isInteger(value) || (value as number) < 1)
      throw new AllocError('options', 'failing', `${key} ${value} is not a positive integer`);
  }
  let seen = 0;
  const fails = (pages: number, constraints: Constraints | undefined): boolean => {
    if (checkCount(pages) < 0 || (constraints && checkConstraints(constraints) < 0)) return false;
    seen++;
    return seen === options.nth || (options.every !== undefined && seen % options.every === 0);
  };
  return decorate(
    plugin,
    'failing',
    (inner) => ({ allocate: (pages, constraints) => (fails(pages, constraints) ? EXHAUSTED : inner.allocate(pages, constraints)) }),
    { complete: false },
  );
}

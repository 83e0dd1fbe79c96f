import { AllocError } from './alloc-error.js';

/** What an allocator manages: the pages `firstPage` to `firstPage + pageCount` (end exclusive), each of `1 << pageShift` bytes. */
export interface Geometry {
  readonly firstPage: number;
  readonly pageCount: number;
  /** log2 of the page's length in bytes, 4 to 30. */
  readonly pageShift: number;
  /** The most metadata words that the plugin may take; without it, as many as it wants. */
  readonly maxMetadataWords?: number;
}

/** Page numbers stay below this, so that they are small integers in every engine and their sums do not overflow. */
export const MAX_PAGES = 0x40000000;

const isInteger = (value: unknown, low: number, high: number): boolean =>
  Number.isInteger(value) && (value as number) >= low && (value as number) <= high;

/** Throws an {@link AllocError} of kind `geometry`, in the plugin's name, unless the geometry is well formed. */
export function checkGeometry(geometry: Geometry, name: string): void {
  const { firstPage, pageCount, pageShift, maxMetadataWords } = geometry;
  if (!isInteger(pageCount, 1, MAX_PAGES)) throw new AllocError('geometry', name, `pageCount ${pageCount} is not 1 to ${MAX_PAGES}`);
  if (!isInteger(firstPage, 0, MAX_PAGES - pageCount)) {
    throw new AllocError('geometry', name, `firstPage ${firstPage} with ${pageCount} pages is not within 0 to ${MAX_PAGES}`);
  }
  if (!isInteger(pageShift, 4, 30)) throw new AllocError('geometry', name, `pageShift ${pageShift} is not 4 to 30`);
  if (maxMetadataWords !== undefined && !isInteger(maxMetadataWords, 0, Number.MAX_SAFE_INTEGER)) {
    throw new AllocError('geometry', name, `maxMetadataWords ${maxMetadataWords} is not a count`);
  }
}

import type { Geometry, PageAllocator, Trace, Workload } from '@tablewalk/alloc';
import type { HeatRow } from './heat-map.js';

export interface Costs {
  readonly mean: number;
  readonly most: number;
}

/** One of the things that are compared: inspected first, then timed and counted over what the inspection did. */
export interface Subject {
  /** As the user spelled it. */
  readonly label: string;
  inspect(workload: Workload, rows: number, columns: number, order: number): void;
  time(now: () => number): number;
  count(): Costs;
  recorded(): Trace;
}

/**
 * Looks at memory `rows` times in the course of `events` events (0: it is not known how many). Then it looks at growing distances and keeps
 * every other one when there are too many.
 */
export const sampler = (allocator: PageAllocator, geometry: Geometry, events: number, rows: number, columns: number) => {
  const width = Math.min(columns, geometry.pageCount);
  let kept: { readonly index: number; readonly fullness: readonly number[] }[] = [];
  let distance = Math.max(1, Math.ceil(events / Math.max(1, rows)));
  let last = -1;
  const look = (index: number): void => {
    kept.push({ index, fullness: fullnessOf(allocator, geometry, width) });
  };
  return {
    after(index: number): void {
      last = index;
      if (rows === 0 || (index + 1) % distance !== 0) return;
      look(index);
      if (events === 0 && kept.length >= 2 * rows) {
        kept = kept.filter((_row, at) => at % 2 === 1);
        distance *= 2;
      }
    },
    rows(): HeatRow[] {
      if (rows > 0 && last >= 0 && kept[kept.length - 1]?.index !== last) look(last);
      return kept.map(({ index, fullness }) => ({ label: String(index + 1), fullness }));
    },
  };
};

/** The part taken of each of so many parts of memory. */
export const fullnessOf = (allocator: PageAllocator, { firstPage, pageCount }: Geometry, columns: number): number[] => {
  const taken = new Float64Array(columns);
  const border = (column: number): number => Math.floor((column * pageCount) / columns);
  allocator.forEachRun((start, pages, free) => {
    if (free) return;
    let at = start - firstPage;
    const end = at + pages;
    let column = Math.min(columns - 1, Math.floor((at * columns) / pageCount));
    while (border(column + 1) <= at) column++;
    while (at < end) {
      const stop = Math.min(end, border(column + 1));
      taken[column]! += stop - at;
      at = stop;
      column++;
    }
  });
  return [...taken].map((count, column) => count / (border(column + 1) - border(column)));
};

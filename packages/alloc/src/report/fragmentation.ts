import type { PageAllocator } from '../page-allocator.js';

/** What is free, as blocks of a power of two of pages at multiples of themselves, and what that means for allocations of each order. */
export interface Fragmentation {
  readonly freePages: number;
  readonly freeRuns: number;
  readonly largestFreeRun: number;
  /** Free blocks of each order, 0 to the highest: what /proc/buddyinfo shows. A free run counts as the blocks that it divides into. */
  readonly blocks: readonly number[];
  /**
   * Linux's fragmentation index of each order: -1 if an allocation of that order would succeed; otherwise near 0 if it would fail for lack of
   * memory, near 1 if for fragmentation.
   */
  readonly fragmentationIndex: readonly number[];
  /** Linux's unusable free space index of each order: the part of the free pages, 0 to 1, that an allocation of that order cannot use. */
  readonly unusableFreeIndex: readonly number[];
}

/** Divides a run into the largest aligned blocks, from its start on. */
function countBlocks(blocks: number[], start: number, pages: number, maxOrder: number): void {
  let at = start;
  let left = pages;
  while (left > 0) {
    let order = 0;
    while (order < maxOrder && at % 2 ** (order + 1) === 0 && 2 ** (order + 1) <= left) order++;
    blocks[order] = (blocks[order] as number) + 1;
    at += 2 ** order;
    left -= 2 ** order;
  }
}

/**
 * The indexes from counts of free blocks, `blocks[order]` of each order. The formulas are those of Linux, described with /proc/sys/vm/extfrag_threshold
 * and debugfs's extfrag_index and unusable_index (Documentation/admin-guide/sysctl/vm.rst; Mel Gorman, "Supporting superpage allocation without
 * additional hardware support", ISMM 2008).
 */
export function fragmentationIndexes(blocks: readonly number[]): Pick<Fragmentation, 'fragmentationIndex' | 'unusableFreeIndex'> {
  const freePages = blocks.reduce((sum, count, order) => sum + count * 2 ** order, 0);
  const freeBlocks = blocks.reduce((sum, count) => sum + count, 0);
  const fragmentationIndex: number[] = [];
  const unusableFreeIndex: number[] = [];
  for (let order = 0; order < blocks.length; order++) {
    // Pages in blocks that are large enough.
    const usable = blocks.reduce((sum, count, of) => sum + (of >= order ? count * 2 ** of : 0), 0);
    unusableFreeIndex.push(freePages === 0 ? 1 : (freePages - usable) / freePages);
    if (usable > 0) fragmentationIndex.push(-1);
    else fragmentationIndex.push(freeBlocks === 0 ? 0 : 1 - (1 + freePages / 2 ** order) / freeBlocks);
  }
  return { fragmentationIndex, unusableFreeIndex };
}

/** A report of what is free now, for orders 0 to `maxOrder` (10 without it). */
export function fragmentation(allocator: PageAllocator, maxOrder = 10): Fragmentation {
  const blocks = new Array<number>(maxOrder + 1).fill(0);
  let freePages = 0;
  let freeRuns = 0;
  let largestFreeRun = 0;
  allocator.forEachRun((start, pages, free) => {
    if (!free) return;
    freePages += pages;
    freeRuns++;
    if (pages > largestFreeRun) largestFreeRun = pages;
    countBlocks(blocks, start, pages, maxOrder);
  });
  return { freePages, freeRuns, largestFreeRun, blocks, ...fragmentationIndexes(blocks) };
}

/**
 * The part, 0 to 1, of the free memory that aligned allocations of an order can get: allocates until refused, and gives everything back. 1 if nothing
 * is free.
 */
export function highOrderSuccess(allocator: PageAllocator, order: number): number {
  const pages = 2 ** order;
  const possible = Math.floor(allocator.stats().freePages / pages);
  const got: number[] = [];
  for (let start = allocator.allocate(pages, { alignLog2: order }); start >= 0; start = allocator.allocate(pages, { alignLog2: order })) {
    got.push(start);
  }
  for (const start of got) allocator.free(start, pages);
  return possible === 0 ? 1 : got.length / possible;
}

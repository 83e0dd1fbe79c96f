import type { ObjectCache, PageAllocator } from '@tablewalk/alloc/guest';

const ORDERS = 11;

/** Free blocks of each order 0 to 10: free runs cut into naturally aligned powers of two, the largest last. */
export const freeBlocks = (allocator: PageAllocator): readonly number[] => {
  const counts = new Array<number>(ORDERS).fill(0);
  allocator.forEachRun((start, pages, free) => {
    if (!free) return;
    for (let page = start, left = pages; left > 0; ) {
      let order = ORDERS - 1;
      while (order > 0 && (page % 2 ** order !== 0 || 2 ** order > left)) order--;
      counts[order]!++;
      page += 2 ** order;
      left -= 2 ** order;
    }
  });
  return counts;
};

/** The line of Linux's /proc/buddyinfo. */
export const buddyInfo = (zone: string, counts: readonly number[]): string =>
  `Node 0, zone ${zone.padStart(8)} ${counts.map((count) => String(count).padStart(6)).join(' ')}`;

/** Free pages that are no use for a request of an order, of all free pages: Linux's unusable free space index. */
export const unusableIndex = (counts: readonly number[], order: number): number => {
  const free = counts.reduce((sum, count, n) => sum + count * 2 ** n, 0);
  if (free === 0) return 0;
  const usable = counts.reduce((sum, count, n) => sum + (n >= order ? count * 2 ** n : 0), 0);
  return (free - usable) / free;
};

/** Linux's fragmentation index: towards 0 a request fails for want of memory, towards 1 for fragmentation; -1 while it would succeed. */
export const fragmentationIndex = (counts: readonly number[], order: number): number => {
  const free = counts.reduce((sum, count, n) => sum + count * 2 ** n, 0);
  const blocks = counts.reduce((sum, count) => sum + count, 0);
  if (blocks === 0) return 0;
  if (counts.some((count, n) => n >= order && count > 0)) return -1;
  return 1 - (1 + free / 2 ** order) / blocks;
};

/** The lines of extfrag's unusable_index and extfrag_index. */
export const extFrag = (zone: string, counts: readonly number[]): readonly string[] => {
  const line = (index: (counts: readonly number[], order: number) => number): string =>
    `Node 0, zone ${zone.padStart(8)} ${counts.map((_, order) => index(counts, order).toFixed(3).padStart(6)).join(' ')}`;
  return [line(unusableIndex), line(fragmentationIndex)];
};

/** Lines in the shape of /proc/slabinfo. */
export const slabInfo = (caches: readonly ObjectCache[]): readonly string[] => [
  '# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>',
  ...caches.map((cache) => {
    const { liveObjects, capacity, objectBytes, pagesHeld } = cache.stats();
    const perPage = pagesHeld === 0 ? 0 : Math.floor(capacity / pagesHeld);
    return `${cache.kind.name.padEnd(17)} ${String(liveObjects).padStart(13)} ${String(capacity).padStart(10)} ${String(objectBytes).padStart(9)} ${String(perPage).padStart(12)} ${'1'.padStart(14)}`;
  }),
];

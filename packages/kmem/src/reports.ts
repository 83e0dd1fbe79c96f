import type { Fragmentation, ObjectCache } from '@tablewalk/alloc/guest';

const columns = (zone: string, values: readonly string[]): string =>
  `Node 0, zone ${zone.padStart(8)} ${values.map((value) => value.padStart(6)).join(' ')}`;

/** The line of Linux's /proc/buddyinfo: free blocks of each order. */
export const buddyInfo = (zone: string, { blocks }: Fragmentation): string => columns(zone, blocks.map(String));

/** The lines of Linux's extfrag/unusable_index and extfrag/extfrag_index. */
export const extFrag = (zone: string, { unusableFreeIndex, fragmentationIndex }: Fragmentation): readonly string[] =>
  [unusableFreeIndex, fragmentationIndex].map((index) =>
    columns(
      zone,
      index.map((value) => value.toFixed(3)),
    ),
  );

/** Lines in the shape of /proc/slabinfo. */
export const slabInfo = (caches: readonly ObjectCache[]): readonly string[] => [
  '# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>',
  ...caches.map((cache) => {
    const { liveObjects, capacity, objectBytes, pagesHeld } = cache.stats();
    const perPage = pagesHeld === 0 ? 0 : Math.floor(capacity / pagesHeld);
    return `${cache.kind.name.padEnd(17)} ${String(liveObjects).padStart(13)} ${String(capacity).padStart(10)} ${String(objectBytes).padStart(9)} ${String(perPage).padStart(12)} ${'1'.padStart(14)}`;
  }),
];

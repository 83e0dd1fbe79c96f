import type { Snapshot } from '@tablewalk/machine/contracts';
import { CACHE_CONTRACT, type Cache } from '../contracts/cache.js';
import { TLB_CONTRACT, type Tlb } from '../contracts/tlb.js';
import { MmuError } from '../mmu-error.js';

function emptyState(schema: string): Pick<Tlb, 'snapshot' | 'restore'> {
  return {
    snapshot: (): Snapshot => ({ schema, version: 1, data: {} }),
    restore(snapshot: Snapshot): void {
      if (snapshot.schema !== schema || snapshot.version !== 1) {
        throw new MmuError(schema, `cannot restore ${snapshot.schema} version ${snapshot.version}`);
      }
    },
  };
}

/** The TLB that holds nothing: every translation that reaches it walks, so it is always that of the tables in memory. */
export function noneTlb(): Tlb {
  return {
    name: 'none',
    contract: TLB_CONTRACT,
    replacement: 'fifo',
    arena: new Uint32Array(0),
    lookup: () => -1,
    insert: () => {},
    invalidateAll: () => {},
    invalidateMva: () => {},
    invalidateAsid: () => {},
    invalidateMvaAllAsid: () => {},
    entries: () => [],
    ...emptyState('mmu/tlb-none'),
  };
}

/** The cache that holds nothing: memory is one coherent thing. Lines of 64 bytes in name only. */
export function noneCache(): Cache {
  return {
    name: 'none',
    contract: CACHE_CONTRACT,
    replacement: 'fifo',
    lineSizeLog2: 6,
    setCount: 0,
    wayCount: 0,
    access: () => false,
    clean: () => {},
    invalidate: () => {},
    cleanInvalidate: () => {},
    cleanSetWay: () => {},
    invalidateSetWay: () => {},
    cleanInvalidateSetWay: () => {},
    invalidateAll: () => {},
    lines: () => [],
    ...emptyState('mmu/cache-none'),
  };
}

import type { Snapshot, Stateful } from '@tablewalk/machine/contracts';
import { CACHE_CONTRACT, CACHE_L1_DATA, CACHE_PASSED, type Cache, type CacheHierarchy } from '../contracts/cache.js';
import { TLB_CONTRACT, type Tlb } from '../contracts/tlb.js';
import { MmuError } from '../mmu-error.js';

interface EmptyState extends Stateful {
  reset(): void;
  evictOne(): boolean;
  stats(): Record<string, number>;
  resetStats(): void;
}

function emptyState(schema: string): EmptyState {
  return {
    snapshot: (): Snapshot => ({ schema, version: 1, data: {} }),
    restore(snapshot: Snapshot): void {
      if (snapshot.schema !== schema || snapshot.version !== 1) {
        throw new MmuError(schema, `cannot restore ${snapshot.schema} version ${snapshot.version}`);
      }
    },
    reset: () => {},
    evictOne: () => false,
    stats: () => ({}),
    resetStats: () => {},
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
    unit: CACHE_L1_DATA,
    lineSizeLog2: 6,
    setCount: 0,
    wayCount: 0,
    virtuallyIndexed: false,
    colourCount: 1,
    writeBack: false,
    writeAllocate: false,
    access: (_va, _pa, write) => (write ? CACHE_PASSED : 0),
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

/** A core without caches. */
export function noneCaches(): CacheHierarchy {
  return {
    name: 'none',
    contract: CACHE_CONTRACT,
    instruction: null,
    data: null,
    unified: null,
    inclusive: false,
    levelOfUnification: 0,
    levelOfCoherency: 0,
    walks: 'memory',
    access: () => 3,
    walk: () => 3,
    cleanToUnification: () => {},
    cleanToCoherency: () => {},
    invalidateToCoherency: () => {},
    cleanInvalidateToCoherency: () => {},
    invalidateInstruction: () => {},
    invalidateInstructionAll: () => {},
    cleanSetWay: () => {},
    invalidateSetWay: () => {},
    cleanInvalidateSetWay: () => {},
    ...emptyState('mmu/caches-none'),
  };
}

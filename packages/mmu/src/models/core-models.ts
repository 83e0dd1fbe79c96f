import {
  CACHE_L1_DATA,
  CACHE_L1_INSTRUCTION,
  CACHE_L2,
  type Cache,
  type CacheHierarchy,
  type Tlb,
  type WalkLevel,
} from '../contracts/index.js';
import { cacheHierarchy } from './cache-hierarchy.js';
import { type RetainForeverCacheOptions, retainForeverCache } from './retain-forever-cache.js';
import { type RetainForeverTlbOptions, retainForeverTlb } from './retain-forever-tlb.js';
import { type SetAssociativeCacheOptions, setAssociativeCache } from './set-associative-cache.js';
import type { TlbArrayOptions } from './tlb-array.js';
import { type HierarchyTlbOptions, hierarchyTlb } from './tlb-models.js';

/** Caches of a core as numbers. Those without an entry do not exist. */
export interface CoreCacheParameters {
  readonly instruction?: SetAssociativeCacheOptions;
  readonly data?: SetAssociativeCacheOptions;
  /** Instead of `data`: an L1 data cache that never evicts by itself. */
  readonly retainedData?: RetainForeverCacheOptions;
  readonly unified?: SetAssociativeCacheOptions;
  readonly inclusive: boolean;
  readonly levelOfUnification: number;
  readonly levelOfCoherency: number;
  readonly walks: WalkLevel;
}

/** The memory system of a core as numbers: a plain object to copy and change. */
export interface CoreModel {
  readonly name: string;
  /** The TLB, or with `retainedTlb` none that forgets. */
  readonly tlb?: HierarchyTlbOptions;
  readonly retainedTlb?: RetainForeverTlbOptions;
  readonly caches: CoreCacheParameters;
  /** ID_MMFR3[23:20]: table walks see what the L1 data cache holds. */
  readonly coherentWalks: boolean;
  /** Caches and TLB come out of reset invalidated; otherwise their contents are UNKNOWN. */
  readonly resetInvalidates: boolean;
}

export type CoreModelName = 'cortex-a7' | 'cortex-a8' | 'cortex-a9' | 'cortex-a15' | 'armv7-weakest';

const KB = 1024;

/**
 * The cores' memory systems, from their Technical Reference Manuals (TRM). Where a manual leaves a number open the middle of its range is taken. Where it
 * says nothing of a replacement policy the structure is round-robin.
 *
 * Sets and ways of the data and unified caches are those that software reads in CCSIDR, since loops of set/way maintenance count by it. The core
 * profiles have there what QEMU's cores have, which is not always what the TRM has; each such place says so.
 */
export const coreModels: Readonly<Record<CoreModelName, CoreModel>> = {
  'cortex-a7': {
    name: 'cortex-a7',
    tlb: {
      name: 'cortex-a7',
      // TRM (DDI 0464F) 5.3.1: 10 entries on each side, flushed by every maintenance operation of the main TLB.
      microInstruction: { entries: 10 },
      microData: { entries: 10 },
      flushMicro: true,
      // 5.2: 256 entries, 2 ways, unified.
      main: { entries: 256, ways: 2 },
      // 5.3 has a walk cache and no size of it; this is that of its successor, Cortex-A53 (DDI 0500, 5.1).
      walkCache: { entries: 64, ways: 4 },
    },
    caches: {
      // CTR 0x84448003: lines of 32 bytes, VIPT. TRM 2.1.1: 2 ways. Size: CCSIDR.
      instruction: { byteLength: 32 * KB, ways: 2, lineLength: 32, virtuallyIndexed: true },
      // CCSIDR 0x701fe00a: 256 sets, 2 ways, 64 bytes. (TRM 6.6.1: 4 ways.) PIPT.
      data: { byteLength: 32 * KB, ways: 2, lineLength: 64, writeThrough: false },
      // CCSIDR 0x711fe07a: 16 ways, 64 bytes, and 2304 sets, of which a power of two can be. (TRM: 128 KB to 1 MB, 8 ways.)
      unified: { byteLength: 1024 * KB, ways: 16, lineLength: 64, writeThrough: false },
      inclusive: false,
      // CLIDR 0x0a200023.
      levelOfUnification: 1,
      levelOfCoherency: 2,
      // TRM 5.2: walks look into the L1 data cache.
      walks: 'l1d',
    },
    // ID_MMFR3 0x02102211.
    coherentWalks: true,
    resetInvalidates: true,
  },
  'cortex-a8': {
    name: 'cortex-a8',
    tlb: {
      name: 'cortex-a8',
      // TRM (DDI 0344K) 6.1: two halves of 32 entries, fully associative, round-robin, lockable entry by entry. One stays free for the others.
      main: {
        instruction: { entries: 32, replacement: 'round-robin', lockable: 31 },
        data: { entries: 32, replacement: 'round-robin', lockable: 31 },
      },
    },
    caches: {
      // CTR 0x82048004: lines of 64 bytes. CCSIDR 0x200fe01a: 128 sets, 4 ways. VIPT; 8 KB a way are two colours.
      instruction: { byteLength: 32 * KB, ways: 4, lineLength: 64, virtuallyIndexed: true, replacement: 'random' },
      // CCSIDR 0xe00fe01a: as above, without write allocation. VIPT with aliases resolved by hardware, which is what physical indexing looks like.
      data: { byteLength: 32 * KB, ways: 4, lineLength: 64, writeAllocate: false, replacement: 'random' },
      // CCSIDR 0xf03fe03a: 512 sets, 8 ways. TRM 8.2.
      unified: { byteLength: 256 * KB, ways: 8, lineLength: 64, replacement: 'random' },
      inclusive: false,
      // CLIDR 0x0a000023.
      levelOfUnification: 1,
      levelOfCoherency: 2,
      // ID_MMFR3 0x00000011: walks do not see the L1.
      walks: 'l2',
    },
    coherentWalks: false,
    resetInvalidates: false,
  },
  'cortex-a9': {
    name: 'cortex-a9',
    tlb: {
      name: 'cortex-a9',
      // TRM (DDI 0388I) 6.2: 32 entries on the data side, 32 or 64 on the instruction side, fully associative, flushed with the main TLB.
      microInstruction: { entries: 32 },
      microData: { entries: 32 },
      flushMicro: true,
      // TLBTR 0x00000402: 128 entries (2 ways), and four for lockdown.
      main: { entries: 128, ways: 2 },
      lockdown: 4,
    },
    caches: {
      // TRM 7.1: 32-byte lines, 4 ways, instruction side VIPT and round-robin or random, data side PIPT and random. CCSIDR 0x201fe019, 0x701fe019.
      instruction: { byteLength: 32 * KB, ways: 4, lineLength: 32, virtuallyIndexed: true, replacement: 'round-robin' },
      data: { byteLength: 32 * KB, ways: 4, lineLength: 32, replacement: 'random' },
      // CLIDR 0x09200003: the PL310 outside is not of the core, and CP15 does not reach it.
      inclusive: false,
      levelOfUnification: 1,
      levelOfCoherency: 1,
      walks: 'l1d',
    },
    // ID_MMFR3 0x00102111.
    coherentWalks: true,
    // TRM 7.1: everything must be invalidated before use.
    resetInvalidates: false,
  },
  'cortex-a15': {
    name: 'cortex-a15',
    tlb: {
      name: 'cortex-a15',
      // TRM (DDI 0438G) 5.2.1, 5.2.2: 32 entries of 4 KB, of a larger mapping the piece in use. On the data side loads and stores have 32 each; a model that
      // is not told the difference has one of 32.
      microInstruction: { entries: 32 },
      microData: { entries: 32 },
      microPageLog2: 12,
      // 5.2: 512 entries, 4 ways, unified. No lockdown.
      main: { entries: 512, ways: 4 },
      // 5.1: intermediate table walk caches, without a number.
      walkCache: { entries: 16 },
    },
    caches: {
      // CTR 0x8444c004: 64-byte lines, PIPT. CCSIDR 0x201fe00a and 0x701fe00a: 256 sets, 2 ways. TRM 6.1: least recently used.
      instruction: { byteLength: 32 * KB, ways: 2, lineLength: 64, replacement: 'lru' },
      // TRM 6.4: write-through memory is held in no data cache and not in the L2.
      data: { byteLength: 32 * KB, ways: 2, lineLength: 64, replacement: 'lru', writeThrough: false },
      // TRM 7.1: 512 KB to 4 MB, 16 ways, random, inclusive of the L1 data caches. CCSIDR 0x711fe07a has 2304 sets, of which a power of two can be.
      unified: { byteLength: 2048 * KB, ways: 16, lineLength: 64, replacement: 'random', writeThrough: false },
      inclusive: true,
      // CLIDR 0x0a200023.
      levelOfUnification: 1,
      levelOfCoherency: 2,
      walks: 'l1d',
    },
    // ID_MMFR3 0x02102211.
    coherentWalks: true,
    resetInvalidates: true,
  },
  // The least that the architecture promises: nothing is forgotten, nothing is coherent.
  'armv7-weakest': {
    name: 'armv7-weakest',
    retainedTlb: { name: 'armv7-weakest', walkCache: true },
    caches: {
      // 16 KB a way: four colours.
      instruction: { byteLength: 64 * KB, ways: 4, lineLength: 32, virtuallyIndexed: true, replacement: 'round-robin' },
      // CCSIDR 0x703fe019: 512 sets, 4 ways, 32 bytes.
      retainedData: { lineLength: 32, setCount: 512, wayCount: 4 },
      // CLIDR 0x09200003: memory is the point of unification and of coherency.
      inclusive: false,
      levelOfUnification: 1,
      levelOfCoherency: 1,
      walks: 'memory',
    },
    coherentWalks: false,
    resetInvalidates: false,
  },
};

/** The TLB of a core. `seed` replaces the seed of every random policy in it. */
export function coreTlb(model: CoreModel, seed?: number): Tlb {
  if (model.retainedTlb !== undefined) return retainForeverTlb(model.retainedTlb);
  const options = model.tlb as HierarchyTlbOptions;
  if (seed === undefined) return hierarchyTlb(options);
  const seeded = <T extends TlbArrayOptions>(array: T): T => ({ ...array, seed });
  const { microInstruction, microData, walkCache, main } = options;
  return hierarchyTlb({
    ...options,
    ...(microInstruction && { microInstruction: seeded(microInstruction) }),
    ...(microData && { microData: seeded(microData) }),
    ...(walkCache && { walkCache: seeded(walkCache) }),
    main: 'instruction' in main ? { instruction: seeded(main.instruction), data: seeded(main.data) } : seeded(main),
  });
}

/** The caches of a core. `seed` as for {@link coreTlb}. */
export function coreCaches(model: CoreModel, seed?: number): CacheHierarchy {
  const { instruction, data, retainedData, unified, ...rest } = model.caches;
  const made = (options: SetAssociativeCacheOptions | undefined, unit: 0 | 1 | 2, label: string): Cache | null =>
    options === undefined
      ? null
      : setAssociativeCache({ ...options, unit, name: `${model.name} ${label}`, ...(seed !== undefined && { seed }) });
  return cacheHierarchy({
    ...rest,
    name: model.name,
    instruction: made(instruction, CACHE_L1_INSTRUCTION, 'L1I'),
    data:
      retainedData === undefined
        ? made(data, CACHE_L1_DATA, 'L1D')
        : retainForeverCache({ ...retainedData, unit: CACHE_L1_DATA, name: `${model.name} L1D` }),
    unified: made(unified, CACHE_L2, 'L2'),
  });
}

/** What the models have counted since power-on or the last restore. */
export interface MemoryStatistics {
  readonly tlb?: Readonly<Record<string, number>>;
  readonly caches?: Readonly<Record<string, number>>;
  readonly walks?: Readonly<Record<string, number>>;
  readonly cycles?: number;
}

/**
 * Cycles beyond the first of an instruction, by the level that had the access: past the caches, L1, L2, memory. Round numbers of cores of the
 * time with memory at their side, the same for every core: they weigh events, they do not predict a board.
 */
const LATENCY = [100, 0, 12, 100] as const;

/** Descriptors by the level that had them. `counts` as {@link CoherencyMap.counts}. */
export const walkCounts = (counts: Float64Array): Readonly<Record<string, number>> => ({
  'past the caches': counts[12]!,
  'from the L1': counts[13]!,
  'from the L2': counts[14]!,
  'from memory': counts[15]!,
});

export const estimatedCycles = (instructions: number, counts: Float64Array): number => {
  let cycles = instructions;
  // A fetch, load or L1 hit is part of its instruction; a descriptor is not part of any.
  for (let i = 0; i < 16; i++) cycles += counts[i]! * (LATENCY[i & 3]! + (i >= 12 ? 1 : 0));
  return cycles;
};

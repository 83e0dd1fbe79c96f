import type { VirtMachine, VirtMachineOptions } from '@tablewalk/board-qemu-virt';
import { cacheKind, tlbKind } from './model-kinds.js';
import type { ModelArguments } from './model-options.js';
import { resolvePlugin } from './plugins.js';

/** Makes the models that the arguments name. */
export const modelOptions = async (args: ModelArguments): Promise<VirtMachineOptions> => {
  const { fidelity, tlb, cache, retain, walk, dma, powerOn, evictions } = args;
  const tlbModel = tlb === undefined || tlb === 'none' ? tlb : (await resolvePlugin(tlbKind, tlb)).create();
  const cacheModel = cache === undefined || cache === 'none' ? cache : (await resolvePlugin(cacheKind, cache)).create();
  return {
    ...(fidelity !== 'functional' && { fidelity }),
    ...(tlbModel !== undefined && { tlb: tlbModel }),
    ...(cacheModel !== undefined && { cache: cacheModel }),
    ...(retain !== undefined && { retain }),
    ...(walk !== undefined && { walk }),
    ...(dma !== undefined && { dma }),
    ...(powerOn !== undefined && { powerOn }),
    ...(evictions !== undefined && { evictions: { seed: evictions } }),
  };
};

/** What one of the models counted, under its heading. */
export interface ModelCounters {
  readonly heading: string;
  readonly counters: Readonly<Record<string, number>>;
}

/** Counters of the models since power-on; none at functional fidelity. */
export const modelCounters = (machine: VirtMachine): readonly ModelCounters[] => {
  const { tlb, caches, walks, cycles } = machine.memoryStatistics();
  return [
    ...(tlb ? [{ heading: `TLB ${machine.models.tlb!.name}`, counters: tlb }] : []),
    ...(caches ? [{ heading: `caches ${machine.models.caches!.name}`, counters: caches }] : []),
    ...(walks ? [{ heading: 'descriptors read by walks', counters: walks }] : []),
    ...(cycles === undefined ? [] : [{ heading: 'estimate', counters: { 'estimated cycles': cycles } }]),
  ];
};

/** What was counted between two pictures of one machine. */
export const countersBetween = (before: readonly ModelCounters[], after: readonly ModelCounters[]): readonly ModelCounters[] =>
  after.map(({ heading, counters }, i) => ({
    heading,
    counters: Object.fromEntries(Object.entries(counters).map(([name, value]) => [name, value - (before[i]?.counters[name] ?? 0)])),
  }));

/** Counters as lines, for `--stats`. */
export const modelStatistics = (machine: VirtMachine): readonly string[] =>
  modelCounters(machine).flatMap(({ heading, counters }) => [
    heading,
    ...Object.entries(counters).map(([name, value]) => `  ${name.padEnd(34)} ${value}`),
  ]);

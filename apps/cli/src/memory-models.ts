import type { VirtMachine, VirtMachineOptions } from '@tablewalk/board-qemu-virt';
import { cacheKind, tlbKind } from './model-kinds.js';
import type { RunArguments } from './options.js';
import { resolvePlugin } from './plugins.js';

/** What of the arguments says how the memory system is modelled. */
export type ModelArguments = Pick<RunArguments, 'fidelity' | 'tlb' | 'cache' | 'retain' | 'walk' | 'dma' | 'evictions'>;

/** Makes the models that the arguments name. */
export const modelOptions = async (args: ModelArguments): Promise<VirtMachineOptions> => {
  const { fidelity, tlb, cache, retain, walk, dma, evictions } = args;
  const tlbModel = tlb === undefined || tlb === 'none' ? tlb : (await resolvePlugin(tlbKind, tlb)).create();
  const cacheModel = cache === undefined || cache === 'none' ? cache : (await resolvePlugin(cacheKind, cache)).create();
  return {
    ...(fidelity !== 'functional' && { fidelity }),
    ...(tlbModel !== undefined && { tlb: tlbModel }),
    ...(cacheModel !== undefined && { cache: cacheModel }),
    ...(retain !== undefined && { retain }),
    ...(walk !== undefined && { walk }),
    ...(dma !== undefined && { dma }),
    ...(evictions !== undefined && { evictions: { seed: evictions } }),
  };
};

const table = (counters: Readonly<Record<string, number>>): string[] =>
  Object.entries(counters).map(([name, value]) => `  ${name.padEnd(34)} ${value}`);

/** Counters of the models for `--stats`; none at functional fidelity. */
export const modelStatistics = (machine: VirtMachine): readonly string[] => {
  const { tlb, caches, walks, cycles } = machine.memoryStatistics();
  const lines: string[] = [];
  if (tlb !== undefined) lines.push(`TLB ${machine.models.tlb!.name}`, ...table(tlb));
  if (caches !== undefined) lines.push(`caches ${machine.models.caches!.name}`, ...table(caches));
  if (walks !== undefined) lines.push('descriptors read by walks', ...table(walks));
  if (cycles !== undefined) lines.push(`estimated cycles ${cycles}`);
  return lines;
};

import type { Fidelity } from '@tablewalk/board-qemu-virt';
import { FIDELITIES } from '@tablewalk/board-qemu-virt';
import { oneOf, parseCount } from './argument-values.js';

/** What of the arguments says how the memory system is modelled: the same for every command that makes a machine. */
export interface ModelArguments {
  readonly fidelity: Fidelity;
  /** Name or module of a model; undefined is the core's own. */
  readonly tlb: string | undefined;
  readonly cache: string | undefined;
  readonly retain: 'finite' | 'forever' | undefined;
  readonly walk: 'coherent' | 'noncoherent' | undefined;
  readonly dma: 'coherent' | 'noncoherent' | undefined;
  readonly powerOn: 'clean' | 'unknown' | undefined;
  /** Seed of random evictions. */
  readonly evictions: number | undefined;
}

/** As `parseArgs` takes them. */
export const MODEL_OPTIONS = {
  fidelity: { type: 'string' },
  tlb: { type: 'string' },
  cache: { type: 'string' },
  retain: { type: 'string' },
  walk: { type: 'string' },
  dma: { type: 'string' },
  'power-on': { type: 'string' },
  evictions: { type: 'string' },
} as const;

export const parseModels = (values: { readonly [Name in keyof typeof MODEL_OPTIONS]?: string | undefined }): ModelArguments => ({
  fidelity: oneOf('fidelity', FIDELITIES, values.fidelity) ?? 'functional',
  tlb: values.tlb,
  cache: values.cache,
  retain: oneOf('retain', ['finite', 'forever'] as const, values.retain),
  walk: oneOf('walk', ['coherent', 'noncoherent'] as const, values.walk),
  dma: oneOf('dma', ['coherent', 'noncoherent'] as const, values.dma),
  powerOn: oneOf('power-on', ['clean', 'unknown'] as const, values['power-on']),
  evictions: values.evictions === undefined ? undefined : parseCount('evictions', values.evictions, 0),
});

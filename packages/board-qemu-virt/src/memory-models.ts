import type { CoreProfile } from '@tablewalk/arm-core';
import { LINE_TABLE_BYTES } from '@tablewalk/arm-core';
import { canTranslate } from '@tablewalk/engine';
import type { GuestMemory, HitPaths } from '@tablewalk/machine';
import type { Cache, CacheHierarchy, CoherencyMap, CoreModel, Tlb, Vmsav7 } from '@tablewalk/mmu';
import {
  cacheHierarchy,
  coherencyBytes,
  coreCaches,
  coreModels,
  coreTlb,
  hasHitPaths,
  hitPathBytes,
  hitPaths,
  retainForeverTlb,
} from '@tablewalk/mmu';
import { MachineError } from './machine-error.js';
import type { Fidelity, VirtMachineOptions } from './virt-options.js';

/** What a machine's options make of its memory system. */
export interface MemoryModels {
  readonly fidelity: Fidelity;
  /** Null: no model, and the fast table is all that keeps translations, if anything does. */
  readonly tlb: Tlb | null;
  /** Translations are those of the tables in memory at any time: nothing keeps them. */
  readonly transparent: boolean;
  /** Null: one coherent memory. */
  readonly caches: CacheHierarchy | null;
  /** The core, with identification registers that say what its caches and walks are like. */
  readonly profile: CoreProfile;
  readonly engine: 'interpreter' | 'wasm';
  /** Code finds hits of the models by itself. */
  readonly findsHits: boolean;
}

export const FIDELITIES: readonly Fidelity[] = ['functional', 'architectural', 'measured'];

const choices = {
  fidelity: FIDELITIES,
  retain: ['finite', 'forever'],
  walk: ['coherent', 'noncoherent'],
  dma: ['coherent', 'noncoherent'],
  powerOn: ['clean', 'unknown'],
} as const;

/** Refuses words that are none of the choices, and models where nothing would use them. */
const check = (options: VirtMachineOptions): void => {
  for (const [name, known] of Object.entries(choices)) {
    const given = options[name as keyof typeof choices];
    if (given !== undefined && !(known as readonly string[]).includes(given))
      throw new MachineError(name, `there is no '${String(given)}'; there are ${known.join(', ')}`);
  }
  if ((options.fidelity ?? 'functional') !== 'functional') return;
  const useless = (['tlb', 'cache', 'retain', 'walk', 'dma', 'powerOn', 'evictions'] as const).find((name) => options[name] !== undefined);
  if (useless === undefined || ((useless === 'tlb' || useless === 'cache') && onlyTransparent(options))) return;
  throw new MachineError(useless, 'functional fidelity has no TLB and cache models: choose architectural or measured');
};

/** `tlb: 'none'` and `cache: 'none'` say what functional fidelity is like anyway, or ask for less than it keeps. */
const onlyTransparent = (options: VirtMachineOptions): boolean =>
  [options.tlb, options.cache].every((model) => model === undefined || model === 'none') &&
  options.retain === undefined &&
  options.walk === undefined &&
  options.dma === undefined &&
  options.powerOn === undefined &&
  options.evictions === undefined;

const modelOf = (profile: CoreProfile): CoreModel => {
  const model = (coreModels as Readonly<Record<string, CoreModel>>)[profile.name];
  if (model === undefined) throw new MachineError('cpu', `there is no model of the memory system of ${profile.name}: give tlb and cache`);
  return model;
};

/** What is kept for ever shows what a program forgot to invalidate; what is counted is of the size it has. */
const retainsForever = ({ retain, fidelity }: VirtMachineOptions): boolean =>
  (retain ?? (fidelity === 'measured' ? 'finite' : 'forever')) === 'forever';

const tlbOf = (profile: CoreProfile, options: VirtMachineOptions): Tlb => {
  const model = modelOf(profile);
  // The TLB that retains for ever is one for both sides. What a split one keeps of the other side is not given up for it unasked.
  const isSplit = model.tlb !== undefined && 'instruction' in model.tlb.main;
  if (!retainsForever(options) || (isSplit && options.retain === undefined)) return coreTlb(model, options.seed ?? 0);
  return retainForeverTlb(model.retainedTlb ?? { name: model.name, walkCache: model.tlb?.walkCache !== undefined });
};

const cachesOf = (profile: CoreProfile, options: VirtMachineOptions): CacheHierarchy => {
  const model = modelOf(profile);
  const { data, unified } = model.caches;
  let { caches } = model;
  if (retainsForever(options) && data !== undefined) {
    const lineLength = data.lineLength;
    const retainedData = { lineLength, setCount: data.byteLength / data.ways / lineLength, wayCount: data.ways };
    caches = { ...caches, retainedData };
  }
  if (options.walk === 'coherent') caches = { ...caches, walks: 'l1d' };
  else if (options.walk === 'noncoherent') caches = { ...caches, walks: unified === undefined ? 'memory' : 'l2' };
  return coreCaches({ ...model, caches }, options.seed ?? 0);
};

/**
 * One cache in the place of the core's own of its unit. Walks, which have no VA, cannot look into a data cache that is indexed by one: they go past it then,
 * as ID_MMFR3 says.
 */
const withCache = (profile: CoreProfile, cache: Cache, options: VirtMachineOptions): CacheHierarchy => {
  const own = cachesOf(profile, options);
  const { inclusive, levelOfUnification, levelOfCoherency } = own;
  const name = (['instruction', 'data', 'unified'] as const)[cache.unit];
  if (name === undefined) throw new MachineError('cache', `${cache.name} is of unit ${String(cache.unit)}: there are 0, 1 and 2`);
  const unified = name === 'unified' ? cache : own.unified;
  const walks = name === 'data' && cache.virtuallyIndexed && own.walks === 'l1d' ? (unified ? 'l2' : 'memory') : own.walks;
  return cacheHierarchy({
    name: `${profile.name} with ${cache.name}`,
    inclusive,
    levelOfUnification,
    // An L2 that the core does not have is one level more to clean.
    levelOfCoherency: unified && !own.unified ? 2 : levelOfCoherency,
    walks,
    instruction: own.instruction,
    data: own.data,
    unified,
    [name]: cache,
  });
};

/** CCSIDR (ARM DDI 0406C, B4.1.19) of a cache, with the policies that the profile states for it. */
const ccsidr = (cache: Cache, stated: number | undefined): number =>
  (((stated ?? 0x70000000) & 0xf0000000) | ((cache.setCount - 1) << 13) | ((cache.wayCount - 1) << 3) | (cache.lineSizeLog2 - 4)) >>> 0;

/** Identification registers that agree with the caches: software counts its set/way loops by them. */
const identified = (profile: CoreProfile, caches: CacheHierarchy): CoreProfile => {
  const { instruction, data, unified, levelOfUnification, levelOfCoherency } = caches;
  const geometry: Record<number, number> = {};
  if (data) geometry[0] = ccsidr(data, profile.ccsidr[0]);
  if (instruction) geometry[1] = ccsidr(instruction, profile.ccsidr[1]);
  if (unified) geometry[2] = ccsidr(unified, profile.ccsidr[2]);
  const level1 = (instruction ? 1 : 0) | (data ? 2 : 0);
  const innerShareable = ((profile.id['CLIDR']! >>> 21) & 7) === 0 ? 0 : levelOfUnification;
  const clidr = level1 | (unified ? 4 << 3 : 0) | (innerShareable << 21) | (levelOfCoherency << 24) | (levelOfUnification << 27);
  let ctr = profile.id['CTR']! & ~0x000fc00f;
  ctr |= (((data ?? unified)?.lineSizeLog2 ?? 6) - 2) << 16;
  ctr |= ((instruction ?? unified)?.lineSizeLog2 ?? 6) - 2;
  ctr |= instruction === null || !instruction.virtuallyIndexed ? 3 << 14 : 2 << 14;
  const mmfr3 = (profile.id['ID_MMFR3']! & ~0x00f00000) | (caches.walks === 'l1d' ? 0x00100000 : 0);
  return { ...profile, ccsidr: geometry, id: { ...profile.id, CLIDR: clidr >>> 0, CTR: ctr >>> 0, ID_MMFR3: mmfr3 >>> 0 } };
};

const chosenCaches = (profile: CoreProfile, options: VirtMachineOptions): CacheHierarchy => {
  const given = options.cache as Cache | CacheHierarchy | undefined;
  if (given === undefined) return cachesOf(profile, options);
  return 'unit' in given ? withCache(profile, given, options) : given;
};

/** @throws {MachineError} one line that says what cannot be */
export const memoryModels = (profile: CoreProfile, options: VirtMachineOptions): MemoryModels => {
  check(options);
  if (options.powerOn === 'unknown' && profile.resetUnknown !== true)
    throw new MachineError('powerOn', `reset invalidates the caches and the TLB of ${profile.name}`);
  const fidelity = options.fidelity ?? 'functional';
  const modelled = fidelity !== 'functional';
  const none = <T extends { readonly name: string }>(model: T | 'none' | undefined): boolean =>
    model === 'none' || (typeof model === 'object' && model.name === 'none');
  const transparent = none(options.tlb);
  const tlb = transparent || !modelled ? null : ((options.tlb as Tlb | undefined) ?? tlbOf(profile, options));
  const chosen = none(options.cache) || !modelled ? null : chosenCaches(profile, options);
  const caches = chosen === null || (chosen.data === null && chosen.unified === null) ? null : chosen;
  const walksAlways = transparent && caches !== null;
  if (walksAlways && options.engine === 'wasm')
    throw new MachineError('engine', "wasm needs a TLB or memory without caches: tlb 'none' with caches walks at each access");
  if (options.engine === 'wasm' && !canTranslate())
    throw new MachineError('engine', 'this host does not compile WebAssembly with vectors and tail calls, or not here');
  const counts = fidelity === 'measured' && caches !== null;
  const findsHits = counts && tlb !== null && hasHitPaths(tlb, caches);
  if (counts && !walksAlways && !findsHits && options.engine === 'wasm')
    throw new MachineError(
      'engine',
      `wasm at measured fidelity needs models that say what hits, which ${tlb?.name} and ${caches.name} do not`,
    );
  const engine = options.engine ?? ((counts && !findsHits) || walksAlways || !canTranslate() ? 'interpreter' : 'wasm');
  return {
    fidelity,
    tlb,
    transparent,
    caches,
    profile: caches === null ? profile : identified(profile, caches),
    engine,
    findsHits: findsHits && engine === 'wasm',
  };
};

/** What the models keep behind guest memory, from `offset` on. */
export const tailBytes = ({ caches }: MemoryModels, offset: number): number =>
  caches === null ? 0 : coherencyBytes(caches, offset) + hitPathBytes(caches, LINE_TABLE_BYTES);

/** How code finds the models' hits by itself, if it does. */
export const hitPathsOf = (
  { findsHits, tlb, caches }: MemoryModels,
  memory: GuestMemory,
  mmu: Vmsav7,
  coherency: CoherencyMap | null,
): { readonly hitPaths?: HitPaths } =>
  findsHits && tlb !== null && caches !== null && coherency !== null
    ? {
        hitPaths: hitPaths({
          memory,
          offset: memory.tailOffset + coherencyBytes(caches, memory.tailOffset),
          room: LINE_TABLE_BYTES,
          mmu,
          coherency,
          tlb,
        }),
      }
    : {};

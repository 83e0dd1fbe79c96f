export type { PackedAttributes } from './attributes.js';
export {
  attributeByte,
  attributeInner,
  attributeOuter,
  attributeOuterShareable,
  attributeSh,
  attributeShareable,
  attributeType,
} from './attributes.js';
export { CoherencyMap, type CoherencyOptions, coherencyBytes } from './coherency/coherency-map.js';
export type {
  Cache,
  CacheEvictionSink,
  CacheHierarchy,
  CacheHits,
  CacheLine,
  CacheReplacement,
  CacheUnit,
  Tlb,
  TlbEvictionSink,
  TlbHits,
  TlbReplacement,
  TlbSide,
  WalkCache,
  WalkLevel,
} from './contracts/index.js';
export {
  CACHE_CONTRACT,
  CACHE_FILLED,
  CACHE_HIT,
  CACHE_L1_DATA,
  CACHE_L1_INSTRUCTION,
  CACHE_L2,
  CACHE_PASSED,
  TLB_CONTRACT,
  TLB_ENTRY_GLOBAL,
  TLB_ENTRY_LOCKED,
  TLB_ENTRY_VALID,
  TLB_ENTRY_WHOLE_SHIFT,
  TLB_ENTRY_WORDS,
  TLB_SIDE_BOTH,
  TLB_SIDE_DATA,
  TLB_SIDE_INSTRUCTION,
} from './contracts/index.js';
export { CORTEX_A15_SCTLR_RESET, CORTEX_A15_SCTLR_WRITABLE } from './control-bits.js';
export type { WalkExplanation, WalkMapping, WalkStep } from './explain.js';
export { type HitPathParts, hasHitPaths, hitPathBytes, hitPaths } from './hit-paths.js';
export { MmuError } from './mmu-error.js';
export type { CacheHierarchyOptions } from './models/cache-hierarchy.js';
export { cacheHierarchy } from './models/cache-hierarchy.js';
export type { CoreCacheParameters, CoreModel, CoreModelName } from './models/core-models.js';
export { coreCaches, coreModels, coreTlb } from './models/core-models.js';
export { noneCache, noneCaches, noneTlb } from './models/none.js';
export type { ReplacementPolicy } from './models/replacement.js';
export type { RetainForeverCacheOptions } from './models/retain-forever-cache.js';
export { retainForeverCache } from './models/retain-forever-cache.js';
export type { RetainForeverTlbOptions } from './models/retain-forever-tlb.js';
export { retainForeverTlb } from './models/retain-forever-tlb.js';
export type { SetAssociativeCacheOptions } from './models/set-associative-cache.js';
export { setAssociativeCache } from './models/set-associative-cache.js';
export type { TlbArrayOptions } from './models/tlb-array.js';
export type { FullyAssociativeTlbOptions, HierarchyTlbOptions, SetAssociativeTlbOptions } from './models/tlb-models.js';
export { fullyAssociativeTlb, hierarchyTlb, setAssociativeTlb } from './models/tlb-models.js';
export type { Vmsav7Options } from './vmsav7.js';
export { Vmsav7 } from './vmsav7.js';
export type { DescriptorKind, WalkRecorder } from './walk-state.js';

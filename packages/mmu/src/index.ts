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
export type {
  Cache,
  CacheEvictionSink,
  CacheLine,
  CacheReplacement,
  Tlb,
  TlbEvictionSink,
  TlbReplacement,
} from './contracts/index.js';
export {
  CACHE_CONTRACT,
  TLB_CONTRACT,
  TLB_ENTRY_GLOBAL,
  TLB_ENTRY_VALID,
  TLB_ENTRY_WORDS,
} from './contracts/index.js';
export { CORTEX_A15_SCTLR_RESET, CORTEX_A15_SCTLR_WRITABLE } from './control-bits.js';
export type { WalkExplanation, WalkMapping, WalkStep } from './explain.js';
export { MmuError } from './mmu-error.js';
export { noneCache, noneTlb } from './models/none.js';
export type { Vmsav7Options } from './vmsav7.js';
export { Vmsav7 } from './vmsav7.js';
export type { DescriptorKind, WalkRecorder } from './walk-state.js';

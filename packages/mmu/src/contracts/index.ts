export type { Cache, CacheEvictionSink, CacheHierarchy, CacheLine, CacheReplacement, CacheUnit, WalkLevel } from './cache.js';
export { CACHE_CONTRACT, CACHE_FILLED, CACHE_HIT, CACHE_L1_DATA, CACHE_L1_INSTRUCTION, CACHE_L2, CACHE_PASSED } from './cache.js';
export type { CacheHits, TlbHits } from './hits.js';
export type { Tlb, TlbEvictionSink, TlbReplacement, TlbSide, WalkCache } from './tlb.js';
export {
  TLB_CONTRACT,
  TLB_ENTRY_GLOBAL,
  TLB_ENTRY_LOCKED,
  TLB_ENTRY_VALID,
  TLB_ENTRY_WHOLE_SHIFT,
  TLB_ENTRY_WORDS,
  TLB_SIDE_BOTH,
  TLB_SIDE_DATA,
  TLB_SIDE_INSTRUCTION,
} from './tlb.js';

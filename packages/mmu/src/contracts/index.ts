export type { Cache, CacheEvictionSink, CacheLine, CacheReplacement } from './cache.js';
export { CACHE_CONTRACT } from './cache.js';
export type { Tlb, TlbEvictionSink, TlbReplacement } from './tlb.js';
export { TLB_CONTRACT, TLB_ENTRY_GLOBAL, TLB_ENTRY_VALID, TLB_ENTRY_WORDS } from './tlb.js';

export { cacheConformance } from './cache-kit.js';
export type { ConformanceCase, ConformanceOptions } from './conformance.js';
export { ConformanceError, runConformance } from './conformance.js';
export { cacheHierarchyConformance } from './hierarchy-kit.js';
export { tlbConformance } from './tlb-kit.js';

import type { ObjectCachePlugin } from '../object-cache.js';
import type { AllocatorPlugin } from '../page-allocator.js';
import { type AllocatorConformanceOptions, allocatorCases, type ConformanceCase, type ConformanceFailure } from './allocator-cases.js';
import { ConformanceError } from './conformance-error.js';
import { type ObjectCacheConformanceOptions, objectCacheCases } from './object-cases.js';

export type { AllocatorConformanceOptions, ConformanceCase, ConformanceFailure } from './allocator-cases.js';
export { allocatorCases } from './allocator-cases.js';
export type { WordsFactory } from './allocator-rig.js';
export type { Invariant } from './conformance-error.js';
export { ConformanceError, invariants } from './conformance-error.js';
export { GuardedWords } from './guarded-words.js';
export type { ObjectCacheConformanceOptions } from './object-cases.js';
export { objectCacheCases } from './object-cases.js';

/** How a test runner takes a test: `it` of vitest, jest and mocha, `test` of node:test. */
export type DefineTest = (name: string, run: () => void) => unknown;

function failures(cases: readonly ConformanceCase[]): ConformanceFailure[] {
  const failed: ConformanceFailure[] = [];
  for (const { name, run } of cases) {
    try {
      run();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      failed.push({ name, error: error instanceof ConformanceError ? error : new ConformanceError('answer', `threw ${message}`, error) });
    }
  }
  return failed;
}

/** Defines a runner's tests for a page-range allocator. */
export function testAllocator(plugin: AllocatorPlugin, test: DefineTest, options?: AllocatorConformanceOptions): void {
  for (const { name, run } of allocatorCases(plugin, options)) test(`${plugin.name}: ${name}`, run);
}

/** Runs every test of a page-range allocator without a runner; what failed. */
export function verifyAllocator(plugin: AllocatorPlugin, options?: AllocatorConformanceOptions): ConformanceFailure[] {
  return failures(allocatorCases(plugin, options));
}

/** Defines a runner's tests for an object cache. */
export function testObjectCache(plugin: ObjectCachePlugin, test: DefineTest, options?: ObjectCacheConformanceOptions): void {
  for (const { name, run } of objectCacheCases(plugin, options)) test(`${plugin.name}: ${name}`, run);
}

/** Runs every test of an object cache without a runner; what failed. */
export function verifyObjectCache(plugin: ObjectCachePlugin, options?: ObjectCacheConformanceOptions): ConformanceFailure[] {
  return failures(objectCacheCases(plugin, options));
}

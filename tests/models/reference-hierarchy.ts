import { CACHE_HIT, CACHE_PASSED, type CoreCacheParameters } from '@tablewalk/mmu';
import { ReferenceCache, type Report } from './reference-cache.js';

export type HierarchyShape = Omit<CoreCacheParameters, 'retainedData'>;

/** Two levels of caches, written to be read: what `cacheHierarchy` says in its documentation, over reference caches. */
export class ReferenceHierarchy {
  readonly instruction: ReferenceCache | null;
  readonly data: ReferenceCache | null;
  readonly unified: ReferenceCache | null;
  private readonly shape: HierarchyShape;
  private readonly report: (...report: Report) => void;
  /** Lines that an L1 has written back and the L2 has not got yet. */
  private underWay: number[] = [];
  /** Why the L2 is losing lines. */
  private reason: 'eviction' | 'invalidation' = 'eviction';
  /** The L1s are losing what the L2 lost: what they write back has nowhere to go but memory. */
  private following = false;

  constructor(shape: HierarchyShape, report: (...report: Report) => void) {
    this.shape = shape;
    this.report = report;
    const fromL1 = (...[kind, pa, unit]: Report): void => {
      report(kind, pa, unit);
      if (kind !== 'written back') return;
      if (this.following) report('written back', pa, 2);
      else this.underWay.push(pa);
    };
    const fromL2 = (...[kind, pa, unit]: Report): void => {
      report(kind, pa, unit);
      if (kind !== 'written back' && shape.inclusive) this.follow(pa);
    };
    this.instruction = shape.instruction ? new ReferenceCache({ ...shape.instruction, unit: 0 }, fromL1) : null;
    this.data = shape.data ? new ReferenceCache({ ...shape.data, unit: 1 }, fromL1) : null;
    this.unified = shape.unified ? new ReferenceCache({ ...shape.unified, unit: 2 }, fromL2) : null;
  }

  access(va: number, pa: number, kind: 'read' | 'write' | 'fetch', attributes: number): number {
    return this.through(kind === 'fetch' ? this.instruction : this.data, va, pa, kind === 'write', attributes);
  }

  walk(pa: number, attributes: number): number {
    if (this.shape.walks === 'memory') return 3;
    return this.through(this.shape.walks === 'l1d' ? this.data : null, pa, pa, false, attributes);
  }

  /** DCCMVAU, DCCMVAC, DCIMVAC, DCCIMVAC. */
  maintain(va: number, pa: number, point: 'unification' | 'coherency', clean: boolean, invalidate: boolean): void {
    const levels = point === 'unification' ? this.shape.levelOfUnification : this.shape.levelOfCoherency;
    if (levels >= 1) this.data?.maintain(va, pa, clean, invalidate);
    this.arrive();
    if (levels < 2) return;
    this.reason = clean ? 'eviction' : 'invalidation';
    this.unified?.maintain(va, pa, clean, invalidate);
    this.reason = 'eviction';
  }

  maintainAt(level: number, set: number, way: number, clean: boolean, invalidate: boolean): void {
    if (level > this.shape.levelOfCoherency) return;
    this.reason = clean ? 'eviction' : 'invalidation';
    if (level === 1) this.data?.maintainAt(set, way, clean, invalidate);
    if (level === 2) this.unified?.maintainAt(set, way, clean, invalidate);
    this.reason = 'eviction';
    this.arrive();
  }

  evictOne(random: number): boolean {
    const caches = this.caches();
    for (let i = 0; i < caches.length; i++) {
      const cache = caches[(random + i) % caches.length] as ReferenceCache;
      if (!cache.evictOne(Math.floor(random / caches.length))) continue;
      this.arrive();
      return true;
    }
    return false;
  }

  caches(): ReferenceCache[] {
    return [this.instruction, this.data, this.unified].filter((cache) => cache !== null);
  }

  private through(l1: ReferenceCache | null, va: number, pa: number, write: boolean, attributes: number): number {
    const innerCacheable = ((attributes >> 2) & 3) !== 0;
    let passed = write;
    if (l1 !== null && innerCacheable) {
      const result = l1.access(va, pa, write, attributes);
      if (result === CACHE_HIT) return 1;
      this.arrive();
      passed = (result & CACHE_PASSED) !== 0;
      if ((result & CACHE_HIT) !== 0) {
        this.below(va, pa, passed, attributes);
        return 1;
      }
    }
    return this.below(va, pa, passed, attributes);
  }

  private below(va: number, pa: number, write: boolean, attributes: number): number {
    const outerCacheable = ((attributes >> 4) & 3) !== 0;
    if (this.unified === null || !outerCacheable) return 3;
    return (this.unified.access(va, pa, write, attributes) & CACHE_HIT) !== 0 ? 2 : 3;
  }

  /** What is under way arrives in the L2, as write-back write-allocate; what the L2 does not keep goes to memory. */
  private arrive(): void {
    for (const pa of this.underWay) {
      if (this.unified !== null && (this.unified.access(pa, pa, true, 0x16) & CACHE_PASSED) !== 0) this.report('written back', pa, 2);
    }
    this.underWay = [];
  }

  private follow(pa: number): void {
    this.following = true;
    for (const l1 of [this.instruction, this.data]) {
      if (l1 === null) continue;
      const inside = l1.lines().filter((line) => line.pa >= pa && line.pa < pa + (this.unified as ReferenceCache).lineLength);
      inside.sort((a, b) => a.pa - b.pa || a.set - b.set);
      for (const { set, way } of inside) l1.maintainAt(set, way, this.reason === 'eviction', true);
    }
    this.following = false;
  }
}

import { CACHE_FILLED, CACHE_HIT, CACHE_PASSED, type CacheUnit, type SetAssociativeCacheOptions } from '@tablewalk/mmu';
import { ReferenceReplacement, Xorshift } from './reference-replacement.js';

interface Line {
  readonly pa: number;
  dirty: boolean;
}

export type Report = readonly ['written back' | 'dropped' | 'lost', number, CacheUnit];

/** A cache of sets and ways, written to be read: what `setAssociativeCache` says in its documentation, over lists of objects. */
export class ReferenceCache {
  readonly sets: (Line | null)[][];
  readonly lineLength: number;
  readonly unit: CacheUnit;
  private readonly options: SetAssociativeCacheOptions;
  private readonly replacement: ReferenceReplacement[];
  readonly report: (...report: Report) => void;

  constructor(options: SetAssociativeCacheOptions, report: (...report: Report) => void) {
    this.options = options;
    this.unit = options.unit ?? 1;
    this.report = report;
    this.lineLength = options.lineLength;
    const generator = new Xorshift(options.seed ?? 1);
    this.sets = Array.from({ length: options.byteLength / options.ways / options.lineLength }, () =>
      Array.from({ length: options.ways }, () => null),
    );
    this.replacement = this.sets.map(() => new ReferenceReplacement(options.replacement ?? 'random', options.ways, generator));
  }

  access(va: number, pa: number, write: boolean, attributes: number): number {
    const cacheability = (attributes >> (this.unit === 2 ? 4 : 2)) & 3;
    const memory = (['non-cacheable', 'write-back write-allocate', 'write-through', 'write-back'] as const)[cacheability];
    if (memory === 'non-cacheable' || (memory === 'write-through' && this.options.writeThrough === false)) return write ? CACHE_PASSED : 0;
    const writesBack = (this.options.writeBack ?? true) && memory !== 'write-through';
    const allocatesOnWrite = writesBack && (this.options.writeAllocate ?? true) && memory === 'write-back write-allocate';

    const [set, way] = this.locate(va, pa);
    const ways = this.sets[set];
    const line = ways[way];
    if (line) {
      this.replacement[set].hit(way);
      if (!write) return CACHE_HIT;
      if (!writesBack) return CACHE_HIT | CACHE_PASSED;
      line.dirty = true;
      return CACHE_HIT;
    }
    if (write && !allocatesOnWrite) return CACHE_PASSED;
    let place = ways.indexOf(null);
    if (place < 0) {
      place = this.replacement[set].victim(() => true);
      this.remove(set, place, true);
    }
    ways[place] = { pa: this.firstOf(pa), dirty: write };
    this.replacement[set].filled(place);
    return CACHE_FILLED;
  }

  maintain(va: number, pa: number, clean: boolean, invalidate: boolean): void {
    const [set, way] = this.locate(va, pa);
    if (way >= 0) this.maintainAt(set, way, clean, invalidate);
  }

  maintainAt(set: number, way: number, clean: boolean, invalidate: boolean): void {
    const line = this.sets[set]?.[way];
    if (!line) return;
    if (invalidate) this.remove(set, way, clean);
    else if (clean) this.clean(line);
  }

  invalidateAll(): void {
    for (const [set, ways] of this.sets.entries()) for (const way of ways.keys()) this.maintainAt(set, way, false, true);
  }

  evictOne(random: number): boolean {
    const held = this.lines();
    if (held.length === 0) return false;
    const { set, way } = held[random % held.length];
    this.remove(set, way, true);
    return true;
  }

  lines(): { set: number; way: number; pa: number; dirty: boolean }[] {
    return this.sets.flatMap((ways, set) => ways.flatMap((line, way) => (line === null ? [] : [{ set, way, ...line }])));
  }

  private firstOf(pa: number): number {
    return Math.floor(pa / this.lineLength) * this.lineLength;
  }

  /** The set, and the way that holds the line or -1. */
  private locate(va: number, pa: number): [number, number] {
    const set = Math.floor((this.options.virtuallyIndexed ? va : pa) / this.lineLength) % this.sets.length;
    return [set, this.sets[set].findIndex((line) => line?.pa === this.firstOf(pa))];
  }

  private clean(line: Line): void {
    if (!line.dirty) return;
    line.dirty = false;
    this.report('written back', line.pa, this.unit);
  }

  private remove(set: number, way: number, clean: boolean): void {
    const line = this.sets[set][way] as Line;
    if (clean) this.clean(line);
    this.sets[set][way] = null;
    this.report(line.dirty ? 'lost' : 'dropped', line.pa, this.unit);
  }
}

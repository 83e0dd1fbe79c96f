import type { Cache, CacheEvictionSink } from '@tablewalk/mmu';
import { Random } from '../support/random.js';
import type { ReferenceCache, Report } from './reference-cache.js';

/** By policy: write-back write-allocate (often), write-back, write-through, non-cacheable. */
const ATTRIBUTES = [0x16, 0x16, 0x16, 0x3e, 0x2a, 0x02];

/** As `compareTlb`: the same random work for a cache and its reference; results, reports and lines compared. */
export function compareCache(
  cache: Cache,
  makeReference: (report: (...report: Report) => void) => ReferenceCache,
  seed: number,
  accesses: number,
): { accesses: number; hits: number } {
  const random = new Random(seed);
  const ours: Report[] = [];
  const theirs: Report[] = [];
  const sink: CacheEvictionSink = {
    writtenBack: (pa, unit) => ours.push(['written back', pa, unit]),
    dropped: (pa, dirty, unit) => ours.push([dirty ? 'lost' : 'dropped', pa, unit]),
  };
  const reference = makeReference((...report) => theirs.push(report));
  let done = 0;
  let hits = 0;
  let text = '';
  const differ = (what: string, a: unknown, b: unknown): never => {
    throw new Error(`access ${done} (${text}): ${what} is ${JSON.stringify(a)}, the reference's ${JSON.stringify(b)}`);
  };
  const bytes = cache.setCount * cache.wayCount * 2 ** cache.lineSizeLog2;
  const compareLines = (): void => {
    const [a, b] = [[...cache.lines()], reference.lines()];
    if (JSON.stringify(a) !== JSON.stringify(b)) differ('lines', a, b);
  };
  while (done < accesses) {
    // Three times what the cache holds, with a part that is used more.
    const offset = random.below(2) === 0 ? random.below(bytes / 2) : random.below(bytes * 3);
    const pa = (random.below(16) === 0 ? 2 ** 34 : 0) + 0x40000000 + offset;
    const va = (0x80000000 + offset + random.below(4) * 0x1000) % 2 ** 32;
    const choice = random.below(1000);
    if (choice < 970) {
      done++;
      const write = random.below(3) === 0;
      const attributes = ATTRIBUTES[random.below(ATTRIBUTES.length)];
      text = `${write ? 'write' : 'read'} va ${va.toString(16)} pa ${pa.toString(16)} attributes ${attributes}`;
      const [a, b] = [cache.access(va, pa, write, attributes, sink), reference.access(va, pa, write, attributes)];
      if (a !== b) differ('result', a, b);
      if ((a & 1) !== 0) hits++;
    } else if (choice < 990) {
      const kind = (['clean', 'invalidate', 'cleanInvalidate'] as const)[random.below(3)];
      text = `${kind} va ${va.toString(16)} pa ${pa.toString(16)}`;
      cache[kind](va, pa, sink);
      reference.maintain(va, pa, kind !== 'invalidate', kind !== 'clean');
    } else if (choice < 997) {
      const kind = (['clean', 'invalidate', 'cleanInvalidate'] as const)[random.below(3)];
      const [set, way] = [random.below(cache.setCount + 1), random.below(cache.wayCount + 1)];
      text = `${kind} set ${set} way ${way}`;
      cache[`${kind}SetWay`](set, way, sink);
      reference.maintainAt(set, way, kind !== 'invalidate', kind !== 'clean');
    } else if (choice < 999) {
      const word = random.u32();
      text = `evictOne ${word}`;
      const [a, b] = [cache.evictOne(word, sink), reference.evictOne(word)];
      if (a !== b) differ('whether something went', a, b);
    } else if (random.below(50) === 0) {
      text = 'invalidateAll';
      cache.invalidateAll(sink);
      reference.invalidateAll();
    }
    if (ours.length !== theirs.length) differ('the reports', ours, theirs);
    for (let i = 0; i < ours.length; i++) {
      const [a, b] = [ours[i], theirs[i]];
      if (a[0] !== b[0] || a[1] !== b[1] || a[2] !== b[2]) differ('a report', a, b);
    }
    ours.length = 0;
    theirs.length = 0;
    if (done % 4096 === 0) compareLines();
  }
  compareLines();
  return { accesses: done, hits };
}

import type { CacheEvictionSink, CacheHierarchy } from '@tablewalk/mmu';
import { Random } from '../support/random.js';
import type { Report } from './reference-cache.js';
import { type HierarchyShape, ReferenceHierarchy } from './reference-hierarchy.js';

/** Inner and outer policy: mostly write-back write-allocate; others, and some of which a level holds nothing. */
const ATTRIBUTES = [0x16, 0x16, 0x16, 0x16, 0x3e, 0x2a, 0x12, 0x06, 0x02];
const KINDS = ['read', 'write', 'fetch'] as const;
const OPERATIONS = ['clean', 'invalidate', 'cleanInvalidate'] as const;

/** As `compareCache`, for a hierarchy. */
export function compareHierarchy(
  caches: CacheHierarchy,
  shape: HierarchyShape,
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
  const reference = new ReferenceHierarchy(shape, (...report) => theirs.push(report));
  const present = [caches.instruction, caches.data, caches.unified].filter((cache) => cache !== null);
  const bytes = Math.max(...present.map((cache) => cache.setCount * cache.wayCount * 2 ** cache.lineSizeLog2));
  const smallest = Math.min(...present.map((cache) => cache.setCount * cache.wayCount * 2 ** cache.lineSizeLog2));
  let done = 0;
  let hits = 0;
  let text = '';
  const differ = (what: string, a: unknown, b: unknown): never => {
    throw new Error(`access ${done} (${text}): ${what} is ${JSON.stringify(a)}, the reference's ${JSON.stringify(b)}`);
  };
  const compareLines = (): void => {
    const [a, b] = [present.map((cache) => [...cache.lines()]), reference.caches().map((cache) => cache.lines())];
    if (JSON.stringify(a) !== JSON.stringify(b)) differ('lines', a, b);
  };
  while (done < accesses) {
    const offset = random.below(2) === 0 ? random.below(smallest) : random.below(bytes * 2);
    const pa = 0x40000000 + offset;
    const va = (0x80000000 + offset + random.below(4) * 0x1000) % 2 ** 32;
    const attributes = random.pick(ATTRIBUTES);
    const choice = random.below(1000);
    if (choice < 950) {
      done++;
      const kind = random.below(20) === 0 ? 'walk' : random.pick(KINDS);
      text = `${kind} va ${va.toString(16)} pa ${pa.toString(16)} attributes ${attributes}`;
      const code = kind === 'read' ? 0 : kind === 'write' ? 1 : 2;
      const a = kind === 'walk' ? caches.walk(pa, attributes, sink) : caches.access(va, pa, code, attributes, sink);
      const b = kind === 'walk' ? reference.walk(pa, attributes) : reference.access(va, pa, kind, attributes);
      if (a !== b) differ('level', a, b);
      if (a < 3) hits++;
    } else if (choice < 980) {
      const name = random.pick(['cleanToUnification', 'cleanToCoherency', 'invalidateToCoherency', 'cleanInvalidateToCoherency'] as const);
      text = `${name} va ${va.toString(16)} pa ${pa.toString(16)}`;
      caches[name](va, pa, sink);
      const [clean, invalidate] = [name !== 'invalidateToCoherency', name.toLowerCase().includes('invalidate')];
      reference.maintain(va, pa, name === 'cleanToUnification' ? 'unification' : 'coherency', clean, invalidate);
    } else if (choice < 985) {
      text = `invalidateInstruction va ${va.toString(16)} pa ${pa.toString(16)}`;
      caches.invalidateInstruction(va, pa, sink);
      reference.instruction?.maintain(va, pa, false, true);
    } else if (choice < 995) {
      const name = random.pick(OPERATIONS);
      const [level, set, way] = [random.below(3) + 1, random.below(16), random.below(4)];
      text = `${name} level ${level} set ${set} way ${way}`;
      caches[`${name}SetWay`](level, set, way, sink);
      reference.maintainAt(level, set, way, name !== 'invalidate', name !== 'clean');
    } else if (choice < 999) {
      const word = random.u32();
      text = `evictOne ${word}`;
      const [a, b] = [caches.evictOne(word, sink), reference.evictOne(word)];
      if (a !== b) differ('whether something went', a, b);
    } else if (random.below(20) === 0) {
      text = 'invalidateInstructionAll';
      caches.invalidateInstructionAll(sink);
      reference.instruction?.invalidateAll();
    }
    const same = ours.length === theirs.length && ours.every((report, i) => report.every((item, k) => item === theirs[i]?.[k]));
    if (!same) differ('the reports', ours, theirs);
    ours.length = 0;
    theirs.length = 0;
    if (done % 16384 === 0) compareLines();
  }
  compareLines();
  return { accesses: done, hits };
}

import { describe, expect, it } from 'vitest';
import { CACHE_HIT, CACHE_L1_INSTRUCTION, CACHE_L2, type Cache, type CacheEvictionSink, type CacheHierarchy } from '../contracts/cache.js';
import { cacheHierarchy } from '../models/cache-hierarchy.js';
import { setAssociativeCache } from '../models/set-associative-cache.js';
import { failures, faulty } from '../test-support/faulty.js';
import { cacheConformance, cacheHierarchyConformance } from './index.js';

const deaf: CacheEvictionSink = { writtenBack: () => {}, dropped: () => {} };
const cache = (): Cache => setAssociativeCache({ byteLength: 2048, ways: 4, lineLength: 32, replacement: 'lru' });
const virtual = (): Cache => setAssociativeCache({ byteLength: 32768, ways: 2, lineLength: 64, virtuallyIndexed: true });

const SHAPE = 'speaks this contract and is new each time';
const ACCESS = 'a miss fills and a hit hits, by line';
const POLICY = 'writes follow the policy of the cache and of the memory';
const ADDRESS = 'maintenance by address cleans, invalidates, or both';
const SET_WAY = 'maintenance by set and way reaches every line, and no other';
const INDEX = 'the index is virtual or physical as declared';
const REPORTS = 'no line leaves and no dirty byte moves without a report';
const SAME = 'the same history gives the same answers; looking changes nothing';
const SNAPSHOT = 'a restored snapshot goes on as the original does';
const REPLACEMENT = 'the declared replacement is the one that it has';
const EVICT = 'evictOne gives up everything, one by one';
const RESET = 'reset is as new';
const COUNTERS = 'counters count';
const HITS = 'hits that code finds by itself are those that it has';

/** A sink that keeps some of the reports to itself or changes them. */
const through = (sink: CacheEvictionSink, change: Partial<CacheEvictionSink>): CacheEvictionSink => ({
  writtenBack: (pa, unit) => sink.writtenBack(pa, unit),
  dropped: (pa, dirty, unit) => sink.dropped(pa, dirty, unit),
  ...change,
});

const recent = (): Cache => setAssociativeCache({ byteLength: 2048, ways: 2, lineLength: 32, replacement: 'lru' });

const faults: [string, string, () => Cache, (sound: Cache) => Partial<Cache>][] = [
  ['lines that go and nobody hears of', HITS, recent, ({ hits }) => ({ hits: { ...hits!, listener: null } })],
  ['an order of use that hits do not change', HITS, recent, ({ hits }) => ({ hits: { ...hits!, placePairs: () => {} } })],
  ['hits that are not counted', HITS, virtual, ({ hits }) => ({ hits: { ...hits!, hit: () => {} } })],
  ['another contract', SHAPE, cache, () => ({ contract: 1 as never })],
  ['colours that its geometry does not have', SHAPE, virtual, () => ({ colourCount: 1 })],
  ['never a hit', ACCESS, cache, (c) => ({ access: (va, pa, w, a, s) => c.access(va, pa, w, a, s) & ~CACHE_HIT })],
  [
    'lines of half the length',
    ACCESS,
    cache,
    (c) => ({ access: (va, pa, w, a, s) => c.access(va, pa % 32 < 16 ? pa : pa + 2048, w, a, s) }),
  ],
  ['PAs of 32 bits', ACCESS, cache, (c) => ({ access: (va, pa, w, a, s) => c.access(va, pa % 2 ** 32, w, a, s) })],
  ['write-through memory is written back', POLICY, cache, (c) => ({ access: (va, pa, w, _a, s) => c.access(va, pa, w, 0x16, s) })],
  [
    'a write hit stays clean',
    POLICY,
    cache,
    (c) => ({ access: (va, pa, w, a, s) => c.access(va, pa, w && c.access(va, pa, false, a, s) !== CACHE_HIT, a, s) }),
  ],
  [
    'says that it allocates on writes',
    POLICY,
    () => setAssociativeCache({ byteLength: 2048, ways: 4, lineLength: 32, writeAllocate: false }),
    () => ({ writeAllocate: true }),
  ],
  ['DCCMVAC does nothing', ADDRESS, cache, () => ({ clean: () => {} })],
  ['DCIMVAC cleans first', ADDRESS, cache, (c) => ({ invalidate: (va, pa, s) => c.cleanInvalidate(va, pa, s) })],
  ['DCCIMVAC leaves the line', ADDRESS, cache, (c) => ({ cleanInvalidate: (va, pa, s) => c.clean(va, pa, s) })],
  [
    'DCCIMVAC loses dirty bytes',
    ADDRESS,
    cache,
    (c) => ({ cleanInvalidate: (va, pa, s) => c.invalidate(va, pa, through(s, { dropped: (p, _d, u) => s.dropped(p, false, u) })) }),
  ],
  [
    'DCCMVAC needs the first byte of the line',
    ADDRESS,
    cache,
    (c) => ({
      clean: (va, pa, s) => {
        if (pa % 32 === 0) c.clean(va, pa, s);
      },
    }),
  ],
  [
    'DCISW misses the last way',
    SET_WAY,
    cache,
    (c) => ({
      invalidateSetWay: (set, way, s) => {
        if (way < 3) c.invalidateSetWay(set, way, s);
      },
    }),
  ],
  [
    'DCCSW wraps a set that is not there',
    SET_WAY,
    cache,
    (c) => ({ cleanInvalidateSetWay: (set, way, s) => c.cleanInvalidateSetWay(set & 15, way, s) }),
  ],
  [
    'a set/way operation on all ways',
    SET_WAY,
    cache,
    (c) => ({
      invalidateSetWay: (set, _way, s) => {
        for (let way = 0; way < 4; way++) c.invalidateSetWay(set, way, s);
      },
    }),
  ],
  [
    'VIPT that looks by PA in maintenance',
    INDEX,
    virtual,
    (c) => ({ invalidate: (_va, pa, s) => c.invalidate(0xc0000000 + (pa & 0xfff), pa, s) }),
  ],
  ['an eviction without a report', REPORTS, cache, (c) => ({ access: (va, pa, w, a) => c.access(va, pa, w, a, deaf) })],
  [
    'a dirty victim is not written back',
    REPORTS,
    cache,
    (c) => ({ access: (va, pa, w, a, s) => c.access(va, pa, w, a, through(s, { writtenBack: () => {} })) }),
  ],
  [
    'a victim of another address',
    REPORTS,
    cache,
    (c) => ({ access: (va, pa, w, a, s) => c.access(va, pa, w, a, through(s, { dropped: (p, d, u) => s.dropped(p + 32, d, u) })) }),
  ],
  [
    'a lost line says that it was clean',
    REPORTS,
    cache,
    (c) => ({ invalidate: (va, pa, s) => c.invalidate(va, pa, through(s, { dropped: (p, _d, u) => s.dropped(p, false, u) })) }),
  ],
  [
    'reports of another unit',
    REPORTS,
    cache,
    (c) => ({ access: (va, pa, w, a, s) => c.access(va, pa, w, a, through(s, { dropped: (p, d) => s.dropped(p, d, CACHE_L2) })) }),
  ],
  ['lines() without an order', SAME, cache, (c) => ({ lines: () => [...c.lines()].reverse() })],
  [
    'a snapshot that is a view',
    SNAPSHOT,
    cache,
    (c) => {
      const tags: unknown[] = [];
      return {
        snapshot: () => {
          tags.push(0);
          return { ...c.snapshot(), data: { ...(c.snapshot().data as object), tags } };
        },
      };
    },
  ],
  [
    'restore forgets what is dirty',
    SNAPSHOT,
    cache,
    (c) => ({ restore: (s) => c.restore({ ...s, data: { ...(s.data as object), dirty: new Uint8Array(64) } }) }),
  ],
  ['any snapshot is restored', SNAPSHOT, cache, (c) => ({ restore: (s) => c.restore({ ...c.snapshot(), data: s.data }) })],
  ['lru that says fifo', REPLACEMENT, cache, () => ({ replacement: 'fifo' })],
  ['evictOne throws dirty bytes away', EVICT, cache, (c) => ({ evictOne: (r, s) => c.evictOne(r, through(s, { writtenBack: () => {} })) })],
  ['evictOne that never does', EVICT, cache, () => ({ evictOne: () => true })],
  [
    'reset forgets the replacement state',
    RESET,
    () => setAssociativeCache({ byteLength: 2048, ways: 4, lineLength: 32 }),
    (c) => ({
      reset(s) {
        c.invalidateAll(s);
        c.resetStats();
      },
    }),
  ],
  ['reset without a report', RESET, cache, (c) => ({ reset: () => c.reset(deaf) })],
  ['counters that stand still', COUNTERS, cache, () => ({ stats: () => ({ reads: 0 }) })],
];

describe('faults of a cache', () => {
  it.each([cache, virtual])('the sound model passes', (make) => {
    expect(failures(cacheConformance(make, { steps: 300 }))).toEqual([]);
  });
  it.each(faults)('%s: fails "%s"', (_name, expected, make, fault) => {
    const cases = cacheConformance(() => faulty(make(), fault), { steps: 600 });
    expect(failures(cases.filter(({ name }) => name === expected))).toEqual([expected]);
  });
});

const H_LEVELS = 'an access is answered by the nearest level that has it';
const H_WALKS = 'walks enter at the level that is declared';
const H_POINTS = 'maintenance by address reaches its point';
const H_SET_WAY = 'maintenance by set and way is of the level it names';
const H_INCLUSION = 'an inclusive L2 holds what the L1s hold';
const H_LOST = 'no dirty byte is lost on its way to memory';
const H_HISTORY = 'the same history gives the same answers, after a snapshot and after reset too';

const hierarchy = (inclusive = false): CacheHierarchy =>
  cacheHierarchy({
    instruction: setAssociativeCache({ byteLength: 1024, ways: 2, lineLength: 32, unit: CACHE_L1_INSTRUCTION, replacement: 'lru' }),
    data: setAssociativeCache({ byteLength: 1024, ways: 2, lineLength: 32, replacement: 'lru' }),
    unified: setAssociativeCache({ byteLength: 2048, ways: 4, lineLength: 64, unit: CACHE_L2, replacement: 'random' }),
    inclusive,
  });

const hierarchyFaults: [string, string, (sound: CacheHierarchy) => Partial<CacheHierarchy>][] = [
  ['fetches fill the data cache', H_LEVELS, (h) => ({ access: (va, pa, _k, a, s) => h.access(va, pa, 0, a, s) })],
  ['a level too far', H_LEVELS, (h) => ({ access: (va, pa, k, a, s) => Math.min(3, h.access(va, pa, k, a, s) + 1) })],
  ['walks pass by the L1', H_WALKS, (h) => ({ walk: (pa, a, s) => h.access(pa as number, pa, 0, a & ~0xc, s) })],
  ['walks of non-cacheable tables are cached', H_WALKS, (h) => ({ walk: (pa, _a, s) => h.walk(pa, 0x16, s) })],
  ['a clean to coherency stops at unification', H_POINTS, (h) => ({ cleanToCoherency: (va, pa, s) => h.cleanToUnification(va, pa, s) })],
  ['a clean to unification goes on to coherency', H_POINTS, (h) => ({ cleanToUnification: (va, pa, s) => h.cleanToCoherency(va, pa, s) })],
  ['an invalidate spares the L2', H_POINTS, (h) => ({ invalidateToCoherency: (va, pa, s) => h.data?.invalidate(va, pa, s) })],
  [
    'ICIMVAU takes data lines',
    H_POINTS,
    (h) => ({
      invalidateInstruction: (va, pa, s) => {
        h.instruction?.invalidate(va, pa, s);
        h.data?.cleanInvalidate(va, pa, s);
      },
    }),
  ],
  ['ICIALLU does nothing', H_POINTS, () => ({ invalidateInstructionAll: () => {} })],
  ['DCCSW of level 2 is of level 1', H_SET_WAY, (h) => ({ cleanSetWay: (_level, set, way, s) => h.cleanSetWay(1, set, way, s) })],
  [
    'what the L1 writes back vanishes',
    H_LOST,
    (h) => ({
      cleanToUnification: (va, pa, s) => h.data?.clean(va, pa, s),
      cleanInvalidateToCoherency: (va, pa, s) => h.data?.cleanInvalidate(va, pa, s),
    }),
  ],
  ['an inclusive L2 that does not tell the L1s', H_INCLUSION, () => ({ inclusive: true })],
  [
    'a snapshot without the L2',
    H_HISTORY,
    (h) => ({
      restore: (snapshot) => {
        const data = snapshot.data as { unified: unknown };
        h.restore({ ...snapshot, data: { ...data, unified: hierarchy().unified?.snapshot() } });
      },
    }),
  ],
];

describe('faults of a hierarchy', () => {
  it.each([false, true])('the sound model passes, inclusive %s', (inclusive) => {
    expect(failures(cacheHierarchyConformance(() => hierarchy(inclusive), { steps: 300 }))).toEqual([]);
  });
  it.each(hierarchyFaults)('%s: fails "%s"', (_name, expected, fault) => {
    const cases = cacheHierarchyConformance(() => faulty(hierarchy(), fault), { steps: 600 });
    expect(failures(cases.filter(({ name }) => name === expected))).toEqual([expected]);
  });
});

import { expect, it } from 'vitest';
import { TLB_ENTRY_WORDS, type Tlb, type TlbEvictionSink } from '../contracts/tlb.js';
import { retainForeverTlb } from '../models/retain-forever-tlb.js';
import { fullyAssociativeTlb, hierarchyTlb } from '../models/tlb-models.js';
import { failures, faulty } from '../test-support/faulty.js';
import { ConformanceError, runConformance, tlbConformance } from './index.js';

const deaf: TlbEvictionSink = { evicted: () => {} };
const unified = (): Tlb => fullyAssociativeTlb({ entries: 8, lockable: 3 });
const split = (): Tlb => hierarchyTlb({ main: { instruction: { entries: 8 }, data: { entries: 8 } } });
const micro = (): Tlb =>
  hierarchyTlb({
    microInstruction: { entries: 4 },
    microData: { entries: 4 },
    microPageLog2: 12,
    main: { entries: 4 },
    walkCache: { entries: 4 },
  });

const SHAPE = 'speaks this contract and is new each time';
const INSERT = 'an entry is found after it was inserted, by its address space alone';
const COVERAGE = 'maintenance takes what it covers, and nothing else';
const REPORTS = 'what is gone was reported';
const SAME = 'the same history gives the same answers; looking changes nothing';
const SNAPSHOT = 'a restored snapshot goes on as the original does';
const REPLACEMENT = 'the declared replacement is the one that it has';
const AGAIN = 'an entry that is inserted again replaces the old one';
const LOCKED = 'a locked entry stays until it is named';
const EVICT = 'evictOne gives up everything, one by one';
const RESET = 'reset is as new';
const COUNTERS = 'counters count';
const HITS = 'hits that code finds by itself are those that it has';
const WALK_FOUND = 'walk cache: a table is found in its range and address space, the nearest first';
const WALK_MAINTAINED = 'walk cache: the TLB’s maintenance covers it, never as global';
const WALK_STATE = 'walk cache: it is part of the snapshot, and evictOne takes from it';

/** Each fault, and the case that it must fail. It may fail others too. */
const faults: [string, string, () => Tlb, (sound: Tlb) => Partial<Tlb>][] = [
  ['another contract', SHAPE, unified, () => ({ contract: 1 as never })],
  ['TLBIMVA does nothing', COVERAGE, unified, () => ({ invalidateMva: () => {} })],
  ['TLBIALL does nothing', COVERAGE, micro, () => ({ invalidateAll: () => {} })],
  ['TLBIASID takes global entries', COVERAGE, unified, (t) => ({ invalidateAsid: (_asid, side, sink) => t.invalidateAll(side, sink) })],
  [
    'TLBIMVA takes every ASID',
    COVERAGE,
    unified,
    (t) => ({ invalidateMva: (va, _asid, side, sink) => t.invalidateMvaAllAsid(va, side, sink) }),
  ],
  [
    'TLBIMVA wants the ASID of a global entry',
    COVERAGE,
    unified,
    (t) => ({
      invalidateMva(va, asid, side, sink) {
        for (const o of t.entries()) if (((t.arena[o + 1] >>> 8) & 0xff) === asid) return t.invalidateMva(va, asid, side, sink);
      },
    }),
  ],
  [
    'TLBIMVA knows the first page of a mapping only',
    COVERAGE,
    unified,
    (t) => ({
      invalidateMva(va, asid, side, sink) {
        for (const o of t.entries()) if (t.arena[o] === va) return t.invalidateMva(va, asid, side, sink);
      },
    }),
  ],
  [
    'TLBIMVA takes the next page too',
    COVERAGE,
    unified,
    (t) => ({
      invalidateMva(va, asid, side, sink) {
        t.invalidateMva(va, asid, side, sink);
        t.invalidateMva(va + 4096, asid, side, sink);
      },
    }),
  ],
  [
    'TLBI* reaches the data side only',
    COVERAGE,
    split,
    (t) => ({ invalidateMva: (va, asid, side, sink) => t.invalidateMva(va, asid, side === 3 ? 2 : side, sink) }),
  ],
  ['maintenance is not reported', COVERAGE, unified, (t) => ({ invalidateMva: (va, asid, side) => t.invalidateMva(va, asid, side, deaf) })],
  ['an eviction is not reported', REPORTS, unified, (t) => ({ insert: (entry, fetch) => t.insert(entry, fetch, deaf) })],
  ['an eviction by a refill is not reported', REPORTS, micro, (t) => ({ lookup: (va, asid, fetch) => t.lookup(va, asid, fetch, deaf) })],
  [
    'every hundredth eviction is not reported',
    REPORTS,
    unified,
    (t) => {
      let count = 0;
      return { insert: (entry, fetch, sink) => t.insert(entry, fetch, count++ % 100 === 99 ? deaf : sink) };
    },
  ],
  [
    'a report of another page',
    REPORTS,
    unified,
    (t) => ({
      insert(entry, fetch, sink) {
        const wrong = new Uint32Array(TLB_ENTRY_WORDS);
        t.insert(entry, fetch, {
          evicted(arena, o) {
            wrong.set(arena.subarray(o, o + TLB_ENTRY_WORDS));
            wrong[0] += 0x1000;
            sink.evicted(wrong, 0);
          },
        });
      },
    }),
  ],
  [
    'an ASID of seven bits',
    INSERT,
    unified,
    (t) => ({ lookup: (va, asid, fetch, sink) => Math.max(t.lookup(va, asid, fetch, sink), t.lookup(va, asid ^ 15, fetch, sink)) }),
  ],
  [
    'a size of 4 KB for everything',
    INSERT,
    unified,
    (t) => ({
      insert: (entry, fetch, sink) =>
        t.insert(
          entry.map((w, i) => (i === 1 ? (w & ~0xff) | 12 : w)),
          fetch,
          sink,
        ),
    }),
  ],
  [
    'the upper word of the PA is lost',
    INSERT,
    unified,
    (t) => ({
      insert: (entry, fetch, sink) =>
        t.insert(
          entry.map((w, i) => (i === 3 ? 0 : w)),
          fetch,
          sink,
        ),
    }),
  ],
  [
    'an offset that entries() does not have',
    INSERT,
    unified,
    (t) => ({
      *entries() {
        yield* [...t.entries()].slice(1);
      },
    }),
  ],
  [
    'entries() in another order each time',
    SAME,
    unified,
    (t) => {
      let turn = false;
      return {
        entries() {
          turn = !turn;
          return turn ? t.entries() : [...t.entries()].reverse();
        },
      };
    },
  ],
  [
    'a snapshot that is a view',
    SNAPSHOT,
    unified,
    (t) => ({ snapshot: () => ({ ...t.snapshot(), data: { ...(t.snapshot().data as object), arena: t.arena } }) }),
  ],
  [
    'a snapshot without the replacement state',
    SNAPSHOT,
    unified,
    (t) => ({
      restore(snapshot) {
        const fresh = unified().snapshot().data as object & { arrays: unknown };
        t.restore({ ...snapshot, data: { ...(snapshot.data as object), arrays: fresh.arrays } });
      },
    }),
  ],
  [
    'any snapshot is restored',
    SNAPSHOT,
    unified,
    (t) => ({ restore: (s) => t.restore({ ...s, schema: t.snapshot().schema, version: 1 }) }),
  ],
  ['lru that says fifo', REPLACEMENT, () => fullyAssociativeTlb({ entries: 8, replacement: 'lru' }), () => ({ replacement: 'fifo' })],
  ['plru that says random', REPLACEMENT, () => fullyAssociativeTlb({ entries: 8, replacement: 'plru' }), () => ({ replacement: 'random' })],
  [
    'an entry beside the one it replaces',
    AGAIN,
    unified,
    (t) => ({
      insert(entry, fetch, sink) {
        if (t.lookup(entry[0], (entry[1] >>> 8) & 0xff, fetch, sink) < 0) t.insert(entry, fetch, sink);
      },
    }),
  ],
  [
    'TLBIALL takes locked entries',
    LOCKED,
    unified,
    (t) => ({
      invalidateAll(side, sink) {
        for (const o of [...t.entries()]) t.invalidateMva(t.arena[o], (t.arena[o + 1] >>> 8) & 0xff, side, sink);
      },
    }),
  ],
  [
    'an eviction takes locked entries',
    LOCKED,
    unified,
    (t) => ({
      evictOne(_random, sink) {
        for (const o of t.entries()) {
          t.invalidateMva(t.arena[o], (t.arena[o + 1] >>> 8) & 0xff, 3, sink);
          return true;
        }
        return false;
      },
    }),
  ],
  ['evictOne without a report', EVICT, unified, (t) => ({ evictOne: (random) => t.evictOne(random, deaf) })],
  ['evictOne that never does', EVICT, unified, () => ({ evictOne: () => true })],
  [
    'evictOne that stops too soon',
    EVICT,
    unified,
    (t) => ({ evictOne: (random, sink) => [...t.entries()].length > 2 && t.evictOne(random, sink) }),
  ],
  ['reset leaves locked entries', RESET, unified, (t) => ({ reset: (sink) => t.invalidateAll(3, sink) })],
  [
    'reset forgets the replacement state',
    RESET,
    () => fullyAssociativeTlb({ entries: 8, replacement: 'random' }),
    (t) => ({
      reset(sink) {
        t.invalidateAll(3, sink);
        t.resetStats();
      },
    }),
  ],
  ['counters that stand still', COUNTERS, unified, () => ({ stats: () => ({ hits: 0 }) })],
  ['counters that are not reset', COUNTERS, unified, () => ({ resetStats: () => {} })],
  [
    'a walk cache of every address space',
    WALK_FOUND,
    micro,
    (t) => ({
      walks: faulty(t.walks as object, (w) => ({
        lookup: (va: number) => (w as { lookup(va: number, asid: number): number }).lookup(va, 7),
      })) as never,
    }),
  ],
  [
    'a walk cache that is not invalidated',
    WALK_MAINTAINED,
    micro,
    (t) => ({
      invalidateMva: (va, asid, side, sink) => {
        const kept = [...(t.walks?.entries() ?? [])].map((o) => t.arena.slice(o, o + 8));
        t.invalidateMva(va, asid, side, sink);
        for (const entry of kept) t.walks?.insert(entry);
      },
    }),
  ],
  [
    'a walk cache that TLBIASID takes for global',
    WALK_MAINTAINED,
    micro,
    (t) => ({
      invalidateAsid: (asid, side, sink) => {
        const kept = [...(t.walks?.entries() ?? [])].map((o) => t.arena.slice(o, o + 8));
        t.invalidateAsid(asid, side, sink);
        for (const entry of kept) t.walks?.insert(entry);
      },
    }),
  ],
  [
    'changes of the first level that nobody hears of',
    HITS,
    micro,
    ({ hits }) => ({ hits: { instruction: faulty(hits!.instruction, () => ({ listeners: [] })), data: hits!.data } }),
  ],
  [
    'hits that are not counted',
    HITS,
    unified,
    ({ hits }) => ({ hits: { instruction: hits!.instruction, data: faulty(hits!.data, () => ({ hit: () => {} })) } }),
  ],
  [
    'hits that know no ASID',
    HITS,
    unified,
    ({ hits }) => ({ hits: { instruction: hits!.instruction, data: faulty(hits!.data, (h) => ({ entryAt: (va) => h.entryAt(va, 1) })) } }),
  ],
  [
    'a walk cache outside the snapshot',
    WALK_STATE,
    () => retainForeverTlb(),
    (t) => ({
      restore: (s) =>
        t.restore({
          ...s,
          data: {
            ...(s.data as object),
            walks: retainForeverTlb().snapshot().data !== null ? (retainForeverTlb().snapshot().data as { walks: unknown }).walks : null,
          },
        }),
    }),
  ],
];

it.each([unified, split, micro])('the sound model of the faults below passes', (make) => {
  expect(failures(tlbConformance(make, { steps: 300 }))).toEqual([]);
});

it.each(faults)('%s: fails "%s"', (_name, expected, make, fault) => {
  const cases = tlbConformance(() => faulty(make(), fault), { steps: 600 });
  expect(failures(cases.filter(({ name }) => name === expected))).toEqual([expected]);
});

it('state that two instances share', () => {
  const one = unified();
  expect(failures(tlbConformance(() => one, { steps: 100 }))).toContain(SHAPE);
});

it('a model that takes more than it must passes if that is said', () => {
  const made = (): Tlb => faulty(split(), (t) => ({ invalidateAsid: (_asid, side, sink) => t.invalidateAll(side, sink) }));
  expect(failures(tlbConformance(made, { steps: 200 }))).toEqual([COVERAGE]);
  expect(failures(tlbConformance(made, { steps: 200, mayTakeMore: true }))).toEqual([]);
});

it('without a test runner: one error that names the case', () => {
  runConformance(tlbConformance(unified, { steps: 100 }));
  const broken = (): Tlb => faulty(unified(), () => ({ invalidateMva: () => {} }));
  expect(() => runConformance(tlbConformance(broken, { steps: 100 }))).toThrow(ConformanceError);
  expect(() => runConformance(tlbConformance(broken, { steps: 100 }))).toThrow(
    `${COVERAGE}: tagged 2^12 bytes after invalidateMva 0x40000000`,
  );
});

import {
  TLB_CONTRACT,
  TLB_ENTRY_LOCKED,
  TLB_ENTRY_WORDS,
  TLB_SIDE_BOTH,
  TLB_SIDE_DATA,
  TLB_SIDE_INSTRUCTION,
  type Tlb,
  type TlbSide,
} from '../contracts/tlb.js';
import { type ConformanceCase, type ConformanceOptions, check, checkStats, cloned, hex, refusesForeign, same } from './conformance.js';
import { tlbHitsCases } from './hits-kit.js';
import { allEntries, covers, entryOf, type HeldEntry, type Mapping, ReportLog, readEntry, TlbTrace } from './tlb-trace.js';
import { walkCacheCases } from './walk-cache-kit.js';

const SIZES = [12, 16, 20, 21, 24, 30];
const BASE = 0x40000000;

const mappingAt = (sizeLog2: number, asid: number, global: boolean, va = BASE): Mapping => ({
  va,
  sizeLog2,
  asid,
  global,
  pa: 2 ** 33 + 0x80000000 + va,
  descriptor: 0x5000 + asid * 16,
});

/** Page-aligned addresses in a mapping: the first and the last page, and one between. */
const pagesOf = (m: Mapping): number[] => [...new Set([m.va, m.va + 2 ** m.sizeLog2 - 4096, (m.va + 2 ** (m.sizeLog2 - 1)) & ~0xfff])];

/** Puts a mapping in as an MMU does: a look-up that misses, then the entry. */
function fill(tlb: Tlb, m: Mapping, fetch: boolean, sink = new ReportLog(), flags = 0): void {
  tlb.lookup(m.va, m.asid, fetch, sink);
  tlb.insert(entryOf(m, flags), fetch, sink);
}

function found(tlb: Tlb, va: number, asid: number, fetch: boolean, sink = new ReportLog()): boolean {
  return tlb.lookup(va, asid, fetch, sink) >= 0;
}

function holdsNothing(make: () => Tlb): boolean {
  const tlb = make();
  fill(tlb, mappingAt(12, 1, false), false);
  return [...tlb.entries()].length === 0;
}

/**
 * What every TLB model must do, each as a case for any test runner: `for (const { name, run } of tlbConformance(() => myTlb())) it(name, run)`.
 * `make` returns a new, empty TLB each time.
 */
export function tlbConformance(make: () => Tlb, options: ConformanceOptions = {}): ConformanceCase[] {
  const seed = options.seed ?? 1;
  const steps = options.steps ?? 3000;
  const empty = holdsNothing(make);
  const cases: ConformanceCase[] = [
    { name: 'speaks this contract and is new each time', run: () => checkShape(make) },
    { name: 'an entry is found after it was inserted, by its address space alone', run: () => checkInsert(make, empty) },
    { name: 'maintenance takes what it covers, and nothing else', run: () => checkCoverage(make, empty, options.mayTakeMore ?? false) },
    { name: 'what is gone was reported', run: () => checkReports(make, seed, steps) },
    { name: 'the same history gives the same answers; looking changes nothing', run: () => checkDeterminism(make, seed, steps) },
    { name: 'a restored snapshot goes on as the original does', run: () => checkSnapshot(make, seed, steps) },
    { name: 'the declared replacement is the one that it has', run: () => checkReplacement(make, seed, steps) },
    { name: 'an entry that is inserted again replaces the old one', run: () => checkReplaced(make, empty) },
    { name: 'a locked entry stays until it is named', run: () => checkLocked(make, empty) },
    { name: 'evictOne gives up everything, one by one', run: () => checkEvictOne(make, seed) },
    { name: 'reset is as new', run: () => checkReset(make, seed, steps) },
    { name: 'counters count', run: () => checkCounters(make, seed) },
  ];
  cases.push(...tlbHitsCases(make, seed, steps));
  if (make().walks !== undefined) cases.push(...walkCacheCases(make));
  return cases;
}

function checkShape(make: () => Tlb): void {
  const tlb = make();
  same(tlb.contract, TLB_CONTRACT, 'contract version');
  check(typeof tlb.name === 'string' && tlb.name !== '', 'has no name');
  check(['fifo', 'random', 'needs-hits'].includes(tlb.replacement), `replacement is ${tlb.replacement}`);
  check(tlb.arena instanceof Uint32Array && tlb.arena.length % TLB_ENTRY_WORDS === 0, 'the arena is not an array of whole entries');
  same([...tlb.entries()], [], 'entries of a new TLB');
  fill(tlb, mappingAt(12, 1, false), false);
  same([...make().entries()], [], 'entries of a new TLB beside one in use');
}

function checkInsert(make: () => Tlb, empty: boolean): void {
  for (const sizeLog2 of SIZES) {
    for (const global of [false, true]) {
      for (const fetch of [false, true]) {
        const tlb = make();
        const m = mappingAt(sizeLog2, 7, global);
        const what = `${global ? 'global' : 'tagged'} 2^${sizeLog2} bytes, ${fetch ? 'fetch' : 'data'}`;
        fill(tlb, m, fetch);
        if (empty) {
          check(!found(tlb, m.va, 7, fetch), `${what}: found in a TLB without entries`);
          continue;
        }
        for (const page of pagesOf(m)) {
          for (const va of [page, page + 0xfff]) {
            const o = tlb.lookup(va, 7, fetch, new ReportLog());
            check(o >= 0, `${what}: ${hex(va)} is not found after the insertion`);
            check([...tlb.entries()].includes(o), `${what}: the look-up gives offset ${o}, which is not among entries()`);
            const held = readEntry(tlb.arena, o);
            const words = entryOf(m);
            check(covers(held.va, held.sizeLog2, va), `${what}: the look-up of ${hex(va)} gives ${hex(held.va)}, 2^${held.sizeLog2} bytes`);
            same(held.pa + (va - held.va), m.pa + (va - m.va), `${what}: PA of ${hex(va)}`);
            same(held.wholeLog2, sizeLog2, `${what}: size of the whole mapping`);
            same([held.global, held.asid], [global, 7], `${what}: global and ASID`);
            same([...tlb.arena.slice(o + 4, o + 8)], [...words.slice(4, 8)], `${what}: words 4 to 7`);
            same(found(tlb, va, 8, fetch), global, `${what}: found in another ASID`);
          }
        }
        check(!found(tlb, m.va - 1, 7, fetch), `${what}: the byte before it is found`);
        check(!found(tlb, m.va + 2 ** sizeLog2, 7, fetch), `${what}: the byte after it is found`);
      }
    }
  }
}

interface Operation {
  readonly name: string;
  run(tlb: Tlb, side: TlbSide, sink: ReportLog): void;
  covers(m: Mapping): boolean;
}

function operations(m: Mapping): Operation[] {
  const last = m.va + 2 ** m.sizeLog2 - 4096;
  const inside = (va: number): boolean => covers(m.va, m.sizeLog2, va);
  const all: Operation[] = [{ name: 'invalidateAll', run: (t, side, sink) => t.invalidateAll(side, sink), covers: () => true }];
  for (const va of [...pagesOf(m), m.va - 4096, last + 4096]) {
    for (const asid of [7, 8]) {
      all.push({
        name: `invalidateMva ${hex(va)} asid ${asid}`,
        run: (t, side, sink) => t.invalidateMva(va, asid, side, sink),
        covers: (x) => inside(va) && (x.global || x.asid === asid),
      });
    }
    all.push({
      name: `invalidateMvaAllAsid ${hex(va)}`,
      run: (t, side, sink) => t.invalidateMvaAllAsid(va, side, sink),
      covers: () => inside(va),
    });
  }
  for (const asid of [7, 8]) {
    all.push({
      name: `invalidateAsid ${asid}`,
      run: (t, side, sink) => t.invalidateAsid(asid, side, sink),
      covers: (x) => !x.global && x.asid === asid,
    });
  }
  return all;
}

function checkCoverage(make: () => Tlb, empty: boolean, mayTakeMore: boolean): void {
  if (empty) return;
  for (const sizeLog2 of SIZES) {
    for (const global of [false, true]) {
      const m = mappingAt(sizeLog2, 7, global);
      for (const operation of operations(m)) {
        for (const side of [TLB_SIDE_INSTRUCTION, TLB_SIDE_DATA, TLB_SIDE_BOTH] as const) {
          const tlb = make();
          for (const fetch of [false, true]) {
            if (!found(tlb, m.va, 7, fetch)) fill(tlb, m, fetch);
            // Upper levels get their copies.
            for (const page of pagesOf(m)) tlb.lookup(page, 7, fetch, new ReportLog());
          }
          const sink = new ReportLog();
          operation.run(tlb, side, sink);
          const what = `${global ? 'global' : 'tagged'} 2^${sizeLog2} bytes after ${operation.name}, side ${side}`;
          for (const fetch of [false, true]) {
            const named = (side & (fetch ? TLB_SIDE_INSTRUCTION : TLB_SIDE_DATA)) !== 0;
            for (const page of pagesOf(m)) {
              const held = found(tlb, page, 7, fetch, sink);
              const where = `${what}: ${hex(page)} on the ${fetch ? 'instruction' : 'data'} side`;
              if (operation.covers(m)) check(!(named && held), `${where} is still found`);
              else if (!mayTakeMore) check(held, `${where} is gone`);
            }
          }
          // Gone on both sides: the sink must know of each page.
          for (const page of pagesOf(m)) {
            if (found(tlb, page, 7, false) || found(tlb, page, 7, true)) continue;
            const reported = sink.reports.some((report) => covers(report.va, report.sizeLog2, page));
            check(reported, `${what}: ${hex(page)} is gone and was not reported`);
          }
        }
      }
    }
  }
}

/** A host's table of translations is kept as the contract says, and must stay a part of what the model holds. */
function checkReports(make: () => Tlb, seed: number, steps: number): void {
  const tlb = make();
  const trace = new TlbTrace(seed);
  const host = new Map<number, { va: number; asid: number; pa: number; global: boolean }>();
  const sink = new ReportLog();
  if (holdsNothing(make)) return;
  const given = (held: readonly HeldEntry[], va: number, asid: number, pa: number): boolean =>
    held.some((e) => covers(e.va, e.sizeLog2, va) && (e.global || e.asid === asid) && e.pa + (va - e.va) === pa);
  const drop = (): void => {
    for (const report of sink.take()) {
      for (const [key, item] of host) {
        if (covers(report.va, report.sizeLog2, item.va) && (report.global || report.asid === item.asid)) host.delete(key);
      }
    }
  };
  for (let i = 0; i < steps; i++) {
    let made: { va: number; asid: number; pa: number } | null = null;
    const done = trace.step(tlb, sink, (va, asid, pa) => {
      made = { va, asid, pa };
    });
    drop();
    if (made !== null) {
      const { va, asid, pa } = made as { va: number; asid: number; pa: number };
      const page = (va & 0xfffff000) >>> 0;
      host.set(page * 256 + asid, { va: page, asid, pa: pa - (va - page), global: false });
    }
    // Each of them now and then, all of them sometimes.
    const items = [...host.values()];
    const some = i % 64 === 0 || items.length < 8 ? items : Array.from({ length: 4 }, () => trace.random.pick(items));
    const held = allEntries(tlb);
    for (const item of some) {
      check(
        given(held, item.va, item.asid, item.pa),
        () => `step ${i} (${done}): ${hex(item.va)} in ASID ${item.asid} is gone and was not reported`,
      );
    }
  }
}

interface Run {
  readonly answers: string[];
  readonly reports: unknown[];
  readonly entries: unknown[];
}

function runTrace(tlb: Tlb, trace: TlbTrace, steps: number, look?: () => void): Run {
  const sink = new ReportLog();
  const answers: string[] = [];
  for (let i = 0; i < steps; i++) {
    answers.push(trace.step(tlb, sink));
    look?.();
  }
  return { answers, reports: sink.reports, entries: allEntries(tlb) };
}

function checkDeterminism(make: () => Tlb, seed: number, steps: number): void {
  const first = runTrace(make(), new TlbTrace(seed), steps);
  const tlb = make();
  let i = 0;
  const second = runTrace(tlb, new TlbTrace(seed), steps, () => {
    if (i++ % 97 !== 0) return;
    const offsets = [...tlb.entries()];
    same([...tlb.entries()], offsets, 'entries() asked for twice');
    check(new Set(offsets).size === offsets.length, 'entries() names an offset twice');
    for (const o of offsets) {
      check(o % TLB_ENTRY_WORDS === 0 && o >= 0 && o < tlb.arena.length, `entries() names offset ${o}`);
      check(tlb.arena[o + 1] >>> 31 === 1, `entries() names offset ${o}, where no valid entry is`);
    }
    tlb.stats();
    tlb.snapshot();
  });
  same(second.answers, first.answers, 'answers of a second run');
  same(second.reports, first.reports, 'reports of a second run');
  same(second.entries, first.entries, 'entries after a second run');
}

function checkSnapshot(make: () => Tlb, seed: number, steps: number): void {
  const original = make();
  const half = Math.ceil(steps / 2);
  runTrace(original, new TlbTrace(seed), half);
  const taken = original.snapshot();
  const saved = cloned(taken);
  const entries = allEntries(original);
  const went = runTrace(original, new TlbTrace(seed + 1), half);
  same(taken, saved, 'a snapshot after the TLB went on');
  const other = make();
  runTrace(other, new TlbTrace(seed + 2), half);
  for (const [name, tlb] of [
    ['a new TLB', make()],
    ['a TLB in use', other],
    ['the same TLB', original],
  ] as const) {
    tlb.restore(cloned(saved));
    same(allEntries(tlb), entries, `entries of ${name} after restore`);
    same(tlb.snapshot(), saved, `snapshot of ${name} after restore`);
    const again = runTrace(tlb, new TlbTrace(seed + 1), half);
    same(again.answers, went.answers, `answers of ${name} after restore`);
    same(again.reports, went.reports, `reports of ${name} after restore`);
    same(again.entries, went.entries, `entries of ${name} at the end`);
  }
  refusesForeign(original);
}

function checkReplacement(make: () => Tlb, seed: number, steps: number): void {
  if (make().replacement === 'needs-hits') return;
  const run = (extra: boolean): Run => {
    const tlb = make();
    const trace = new TlbTrace(seed, { maintenance: false });
    const hits = new TlbTrace(seed + 9).random;
    const sink = new ReportLog();
    for (let i = 0; i < steps; i++) {
      trace.step(tlb, sink);
      if (!extra) continue;
      const offsets = [...tlb.entries()];
      if (offsets.length === 0) continue;
      const held = readEntry(tlb.arena, hits.pick(offsets));
      // A side that does not have it would be filled, which is no hit.
      for (const fetch of [false, true]) if (found(tlb, held.va, held.asid, fetch, sink)) break;
    }
    return { answers: [], reports: sink.reports, entries: allEntries(tlb) };
  };
  const [plain, hit] = [run(false), run(true)];
  same(hit.reports, plain.reports, `reports with more hits, of a model that declares ${make().replacement}`);
  same(hit.entries, plain.entries, `entries with more hits, of a model that declares ${make().replacement}`);
}

function checkReplaced(make: () => Tlb, empty: boolean): void {
  if (empty) return;
  for (const fetch of [false, true]) {
    const tlb = make();
    const sink = new ReportLog();
    const m = mappingAt(12, 7, false);
    fill(tlb, m, fetch, sink);
    tlb.insert(entryOf({ ...m, pa: m.pa + 0x1000 }), fetch, sink);
    const o = tlb.lookup(m.va, 7, fetch, sink);
    check(o >= 0, 'an entry that was inserted again is not found');
    same(readEntry(tlb.arena, o).pa, m.pa + 0x1000, 'PA of an entry that was inserted again');
    check(
      sink.reports.some((report) => report.pa === m.pa),
      'the entry that was replaced was not reported',
    );
  }
}

function checkLocked(make: () => Tlb, empty: boolean): void {
  if (empty) return;
  const m = mappingAt(12, 7, false);
  const made = (): Tlb => {
    const tlb = make();
    fill(tlb, m, false, new ReportLog(), TLB_ENTRY_LOCKED);
    return tlb;
  };
  const locked = (tlb: Tlb): boolean => allEntries(tlb).some((entry) => entry.locked);
  check(found(made(), m.va, 7, false), 'an entry that asks to be locked is not found');
  if (!locked(made())) return;
  const sink = new ReportLog();
  for (const [name, operation] of [
    ['invalidateAll', (tlb: Tlb) => tlb.invalidateAll(TLB_SIDE_BOTH, sink)],
    ['invalidateMvaAllAsid', (tlb: Tlb) => tlb.invalidateMvaAllAsid(m.va, TLB_SIDE_BOTH, sink)],
    ['many insertions', (tlb: Tlb) => runTrace(tlb, new TlbTrace(3, { maintenance: false, regions: 32, pages: 200 }), 3000)],
    [
      'evictOne',
      (tlb: Tlb) => {
        for (let i = 0; i < 100; i++) tlb.evictOne(i * 0x9e3779b1, sink);
      },
    ],
  ] as const) {
    const tlb = made();
    operation(tlb);
    check(locked(tlb), `a locked entry is gone after ${name}`);
    check(found(tlb, m.va, 7, false), `a locked entry is not found after ${name}`);
  }
  for (const [name, operation] of [
    ['invalidateMva', (tlb: Tlb) => tlb.invalidateMva(m.va, 7, TLB_SIDE_BOTH, sink)],
    ['invalidateAsid', (tlb: Tlb) => tlb.invalidateAsid(7, TLB_SIDE_BOTH, sink)],
    ['reset', (tlb: Tlb) => tlb.reset(sink)],
  ] as const) {
    const tlb = made();
    operation(tlb);
    check(!found(tlb, m.va, 7, false), `a locked entry is found after ${name}`);
  }
}

function checkEvictOne(make: () => Tlb, seed: number): void {
  const tlb = make();
  const trace = new TlbTrace(seed, { maintenance: false });
  runTrace(tlb, trace, 150);
  const most = [...tlb.entries()].length + [...(tlb.walks?.entries() ?? [])].length;
  const sink = new ReportLog();
  for (let i = 0; i <= most; i++) {
    const before = allEntries(tlb);
    const gave = tlb.evictOne(trace.random.word(), sink);
    const reports = sink.take();
    if (!gave) {
      same(before, [], 'entries that evictOne would not give up');
      return;
    }
    const after = allEntries(tlb);
    for (const entry of before) {
      const still = after.some((other) => other.va === entry.va && other.sizeLog2 === entry.sizeLog2 && other.pa === entry.pa);
      const reported = reports.some((report) => covers(report.va, report.sizeLog2, entry.va));
      const larger = after.some((other) => covers(other.va, other.sizeLog2, entry.va) && other.descriptor === entry.descriptor);
      check(still || reported || larger, () => `evictOne gave up ${hex(entry.va)} and did not report it`);
    }
  }
  check(false, `evictOne still had something to give up after ${most} times`);
}

function checkReset(make: () => Tlb, seed: number, steps: number): void {
  const tlb = make();
  runTrace(tlb, new TlbTrace(seed), steps);
  fill(tlb, mappingAt(12, 7, false), false, new ReportLog(), TLB_ENTRY_LOCKED);
  const held = allEntries(tlb);
  const sink = new ReportLog();
  tlb.reset(sink);
  same(allEntries(tlb), [], 'entries after reset');
  same([...(tlb.walks?.entries() ?? [])], [], 'entries of the walk cache after reset');
  for (const entry of held) {
    check(
      sink.reports.some((report) => covers(report.va, report.sizeLog2, entry.va)),
      () => `reset did not report ${hex(entry.va)}`,
    );
  }
  same(tlb.stats(), make().stats(), 'counters after reset');
  const again = runTrace(tlb, new TlbTrace(seed), steps);
  const fresh = runTrace(make(), new TlbTrace(seed), steps);
  same(again.answers, fresh.answers, 'answers after reset');
  same(again.entries, fresh.entries, 'entries after reset and a trace');
}

function checkCounters(make: () => Tlb, seed: number): void {
  const tlb = make();
  checkStats(tlb, () => runTrace(tlb, new TlbTrace(seed), 500));
}

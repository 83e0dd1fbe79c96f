import type { Cache } from '../contracts/cache.js';
import type { CacheHits } from '../contracts/hits.js';
import type { Tlb, TlbEvictionSink } from '../contracts/tlb.js';
import { CacheTrace, EventLog, WRITE_BACK_ALLOCATE } from './cache-trace.js';
import { type ConformanceCase, check, hex, Random, same } from './conformance.js';
import { covers, entryOf, TlbTrace } from './tlb-trace.js';

/*
 * Two models with the same history. One is asked each time; for the other hits are found by somebody who remembers them, as translated code does, until it is
 * told that they are none.
 */
const NAME = 'hits that code finds by itself are those that it has';

export const tlbHitsCases = (make: () => Tlb, seed: number, steps: number): ConformanceCase[] =>
  make().hits === undefined ? [] : [{ name: NAME, run: () => checkTlb(make, seed, steps) }];

export const cacheHitsCases = (make: () => Cache, seed: number, steps: number): ConformanceCase[] =>
  make().hits === undefined ? [] : [{ name: NAME, run: () => checkCache(make, seed, steps) }];

/** So few pages that one is come back to soon. */
const FEW = { regions: 4, pages: 2 };

const sameModel = (found: Tlb | Cache, asked: Tlb | Cache): void => {
  same(found.stats(), asked.stats(), 'counters');
  same(found.snapshot(), asked.snapshot(), 'state');
};

interface KnownPage {
  readonly va: number;
  readonly entry: number;
}

function checkTlb(make: () => Tlb, seed: number, steps: number): void {
  const asked = make();
  const found = make();
  const { instruction, data } = found.hits!;
  const known = { instruction: new Map<string, KnownPage>(), data: new Map<string, KnownPage>() };
  const forget = (side: Map<string, KnownPage>, va: number, sizeLog2: number): void => {
    for (const [key, page] of side) if (covers(va, Math.max(sizeLog2, 12), page.va)) side.delete(key);
  };
  instruction.listeners.push((va, sizeLog2) => forget(known.instruction, va, sizeLog2));
  data.listeners.push((va, sizeLog2) => forget(known.data, va, sizeLog2));
  const forgetting: TlbEvictionSink = {
    evicted: (arena, offset) => {
      forget(known.instruction, arena[offset], arena[offset + 1] & 0xff);
      forget(known.data, arena[offset], arena[offset + 1] & 0xff);
    },
  };
  const nobody: TlbEvictionSink = { evicted: () => {} };
  const traces = [new TlbTrace(seed, FEW), new TlbTrace(seed, FEW)] as const;
  const random = new Random(seed + 1);
  const places = new TlbTrace(seed + 2, FEW);
  let hits = 0;
  let va = places.va();
  let asid = places.asid();
  let fetch = false;
  for (let i = 0; i < steps; i++) {
    if (i % 32 === 0) sameModel(found, asked);
    if (random.below(4) === 0) {
      same(traces[0].step(found, forgetting), traces[1].step(asked, nobody), 'answer');
      continue;
    }
    if (random.below(2) === 0) va = places.va();
    if (random.below(2) === 0) asid = places.asid();
    if (random.below(2) === 0) fetch = random.below(2) === 0;
    const side = fetch ? known.instruction : known.data;
    const at = fetch ? instruction : data;
    const key = `${(va & ~0xfff) >>> 0}/${asid}`;
    const offset = asked.lookup(va, asid, fetch, nobody);
    const page = side.get(key);
    if (page !== undefined) {
      hits++;
      check(offset >= 0, `a look-up of ${hex(va)} that is known to hit misses`);
      same(at.entryAt(va, asid), page.entry, `entry of ${hex(va)}, which nobody said is another`);
      at.hit(1, page.entry);
      continue;
    }
    const entry = entryOf(traces[0].mapping(va, asid));
    const other = found.lookup(va, asid, fetch, forgetting);
    same(other, offset, `look-up of ${hex(va)}`);
    if (offset < 0) {
      asked.insert(entry, fetch, nobody);
      found.insert(entry, fetch, forgetting);
    }
    const number = at.entryAt(va, asid);
    check(number >= -1 && number < 65536, `entry ${number}`);
    if (number >= 0) side.set(key, { va, entry: number });
  }
  check(hits > 0, 'no hit was found');
  sameModel(found, asked);
}

interface KnownLine {
  readonly line: number;
  isDirty: boolean;
}

function checkCache(make: () => Cache, seed: number, steps: number): void {
  const asked = make();
  const found = make();
  const hits = found.hits as CacheHits;
  const pairs = new Uint16Array(hits.pairCount);
  if (hits.pairCount > 0) hits.placePairs(pairs);
  const known = new Map<string, KnownLine>();
  hits.listener = {
    lineDropped: (line) => {
      for (const [key, each] of known) if (each.line === line) known.delete(key);
    },
    lineCleaned: (line) => {
      for (const each of known.values()) if (each.line === line) each.isDirty = false;
    },
  };
  const log = new EventLog();
  const expected = new EventLog();
  const traces = [new CacheTrace(seed), new CacheTrace(seed)] as const;
  const random = new Random(seed + 1);
  const places = new CacheTrace(seed + 2);
  let count = 0;
  let { va, pa } = places.address(asked);
  for (let i = 0; i < steps; i++) {
    if (i % 32 === 0) sameModel(found, asked);
    if (random.below(4) === 0) {
      same(traces[0].step(found, log), traces[1].step(asked, expected), 'answer');
      continue;
    }
    if (random.below(2) === 0) ({ va, pa } = places.address(asked));
    const write = random.below(3) === 0;
    const size = 2 ** asked.lineSizeLog2;
    const key = `${Math.floor(va / size)}/${Math.floor(pa / size)}`;
    const result = asked.access(va, pa, write, WRITE_BACK_ALLOCATE, expected);
    const line = known.get(key);
    if (line !== undefined && (!write || line.isDirty)) {
      count++;
      same(result, 1, `access to ${hex(pa)}, which is known to hit`);
      same(hits.lineAt(va, pa), line.line, `line of ${hex(pa)}, which nobody said is dropped`);
      if (hits.pairCount > 0) pairs[line.line >>> 1] = line.line;
      hits.hit(write ? 0 : 1, write ? 1 : 0);
      continue;
    }
    same(found.access(va, pa, write, WRITE_BACK_ALLOCATE, log), result, `access to ${hex(pa)}`);
    const number = hits.lineAt(va, pa);
    check(number >= -1 && number < 65536, `line ${number}`);
    // Of two lines of one number the later one is known.
    for (const [other, each] of known) if (each.line === number) known.delete(other);
    if (number >= 0) known.set(key, { line: number, isDirty: hits.isDirty(va, pa) });
  }
  check(count > 0, 'no hit was found');
  same(log.events, expected.events, 'reports');
  sameModel(found, asked);
}

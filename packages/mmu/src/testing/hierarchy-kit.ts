import { ACCESS_FETCH, ACCESS_READ, ACCESS_WRITE } from '@tablewalk/machine/contracts';
import { CACHE_CONTRACT, CACHE_L1_DATA, CACHE_L1_INSTRUCTION, CACHE_L2, type Cache, type CacheHierarchy } from '../contracts/cache.js';
import { type CacheEvent, EventLog, NON_CACHEABLE, WRITE_BACK_ALLOCATE, WRITE_THROUGH } from './cache-trace.js';
import {
  type ConformanceCase,
  type ConformanceOptions,
  check,
  checkStats,
  cloned,
  hex,
  Random,
  refusesForeign,
  same,
} from './conformance.js';

const VA = 0xc0000000;
const PA = 0x40000000;
const A = WRITE_BACK_ALLOCATE;

/** What every hierarchy of caches must do; used as `cacheConformance` is. */
export function cacheHierarchyConformance(make: () => CacheHierarchy, options: ConformanceOptions = {}): ConformanceCase[] {
  const seed = options.seed ?? 1;
  const steps = options.steps ?? 2000;
  return [
    { name: 'speaks this contract, and its levels fit together', run: () => checkShape(make) },
    { name: 'an access is answered by the nearest level that has it', run: () => checkLevels(make) },
    { name: 'walks enter at the level that is declared', run: () => checkWalks(make) },
    { name: 'maintenance by address reaches its point', run: () => checkPoints(make) },
    { name: 'maintenance by set and way is of the level it names', run: () => checkSetWay(make) },
    { name: 'an inclusive L2 holds what the L1s hold', run: () => checkInclusion(make, seed, steps) },
    { name: 'no dirty byte is lost on its way to memory', run: () => checkNothingLost(make, seed, steps) },
    { name: 'the same history gives the same answers, after a snapshot and after reset too', run: () => checkHistory(make, seed, steps) },
    { name: 'evictOne gives up everything, one by one', run: () => checkEvictOne(make, seed) },
    { name: 'counters count', run: () => checkCounters(make, seed) },
  ];
}

const cachesOf = (h: CacheHierarchy): Cache[] => [h.instruction, h.data, h.unified].filter((cache) => cache !== null);
const holds = (cache: Cache | null, pa: number): boolean => cache !== null && [...cache.lines()].some((line) => covers(cache, line.pa, pa));
const isDirty = (cache: Cache | null, pa: number): boolean =>
  cache !== null && [...cache.lines()].some((line) => line.dirty && covers(cache, line.pa, pa));
const covers = (cache: Cache, line: number, pa: number): boolean => pa >= line && pa < line + 2 ** cache.lineSizeLog2;

function checkShape(make: () => CacheHierarchy): void {
  const h = make();
  same(h.contract, CACHE_CONTRACT, 'contract version');
  check(typeof h.name === 'string' && h.name !== '', 'has no name');
  if (h.instruction !== null) same(h.instruction.unit, CACHE_L1_INSTRUCTION, 'unit of the L1 instruction cache');
  if (h.data !== null) same(h.data.unit, CACHE_L1_DATA, 'unit of the L1 data cache');
  if (h.unified !== null) same(h.unified.unit, CACHE_L2, 'unit of the L2');
  const levels = h.unified !== null ? 2 : h.data !== null || h.instruction !== null ? 1 : 0;
  check([0, 1].includes(h.levelOfUnification), `levelOfUnification is ${h.levelOfUnification}`);
  check(
    h.levelOfCoherency >= h.levelOfUnification && h.levelOfCoherency <= levels,
    `levelOfCoherency is ${h.levelOfCoherency} of ${levels} levels`,
  );
  check(['l1d', 'l2', 'memory'].includes(h.walks), `walks enter at ${h.walks}`);
  same(
    cachesOf(h).flatMap((cache) => [...cache.lines()]),
    [],
    'lines of a new hierarchy',
  );
  h.access(VA, PA, ACCESS_READ, A, new EventLog());
  same(
    cachesOf(make()).flatMap((cache) => [...cache.lines()]),
    [],
    'lines of a new hierarchy beside one in use',
  );
}

function checkLevels(make: () => CacheHierarchy): void {
  const log = new EventLog();
  for (const kind of [ACCESS_READ, ACCESS_FETCH] as const) {
    const h = make();
    const l1 = kind === ACCESS_FETCH ? h.instruction : h.data;
    same(h.access(VA, PA, kind, A, log), 3, 'level of the first access');
    same(h.access(VA, PA, kind, A, log), l1 !== null ? 1 : h.unified !== null ? 2 : 3, 'level of the second access');
    l1?.invalidate(VA, PA, log);
    same(h.access(VA, PA, kind, A, log), h.unified !== null ? 2 : 3, 'level after the L1 lost the line');
    same(h.access(VA + 4096, PA + 4096, kind, NON_CACHEABLE, log), 3, 'level of a non-cacheable access');
    check(!cachesOf(h).some((cache) => holds(cache, PA + 4096)), 'a non-cacheable access is held');
    // Inner non-cacheable, outer write-back.
    const outer = 2 | (1 << 4);
    same(h.access(VA + 8192, PA + 8192, kind, outer, log), 3, 'level of the first access, inner non-cacheable');
    same(h.access(VA + 8192, PA + 8192, kind, outer, log), h.unified !== null ? 2 : 3, 'level of the second access, inner non-cacheable');
    check(!holds(h.data, PA + 8192) && !holds(h.instruction, PA + 8192), 'an inner non-cacheable access is held by an L1');
    // Inner write-back, outer non-cacheable.
    h.access(VA + 12288, PA + 12288, kind, 2 | (1 << 2), log);
    check(!holds(h.unified, PA + 12288), 'an outer non-cacheable access is held by the L2');
  }
  // The two L1s know nothing of each other.
  const h = make();
  h.access(VA, PA, ACCESS_READ, A, log);
  check(!holds(h.instruction, PA), 'a read is held by the instruction cache');
  h.access(VA + 4096, PA + 4096, ACCESS_FETCH, A, log);
  check(!holds(h.data, PA + 4096), 'a fetch is held by the data cache');
}

function checkWalks(make: () => CacheHierarchy): void {
  const log = new EventLog();
  const h = make();
  h.access(VA, PA, ACCESS_READ, A, log);
  const l2 = h.unified !== null ? 2 : 3;
  same(
    h.walk(PA, A, log),
    h.walks === 'memory' ? 3 : h.walks === 'l1d' && h.data !== null ? 1 : l2,
    `level of a walk of what was read, entering at ${h.walks}`,
  );
  same(h.walk(PA + 4096, NON_CACHEABLE, log), 3, 'level of a walk of non-cacheable tables');
  check(!cachesOf(h).some((cache) => holds(cache, PA + 4096)), 'a walk of non-cacheable tables is held');
  const fresh = make();
  same(fresh.walk(PA, A, log), 3, 'level of a walk of what nobody has');
  check(fresh.walks === 'l1d' || !holds(fresh.data, PA), 'a walk that enters below is held by the L1');
  check(fresh.walks !== 'memory' || !holds(fresh.unified, PA), 'a walk that enters at memory is held by the L2');
}

/** A line that is dirty as near to the core as it goes, and held as instructions too. */
function written(make: () => CacheHierarchy): CacheHierarchy {
  const h = make();
  const log = new EventLog();
  h.access(VA, PA, ACCESS_READ, A, log);
  h.access(VA, PA, ACCESS_WRITE, A, log);
  h.access(VA, PA, ACCESS_FETCH, A, log);
  return h;
}

function checkPoints(make: () => CacheHierarchy): void {
  const state = (h: CacheHierarchy): unknown => ({
    l1: holds(h.data, PA) ? (isDirty(h.data, PA) ? 'dirty' : 'clean') : 'none',
    l2: holds(h.unified, PA) ? (isDirty(h.unified, PA) ? 'dirty' : 'clean') : 'none',
    fetch: holds(h.instruction, PA),
  });
  const of = (work: (h: CacheHierarchy, log: EventLog) => void): [unknown, CacheEvent[]] => {
    const h = written(make);
    const log = new EventLog();
    work(h, log);
    return [state(h), log.events];
  };
  const [before] = of(() => {}) as [{ l1: string; l2: string; fetch: boolean }, CacheEvent[]];
  const { levelOfUnification: unification, levelOfCoherency: coherency, unified } = make();
  const l2Line = unified === null ? 0 : 2 ** unified.lineSizeLog2;
  const event = (kind: CacheEvent['kind'], unit: 0 | 1 | 2): CacheEvent => ({ kind, pa: PA, unit });
  const wasDirty = before.l1 === 'dirty';
  // What the L1 writes back makes the L2 dirty, or goes on to memory.
  const below = before.l2 === 'none' ? 'none' : 'dirty';
  const cleanL1 = wasDirty ? [event('written back', CACHE_L1_DATA)] : [];
  const cleanL2 = l2Line > 0 && (wasDirty ? below === 'dirty' : before.l2 === 'dirty') ? [event('written back', CACHE_L2)] : [];
  const memoryBelow = wasDirty && unified !== null && before.l2 === 'none' ? [event('written back', CACHE_L2)] : [];

  let [after, events] = of((h, log) => h.cleanToUnification(VA, PA, log));
  const cleanedL1 = { ...before, l1: before.l1 === 'none' ? 'none' : 'clean', l2: wasDirty ? below : before.l2 };
  same(
    [after, events],
    unification === 0 ? [before, []] : [cleanedL1, [...cleanL1, ...memoryBelow]],
    'state and reports after cleanToUnification',
  );

  [after, events] = of((h, log) => h.cleanToCoherency(VA, PA, log));
  const cleaned = { ...cleanedL1, l2: before.l2 === 'none' ? 'none' : 'clean' };
  if (coherency === 0) same([after, events], [before, []], 'state and reports after cleanToCoherency');
  else if (coherency === 1) same([after, events], [cleanedL1, [...cleanL1, ...memoryBelow]], 'state and reports after cleanToCoherency');
  else same([after, events], [cleaned, [...cleanL1, ...memoryBelow, ...cleanL2]], 'state and reports after cleanToCoherency');

  [after] = of((h, log) => h.cleanInvalidateToCoherency(VA, PA, log));
  const goneL2 = coherency === 2;
  if (coherency > 0) {
    const { l1, l2 } = after as { l1: string; l2: string };
    same([l1, l2], ['none', goneL2 ? 'none' : wasDirty ? below : before.l2], 'levels after cleanInvalidateToCoherency');
  }
  [after, events] = of((h, log) => h.invalidateToCoherency(VA, PA, log));
  if (coherency > 0) {
    const { l1, l2 } = after as { l1: string; l2: string };
    same([l1, l2], ['none', goneL2 ? 'none' : before.l2], 'levels after invalidateToCoherency');
    check(!events.some(({ kind }) => kind === 'written back'), 'invalidateToCoherency wrote something back');
    if (wasDirty)
      check(
        events.some(({ kind, unit }) => kind === 'lost' && unit === CACHE_L1_DATA),
        'invalidateToCoherency did not report what it lost',
      );
  }
  for (const [name, work] of [
    ['invalidateInstruction', (h: CacheHierarchy, log: EventLog) => h.invalidateInstruction(VA, PA, log)],
    ['invalidateInstructionAll', (h: CacheHierarchy, log: EventLog) => h.invalidateInstructionAll(log)],
  ] as const) {
    [after, events] = of(work);
    same(after, { ...before, fetch: false }, `levels after ${name}`);
    same(events, before.fetch ? [event('dropped', CACHE_L1_INSTRUCTION)] : [], `reports of ${name}`);
  }
  // Another line is another matter.
  const away = Math.max(64, l2Line, make().data === null ? 0 : 2 ** (make().data as Cache).lineSizeLog2);
  for (const name of [
    'cleanToUnification',
    'cleanToCoherency',
    'invalidateToCoherency',
    'cleanInvalidateToCoherency',
    'invalidateInstruction',
  ] as const) {
    same(
      of((h, log) => h[name](VA + away, PA + away, log)),
      [before, []],
      `state and reports after ${name} of the next line`,
    );
  }
}

function checkSetWay(make: () => CacheHierarchy): void {
  for (const level of [1, 2, 3]) {
    const h = written(make);
    const cache = level === 1 ? h.data : level === 2 ? h.unified : null;
    const reached = cache !== null && level <= h.levelOfCoherency;
    for (const name of ['cleanSetWay', 'cleanInvalidateSetWay', 'invalidateSetWay'] as const) {
      const one = written(make);
      const other = (level === 1 ? one.unified : one.data) ?? null;
      const target = level === 1 ? one.data : level === 2 ? one.unified : null;
      const dirtyBefore = isDirty(target, PA);
      const otherBefore = other === null ? [] : [...other.lines()];
      const log = new EventLog();
      for (let set = 0; set < (cache?.setCount ?? 4); set++)
        for (let way = 0; way < (cache?.wayCount ?? 4); way++) one[name](level, set, way, log);
      const what = `${name} of level ${level}`;
      if (!reached) {
        same(log.events, [], `reports of ${what}, which maintenance does not reach`);
        continue;
      }
      check(!isDirty(target, PA), `${what}: the line is still dirty`);
      same(holds(target, PA), name === 'cleanSetWay', `${what}: the line is held`);
      const wrote = log.events.some(({ kind, unit }) => kind === 'written back' && unit === target?.unit);
      if (dirtyBefore) same(wrote, name !== 'invalidateSetWay', `${what}: written back`);
      // From the L1 down a line moves into the L2; from the L2 up only inclusion reaches.
      if (level === 2 && !one.inclusive) same(other === null ? [] : [...other.lines()], otherBefore, `${what}: lines of the other level`);
    }
  }
}

/** Random accesses that compete for a few sets of every level. */
function step(
  h: CacheHierarchy,
  random: Random,
  log: EventLog,
  options: { discard: boolean; attributes?: readonly number[] },
): { pa: number; write: boolean; text: string } {
  const sets = Math.max(64, ...cachesOf(h).map((cache) => cache.setCount * 2 ** cache.lineSizeLog2));
  const choice = random.below(100);
  let pa = PA + random.below(40) * sets + random.below(4) * 64 + random.below(64);
  // Maintenance is mostly of what an L1 has: in all the lines that compete it would seldom meet any.
  const held = choice < 84 || random.below(4) === 0 ? [] : [...(h.data?.lines() ?? [])].slice(0, 8);
  if (held.length > 0) pa = random.pick(held).pa;
  const va = (VA + (pa - PA)) >>> 0;
  const attributes = random.pick(options.attributes ?? [A, A, A, WRITE_THROUGH]);
  if (choice < 45) return { pa, write: false, text: `read ${hex(pa)}: ${h.access(va, pa, ACCESS_READ, attributes, log)}` };
  if (choice < 70) return { pa, write: true, text: `write ${hex(pa)}: ${h.access(va, pa, ACCESS_WRITE, attributes, log)}` };
  if (choice < 80) return { pa, write: false, text: `fetch ${hex(pa)}: ${h.access(va, pa, ACCESS_FETCH, attributes, log)}` };
  if (choice < 84) return { pa, write: false, text: `walk ${hex(pa)}: ${h.walk(pa, attributes, log)}` };
  if (choice < 96) {
    const name = random.pick(['cleanToUnification', 'cleanToCoherency', 'cleanInvalidateToCoherency', 'invalidateInstruction'] as const);
    h[name](va, pa, log);
    return { pa, write: false, text: `${name} ${hex(pa)}` };
  }
  if (options.discard && choice === 96) {
    h.invalidateToCoherency(va, pa, log);
    return { pa, write: false, text: `invalidateToCoherency ${hex(pa)}` };
  }
  return { pa, write: false, text: `evictOne: ${h.evictOne(random.word(), log)}` };
}

function checkInclusion(make: () => CacheHierarchy, seed: number, steps: number): void {
  const h = make();
  const l2 = h.unified;
  if (!h.inclusive || l2 === null) return;
  const random = new Random(seed);
  const length = 2 ** l2.lineSizeLog2;
  for (let i = 0; i < steps; i++) {
    const { text } = step(h, random, new EventLog(), { discard: true, attributes: [A] });
    if (i % 8 !== 0) continue;
    const below = new Set([...l2.lines()].map(({ pa }) => pa));
    for (const l1 of [h.data, h.instruction]) {
      for (const { pa } of l1?.lines() ?? []) {
        check(below.has(Math.floor(pa / length) * length), () => `step ${i} (${text}): an L1 holds ${hex(pa)} and the L2 does not`);
      }
    }
  }
}

/** Whatever was written is newer than memory until the last level that has it dirty writes it back. */
function checkNothingLost(make: () => CacheHierarchy, seed: number, steps: number): void {
  const h = make();
  const random = new Random(seed);
  const log = new EventLog();
  const grain = Math.min(64, ...cachesOf(h).map((cache) => 2 ** cache.lineSizeLog2));
  const stale = new Set<number>();
  const dirtyGrains = (): Set<number> => {
    const result = new Set<number>();
    for (const cache of [h.data, h.unified]) {
      for (const { pa, dirty } of cache?.lines() ?? []) {
        if (dirty) for (let at = pa; at < pa + 2 ** (cache as Cache).lineSizeLog2; at += grain) result.add(at);
      }
    }
    return result;
  };
  for (let i = 0; i < steps; i++) {
    const done = step(h, random, log, { discard: false });
    const events = log.take();
    check(!events.some(({ kind }) => kind === 'lost'), () => `step ${i} (${done.text}): ${JSON.stringify(events)}`);
    const dirty = dirtyGrains();
    const own = Math.floor(done.pa / grain) * grain;
    if (done.write && dirty.has(own)) stale.add(own);
    for (const { kind, pa, unit } of events) {
      const cache = unit === CACHE_L2 ? h.unified : h.data;
      const last = unit === CACHE_L2 || h.unified === null;
      // The L2 may pass on a line of the L1's length.
      const length = Math.max(grain, cache === null ? 0 : 2 ** cache.lineSizeLog2);
      if (kind === 'written back' && last) for (let at = pa; at < pa + length; at += grain) if (!dirty.has(at)) stale.delete(at);
    }
    for (const at of stale)
      check(
        dirty.has(at),
        () => `step ${i} (${done.text}): ${hex(at)} was newer than memory, and nobody has it now; ${JSON.stringify(events)}`,
      );
  }
}

function run(h: CacheHierarchy, seed: number, steps: number): unknown {
  const random = new Random(seed);
  const log = new EventLog();
  const texts: string[] = [];
  for (let i = 0; i < steps; i++) texts.push(step(h, random, log, { discard: true }).text);
  return { texts, events: log.events, lines: cachesOf(h).map((cache) => [...cache.lines()]) };
}

function checkHistory(make: () => CacheHierarchy, seed: number, steps: number): void {
  const half = Math.ceil(steps / 2);
  const h = make();
  const first = run(h, seed, half);
  same(run(make(), seed, half), first, 'a second run');
  const saved = cloned(h.snapshot());
  const went = run(h, seed + 1, half);
  for (const other of [make(), h]) {
    other.restore(cloned(saved));
    same(other.snapshot(), saved, 'snapshot after restore');
    same(run(other, seed + 1, half), went, 'what it does after restore');
  }
  refusesForeign(h);
  h.reset(new EventLog());
  same(
    cachesOf(h).flatMap((cache) => [...cache.lines()]),
    [],
    'lines after reset',
  );
  same(run(h, seed, half), first, 'what it does after reset');
}

function checkEvictOne(make: () => CacheHierarchy, seed: number): void {
  const h = make();
  run(h, seed, 300);
  const random = new Random(seed);
  const count = (): number => cachesOf(h).reduce((sum, cache) => sum + [...cache.lines()].length, 0);
  for (let left = count(); left > 0; ) {
    const log = new EventLog();
    check(h.evictOne(random.word(), log), `evictOne would not give up the last ${left} lines`);
    check(
      log.events.some(({ kind }) => kind === 'dropped'),
      'evictOne reported nothing',
    );
    const now = count();
    // A dirty line of the L1 may become a new one of the L2 and evict there.
    check(now <= left, 'evictOne left more lines than there were');
    if (cachesOf(h).length === 1) check(now === left - 1, `evictOne took ${left - now} lines`);
    left = now;
    if (left > 0 && random.below(1000) === 0) continue;
  }
  check(!h.evictOne(1, new EventLog()), 'evictOne gave something up that was not there');
}

function checkCounters(make: () => CacheHierarchy, seed: number): void {
  const h = make();
  checkStats(h, () => run(h, seed, 300));
}

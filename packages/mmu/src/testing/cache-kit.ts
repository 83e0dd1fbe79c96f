import { CACHE_CONTRACT, CACHE_FILLED, CACHE_HIT, CACHE_PASSED, type Cache, type CacheLine } from '../contracts/cache.js';
import {
  type CacheEvent,
  type CacheStep,
  CacheTrace,
  EventLog,
  lineKey,
  NON_CACHEABLE,
  WRITE_BACK,
  WRITE_BACK_ALLOCATE,
  WRITE_THROUGH,
} from './cache-trace.js';
import { type ConformanceCase, type ConformanceOptions, check, checkStats, cloned, hex, refusesForeign, same } from './conformance.js';
import { cacheHitsCases } from './hits-kit.js';

const VA = 0xc0000000;
const PA = 2 ** 33 + 0x40000000;

/**
 * What every cache model must do, each as a case for any test runner: `for (const { name, run } of cacheConformance(() => myCache())) it(name, run)`.
 * `make` returns a new, empty cache each time.
 */
export function cacheConformance(make: () => Cache, options: ConformanceOptions = {}): ConformanceCase[] {
  const seed = options.seed ?? 1;
  const shape = make();
  // A step of a trace looks at every line that is held, and traces hold a few sets full.
  const steps = options.steps ?? Math.max(300, Math.min(2000, Math.floor(100_000 / (1 + shape.wayCount))));
  const empty = shape.setCount * shape.wayCount === 0;
  const cases: ConformanceCase[] = [{ name: 'speaks this contract and is new each time', run: () => checkShape(make) }];
  if (empty) return [...cases, { name: 'a cache without lines holds nothing', run: () => checkEmpty(make) }];
  return [
    ...cases,
    { name: 'a miss fills and a hit hits, by line', run: () => checkAccess(make) },
    { name: 'writes follow the policy of the cache and of the memory', run: () => checkPolicy(make) },
    { name: 'maintenance by address cleans, invalidates, or both', run: () => checkByAddress(make) },
    { name: 'maintenance by set and way reaches every line, and no other', run: () => checkSetWay(make) },
    { name: 'the index is virtual or physical as declared', run: () => checkIndex(make) },
    { name: 'no line leaves and no dirty byte moves without a report', run: () => checkReports(make, seed, steps) },
    { name: 'the same history gives the same answers; looking changes nothing', run: () => checkDeterminism(make, seed, steps) },
    { name: 'a restored snapshot goes on as the original does', run: () => checkSnapshot(make, seed, steps) },
    { name: 'the declared replacement is the one that it has', run: () => checkReplacement(make, seed, steps) },
    { name: 'evictOne gives up everything, one by one', run: () => checkEvictOne(make, seed) },
    { name: 'reset is as new', run: () => checkReset(make, seed, steps) },
    { name: 'counters count', run: () => checkCounters(make, seed) },
    ...cacheHitsCases(make, seed, steps),
  ];
}

function checkShape(make: () => Cache): void {
  const cache = make();
  same(cache.contract, CACHE_CONTRACT, 'contract version');
  check(typeof cache.name === 'string' && cache.name !== '', 'has no name');
  check(['fifo', 'random', 'needs-hits'].includes(cache.replacement), `replacement is ${cache.replacement}`);
  check([0, 1, 2].includes(cache.unit), `unit is ${cache.unit}`);
  check(
    Number.isInteger(cache.lineSizeLog2) && cache.lineSizeLog2 >= 4 && cache.lineSizeLog2 <= 11,
    `lineSizeLog2 is ${cache.lineSizeLog2}`,
  );
  const wayBytes = cache.setCount * 2 ** cache.lineSizeLog2;
  same(cache.colourCount, cache.virtuallyIndexed ? Math.max(1, wayBytes / 4096) : 1, 'colourCount');
  check(cache.writeBack || !cache.writeAllocate, 'allocates on a write without being write-back');
  same([...cache.lines()], [], 'lines of a new cache');
  cache.access(VA, PA, false, WRITE_BACK_ALLOCATE, new EventLog());
  same([...make().lines()], [], 'lines of a new cache beside one in use');
}

function checkEmpty(make: () => Cache): void {
  const cache = make();
  const log = new EventLog();
  same(cache.access(VA, PA, false, WRITE_BACK_ALLOCATE, log), 0, 'result of a read');
  same(cache.access(VA, PA, true, WRITE_BACK_ALLOCATE, log), CACHE_PASSED, 'result of a write');
  check(!cache.evictOne(1, log), 'evictOne gave something up');
  same([[...cache.lines()], log.take()], [[], []], 'lines and reports');
}

function checkAccess(make: () => Cache): void {
  const line = 2 ** make().lineSizeLog2;
  for (const offset of [0, 1, line - 1]) {
    const cache = make();
    const log = new EventLog();
    const what = `byte ${offset} of a line`;
    same(cache.access(VA + offset, PA + offset, false, WRITE_BACK_ALLOCATE, log), CACHE_FILLED, `result of the first read, ${what}`);
    for (const other of [0, 1, line - 1]) {
      same(
        cache.access(VA + other, PA + other, false, WRITE_BACK_ALLOCATE, log),
        CACHE_HIT,
        `result of a read of byte ${other} after ${what}`,
      );
    }
    const held = [PA];
    if (cache.setCount > 1) {
      const next = cache.access(VA + line, PA + line, false, WRITE_BACK_ALLOCATE, log);
      same(next, CACHE_FILLED, `result of a read of the next line after ${what}`);
      held.push(PA + line);
    }
    if (cache.wayCount > 1) {
      same(cache.access(VA, PA - 2 ** 32, false, WRITE_BACK_ALLOCATE, log), CACHE_FILLED, 'result of a read 4 GB below');
      held.unshift(PA - 2 ** 32);
    }
    const lines = [...cache.lines()].map(({ pa, dirty }) => ({ pa, dirty })).sort((a, b) => a.pa - b.pa);
    same(
      lines,
      held.map((pa) => ({ pa, dirty: false })),
      'lines',
    );
    same(log.take(), [], 'reports while there is room');
  }
}

function checkPolicy(make: () => Cache): void {
  const { writeBack, writeAllocate } = make();
  const dirtyAfter = (cache: Cache): boolean[] => [...cache.lines()].map(({ dirty }) => dirty);
  const log = new EventLog();
  const written = (attributes: number, before: boolean): { result: number; dirty: boolean[] } => {
    const cache = make();
    if (before) cache.access(VA, PA, false, attributes, log);
    return { result: cache.access(VA, PA, true, attributes, log), dirty: dirtyAfter(cache) };
  };
  const passed = { result: CACHE_PASSED, dirty: [] };
  const throughHit = { result: CACHE_HIT | CACHE_PASSED, dirty: [false] };
  same(
    written(WRITE_BACK_ALLOCATE, false),
    writeAllocate ? { result: CACHE_FILLED, dirty: [true] } : passed,
    'write miss, write-back write-allocate',
  );
  same(
    written(WRITE_BACK_ALLOCATE, true),
    writeBack ? { result: CACHE_HIT, dirty: [true] } : throughHit,
    'write hit, write-back write-allocate',
  );
  same(written(WRITE_BACK, false), passed, 'write miss, write-back');
  same(written(WRITE_BACK, true), writeBack ? { result: CACHE_HIT, dirty: [true] } : throughHit, 'write hit, write-back');
  same(written(WRITE_THROUGH, false), passed, 'write miss, write-through');
  same(written(NON_CACHEABLE, false), passed, 'write, non-cacheable');
  same(written(NON_CACHEABLE, true), passed, 'write after a read, non-cacheable');
  // A cache may take write-through memory as non-cacheable.
  const through = written(WRITE_THROUGH, true);
  if (through.dirty.length === 0) same(through, passed, 'write after a read, write-through');
  else same(through, throughHit, 'write hit, write-through');
  const cache = make();
  same(cache.access(VA, PA, false, NON_CACHEABLE, log), 0, 'result of a read, non-cacheable');
  same([...cache.lines()], [], 'lines after a read, non-cacheable');
}

/** A cache with one line, clean or dirty. */
function holding(make: () => Cache, dirty: boolean): Cache {
  const cache = make();
  cache.access(VA, PA, false, WRITE_BACK_ALLOCATE, new EventLog());
  if (dirty) cache.access(VA, PA, true, WRITE_BACK_ALLOCATE, new EventLog());
  return cache;
}

const OPERATIONS = ['clean', 'invalidate', 'cleanInvalidate'] as const;

function expectation(operation: (typeof OPERATIONS)[number], dirty: boolean): { kinds: string[]; left: boolean[] } {
  const kinds: string[] = [];
  if (dirty && operation !== 'invalidate') kinds.push('written back');
  if (operation !== 'clean') kinds.push(dirty && operation === 'invalidate' ? 'lost' : 'dropped');
  return { kinds, left: operation === 'clean' ? [false] : [] };
}

function checkByAddress(make: () => Cache): void {
  const { writeBack, lineSizeLog2, unit } = make();
  const line = 2 ** lineSizeLog2;
  for (const operation of OPERATIONS) {
    for (const dirty of writeBack ? [false, true] : [false]) {
      const what = `${operation} of a ${dirty ? 'dirty' : 'clean'} line`;
      for (const offset of [0, 5, line - 1]) {
        const cache = holding(make, dirty);
        const log = new EventLog();
        for (const away of [line, -line, 2 ** 32]) cache[operation](VA + (away < 2 ** 32 ? away : 0), PA + away, log);
        same(log.take(), [], `reports of ${operation} of other lines`);
        same([...cache.lines()].length, 1, `lines after ${operation} of other lines`);
        cache[operation](VA + offset, PA + offset, log);
        const { kinds, left } = expectation(operation, dirty);
        same(
          log.take(),
          kinds.map((kind) => ({ kind, pa: PA, unit })),
          `reports of ${what}`,
        );
        same(
          [...cache.lines()].map((held) => held.dirty),
          left,
          `lines after ${what}`,
        );
        cache[operation](VA + offset, PA + offset, log);
        same(log.take(), [], `reports of ${operation} for the second time`);
      }
    }
  }
}

function checkSetWay(make: () => Cache): void {
  const { writeBack, setCount, wayCount, unit } = make();
  for (const operation of OPERATIONS) {
    for (const dirty of writeBack ? [false, true] : [false]) {
      const cache = holding(make, dirty);
      const log = new EventLog();
      const [held] = cache.lines();
      check(held.set >= 0 && held.set < setCount && held.way >= 0 && held.way < wayCount, `a line says set ${held.set}, way ${held.way}`);
      const call = (set: number, way: number): void => cache[`${operation}SetWay`](set, way, log);
      for (const [set, way] of [
        [setCount, held.way],
        [held.set, wayCount],
        [-1, held.way],
        [2 ** 31, 2 ** 31],
        ...(wayCount > 1 ? [[held.set, (held.way + 1) % wayCount]] : []),
        ...(setCount > 1 ? [[(held.set + 1) % setCount, held.way]] : []),
      ]) {
        call(set, way);
        same(log.take(), [], `reports of ${operation} by set ${set}, way ${way}, where the line is not`);
      }
      call(held.set, held.way);
      const { kinds, left } = expectation(operation, dirty);
      same(
        log.take(),
        kinds.map((kind) => ({ kind, pa: PA, unit })),
        `reports of ${operation} by set and way`,
      );
      same(
        [...cache.lines()].map((line) => line.dirty),
        left,
        `lines after ${operation} by set and way`,
      );
    }
    const cache = make();
    const trace = new CacheTrace(5, false);
    for (let i = 0; i < 300; i++) trace.step(cache, new EventLog());
    const before = [...cache.lines()];
    for (let set = 0; set < Math.min(setCount, 8); set++)
      for (let way = 0; way < wayCount; way++) cache[`${operation}SetWay`](set, way, new EventLog());
    const after = [...cache.lines()];
    if (operation === 'clean')
      same(
        after,
        before.map((line) => ({ ...line, dirty: line.set < 8 ? false : line.dirty })),
        'lines after a loop of cleans by set and way',
      );
    else
      same(
        after.filter(({ set }) => set < 8),
        [],
        `lines after a loop of ${operation} by set and way`,
      );
  }
}

function checkIndex(make: () => Cache): void {
  const { virtuallyIndexed, colourCount } = make();
  for (let colour = 0; colour < Math.max(2, colourCount); colour++) {
    const cache = holding(make, false);
    const found = !virtuallyIndexed || colour % colourCount === 0;
    const va = VA + colour * 4096;
    cache.invalidate(va, PA, new EventLog());
    same([...cache.lines()].length, found ? 0 : 1, `lines after an invalidate under colour ${colour} of ${colourCount}`);
    const again = holding(make, false);
    same(
      again.access(va, PA, false, WRITE_BACK_ALLOCATE, new EventLog()),
      found ? CACHE_HIT : CACHE_FILLED,
      `result of a read under colour ${colour}`,
    );
  }
}

/** Compares what was reported with the difference of the lines before and after. */
function checkReports(make: () => Cache, seed: number, steps: number): void {
  const cache = make();
  const trace = new CacheTrace(seed);
  const log = new EventLog();
  let before = new Map<string, CacheLine>();
  for (let i = 0; i < steps; i++) {
    const step = trace.step(cache, log);
    const events = log.take();
    const after = new Map([...cache.lines()].map((line) => [lineKey(line), line]));
    const what = (): string => `step ${i} (${JSON.stringify(step)})`;
    for (const { unit } of events) check(unit === cache.unit, () => `${what()}: reports unit ${unit}`);
    checkDifference(step, events, before, after, 2 ** cache.lineSizeLog2, what);
    before = after;
  }
}

function checkDifference(
  step: CacheStep,
  events: CacheEvent[],
  before: Map<string, CacheLine>,
  after: Map<string, CacheLine>,
  lineLength: number,
  what: () => string,
): void {
  const left = [...events];
  const take = (kind: CacheEvent['kind'], pa: number): void => {
    const index = left.findIndex((event) => event.kind === kind && event.pa === pa);
    check(index >= 0, () => `${what()}: ${hex(pa)} was ${kind} without a report; reported was ${JSON.stringify(events)}`);
    left.splice(index, 1);
  };
  const discards =
    step.kind === 'invalidate' || step.kind === 'invalidateAll' || (step.kind === 'setWay' && step.operation === 'invalidate');
  for (const [key, line] of before) {
    const now = after.get(key);
    if (now === undefined) {
      if (line.dirty && !discards) take('written back', line.pa);
      take(line.dirty && discards ? 'lost' : 'dropped', line.pa);
    } else if (line.dirty && !now.dirty) {
      take('written back', line.pa);
    }
  }
  for (const [key, line] of after) {
    const was = before.get(key);
    const isNew = was === undefined;
    const madeDirty = line.dirty && !(was?.dirty ?? false);
    if (!isNew && !madeDirty) continue;
    const ours = step.kind === 'access' && step.pa >= line.pa && step.pa < line.pa + lineLength;
    check(ours, () => `${what()}: the line at ${hex(line.pa)} is ${isNew ? 'new' : 'dirty now'}`);
    if (step.kind !== 'access') continue;
    if (isNew) check((step.result & CACHE_FILLED) !== 0, () => `${what()}: a line is new and the result is not a fill`);
    if (madeDirty)
      check(
        step.write && (step.result & CACHE_PASSED) === 0,
        () => `${what()}: a line is dirty that was not written, or whose write was passed on`,
      );
  }
  same(left, [], `${what()}: reports without a cause`);
  if (step.kind === 'access' && (step.result & CACHE_FILLED) !== 0) {
    check(after.size > before.size - events.length, () => `${what()}: a fill without a new line`);
  }
}

function runTrace(cache: Cache, trace: CacheTrace, steps: number): { answers: CacheStep[]; events: CacheEvent[]; lines: CacheLine[] } {
  const log = new EventLog();
  const answers: CacheStep[] = [];
  for (let i = 0; i < steps; i++) answers.push(trace.step(cache, log));
  return { answers, events: log.events, lines: [...cache.lines()] };
}

function checkDeterminism(make: () => Cache, seed: number, steps: number): void {
  const first = runTrace(make(), new CacheTrace(seed), steps);
  const cache = make();
  const trace = new CacheTrace(seed);
  const log = new EventLog();
  const answers: CacheStep[] = [];
  for (let i = 0; i < steps; i++) {
    answers.push(trace.step(cache, log));
    if (i % 97 !== 0) continue;
    const lines = [...cache.lines()];
    same([...cache.lines()], lines, 'lines() asked for twice');
    for (let k = 1; k < lines.length; k++) {
      check(
        lines[k - 1].set < lines[k].set || (lines[k - 1].set === lines[k].set && lines[k - 1].way <= lines[k].way),
        'lines() is not by set and way',
      );
    }
    cache.stats();
    cache.snapshot();
  }
  same(answers, first.answers, 'answers of a second run');
  same(log.events, first.events, 'reports of a second run');
  same([...cache.lines()], first.lines, 'lines after a second run');
}

function checkSnapshot(make: () => Cache, seed: number, steps: number): void {
  const original = make();
  const half = Math.ceil(steps / 2);
  runTrace(original, new CacheTrace(seed), half);
  const taken = original.snapshot();
  const saved = cloned(taken);
  const lines = [...original.lines()];
  const went = runTrace(original, new CacheTrace(seed + 1), half);
  same(taken, saved, 'a snapshot after the cache went on');
  const other = make();
  runTrace(other, new CacheTrace(seed + 2), half);
  for (const [name, cache] of [
    ['a new cache', make()],
    ['a cache in use', other],
    ['the same cache', original],
  ] as const) {
    cache.restore(cloned(saved));
    same([...cache.lines()], lines, `lines of ${name} after restore`);
    same(cache.snapshot(), saved, `snapshot of ${name} after restore`);
    same(runTrace(cache, new CacheTrace(seed + 1), half), went, `what ${name} does after restore`);
  }
  refusesForeign(original);
}

function checkReplacement(make: () => Cache, seed: number, steps: number): void {
  if (make().replacement === 'needs-hits' || make().virtuallyIndexed) return;
  const run = (extra: boolean): unknown => {
    const cache = make();
    const trace = new CacheTrace(seed, false);
    const hits = new CacheTrace(seed + 9).random;
    const log = new EventLog();
    for (let i = 0; i < steps; i++) {
      trace.step(cache, log);
      if (extra) {
        const { pa } = hits.pick([...cache.lines()]);
        cache.access(pa % 2 ** 32, pa, false, WRITE_BACK_ALLOCATE, log);
      }
    }
    return { events: log.events, lines: [...cache.lines()] };
  };
  same(run(true), run(false), `what is held and reported with more hits, of a model that declares ${make().replacement}`);
}

function checkEvictOne(make: () => Cache, seed: number): void {
  const cache = make();
  runTrace(cache, new CacheTrace(seed, false), 200);
  const log = new EventLog();
  const random = new CacheTrace(seed).random;
  for (let left = [...cache.lines()]; left.length > 0; ) {
    check(cache.evictOne(random.word(), log), `evictOne would not give up the last ${left.length} lines`);
    const now = [...cache.lines()];
    const gone = left.filter((line) => !now.some((other) => lineKey(other) === lineKey(line)));
    check(gone.length === 1, `evictOne took ${gone.length} lines`);
    const expected = [...(gone[0].dirty ? ['written back'] : []), 'dropped'];
    same(
      log.take().map(({ kind, pa }) => [kind, pa]),
      expected.map((kind) => [kind, gone[0].pa]),
      'reports of evictOne',
    );
    left = now;
  }
  check(!cache.evictOne(1, log), 'evictOne gave something up that was not there');
}

function checkReset(make: () => Cache, seed: number, steps: number): void {
  const cache = make();
  runTrace(cache, new CacheTrace(seed), steps);
  const held = [...cache.lines()];
  const log = new EventLog();
  cache.reset(log);
  same(
    log
      .take()
      .map(({ kind, pa }) => `${kind} ${pa}`)
      .sort(),
    held.map(({ pa, dirty }) => `${dirty ? 'lost' : 'dropped'} ${pa}`).sort(),
    'reports of reset',
  );
  same([...cache.lines()], [], 'lines after reset');
  same(cache.stats(), make().stats(), 'counters after reset');
  same(runTrace(cache, new CacheTrace(seed), steps), runTrace(make(), new CacheTrace(seed), steps), 'what it does after reset');
}

function checkCounters(make: () => Cache, seed: number): void {
  const cache = make();
  checkStats(cache, () => runTrace(cache, new CacheTrace(seed), 300));
}

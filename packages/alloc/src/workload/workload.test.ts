import { describe, expect, it } from 'vitest';
import {
  AllocError,
  bitmapTree,
  compileWorkload,
  createAllocator,
  formatTrace,
  fragmentation,
  fragmentationIndexes,
  type Geometry,
  highOrderSuccess,
  hostWords,
  kernelWorkload,
  knr,
  larsonWorkload,
  parseTrace,
  phaseWorkload,
  rampWorkload,
  recordTrace,
  replayTrace,
  robsonWorkload,
  runWorkload,
  seededRandom,
  TRACE_STRIDE,
  traceState,
  traceWorkload,
  uniformWorkload,
  type Workload,
  zoneList,
} from '../index.js';

const geometry: Geometry = { firstPage: 0x40000, pageCount: 4096, pageShift: 12 };
const options = { seed: 7, operations: 3000, pageCount: 4096, fullness: 0.6 };
const generators: Workload[] = [
  uniformWorkload(options),
  kernelWorkload(options),
  phaseWorkload(options),
  rampWorkload(options),
  larsonWorkload(options),
];

describe.each(generators)('the $name workload', (workload) => {
  it('is the same each time, keeps to its slots and its fullness, and goes on for the operations asked for', () => {
    const trace = compileWorkload(workload);
    expect(compileWorkload(workload).events).toEqual(trace.events);
    expect(trace.events.length / TRACE_STRIDE).toBe(workload.warmup + options.operations);
    const taken = new Map<number, number>();
    let used = 0;
    let peak = 0;
    for (const { kind, slot, pages } of workload.events([])) {
      expect(slot).toBeLessThan(workload.slots);
      expect(taken.has(slot)).toBe(kind !== 'allocate');
      used += pages - (taken.get(slot) ?? 0);
      if (kind === 'free') taken.delete(slot);
      else taken.set(slot, pages);
      peak = Math.max(peak, used);
    }
    expect(peak / geometry.pageCount).toBeGreaterThan(0.5);
    expect(peak / geometry.pageCount).toBeLessThan(0.85);
  });

  it('runs on every allocator without a refusal where a fit exists, and gives those of one placement the same pages', () => {
    const pages: number[][] = [];
    for (const plugin of [bitmapTree(), zoneList(), knr()]) {
      const allocator = createAllocator(plugin, geometry, undefined, { pageWords: hostWords(geometry.pageCount << 10) });
      const answers: number[] = [];
      const report = runWorkload(allocator, geometry, workload, (_index, _event, answer) => answers.push(answer));
      expect(report).toMatchObject({ workload: workload.name, allocator: plugin.name, refusedWithFit: 0 });
      expect(report.peakLive).toBeGreaterThan(geometry.pageCount / 3);
      expect(report.peakOverLive).toBeGreaterThanOrEqual(1);
      expect(allocator.check()).toEqual([]);
      pages.push(answers);
    }
    expect(pages[1]).toEqual(pages[0]);
    expect(pages[2]).not.toEqual(pages[0]);
  });
});

describe('traces', () => {
  it('say in text what they say in integers', () => {
    for (const workload of generators) {
      const trace = compileWorkload(workload);
      const read = parseTrace(`# a comment\n\n${formatTrace(trace)}`);
      expect(read).toEqual(trace);
      expect(compileWorkload(traceWorkload(read)).events).toEqual(trace.events);
    }
  });

  it('are recorded from an allocator in use, and replayed on another', () => {
    const recorder = recordTrace(createAllocator(zoneList(), geometry), 'recorded');
    const { allocator } = recorder;
    const first = allocator.allocate(8, { alignLog2: 3 });
    allocator.reserve(geometry.firstPage + 100, 5);
    recorder.markWarmup();
    allocator.resize(first, 8, 12);
    allocator.free(first + 10, 2);
    allocator.free(first, 10);
    allocator.allocate(9999);
    expect(formatTrace(recorder.trace()).split('\n').slice(3, -1)).toEqual(['warmup 2', 'a 0 8 3', 'a 1 5', 'r 0 12', 'r 0 10', 'f 0']);
    expect(recorder.unrecorded).toBe(0);
    allocator.free(geometry.firstPage + 102, 1);
    expect(recorder.unrecorded).toBe(1);
    const trace = recorder.trace();
    const other = createAllocator(bitmapTree(), geometry);
    expect(replayTrace(other, trace, traceState(trace), 0, trace.events.length)).toBe(0);
    expect(other.stats().freePages).toBe(geometry.pageCount);
  });

  it.each([
    ['', 'line 1: expected "tablewalk-alloc-trace"'],
    ['tablewalk-alloc-trace 2\nname x\n', 'line 1: version "2" is not 1'],
    ['tablewalk-alloc-trace 1\nname x\nslots 0\n', 'line 3: slots is not an integer from 1'],
    ['tablewalk-alloc-trace 1\nname x\nslots 99999999999\n', 'line 3: slots'],
    ['tablewalk-alloc-trace 1\nname x\nslots 2\nwarmup 1\n', 'line 5: warmup 1 is more than the 0 events'],
    ['tablewalk-alloc-trace 1\nname x\nslots 2\nwarmup 0\na 2 1', 'line 5: the slot'],
    ['tablewalk-alloc-trace 1\nname x\nslots 2\nwarmup 0\na 1 0x1', 'line 5: the page count'],
    ['tablewalk-alloc-trace 1\nname x\nslots 2\nwarmup 0\na 1 1 31', 'line 5: alignLog2'],
    ['tablewalk-alloc-trace 1\nname x\nslots 2\nwarmup 0\na 1 1\na 1 1', 'line 6: slot 1 is taken'],
    ['tablewalk-alloc-trace 1\nname x\nslots 2\nwarmup 0\nf 1', 'line 5: slot 1 is empty'],
    ['tablewalk-alloc-trace 1\nname x\nslots 2\nwarmup 0\nq 1', 'line 5: "q 1" is no event'],
    ['tablewalk-alloc-trace 1\nname x\nslots 2\nwarmup 0\nf 1 2', 'line 5: "f" takes other fields'],
  ])('are refused with the line that is wrong: %j', (text, message) => {
    expect(() => parseTrace(text, 'boot.trace')).toThrow(`[alloc] [boot.trace] ${message}`);
  });

  it('are read or refused, whatever the text: 3,000 seeded mutations', () => {
    const random = seededRandom(11);
    const good = formatTrace(compileWorkload(larsonWorkload({ seed: 1, operations: 20, pageCount: 64 })));
    let refused = 0;
    for (let round = 0; round < 3000; round++) {
      const text = [...good];
      for (let change = random.between(1, 4); change > 0; change--) {
        const at = random.below(text.length);
        if (random.oneIn(3)) text.splice(at, random.between(1, 6));
        else if (random.oneIn(2)) text[at] = String.fromCharCode(random.below(random.oneIn(4) ? 0x10000 : 128));
        else text.splice(at, 0, ...'0123456789\n -aefr'.slice(random.below(17)).slice(0, 2));
      }
      try {
        const trace = parseTrace(text.join(''));
        // What it takes is a trace: it runs, and reads back as itself.
        expect(parseTrace(formatTrace(trace)).events).toEqual(trace.events);
        const allocator = createAllocator(bitmapTree(), geometry);
        replayTrace(allocator, trace, traceState(trace), 0, trace.events.length);
        expect(allocator.check()).toEqual([]);
      } catch (error) {
        if (!(error instanceof AllocError) || error.kind !== 'trace') throw error;
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(500);
  });
});

describe('fragmentation', () => {
  it('has the indexes of Linux', () => {
    // 8 blocks of order 0 and 2 of order 1 are 12 pages in 10 blocks; for order 2 that is 1 - (1 + 12/4) / 10.
    const { fragmentationIndex, unusableFreeIndex } = fragmentationIndexes([8, 2, 0, 0]);
    expect(fragmentationIndex).toEqual([-1, -1, 0.6, 1 - (1 + 12 / 8) / 10]);
    expect(unusableFreeIndex).toEqual([0, 8 / 12, 1, 1]);
    expect(fragmentationIndexes([0, 0])).toEqual({ fragmentationIndex: [0, 0], unusableFreeIndex: [1, 1] });
  });

  it('counts free runs as the aligned blocks they divide into', () => {
    const allocator = createAllocator(bitmapTree(), { firstPage: 3, pageCount: 30, pageShift: 12 });
    // Pages 3 to 33 free: 3, 4-7, 8-15, 16-31, 32.
    expect(fragmentation(allocator, 10).blocks.slice(0, 5)).toEqual([2, 0, 1, 1, 1]);
    allocator.reserve(16, 1);
    expect(fragmentation(allocator, 10)).toMatchObject({ freePages: 29, freeRuns: 2, largestFreeRun: 16 });
  });

  it('shows in the success of high orders, which leaves the allocator as it was', () => {
    const allocator = createAllocator(bitmapTree(), geometry);
    for (let page = 0; page < 4096; page += 16) allocator.reserve(geometry.firstPage + page, 1);
    const before = allocator.stats();
    expect(highOrderSuccess(allocator, 0)).toBe(1);
    expect(highOrderSuccess(allocator, 3)).toBe(256 / 480);
    expect(highOrderSuccess(allocator, 4)).toBe(0);
    expect(allocator.stats()).toEqual(before);
  });

  it("is what Robson's adversary makes: first fit needs far more memory than is live", () => {
    const roomy = { ...geometry, pageCount: 16384 };
    const report = runWorkload(createAllocator(bitmapTree(), roomy), roomy, robsonWorkload({ livePages: 1024, maxOrder: 8 }));
    expect(report.refused).toBe(0);
    expect(report.peakLive).toBeLessThanOrEqual(1024);
    // The bound for any allocator is about 1 + 8 / 2 times; a mild workload stays below 1.5.
    expect(report.peakOverLive).toBeGreaterThan(3);
    const mild = runWorkload(createAllocator(bitmapTree(), roomy), roomy, larsonWorkload({ ...options, pageCount: 1024 }));
    expect(mild.peakOverLive).toBeLessThan(1.5);
    expect(() => compileWorkload(robsonWorkload({ livePages: 64, maxOrder: 3 }))).toThrow('looks at placements');
  });

  it.each([
    [() => uniformWorkload({ ...options, seed: 0.5 }), 'seed 0.5'],
    [() => kernelWorkload({ ...options, operations: 0 }), 'operations 0'],
    [() => phaseWorkload({ ...options, pageCount: Number.NaN }), 'pageCount NaN'],
    [() => rampWorkload({ ...options, fullness: 1.1 }), 'fullness 1.1'],
    [() => larsonWorkload({ ...options, maxPages: 0 }), 'maxPages 0'],
    [() => robsonWorkload({ livePages: 8, maxOrder: 4 }), 'maxOrder 4'],
  ])('refuses options that make no sense (%#)', (make, message) => {
    expect(make).toThrow(message);
  });
});

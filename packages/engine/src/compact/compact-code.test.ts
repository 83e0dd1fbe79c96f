import { describe, expect, it } from 'vitest';
import { Bench, runClosures, runCompact } from '../wasm/bench.test-helper.js';
import { DATA_VA, randomBlock, randomGroups, randomSource } from '../wasm/random-block.test-helper.js';
import { compactCode } from './compact-code.js';
import { headOf, NOTHING } from './opcodes.js';
import { CompactStore } from './store.js';

describe('compact code', () => {
  it('does what the closures do, for random programs', () => {
    let missing = 0;
    for (let seed = 0; seed < 1500; seed++) {
      const block = randomBlock(seed);
      const budget = block.offsets.length * 3;
      const reference = new Bench(seed);
      const bench = new Bench(seed);
      const left = runClosures(reference, block, budget);
      const result = {
        seed,
        left: runCompact(bench, block, budget),
        exchanged: bench.exchanged,
        misses: bench.misses,
        ...bench.snapshot(),
      };
      expect(result).toEqual({ seed, left, exchanged: reference.exchanged, misses: reference.misses, ...reference.snapshot() });
      missing += bench.misses;
    }
    expect(missing).toBeGreaterThan(500);
  });

  it('does what the closures do next to borders of pages', () => {
    for (let seed = 0; seed < 300; seed++) {
      const random = randomSource(seed);
      const block = randomGroups(seed);
      const benches = [new Bench(seed), new Bench(seed)] as const;
      const places = [5, 6, 7].map(() => [1, 2, 2, 3, 4][random(5)]! * 4096 + [-12, -8, -4, 0, 16, -64, 2000, 2002, 2001][random(9)]!);
      for (const { words } of benches) places.forEach((at, n) => words.set([DATA_VA + at], 5 + n));
      runClosures(benches[0], block, block.offsets.length);
      runCompact(benches[1], block, block.offsets.length);
      expect({ seed, misses: benches[1].misses, ...benches[1].snapshot() }).toEqual({
        seed,
        misses: benches[0].misses,
        ...benches[0].snapshot(),
      });
    }
  });
});

describe('the interpreter of compact code', () => {
  it('is rehearsed without a trace', () => {
    const bench = new Bench(1);
    const before = bench.bytes.slice();
    const { store } = compactCode(bench.environment(), 16);
    expect(Buffer.compare(bench.bytes, before)).toBe(0);
    expect([bench.misses, bench.exchanged, bench.port.frame.limit, store.top]).toEqual([0, undefined, 0, 0]);
    expect(store.words.every((word) => word === 0)).toBe(true);
  });
});

describe('the store of compact code', () => {
  const add = (store: CompactStore, words: readonly number[]): { from: number; end: number } => {
    store.reserve(words.length);
    store.words.set(words, store.top);
    const from = store.top;
    store.top += words.length;
    return { from, end: store.top };
  };

  it('grows, and moves together what is kept', () => {
    const store = new CompactStore(32);
    const ranges = Array.from({ length: 20 }, (_, n) => add(store, [n, ~n, n]));
    expect(store.top).toBe(60);
    const kept = ranges.filter((_, n) => n % 3 === 0);
    store.move((visit) => kept.forEach(visit));
    expect(store.top).toBe(21);
    expect(kept.map(({ from, end }) => [...store.words.subarray(from, end)])).toEqual([0, 3, 6, 9, 12, 15, 18].map((n) => [n, ~n, n]));
  });

  it('is crowded before it is full, and has room again after a move', () => {
    const store = new CompactStore(64);
    const ranges = Array.from({ length: 61 }, () => add(store, [7]));
    expect(store.crowded).toBe(true);
    store.move((visit) => ranges.forEach(visit));
    expect(store.crowded).toBe(false);
  });

  it('finds where an instruction begins', () => {
    const store = new CompactStore(8);
    const { from, end } = add(store, [headOf(NOTHING, 0, 1), headOf(NOTHING, 0, 1), headOf(NOTHING, 1, 2), 99, headOf(NOTHING, 2, 1)]);
    expect([0, 1, 2, 3].map((k) => store.startOf(from, end, k))).toEqual([0, 2, 4, 5]);
  });
});

import { describe, expect, it } from 'vitest';
import {
  bitmapTree,
  CORRUPT,
  compileWorkload,
  countingWords,
  createAllocator,
  type Geometry,
  hostWords,
  replayTrace,
  traceState,
  uniformWorkload,
  type Violation,
} from '../index.js';
import { countOnes, findOnes, leadingOnes, longestOnes, onesFromTo, trailingOnes } from './bits.js';

describe('runs of ones in a word', () => {
  const slow = (word: number): number[] => [...Array(32).keys()].map((bit) => (word >>> bit) & 1);

  it('agree with looking at each bit', () => {
    let word = 1;
    for (let round = 0; round < 4000; round++) {
      word = Math.imul(word, 0x915f77f5) + 0x3c6ef35f;
      // Long runs too: words of few changes.
      const value = round % 3 === 0 ? word : round % 3 === 1 ? word | (word >> 7) | (word >>> 3) : word >> (round & 31);
      const bits = slow(value).join('');
      const runs = bits.split('0').map((run) => run.length);
      expect(trailingOnes(value)).toBe(runs[0]);
      expect(leadingOnes(value)).toBe(runs[runs.length - 1]);
      expect(longestOnes(value)).toBe(Math.max(...runs));
      expect(countOnes(value)).toBe(runs.reduce((sum, run) => sum + run));
      const length = 1 + (round & 31);
      expect(findOnes(value, length)).toBe(bits.indexOf('1'.repeat(length)));
    }
    expect([onesFromTo(0, 31), onesFromTo(4, 7), onesFromTo(31, 31) >>> 0]).toEqual([-1, 0xf0, 0x80000000]);
  });
});

describe('bitmapTree', () => {
  it('needs at most 300 accesses for an operation on up to 64 of 256k pages', () => {
    const geometry: Geometry = { firstPage: 0, pageCount: 262144, pageShift: 12 };
    const plugin = bitmapTree();
    expect(plugin.accessBound?.(geometry, 64)).toBeLessThanOrEqual(300);
    const words = countingWords(hostWords(plugin.metadataWords(geometry)));
    const allocator = createAllocator(plugin, geometry, words);
    const trace = compileWorkload(uniformWorkload({ seed: 5, operations: 4000, pageCount: geometry.pageCount, fullness: 0.85 }));
    const state = traceState(trace);
    let refused = replayTrace(allocator, trace, state, 0, trace.warmup);
    const end = trace.events.length / 3;
    let most = 0;
    words.loads = words.stores = 0;
    for (let event = trace.warmup; event < end; event++) {
      const before = words.loads + words.stores;
      refused += replayTrace(allocator, trace, state, event, event + 1);
      most = Math.max(most, words.loads + words.stores - before);
    }
    expect(refused).toBe(0);
    expect(most).toBeLessThanOrEqual(300);
    expect((words.loads + words.stores) / (end - trace.warmup)).toBeLessThan(100);
  });

  it('hands out no taken page, whatever its tree says', () => {
    const geometry: Geometry = { firstPage: 0, pageCount: 1000, pageShift: 12 };
    const words = hostWords(bitmapTree().metadataWords(geometry));
    const told: Violation[] = [];
    const allocator = createAllocator(bitmapTree(), geometry, words, { violation: (violation) => told.push(violation) });
    allocator.reserve(0, 1000);
    // Every summary says: all free.
    for (let word = 4 + 32; word < words.array.length; word++) words.array[word] = 0x3ff | (0x3ff << 10) | (0x3ff << 20);
    expect(allocator.allocate(4)).toBe(CORRUPT);
    expect(told).toHaveLength(1);
    expect(allocator.stats().freePages).toBe(0);
  });
});

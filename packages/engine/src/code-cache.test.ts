import { describe, expect, it } from 'vitest';
import { Builder } from './builder.js';
import type { Block } from './code-cache.js';
import { CodeCache, finishBlock } from './code-cache.js';
import { CompactStore } from './compact/store.js';

const block = (offset: number, instructions: number, heat: number): Block => {
  const b = new Builder();
  for (let k = 0; k < instructions; k++) b.instruction(offset + 4 * k, 4, 0);
  return { ...finishBlock(b, { statements: [], starts: [], from: 0, end: 0 }), heat };
};

describe('a code cache that is full', () => {
  const filled = (heats: readonly number[]) => {
    const cache = new CodeCache(new Uint32Array(8), 100);
    const page = cache.page(3, 0, 2);
    heats.forEach((heat, i) => cache.add(page, block(64 * i, 10, heat), 0));
    return { cache, page, kept: () => heats.flatMap((_, i) => (page.block(64 * i) === undefined ? [] : [i])) };
  };

  it('keeps everything as long as there is room', () => {
    const { cache, kept } = filled([0, 0, 0, 0, 0, 0, 0, 0, 0]);
    cache.makeRoom();
    expect(kept().length).toBe(9);
  });

  it('drops what was executed least often, as far as three quarters of the limit, and remembers that it was executed', () => {
    const { cache, page, kept } = filled([1, 9, 1, 200, 3, 40, 2, 80, 1, 20]);
    cache.makeRoom();
    expect(kept()).toEqual([1, 3, 4, 5, 6, 7, 9]);
    expect(cache.instructions).toBe(70);
    expect(page.block(64 * 3)!.heat).toBe(100);
    expect(page.wasExecuted(0)).toBe(true);
    expect(page.wasExecuted(4)).toBe(false);
    cache.invalidate(3, 1);
    expect(page.wasExecuted(0)).toBe(false);
    expect(page.wasExecuted(64 * 2)).toBe(true);
  });

  it('keeps blocks where regions begin, until nothing else is left', () => {
    const { cache, page, kept } = filled([0, 9, 9, 9, 9, 9, 9, 9, 9, 9]);
    const enter = (offset: number): void => {
      const region = { granules: 1, entries: [] as unknown[], leastBudget: 1, slot: 0 };
      region.entries.push({ region, number: 0, offset });
      cache.addRegion(page, region as never);
    };
    enter(0);
    cache.makeRoom();
    expect(kept()).toEqual([0]);
    const dropped: number[] = [];
    cache.onRegionDropped = ({ slot }) => dropped.push(slot);
    for (let i = 1; i < 10; i++) {
      cache.add(page, block(64 * i, 10, 9), 0);
      enter(64 * i);
    }
    cache.makeRoom();
    expect(dropped.length).toBe(10);
    cache.makeRoom();
    expect(kept()).toEqual([]);
  });

  it('counts one instruction across two pages, whatever the second page holds', () => {
    const { cache, page } = filled([5]);
    for (let second = 0; second < 200; second++) cache.addStraddler(page, second, 0, block(4092, 1, 0));
    expect(cache.instructions).toBe(11);
    cache.makeRoom();
    expect(page.block(0)).toBeDefined();
  });

  it('keeps less compact code when that does not grow any more, and moves it together', () => {
    const store = new CompactStore(400, 400);
    const cache = new CodeCache(new Uint32Array(8), 1000, store);
    const page = cache.page(3, 0, 2);
    [5, 1, 9, 1].forEach((heat, i) => {
      const from = store.top;
      store.words.fill(i, from, from + 95);
      store.top += 95;
      cache.add(page, { ...block(64 * i, 10, heat), statements: undefined, from, end: store.top }, 0);
    });
    cache.makeRoom();
    expect([0, 1, 2, 3].map((i) => page.block(64 * i) !== undefined)).toEqual([true, false, true, false]);
    expect(store.top).toBe(190);
    for (const i of [0, 2]) {
      const { from, end } = page.block(64 * i)!;
      expect([...store.words.subarray(from, end)]).toEqual(new Array(95).fill(i));
    }
  });
});

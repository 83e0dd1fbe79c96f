import { layout } from '@tablewalk/engine';
import { describe, expect, it } from 'vitest';
import { FastTable } from './fast-table.js';

const TOP = 0xfffff000;

const table = () => {
  const words = new Int32Array(1 << 16);
  const dropped: [number, number][] = [];
  const fast = new FastTable<string>(words, (low, size) => dropped.push([low >>> 0, size]));
  /** A readable and writable page at `va`, with code in it that was fetched. */
  const enter = (va: number): void => {
    fast.fill(FastTable.entry(va, true), va, 0x5000, true, true, true);
    fast.setJump((va & ~0xfff) | 1, `page ${(va >>> 12).toString(16)}`);
  };
  const has = (va: number): [data: boolean, code: boolean] => [
    words[FastTable.entry(va, true) + layout.FAST_READ_TAG] === (va & ~0xfff),
    fast.jump((va & ~0xfff) | 1) !== undefined,
  ];
  return { fast, enter, has, dropped };
};

describe('the fast table forgets', () => {
  it('one page, and says which code', () => {
    const { fast, enter, has, dropped } = table();
    for (const va of [0x8000, 0x9000, 0xc0100000]) enter(va);
    fast.dropPage(0x8004, 12);
    expect([0x8000, 0x9000, 0xc0100000].map(has)).toEqual([
      [false, false],
      [true, true],
      [true, true],
    ]);
    expect(dropped).toEqual([[0x8000, 0x1000]]);
  });

  it('the last page of all, and ends', () => {
    const { fast, enter, has } = table();
    for (const va of [0, TOP]) enter(va);
    fast.dropPage(TOP, 12);
    fast.dropEntry(0xffff0000, 16);
    expect([0, TOP].map(has)).toEqual([
      [true, true],
      [false, false],
    ]);
  });

  it.each([16, 20, 24, 30])('a mapping of 2^%i bytes and nothing beside it', (sizeLog2) => {
    const { fast, enter, has, dropped } = table();
    const low = 0x80000000;
    const inside = [low, low + 2 ** sizeLog2 - 1];
    const outside = [low - 1, low + 2 ** sizeLog2];
    // Entries of the table are shared by pages 4 MiB apart: one after the other.
    for (const va of [...inside, ...outside]) {
      enter(va);
      fast.dropPage(low, sizeLog2);
      const isKept = outside.includes(va);
      expect(has(va)).toEqual([isKept, isKept]);
    }
    expect(dropped.at(-1)).toEqual([low, 2 ** sizeLog2]);
  });

  it('everything, for another address space', () => {
    const { fast, enter, has, dropped } = table();
    for (const va of [0x8000, TOP]) enter(va);
    fast.dropAsid(3);
    expect([0x8000, TOP].flatMap(has)).toEqual([false, false, false, false]);
    expect(dropped).toEqual([[0, 2 ** 32]]);
  });
});

import { layout } from '@tablewalk/engine';
import { describe, expect, it } from 'vitest';
import { FastTable } from './fast-table.js';

const TOP = 0xfffff000;

const table = () => {
  const words = new Int32Array(layout.STATE_BYTES / 4);
  const dropped: [number, number][] = [];
  const fast = new FastTable<string>(words, {
    dropped: (low, size) => dropped.push([low >>> 0, size]),
    suspended: () => {},
    resumed: () => {},
  });
  /** A readable and writable page at `va`, with code in it that was fetched. */
  const enter = (va: number, global = true): void => {
    fast.fill(FastTable.entry(va, true), va, 0x5000, true, true, true, global);
    fast.setJump((va & ~0xfff) | 1, `page ${(va >>> 12).toString(16)}`, global);
  };
  const has = (va: number): [data: boolean, code: boolean] => [
    words[FastTable.entry(va, true) + layout.FAST_READ_TAG] === (va & ~0xfff),
    fast.jump((va & ~0xfff) | 1) !== undefined,
  ];
  return { fast, words, enter, has, dropped };
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

  it('what was entered after the same was forgotten', () => {
    const { fast, enter, has, dropped } = table();
    fast.setJump(0x7000_0001, 'elsewhere', true);
    const drop = (): void => fast.dropPage(0xc0100000, 20);
    for (const va of [0xc0100000, 0xc0181000]) enter(va, va !== 0xc0181000);
    drop();
    drop();
    expect([has(0xc0100000), has(0xc0181000)]).toEqual([
      [false, false],
      [false, false],
    ]);
    expect(dropped).toHaveLength(1);
    // In the place of an entry that is used already, and as code alone.
    enter(0xc1100000);
    drop();
    fast.fill(FastTable.entry(0xc0100000, true), 0xc0100000, 0x5000, true, true, true, true);
    drop();
    expect(has(0xc0100000)).toEqual([false, false]);
    enter(0xc0104000, false);
    fast.suspendNonGlobal();
    drop();
    fast.resumeNonGlobal();
    fast.setJump(0xc0100001 | 0, 'again', true);
    drop();
    expect([has(0xc0100000), has(0xc0104000), has(0x70000000)]).toEqual([
      [false, false],
      [false, false],
      [false, true],
    ]);
    expect(has(0xc1100000)).toEqual([false, true]);
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
    // Entries of the table are shared by pages 16 MiB apart: one after the other.
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

describe('the fast table sets aside', () => {
  const LOW = 0x10000;
  const HIGH = 0xc0100000;
  const filled = () => {
    const t = table();
    t.enter(LOW, false);
    t.enter(HIGH, true);
    return t;
  };

  it('what belongs to one address space, and takes it back', () => {
    const { fast, has } = filled();
    expect(fast.suspendNonGlobal()).toBe(true);
    expect([LOW, HIGH].map(has)).toEqual([
      [false, false],
      [true, true],
    ]);
    fast.resumeNonGlobal();
    expect([LOW, HIGH].flatMap(has)).toEqual([true, true, true, true]);
  });

  it.each<[string, (fast: FastTable<string>) => void]>([
    ['its page', (fast) => fast.dropPage(LOW, 12)],
    ['the section around it', (fast) => fast.dropPage(0, 20)],
    ['everything', (fast) => fast.dropAll()],
    ['its address space', (fast) => fast.dropNonGlobal()],
  ])('and does not take back what was dropped since: %s', (_, drop) => {
    const { fast, has } = filled();
    fast.suspendNonGlobal();
    drop(fast);
    fast.resumeNonGlobal();
    expect(has(LOW)).toEqual([false, false]);
  });

  it('with stores that are looked at when there is code by then', () => {
    const { fast, words } = filled();
    fast.suspendNonGlobal();
    fast.protect(5);
    fast.resumeNonGlobal();
    const entry = FastTable.entry(LOW, true);
    expect([layout.FAST_READ_TAG, layout.FAST_WRITE_TAG].map((k) => words[entry + k])).toEqual([LOW, layout.FAST_INVALID]);
  });

  it('nothing over what was filled since', () => {
    const { fast, enter, has } = filled();
    fast.suspendNonGlobal();
    // 16 MiB on: the same entry.
    enter(LOW + 0x1000000, true);
    fast.resumeNonGlobal();
    expect([LOW, LOW + 0x1000000].map(has)).toEqual([
      [false, true],
      [true, true],
    ]);
  });

  it('beside what was entered since, time after time', () => {
    const { fast, words, enter, has } = filled();
    const other = LOW + 0x3000;
    fast.suspendNonGlobal();
    enter(other, false);
    fast.resumeNonGlobal();
    expect([LOW, other].flatMap(has)).toEqual([true, true, true, true]);
    fast.suspendNonGlobal();
    expect([LOW, other].flatMap(has)).toEqual([false, false, false, false]);
    // The same page again, in the place where it rests.
    enter(LOW, false);
    expect(words[FastTable.entry(LOW, true) + layout.FAST_WRITE_TAG]).toBe(LOW);
    fast.dropPage(other, 12);
    fast.resumeNonGlobal();
    expect([LOW, other].flatMap(has)).toEqual([true, true, false, false]);
    fast.suspendNonGlobal();
    fast.dropHostPage(5);
    fast.resumeNonGlobal();
    expect([LOW, HIGH].map((va) => has(va)[0])).toEqual([false, false]);
  });

  it('nothing that rested before something else came to rest', () => {
    const { fast, enter, has } = filled();
    fast.suspendNonGlobal();
    enter(LOW + 0x3000, false);
    fast.suspendNonGlobal();
    fast.resumeNonGlobal();
    expect([LOW, LOW + 0x3000].flatMap(has)).toEqual([false, false, true, true]);
  });

  it('nothing where look-ups have state', () => {
    const { fast, has } = filled();
    fast.suspends = false;
    expect(fast.suspendNonGlobal()).toBe(false);
    fast.resumeNonGlobal();
    expect(has(LOW)).toEqual([false, false]);
  });
});

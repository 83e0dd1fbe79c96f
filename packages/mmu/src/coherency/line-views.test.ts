import { GuestMemory } from '@tablewalk/machine';
import { describe, expect, it } from 'vitest';
import { L1_DIRTY, L2_DIRTY, LineViews, viewBytes } from './line-views.js';

const LINE_LOG2 = 6;
const SLOTS = 4;

describe.each([true, false])('views of lines, with a level between the points: %s', (twoLevels) => {
  const make = (): { readonly memory: GuestMemory; readonly views: LineViews; readonly moves: () => number } => {
    const memory = new GuestMemory(4096, [{ name: 'ram', base: 0x40000000, byteLength: 65536, writable: true }], (tail) =>
      viewBytes(tail, LINE_LOG2, twoLevels, SLOTS),
    );
    let moves = 0;
    const views = new LineViews(memory, LINE_LOG2, twoLevels, SLOTS, () => moves++);
    return { memory, views, moves: () => moves };
  };

  it('are in the memory until there are too many, and keep their bytes when they leave', () => {
    const { memory, views, moves } = make();
    const first = memory.regions[0]!.hostOffset >>> LINE_LOG2;
    const host = (line: number): number => (first + line) << LINE_LOG2;
    for (let line = 0; line < 2 * SLOTS; line++) {
      memory.u8[host(line) + 5] = 100 + line;
      views.mark(first + line, L1_DIRTY);
      views.separate(first + line);
      memory.u8[host(line) + 5] = 200 + line;
      expect([views.lower >= 0, moves()]).toEqual(line < SLOTS ? [true, 0] : [false, 1]);
    }
    for (let line = 0; line < 2 * SLOTS; line++) {
      expect([views.pouByte(host(line) + 5), views.pocByte(host(line) + 5)]).toEqual([100 + line, 100 + line]);
      views.copyDown(first + line);
      expect([views.pouByte(host(line) + 5), views.pocByte(host(line) + 5)]).toEqual([200 + line, twoLevels ? 100 + line : 200 + line]);
    }
  });

  it('use places again that were given back', () => {
    const { memory, views, moves } = make();
    const first = memory.regions[0]!.hostOffset >>> LINE_LOG2;
    for (let line = 0; line < 3 * SLOTS; line++) {
      views.mark(first + line, L2_DIRTY);
      views.separate(first + line);
      views.shadow[first + line] = 0;
      views.settle(first + line);
      expect(views.has(first + line)).toBe(false);
    }
    expect([views.lower >= 0, moves()]).toEqual([true, 0]);
  });
});

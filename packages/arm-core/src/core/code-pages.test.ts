import { describe, expect, it } from 'vitest';
import { CodePages } from './code-pages.js';

describe('CodePages', () => {
  it('does what a map does', () => {
    const pages = new CodePages<number>();
    const model = new Map<number, number>();
    let state = 1;
    const random = (n: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * n);
    };
    // Few hashes and few modes: most tags are not where they belong first.
    const tag = (): number => (random(4) << 30) | (random(40) << 12) | (random(3) << 4) | 0;
    for (let i = 0; i < 10_000; i++) {
      const name = tag();
      const what = random(1000);
      if (what < 450) {
        pages.set(name, i);
        model.set(name, i);
      } else if (what < 998) expect(pages.delete(name)).toBe(model.delete(name));
      else {
        pages.clear();
        model.clear();
      }
      const other = tag();
      expect(pages.get(other)).toBe(model.get(other));
      expect(pages.size).toBe(model.size);
      if (i % 100 !== 0) continue;
      const listed = [...pages.tags.subarray(0, pages.size)].map((known, at) => [known, pages.pages[at]!] as const);
      expect(listed.sort(([a], [b]) => a - b)).toEqual([...model].sort(([a], [b]) => a - b));
    }
  });
});

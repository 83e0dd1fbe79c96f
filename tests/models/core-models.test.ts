import { coreProfiles } from '@tablewalk/arm-core';
import { type CoreModel, coreCaches, coreModels, coreTlb } from '@tablewalk/mmu';
import { describe, expect, it } from 'vitest';

const known = Object.values(coreModels).flatMap((model) => {
  const profile = coreProfiles[model.name];
  return profile === undefined ? [] : [{ model, profile }];
});

/** CCSIDR (B4.1.19): sets, ways, bytes in a line. */
const geometry = (ccsidr: number): { sets: number; ways: number; line: number } => ({
  sets: ((ccsidr >>> 13) & 0x7fff) + 1,
  ways: ((ccsidr >>> 3) & 0x3ff) + 1,
  line: 16 << (ccsidr & 7),
});

describe.each(known)('$model.name', ({ model, profile }) => {
  const { id, ccsidr } = profile;
  const caches = coreCaches(model);
  const ctr = id['CTR'] as number;
  const clidr = id['CLIDR'] as number;

  it('has the sets and ways that set/way loops count', () => {
    for (const [selector, cache] of [
      [0, caches.data],
      [2, caches.unified],
    ] as const) {
      const value = ccsidr[selector];
      expect(cache === null).toBe(value === undefined);
      if (cache === null || value === undefined) continue;
      const read = geometry(value);
      expect([cache.wayCount, 2 ** cache.lineSizeLog2]).toEqual([read.ways, read.line]);
      // The largest power of two that the loop covers, or less.
      expect(cache.setCount).toBeLessThanOrEqual(read.sets);
      if (selector === 0) expect(cache.setCount).toBe(read.sets);
    }
  });

  it('has the lines and the index that CTR tells', () => {
    expect(2 ** (caches.data?.lineSizeLog2 ?? 0)).toBe(4 << ((ctr >>> 16) & 0xf));
    expect(2 ** (caches.instruction?.lineSizeLog2 ?? 0)).toBe(4 << (ctr & 0xf));
    // L1Ip, bits 15:14: 2 is VIPT, 3 PIPT.
    expect(caches.instruction?.virtuallyIndexed).toBe(((ctr >>> 14) & 3) === 2);
  });

  it('has the points that CLIDR tells', () => {
    expect([caches.levelOfUnification, caches.levelOfCoherency]).toEqual([(clidr >>> 27) & 7, (clidr >>> 24) & 7]);
    expect(caches.unified !== null).toBe(((clidr >>> 3) & 7) === 4);
  });

  it('walks as ID_MMFR3 tells', () => {
    expect(model.coherentWalks).toBe((((id['ID_MMFR3'] as number) >>> 20) & 0xf) === 1);
    expect(caches.walks === 'l1d').toBe(model.coherentWalks);
  });
});

it('knows every core that has a profile', () => {
  expect(Object.keys(coreProfiles).filter((name) => !(name in coreModels))).toEqual([]);
});

it('a copy with other numbers is another core', () => {
  const a15 = coreModels['cortex-a15'];
  const small: CoreModel = { ...a15, name: 'small', tlb: { ...a15.tlb, main: { entries: 8, ways: 2, replacement: 'random' } } };
  const inserted = (seed: number): number[] => {
    const tlb = coreTlb(small, seed);
    const entry = new Uint32Array(8);
    for (let i = 0; i < 40; i++) {
      entry.set([0x40000000 + i * 0x1000, (0x80000000 | 12) >>> 0, i * 0x1000]);
      tlb.insert(entry, false, { evicted: () => {} });
    }
    return [...tlb.entries()].map((o) => tlb.arena[o]);
  };
  expect(inserted(5)).toEqual(inserted(5));
  expect(inserted(5)).not.toEqual(inserted(6));
  expect(coreCaches(small).name).toBe('small');
});

import { describe, expect, it } from 'vitest';
import { TestDriver, toHex } from './driver.test-helper.js';
import { seededEntropy } from './entropy.js';
import { virtioRng } from './rng.js';

describe.each([true, false])('rng (legacy: %s)', (legacy) => {
  const make = (seed: number) => {
    const driver = new TestDriver(virtioRng({ entropy: seededEntropy(seed) }), legacy);
    driver.start([], [8]);
    return driver;
  };
  const draw = (driver: TestDriver, ...lengths: number[]): string => {
    const segments = lengths.map((length) => driver.room(length));
    driver.add(0, segments);
    driver.kick(0);
    expect(driver.used(0)[0].length).toBe(lengths.reduce((a, b) => a + b));
    return segments.map((segment) => toHex(driver.get(segment))).join('');
  };

  it('fills buffers with the bytes of the seed, whatever their sizes', () => {
    const bytes = draw(make(1), 64);
    expect(draw(make(1), 5, 1, 58)).toBe(bytes);
    expect(draw(make(2), 64)).not.toBe(bytes);
    expect(new Set(bytes.match(/../g)).size).toBeGreaterThan(40);
  });

  it('goes on after a snapshot as it would have, survives a driver reset, and starts again at power-on', () => {
    const driver = make(1);
    const start = draw(driver, 7);
    const snapshot = structuredClone(driver.slot.snapshot());
    const next = draw(driver, 7);
    driver.slot.restore(snapshot);
    driver.start([], [8]);
    expect(draw(driver, 7)).toBe(next);
    driver.slot.reset();
    driver.start([], [8]);
    expect(draw(driver, 7)).toBe(start);
  });

  it('gives at most 4 KiB for one buffer', () => {
    const driver = make(1);
    driver.add(0, [driver.room(100_000)]);
    driver.kick(0);
    expect(driver.used(0)[0].length).toBe(4096);
  });
});

import type { Clock } from '@tablewalk/machine/contracts';
import { describe, expect, it } from 'vitest';
import { virtioBlock } from './block.js';
import { overlayStorage } from './block-storage.js';
import { virtioConsole } from './console.js';
import { numbers, TestDriver } from './driver.test-helper.js';
import { seededEntropy } from './entropy.js';
import { virtioNet } from './net.js';
import { virtioRng } from './rng.js';
import { userNetwork } from './user-network/user-network.js';
import type { VirtioDevice } from './virtio-device.js';

const makers: [string, (clock: Clock) => VirtioDevice, number][] = [
  ['block', () => virtioBlock({ storage: overlayStorage({ byteLength: 2 ** 20 }) }), 1],
  ['net', (clock) => virtioNet({ backend: userNetwork({ clock, latency: 500 }) }), 3],
  ['console', () => virtioConsole({ ports: [{ output: () => {} }, { name: 'b', output: () => {} }] }), 6],
  ['rng', () => virtioRng({ entropy: seededEntropy(3) }), 1],
];

describe.each(makers)('%s with a hostile driver', (_name, make, queues) => {
  it('random registers, rings and buffers never throw, and the same ones do the same', { timeout: 60_000 }, () => {
    let completed = 0;
    const run = (seed: number): unknown => {
      const next = numbers(seed);
      const driver = new TestDriver(make, seed % 2 === 0);
      for (let round = 0; round < 8; round++) {
        const all = [5, 15, 16, 17, 18, 28, 29, 0, 1, 2].filter((bit) => ((driver.offered() >> BigInt(bit)) & 1n) !== 0n && next(3) > 0);
        driver.start(all, new Array<number>(queues).fill(8 << next(6)));
        for (let step = 0; step < 60; step++) {
          const index = next(queues);
          const ring = driver.rings[index];
          const kind = next(80);
          if (kind < 70) {
            const count = 2 + next(4);
            const segments = Array.from({ length: count }, (_, i) => ({
              address: driver.ram.base + next(next(400) === 0 ? 2 ** 31 : 0x1000),
              length: next(8) === 0 ? 1 + next(70_000) : (i === 0 ? 16 : 1) + next(64),
              writable: i === count - 1 ? next(64) > 0 : i > 0 && next(2) === 0,
            }));
            segments.sort((x, y) => Number(x.writable) - Number(y.writable));
            for (const { address } of segments) driver.ram.writeU32(address, next(2) === 0 ? next(16) : next(2 ** 32));
            driver.add(index, segments, all.includes(28) && (ring.size < count || next(3) === 0));
          } else if (kind === 70) {
            // Change something inside the rings.
            driver.ram.writeU16(ring.descriptors + next(26 * ring.size + 6), next(65536));
          } else if (kind < 74) driver.slot.write(next(0x200), ([1, 2, 4] as const)[next(3)], next(4) === 0 ? next(2 ** 32) : next(16));
          else driver.slot.read(next(0x200), ([1, 2, 4] as const)[next(3)]);
          driver.kick(index);
          driver.clock.advance(next(2000));
          completed += driver.used(index).length;
          if (next(40) === 0) driver.slot.restore(structuredClone(driver.slot.snapshot()));
        }
        driver.slot.write(0x70, 4, 0);
      }
      let sum = 0;
      for (const byte of driver.ram.bytes) sum = (Math.imul(sum, 31) + byte) >>> 0;
      return [sum, driver.errors.length, driver.interrupts];
    };
    for (let seed = 1; seed <= 30; seed++) {
      const first = run(seed);
      if (seed <= 4) expect(run(seed)).toEqual(first);
    }
    // Most rounds must get somewhere before they break something.
    expect(completed).toBeGreaterThan(1000);
  });
});

// Queues that only carry answers are looked at when there is an answer: these two devices look at once.
describe.each([makers[0], makers[3]])('%s with a broken ring', (_name, make, queues) => {
  const broken = (legacy: boolean, prepare: (driver: TestDriver) => void): TestDriver => {
    const driver = new TestDriver(make, legacy);
    driver.start([28], new Array<number>(queues).fill(16));
    prepare(driver);
    driver.kick(0);
    return driver;
  };
  it.each<[string, (driver: TestDriver) => void]>([
    ['head beyond the ring', (d) => d.offer(0, 16)],
    ['index too far ahead', (d) => d.ram.writeU16(d.rings[0].available + 2, 17)],
    [
      'loop',
      (d) => {
        d.putDescriptor(d.rings[0].descriptors, d.ram.base, 16, 1, 1);
        d.putDescriptor(d.rings[0].descriptors + 16, d.ram.base, 16, 1, 0);
        d.offer(0, 0);
      },
    ],
    [
      'next beyond the table',
      (d) => {
        d.putDescriptor(d.rings[0].descriptors, d.ram.base, 16, 1, 999);
        d.offer(0, 0);
      },
    ],
    ['buffer outside RAM', (d) => d.add(0, [{ address: 0x3ffffff0, length: 32, writable: true }])],
    ['buffer past the end of RAM', (d) => d.add(0, [{ address: d.ram.base, length: 0xffffffff, writable: true }])],
    ['buffer above 2^48', (d) => d.add(0, [{ address: 2 ** 60, length: 1, writable: true }])],
    ['buffer of nothing', (d) => d.add(0, [{ address: d.ram.base, length: 0, writable: true }])],
    ['readable after writable', (d) => d.add(0, [d.room(4), d.forDevice(new Uint8Array(4))])],
    ['indirect table outside RAM', (d) => d.putDescriptor(d.rings[0].descriptors, 0x1000, 32, 4, 0) ?? d.offer(0, 0)],
    ['indirect table of odd size', (d) => d.putDescriptor(d.rings[0].descriptors, d.ram.base, 24, 4, 0) ?? d.offer(0, 0)],
    [
      'indirect in indirect',
      (d) => {
        d.putDescriptor(d.ram.base + 64, d.ram.base, 16, 4, 0);
        d.putDescriptor(d.rings[0].descriptors, d.ram.base + 64, 16, 4, 0);
        d.offer(0, 0);
      },
    ],
    [
      'indirect table larger than any chain',
      (d) => {
        const table = d.allocate(16 * 2000);
        for (let i = 0; i < 2000; i++) d.putDescriptor(table + 16 * i, d.ram.base, 1, 3, i + 1);
        d.putDescriptor(d.rings[0].descriptors, table, 16 * 2000, 4, 0);
        d.offer(0, 0);
      },
    ],
  ])('%s: stops until reset, and says so', (_fault, prepare) => {
    for (const legacy of [true, false]) {
      const driver = broken(legacy, prepare);
      expect(driver.errors).toEqual([expect.stringContaining('stops until it is reset')]);
      expect(driver.r(0x70)).toBe(legacy ? 7 : 15 | 64);
      expect(driver.r(0x60)).toBe(legacy ? 0 : 2);
      expect(driver.used(0)).toEqual([]);
      // Nothing more until the reset, not even complaints.
      driver.kick(0);
      driver.w(0x70, 15);
      driver.kick(0);
      expect([driver.errors.length, driver.used(0).length]).toEqual([1, 0]);
      const copy = new TestDriver(make, legacy);
      copy.slot.restore(structuredClone(driver.slot.snapshot()));
      expect(copy.r(0x70)).toBe(driver.r(0x70));
      driver.start([28], [16]);
      driver.kick(0);
      expect(driver.r(0x70)).toBe(legacy ? 7 : 15);
      expect(driver.errors).toHaveLength(1);
    }
  });

  it('rings outside RAM', () => {
    for (const [legacy, address] of [
      [true, 0],
      [false, 0],
      [false, 2 ** 52],
      [true, 0xffffffff * 4096],
    ] as const) {
      const driver = new TestDriver(make, legacy);
      driver.start([], []);
      driver.w(0x30, 0);
      driver.w(0x38, 1024);
      if (legacy) driver.w(0x40, address / 4096 || 1);
      else {
        for (const offset of [0x80, 0x90, 0xa0]) {
          driver.w(offset, 16);
          driver.w(offset + 4, address / 2 ** 32);
        }
        driver.w(0x44, 1);
      }
      driver.kick(0);
      expect(driver.errors).toEqual([expect.stringContaining('outside RAM')]);
    }
  });
});

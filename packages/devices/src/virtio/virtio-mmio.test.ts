import { describe, expect, it } from 'vitest';
import { DeviceError } from '../device-error.js';
import { virtioBlock } from './block.js';
import { overlayStorage } from './block-storage.js';
import { virtioConsole } from './console.js';
import { TestDriver } from './driver.test-helper.js';
import { seededEntropy } from './entropy.js';
import { virtioNet } from './net.js';
import { virtioRng } from './rng.js';
import { userNetwork } from './user-network/user-network.js';

const disk = () => virtioBlock({ storage: overlayStorage({ byteLength: 64 * 2 ** 20 }) });
const card = (driver: { clock: Parameters<typeof userNetwork>[0]['clock'] }) => virtioNet({ backend: userNetwork(driver) });
const rng = () => virtioRng({ entropy: seededEntropy(1) });
const terminal = () => virtioConsole({ ports: [{ output: () => {} }] });

/** Features that QEMU 7.2 offers and this device leaves out. */
const SCSI = 1n << 7n;
const RING_RESET = 1n << 40n;

describe('registers compared with QEMU 7.2 (-M virt, force-legacy=true and false)', () => {
  it.each([
    ['block', disk(), 2, 0x31006ed4n & ~SCSI, 0x101_30006e54n & ~RING_RESET],
    ['net', card(new TestDriver(undefined, true)), 1, 0x39bf8064n, 0x101_30bf8024n & ~RING_RESET],
    ['console', terminal(), 3, 0x39000006n, 0x101_30000006n & ~RING_RESET],
    ['rng', rng(), 4, 0x39000000n, 0x101_30000000n & ~RING_RESET],
  ])('%s: identity and features', (_name, device, id, legacy, modern) => {
    const old = new TestDriver(device, true);
    expect([old.r(0), old.r(4), old.r(8), old.r(12)]).toEqual([0x74726976, 1, id, 0x554d4551]);
    expect(old.offered()).toBe(legacy);
    const recent = new TestDriver(device, false);
    expect(recent.r(4)).toBe(2);
    expect(recent.offered()).toBe(modern);
    expect(recent.r(0xb0)).toBe(0xffffffff);
  });

  it('block: configuration space of a 64 MiB disk', () => {
    const driver = new TestDriver(disk(), true);
    const config = Array.from({ length: 60 }, (_, i) => driver.slot.read(0x100 + i, 1));
    const zeroes = (count: number) => new Array<number>(count).fill(0);
    expect(config).toEqual([
      ...[0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xfe, 0, 0, 0, 0x82, 0, 0x10, 0x3f, 0, 2, 0, 0],
      ...[...zeroes(8), 1, 0, 1, 0, 0xff, 0xff, 0x3f, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0xff, 0xff, 0x3f, 0, 1, 0, 0, 0, 1, 0, 0, 0],
    ]);
    expect(driver.errors).toEqual([]);
    expect([driver.slot.read(0x100, 4), driver.slot.read(0x102, 2), driver.slot.read(0x13c, 4)]).toEqual([0x20000, 2, 0xffffffff]);
    expect(driver.errors).toHaveLength(1);
  });

  it('net: address and link; console: 31 ports, 64 queues; rng: no configuration at all', () => {
    const net = new TestDriver(card(new TestDriver(undefined, true)), false);
    expect([net.slot.read(0x100, 4), net.slot.read(0x104, 4)]).toEqual([0x12005452, 0x00015634]);
    const con = new TestDriver(terminal(), false);
    expect([con.slot.read(0x100, 4), con.slot.read(0x104, 4), con.slot.read(0x108, 4)]).toEqual([0, 31, 0]);
    const queues = Array.from({ length: 70 }, (_, i) => {
      con.w(0x30, i);
      return con.r(0x34);
    });
    expect(queues.filter((max) => max === 1024)).toHaveLength(64);
    expect(queues.slice(64)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(new TestDriver(rng(), true).slot.read(0x100, 2)).toBe(0xffff);
  });

  it('an empty slot says what it is and that nothing is there', () => {
    for (const legacy of [true, false]) {
      const driver = new TestDriver(undefined, legacy);
      expect([driver.r(0), driver.r(4), driver.r(8), driver.r(12), driver.slot.read(0, 2)]).toEqual([
        0x74726976,
        legacy ? 1 : 2,
        0,
        0x554d4551,
        0x6976,
      ]);
      expect(driver.errors).toEqual([]);
      driver.w(0x70, 1);
      expect(driver.r(0x70)).toBe(0);
      expect(driver.errors).toHaveLength(2);
      driver.slot.reset();
      driver.slot.restore(driver.slot.snapshot());
    }
  });
});

describe('negotiation and status', () => {
  it('modern: FEATURES_OK is refused when the driver accepts what was not offered, and sticks otherwise', () => {
    const driver = new TestDriver(disk(), false);
    driver.w(0x70, 3);
    driver.w(0x24, 1);
    driver.w(0x20, 3);
    driver.w(0x70, 11);
    expect(driver.r(0x70)).toBe(3);
    expect(driver.errors).toEqual([expect.stringContaining('not offered')]);
    driver.w(0x20, 1);
    driver.w(0x70, 11);
    expect(driver.r(0x70)).toBe(11);
  });

  it('a legacy device has no second feature word, and legacy and modern registers do not mix', () => {
    const old = new TestDriver(disk(), true);
    old.w(0x24, 1);
    old.w(0x20, 1);
    expect(old.errors).toHaveLength(1);
    for (const offset of [0x44, 0xfc]) expect(old.r(offset)).toBe(0);
    old.w(0x80, 0x40000000);
    expect(old.errors).toHaveLength(4);
    const recent = new TestDriver(disk(), false);
    recent.w(0x28, 4096);
    recent.w(0x40, 5);
    expect([recent.r(0x40), recent.errors.length]).toEqual([0, 3]);
  });

  it('narrow accesses to registers, write-only, read-only and absent registers are reported', () => {
    const driver = new TestDriver(disk(), true);
    expect(driver.slot.read(0, 2)).toBe(0);
    expect(driver.slot.read(0, 1)).toBe(0);
    expect(driver.r(0x50)).toBe(0);
    driver.w(0x00, 1);
    driver.w(0xf0, 1);
    driver.slot.write(0x70, 1, 1);
    driver.w(0x50, 7);
    driver.slot.write(0x100, 4, 1);
    expect(driver.errors).toHaveLength(8);
    expect(driver.r(0x70)).toBe(0);
  });

  it('QueueNum takes powers of two up to 1024; zero PFN frees the queue; status 0 resets', () => {
    const driver = new TestDriver(disk(), true);
    driver.start([], [64]);
    expect(driver.r(0x40)).toBe(driver.rings[0].descriptors / 4096);
    driver.w(0x38, 128);
    expect(driver.errors).toHaveLength(1);
    driver.w(0x40, 0);
    for (const size of [0, 3, 2048]) driver.w(0x38, size);
    expect(driver.errors).toHaveLength(4);
    driver.kick(0);
    expect(driver.errors).toHaveLength(5);
    driver.w(0x70, 0);
    expect([driver.r(0x70), driver.r(0x40), driver.level]).toEqual([0, 0, false]);
  });
});

describe('snapshots', () => {
  it('are refused by a slot of another kind, which then keeps its state', () => {
    const driver = new TestDriver(disk(), true);
    driver.start([9], [64]);
    const { slot } = new TestDriver(rng(), true);
    expect(() => slot.restore(driver.slot.snapshot())).toThrow(DeviceError);
    expect(() => driver.slot.restore({ schema: 'devices/pl011', version: 1, data: {} })).toThrow('[devices] [virtio-mmio@a003e00]');
    expect(driver.r(0x70)).toBe(7);
  });
});

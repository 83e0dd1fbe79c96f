import { describe, expect, it } from 'vitest';
import { virtioBlock } from './block.js';
import { type BlockStorage, memoryImage, overlayStorage } from './block-storage.js';
import { numbers, type Segment, sameBytes, TestDriver } from './driver.test-helper.js';

const MIB = 2 ** 20;
const INDIRECT = 28;
const EVENT_INDEX = 29;

function header(type: number, sector: number): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint32(8, sector, true);
  return bytes;
}

function pattern(byteLength: number, seed: number): Uint8Array {
  const next = numbers(seed);
  return Uint8Array.from({ length: byteLength }, () => next(256));
}

/** One request, waited for; the status byte. */
function request(driver: TestDriver, type: number, sector: number, data: Segment[] = [], indirect = false): number {
  const status = driver.room(1);
  const head = driver.add(0, [driver.forDevice(header(type, sector)), ...data, status], indirect);
  driver.kick(0);
  const written = data.reduce((sum, segment) => sum + (segment.writable ? segment.length : 0), 1);
  expect(driver.used(0)).toEqual([{ id: head, length: written }]);
  return driver.get(status)[0];
}

describe.each([
  ['legacy', true],
  ['modern', false],
])('block over %s transport', (_name, legacy) => {
  const make = (options: Partial<Parameters<typeof virtioBlock>[0]> = {}) =>
    new TestDriver(virtioBlock({ storage: overlayStorage({ byteLength: 2 * MIB }), ...options }), legacy);

  it.each([false, true])('reads back what it wrote, in pieces of any size (indirect: %s)', (indirect) => {
    const driver = make();
    driver.start(indirect ? [INDIRECT] : [], [64]);
    const data = pattern(200 * 512, 7);
    const pieces = [
      driver.forDevice(data.subarray(0, 1000)),
      driver.forDevice(data.subarray(1000, 70000)),
      driver.forDevice(data.subarray(70000)),
    ];
    expect(request(driver, 1, 100, pieces, indirect)).toBe(0);
    expect(driver.acknowledge()).toBe(1);
    expect(driver.level).toBe(false);
    const back = [driver.room(1), driver.room(131 * 512 - 1), driver.room(69 * 512)];
    expect(request(driver, 0, 100, back, indirect)).toBe(0);
    expect(sameBytes(driver.bytes(...back.map((segment) => driver.get(segment))), data)).toBe(true);
    expect([driver.interrupts, driver.errors]).toEqual([2, []]);
  });

  it('answers identity, flush, write zeroes and discard', () => {
    let flushes = 0;
    const storage: BlockStorage = overlayStorage({ image: memoryImage(pattern(MIB, 3)) });
    const driver = make({ storage: { ...storage, flush: () => flushes++ }, serial: 'disk-0' });
    driver.start([9, 11, 13, 14], [16]);
    const id = driver.room(20);
    expect(request(driver, 8, 0, [id])).toBe(0);
    expect(new TextDecoder().decode(driver.get(id))).toBe('disk-0'.padEnd(20, '\0'));
    expect(request(driver, 4, 0)).toBe(0);
    expect(flushes).toBe(1);
    const range = (sector: number, count: number, flags: number) => {
      const bytes = header(sector, 0);
      new DataView(bytes.buffer).setUint32(8, count, true);
      new DataView(bytes.buffer).setUint32(12, flags, true);
      return [driver.forDevice(bytes)];
    };
    expect(request(driver, 13, 0, range(10, 300, 1))).toBe(0);
    expect(request(driver, 11, 0, range(400, 1, 0))).toBe(0);
    expect(request(driver, 11, 0, range(400, 1, 1))).toBe(2);
    expect(request(driver, 13, 0, range(2000, 100, 0))).toBe(1);
    const sectors = driver.room(312 * 512);
    expect(request(driver, 0, 0, [sectors])).toBe(0);
    const expected = pattern(MIB, 3).subarray(0, 312 * 512);
    expected.fill(0, 10 * 512, 310 * 512);
    expect(sameBytes(driver.get(sectors), expected)).toBe(true);
    // Write-through, when the driver asks for it.
    driver.slot.write(0x120, 1, 0);
    expect(request(driver, 1, 0, [driver.forDevice(new Uint8Array(512))])).toBe(0);
    expect(flushes).toBe(2);
  });

  it('refuses what is out of range, unaligned, unknown, or written to a read-only disk; a failing storage is an I/O error', () => {
    const driver = make({ readOnly: true });
    driver.start([], [16]);
    expect(driver.offered() & (1n << 5n)).not.toBe(0n);
    expect(request(driver, 0, 4095, [driver.room(1024)])).toBe(1);
    expect(request(driver, 0, 0xffffffff, [driver.room(512)])).toBe(1);
    expect(request(driver, 0, 0, [driver.room(100)])).toBe(1);
    expect(request(driver, 1, 0, [driver.forDevice(new Uint8Array(512))])).toBe(1);
    expect(request(driver, 99, 0)).toBe(2);
    expect(driver.errors).toHaveLength(5);
    const broken = make({
      storage: {
        byteLength: MIB,
        read() {
          throw new Error('bad cable');
        },
        write() {},
        flush() {},
      },
    });
    broken.start([], [16]);
    expect(request(broken, 0, 0, [broken.room(512)])).toBe(1);
    expect(broken.errors).toEqual([expect.stringContaining('bad cable')]);
  });

  it('EVENT_IDX: interrupts at the asked index only, and asks for the next notification', () => {
    const driver = make();
    driver.start([EVENT_INDEX], [16]);
    const { available, used } = driver.rings[0];
    const read = () => driver.add(0, [driver.forDevice(header(0, 0)), driver.room(513)]);
    driver.ram.writeU16(available + 4 + 32, 0);
    read();
    driver.kick(0);
    expect([driver.acknowledge(), driver.ram.readU16(used + 4 + 128)]).toEqual([1, 1]);
    // Wake me after the fourth: used_event is the index that must be passed.
    driver.ram.writeU16(available + 4 + 32, 3);
    for (let i = 0; i < 2; i++) {
      read();
      driver.kick(0);
    }
    expect([driver.used(0).length, driver.r(0x60)]).toEqual([3, 0]);
    read();
    driver.kick(0);
    expect([driver.used(0).length, driver.acknowledge(), driver.ram.readU16(used + 4 + 128)]).toEqual([1, 1, 4]);
    driver.ram.writeU16(available + 4 + 32, 5);
    read();
    driver.kick(0);
    expect(driver.r(0x60)).toBe(0);
  });

  it('without EVENT_IDX the flag in the available ring keeps it quiet; a legacy driver may still ask to be told of an empty ring', () => {
    const driver = make();
    driver.start([], [16]);
    driver.ram.writeU16(driver.rings[0].available, 1);
    expect(request(driver, 4, 0)).toBe(0);
    expect(driver.level).toBe(false);
    if (!legacy) return;
    driver.start([24], [16]);
    driver.ram.writeU16(driver.rings[0].available, 1);
    expect(request(driver, 4, 0)).toBe(0);
    expect(driver.level).toBe(true);
  });

  it('a notification does a bounded amount of work; the rest follows in guest time, also after a snapshot in between', () => {
    const bulk = () => {
      const driver = make({ storage: overlayStorage({ byteLength: 64 * MIB }) });
      driver.start([INDIRECT], [64]);
      const room = driver.room(MIB);
      for (let i = 0; i < 40; i++) driver.add(0, [driver.forDevice(header(0, 0)), room, driver.room(1)], true);
      driver.kick(0);
      return driver;
    };
    const driver = bulk();
    expect(driver.used(0)).toHaveLength(16);
    const snapshot = structuredClone(driver.slot.snapshot());
    const memory = driver.ram.bytes.slice();
    driver.clock.advance(10_000);

    const other = make({ storage: overlayStorage({ byteLength: 64 * MIB }) });
    other.ram.bytes.set(memory);
    other.slot.restore(snapshot);
    expect(other.level).toBe(true);
    other.clock.advance(10_000);
    expect(sameBytes(other.ram.bytes, driver.ram.bytes)).toBe(true);
    expect(other.slot.snapshot()).toEqual(driver.slot.snapshot());
    expect(driver.used(0)).toHaveLength(24);
  });

  it('keeps disk contents in snapshots and over resets', () => {
    const driver = make();
    driver.start([], [16]);
    expect(request(driver, 1, 5, [driver.forDevice(pattern(512, 9))])).toBe(0);
    const snapshot = structuredClone(driver.slot.snapshot());
    expect(request(driver, 1, 5, [driver.forDevice(new Uint8Array(512))])).toBe(0);
    driver.slot.restore(snapshot);
    driver.slot.reset();
    driver.start([], [16]);
    const back = driver.room(512);
    expect(request(driver, 0, 5, [back])).toBe(0);
    expect(driver.get(back)).toEqual(pattern(512, 9));
  });

  it('indexes wrap at 65536', () => {
    const driver = make();
    driver.start([], [16]);
    const segments = [driver.forDevice(header(4, 0)), driver.room(1)];
    for (let i = 0; i < 65600; i++) {
      driver.add(0, segments);
      driver.kick(0);
      if (i % 8 === 7) expect(driver.used(0)).toHaveLength(8);
    }
    expect(driver.errors).toEqual([]);
  });
});

describe('overlay storage', () => {
  it('never changes the image, rounds up to sectors, and refuses what lies outside', () => {
    const bytes = pattern(100_000, 5);
    const storage = overlayStorage({ image: memoryImage(bytes) });
    expect(storage.byteLength).toBe(196 * 512);
    const target = new Uint8Array(storage.byteLength);
    storage.write(65000, new Uint8Array(2000).fill(0xaa));
    storage.read(0, target);
    const expected = new Uint8Array(storage.byteLength);
    expected.set(bytes);
    expected.fill(0xaa, 65000, 67000);
    expect(sameBytes(target, expected)).toBe(true);
    expect(sameBytes(bytes, pattern(100_000, 5))).toBe(true);
    expect(() => storage.read(storage.byteLength - 1, new Uint8Array(2))).toThrow('[devices] [overlay-storage]');
    expect(() => overlayStorage({})).toThrow('byteLength');
    expect(() => overlayStorage({ byteLength: 512 }).restore(storage.snapshot())).toThrow('the snapshot is of a disk');
  });
});

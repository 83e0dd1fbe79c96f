import type { Device } from '@tablewalk/machine/contracts';
import { beforeEach, expect, it } from 'vitest';
import { pl031 } from './pl031.js';
import { FakeHost, FakeLine } from './test-support/fakes.js';

let host: FakeHost;
let interrupt: FakeLine;
let rtc: Device;
const make = (epochSeconds = 1_700_000_000): Device => pl031({ name: 'pl031@9010000', host, interrupt, epochSeconds });
const read = (offset: number): number => rtc.read(offset, 4);
const write = (offset: number, value: number): void => rtc.write(offset, 4, value);

beforeEach(() => {
  host = new FakeHost();
  interrupt = new FakeLine();
  rtc = make();
});

it('counts seconds of guest time from its epoch', () => {
  expect(read(0)).toBe(1_700_000_000);
  host.clock.advanceTo(1_999_999_999);
  expect(read(0)).toBe(1_700_000_001);
  host.clock.advanceTo(2_000_000_000);
  expect(read(0)).toBe(1_700_000_002);
  expect([0x04, 0x08, 0x0c, 0x10, 0x14, 0x18].map(read)).toEqual([0, 0, 1, 0, 0, 0]);
  expect([0xfe0, 0xfe4, 0xfe8, 0xfec, 0xff0, 0xff4, 0xff8, 0xffc].map(read)).toEqual([0x31, 0x10, 0x14, 0, 0x0d, 0xf0, 0x05, 0xb1]);
});

it('can be set, across the wrap of the counter', () => {
  host.clock.advanceTo(5.5e9);
  write(0x08, 0xffff_ffff);
  expect([read(0), read(0x08)]).toEqual([0xffff_ffff, 0xffff_ffff]);
  host.clock.advanceTo(6e9);
  expect(read(0)).toBe(0);
});

it('raises its alarm on the second', () => {
  host.clock.advanceTo(0.5e9);
  write(0x10, 1);
  write(0x04, 1_700_000_003);
  host.clock.advanceTo(3e9 - 1);
  expect(interrupt.level).toBe(false);
  host.clock.advanceTo(3e9);
  expect([interrupt.level, read(0x14), read(0x18)]).toEqual([true, 1, 1]);
  write(0x1c, 1);
  expect([interrupt.level, read(0x14)]).toEqual([false, 0]);
  write(0x04, 1_700_000_003);
  expect(interrupt.level).toBe(true);
});

it('resumes with the alarm set', () => {
  host.clock.advanceTo(1e9);
  write(0x08, 100);
  write(0x10, 1);
  write(0x04, 110);
  const snapshot = structuredClone(rtc.snapshot());
  rtc.reset();
  rtc = make(0);
  rtc.restore(snapshot);
  expect(rtc.snapshot()).toEqual(snapshot);
  expect(read(0)).toBe(100);
  host.clock.advanceTo(11e9);
  expect(interrupt.level).toBe(true);
  rtc.reset();
  expect([interrupt.level, read(0), read(0x10)]).toEqual([false, 110, 0]);
});

it('reports what is no register', () => {
  read(0x100);
  write(0x00, 1);
  expect(host.guestErrors).toHaveLength(2);
  expect(() => make(0.5)).toThrow('[devices] [pl031@9010000]');
});

import { beforeEach, expect, it } from 'vitest';
import { gpioKey } from './gpio-key.js';
import { type Pl061, pl061 } from './pl061.js';
import { FakeHost, FakeLine } from './test-support/fakes.js';

let host: FakeHost;
let interrupt: FakeLine;
let led: FakeLine;
let gpio: Pl061;
const make = (): Pl061 => pl061({ name: 'pl061@9030000', host, interrupt, outputs: [led] });
const read = (offset: number): number => gpio.read(offset, 4);
const write = (offset: number, value: number): void => gpio.write(offset, 4, value);

beforeEach(() => {
  host = new FakeHost();
  interrupt = new FakeLine();
  led = new FakeLine();
  gpio = make();
});

it('masks data by address, and writes outputs only', () => {
  gpio.input(6).set(true);
  write(0x400, 0x0f);
  write(0x3fc, 0xff);
  expect([read(0x3fc), read(0x0c << 2), led.level]).toEqual([0x4f, 0x0c, true]);
  write(0x01 << 2, 0);
  expect([read(0x3fc), led.level]).toEqual([0x4e, false]);
  expect([0xfd0, 0xfe0, 0xfe4, 0xfe8, 0xfec, 0xff0, 0xff4, 0xff8, 0xffc].map(read)).toEqual([
    0, 0x61, 0x10, 0x04, 0, 0x0d, 0xf0, 0x05, 0xb1,
  ]);
});

it('senses edges and levels', () => {
  write(0x410, 0xff);
  write(0x40c, 0x01); // pin 0 rising, the others falling
  write(0x408, 0x04); // pin 2 both
  write(0x404, 0x08); // pin 3 level, low
  expect([read(0x414), interrupt.level]).toEqual([0x08, true]);
  const pins = [0, 1, 2, 3].map((pin) => gpio.input(pin));
  for (const pin of pins) pin.set(true);
  expect(read(0x414)).toBe(0x05);
  write(0x41c, 0xff);
  expect([read(0x414), interrupt.level]).toEqual([0, false]);
  for (const pin of pins) pin.set(false);
  expect(read(0x418)).toBe(0x0e);
  write(0x410, 0);
  expect([read(0x414), read(0x418), interrupt.level]).toEqual([0x0e, 0, false]);
});

it('carries the power key, as Linux sets it up', () => {
  const key = gpioKey({ name: 'power-key', host, line: gpio.input(3) });
  write(0x408, 0x08);
  write(0x410, 0x08);
  key.press();
  expect([interrupt.level, read(0x08 << 2)]).toEqual([true, 8]);
  write(0x41c, 0x08);
  host.clock.advance(50e6);
  const saved = structuredClone([gpio.snapshot(), key.snapshot()]);
  gpio = make();
  const again = gpioKey({ name: 'power-key', host, line: gpio.input(3) });
  gpio.restore(saved[0]);
  again.restore(saved[1]);
  expect([gpio.snapshot(), again.snapshot()]).toEqual(saved);
  expect(interrupt.level).toBe(false);
  host.clock.advance(50e6);
  expect([interrupt.level, read(0x08 << 2)]).toEqual([true, 0]);
  gpio.reset();
  again.reset();
  expect(interrupt.level).toBe(false);
});

it('reports what is no register', () => {
  read(0x424);
  write(0x500, 1);
  write(0x420, 1);
  expect([host.guestErrors.length, host.unimplementedUses.length]).toEqual([2, 1]);
  expect(() => gpio.input(8)).toThrow('[devices] [pl061@9030000]');
});

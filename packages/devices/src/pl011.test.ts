import { beforeEach, describe, expect, it } from 'vitest';
import { type Pl011, type Pl011Options, pl011 } from './pl011.js';
import { FakeHost, FakeLine } from './test-support/fakes.js';

let host: FakeHost;
let interrupt: FakeLine;
let sent: number[];
let uart: Pl011;

const make = (options: Partial<Pl011Options> = {}): Pl011 =>
  pl011({ name: 'pl011@9000000', host, interrupt, transmit: (byte) => sent.push(byte), ...options });
const read = (offset: number): number => uart.read(offset, 4);
const write = (offset: number, value: number): void => uart.write(offset, 4, value);
const type = (text: string): void => uart.receive(new TextEncoder().encode(text));
const readAll = (): string => {
  let text = '';
  while ((read(0x18) & 0x10) === 0) text += String.fromCharCode(read(0) & 0xff);
  return text;
};

beforeEach(() => {
  host = new FakeHost();
  interrupt = new FakeLine();
  sent = [];
  uart = make();
});

describe('PL011', () => {
  it('has the reset values and identification of the part', () => {
    const registers = [0x00, 0x04, 0x18, 0x20, 0x24, 0x28, 0x2c, 0x30, 0x34, 0x38, 0x3c, 0x40, 0x48];
    expect(registers.map(read)).toEqual([0, 0, 0x90, 0, 0, 0, 0, 0x300, 0x12, 0, 0, 0, 0]);
    expect([0xfe0, 0xfe4, 0xfe8, 0xfec, 0xff0, 0xff4, 0xff8, 0xffc].map(read)).toEqual([0x11, 0x10, 0x14, 0, 0x0d, 0xf0, 0x05, 0xb1]);
  });

  it('stores the writable bits only', () => {
    for (const offset of [0x20, 0x24, 0x28, 0x2c, 0x30, 0x34, 0x38, 0x48]) write(offset, 0xffffffff);
    expect([0x20, 0x24, 0x28, 0x2c, 0x30, 0x34, 0x38, 0x48].map(read)).toEqual([0xff, 0xffff, 0x3f, 0xff, 0xff87, 0x3f, 0x7ff, 7]);
    expect(host.unimplementedUses).toHaveLength(1);
  });

  it('transmits at once in every access size and interrupts', () => {
    write(0x30, 0x301);
    write(0x38, 0x20);
    expect(interrupt.level).toBe(false);
    uart.write(0, 1, 0x48);
    uart.write(0, 2, 0x69);
    uart.write(0, 4, 0x121);
    expect(sent).toEqual([0x48, 0x69, 0x21]);
    expect([interrupt.level, read(0x3c), read(0x40)]).toEqual([true, 0x20, 0x20]);
    write(0x44, 0x20);
    expect([interrupt.level, read(0x3c)]).toEqual([false, 0]);
    expect(host.guestErrors).toEqual([]);
  });

  it('says once that the transmitter is off, and transmits', () => {
    write(0, 0x41);
    write(0, 0x42);
    expect(sent).toEqual([0x41, 0x42]);
    expect(host.guestErrors).toHaveLength(1);
  });

  it('loses no input, with the FIFO on or off', () => {
    const text = 'the quick brown fox jumps over the lazy dog';
    write(0x38, 0x10);
    type(text.slice(0, 10));
    expect([read(0x18) & 0x50, uart.waitingByteCount, interrupt.level]).toEqual([0x40, 9, true]);
    expect(read(0)).toBe(0x74);
    write(0x2c, 0x70); // FIFO on: flushes, yet the host's characters come again
    type(text.slice(10));
    expect([read(0x18) & 0x50, uart.waitingByteCount]).toEqual([0x40, text.length - 17]);
    expect(readAll()).toBe(text.slice(1));
    expect([interrupt.level, read(0x3c)]).toEqual([false, 0]);
    expect(read(0)).toBe(0);
  });

  it('reports a break with its status bits', () => {
    write(0x38, 0x200);
    uart.receiveBreak();
    expect(interrupt.level).toBe(true);
    expect(read(0)).toBe(0x400);
    expect(read(0x04)).toBe(4);
    write(0x04, 0);
    expect(read(0x04)).toBe(0);
  });

  it('feeds its receiver and modem inputs in loopback, and marks the overrun', () => {
    write(0x2c, 0x10);
    write(0x30, 0x381);
    type('x');
    for (let n = 0; n < 17; n++) write(0, 0x61 + n);
    expect(read(0x3c) & 0x400).toBe(0x400);
    expect(read(0)).toBe(0x61);
    for (let n = 1; n < 15; n++) expect(read(0)).toBe(0x61 + n);
    expect(read(0)).toBe(0x800 | 0x70);
    expect(read(0x18) & 0x10).toBe(0x10);
    write(0x30, 0x381 | (1 << 11) | (1 << 13));
    expect(read(0x18)).toBe(0x191);
    expect(read(0x3c) & 0xf).toBe(3);
    write(0x30, 0x301);
    expect(readAll()).toBe('x'); // had waited outside
  });

  it('follows UARTIFLS and the receive timeout when asked to', () => {
    uart = make({ receiveInterrupt: 'fifo-level' });
    write(0x24, 13); // 115200 baud from 24 MHz: 13 + 1/64
    write(0x28, 1);
    write(0x2c, 0x70);
    write(0x34, 2 << 3); // half full
    write(0x38, 0x50);
    type('abc');
    expect(read(0x3c)).toBe(0);
    host.clock.advance(277_600);
    expect(interrupt.level).toBe(false);
    host.clock.advance(100);
    expect(read(0x40)).toBe(0x40);
    type('defgh');
    expect(read(0x40)).toBe(0x50);
    read(0);
    expect(read(0x40)).toBe(0x40);
    expect(readAll()).toBe('bcdefgh');
    expect(interrupt.level).toBe(false);
  });

  it('resumes in the middle of input', () => {
    write(0x2c, 0x70);
    write(0x38, 0x50);
    type('0123456789abcdefghij');
    read(0);
    const snapshot = structuredClone(uart.snapshot());
    const line = new FakeLine();
    const other = make({ interrupt: line });
    other.restore(snapshot);
    expect(other.snapshot()).toEqual(snapshot);
    expect(line.level).toBe(true);
    uart.reset();
    expect(interrupt.level).toBe(false);
    uart = other;
    expect(readAll()).toBe('123456789abcdefghij');
    expect(() => uart.restore({ schema: 'devices/pl011', version: 2, data: {} })).toThrow('version 2');
  });

  it('reports what is no register', () => {
    read(0x80);
    write(0x80, 1);
    write(0x18, 1);
    expect(host.guestErrors).toHaveLength(3);
    expect(uart.read(0xfe2, 2)).toBe(0);
    expect(host.guestErrors).toHaveLength(3);
  });
});

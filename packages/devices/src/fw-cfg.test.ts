import type { Device } from '@tablewalk/machine/contracts';
import { beforeEach, describe, expect, it } from 'vitest';
import { fwCfg, fwCfgBootItems, fwCfgU32 } from './fw-cfg.js';
import { FakeHost, FakeRam } from './test-support/fakes.js';

const RAM = 0x4000_0000;
const REQUEST = RAM + 0x100;
const BUFFER = RAM + 0x200;
let host: FakeHost;
let ram: FakeRam;
let device: Device;
let written: number[][];

const swap16 = (value: number): number => ((value & 0xff) << 8) | (value >>> 8);
const select = (key: number): void => device.write(8, 2, swap16(key));
const take = (count: number): number[] => Array.from({ length: count }, () => device.read(0, 1));
const text = (bytes: ArrayLike<number>): string => String.fromCharCode(...Array.from(bytes));
const bytes = (value: string): Uint8Array => Uint8Array.from(value, (character) => character.charCodeAt(0));

/** Puts a request into RAM and starts it with the low address word alone; the answer is the control word. */
function dma(control: number, length: number, address: number, start = REQUEST): number {
  const view = new DataView(ram.bytes.buffer);
  view.setUint32(REQUEST - RAM, control);
  view.setUint32(REQUEST - RAM + 4, length);
  view.setUint32(REQUEST - RAM + 8, 0);
  view.setUint32(REQUEST - RAM + 12, address);
  const swapped = new DataView(new ArrayBuffer(4));
  swapped.setUint32(0, start);
  device.write(0x14, 4, swapped.getUint32(0, true));
  return view.getUint32(REQUEST - RAM);
}

const make = (): Device =>
  fwCfg({
    name: 'fw-cfg@9020000',
    host,
    dma: ram,
    items: [
      ...fwCfgBootItems({ kernel: bytes('KERNELDATA'), initrd: bytes('INITRD'), commandLine: 'hello world' }),
      { key: 5, data: fwCfgU32(1) },
    ],
    files: [
      { name: 'opt/b', data: bytes('second') },
      { name: 'etc/a', data: new Uint8Array(8), writable: true, written: (data) => written.push(Array.from(data)) },
    ],
  });

beforeEach(() => {
  host = new FakeHost();
  ram = new FakeRam(RAM, 0x4000);
  written = [];
  device = make();
});

describe('fw_cfg', () => {
  it('shows signature and features, the DMA register its own', () => {
    select(0);
    expect(device.read(0, 4)).toBe(0x554d4551);
    select(0);
    expect([device.read(0, 2), device.read(0, 1), device.read(0, 1), device.read(0, 1)]).toEqual([0x4551, 0x4d, 0x55, 0]);
    select(1);
    expect([device.read(0, 4), device.read(4, 4)]).toEqual([3, 0]);
    expect([device.read(0x10, 4), device.read(0x14, 4), device.read(0x15, 1)]).toEqual([0x554d4551, 0x47464320, 0x43]);
  });

  it('hands over kernel, initrd and command line with their sizes', () => {
    const item = (key: number, count: number): number[] => {
      select(key);
      return take(count);
    };
    expect([item(0x08, 4), item(0x0b, 4), item(0x14, 4)]).toEqual([
      [10, 0, 0, 0],
      [6, 0, 0, 0],
      [12, 0, 0, 0],
    ]);
    expect([text(item(0x11, 10)), text(item(0x12, 6)), text(item(0x15, 12))]).toEqual(['KERNELDATA', 'INITRD', 'hello world\0']);
    expect(item(0x5555, 3)).toEqual([0, 0, 0]);
  });

  it('lists its files sorted, with size and key', () => {
    select(0x19);
    expect(take(4)).toEqual([0, 0, 0, 2]);
    const first = take(64);
    expect(first.slice(0, 8)).toEqual([0, 0, 0, 8, 0, 0x20, 0, 0]);
    expect(text(first.slice(8, 14))).toBe('etc/a\0');
    const second = take(64);
    expect(second.slice(0, 8)).toEqual([0, 0, 0, 6, 0, 0x21, 0, 0]);
    select(0x21);
    expect(text(take(6))).toBe('second');
  });

  it('reads, skips and pads with zeros by DMA', () => {
    ram.bytes.fill(0xee, 0x200, 0x220);
    expect(dma((0x15 << 16) | 8, 0, 0)).toBe(0);
    expect(dma(4, 6, 0)).toBe(0);
    expect(dma(2, 8, BUFFER)).toBe(0);
    expect(text(ram.bytes.slice(0x200, 0x209))).toBe('world\0\0\0\xee');
    expect(dma((0x7777 << 16) | 10, 4, BUFFER)).toBe(0);
    expect(Array.from(ram.bytes.slice(0x200, 0x205))).toEqual([0, 0, 0, 0, 0x64]);
  });

  it('fails outside RAM with the error bit and without harm', () => {
    expect(dma((0x15 << 16) | 10, 4, 0xffff_fff0)).toBe(1);
    expect(dma((0x15 << 16) | 10, 0xffff_ffff, BUFFER)).toBe(1);
    expect(dma(2, 4, 0x10)).toBe(1);
    dma(2, 4, BUFFER, 0x30);
    device.write(0x10, 4, 0xffff_ffff);
    dma(2, 4, BUFFER);
    expect(host.guestErrors.length).toBe(5);
    expect(dma((0x15 << 16) | 10, 4, BUFFER)).toBe(0); // the high word was used up
  });

  it('writes only writable files, whole requests only', () => {
    ram.write(BUFFER, bytes('abcdefgh'));
    expect(dma((0x20 << 16) | 24, 3, BUFFER)).toBe(0);
    expect(dma(16, 6, BUFFER)).toBe(1);
    expect(dma((0x21 << 16) | 24, 1, BUFFER)).toBe(1);
    expect(written).toEqual([[0x61, 0x62, 0x63, 0, 0, 0, 0, 0]]);
  });

  it('resumes in the middle of an item and of a DMA address', () => {
    ram.write(BUFFER, bytes('abcdefgh'));
    dma((0x20 << 16) | 24, 8, BUFFER);
    select(0x11);
    take(3);
    device.write(0x10, 4, 0x0100_0000);
    const snapshot = structuredClone(device.snapshot());
    device = make();
    device.restore(snapshot);
    expect(device.snapshot()).toEqual(snapshot);
    expect(text(take(3))).toBe('NEL');
    dma(2, 1, BUFFER);
    expect(host.guestErrors).toHaveLength(1); // high word restored: 0x1_40000100 is not RAM
    select(0x20);
    expect(text(take(8))).toBe('abcdefgh');
    device.reset();
    select(0x20);
    expect(take(8)).toEqual(Array(8).fill(0));
  });

  it('reports what is no register and refuses the embedder’s mistakes', () => {
    device.read(8, 2);
    device.write(8, 4, 0);
    device.write(0, 4, 1);
    device.write(0x14, 2, 1);
    expect(host.guestErrors).toHaveLength(4);
    const base = { name: 'fw', host, dma: ram };
    expect(() => fwCfg({ ...base, files: [{ name: '', data: bytes('') }] })).toThrow('[devices] [fw]');
    expect(() => fwCfg({ ...base, items: [{ key: 0, data: bytes('') }] })).toThrow('twice');
    expect(() => fwCfg({ ...base, items: [{ key: 0x20, data: bytes('') }] })).toThrow('fixed item');
    expect(() => fwCfg(base).restore(device.snapshot())).toThrow('not here');
  });
});

import type { Device } from '@tablewalk/machine/contracts';
import { beforeEach, describe, expect, it } from 'vitest';
import { cfiFlash } from './cfi-flash.js';
import { FakeHost, FakeRom } from './test-support/fakes.js';

const SECTOR = 256 * 1024;
let host: FakeHost;
let rom: FakeRom;
let flash: Device;
let changes: [number, number][];

const make = (): Device => cfiFlash({ name: 'flash@0', host, window: rom, changed: (offset, length) => changes.push([offset, length]) });
const read = (offset: number): number => flash.read(offset, 4);
const write = (offset: number, value: number): void => flash.write(offset, 4, value);
const both = (...commands: number[]): void => {
  for (const command of commands) write(0, command | (command << 16));
};
const word = (offset: number): number => new DataView(rom.contents.buffer).getUint32(offset, true);

beforeEach(() => {
  host = new FakeHost();
  rom = new FakeRom(4 * SECTOR);
  rom.contents.fill(0xff);
  changes = [];
  flash = make();
});

describe('CFI flash', () => {
  it('answers the query of a 64 MiB bank as QEMU does', () => {
    rom = new FakeRom(64 << 20);
    flash = make();
    both(0x98);
    expect(rom.direct).toBe(false);
    const answers = Array.from({ length: 0x31 }, (_, n) => read((0x10 + n) * 4) & 0xffff);
    // Recorded from qemu-system-arm 7.2 -M virt
    expect(answers).toEqual([
      0x51, 0x52, 0x59, 1, 0, 0x31, 0, 0, 0, 0, 0, 0x45, 0x55, 0, 0, 7, 7, 0x0a, 0, 4, 4, 4, 0, 0x19, 2, 0, 0x0b, 0, 1, 0xff, 0, 0, 2, 0x50,
      0x52, 0x49, 0x31, 0x30, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0,
    ]);
    expect([read(0x40), flash.read(0x40, 2), flash.read(0x42, 2), read(0x300)]).toEqual([0x00510051, 0x51, 0x51, 0]);
    both(0xff);
    expect(rom.direct).toBe(true);
  });

  it('identifies itself and shows its status', () => {
    both(0x90);
    expect([read(0), read(4), read(8)]).toEqual([0x00890089, 0x00180018, 0]);
    both(0x70);
    expect([read(0), flash.read(0x1234, 1)]).toEqual([0x00800080, 0x80]);
    both(0x50);
    expect([rom.direct, read(0)]).toEqual([true, 0xffffffff]);
  });

  it('programs by clearing bits and erases a block to ones', () => {
    both(0x40);
    write(SECTOR + 0x10, 0x1234_5678);
    expect(read(0)).toBe(0x00800080);
    both(0x10);
    write(SECTOR + 0x10, 0xffff_0000);
    both(0xff);
    expect(word(SECTOR + 0x10)).toBe(0x1234_0000);
    both(0x40);
    flash.write(SECTOR + 0x20, 2, 0xabcd);
    expect(word(SECTOR + 0x20)).toBe(0xffff_abcd);
    write(SECTOR + 4, 0x200020);
    write(SECTOR + 4, 0xd000d0);
    both(0xff);
    expect(word(SECTOR + 0x10)).toBe(0xffff_ffff);
    expect(changes).toEqual([
      [SECTOR + 0x10, 4],
      [SECTOR + 0x10, 4],
      [SECTOR + 0x20, 2],
      [SECTOR, SECTOR],
    ]);
  });

  it('programs a buffer when it is confirmed, and not otherwise', () => {
    both(0xe8);
    write(0x100, 0x30003);
    for (let n = 0; n < 4; n++) write(0x100 + 4 * n, 0x1111 * (n + 1));
    expect([word(0x100), changes.length]).toEqual([0xffff_ffff, 0]);
    both(0xd0);
    expect(read(0)).toBe(0x00800080);
    expect([word(0x100), word(0x10c), changes]).toEqual([0x1111, 0x4444, [[0x100, 16]]]);
    both(0xe8, 0x00);
    write(0x200, 0x5566_7788);
    both(0xff);
    expect([word(0x200), rom.direct]).toEqual([0xffff_ffff, true]);
  });

  it('refuses to change a locked block until it is unlocked', () => {
    write(0, 0x600060);
    write(0, 0x010001);
    both(0x90);
    expect([read(8), read(SECTOR + 8)]).toEqual([0x00010001, 0]);
    both(0x40);
    write(0x10, 0);
    both(0x70);
    expect(read(0)).toBe(0x00920092);
    both(0x50, 0x20, 0xd0, 0x70);
    expect(read(0)).toBe(0x00a200a2);
    expect([word(0x10), changes]).toEqual([0xffff_ffff, []]);
    both(0x50, 0x60, 0xd0, 0x40);
    write(0x10, 0);
    expect(word(0x10)).toBe(0);
  });

  it('goes back to the array after nonsense, and says so', () => {
    both(0x33);
    both(0x20, 0x33);
    both(0x60, 0x33);
    both(0xe8);
    write(0, 0xffff);
    expect(host.guestErrors).toHaveLength(4);
    expect(rom.direct).toBe(true);
    both(0xe8, 0x01);
    write(SECTOR - 4, 0);
    write(SECTOR, 0);
    both(0xd0, 0x70);
    expect(read(0)).toBe(0x00900090);
    expect(changes).toEqual([]);
  });

  it('resumes in the middle of a buffered program', () => {
    both(0xe8, 0x01);
    write(0x40, 0xaaaa);
    rom.contents[SECTOR] = 0x5a; // one sector that is not uniform
    const snapshot = structuredClone(flash.snapshot());
    rom = new FakeRom(4 * SECTOR);
    flash = make();
    flash.restore(snapshot);
    expect(JSON.stringify(flash.snapshot()) === JSON.stringify(snapshot)).toBe(true);
    expect([rom.direct, word(0), word(SECTOR)]).toEqual([false, 0xffff_ffff, 0xffff_ff5a]);
    write(0x44, 0xbbbb);
    both(0xd0);
    expect([word(0x40), word(0x44)]).toEqual([0xaaaa, 0xbbbb]);
    flash.reset();
    expect([rom.direct, word(0x44)]).toEqual([true, 0xbbbb]);
    rom = new FakeRom(SECTOR);
    expect(() => make().restore(snapshot)).toThrow('[devices] [flash@0]');
  });

  it('refuses impossible sizes', () => {
    rom = new FakeRom(SECTOR + 1);
    expect(make).toThrow('whole sectors');
    expect(() => cfiFlash({ name: 'f', host, window: rom, sectorByteLength: 1000 })).toThrow('1000');
  });
});

import { VirtMachine } from '@tablewalk/board-qemu-virt';
import { memoryImage, overlayStorage } from '@tablewalk/devices';
import type { AccessSize } from '@tablewalk/machine';
import { describe, expect, test } from 'vitest';
import { expectSame } from '../support/same.js';
import { nasty, program, random, run } from './support.js';

/** The suite in tests/ci runs more. */
const IMAGES = Number(process.env.HOSTILE_IMAGES ?? 20);
const ACCESSES = 60_000;

const MEMORY = 4 << 20;
const SIZES = [1, 2, 4] as const;

/** Every device that the board has. */
const everything = (kernel: Uint8Array, modernVirtio: boolean): VirtMachine =>
  new VirtMachine({
    memory: MEMORY,
    kernel,
    modernVirtio,
    drives: [
      { storage: overlayStorage({ image: memoryImage(new Uint8Array(64 << 10)) }) },
      { storage: overlayStorage({ byteLength: 4096 }), readOnly: true },
    ],
    network: 'user',
    rng: true,
    consolePorts: [{ output: () => {} }],
  });

/** Where accesses of a window are worth most: its first registers. */
const offsetIn = (next: (limit: number) => number, byteLength: number): number =>
  next(next(4) === 0 ? byteLength : Math.min(byteLength, 0x200));

describe('every register of every device', () => {
  test.each([
    ['virtio as QEMU has it by default', false],
    ['virtio 1', true],
  ])(
    'random sizes and values, with time in between: nothing throws, time and memory stay in bounds (%s)',
    { timeout: 600_000 },
    (_, modern) => {
      const machine = everything(program('loop: wfe\nadd r0, r0, #1\nb loop'), modern);
      const windows = machine.bus.list();
      expect(windows.length).toBeGreaterThan(40);
      // RAM full of what a driver might have left: descriptors that point into RAM.
      const next = random(modern ? 2 : 1);
      const words = new Uint32Array(MEMORY / 8);
      words.forEach((_, i) => {
        words[i] = next(3) === 0 ? nasty(next) : next(2) === 0 ? 0x40200000 + next(0x200000) : next(256);
      });
      expect(machine.writeMemory(0x40200000, new Uint8Array(words.buffer))).toBe(true);
      const touched = new Map<string, number>();
      for (let i = 0; i < ACCESSES; i++) {
        const window = windows[next(windows.length)]!;
        const size: AccessSize = SIZES[next(3)]!;
        // The bus is asked for aligned addresses only: the core splits the others.
        const pa = window.base + Math.floor(offsetIn(next, window.end - window.base) / size) * size;
        const at = `${window.device.name}+${(pa - window.base).toString(16)}/${size}`;
        try {
          if (next(3) === 0) {
            const value = machine.bus.read(pa, size);
            if (!(value >= 0 && value < 2 ** (8 * size))) throw new Error(`read 0x${value.toString(16)}`);
          } else machine.bus.write(pa, size, (nasty(next) & (2 ** (8 * size) - 1)) >>> 0);
          if (i % 64 === 0) machine.runFor(next(2000));
        } catch (error) {
          throw new Error(`access ${i}, ${at}`, { cause: error });
        }
        touched.set(window.device.name, (touched.get(window.device.name) ?? 0) + 1);
      }
      expect(touched.size).toBe(new Set(windows.map(({ device }) => device.name)).size);
      expect(Number.isSafeInteger(machine.time)).toBe(true);
      expect(machine.console.tail().length).toBeLessThanOrEqual(65536);
      // What the devices have become can be saved, and a second machine goes on as the first.
      const twin = everything(program('b .'), modern);
      twin.restore(structuredClone(machine.snapshot()));
      for (const each of [machine, twin]) each.runFor(20_000);
      expectSame(twin.snapshot(), machine.snapshot());
      machine.reset();
      expect(machine.runFor(1000).reason).toMatch(/limit|idle/);
    },
  );

  test('a virtio driver that has set its queues up and lost its mind', { timeout: 120_000 }, () => {
    const next = random(3);
    for (let round = 0; round < 40; round++) {
      const modern = round % 2 === 1;
      const machine = everything(program('loop: wfe\nb loop'), modern);
      for (let slot = 31; slot > 26; slot--) {
        const base = 0x0a000000 + slot * 0x200;
        const write = (offset: number, value: number): void => machine.bus.write(base + offset, 4, value >>> 0);
        write(0x70, 0);
        write(0x70, 3);
        write(0x24, 0);
        write(0x20, next(2) === 0 ? 0xffffffff : nasty(next));
        if (modern) {
          write(0x24, 1);
          write(0x20, 1);
          write(0x70, 11);
        } else write(0x28, 4096);
        for (let queue = 0; queue < 4; queue++) {
          const page = 0x40200000 + (slot * 4 + queue) * 0x3000;
          write(0x30, queue);
          write(0x38, 1 << (1 + next(6)));
          if (modern) {
            write(0x80, page);
            write(0x90, page + 0x1000);
            write(0xa0, page + 0x2000);
            write(0x44, 1);
          } else {
            write(0x3c, 4096);
            write(0x40, page / 4096);
          }
          const ring = new Uint8Array(0x3000);
          const view = new DataView(ring.buffer);
          for (let n = 0; n < 64; n++) {
            const target = next(6) === 0 ? nasty(next) : 0x40300000 + next(0x80000);
            view.setUint32(16 * n, target, true);
            view.setUint32(16 * n + 4, next(20) === 0 ? nasty(next) : 0, true);
            view.setUint32(16 * n + 8, next(6) === 0 ? nasty(next) : 1 + next(2000), true);
            view.setUint16(16 * n + 12, next(8), true);
            view.setUint16(16 * n + 14, next(10) === 0 ? next(65536) : (n + 1) & 63, true);
          }
          for (let at = modern ? 0x1000 : 16; at < (modern ? 0x1100 : 1040); at += 2) if (modern) view.setUint16(at, next(64), true);
          const available = modern ? 0x1002 : 16 * 64 + 2;
          view.setUint16(available, next(16), true);
          machine.writeMemory(page, ring);
        }
        write(0x70, modern ? 15 : 7);
        for (let queue = 0; queue < 4; queue++) write(0x50, queue);
      }
      for (let kick = 0; kick < 50; kick++) {
        machine.runFor(500);
        machine.bus.write(0x0a000000 + (27 + next(5)) * 0x200 + 0x50, 4, next(5));
        machine.writeMemory(0x40200000 + next(0x60000), Uint8Array.of(next(256)));
      }
      expect(machine.runFor(1000).reason).toMatch(/limit|idle/);
    }
  });
});

/** Vectors that go on behind what failed; from a prefetch abort, somewhere in the image again. */
const carryOn = program(`
      movs pc, lr
      movs pc, lr
      movs pc, lr
      b fetch
      subs pc, lr, #4
      b .
      subs pc, lr, #4
      subs pc, lr, #4
      fetch: add r0, r0, #0xa40
      bic r0, r0, #0xff000000
      bic r0, r0, #0x00ff0000
      bic r0, r0, #0x0000c000
      bic r0, r0, #3
      add r0, r0, #0x40000000
      add lr, r0, #0x00010000
      movs pc, lr`);
const VECTORS = 0x40020000;

describe('random bytes as a kernel', () => {
  test(`${IMAGES} images, 100 000 instructions each: an end that the machine names, never an exception of the host`, {
    timeout: 600_000,
  }, () => {
    const machine = new VirtMachine({ memory: MEMORY, kernel: program('b .'), network: 'user', rng: true, semihosting: true });
    const fresh = machine.snapshot();
    const ends: Record<string, number> = {};
    let exceptions = 0;
    machine.observe([{ name: 'count', exception: () => exceptions++ }]);
    for (let image = 0; image < IMAGES; image++) {
      const next = random(1000 + image);
      machine.restore(fresh);
      const style = image % 4;
      const bytes = Uint8Array.from({ length: 16384 }, () => next(256));
      // Every condition is "always" in half of the images, so that more of them runs; a quarter starts in T32.
      if (style < 2) for (let i = 3; i < bytes.length; i += 4) bytes[i] = 0xe0 | (bytes[i]! & 15);
      // Who falls off the end begins again: B to the start.
      bytes.set(program('.space 16380\nb .-16380').subarray(16380), 16380);
      machine.writeMemory(0x40010000, bytes);
      machine.writeMemory(VECTORS, carryOn);
      // A few take the vectors of the empty flash, and everything after that is ANDEQ.
      if (image % 20 !== 0) expect(machine.cpu.writeRegister('VBAR', VECTORS)).toBe(true);
      for (let n = 0; n < 15; n++) machine.cpu.writeRegister(`r${n}`, nasty(next));
      machine.cpu.writeRegister('cpsr', 0x1d3 | (style === 3 ? 0x20 : 0));
      machine.cpu.writeRegister('pc', 0x40010000);
      try {
        const { reason } = run(machine, 100_000);
        ends[reason] = (ends[reason] ?? 0) + 1;
      } catch (error) {
        throw new Error(`image ${image}`, { cause: error });
      }
    }
    expect(Object.values(ends).reduce((sum, n) => sum + n)).toBe(IMAGES);
    expect(Object.keys(ends).filter((reason) => !/^(limit|idle|crashed|exit|poweroff|reset)$/.test(reason))).toEqual([]);
    expect(exceptions).toBeGreaterThan(200 * IMAGES);
  });
});

import { createHash } from 'node:crypto';
import type { VirtMachineOptions } from '@tablewalk/board-qemu-virt';
import { VirtMachine } from '@tablewalk/board-qemu-virt';
import { describe, expect, it } from 'vitest';
import { busyKernel as kernel } from './busy-kernel.js';

/*
 * One program on the interpreter and on the translator: instruction count, console, registers and all of memory are the same, however eagerly code is
 * translated and however the run is cut into pieces.
 */
const outcome = (options: Partial<VirtMachineOptions>, slice: number): unknown => {
  const machine = new VirtMachine({ kernel, memory: 8 << 20, ...options });
  let end = machine.runFor(slice);
  while (end.reason === 'limit' && machine.instructions < 1e6) end = machine.runFor(slice);
  expect(machine.cpu.core.translated.regions > 0).toBe(options.engine === 'wasm');
  const registers = machine.cpu.registerNames().filter((name) => /^(r\d+|sp|lr|pc|[cs]psr|.*_(usr|irq|svc))$/.test(name));
  return {
    end,
    instructions: machine.instructions,
    time: machine.time,
    console: machine.console.tail(),
    registers: registers.map((name) => `${name} ${machine.cpu.readRegister(name)}`),
    memory: createHash('sha256')
      .update(machine.readMemory(0x40000000, 8 << 20)!)
      .digest('hex'),
  };
};

describe('interpreter and translator', () => {
  const expected = outcome({ engine: 'interpreter' }, 1e6) as { instructions: number; end: unknown };

  it('has a program that ends and is interrupted', () => {
    expect(expected.end).toEqual({ reason: 'poweroff' });
    expect(expected.instructions).toBeGreaterThan(50_000);
  });

  it.each([
    [1, 1, 6000, 256_000, 32, true, 1e6],
    [1, 1, 6000, 256_000, 1, false, 1e6],
    [2, 3, 2, 60, 2, true, 997],
    [3, 16, 3, 1, 1, false, 12_345],
    [20, 4, 6000, 100, 8, false, 61],
  ] as const)(
    'agree: heat %i, batches of %i, %i regions, %i interpreted instructions, calls after %i leaves, cold code %s, slices of %i',
    (heat, batch, regions, interpreted, leaves, cold, slice) => {
      expect(outcome({ engine: 'wasm', translation: { heat, batch, regions, interpreted, leaves, cold } }, slice)).toEqual(expected);
    },
  );
});

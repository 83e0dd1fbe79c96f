import { createHash } from 'node:crypto';
import { assemble } from '@tablewalk/arm-core';
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
  return whatIs(machine, options, end);
};

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

/** The same where modules are compiled beside the guest: the event loop turns after every so many slices. */
const outcomeBeside = async (options: Partial<VirtMachineOptions>, slice: number, slices: number): Promise<unknown> => {
  const machine = new VirtMachine({ kernel, memory: 8 << 20, ...options });
  let end = machine.runFor(slice);
  for (let count = 1; end.reason === 'limit' && machine.instructions < 1e6; count++) {
    if (count % slices === 0) await turn();
    end = machine.runFor(slice);
  }
  return whatIs(machine, options, end);
};

const whatIs = (machine: VirtMachine, options: Partial<VirtMachineOptions>, end: unknown): unknown => {
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

  it.each([
    [1, 1, 6000, 997, 1],
    [2, 3, 20, 61, 20],
    [5, 8, 6000, 12_345, 1],
  ] as const)(
    'agree with modules compiled beside the guest: heat %i, batches of %i, %i regions, slices of %i, a turn after %i',
    async (heat, batch, regions, slice, slices) => {
      const translation = { heat, batch, regions, asynchronous: true };
      expect(await outcomeBeside({ engine: 'wasm', translation }, slice, slices)).toEqual(expected);
    },
  );

  it('agree where a load of registers of User mode, which regions do not have, is conditional', () => {
    const kernel = assemble(
      `
        ldr r4, =0x40100000
        mov r0, #20000
        mov r5, #0
      again:
        str r0, [r4]
        tst r0, #3
        ldmne r4, {r8}^
        nop
        add r5, r8, r5, ror #1
        subs r0, r0, #1
        bne again
        ldr r0, =0x84000008
        hvc #0
        .ltorg
      `,
      { origin: 0x40010000 },
    ).bytes;
    const sum = (options: Partial<VirtMachineOptions>): unknown => {
      const machine = new VirtMachine({ kernel, memory: 8 << 20, ...options });
      expect(machine.runFor(1e6)).toEqual({ reason: 'poweroff' });
      return machine.cpu.readRegister('r5');
    };
    expect(sum({ engine: 'wasm', translation: { heat: 2, batch: 1, leaves: 1 } })).toBe(sum({ engine: 'interpreter' }));
  });

  it('agree when code changes while its module is compiled, which is then not used', async () => {
    const words = (...code: readonly number[]): Uint8Array => new Uint8Array(Uint32Array.from(code).buffer);
    // add r0, r0, #1; b back to it
    const machine = new VirtMachine({
      kernel: words(0xe2800001, 0xeafffffd),
      memory: 8 << 20,
      engine: 'wasm',
      translation: { heat: 2, batch: 1, asynchronous: true },
    });
    const translated = () => machine.cpu.core.translated;
    while (translated().regions === 0) machine.runFor(10);
    const register = (name: string): number => machine.cpu.readRegister(name)!;
    const before = register('r0');
    machine.writeMemory(register('pc') & ~7, words(0xe2800002));
    while (translated().late === 0) await turn();
    expect(translated()).toMatchObject({ regions: 1, held: 0, late: 1 });
    machine.runFor(2000);
    expect(register('r0') - before).toBe(2000);
    while (translated().held === 0) await turn();
    machine.runFor(2000);
    expect(register('r0') - before).toBe(4000);
  });
});

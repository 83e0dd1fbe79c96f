import { existsSync, readFileSync } from 'node:fs';
import type { VirtMachineOptions } from '@tablewalk/board-qemu-virt';
import { VirtMachine } from '@tablewalk/board-qemu-virt';
import { expect, test } from 'vitest';
import { builtinGuest } from '../../apps/cli/src/builtin-guest.js';
import { digest, program } from './support.js';

const uBoot = new URL('../../.guests/u-boot.bin', import.meta.url);
const haveUBoot = existsSync(uBoot);
if (!haveUBoot)
  console.warn(
    'tests/hostile: there is no .guests/u-boot.bin (npm run guests fetches it): determinism is shown on the built-in guest alone',
  );

/** Runs for so many instructions in slices of a size, sends what is to be sent, and says everything that can be said about the machine. */
const outcome = (options: VirtMachineOptions, instructions: number, slice: number, type: string): object => {
  const machine = new VirtMachine(options);
  let text = '';
  machine.console.onData((bytes) => {
    text += String.fromCharCode(...bytes);
  });
  machine.send(type);
  let end = machine.runFor(Math.min(slice, instructions));
  while (end.reason === 'limit' && machine.instructions < instructions)
    end = machine.runFor(Math.min(slice, instructions - machine.instructions));
  return { end, instructions: machine.instructions, time: machine.time, text, digest: digest(machine) };
};

const guests: readonly (readonly [string, () => VirtMachineOptions, number, string, RegExp])[] = [
  ['the built-in guest', () => ({ kernel: builtinGuest() }), 1e6, '', /timer interrupt taken/],
  // Keys that arrive before it listens wait in the serial line; any of them stops the countdown.
  ...(haveUBoot
    ? [['U-Boot to its prompt and a command', () => ({ bios: readFileSync(uBoot) }), 40e6, '\rversion\r', /=> version\r\n/] as const]
    : []),
];

test.each(guests)('%s: the same twice, and in slices of another size', { timeout: 120_000 }, (_, options, instructions, type, prints) => {
  const first = outcome(options(), instructions, 500_000, type);
  expect(first).toMatchObject({ text: expect.stringMatching(prints) });
  expect(outcome(options(), instructions, 500_000, type)).toEqual(first);
  expect(outcome(options(), instructions, 77_777, type)).toEqual(first);
});

test('the digest sees one bit of RAM and one instruction', () => {
  const make = (): VirtMachine => new VirtMachine({ kernel: program('loop: add r0, r0, #1\nb loop') });
  const [a, b, c] = [make(), make(), make()];
  for (const machine of [a, b, c]) machine.runFor(1000);
  expect(digest(b)).toBe(digest(a));
  b.writeMemory(0x41000000, Uint8Array.of(1));
  expect(digest(b)).not.toBe(digest(a));
  c.step();
  expect(digest(c)).not.toBe(digest(a));
});

import { createHash } from 'node:crypto';
import { assemble } from '@tablewalk/arm-core';
import type { MachineEnd, VirtMachineOptions } from '@tablewalk/board-qemu-virt';
import { VirtMachine } from '@tablewalk/board-qemu-virt';

const ORIGIN = 0x40010000;

/** Machine code of a program that `-kernel` loads, in A32. */
export const program = (source: string): Uint8Array => assemble(source, { origin: ORIGIN }).bytes;

/** A small machine with this program. */
export const hostile = (source: string, options: VirtMachineOptions = {}): VirtMachine =>
  new VirtMachine({ memory: 16 << 20, kernel: program(source), ...options });

/** Runs in slices, so that a guest that holds up the host is seen as a slow test and not as a dead one. */
export const run = (machine: VirtMachine, instructions: number): MachineEnd => {
  const until = machine.instructions + instructions;
  let end: MachineEnd = { reason: 'limit' };
  while (end.reason === 'limit' && machine.instructions < until) end = machine.runFor(Math.min(100_000, until - machine.instructions));
  return end;
};

/** Numbers below `limit` from a seed (xorshift32). */
export const random = (seed: number): ((limit: number) => number) => {
  let state = (Math.imul(seed + 1, 0x9e3779b1) ^ 0x5bd1e995) >>> 0 || 1;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
};

/** A value of the kind that breaks things: edges as often as anything. */
export const nasty = (next: (limit: number) => number): number => {
  const edges = [0, 1, 2, 3, 4, 0x7f, 0x80, 0xff, 0x100, 0xfff, 0x1000, 0xffff, 0x7fffffff, 0x80000000, 0xfffffff0, 0xfffffffe, 0xffffffff];
  switch (next(4)) {
    case 0:
      return edges[next(edges.length)]!;
    case 1:
      return (1 << next(32)) >>> 0;
    case 2:
      return 0x40000000 + next(16 << 20);
    default:
      return next(2 ** 32);
  }
};

/** PSCI SYSTEM_OFF. */
export const POWER_OFF = 'ldr r0, =0x84000008\nhvc #0\n';

/** Everything that a snapshot says, as one number of hexadecimal digits. */
export const digest = (machine: VirtMachine): string => {
  const hash = createHash('sha256');
  const add = (value: unknown): void => {
    if (ArrayBuffer.isView(value)) hash.update(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
    else if (value !== null && typeof value === 'object')
      for (const [key, part] of Object.entries(value)) {
        hash.update(`${key}:`);
        add(part);
      }
    else hash.update(`${String(value)};`);
  };
  add(machine.snapshot());
  return hash.digest('hex');
};

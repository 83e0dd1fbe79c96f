import { assemble } from '@tablewalk/arm-core';
import type { LockstepEnd, LockstepOptions } from '@tablewalk/board-qemu-virt';
import { Lockstep } from '@tablewalk/board-qemu-virt';
import { describe, expect, it } from 'vitest';
import { busyKernel as kernel } from './busy-kernel.js';

/** Two machines with the program; most of it is translated soon. */
const pairOf = (options: LockstepOptions): Lockstep =>
  new Lockstep(() => ({ kernel, memory: 8 << 20 }), { translation: { heat: 2, batch: 3 }, ...options });

const run = (pair: Lockstep): LockstepEnd => {
  for (;;) {
    const end = pair.runFor(10_000);
    if (end.reason !== 'limit') return end;
  }
};

/** At the nth exit of a region something is spoilt that only the translator would have got wrong. */
const spoil = (pair: Lockstep, nth: number, how: () => void): void => {
  const { core } = pair.machine.cpu;
  const compare = core.onRegionExit!;
  let n = 0;
  core.onRegionExit = (...exit) => {
    if (++n === nth) how();
    compare(...exit);
  };
};

const differenceOf = (pair: Lockstep): Extract<LockstepEnd, { reason: 'difference' }>['difference'] => {
  const end = run(pair);
  if (end.reason !== 'difference') throw new Error(`no difference: ${end.reason}`);
  expect(pair.runFor(1)).toEqual(end);
  return end.difference;
};

describe('lockstep', () => {
  it('compares at each exit of a region, to the end of the program', () => {
    const pair = pairOf({});
    expect(run(pair)).toEqual({ reason: 'poweroff' });
    expect(pair.finish()).toBeUndefined();
    expect(pair.exits).toBeGreaterThan(1000);
    expect(pair.reference.instructions).toBe(pair.machine.instructions);
    expect(pair.machine.console.tail()).toMatch(/^[0-9a-f]{8}$/);
    expect(pair.machine.cpu.core.translated.regions).toBeGreaterThan(5);
  });

  it('compares after random budgets, with regions that call each other', () => {
    const pair = pairOf({ mode: 'budgets', seed: 7 });
    expect(run(pair)).toEqual({ reason: 'poweroff' });
    expect(pair.finish()).toBeUndefined();
    expect(pair.exits).toBe(0);
    expect(pair.comparisons).toBeGreaterThan(3);
  });

  it.each([
    [
      'a register',
      (pair: Lockstep) => {
        pair.machine.cpu.core.words[11]! ^= 1;
      },
      /^r11: interpreter 0x0000000\d, translator/,
    ],
    [
      'a flag',
      (pair: Lockstep) => {
        pair.machine.cpu.core.words[19]! ^= 0x80000000;
      },
      /^cpsr: /,
    ],
    [
      'a vector register',
      (pair: Lockstep) => {
        pair.machine.cpu.core.words[64 + 2 * 17]! ^= 4;
      },
      /^d17\.lo: interpreter 0x00000000, translator 0x00000004$/,
    ],
    [
      'FPSCR',
      (pair: Lockstep) => {
        pair.machine.cpu.core.words[35]! ^= 0x10;
      },
      /^fpscr: /,
    ],
    [
      'the hash of stores',
      (pair: Lockstep) => {
        pair.machine.cpu.core.words[41]! ^= 0x10;
      },
      /^stores: /,
    ],
  ] as const)('names %s that differs, at the exit where it first does', (_, how, expected) => {
    const pair = pairOf({});
    let at = 0;
    spoil(pair, 300, () => {
      at = pair.machine.instructions;
      how(pair);
    });
    const difference = differenceOf(pair);
    expect(difference.instructions).toBe(at);
    expect(difference.since).toBeLessThan(at);
    expect(difference.differences.filter((line) => expected.test(line))).toHaveLength(1);
    expect(difference.differences.length).toBeLessThan(3);
    expect(difference.code[0]).toMatch(/^the region entered at 0x400[0-9a-f]{5}:$/);
    expect(difference.code.filter((line) => line.startsWith('>'))).toHaveLength(1);
    expect(difference.report).toContain(`between instructions ${difference.since} and ${at}, pc 0x`);
  });

  it('finds an address that was stored wrongly by the hash, and names the page', () => {
    const pair = pairOf({ mode: 'budgets' });
    pair.runFor(20_000);
    pair.machine.writeMemory(0x40300000, Uint8Array.of(0xaa, 0xbb, 0xcc, 0xdd));
    const difference = differenceOf(pair);
    expect(difference.differences.some((line) => /^memory page 0x40300000: first at 0x40300000/.test(line))).toBe(true);
  });

  it('finds what only memory shows at the end', () => {
    const pair = pairOf({});
    pair.runFor(5_000);
    pair.machine.writeMemory(0x407fff04, Uint8Array.of(1));
    expect(run(pair)).toEqual({ reason: 'poweroff' });
    expect(pair.finish()!.differences).toEqual([
      'memory page 0x407ff000: first at 0x407fff04, interpreter 0x00000000, translator 0x00000001',
    ]);
  });

  it('types at both consoles, resets both', () => {
    const pair = pairOf({ mode: 'budgets' });
    pair.runFor(1_000);
    pair.send('x');
    expect([pair.machine, pair.reference].map((machine) => machine.board.uart.waitingByteCount)).toEqual([0, 0]);
    pair.reset();
    expect(run(pair)).toEqual({ reason: 'poweroff' });
    expect(pair.finish()).toBeUndefined();
  });
});

describe('a loop within a loop, entered from outside of both', () => {
  it('begins with the flags that the way there left', () => {
    const source = `
      ldr sp, =0x40100000
      mov r8, #200
    again:
      mov r1, #2
      mov r5, #2
      and r2, r8, #7
      mov r3, #3
      msr apsr_nzcvq, r4
      bl enter
      eor r4, r4, r8, lsl #29
      subs r8, r8, #1
      bne again
      ldr r0, =0x84000008
      hvc #0
      .ltorg
    enter:
      cmp r2, r3
      beq outer
      b inner
    outer:
      add r7, r7, #1
    inner:
      addcs r6, r6, #1
      addmi r9, r9, #1
      subs r1, r1, #1
      bne inner
      mov r1, #3
      subs r5, r5, #1
      bne outer
      bx lr`;
    const looped = assemble(source, { origin: 0x40010000 }).bytes;
    const pair = new Lockstep(() => ({ kernel: looped, memory: 8 << 20 }), { translation: { heat: 3, batch: 1 } });
    expect(run(pair)).toEqual({ reason: 'poweroff' });
    expect(pair.exits).toBeGreaterThan(300);
    expect(pair.machine.cpu.readRegister('r6')).toBeGreaterThan(500);
  });
});

import { createHash } from 'node:crypto';
import { assemble } from '@tablewalk/arm-core';
import type { VirtMachineOptions } from '@tablewalk/board-qemu-virt';
import { VirtMachine } from '@tablewalk/board-qemu-virt';
import type { AccessSize, Device } from '@tablewalk/machine';
import { describe, expect, it } from 'vitest';

/*
 * Devices that note every access with its time, and do whatever a device may do in one: interrupt, arm a timer that is due soon, write to memory, over the
 * instruction that comes next too, or throw. Two of them are in one page, and the program's loads and stores go to them, to where nothing is, and to memory, in turn.
 */
const ORIGIN = 0x40010000;
const FIRST = 0x0d000000;
const SECOND = 0x0d000200;

/** Offsets at which an access has consequences. */
const RAISE = 0x10;
const LOWER = 0x14;
const ARM_TIMER = 0x18;
const WRITE_CODE = 0x1c;
const FAIL = 0x20;
const WRITE_MEMORY = 0x24;

const program = (thumb: boolean, w = thumb ? '.w' : ''): string => `
  ldr r0, =vectors
  mcr p15, 0, r0, c12, c0, 0
  ldr sp, =0x40200000
  cps #0x12
  ldr sp, =0x40210000
  cps #0x17
  ldr sp, =0x40220000
  cps #0x13
  @ PPI 27.
  ldr r0, =0x08000000
  mov r1, #1
  str r1, [r0]
  mov r1, #0x08000000
  str r1, [r0, #0x100]
  ldr r0, =0x08010000
  mov r1, #0xff
  str r1, [r0, #4]
  mov r1, #1
  str r1, [r0]
  cpsie i
  mov r10, #0
  mov r11, #0
  ldr r12, =400
  ${thumb ? 'ldr r0, =next + 1\n  bx r0\n  .ltorg\n  .thumb' : ''}
next:
  @ r4: which of the places, by turns that get out of step with each other.
  ldr r9, =places
  and r0, r12, #7
  ldr r4, [r9, r0, lsl #2]
  movs r5, #4
  adds r6, r12, r12
  ldr${w} r0, [r4]
  adds r10, r10, r0
  ldrb${w} r1, [r4, r5]
  adc r10, r10, r1
  ldrsb${w} r2, [r4, #4]!
  ldrh${w} r3, [r4], #8
  eor r10, r10, r2, lsl #3
  eors r10, r10, r3
  ldrsh${w} r0, [r4, #-2]
  it mi
  addmi r10, r10, r0
  str${w} r10, [r4, #-4]
  strb${w} r10, [r4, #1]
  strh${w} r10, [r4], #-8
  add r10, r10, r4
  ldr r7, =${SECOND}
  ldr r8, =${FIRST}
  lsr r0, r12, #1
  and r0, r0, #7
  ldr r1, =events
  ldr r1, [r1, r0, lsl #2]
  add r8, r8, r1
  ands r0, r12, #16
  beq reads
  strh r10, [r8], #2
  strb r10, [r7, #6]
  b other
reads:
  ldrsb r1, [r8], #4
patched:
  add${w} r10, r10, #1
  adds r10, r10, r1
other:
  add r10, r10, r8, lsl #1
  str r6, [r7]
  it eq
  ldreq r0, [r7, #8]
  ldr r0, [r7, #12]
  it cs
  addcs r10, r10, r0
  subs r12, r12, #1
  bne next
  mrs r9, cpsr
  ${thumb ? 'ldr r0, =finish\n  bx r0' : 'b finish'}
  .ltorg
  .arm
finish:
  ldr r0, =0x84000008
  hvc #0
  .ltorg

  .align 5
vectors:
  b vectors
  b vectors
  b vectors
  b vectors
  b abort
  b vectors
  b interrupt
  b vectors
abort:
  @ Over the instruction, which is of four bytes in either set.
  add r11, r11, #1
  subs pc, lr, #4
interrupt:
  push {r0, r1}
  ldr r1, =${FIRST}
  str r10, [r1, #${LOWER}]
  ldr r0, =0x08010000
  ldr r1, [r0, #12]
  str r1, [r0, #16]
  pop {r0, r1}
  subs pc, lr, #4
  .ltorg
events:
  .word ${[RAISE, ARM_TIMER, WRITE_CODE, WRITE_MEMORY, FAIL, LOWER, 0x40, 0x44].join(', ')}
places:
  .word ${FIRST + 0x80}, 0x40300000, ${SECOND - 4}, ${SECOND + 0x10}, 0x0d000600, 0x40300ffe, 0x40310003, ${FIRST + 0x81}
`;

type Access = readonly [device: string, time: number, what: string, size: AccessSize, value: number];

const outcome = (options: Partial<VirtMachineOptions>, thumb: boolean, slice: number, fails = false): unknown => {
  const { bytes, labels } = assemble(program(thumb), { origin: ORIGIN });
  const machine = new VirtMachine({ kernel: bytes, memory: 8 << 20, ...options });
  const accesses: Access[] = [];
  let rewritten = 0;
  const line = machine.board.gic.privateLine(0, 27);
  const timer = machine.timeline.timer('test', () => accesses.push(['timer', machine.time, 'due', 1, 0]));
  const immediate = labels.get('patched')! + (thumb ? 2 : 0);
  const device = (name: string): Device => {
    const happens = (offset: number): void => {
      const { current } = machine.timeline;
      if (offset === RAISE) line.set(true);
      if (offset === LOWER) line.set(false);
      if (offset === ARM_TIMER) timer.arm(current + 7);
      if (offset === WRITE_CODE && ++rewritten % 8 === 0) machine.memory.write(immediate, Uint8Array.of(rewritten));
      if (offset === WRITE_MEMORY) machine.memory.write(0x40300000, Uint8Array.of(current & 0xff, 2, 3, 4));
      if (offset === FAIL && fails && accesses.length > 1000) throw new Error('the device fails');
    };
    return {
      name,
      read(offset, size) {
        const value = Math.imul(offset + 1, 0x9e3779b1 + accesses.length) >>> (32 - 8 * size);
        accesses.push([this.name, machine.timeline.now(), `read ${offset}`, size, value]);
        happens(offset);
        return value;
      },
      write(offset, size, value) {
        accesses.push([this.name, machine.timeline.now(), `write ${offset}`, size, value]);
        happens(offset);
      },
      reset() {},
      snapshot: () => ({ schema: 'test', version: 1, data: null }),
      restore() {},
    };
  };
  machine.bus.map(FIRST, 0x200, device('first'));
  machine.bus.map(SECOND, 0x200, device('second'));
  let end: unknown;
  try {
    let stop = machine.runFor(slice);
    while (stop.reason === 'limit' && machine.instructions < 1e5) stop = machine.runFor(slice);
    end = stop;
  } catch (error) {
    end = (error as Error).message;
  }
  const registers = machine.cpu.registerNames().filter((name) => /^(r\d+|sp|lr|pc|[cs]psr|.*_(usr|irq|svc|abt))$/.test(name));
  return {
    end,
    instructions: machine.instructions,
    time: machine.time,
    accesses,
    registers: registers.map((name) => `${name} ${machine.cpu.readRegister(name)}`),
    memory: createHash('sha256').update(machine.readMemory(0x40300000, 0x20000)!).digest('hex'),
  };
};

describe.each([
  ['A32', false],
  ['T32', true],
] as const)('a device in a loop of %s', (_name, thumb) => {
  const expected = outcome({ engine: 'interpreter' }, thumb, 1e6) as { end: unknown; accesses: readonly Access[] };
  const failed = outcome({ engine: 'interpreter' }, thumb, 1e6, true) as { end: unknown };

  it('sees loads and stores of every size, interrupts and is interrupted', () => {
    expect(expected.end).toEqual({ reason: 'poweroff' });
    expect(failed.end).toBe('the device fails');
    const has = (device: string, what: RegExp): boolean => expected.accesses.some(([name, , text]) => name === device && what.test(text));
    const kinds = new Set(expected.accesses.map(([name, , what, size]) => `${name} ${what.split(' ')[0]} ${size}`));
    for (const size of [1, 2, 4]) for (const what of ['read', 'write']) expect(kinds).toContain(`first ${what} ${size}`);
    expect(has('timer', /due/) && has('first', /^write 20$/) && has('first', /^read 36$/)).toBe(true);
  });

  it.each([
    [1, 1, 1, 1e6],
    [2, 3, 2, 997],
    [3, 1, 4, 61],
  ] as const)(
    'sees the same from both engines: heat %i, batches of %i, calls after %i leaves, slices of %i',
    (heat, batch, leaves, slice) => {
      const options = { engine: 'wasm', translation: { heat, batch, leaves } } as const;
      expect(outcome(options, thumb, slice)).toEqual(expected);
      expect(outcome(options, thumb, slice, true)).toEqual(failed);
      expect(outcome({ ...options, hashesStores: true }, thumb, slice)).toEqual(expected);
    },
  );
});

import { assemble } from '@tablewalk/arm-core';
import { describe, expect, test } from 'vitest';
import { VirtMachine } from './virt-machine.js';

const ORIGIN = 0x40010000;
const guest = (source: string): Uint8Array => assemble(source, { origin: ORIGIN }).bytes;
const psci = (call: number): string => `ldr r0, =${call}\nhvc #0\n`;
const OFF = psci(0x84000008);
const RESET = psci(0x84000009);
const print = (text: string): string =>
  `ldr r1, =0x09000000\n${[...text].map((c) => `mov r0, #${c.charCodeAt(0)}\nstrb r0, [r1]\n`).join('')}`;
/** Prints the letter, then resets the first time and powers off the second: RAM keeps its contents. */
const resetOnce = `ldr r4, =0x40f00000\nldr r5, [r4]\nadd r5, r5, #1\nstr r5, [r4]\n${print('r')}cmp r5, #2\nbeq off\n${RESET}off:\n${OFF}`;

/** The machine and the events it had. */
const watched = (source: string, options: { readonly semihosting?: boolean } = {}): { machine: VirtMachine; events: unknown[] } => {
  const machine = new VirtMachine({ kernel: guest(source), memory: 16 << 20, ...options });
  const events: unknown[] = [];
  for (const name of ['poweroff', 'exit', 'reset', 'crash', 'error'] as const) machine.on(name, (event) => events.push([name, event]));
  return { machine, events };
};

describe('events', () => {
  test('poweroff, once, however often the machine is asked to go on', async () => {
    const { machine, events } = watched(print('hi') + OFF);
    expect(await machine.run()).toEqual({ reason: 'poweroff' });
    expect(await machine.run()).toEqual({ reason: 'poweroff' });
    expect(machine.step()).toEqual({ reason: 'poweroff' });
    expect(events).toEqual([['poweroff', { reason: 'poweroff' }]]);
  });

  test('exit with its status', () => {
    const { machine, events } = watched('ldr r1, =block\nmov r0, #0x20\nsvc #0x123456\nblock: .word 0x20026, 42', { semihosting: true });
    expect(machine.runFor(1000)).toEqual({ reason: 'exit', status: 42 });
    expect(events).toEqual([['exit', { reason: 'exit', status: 42 }]]);
  });

  test('reset: the machine stands at its first instruction when the listener is called, and run goes on', async () => {
    const { machine, events } = watched(resetOnce);
    const seen: unknown[] = [];
    machine.on('reset', () => seen.push(machine.cpu.readRegister('pc')));
    expect(await machine.run()).toEqual({ reason: 'poweroff' });
    expect(events.map((event) => (event as [string])[0])).toEqual(['reset', 'poweroff']);
    expect(seen).toEqual([0x40000000]);
    expect(machine.console.tail()).toBe('rr');
  });

  test('a loop of step stops at the reset and can go on', () => {
    const { machine, events } = watched(resetOnce);
    let end = machine.step();
    while (end.reason === 'limit') end = machine.step();
    expect(end).toEqual({ reason: 'reset' });
    expect(events).toEqual([['reset', { reason: 'reset' }]]);
    expect(machine.runFor(1000)).toEqual({ reason: 'poweroff' });
  });

  test('crash: vectors where nothing is', () => {
    const { machine, events } = watched(
      'ldr r0, =0xf0000000\nmcr p15, 0, r0, c12, c0, 0\nmov r1, #0\nsub r1, r1, #16\nldr pc, =0xf8000000',
    );
    const end = machine.runFor(1000);
    expect(end).toMatchObject({ reason: 'crashed', message: expect.stringMatching(/^the guest cannot fetch .* pc=0xf000000c/) });
    expect(events).toEqual([['crash', end]]);
  });

  test('a limit, sleep and a stop are no events', async () => {
    const { machine, events } = watched('loop: wfi\nb loop');
    expect(machine.runFor(3)).toEqual({ reason: 'limit' });
    expect(await machine.run()).toEqual({ reason: 'idle' });
    expect(await machine.run({ signal: { aborted: true } })).toEqual({ reason: 'stopped' });
    expect(events).toEqual([]);
  });

  test('a listener leaves, also from inside a call; the same function may listen twice', () => {
    const { machine } = watched(OFF);
    const calls: string[] = [];
    const listener = (): void => {
      calls.push('shared');
    };
    machine.on('poweroff', listener);
    const leave = machine.on('poweroff', listener);
    const leaveSelf = machine.on('poweroff', () => {
      calls.push('self');
      leaveSelf();
    });
    leave();
    leave();
    machine.runFor(1000);
    machine.reset();
    machine.runFor(1000);
    expect(calls).toEqual(['shared', 'self', 'shared']);
  });

  test('what a listener throws comes out of the run, after the others have been called', () => {
    const { machine } = watched(OFF);
    let called = false;
    machine.on('poweroff', () => {
      throw new Error('mine');
    });
    machine.on('poweroff', () => {
      called = true;
    });
    expect(() => machine.runFor(1000)).toThrow('mine');
    expect(called).toBe(true);
    expect(machine.runFor(1000)).toEqual({ reason: 'poweroff' });
  });
});

describe('a callback of the embedder throws in the middle of an instruction', () => {
  const failing = (): { machine: VirtMachine; events: unknown[]; repair: () => void } => {
    // 5000 bytes: the console hands its listeners 4096 at once, from inside the store.
    const { machine, events } = watched(`ldr r1, =0x09000000\nldr r2, =5000\nloop: strb r2, [r1]\nsubs r2, r2, #1\nbne loop\n${OFF}`);
    const repair = machine.console.onData(() => {
      throw new Error('disk full');
    });
    return { machine, events, repair };
  };

  test('the run throws it, after the event; whoever waits for text is told; the machine refuses to go on', async () => {
    const { machine, events } = failing();
    const waiting = machine.console.waitFor('never').catch((error: Error) => error.message);
    await expect(machine.run()).rejects.toThrow('disk full');
    expect(events).toEqual([['error', expect.objectContaining({ message: 'disk full' })]]);
    expect(await waiting).toBe('[board-qemu-virt] [console] the run threw');
    expect(() => machine.step()).toThrow('[board-qemu-virt] [run] an earlier run threw');
    expect(events).toHaveLength(1);
  });

  test('after a reset the machine is whole again, and time has not gone wrong', () => {
    const { machine, repair } = failing();
    expect(() => machine.runFor(1_000_000)).toThrow('disk full');
    // The stub's 4 instructions or so, 2, and three for each byte but the last.
    expect(machine.instructions).toBeGreaterThan(3 * 4095);
    expect(machine.instructions).toBeLessThan(3 * 4097 + 20);
    repair();
    machine.reset();
    const before = machine.instructions;
    expect(machine.runFor(1_000_000)).toEqual({ reason: 'poweroff' });
    const whole = new VirtMachine({ kernel: machine.plan.writes.find(({ name }) => name === 'kernel')!.bytes, memory: 16 << 20 });
    whole.runFor(1_000_000);
    expect(machine.instructions - before).toBe(whole.instructions);
  });
});

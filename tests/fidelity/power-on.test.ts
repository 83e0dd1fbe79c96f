import type { VirtMachineOptions } from '@tablewalk/board-qemu-virt';
import { VirtMachine } from '@tablewalk/board-qemu-virt';
import { Kernel } from '@tablewalk/kmem';
import { describe, expect, it } from 'vitest';
import { expectSame } from '../support/same.js';
import { machine, op, outcome, PA1, startWith, WB, X } from './support.js';

/** DCISW through the first level, by CCSIDR. */
const invalidateData = `
  mov r0, #0
  mcr p15, 2, r0, c0, c0, 0
  isb sy
  mrc p15, 1, r3, c0, c0, 0
  and r4, r3, #7
  add r4, r4, #4
  ubfx r5, r3, #3, #10
  ubfx r6, r3, #13, #15
  clz r7, r5
2:
  mov r8, r6
3:
  mov r9, r5, lsl r7
  orr r9, r9, r8, lsl r4
  mcr p15, 0, r9, c7, c6, 2
  subs r8, r8, #1
  bge 3b
  subs r5, r5, #1
  bge 2b
`;
const steps = { data: invalidateData, instruction: op.iciallu, tlb: op.tlbiAll };

/** What X reads after a start that leaves one of the steps out. */
const run = (cpu: string, powerOn: 'clean' | 'unknown' | undefined, without?: keyof typeof steps, more: VirtMachineOptions = {}) => {
  const maintenance = Object.entries(steps)
    .filter(([name]) => name !== without)
    .map(([, text]) => text)
    .join('');
  const options: VirtMachineOptions = { cpu, fidelity: 'architectural', ...(powerOn && { powerOn }), ...more };
  return outcome(machine(op.load('r4', X), options, PA1 | WB, startWith(maintenance)))?.r4;
};

describe('TLB and caches that are UNKNOWN after reset', () => {
  describe.each(['cortex-a8', 'cortex-a9', 'armv7-weakest'])('%s', (cpu) => {
    it('a start that invalidates everything does not notice', { timeout: 60_000 }, () => {
      expect(run(cpu, 'unknown')).toBe(1);
      expect(run(cpu, 'unknown', undefined, { fidelity: 'measured', retain: 'forever', seed: 9 })).toBe(1);
    });

    it.each(['data', 'instruction', 'tlb'] as const)(
      'one that leaves out the %s side goes wrong, and is right after firmware',
      { timeout: 60_000 },
      (step) => {
        expect(run(cpu, 'unknown', step)).not.toBe(1);
        expect(run(cpu, 'clean', step)).toBe(1);
        expect(run(cpu, undefined, step)).toBe(1);
      },
    );

    it('the kernel of packages/kmem starts', { timeout: 60_000 }, () => {
      const kernel = new Kernel({ ramBytes: 8 << 20 });
      const m = new VirtMachine({
        memory: 8 << 20,
        cpu,
        fidelity: 'architectural',
        powerOn: 'unknown',
        kernel: kernel.image,
        hypervisorCall: kernel.hypervisorCall,
      });
      kernel.attach(m);
      kernel.boot();
      expect(m.console.tail()).toContain('kmem: directMap');
    });
  });

  it('go into a snapshot', () => {
    const options: VirtMachineOptions = { cpu: 'cortex-a9', fidelity: 'architectural', powerOn: 'unknown' };
    const make = (more: VirtMachineOptions = {}): VirtMachine =>
      machine(op.load('r4', X), { ...options, ...more }, PA1 | WB, startWith(''));
    const m = make();
    const other = make();
    other.runFor(500);
    other.restore(m.snapshot());
    for (const one of [m, other]) one.runFor(3000);
    expect(other.cpu.readRegister('pc')).toBe(m.cpu.readRegister('pc'));
    expectSame(other.snapshot(), m.snapshot());
  });

  it('are refused where reset invalidates them, and where there are none', () => {
    expect(() => run('cortex-a15', 'unknown')).toThrow('reset invalidates the caches and the TLB of cortex-a15');
    expect(() => run('cortex-a9', 'unknown', undefined, { fidelity: 'functional' })).toThrow('functional fidelity has no TLB');
  });
});

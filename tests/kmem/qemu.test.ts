import { VirtMachine } from '@tablewalk/board-qemu-virt';
import type { KernelOptions } from '@tablewalk/kmem';
import { Kernel, pmmVmm } from '@tablewalk/kmem';
import { describe, expect, it } from 'vitest';
import { hasGdb, hasQemu, stopQemuAt } from './qemu.js';
import { recordedRun, runOnQemu } from './recorded-run.js';

const others: [string, KernelOptions][] = [
  ['pmmVmm', { policy: pmmVmm() }],
  ['linked for another address', { loadAddress: 0x40234000 }],
  ['split at 0x40000000', { split: 0x40000000 }],
];

describe.runIf(hasQemu)('the kernel on real QEMU', () => {
  it.each<[string, KernelOptions]>([
    ['directMap', {}],
    // The others in tests/ci/70-kmem.sh.
    ...(process.env['KMEM_ALL'] ? others : []),
  ])(
    '%s: boots, prints, allocates and powers off with every load and every byte of memory as here',
    { timeout: 60_000 },
    (_name, options) => {
      const run = recordedRun(options, (kernel) => {
        kernel.call(({ memory, vmalloc }) => {
          const va = memory.allocate(3)!;
          const area = vmalloc.allocate(2)!;
          memory.free(va, 3);
          vmalloc.free(area);
        });
      });
      const qemu = runOnQemu(run);
      expect(qemu.serial).toBe(run.machine.console.tail());
      expect(qemu.serial).toContain('kmem: ');
      expect(qemu).toMatchObject({ ended: true, differences: 0, differentPages: [] });
    },
  );

  it.runIf(hasGdb)('start-up, unchanged: at the first HVC QEMU has our registers and our memory', { timeout: 60_000 }, () => {
    const ramBytes = 16 * 2 ** 20;
    const kernel = new Kernel({ ramBytes });
    const { program } = kernel;
    const hvc = program.address('mmu_switch') - 4;
    // Here: stopped by the call itself, one instruction on.
    const machine = new VirtMachine({
      memory: ramBytes,
      kernel: kernel.image,
      hypervisorCall: () => {
        machine.stop();
        return true;
      },
    });
    expect(machine.runFor(1e6).reason).toBe('stopped');
    const physical = (va: number): number => va - program.layout.linkAddress + program.layout.loadAddress;
    const there = stopQemuAt(program.bytes, ramBytes, physical(hvc), program.layout.loadAddress, program.bytes.length);
    expect(machine.cpu.readRegister('pc')).toBe(physical(hvc) + 4);
    for (let n = 0; n < 15; n++) {
      const name = n === 13 ? 'sp' : n === 14 ? 'lr' : `r${n}`;
      expect(`${name} ${there.registers.get(name)}`).toBe(`${name} ${machine.cpu.readRegister(name)}`);
    }
    for (const name of ['SCTLR', 'VBAR', 'TTBCR', 'DACR'])
      expect(`${name} ${there.registers.get(name)}`).toBe(`${name} ${machine.cpu.readRegister(name)}`);
    const mode = (cpsr: number | undefined) => (cpsr ?? 0) & 0x1ff;
    expect(mode(there.registers.get('cpsr'))).toBe(mode(machine.cpu.readRegister('cpsr')));
    expect(Buffer.compare(there.memory, machine.readMemory(program.layout.loadAddress, program.bytes.length)!)).toBe(0);
  });
});

describe.runIf(!hasQemu)('the kernel on real QEMU', () => {
  it('NOT COMPARED: qemu-system-arm is not installed', () => {
    console.warn('\n*** tests/kmem: qemu-system-arm missing: the kernel did NOT run on QEMU ***\n');
    expect(hasQemu).toBe(false);
  });
});

import { assemble } from '@tablewalk/arm-core';
import { VirtMachine } from '@tablewalk/board-qemu-virt';
import type { KernelOptions } from '@tablewalk/kmem';
import { hardwareWalk, Kernel, pmmVmm } from '@tablewalk/kmem';
import { describe, expect, it } from 'vitest';
import { hasGdb, hasQemu, stopQemuAt } from './qemu.js';
import { recordedRun, runOnQemu } from './recorded-run.js';

const others: [string, KernelOptions][] = [
  ['pmmVmm', { policy: pmmVmm() }],
  ['linked for another address', { loadAddress: 0x40234000 }],
  ['split at 0x40000000', { split: 0x40000000 }],
];

const PAGE = 4096;
const MIB = 2 ** 20;
const requests = ['kernel_read', 'kernel_write', 'user_read', 'user_write'] as const;

/** First and last byte of every mapping there is, and of the unmapped pages at both sides of it. */
const boundaries = ({ mmu }: VirtMachine): readonly number[] => {
  const found = new Set<number>();
  for (let va = 0; va < 2 ** 32; ) {
    const walk = mmu.explainWalk(va);
    const bytes = walk.mapping !== undefined ? 2 ** walk.mapping.sizeLog2 : walk.steps.length > 1 ? PAGE : MIB;
    if (walk.mapping !== undefined)
      for (const at of [va - PAGE, va, va + bytes - 1, va + bytes]) if (at >= 0 && at < 2 ** 32) found.add(at);
    va += bytes;
  }
  return [...found, 0, 0x7fffffff, 0x80000000, 0xff7fffff, 0xff800000, 0xffffffff].sort((a, b) => a - b);
};

describe.runIf(hasQemu)('the kernel on real QEMU', () => {
  it.each<[string, KernelOptions]>([
    ['directMap', {}],
    // The others in tests/ci/70-kmem.sh.
    ...(process.env['KMEM_ALL'] ? others : []),
  ])(
    '%s: boots, runs programs and translates every page with every load, every PAR and every byte of memory as here',
    { timeout: 120_000 },
    (_name, options) => {
      let walks = 0;
      const run = recordedRun(options, (kernel, machine) => {
        kernel.call(({ memory, vmalloc }) => {
          const va = memory.allocate(3)!;
          const area = vmalloc.allocate(2)!;
          memory.free(va, 3);
          vmalloc.free(area);
        });
        const code = kernel.layout.userLink;
        const source =
          'mov r4, #0x10000000\nstr r4, [r4]\nldr r5, [r4]\nmov r7, #3\nsvc #0\nstr r7, [r4]\nadd r0, r0, #65\nmov r7, #1\nsvc #0\nmov r7, #2\nsvc #0\n';
        const id = kernel.call(({ programs }) => {
          const program = programs.create(code)!;
          program.space.loadCode(code, assemble(source, { origin: code }).bytes);
          program.space.mapOnDemand(0x10000000, 3, 'rw');
          program.space.map(0x18000000, 2, 'r');
          return program.id;
        });
        for (const one of [id, id + 1]) kernel.run(one);
        // TTBR0 is the child's now. Every page that is mapped, and the pages around what is.
        const pages = boundaries(machine);
        kernel.call(({ port }) => {
          for (const va of pages) for (const request of requests) hardwareWalk(port, va, request);
        });
        walks = pages.length * requests.length;
      });
      expect(walks).toBeGreaterThan(1000);
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

if (!hasQemu) console.warn('\n*** tests/kmem: qemu-system-arm missing: the kernel did NOT run on QEMU ***\n');

// Linux's first instructions at each fidelity, one after the other in one process: node tests/run-source.mjs bench/fidelity.ts [MILLIONS]. Needs guests.
import { readFileSync } from 'node:fs';
import { VirtMachine } from '@tablewalk/board-qemu-virt';

const instructions = Number(process.argv[2] ?? 60) * 1e6;
const rates = new Map<string, number>();
for (const fidelity of ['functional', 'architectural', 'measured', 'functional'] as const) {
  const machine = new VirtMachine({
    fidelity,
    memory: 512 << 20,
    kernel: readFileSync('.guests/zImage-armmp'),
    initrd: readFileSync('.guests/initramfs.cpio.gz'),
    append: 'console=ttyAMA0 guest_test=off',
  });
  const before = process.cpuUsage();
  while (machine.instructions < instructions) machine.runFor(Math.min(1e6, instructions - machine.instructions));
  const { user } = process.cpuUsage(before);
  rates.set(fidelity, machine.instructions / user);
}
const functional = rates.get('functional')!;
for (const [fidelity, rate] of rates)
  console.log(
    `${fidelity.padEnd(14)} ${rate.toFixed(1)} M instructions in a second of CPU, ${(rate / functional).toFixed(2)} of functional`,
  );

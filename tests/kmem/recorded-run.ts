import type { VirtMachineOptions } from '@tablewalk/board-qemu-virt';
import { VirtMachine } from '@tablewalk/board-qemu-virt';
import type { KernelOptions } from '@tablewalk/kmem';
import { Kernel } from '@tablewalk/kmem';
import type { QemuRun } from './qemu.js';
import { runQemu } from './qemu.js';
import type { Transcript } from './transcript.js';
import { padSource, record, transcriptImage } from './transcript.js';

const PAGE = 4096;
const PAD = 0x100000;

export interface RecordedRun {
  readonly kernel: Kernel;
  readonly machine: VirtMachine;
  readonly transcript: Transcript;
  readonly ramBytes: number;
}

/** Boots a kernel, lets `work` use it, powers off, and has all of it written down for QEMU. */
export const recordedRun = (
  options: KernelOptions,
  work: (kernel: Kernel, machine: VirtMachine) => void,
  machineOptions: Partial<VirtMachineOptions> = {},
): RecordedRun => {
  const ramBytes = options.ramBytes ?? 16 * 2 ** 20;
  const edit = options.internals?.source ?? ((source: string) => source);
  const kernel = new Kernel({
    ...options,
    ramBytes,
    internals: { ...options.internals, source: (source) => padSource(PAD)(edit(source)) },
  });
  let trapped = (): void => {};
  const machine = new VirtMachine({
    memory: ramBytes,
    kernel: kernel.image,
    hypervisorCall: (immediate) => {
      const taken = kernel.hypervisorCall(immediate);
      if (taken) trapped();
      return taken;
    },
    ...machineOptions,
  });
  const recorder = record(machine, kernel.program);
  trapped = recorder.trapped;
  kernel.attach(recorder.machine);
  // The machine starts by itself: that is the first time it is let run.
  trapped();
  kernel.boot();
  work(kernel, machine);
  kernel.powerOff();
  return { kernel, machine, transcript: recorder.transcript(), ramBytes };
};

export interface QemuOutcome extends Omit<QemuRun, 'ram'> {
  /** Loads and reads of system registers that gave something else than here. */
  readonly differences: number;
  /** The first of them: number of the operation, and what r0 and r1 were. */
  readonly first: readonly [number, number, number];
  /** Pages of RAM, as offsets, whose contents are not those here; the code that was put in the kernel's place does not count. */
  readonly differentPages: readonly number[];
}

/** The same run on real QEMU, as machine code throughout. */
export const runOnQemu = (run: RecordedRun, options: Parameters<typeof runQemu>[2] = {}): QemuOutcome => {
  const { kernel, machine, ramBytes } = run;
  const { program, layout } = kernel;
  const bytes = transcriptImage(program, run.transcript);
  const image = layout.loadAddress === 0x40010000 ? bytes : elfOf(program.elf(), bytes);
  const { ended, serial, ram } = runQemu(image, ramBytes, { cpu: machine.profile.name, ...options });
  const view = new DataView(ram.buffer);
  const results = program.address('data') - layout.split;
  const word = (n: number): number => view.getUint32(results + 4 * n, true);
  const [first, differences, r0, r1] = [word(0), word(1), word(2), word(3)];
  const ours = machine.readMemory(layout.ramBase, ramBytes)!;
  // Text is other text there; the data page holds the results; the tree has seeds.
  const skipped: [number, number][] = [
    [layout.loadAddress - layout.ramBase, program.textBytes + PAGE],
    [machine.plan.dtbAddress === undefined ? 0 : machine.plan.dtbAddress - layout.ramBase, 0x100000],
    [0, 0x10000],
  ];
  const differentPages: number[] = [];
  for (let page = 0; page < ramBytes; page += PAGE) {
    if (skipped.some(([start, length]) => page >= start && page < start + length)) continue;
    for (let n = page; n < page + PAGE; n++)
      if (ram[n] !== ours[n]) {
        differentPages.push(page);
        break;
      }
  }
  return { ended, serial, differences, first: [first, r0, r1], differentPages };
};

/** The same ELF file with other contents: its one segment starts at the second page. */
const elfOf = (elf: Uint8Array, bytes: Uint8Array): Uint8Array => {
  elf.set(bytes, PAGE);
  return elf;
};

import { costsBetween, GuestAbort, workloads } from '@tablewalk/kmem';
import { countersBetween, modelCounters } from '../memory-models.js';
import { Output } from '../output.js';
import { EXIT_CRASHED } from '../usage-error.js';
import type { KernelArguments } from './arguments.js';
import { makeKernel } from './boot.js';
import { Canvas, drawPhysical, drawVirtual, regionTable } from './drawing.js';
import type { CostColumn } from './report.js';
import { allocatorLines, bootLines, costLines } from './report.js';

const NEXT_STEPS = `
  tablewalk kmem --policy pmmVmm --workload all      the earlier design of the same kernel, and what it costs
  tablewalk kmem --allocator buddy --object-cache slab --workload programs
  tablewalk walk 0x80010000                          a translation, descriptor by descriptor
To boot real software: 'npm run guests' fetches Debian's packages, then
  npm start -- run -bios .guests/u-boot.bin
  npm start -- run -m 512 -kernel .guests/zImage-armmp -initrd .guests/initramfs.cpio.gz -append console=ttyAMA0
`;

/** `tablewalk kmem`. Resolves with the exit status. */
export const kmem = async (args: KernelArguments): Promise<number> => {
  const output = new Output(1);
  const colour = process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined;
  const bold = (text: string): string => (colour ? `\x1b[1m${text}\x1b[0m` : text);
  const say = (...lines: readonly string[]): void => output.write(`${lines.join('\n')}\n`);
  const { kernel, machine } = await makeKernel(args);
  const hex = (value: number): string => `0x${value.toString(16).padStart(8, '0')}`;
  say(
    `kmem: ${kernel.policy.name} on ${machine.profile.name}${args.fidelity === 'functional' ? '' : `, ${args.fidelity}`}, ${args.memoryBytes / 2 ** 20} MiB of RAM, loaded at ${hex(kernel.layout.loadAddress)}, linked at ${hex(kernel.layout.linkAddress)}`,
    '',
  );
  machine.console.onData((bytes) => output.write(bytes));
  try {
    kernel.boot();
    say('', ...bootLines(kernel.bootLog.steps, bold), '');
    const columns: CostColumn[] = [{ name: 'boot', costs: kernel.costs, models: modelCounters(machine) }];
    const workload = workloads.find(({ name }) => name === args.workload);
    if (workload !== undefined) {
      const [boot] = columns as [CostColumn];
      workload.run(kernel, args.seed);
      columns.push({
        name: workload.name,
        costs: costsBetween(boot.costs, kernel.costs),
        models: countersBetween(boot.models, modelCounters(machine)),
      });
    }
    say(bold('regions'), ...regionTable(kernel), '');
    const canvas = new Canvas(colour);
    say(...drawVirtual(kernel, canvas), ...drawPhysical(kernel, canvas), canvas.legend(), '');
    say(bold('allocators'), ...allocatorLines(kernel).map((line) => `  ${line}`), '');
    say(bold('costs'), ...costLines(columns).map((line) => `  ${line}`));
    kernel.powerOff();
    output.write(NEXT_STEPS);
    return 0;
  } catch (error) {
    if (!(error instanceof GuestAbort)) throw error;
    new Output(2).write(`tablewalk: the kernel took an exception: ${error.message.replace(/^(\[[^\]]*\] )+/, '')}\n`);
    return EXIT_CRASHED;
  }
};

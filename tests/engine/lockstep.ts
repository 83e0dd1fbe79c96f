import { readFileSync } from 'node:fs';
import type { Fidelity, LockstepMode } from '@tablewalk/board-qemu-virt';
import { Lockstep } from '@tablewalk/board-qemu-virt';

/*
 * `tablewalk run --engine lockstep` for guests that ask for no input, with what the command line does not have: how eagerly code is translated.
 *
 *   node tests/run-source.mjs tests/engine/lockstep.ts [--mode exits|budgets] [--kernel FILE] [--initrd FILE] [--append TEXT] [--bios FILE]
 *     [--cpu NAME] [--fidelity F] [--evictions SEED] [--memory MIB] [--instructions N] [--seed N] [--heat N] [--batch N] [--regions N]
 *     [--interpreted N]
 */
const flag = (name: string): string | undefined => {
  const i = process.argv.indexOf(`--${name}`);
  return i < 0 ? undefined : process.argv[i + 1];
};
const number = (name: string, fallback: number): number => Number(flag(name) ?? fallback);
const file = (name: string): Uint8Array | undefined => {
  const path = flag(name);
  return path === undefined ? undefined : readFileSync(path);
};

const limit = number('instructions', 5e9);
const append = flag('append');
const fidelity = flag('fidelity') as Fidelity | undefined;
const evictions = flag('evictions');
const images = { kernel: file('kernel'), initrd: file('initrd'), bios: file('bios') };
const pair = new Lockstep(
  () => ({
    memory: number('memory', 512) << 20,
    cpu: flag('cpu') ?? 'cortex-a15',
    ...(images.kernel && { kernel: images.kernel }),
    ...(images.initrd && { initrd: images.initrd }),
    ...(images.bios && { bios: images.bios }),
    ...(append !== undefined && { append }),
    ...(fidelity !== undefined && { fidelity }),
    ...(evictions !== undefined && { evictions: { seed: Number(evictions) } }),
  }),
  {
    mode: (flag('mode') ?? 'exits') as LockstepMode,
    seed: number('seed', 1),
    translation: {
      heat: number('heat', 300),
      batch: number('batch', 16),
      regions: number('regions', 6000),
      interpreted: number('interpreted', 600_000),
    },
  },
);
const { machine } = pair;
for (let next = 0; ; ) {
  const end = pair.runFor(Math.min(2e6, limit - machine.instructions));
  if (end.reason === 'difference') break;
  if (machine.instructions >= next) {
    console.log(`${machine.instructions} instructions, ${pair.comparisons} comparisons, ${machine.cpu.core.translated.regions} regions`);
    next = machine.instructions + 100e6;
  }
  if (end.reason !== 'limit' || machine.instructions >= limit) break;
}
const difference = pair.finish();
const { regions, instructions } = machine.cpu.core.translated;
console.log(
  difference?.report ??
    `no difference: ${machine.instructions} instructions, ${pair.comparisons} comparisons (${pair.exits} at exits of regions), ${instructions} instructions translated in ${regions} regions`,
);
process.exit(difference === undefined ? 0 : 1);

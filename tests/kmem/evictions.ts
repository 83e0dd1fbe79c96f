// Random evictions: FROM TO, a range of seeds. The correct kernel boots on two cores that never forget by themselves, and uses what every variant uses; the
// variants do the same with their mistake. Translations and lines are given up at random besides. Of a seed's two boots one is translated early, and
// the other interpreted; which is which alternates.
import type { VirtMachineOptions } from '@tablewalk/board-qemu-virt';
import { GuestAbort, workloads } from '@tablewalk/kmem';
import { bootKernel } from './boot-kernel.js';
import { variantSites, variants } from './variants.js';

const [from, to, withVariants] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4] === 'variants'];
const ramBytes = 4 * 2 ** 20;
const machine = (cpu: string, seed: number): Partial<VirtMachineOptions> => ({
  fidelity: 'architectural',
  retain: 'forever',
  cpu,
  evictions: { seed, interval: 300 },
  ...((cpu === 'cortex-a15') === (seed % 2 === 0)
    ? { engine: 'wasm', translation: { heat: 20, batch: 1, cold: true } }
    : { engine: 'interpreter' }),
});

let diverged = 0;
const exposed = new Map(variants.map(({ name }) => [name, 0]));
for (let seed = from; seed <= to; seed++) {
  for (const cpu of ['cortex-a15', 'armv7-weakest']) {
    try {
      const { kernel } = bootKernel({ ramBytes, sites: variantSites }, machine(cpu, seed));
      for (const variant of variants) {
        const outcome = variant.use(kernel, false);
        if (outcome !== 'right') throw new Error(`${variant.name}: ${outcome}`);
      }
      workloads.find(({ name }) => name === 'programs')!.run(kernel, seed);
    } catch (error) {
      diverged++;
      console.log(`seed ${seed} on ${cpu}: ${(error as Error).message}`);
    }
  }
  if (!withVariants) continue;
  for (const { name, core, options, use } of variants) {
    let outcome: string;
    try {
      outcome = use(bootKernel({ ramBytes, sites: variantSites, ...options }, machine(core, seed)).kernel, true);
    } catch (error) {
      if (!(error instanceof GuestAbort)) throw error;
      outcome = 'abort';
    }
    if (outcome !== 'right') exposed.set(name, exposed.get(name)! + 1);
  }
}
console.log(JSON.stringify({ seeds: to - from + 1, diverged, ...(withVariants && { exposed: Object.fromEntries(exposed) }) }));

import { bitmapTree, knr } from '@tablewalk/alloc/guest';
import { buddy } from '@tablewalk/alloc-buddy/guest';
import { slab } from '@tablewalk/alloc-slab/guest';
import type { VirtMachineOptions } from '@tablewalk/board-qemu-virt';
import type { KernelOptions } from '@tablewalk/kmem';
import { GuestAbort, pmmVmm, workloads } from '@tablewalk/kmem';
import { describe, expect, it } from 'vitest';
import { digest } from '../hostile/support.js';
import { bootKernel } from './boot-kernel.js';
import { hasQemu } from './qemu.js';
import { recordedRun, runOnQemu } from './recorded-run.js';
import type { Variant } from './variants.js';
import { variantSites, variants } from './variants.js';

// Kernels that are wrong in one place. Each is right where neither a TLB nor a cache remembers anything, and wrong on a core that may remember: with
// the same outcome each time. The rest of the table (docs/kmem.md) is seen by tests/ci/70-kmem.sh.

const all = process.env['KMEM_ALL'] !== undefined;
/** Tests of the long form are not there in the short one: nothing is counted as skipped. */
const nothing = (_name: string, _options: object, _test: () => void): void => {};
const whenAll = all ? it : nothing;
const whenQemu = all && hasQemu ? it : nothing;
const ramBytes = 4 * 2 ** 20;

const transparent = { fidelity: 'architectural', tlb: 'none', cache: 'none' } as const;
const interpreted = { engine: 'interpreter' } as const;
const retaining = { ...interpreted, fidelity: 'architectural', retain: 'forever' } as const;
/** What is executed is translated first. */
const translated = { engine: 'wasm', translation: { heat: 1, batch: 1, cold: true } } as const;

const kernelOptions = (variant: Variant, wrong: boolean): KernelOptions => ({
  ramBytes,
  sites: variantSites,
  ...(wrong && variant.options),
});

/** What comes of it, boot and all. */
const outcome = (variant: Variant, wrong: boolean, machine: Partial<VirtMachineOptions>): string => {
  try {
    return variant.use(bootKernel(kernelOptions(variant, wrong), machine).kernel, wrong);
  } catch (error) {
    if (error instanceof GuestAbort) return `${error.report.kind} at ${error.report.symbol}`;
    throw error;
  }
};

describe.each(variants)('$name: $mistake', (variant) => {
  const cpu = variant.core;

  it('misbehaves where the architecture lets it, the same way each time', { timeout: 60_000 }, () => {
    expect(outcome(variant, true, { ...retaining, cpu })).toBe(variant.architectural);
    if (all) expect(outcome(variant, true, { ...retaining, cpu })).toBe(variant.architectural);
    if (all) expect(outcome(variant, true, { ...retaining, ...translated, cpu })).toBe(variant.architectural);
  });

  whenAll('works where nothing is remembered, and the correct kernel works everywhere', { timeout: 120_000 }, () => {
    expect(outcome(variant, true, { ...transparent, cpu })).toBe('right');
    expect(outcome(variant, true, { cpu })).toBe(variant.functional);
    for (const machine of [transparent, interpreted, {}, retaining, { ...retaining, ...translated }])
      expect(outcome(variant, false, { ...machine, cpu })).toBe('right');
  });

  whenQemu('is $qemu by real QEMU', { timeout: 120_000 }, () => {
    const facts = cpu === 'armv7-weakest' ? { coherentWalks: false } : {};
    for (const wrong of [false, true]) {
      const options = kernelOptions(variant, wrong);
      const internals = { ...options.internals, facts: { ...facts, ...options.internals?.facts } };
      let here = '';
      const run = recordedRun(
        { ...options, internals },
        (kernel) => {
          here = variant.use(kernel, wrong);
        },
        transparent,
      );
      const qemu = runOnQemu(run);
      expect([wrong, here, qemu.ended]).toEqual([wrong, 'right', true]);
      expect([wrong, qemu.differences > 0 ? 'shown' : 'hidden']).toEqual([wrong, wrong ? variant.qemu : 'hidden']);
    }
  });
});

describe('the correct kernel', () => {
  const kernels: [string, KernelOptions][] = [
    ['directMap', { vmalloc: { unmapping: 'lazy', lazyPages: 40 } }],
    ['pmmVmm over buddy, slab', { policy: pmmVmm(), allocator: buddy(), virtualAllocator: bitmapTree() }],
    ['directMap over buddy, slab', { allocator: buddy(), objectCache: slab() }],
    ['directMap over knr', { allocator: knr() }],
  ];
  const cores = ['armv7-weakest', 'cortex-a15', 'cortex-a7', 'cortex-a8', 'cortex-a9'];
  const cases = kernels.flatMap(([name, options]) => cores.map((cpu) => [name, cpu, options] as const));

  it.each(all ? cases : cases.slice(0, 1))(
    '%s on %s passes every workload with TLB and caches that never forget',
    { timeout: 120_000 },
    (_name, cpu, options) => {
      const { kernel } = bootKernel({ ramBytes, ...options }, { ...retaining, cpu });
      for (const workload of workloads.filter(({ name }) => name !== 'all')) workload.run(kernel, 5);
      expect(kernel.inspect().kernalloc.check()).toEqual([]);
    },
  );

  it.each(all ? cores : ['armv7-weakest'])('comes to the same state on interpreter and translator: %s', { timeout: 120_000 }, (cpu) => {
    const options = { ...retaining, cpu, evictions: { seed: 5, interval: 200 } };
    const [interpreted, hot] = [{}, translated].map((engine) => {
      const { kernel, machine } = bootKernel({ ramBytes }, { ...options, ...engine });
      for (const workload of workloads.filter(({ name }) => name !== 'all')) workload.run(kernel, 3);
      return machine;
    });
    expect(hot!.cpu.core.translated.regions).toBeGreaterThan(10);
    expect(digest(hot!)).toBe(digest(interpreted!));
  });
});

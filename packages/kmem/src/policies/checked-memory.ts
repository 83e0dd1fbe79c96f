import type { VirtAddr } from '@tablewalk/machine';
import { KmemError } from '../kmem-error.js';
import { PAGE } from '../layout.js';
import type { KernelMemory } from './policy.js';

const isPageCount = (pages: number): boolean => Number.isInteger(pages) && pages >= 1;

/** Pages as a caller counts them. @throws {KmemError} for anything but a whole number from 1 on */
export const checkPageCount = (part: string, pages: number): void => {
  if (!isPageCount(pages)) throw new KmemError(part, `${pages} is no number of pages`);
};

/**
 * Kernel memory that refuses what cannot be meant, whatever the policy is, before anything is written: requests that are no whole number of pages, and
 * frees of what was not given or was given back. What the policy answers is looked at too.
 */
export const checkedMemory = (memory: KernelMemory, policy: string): KernelMemory => {
  const live = new Map<VirtAddr, number>();
  return {
    allocate: (pages, options) => {
      checkPageCount('memory', pages);
      const { alignLog2 = 0 } = options ?? {};
      if (!Number.isInteger(alignLog2) || alignLog2 < 0 || alignLog2 > 20)
        throw new KmemError('memory', `alignLog2 ${alignLog2} is not 0 to 20`);
      const va = memory.allocate(pages, options);
      if (va === undefined) return undefined;
      if (!Number.isInteger(va) || va < 0 || va % PAGE !== 0 || va + pages * PAGE > 2 ** 32)
        throw new KmemError('policy', `${policy} gave ${pages} pages at ${va}, which is no address of a page`);
      live.set(va, pages);
      return va;
    },
    free: (va, pages) => {
      const given = live.get(va);
      if (given !== pages) {
        const at = Number.isInteger(va) && va >= 0 ? `0x${va.toString(16)}` : String(va);
        throw new KmemError(
          'memory',
          given === undefined ? `nothing was given at ${at}` : `${given} pages were given at ${at}, not ${pages}`,
        );
      }
      memory.free(va, pages);
      live.delete(va);
    },
    vtop: (va) => memory.vtop(va),
    ptov: (pa) => memory.ptov(pa),
    state: () => ({ live: [...live], memory: memory.state() }),
    restore: (state) => {
      const saved = state as { readonly live: readonly (readonly [VirtAddr, number])[]; readonly memory: unknown };
      live.clear();
      for (const [va, pages] of saved.live) live.set(va, pages);
      memory.restore(saved.memory);
    },
  };
};

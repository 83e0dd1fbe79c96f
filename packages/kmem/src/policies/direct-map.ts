import { KERNEL_DATA } from '../descriptors.js';
import { linearToPhysical, MIB, PAGE, physicalToLinear } from '../layout.js';
import type { MemoryPolicy } from './policy.js';
import { POLICY_CONTRACT } from './policy.js';

/**
 * All of RAM, as far as it goes below vmalloc, at one distance: 1 MB sections, made once and never changed. Pages are taken and given back without a
 * look at a table, and both conversions are an addition.
 */
export const directMap = (): MemoryPolicy => ({
  contract: POLICY_CONTRACT,
  name: 'directMap',
  linear: true,
  virtualPages: false,
  earlyMap: (boot) => {
    const { layout } = boot;
    for (let pa = layout.ramBase; pa < boot.mappedEnd; pa += MIB) {
      const va = physicalToLinear(layout, pa);
      if (!boot.isImageMegabyte(va)) boot.section(va, pa, KERNEL_DATA);
    }
    boot.mapImage();
  },
  open: ({ layout, boot, physical }) => ({
    allocate: (pages, options = {}) => {
      const page = physical.allocate(pages, options.alignLog2 === undefined ? undefined : { alignLog2: options.alignLog2 });
      return page < 0 ? undefined : physicalToLinear(layout, page * PAGE);
    },
    free: (va, pages) => {
      physical.free(linearToPhysical(layout, va) / PAGE, pages);
    },
    vtop: (va) => {
      const pa = linearToPhysical(layout, va);
      return pa >= layout.ramBase && pa < boot.mappedEnd
        ? { possible: true, address: pa }
        : { possible: false, reason: 'the address is not of the direct map: its tables must be walked' };
    },
    ptov: (pa) =>
      pa >= layout.ramBase && pa < boot.mappedEnd
        ? { possible: true, address: physicalToLinear(layout, pa) }
        : { possible: false, reason: 'the direct map does not hold that memory' },
    state: () => null,
    restore: () => {},
  }),
});

import type { VirtAddr } from '@tablewalk/machine';
import { routine } from './image/sites.js';
import { KmemError } from './kmem-error.js';
import { PAGE } from './layout.js';
import type { KernelMemory } from './policies/policy.js';
import type { KernelPort } from './port.js';

export const poisonSites = routine('poison', { fill: 'branch', check: 'branch' });

/** What freed pages are filled with. */
export const POISON = 0xaaaaaaaa;

/** Freed pages are filled; pages that come back are looked at. */
export const poisoned = (memory: KernelMemory, port: KernelPort): KernelMemory => {
  const known = new Set<VirtAddr>();
  return {
    ...memory,
    allocate: (pages, options) => {
      const va = memory.allocate(pages, options);
      if (va === undefined) return undefined;
      for (let n = 0; n < pages; n++) {
        const page = va + n * PAGE;
        if (!known.delete(page)) continue;
        const wrong = port.branch(poisonSites.check, port.entry('memcheck'), page, PAGE, POISON);
        if (wrong !== 0) throw new KmemError('poison', `somebody wrote to 0x${wrong.toString(16)} after it was freed`);
      }
      return va;
    },
    free: (va, pages) => {
      port.branch(poisonSites.fill, port.entry('memfill'), va, pages * PAGE, POISON);
      for (let n = 0; n < pages; n++) known.add(va + n * PAGE);
      memory.free(va, pages);
    },
    state: () => ({ known: [...known], memory: memory.state() }),
    restore: (state) => {
      const saved = state as { readonly known: readonly VirtAddr[]; readonly memory: unknown };
      known.clear();
      for (const va of saved.known) known.add(va);
      memory.restore(saved.memory);
    },
  };
};

import { BAD_COUNT, codeName, EXHAUSTED } from '@tablewalk/alloc/guest';
import type { PhysAddr } from '@tablewalk/machine';
import { KERNEL_DATA } from '../descriptors.js';
import { KmemError } from '../kmem-error.js';
import { alignUp, MIB, PAGE, physicalToLinear } from '../layout.js';
import type { MemoryPolicy } from './policy.js';
import { POLICY_CONTRACT } from './policy.js';

export interface PmmVmmOptions {
  /** Keep a table from physical page to VA, so that `ptov` has an answer. Off: the design as it was. */
  readonly reverseMap?: boolean;
}

/**
 * Two allocators, of physical pages and of virtual ones, and every allocation maps the two together with 4 KB pages through two levels. So each
 * release needs TLB maintenance, VA to PA needs a walk of the tables, and PA to VA has no answer unless somebody wrote it down.
 */
export const pmmVmm = ({ reverseMap = false }: PmmVmmOptions = {}): MemoryPolicy => ({
  contract: POLICY_CONTRACT,
  name: reverseMap ? 'pmmVmm, reverse map' : 'pmmVmm',
  linear: false,
  virtualPages: true,
  earlyMap: (boot) => {
    const { layout } = boot;
    const start = layout.split;
    boot.linkPolicyTables(start, alignUp(physicalToLinear(layout, boot.mappedEnd), MIB));
  },
  open: ({ tables, physical, virtual }) => {
    if (virtual === undefined) throw new KmemError('pmmVmm', 'there is no allocator of virtual pages');
    const reverse = reverseMap ? new Map<PhysAddr, number>() : undefined;
    const give = (pages: readonly number[]): void => {
      for (const page of pages) physical.free(page, 1);
    };
    /** Physical pages: one by one, or one run. */
    const take = (count: number, contiguous: boolean, alignLog2: number): number[] | undefined => {
      if (contiguous) {
        const page = physical.allocate(count, alignLog2 > 0 ? { alignLog2 } : undefined);
        return page < 0 ? undefined : Array.from({ length: count }, (_, n) => page + n);
      }
      const taken: number[] = [];
      for (let n = 0; n < count; n++) {
        const page = physical.allocate(1);
        if (page < 0) {
          give(taken);
          return undefined;
        }
        taken.push(page);
      }
      return taken;
    };
    /** Runs that were taken as one must be given back as one. */
    const runs = new Map<number, number>();
    return {
      allocate: (pages, options = {}) => {
        const first = virtual.allocate(pages);
        if (first === EXHAUSTED || first === BAD_COUNT) return undefined;
        if (first < 0) throw new KmemError('pmmVmm', `the allocator of virtual pages answered ${codeName(first)}`);
        const contiguous = options.contiguous === true;
        const frames = take(pages, contiguous, options.alignLog2 ?? 0);
        if (frames === undefined) {
          virtual.free(first, pages);
          return undefined;
        }
        const va = first * PAGE;
        tables.map(
          va,
          frames.map((page) => page * PAGE),
          KERNEL_DATA,
        );
        if (contiguous) runs.set(first, frames[0]!);
        if (reverse) frames.forEach((page, n) => reverse.set(page, first + n));
        return va;
      },
      free: (va, pages) => {
        const first = va / PAGE;
        const frames = tables.unmap(va, pages).map((pa) => pa / PAGE);
        // Not before: until the invalidation has completed somebody could still reach the page under this address.
        virtual.free(first, pages);
        const run = runs.get(first);
        runs.delete(first);
        if (run !== undefined) physical.free(run, pages);
        else give(frames);
        if (reverse) for (const page of frames) reverse.delete(page);
      },
      vtop: (va) => {
        const pa = tables.walk(va);
        return pa === undefined ? { possible: false, reason: 'nothing is mapped there' } : { possible: true, address: pa };
      },
      ptov: (pa) => {
        if (reverse === undefined)
          return { possible: false, reason: 'virtual addresses have nothing to do with physical ones, and no table leads back' };
        const page = reverse.get(Math.floor(pa / PAGE));
        return page === undefined
          ? { possible: false, reason: 'no kernel address maps that memory' }
          : { possible: true, address: page * PAGE + (pa % PAGE) };
      },
      state: () => ({ reverse: reverse === undefined ? null : [...reverse], runs: [...runs] }),
      restore: (state) => {
        const saved = state as {
          readonly reverse: readonly (readonly [number, number])[] | null;
          readonly runs: readonly (readonly [number, number])[];
        };
        runs.clear();
        for (const [first, page] of saved.runs) runs.set(first, page);
        reverse?.clear();
        for (const [page, first] of saved.reverse ?? []) reverse?.set(page, first);
      },
    };
  },
});

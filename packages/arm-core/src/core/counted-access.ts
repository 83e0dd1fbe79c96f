import type { RegionHost } from '@tablewalk/engine';
import { beside, layout, ops } from '@tablewalk/engine';
import type { AccessSize } from '@tablewalk/machine';
import type { BesideOwner } from './beside-memory.js';
import { endAccess } from './beside-memory.js';
import type { CachedAccess } from './cached-access.js';
import type { LineTable } from './line-table.js';
import type { RegionRunner } from './region-runner.js';

const { IS_STORE, IS_PRIVILEGED, SIZE_SHIFT, SITE_SHIFT } = beside;

/**
 * `RegionHost.access` of a core whose accesses are counted: what is not known to hit. Where the page is known the access goes to the caches at once, else when it
 * has been translated. What is not aligned `step` does like any other instruction, and what is no memory or faults `stepAt`, which is told what was found.
 */
export const accessCounted = (
  owner: BesideOwner & { readonly alignmentChecked: boolean },
  access: CachedAccess,
  lines: LineTable,
  regions: { readonly runner: RegionRunner },
  step: NonNullable<RegionHost['step']>,
  stepAt: (host: number, va: number, number: number, pc: number, budget: number) => number,
): NonNullable<RegionHost['access']> => {
  const { words: R, code } = owner;
  return (what, va, budget, value) => {
    // Looked up first: the region may be dropped for what is stored.
    const site = regions.runner.steps[what >>> SITE_SHIFT]!;
    const size = ((what >>> SIZE_SHIFT) & 7) as AccessSize;
    const isStore = (what & IS_STORE) !== 0;
    const isPrivileged = (what & IS_PRIVILEGED) !== 0;
    if ((va & (size - 1)) !== 0) {
      regions.runner.noteUnaligned(site);
      const mayBe = !owner.alignmentChecked && (site.plain!.flags & ops.MEM_ALIGNED) === 0;
      if (mayBe && (va & 0xfff) + size <= 4096 && lines.findPage(va, isStore, isPrivileged)) {
        const loaded = access.countedBytes(lines, va, size, isStore, isPrivileged, value);
        return owner.attention || code.page === null ? endAccess(R, site, budget, loaded) : loaded;
      }
      if (step(what >>> SITE_SHIFT, R[layout.PC]!, budget) !== 0) R[layout.ACCESS_ENDS] = 1;
      return R[site.plain!.register]!;
    }
    let loaded: number;
    if (lines.findPage(va, isStore, isPrivileged)) loaded = access.counted(lines, va, size, isStore, isPrivileged, value);
    else {
      lines.settle();
      const host = access.find(va, isStore, isPrivileged);
      if (host < 0) {
        if (stepAt(host, va, what >>> SITE_SHIFT, R[layout.PC]!, budget) !== 0) R[layout.ACCESS_ENDS] = 1;
        return R[site.plain!.register]!;
      }
      loaded = access.found(va, host, size, isStore, value);
    }
    return owner.attention || code.page === null ? endAccess(R, site, budget, loaded) : loaded;
  };
};

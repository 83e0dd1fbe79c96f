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
 * `RegionHost.access` and `missed` of a core whose accesses are counted: what is not known to hit. Where the page is known the access goes to the caches at once, else
 * when it has been translated. What is not aligned `step` does like any other instruction, and what is no memory or faults `stepAt`, which is told what was found.
 */
export const accessCounted = (
  owner: BesideOwner & { readonly alignmentChecked: boolean },
  access: CachedAccess,
  lines: LineTable,
  regions: { readonly runner: RegionRunner },
  step: NonNullable<RegionHost['step']>,
  stepAt: (host: number, va: number, number: number, pc: number, budget: number) => number,
): Required<Pick<RegionHost, 'access' | 'missed'>> => {
  const { words: R, code } = owner;
  const goesOn = (): boolean => !owner.attention && code.page !== null;
  /** What was found last. */
  let host = -1;
  const findHost = (what: number, va: number): void => {
    lines.settleLooks();
    host = access.find(va, (what & IS_STORE) !== 0, (what & IS_PRIVILEGED) !== 0);
  };
  const found = (what: number, va: number, budget: number, value: number): number => {
    const site = regions.runner.steps[what >>> SITE_SHIFT]!;
    if (host < 0) {
      if (stepAt(host, va, what >>> SITE_SHIFT, R[layout.PC]!, budget) !== 0) R[layout.ACCESS_ENDS] = 1;
      return R[site.plain!.register]!;
    }
    const loaded = access.found(va, host, ((what >>> SIZE_SHIFT) & 7) as AccessSize, (what & IS_STORE) !== 0, value);
    return goesOn() ? loaded : endAccess(R, site, budget, loaded);
  };
  return {
    access: (what, va, budget, value) => {
      const size = ((what >>> SIZE_SHIFT) & 7) as AccessSize;
      const isStore = (what & IS_STORE) !== 0;
      const isPrivileged = (what & IS_PRIVILEGED) !== 0;
      const isAligned = (va & (size - 1)) === 0;
      if (isAligned && !lines.findPage(va, isStore, isPrivileged)) {
        findHost(what, va);
        return found(what, va, budget, value);
      }
      // Looked up first: the region may be dropped for what is stored.
      const site = regions.runner.steps[what >>> SITE_SHIFT]!;
      let loaded: number;
      if (isAligned) loaded = access.counted(lines, va, size, isStore, isPrivileged, value);
      else {
        regions.runner.noteUnaligned(site);
        const mayBe = !owner.alignmentChecked && (site.plain!.flags & ops.MEM_ALIGNED) === 0;
        if (!mayBe || (va & 0xfff) + size > 4096 || !lines.findPage(va, isStore, isPrivileged)) {
          if (step(what >>> SITE_SHIFT, R[layout.PC]!, budget) !== 0) R[layout.ACCESS_ENDS] = 1;
          return R[site.plain!.register]!;
        }
        loaded = access.countedBytes(lines, va, size, isStore, isPrivileged, value);
      }
      return goesOn() ? loaded : endAccess(R, site, budget, loaded);
    },
    missed: {
      find: (what, va) => {
        findHost(what, va);
        return host >= 0 && goesOn() && lines.findPage(va, (what & IS_STORE) !== 0, (what & IS_PRIVILEGED) !== 0) ? 1 : 0;
      },
      found,
    },
  };
};

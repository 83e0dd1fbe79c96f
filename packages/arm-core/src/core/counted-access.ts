import type { RegionHost } from '@tablewalk/engine';
import { beside, layout } from '@tablewalk/engine';
import type { AccessSize } from '@tablewalk/machine';
import type { BesideOwner } from './beside-memory.js';
import { endAccess } from './beside-memory.js';
import type { CachedAccess } from './cached-access.js';
import type { LineTable } from './line-table.js';
import type { RegionRunner } from './region-runner.js';

const { IS_STORE, IS_PRIVILEGED, SIZE_SHIFT, SITE_SHIFT } = beside;

/**
 * `RegionHost.access` of a core whose accesses are counted: what is not known to hit. Where the page is known the access goes to the caches at once; everything
 * else (another page, an access that is not aligned, a device) `step` does like any other instruction.
 */
export const accessCounted = (
  owner: BesideOwner,
  access: CachedAccess,
  lines: LineTable,
  regions: { readonly runner: RegionRunner },
  step: NonNullable<RegionHost['step']>,
): NonNullable<RegionHost['access']> => {
  const { words: R, code } = owner;
  return (what, va, budget, value) => {
    const { runner } = regions;
    const site = runner.steps[what >>> SITE_SHIFT]!;
    const size = ((what >>> SIZE_SHIFT) & 7) as AccessSize;
    const isStore = (what & IS_STORE) !== 0;
    const isPrivileged = (what & IS_PRIVILEGED) !== 0;
    if ((va & (size - 1)) !== 0) runner.noteUnaligned(site);
    else if (lines.findPage(va, isStore, isPrivileged)) {
      const loaded = access.counted(lines, va, size, isStore, isPrivileged, value);
      return owner.attention || code.page === null ? endAccess(R, site, budget, loaded) : loaded;
    }
    if (step(what >>> SITE_SHIFT, R[layout.PC]!, budget) !== 0) R[layout.ACCESS_ENDS] = 1;
    return R[site.plain!.register]!;
  };
};

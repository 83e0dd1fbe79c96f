import type { PlainAccess, RegionHost } from '@tablewalk/engine';
import { beside, EXIT_RESYNC, layout, ops } from '@tablewalk/engine';
import type { AccessSize, SystemBus, Timeline } from '@tablewalk/machine';
import type { CodeSource } from './code-source.js';
import { FastTable } from './fast-table.js';
import type { RegionRunner, Step } from './region-runner.js';

/** What accesses beside memory need of their core. */
export interface BesideOwner {
  readonly words: Int32Array;
  readonly code: CodeSource;
  readonly fast: FastTable;
  readonly timeline: Timeline;
  readonly attention: boolean;
  /** Guest time at which the budget of this run is used up. */
  readonly runEnd: number;
}

const { IS_STORE, IS_PRIVILEGED, SIZE_SHIFT, SITE_SHIFT } = beside;
const KIND = IS_STORE | IS_PRIVILEGED;
const { FAST_SPARE } = layout;

/** The instruction, whose access is done, is done, and the region may not go on. */
export const endAccess = (R: Int32Array, { plain, offset, next }: Step, budget: number, loaded: number): number => {
  const { isStore, flags, register, written, delta } = plain!;
  const shift = flags & ops.MEM_SIGNED ? 32 - 8 * (flags & ops.MEM_SIZE) : 0;
  if (!isStore) R[register] = (loaded << shift) >> shift;
  if (written >= 0) R[written] = R[written]! + delta;
  R[layout.PC] = R[layout.PC]! + next - offset;
  R[layout.BUDGET] = budget - 1;
  R[layout.EXIT_CODE] = EXIT_RESYNC;
  R[layout.ACCESS_ENDS] = 1;
  return 0;
};

/**
 * `RegionHost.access` of a core. A device that is known answers at once: it is told the exact time and sees nothing else of the core. Whatever else it may be (an
 * access that is not aligned, memory that is not in the fast table, a fault) `step` does like any other instruction: `RegionHost.step`.
 */
export const accessBeside = (
  owner: BesideOwner,
  bus: SystemBus,
  regions: { readonly runner: RegionRunner },
  step: NonNullable<RegionHost['step']>,
): NonNullable<RegionHost['access']> => {
  const { words: R, code, timeline } = owner;
  const { devices } = owner.fast;

  const whole = (what: number, va: number, budget: number, { register }: PlainAccess): number => {
    if (step(what >>> SITE_SHIFT, R[layout.PC]!, budget) !== 0) R[layout.ACCESS_ENDS] = 1;
    else devices.enter(va, what & KIND, bus);
    return R[register]!;
  };

  return (what, va, budget, value) => {
    // Looked up first: the device may write to memory, and the region may be dropped for that.
    const site = regions.runner.steps[what >>> SITE_SHIFT]!;
    const part = devices.partAt(va, what & KIND);
    const size = ((what >>> SIZE_SHIFT) & 7) as AccessSize;
    const at = va & 0xfff;
    if (part === undefined || at < part.first || at >= part.end || (va & (size - 1)) !== 0) return whole(what, va, budget, site.plain!);
    let loaded = 0;
    if ((what & IS_STORE) === 0) {
      timeline.current = owner.runEnd - budget;
      loaded = part.read.call(part.device, part.offset + at, size) | 0;
    } else {
      // Memory that regions may not store to is asked for first, as the interpreter does.
      if (R[FastTable.entry(va, (what & IS_PRIVILEGED) !== 0) + FAST_SPARE] === (va & ~0xfff)) return whole(what, va, budget, site.plain!);
      timeline.current = owner.runEnd - budget;
      part.write.call(part.device, part.offset + at, size, (size === 4 ? value : value & (size === 2 ? 0xffff : 0xff)) >>> 0);
    }
    return owner.attention || code.page === null ? endAccess(R, site, budget, loaded) : loaded;
  };
};

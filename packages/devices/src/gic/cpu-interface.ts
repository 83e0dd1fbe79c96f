import {
  BANKED_COUNT,
  CTLR_ACK_CTL,
  CTLR_CBPR,
  CTLR_EOI_MODE,
  ENABLE_GRP0,
  ENABLE_GRP1,
  type GicState,
  IDLE_PRIORITY,
  INTID_GROUP1,
  INTID_SPURIOUS,
  SGI_COUNT,
} from './gic-state.js';

/**
 * GICv2 CPU interface operations (IHI 0048B.b, 4.4) for an implementation without Security Extensions: every access sees both groups. All 256
 * priorities and all 128 preemption levels are implemented.
 */

/** What an access to GICC_IAR or GICC_HPPIR is allowed to see of the chosen interrupt. */
function visiblePending(gic: GicState, core: number): number {
  const intid = gic.best[core];
  if (intid === INTID_SPURIOUS) return intid;
  const group1 = gic.isGroup1(core, intid);
  if ((gic.distributorCtlr & gic.cpuCtlr[core] & (group1 ? ENABLE_GRP1 : ENABLE_GRP0)) === 0) return INTID_SPURIOUS;
  return group1 && (gic.cpuCtlr[core] & CTLR_ACK_CTL) === 0 ? INTID_GROUP1 : intid;
}

/** The part of a priority that takes part in preemption (IHI 0048B.b, 3.3.3). */
function groupPriority(gic: GicState, core: number, intid: number, group1: boolean): number {
  const separate = group1 && (gic.cpuCtlr[core] & CTLR_CBPR) === 0;
  const point = separate ? gic.abpr[core] - 1 : gic.bpr[core];
  return gic.priorityOf(core, intid) & (0xff << (point + 1)) & 0xff;
}

/** Lowest bit set in both sets of active priorities: the priority that is running. */
function highestActive(gic: GicState, core: number): number {
  for (let word = 0; word < 4; word++) {
    const bits = gic.apr[core * 4 + word] | gic.nsapr[core * 4 + word];
    if (bits !== 0) return (word * 32 + 31 - Math.clz32(bits & -bits)) << 1;
  }
  return IDLE_PRIORITY;
}

/** After a write of the active priorities. */
export function recomputeRunningPriority(gic: GicState, core: number): void {
  gic.runningPriority[core] = highestActive(gic, core);
}

/** Takes the interrupt: active, no longer pending, its priority running. Returns what GICC_IAR reads. */
function take(gic: GicState, core: number, intid: number): number {
  if (gic.priorityOf(core, intid) >= gic.runningPriority[core]) return INTID_SPURIOUS;
  const group1 = gic.isGroup1(core, intid);
  const running = groupPriority(gic, core, intid, group1);
  const level = running >>> 1;
  const set = group1 ? gic.nsapr : gic.apr;
  set[core * 4 + (level >>> 5)] |= 1 << (level & 31);
  gic.runningPriority[core] = running;
  const index = gic.wordIndex(core, intid);
  const bit = 1 << (intid & 31);
  gic.active[index] |= bit;
  let source = 0;
  if (intid < SGI_COUNT) {
    // One source at a time, the lowest first; the SGI stays pending for the rest.
    const slot = core * SGI_COUNT + intid;
    const sources = gic.sgiSources[slot];
    source = sources === 0 ? 0 : 31 - Math.clz32(sources & -sources);
    gic.sgiSources[slot] = sources & (sources - 1);
    if (gic.sgiSources[slot] === 0) gic.latched[index] &= ~bit;
  } else {
    gic.latched[index] &= ~bit;
  }
  if (intid < BANKED_COUNT) gic.update(core);
  else gic.updateAll();
  return (source << 10) | intid;
}

/** GICC_IAR */
export function acknowledge(gic: GicState, core: number): number {
  const intid = visiblePending(gic, core);
  return intid >= INTID_GROUP1 ? intid : take(gic, core, intid);
}

/** GICC_AIAR: Group 1 only, whatever AckCtl says. */
export function acknowledgeGroup1(gic: GicState, core: number): number {
  const intid = highestPendingGroup1(gic, core) & 0x3ff;
  return intid === INTID_SPURIOUS ? intid : take(gic, core, intid);
}

/** INTID with the source core of an SGI above it. */
function withSource(gic: GicState, core: number, intid: number): number {
  if (intid >= SGI_COUNT) return intid;
  const sources = gic.sgiSources[core * SGI_COUNT + intid];
  return sources === 0 ? intid : ((31 - Math.clz32(sources & -sources)) << 10) | intid;
}

/** GICC_HPPIR */
export function highestPending(gic: GicState, core: number): number {
  return withSource(gic, core, visiblePending(gic, core));
}

/** GICC_AHPPIR */
export function highestPendingGroup1(gic: GicState, core: number): number {
  const intid = gic.best[core];
  if (intid === INTID_SPURIOUS || !gic.isGroup1(core, intid)) return INTID_SPURIOUS;
  if ((gic.distributorCtlr & gic.cpuCtlr[core] & ENABLE_GRP1) === 0) return INTID_SPURIOUS;
  return withSource(gic, core, intid);
}

/** GICC_EOIR and GICC_AEOIR. False when the value cannot belong to an acknowledged interrupt: the write has no effect then. */
export function endOfInterrupt(gic: GicState, core: number, value: number, group1Only: boolean): boolean {
  const intid = value & 0x3ff;
  if (intid >= gic.intidCount) return intid >= INTID_GROUP1;
  if (gic.runningPriority[core] === IDLE_PRIORITY) return false;
  const group1 = gic.isGroup1(core, intid);
  if (group1Only && !group1) return false;
  const set = group1 ? gic.nsapr : gic.apr;
  for (let word = core * 4; word < core * 4 + 4; word++) {
    if (set[word] === 0) continue;
    set[word] &= set[word] - 1;
    break;
  }
  recomputeRunningPriority(gic, core);
  if ((gic.cpuCtlr[core] & CTLR_EOI_MODE) === 0) gic.active[gic.wordIndex(core, intid)] &= ~(1 << (intid & 31));
  if (intid < BANKED_COUNT) gic.update(core);
  else gic.updateAll();
  return true;
}

/** GICC_DIR. False when EOImode is 0 (UNPREDICTABLE, no effect here) or the INTID does not exist. */
export function deactivate(gic: GicState, core: number, value: number): boolean {
  const intid = value & 0x3ff;
  if ((gic.cpuCtlr[core] & CTLR_EOI_MODE) === 0 || intid >= gic.intidCount) return false;
  gic.active[gic.wordIndex(core, intid)] &= ~(1 << (intid & 31));
  if (intid < BANKED_COUNT) gic.update(core);
  else gic.updateAll();
  return true;
}

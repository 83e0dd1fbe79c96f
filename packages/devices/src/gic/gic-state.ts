import type { InterruptLine } from '@tablewalk/machine/contracts';
import { DeviceError } from '../device-error.js';

/** INTIDs 0-15 are SGIs, 16-31 PPIs: both are banked per core (IHI 0048B.b, 2.2.1). */
export const SGI_COUNT = 16;
export const BANKED_COUNT = 32;
/** First INTID that means something other than an interrupt. */
export const SPECIAL_INTID = 1020;
/** Read from GICC_IAR and GICC_HPPIR: the pending interrupt is Group 1 and needs AckCtl or the aliased registers. */
export const INTID_GROUP1 = 1022;
export const INTID_SPURIOUS = 1023;
/** Idle priority: lower than every interrupt's, so that priority 0xFF can still be signalled below it. */
export const IDLE_PRIORITY = 0x100;

/** GICD_CTLR and GICC_CTLR group enables. */
export const ENABLE_GRP0 = 1;
export const ENABLE_GRP1 = 2;
/** GICC_CTLR in an implementation without Security Extensions (IHI 0048B.b, 4.4.1). */
export const CTLR_ACK_CTL = 4;
export const CTLR_FIQ_EN = 8;
export const CTLR_CBPR = 16;
export const CTLR_EOI_MODE = 1 << 9;

export interface CoreOutputs {
  readonly irq: InterruptLine;
  readonly fiq: InterruptLine;
}

/**
 * All state of the controller and the one rule that joins its halves: which interrupt each core is to be shown. Per-interrupt bits live in bitmaps
 * of 32. Word w of core c: word 0 (SGIs and PPIs) has one copy per core, at index c; the words of the SPIs follow, shared by all.
 *
 *     index   0 .. cores-1            cores      cores+1   ...
 *     INTIDs  0-31 of core 0, 1, ...  32-63      64-95
 */
export class GicState {
  readonly name: string;
  readonly coreCount: number;
  readonly intidCount: number;
  /** Words of 32 INTIDs that one core sees. */
  readonly wordCount: number;
  readonly outputs: readonly CoreOutputs[];

  distributorCtlr = 0;
  readonly enabled: Uint32Array;
  /** Pending state that is stored: edges, SGIs, writes of GICD_ISPENDR. A level-sensitive interrupt is pending by its line as well. */
  readonly latched: Uint32Array;
  readonly level: Uint32Array;
  readonly active: Uint32Array;
  /** 1: edge-triggered. */
  readonly edge: Uint32Array;
  readonly group1: Uint32Array;
  /** Per bitmap word and bit, as above. */
  readonly priority: Uint8Array;
  /** GICD_ITARGETSR of the SPIs, one byte of cores each. */
  readonly targets: Uint8Array;
  /** The same the other way round: for core c the SPIs that target it, at c * (wordCount - 1). */
  readonly targetedBy: Uint32Array;
  /** For each core and SGI the cores that sent it and are not yet acknowledged, at core * 16 + SGI. */
  readonly sgiSources: Uint8Array;

  readonly cpuCtlr: Uint16Array;
  readonly priorityMask: Uint8Array;
  readonly bpr: Uint8Array;
  readonly abpr: Uint8Array;
  readonly runningPriority: Uint16Array;
  /** GICC_APR (group 0) and GICC_NSAPR (group 1): 4 words of 32 preemption levels a core. */
  readonly apr: Uint32Array;
  readonly nsapr: Uint32Array;
  /** Result of {@link select}: the interrupt that beats the priority mask, or 1023. Derived state. */
  readonly best: Uint16Array;
  private readonly bestPriority: Uint16Array;

  constructor(name: string, intidCount: number, outputs: readonly CoreOutputs[]) {
    const cores = outputs.length;
    if (cores < 1 || cores > 8) throw new DeviceError(name, `a GICv2 has 1 to 8 cores, not ${cores}`);
    if (!Number.isInteger(intidCount / 32) || intidCount < 32 || intidCount > 1020) {
      throw new DeviceError(name, `the number of INTIDs must be a multiple of 32 from 32 to 992, not ${intidCount}`);
    }
    this.name = name;
    this.coreCount = cores;
    this.intidCount = intidCount;
    this.wordCount = intidCount / 32;
    this.outputs = outputs;
    const words = cores + this.wordCount - 1;
    this.enabled = new Uint32Array(words);
    this.latched = new Uint32Array(words);
    this.level = new Uint32Array(words);
    this.active = new Uint32Array(words);
    this.edge = new Uint32Array(words);
    this.group1 = new Uint32Array(words);
    this.priority = new Uint8Array(words * 32);
    this.targets = new Uint8Array(intidCount - BANKED_COUNT);
    this.targetedBy = new Uint32Array(cores * (this.wordCount - 1));
    this.sgiSources = new Uint8Array(cores * SGI_COUNT);
    this.cpuCtlr = new Uint16Array(cores);
    this.priorityMask = new Uint8Array(cores);
    this.bpr = new Uint8Array(cores);
    this.abpr = new Uint8Array(cores);
    this.runningPriority = new Uint16Array(cores);
    this.apr = new Uint32Array(cores * 4);
    this.nsapr = new Uint32Array(cores * 4);
    this.best = new Uint16Array(cores);
    this.bestPriority = new Uint16Array(cores);
    this.reset();
  }

  /** Index of the bitmap word that holds `intid` for `core`. */
  wordIndex(core: number, intid: number): number {
    return intid < BANKED_COUNT ? core : this.coreCount - 1 + (intid >>> 5);
  }

  priorityOf(core: number, intid: number): number {
    return this.priority[(this.wordIndex(core, intid) << 5) | (intid & 31)];
  }

  isGroup1(core: number, intid: number): boolean {
    return ((this.group1[this.wordIndex(core, intid)] >>> (intid & 31)) & 1) !== 0;
  }

  reset(): void {
    this.distributorCtlr = 0;
    // `level` is not the controller's to reset: it is what the wires say.
    for (const map of [this.enabled, this.latched, this.active, this.edge, this.group1, this.apr, this.nsapr]) map.fill(0);
    for (const map of [this.priority, this.sgiSources, this.cpuCtlr, this.priorityMask, this.bpr]) map.fill(0);
    // SGIs are always enabled and edge-triggered.
    for (let core = 0; core < this.coreCount; core++) this.enabled[core] = this.edge[core] = 0xffff;
    this.abpr.fill(1);
    this.runningPriority.fill(IDLE_PRIORITY);
    // With one core every SPI targets it and GICD_ITARGETSR is RAZ/WI (IHI 0048B.b, 4.3.12).
    this.targets.fill(this.coreCount === 1 ? 1 : 0);
    this.rebuildTargets();
    this.updateAll();
  }

  rebuildTargets(): void {
    this.targetedBy.fill(0);
    for (let spi = 0; spi < this.targets.length; spi++) this.linkTarget(spi);
  }

  setTarget(spi: number, cores: number): void {
    this.targets[spi] = cores;
    this.linkTarget(spi);
  }

  private linkTarget(spi: number): void {
    const bit = 1 << (spi & 31);
    for (let core = 0; core < this.coreCount; core++) {
      const index = core * (this.wordCount - 1) + (spi >>> 5);
      if ((this.targets[spi] >>> core) & 1) this.targetedBy[index] |= bit;
      else this.targetedBy[index] &= ~bit;
    }
  }

  /** A wire changed. */
  setLevel(core: number, intid: number, level: boolean): void {
    const index = this.wordIndex(core, intid);
    const bit = 1 << (intid & 31);
    if (((this.level[index] & bit) !== 0) === level) return;
    if (level) {
      this.level[index] |= bit;
      if (this.edge[index] & bit) this.latched[index] |= bit;
    } else {
      this.level[index] &= ~bit;
    }
    if (intid < BANKED_COUNT) this.update(core);
    else this.updateAll();
  }

  updateAll(): void {
    for (let core = 0; core < this.coreCount; core++) this.update(core);
  }

  /** Chooses again for one core and drives its lines. Runs at every change, so it reads a few words and allocates nothing. */
  update(core: number): void {
    this.best[core] = INTID_SPURIOUS;
    const groups = this.distributorCtlr & this.cpuCtlr[core] & (ENABLE_GRP0 | ENABLE_GRP1);
    let irq = false;
    let fiq = false;
    if (groups !== 0) {
      this.select(core);
      const intid = this.best[core];
      if (intid !== INTID_SPURIOUS && this.bestPriority[core] < this.runningPriority[core]) {
        const group1 = this.isGroup1(core, intid);
        // The highest-priority interrupt hides the others even when its group is disabled (IHI 0048B.b, 3.3.2 and its pseudocode).
        if (groups & (group1 ? ENABLE_GRP1 : ENABLE_GRP0)) {
          if (!group1 && this.cpuCtlr[core] & CTLR_FIQ_EN) fiq = true;
          else irq = true;
        }
      }
    }
    const lines = this.outputs[core];
    lines.irq.set(irq);
    lines.fiq.set(fiq);
  }

  /** Highest-priority pending interrupt that is not active, lowest INTID first among equals (IHI 0048B.b, 3.3). */
  private select(core: number): void {
    const { enabled, latched, level, edge, active, targetedBy, priority, coreCount } = this;
    const lastWord = this.wordCount - 1;
    const firstTarget = core * lastWord - 1;
    let bestPriority = this.priorityMask[core];
    let bestIntid = INTID_SPURIOUS;
    for (let word = 0; word <= lastWord; word++) {
      const index = word === 0 ? core : coreCount - 1 + word;
      let candidates = enabled[index] & ~active[index] & (latched[index] | (level[index] & ~edge[index]));
      if (candidates === 0) continue;
      if (word !== 0) candidates &= targetedBy[firstTarget + word];
      while (candidates !== 0) {
        const bit = 31 - Math.clz32(candidates & -candidates);
        candidates &= candidates - 1;
        const value = priority[(index << 5) | bit];
        if (value < bestPriority) {
          bestPriority = value;
          bestIntid = (word << 5) | bit;
        }
      }
    }
    this.best[core] = bestIntid;
    this.bestPriority[core] = bestPriority;
  }
}

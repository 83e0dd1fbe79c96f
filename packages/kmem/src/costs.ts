import type { Observer } from '@tablewalk/machine';
import type { KernelMachine } from './machine.js';

/** What the CPU did, counted by an observer. Arithmetic between the call sites is not: see the package's documentation. */
export interface Costs {
  readonly instructions: number;
  /** Table walks of the MMU and descriptors that they read. At `functional` a walk is a miss of the host's own table of translations. */
  readonly walks: number;
  readonly descriptorsRead: number;
  readonly tlbMaintenance: number;
  readonly cacheMaintenance: number;
  readonly branchPredictorMaintenance: number;
  readonly barriers: number;
  /** Data aborts, prefetch aborts, supervisor calls and undefined instructions taken. */
  readonly exceptions: number;
}

const zero: Costs = {
  instructions: 0,
  walks: 0,
  descriptorsRead: 0,
  tlbMaintenance: 0,
  cacheMaintenance: 0,
  branchPredictorMaintenance: 0,
  barriers: 0,
  exceptions: 0,
};

export class CostCounter {
  readonly observer: Observer;
  private readonly machine: KernelMachine;
  private readonly counts: { -readonly [Name in keyof Costs]: number } = { ...zero };

  constructor(machine: KernelMachine) {
    this.machine = machine;
    const { counts } = this;
    this.observer = {
      name: 'kmem/costs',
      systemRegisterWrite: (name) => {
        if (/^[ID]?TLBI/.test(name)) counts.tlbMaintenance++;
        else if (/^(DC|IC)/.test(name)) counts.cacheMaintenance++;
        else if (name.startsWith('BPI')) counts.branchPredictorMaintenance++;
      },
      barrier: () => {
        counts.barriers++;
      },
      exception: () => {
        counts.exceptions++;
      },
    };
    machine.mmu.observeWalks({
      descriptor: (_va, _level, kind, address) => {
        if (address >= 0) counts.descriptorsRead++;
        // A walk may begin below the first level, from a walk cache; it ends with one descriptor that is no table.
        if (kind !== 'table') counts.walks++;
      },
    });
  }

  /** Since the kernel was attached to its machine. */
  now(): Costs {
    return { ...this.counts, instructions: this.machine.instructions };
  }
}

/** What happened between two pictures. */
export const costsBetween = (before: Costs, after: Costs): Costs =>
  Object.fromEntries(Object.entries(after).map(([name, value]) => [name, value - before[name as keyof Costs]])) as unknown as Costs;

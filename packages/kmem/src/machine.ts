import type { ArmCpu } from '@tablewalk/arm-core';
import type { Observer, Snapshot } from '@tablewalk/machine';
import type { Vmsav7 } from '@tablewalk/mmu';

/** What the kernel needs of a machine. `VirtMachine` of `@tablewalk/board-qemu-virt` is one; its option `hypervisorCall` leads to the kernel. */
export interface KernelMachine {
  readonly cpu: ArmCpu;
  readonly mmu: Vmsav7;
  /** Instructions retired. */
  readonly instructions: number;
  runFor(instructions: number): { readonly reason: string };
  /** Ends the run in progress after the current instruction. */
  stop(): void;
  observe(observers: readonly Observer[]): void;
  readMemory(address: number, byteLength: number): Uint8Array | undefined;
  snapshot(): Snapshot;
  restore(snapshot: Snapshot): void;
}

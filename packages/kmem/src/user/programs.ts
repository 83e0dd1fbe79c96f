import type { VirtAddr } from '@tablewalk/machine';
import type { AbortReport } from '../guest-abort.js';
import { routine } from '../image/sites.js';
import { FRAME_CPSR, FRAME_PC, FRAME_WORDS } from '../image/traps.js';
import type { KernelPort } from '../port.js';
import type { AddressSpace } from './address-space.js';

export const programSites = routine('programs', {
  store_task: 'store',
  load_task: 'load',
  load_frame: 'load',
  store_frame: 'store',
  switch_mm: 'branch',
});

/** System calls: the number is in r7, arguments from r0 on, the answer in r0. */
export const SYS_EXIT = 0;
/** r0: a character. */
export const SYS_PUTC = 1;
export const SYS_YIELD = 2;
/** Answers 0 in the child and the child's number in the parent; -1 when there is no memory. */
export const SYS_FORK = 3;
export const SYS_GETPID = 4;

/** How a program stopped running, for now or for good. */
export type ProgramStop =
  | { readonly reason: 'exit'; readonly status: number }
  | { readonly reason: 'yield' }
  /** The kernel could not mend a fault, or the program did what it may not. */
  | { readonly reason: 'killed'; readonly fault: AbortReport; readonly why: string };

/** A program: an address space and the registers that it left with. */
export interface Program {
  readonly id: number;
  readonly space: AddressSpace;
  /** The kernel's address of its task: the frame's words. */
  readonly task: VirtAddr;
  /** The last stop; undefined before the first run. */
  stop: ProgramStop | undefined;
}

/** A User-mode frame that starts at `entry`. */
export const writeTask = (port: KernelPort, task: VirtAddr, entry: VirtAddr, stack: VirtAddr): void => {
  for (let n = 0; n < FRAME_WORDS; n++)
    port.store(programSites.store_task, task + 4 * n, n === FRAME_PC ? entry : n === FRAME_CPSR ? 0x10 : n === 13 ? stack : 0);
};

/** The same registers for another program. */
export const copyTask = (port: KernelPort, from: VirtAddr, to: VirtAddr, r0: number): void => {
  for (let n = 0; n < FRAME_WORDS; n++)
    port.store(programSites.store_task, to + 4 * n, n === 0 ? r0 : port.load(programSites.load_frame, from + 4 * n));
};

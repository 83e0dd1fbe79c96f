import type { ArmCpu } from '@tablewalk/arm-core';
import { layout } from '@tablewalk/engine';

/** How a run of the machine ended. */
export type MachineEnd =
  /**
   * `limit` the instructions asked for are done; `stopped` somebody called `stop`; `asleep` the guest waits for an interrupt and the caller wanted to
   * know; `idle` it waits and no timer will ever wake it.
   */
  | { readonly reason: 'limit' | 'stopped' | 'asleep' | 'idle' }
  /** The guest powered the machine off (PSCI). */
  | { readonly reason: 'poweroff' }
  /** The guest asked for a reset (PSCI); the machine has been reset and can run on. */
  | { readonly reason: 'reset' }
  /** The guest left through semihosting with this status. */
  | { readonly reason: 'exit'; readonly status: number }
  /** The core takes the same exception for ever. */
  | { readonly reason: 'crashed'; readonly message: string };

/** One line about a core that is locked up. */
export const crashReport = ({ core }: ArmCpu): string => {
  const hex = (value: number): string => `0x${(value >>> 0).toString(16)}`;
  const pc = core.words[layout.PC]! >>> 0;
  const what = core.faults.ifar >>> 0 === pc ? 'cannot fetch from its own exception vector' : 'takes the same exception for ever';
  return `the guest ${what}: pc=0x${pc.toString(16).padStart(8, '0')} cpsr=${hex(core.readCpsr())} ifsr=${hex(core.faults.ifsr)} lr=${hex(core.words[14]!)}`;
};

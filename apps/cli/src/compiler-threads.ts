import { readdirSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';

/** How much nicer the host's other threads are. Four of them then weigh little more than the guest's; with 10 they would get nowhere beside other work. */
const NICER = 5;

/**
 * Puts the guest's thread before those that compile and collect for it: V8 starts four however few processors there are, and each would take as much of one as
 * the guest. Linux has priorities of threads; elsewhere, or where it is not allowed, nothing changes.
 */
export const favourGuest = (): void => {
  if (process.platform !== 'linux') return;
  try {
    const niceness = Math.min(getPriority() + NICER, 19);
    for (const id of readdirSync('/proc/self/task')) if (Number(id) !== process.pid) setPriority(Number(id), niceness);
  } catch {
    // As they are, then.
  }
};

import type { Local } from './function-writer.js';
import type { PlainAccess } from './plain-access.js';

/** What instructions need of the region around them. */
export interface RegionContext {
  readonly privileged: boolean;
  /** SCTLR.A. */
  readonly alignmentChecked: boolean;
  /** Pushes the VA of the region's page. */
  readonly pushPageVa: () => void;
  /** Leaves at the instruction being written, to the common exit of what is pending. */
  readonly leave: () => void;
  /** The same when the i32 on the stack is not 0. */
  readonly leaveIf: () => void;
  /** Calls the interpreter for the instruction being written, with everything in the state, and leaves when it does not go on. */
  readonly step: () => void;
  /** For the load or store that is the instruction being written: pushes what it finds, or stores, at the VA in a local where memory is not. */
  readonly access: (va: Local, plain: PlainAccess, isPrivileged: boolean) => void;
  /** An exit micro-operation (GOTO and above), perhaps with a condition around it. */
  readonly exit: (i: number, isConditional: boolean) => void;
}

import type { FunctionWriter } from './function-writer.js';

/** What the code written out for a CALL kernel needs of the emitter. Flags in the state words are up to date when it begins. */
export interface InlineCallContext {
  readonly w: FunctionWriter;
  /** Whether the code runs privileged. */
  readonly privileged: boolean;
  /** Pushes operand 0, 1 or 2. */
  readonly push: (operand: number) => void;
  /** Its value when it is known as the code is written. */
  readonly constantOf: (operand: number) => number | undefined;
  /** Leaves the rest to the interpreter, from the beginning of this instruction, when the i32 on the stack is not 0. */
  readonly leaveWhen: () => void;
  /**
   * Pushes the offset in memory of `bytes` bytes at the address that is operand `operand`, which must be a multiple of `bytes`; leaves when the fast
   * table has no such page for reading or writing.
   */
  readonly hostAddress: (operand: number, bytes: number, isStore: boolean) => void;
}

/** Writes a kernel's work and pushes its result. Nothing may be changed before its last `leaveWhen` or `hostAddress`. */
export type InlineCall = (context: InlineCallContext) => void;

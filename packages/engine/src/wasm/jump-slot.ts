import { JUMP_ENTRIES, JUMP_STRIDE, JUMP_TABLE } from '../layout.js';
import type { FunctionWriter, Local } from './function-writer.js';

/** Calls within calls, which are frames on the host's stack. */
export const DEEPEST_CALL = 400;

/** Offset in the memory of a word of the jump table's first entry. */
export const jumpWord = (w: FunctionWriter, n: number): number => w.stateOffset + JUMP_TABLE + 4 * n;

/** Pushes the offset of the jump table's entry for the VA in local `pc`. */
export const pushJumpSlot = (w: FunctionWriter, pc: Local): void => {
  w.get(pc);
  w.shiftLeft(2);
  w.and((JUMP_ENTRIES - 1) * JUMP_STRIDE * 4);
};

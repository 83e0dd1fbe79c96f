/**
 * What a region returns. An even number is the VA of the next instruction, in the state's decode mode. An odd one is the VA of a block's first instruction
 * plus 1, or just odd, and the state word EXIT_CODE says more. Zero and above: nothing of the instruction with this index in that block has happened
 * and it is the interpreter's turn, from this instruction to the end of its block (a miss in the fast table, a call, or the budget is too small). In
 * every case registers, flags and BUDGET in the state are exact.
 */

/** PC is set, and everything else that selects a translation must be looked up again. */
export const EXIT_RESYNC = -2;

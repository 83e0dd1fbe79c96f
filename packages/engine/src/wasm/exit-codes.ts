/**
 * What a region returns. An even number is the VA of the next instruction, in the state's decode mode. An odd one is the VA of a block's first instruction
 * plus 1, or just odd, and the state word EXIT_CODE says more. Zero and above: nothing of the instruction with the index in bits 6:0 in that block has
 * happened and it is the interpreter's turn, from this instruction to the end of its block (a miss in the fast table, a call, or the budget is too small);
 * bits 31:8 are the index of the region's slot. In every case registers, flags and BUDGET in the state are exact.
 */

/** The instruction was left at an access or a call for which the interpreter could have been called instead. */
export const EXIT_MISSED = 0x80;

/** PC is set, and everything else that selects a translation must be looked up again. */
export const EXIT_RESYNC = -2;

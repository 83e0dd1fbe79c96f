/**
 * What a region returns. Zero and above: nothing of the instruction with this index has happened and it is the interpreter's turn, from this
 * instruction to the end of its block (a miss in the fast table, a call, or the budget for another round was not there: then the index is that of a
 * block's first instruction). PC is not written then. In every case registers, flags and BUDGET in the state are exact.
 */

/** PC is set, in the same instruction set. */
export const EXIT_NEXT = -1;
/** PC is set, and everything else that selects a translation must be looked up again. */
export const EXIT_RESYNC = -2;
/** PC holds the target, bit 0 included, of an interworking branch into the other instruction set. */
export const EXIT_EXCHANGE = -3;

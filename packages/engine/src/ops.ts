/**
 * The micro-operations. A block is a flat list of them, {@link STRIDE} int32 each: [op, a, b, c, d, instruction]. Operands named `v` are indices of
 * earlier micro-operations that produce a value (all values are i32); everything else is immediate.
 *
 * Order is meaning: effects (register, state, memory, call) happen in list order; a value is computed from the state as it was at its own place in
 * the list, whatever the place of its use.
 */
export const STRIDE = 6;

/* Leaves */
export const CONST = 0; // a: immediate
export const GET_REG = 1; // a: 0-14
export const GET_STATE = 2; // a: word index (layout.ts); of N, Z and V only what layout.ts says of them holds
export const PAGE_PC = 3; // a: offset from the block's page; value PAGE_VA + a

/* Binary: a, b: v */
export const ADD = 8;
export const SUB = 9;
export const AND = 10;
export const OR = 11;
export const XOR = 12;
export const MUL = 13;
export const SHL = 14; // shift amounts of SHL, SHR, SAR, ROTR are taken modulo 32
export const SHR = 15;
export const SAR = 16;
export const ROTR = 17;
export const MUL_HIGH_S = 18; // bits 63:32 of the signed product
export const MUL_HIGH_U = 19;
export const DIV_S = 20; // x / 0 = 0; INT_MIN / -1 = INT_MIN (ARM DDI 0406C, A8.8.165)
export const DIV_U = 21;
export const EQ = 22; // comparisons give 0 or 1
export const NE = 23;
export const LT_S = 24;
export const LT_U = 25;
/* Shifts by a register: a: v, b: v whose bits 7:0 are the amount, 0 to 255 (A8.4.1) */
export const LSL_REG = 26;
export const LSR_REG = 27;
export const ASR_REG = 28;
export const ROR_REG = 29;

/* Their carry out: a: v, b: v amount, c: v carry in (0 or 1), returned when the amount is 0 */
export const LSL_CARRY = 30;
export const LSR_CARRY = 31;
export const ASR_CARRY = 32;
export const ROR_CARRY = 33;

/* Unary: a: v */
export const NOT = 36;
export const NEG = 37;
export const CLZ = 38;
export const REV = 39;
export const REV16 = 40;
export const REVSH = 41;
export const RBIT = 42;
export const SXT8 = 43;
export const SXT16 = 44;
export const UXT8 = 45;
export const UXT16 = 46;
export const EQZ = 47;

/* a: v condition, b: v, c: v. value = a != 0 ? b : c */
export const SELECT = 50;
/* a: condition code 0-13. value = 1 when it holds */
export const CONDITION = 51;
/* Pure host function: a: kernel index, b, c, d: v (or -1) */
export const PURE = 52;

/* Arithmetic that also sets N, Z, C and V; value = the result */
export const ADD_FLAGS = 56; // a, b: v
export const ADC_FLAGS = 57; // a, b: v, c: v carry in (0 or 1)
export const SUB_FLAGS = 58; // a, b: v; C = no borrow
/* Flags only */
export const SET_NZ = 60; // a: v
export const SET_NZC = 61; // a: v, b: v carry (0 or 1)

/* Effects */
export const SET_REG = 64; // a: 0-14, b: v
export const SET_STATE = 65; // a: word index, b: v
/* Memory: see MEM_ flags */
export const LOAD = 68; // a: v address, b: flags. value, extended to 32 bits
export const STORE = 69; // a: v address, b: flags, c: v
export const LOAD_MULTIPLE = 70; // a: v address, b: list index, c: count, d: flags. Words to state words
export const STORE_MULTIPLE = 71; // a: v address, b: list index, c: count, d: flags. Words from state words (>= 0) or values (~v)
/* Host functions with effects: a: kernel index, b, c, d: v (CALL) or immediates (VECTOR) */
export const CALL = 76; // value = the result
export const VECTOR = 77; // b, c, d: immediates, usually register numbers and an option word
/* Structure */
export const IF = 80; // a: v: the micro-operations up to END_IF happen only when it is not 0
export const END_IF = 81;
/* Exits: each ends the block, alone or as the end of an IF (then the block goes on at the next instruction otherwise) */
export const GOTO = 84; // a: offset from the page: PC = PAGE_VA + a, same instruction set
export const BRANCH_IF = 85; // a: v, b: offset taken, c: offset not taken
export const JUMP = 86; // a: v: PC = a, same instruction set (the caller has aligned it)
export const JUMP_EXCHANGE = 87; // a: v: interworking: bit 0 selects T32 (T bit set, PC = a & ~1), else A32 (PC = a & ~3 with bit 1 cleared)
export const RESYNC = 88; // the state (PC too) was set by a CALL: leave, and look everything up again

/* MEM_ flags */
export const MEM_SIZE = 7; // 1, 2 or 4 bytes
export const MEM_SIGNED = 8;
/** Fault unless naturally aligned, whatever SCTLR.A says (LDREX, LDA..., and word alignment for multiples). */
export const MEM_ALIGNED = 16;
/** Check permissions as PL0 (LDRT and friends). */
export const MEM_UNPRIVILEGED = 32;
/** Reverse the bytes of each element (CPSR.E = 1). */
export const MEM_SWAP = 64;
/** VLD1/VST1-like element accesses: no whole-word alignment needed when SCTLR.A = 0. */
export const MEM_ELEMENTS = 128;

export const isValue = (op: number): boolean => op <= SUB_FLAGS || op === LOAD || op === CALL;

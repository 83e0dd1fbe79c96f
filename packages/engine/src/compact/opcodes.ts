/*
 * Compact code: what a block's micro-operations become where they are executed a few times only. A flat list of words, each operation a head and its operands:
 *
 *   head: bits 7:0 the operation, 15:8 the instruction's number in the block, 23:16 length in words, 31:24 MEM_ flags (ops.ts) of an access
 *
 * Operands named `w` are indices of state words, which is where all values are: registers, flags, and temporaries of one instruction. Numbers are written
 * out, and dense in each of two groups, so that hosts switch by a table: what is common comes first.
 */

/* What is common. */
export const NOTHING = 0;
/** w to, value */
export const SET_CONST = 1;
/** w to, w from */
export const MOVE = 2;
/* Two-operand values with a constant for the second: w to, w, value */
export const ADD_CONST = 3;
/* Two-operand values: w to, w, w. Their order is the micro-operations'. */
export const ADD = 4;
export const SUB = 5;
export const AND = 6;
export const OR = 7;
export const XOR = 8;
export const AND_CONST = 9;
export const SHL_CONST = 10;
export const SHR_CONST = 11;
/** w to, w, value */
export const SUB_FLAGS_CONST = 12;
/** w to, w, w */
export const SUB_FLAGS = 13;
/** w */
export const SET_NZ = 14;
/** w, w carry */
export const SET_NZC = 15;
/* Accesses at a word's value plus a constant: w to or from, w base, offset, word index of the fast table. */
export const LOAD_WORD = 16;
export const LOAD_BYTE = 17;
export const LOAD_HALF = 18;
export const STORE_WORD = 19;
export const STORE_BYTE = 20;
/* Of several words: w base, offset, table, then the words. */
export const LOAD_MANY = 21;
export const STORE_MANY = 22;
/** w to, kernel, w, w, w; an operand that is missing is -1 */
export const CALL = 23;
/** condition code, words to skip when it does not hold, counted from the head */
export const IF_CONDITION = 24;
/** offset from the page */
export const GOTO = 25;
/** condition code, offset, offset otherwise */
export const BRANCH_CONDITION = 26;
/** w target */
export const JUMP = 27;
export const EXCHANGE_FROM_A32 = 28;
export const EXCHANGE_FROM_T32 = 29;

/*
 * What is rare. A micro-operation that has no number above has its own plus 64: two-operand values, carries (w to, w, w amount, w carry in), one-operand values
 * (w to, w), SELECT (w to, w, w, w), PURE (as CALL), ADD_FLAGS, ADC_FLAGS (w to, w, w, w carry).
 */
export const FIRST_RARE = 64;
export const MUL = 77;
export const SHL = 78;
export const SHR = 79;
export const SAR = 80;
export const ROTR = 81;
export const MUL_HIGH_S = 82;
export const MUL_HIGH_U = 83;
export const DIV_S = 84;
export const DIV_U = 85;
export const EQ = 86;
export const NE = 87;
export const LT_S = 88;
export const LT_U = 89;
export const LSL_REG = 90;
export const LSR_REG = 91;
export const ASR_REG = 92;
export const ROR_REG = 93;
export const LSL_CARRY = 94;
export const LSR_CARRY = 95;
export const ASR_CARRY = 96;
export const ROR_CARRY = 97;
export const NOT = 100;
export const NEG = 101;
export const CLZ = 102;
export const REV = 103;
export const REV16 = 104;
export const REVSH = 105;
export const RBIT = 106;
export const SXT8 = 107;
export const SXT16 = 108;
export const UXT8 = 109;
export const UXT16 = 110;
export const EQZ = 111;
export const SELECT = 114;
export const PURE = 116;
export const ADD_FLAGS = 120;
export const ADC_FLAGS = 121;
/** w to, w, value */
export const ADD_FLAGS_CONST = 122;
/** w to, condition code */
export const SET_CONDITION = 124;
export const OR_CONST = 125;
export const XOR_CONST = 126;
export const SAR_CONST = 127;
export const ROTR_CONST = 128;
export const LOAD_SIGNED_HALF = 129;
export const LOAD_SIGNED_BYTE = 130;
export const STORE_HALF = 131;
/* By the access port in any case. */
export const LOAD_ASKING = 132;
export const STORE_ASKING = 133;
/** Where lines are modelled: of the size in the flags. */
export const STORE_LINE = 134;
export const LOAD_MANY_ASKING = 135;
export const STORE_MANY_ASKING = 136;
export const STORE_MANY_LINES = 137;
/** kernel, three immediates */
export const VECTOR = 138;
/** w, words to skip when it is 0 */
export const IF_VALUE = 139;
/** w, offset, offset otherwise */
export const BRANCH_VALUE = 140;

const constantForms = [ADD_CONST, 0, AND_CONST, OR_CONST, XOR_CONST, 0, SHL_CONST, SHR_CONST, SAR_CONST, ROTR_CONST];
/** The form of micro-operation `kind` with a constant for the second operand, or 0. ADD is 8. */
export const withConstant = (kind: number): number => constantForms[kind - 8] ?? 0;
/** The number of a micro-operation that computes a value or sets flags: ADD to XOR are 8 to 12, SUB_FLAGS is 58. */
export const plain = (kind: number): number => (kind <= 12 ? kind - 4 : kind === 58 ? SUB_FLAGS : kind + FIRST_RARE);

export const headOf = (kind: number, instruction: number, length: number, flags = 0): number =>
  kind | (instruction << 8) | (length << 16) | (flags << 24);
export const instructionOf = (head: number): number => (head >>> 8) & 0xff;
export const lengthOf = (head: number): number => (head >>> 16) & 0xff;

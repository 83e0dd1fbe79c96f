/*
 * Compact code: what a block's micro-operations become where they are executed a few times only. A flat list of words, each operation a head and its operands:
 *
 *   head: bits 7:0 the operation, 15:8 the instruction's number in the block, 23:16 length in words, 31:24 MEM_ flags (ops.ts) of an access
 *
 * Operands named `w` are indices of state words, which is where all values are: registers, flags, and temporaries of one instruction. What is not listed here
 * has the micro-operation's own number: two-operand values (w to, w, w), carries (w to, w, w amount, w carry in), one-operand values (w to, w), SELECT (w to,
 * w, w, w) and what sets flags (w to, w, w; ADC_FLAGS w carry, too). Numbers are written out and dense, so that hosts switch by a table.
 */

export const NOTHING = 0;
/** w to, value */
export const SET_CONST = 1;
/** w to, w from */
export const MOVE = 2;
/** w to, condition code */
export const SET_CONDITION = 3;
/** w to, kernel, w, w, w; an operand that is missing is -1 */
export const PURE = 52;
/** w */
export const SET_NZ = 60;
/** w, w carry */
export const SET_NZC = 61;

/* The micro-operation's number plus 64: with a constant for the second operand (w to, w, value). */
export const ADD_CONST = 72;
export const AND_CONST = 74;
export const OR_CONST = 75;
export const XOR_CONST = 76;
export const SHL_CONST = 78;
export const SHR_CONST = 79;
export const SAR_CONST = 80;
export const ROTR_CONST = 81;
export const ADD_FLAGS_CONST = 120;
export const SUB_FLAGS_CONST = 122;

/* Accesses at a word's value plus a constant: w to or from, w base, offset, word index of the fast table. */
export const LOAD_WORD = 84;
export const LOAD_HALF = 85;
export const LOAD_BYTE = 86;
export const LOAD_SIGNED_HALF = 87;
export const LOAD_SIGNED_BYTE = 88;
export const STORE_WORD = 89;
export const STORE_HALF = 90;
export const STORE_BYTE = 91;
/* By the access port in any case. */
export const LOAD_ASKING = 92;
export const STORE_ASKING = 93;
/** Where lines are modelled: of the size in the flags. */
export const STORE_LINE = 94;
/* Of several words: w base, offset, table, then the words. */
export const LOAD_MANY = 95;
export const STORE_MANY = 96;
export const LOAD_MANY_ASKING = 97;
export const STORE_MANY_ASKING = 98;
export const STORE_MANY_LINES = 99;

/** w to, kernel, w, w, w; an operand that is missing is -1 */
export const CALL = 100;
/** kernel, three immediates */
export const VECTOR = 101;
/** condition code, words to skip when it does not hold, counted from the head */
export const IF_CONDITION = 102;
/** w, words to skip when it is 0 */
export const IF_VALUE = 103;
/** offset from the page */
export const GOTO = 104;
/** condition code, offset, offset otherwise */
export const BRANCH_CONDITION = 105;
/** w, offset, offset otherwise */
export const BRANCH_VALUE = 106;
/** w target */
export const JUMP = 107;
export const EXCHANGE_FROM_A32 = 108;
export const EXCHANGE_FROM_T32 = 109;

/** The form with a constant for the second operand, or 0. */
export const withConstant = (kind: number): number => ((CONSTANTS >>> (kind - 8)) & 1 ? kind + 64 : 0);
/** ADD, AND, OR, XOR, SHL, SHR, SAR and ROTR, counted from ADD. */
const CONSTANTS = 0b11_1101_1101;

export const headOf = (kind: number, instruction: number, length: number, flags = 0): number =>
  kind | (instruction << 8) | (length << 16) | (flags << 24);
export const instructionOf = (head: number): number => (head >>> 8) & 0xff;
export const lengthOf = (head: number): number => (head >>> 16) & 0xff;

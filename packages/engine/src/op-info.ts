import * as op from './ops.js';

/** Which of a (1), b (2), c (4), d (8) are values. */
const operandBits = new Uint8Array(96);
for (let code = op.ADD; code <= op.ROR_REG; code++) operandBits[code] = 3;
for (let code = op.LSL_CARRY; code <= op.ROR_CARRY; code++) operandBits[code] = 7;
for (let code = op.NOT; code <= op.EQZ; code++) operandBits[code] = 1;
operandBits[op.SELECT] = 7;
operandBits[op.PURE] = 14;
operandBits[op.ADD_FLAGS] = 3;
operandBits[op.ADC_FLAGS] = 7;
operandBits[op.SUB_FLAGS] = 3;
operandBits[op.SET_NZ] = 1;
operandBits[op.SET_NZC] = 3;
operandBits[op.SET_REG] = 2;
operandBits[op.SET_STATE] = 2;
operandBits[op.LOAD] = 1;
operandBits[op.STORE] = 5;
operandBits[op.LOAD_MULTIPLE] = 1;
operandBits[op.STORE_MULTIPLE] = 1;
operandBits[op.CALL] = 14;
operandBits[op.IF] = 1;
operandBits[op.BRANCH_IF] = 1;
operandBits[op.JUMP] = 1;
operandBits[op.JUMP_EXCHANGE] = 1;

/** Bit mask of the operands that are values. A missing operand of PURE and CALL is -1. */
export const valueOperands = (code: number): number => operandBits[code]!;

/** Values that may be computed anywhere between their place and their use, as long as the state they read is the same. */
export const isPure = (code: number): boolean => code <= op.PURE;

/** Values with an effect, which happens at their own place. */
export const isOrderedValue = (code: number): boolean =>
  code === op.LOAD || code === op.CALL || code === op.ADD_FLAGS || code === op.ADC_FLAGS || code === op.SUB_FLAGS;

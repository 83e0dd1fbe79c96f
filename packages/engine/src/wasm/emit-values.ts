import * as op from '../ops.js';
import type { FunctionWriter } from './function-writer.js';
import * as wasm from './opcodes.js';

/** Values of one or two operands that are one instruction of WebAssembly, shift counts modulo 32 included. */
const single: Readonly<Record<number, number>> = {
  [op.ADD]: wasm.I32_ADD,
  [op.SUB]: wasm.I32_SUB,
  [op.AND]: wasm.I32_AND,
  [op.OR]: wasm.I32_OR,
  [op.XOR]: wasm.I32_XOR,
  [op.MUL]: wasm.I32_MUL,
  [op.SHL]: wasm.I32_SHL,
  [op.SHR]: wasm.I32_SHR_U,
  [op.SAR]: wasm.I32_SHR_S,
  [op.ROTR]: wasm.I32_ROTR,
  [op.EQ]: wasm.I32_EQ,
  [op.NE]: wasm.I32_NE,
  [op.LT_S]: wasm.I32_LT_S,
  [op.LT_U]: wasm.I32_LT_U,
  // The amount is bits 7:0, and 32 more is a full turn: modulo 32 is right for every amount.
  [op.ROR_REG]: wasm.I32_ROTR,
  [op.CLZ]: wasm.I32_CLZ,
  [op.SXT8]: wasm.I32_EXTEND8_S,
  [op.SXT16]: wasm.I32_EXTEND16_S,
  [op.EQZ]: wasm.I32_EQZ,
};

/** Replaces two operands on the stack by the value of `kind`. */
export const emitBinary = (w: FunctionWriter, kind: number): void => {
  const opcode = single[kind];
  if (opcode !== undefined) {
    w.op(opcode);
    return;
  }
  if (kind === op.MUL_HIGH_S || kind === op.MUL_HIGH_U) {
    multiplyHigh(w, kind === op.MUL_HIGH_S ? wasm.I64_EXTEND_I32_S : wasm.I64_EXTEND_I32_U);
    return;
  }
  const y = w.borrow();
  const x = w.borrow();
  w.set(y);
  w.set(x);
  if (kind === op.DIV_S || kind === op.DIV_U) divide(w, kind === op.DIV_S, x, y);
  else shiftByRegister(w, kind, x, y);
  w.release(x);
  w.release(y);
};

const multiplyHigh = (w: FunctionWriter, extend: number): void => {
  const y = w.borrow();
  w.set(y);
  w.op(extend);
  w.get(y);
  w.op(extend);
  w.op(wasm.I64_MUL);
  w.i64(32);
  w.op(wasm.I64_SHR_U);
  w.op(wasm.I32_WRAP_I64);
  w.release(y);
};

/** Division by zero gives 0; the most negative number divided by -1 is itself, where WebAssembly traps. */
const divide = (w: FunctionWriter, isSigned: boolean, x: number, y: number): void => {
  w.get(y);
  w.if(wasm.TYPE_I32);
  if (isSigned) {
    w.get(y);
    w.i32(-1);
    w.op(wasm.I32_EQ);
    w.if(wasm.TYPE_I32);
    w.i32(0);
    w.get(x);
    w.op(wasm.I32_SUB);
    w.else();
  }
  w.get(x);
  w.get(y);
  w.op(isSigned ? wasm.I32_DIV_S : wasm.I32_DIV_U);
  if (isSigned) w.end();
  w.else();
  w.i32(0);
  w.end();
};

/** LSL_REG, LSR_REG, ASR_REG: amounts of 32 and more shift everything out. */
const shiftByRegister = (w: FunctionWriter, kind: number, x: number, y: number): void => {
  w.get(y);
  w.and(255);
  w.set(y);
  if (kind === op.ASR_REG) {
    w.get(x);
    w.get(y);
    w.i32(31);
    w.get(y);
    w.i32(32);
    w.op(wasm.I32_LT_U);
    w.op(wasm.SELECT);
    w.op(wasm.I32_SHR_S);
    return;
  }
  w.get(x);
  w.get(y);
  w.op(kind === op.LSL_REG ? wasm.I32_SHL : wasm.I32_SHR_U);
  w.i32(0);
  w.get(y);
  w.i32(32);
  w.op(wasm.I32_LT_U);
  w.op(wasm.SELECT);
};

/** Replaces value, amount and carry in by the carry out of a shift by register. */
export const emitCarry = (w: FunctionWriter, kind: number): void => {
  const c = w.borrow();
  const n = w.borrow();
  const x = w.borrow();
  w.set(c);
  w.and(255);
  w.set(n);
  w.set(x);
  w.get(x);
  if (kind === op.LSL_CARRY) {
    w.i32(32);
    w.get(n);
    w.op(wasm.I32_SUB);
  } else {
    w.get(n);
    w.i32(1);
    w.op(wasm.I32_SUB);
  }
  w.op(wasm.I32_SHR_U);
  w.and(1);
  if (kind !== op.ROR_CARRY) {
    if (kind === op.ASR_CARRY) {
      w.get(x);
      w.shiftRight(31);
    } else w.i32(0);
    w.get(n);
    w.i32(32);
    w.op(wasm.I32_LE_U);
    w.op(wasm.SELECT);
  }
  w.get(c);
  w.get(n);
  w.op(wasm.SELECT);
  w.release(x);
  w.release(n);
  w.release(c);
};

/** Replaces the operand on the stack by the value of `kind`. */
export const emitUnary = (w: FunctionWriter, kind: number): void => {
  const opcode = single[kind];
  if (opcode !== undefined) {
    w.op(opcode);
    return;
  }
  switch (kind) {
    case op.NOT:
      w.i32(-1);
      w.op(wasm.I32_XOR);
      return;
    case op.NEG:
      w.i32(-1);
      w.op(wasm.I32_XOR);
      w.i32(1);
      w.op(wasm.I32_ADD);
      return;
    case op.UXT8:
      w.and(0xff);
      return;
    case op.UXT16:
      w.and(0xffff);
      return;
    case op.REV:
      emitReverseBytes(w);
      return;
    case op.REV16:
      swapGroups(w, 8, 0x00ff00ff);
      return;
    case op.REVSH:
      swapGroups(w, 8, 0x00ff00ff);
      w.op(wasm.I32_EXTEND16_S);
      return;
    case op.RBIT:
      swapGroups(w, 1, 0x55555555);
      swapGroups(w, 2, 0x33333333);
      swapGroups(w, 4, 0x0f0f0f0f);
      emitReverseBytes(w);
      return;
    default:
      throw new Error(`[engine] [wasm] no one-operand micro-operation ${kind}`);
  }
};

/** Swaps neighbouring groups of `size` bits; `mask` has the lower group of each pair. */
const swapGroups = (w: FunctionWriter, size: number, mask: number): void => {
  const x = w.borrow();
  w.tee(x);
  w.shiftRight(size);
  w.and(mask);
  w.get(x);
  w.and(mask);
  w.shiftLeft(size);
  w.op(wasm.I32_OR);
  w.release(x);
};

/** Reverses the four bytes of the word on the stack. */
export const emitReverseBytes = (w: FunctionWriter): void => {
  const x = w.borrow();
  w.tee(x);
  w.i32(8);
  w.op(wasm.I32_ROTL);
  w.and(0x00ff00ff);
  w.get(x);
  w.i32(8);
  w.op(wasm.I32_ROTR);
  w.and(0xff00ff00 | 0);
  w.op(wasm.I32_OR);
  w.release(x);
};

/** Reverses the two bytes of the halfword on the stack, whose upper half may be anything and is 0 afterwards. */
export const emitReverseHalf = (w: FunctionWriter): void => {
  swapGroups(w, 8, 0x00ff00ff);
  w.and(0xffff);
};

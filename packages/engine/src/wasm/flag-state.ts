import { FLAG_C, FLAG_N, FLAG_V, FLAG_Z } from '../layout.js';
import type { FunctionWriter, Local } from './function-writer.js';
import * as wasm from './opcodes.js';

/*
 * Where N, Z, C and V are at one place of a function, as the emitter knows it: a mask. What no bit speaks of is in the state words.
 */
/** N and Z are those of the local `result`. */
export const NZ_LOCAL = 1;
export const C_LOCAL = 2;
export const V_LOCAL = 4;
/** C and V are those of x + y or x - y, unless C_LOCAL or V_LOCAL says otherwise. */
export const OF_ADD = 8;
export const OF_SUB = 16;
/** `result` is x + y or x - y: a condition may compare the operands. */
export const NZ_OF_OPERANDS = 32;
const FORMULAS = OF_ADD | OF_SUB;

/** After ADD_FLAGS or SUB_FLAGS, ADC_FLAGS, SET_NZ or SET_NZC. */
export const afterArithmetic = (subtract: boolean): number => NZ_LOCAL | NZ_OF_OPERANDS | (subtract ? OF_SUB : OF_ADD);
export const AFTER_CARRY = NZ_LOCAL | C_LOCAL | V_LOCAL;
export const afterLogical = (mask: number, withCarry: boolean): number => (mask & ~NZ_OF_OPERANDS) | NZ_LOCAL | (withCarry ? C_LOCAL : 0);

/** Where two paths meet: what both keep in the same way. The rest must be in the state words on either. */
export const joinFlags = (a: number, b: number): number => {
  let mask = a & b & (NZ_LOCAL | C_LOCAL | V_LOCAL);
  const formula = a & b & FORMULAS;
  if (formula !== 0 && ((a ^ b) & (C_LOCAL | V_LOCAL)) === 0) {
    mask |= formula;
    if (a & b & NZ_OF_OPERANDS) mask |= NZ_OF_OPERANDS;
  }
  return mask;
};

/**
 * N, Z, C and V in a function: a setter only keeps its operands, and what they come to is computed where somebody asks or where the function is left.
 */
export class FlagState {
  private readonly w: FunctionWriter;
  private readonly result: Local;
  private readonly carry: Local;
  private readonly overflow: Local;
  private readonly x: Local;
  private readonly y: Local;
  /** Where the flags are at the place being written. */
  mask = 0;

  /** For a function that just began. */
  constructor(w: FunctionWriter) {
    this.w = w;
    this.result = w.local(wasm.TYPE_I32);
    this.carry = w.local(wasm.TYPE_I32);
    this.overflow = w.local(wasm.TYPE_I32);
    this.x = w.local(wasm.TYPE_I32);
    this.y = w.local(wasm.TYPE_I32);
  }

  /** ADD_FLAGS or SUB_FLAGS; the operands and the result are in locals. */
  setArithmetic(subtract: boolean, x: Local, y: Local, result: Local): void {
    const { w } = this;
    w.get(x);
    w.set(this.x);
    w.get(y);
    w.set(this.y);
    w.get(result);
    w.set(this.result);
    this.mask = afterArithmetic(subtract);
  }

  /** ADC_FLAGS: `result` := the sum of two locals and the carry that `pushCarry` pushes. Uses local `sum`. */
  addWithCarry(x: Local, y: Local, pushCarry: () => void, sum: Local, result: Local): void {
    const { w } = this;
    w.get(x);
    w.get(y);
    w.op(wasm.I32_ADD);
    w.set(sum);
    w.get(sum);
    pushCarry();
    w.op(wasm.I32_ADD);
    w.set(result);
    // At most one of the two additions carries.
    w.get(sum);
    w.get(x);
    w.op(wasm.I32_LT_U);
    w.get(result);
    w.get(sum);
    w.op(wasm.I32_LT_U);
    w.op(wasm.I32_OR);
    for (const operand of [x, y]) {
      w.get(operand);
      w.get(result);
      w.op(wasm.I32_XOR);
    }
    w.op(wasm.I32_AND);
    w.set(this.overflow);
    w.set(this.carry);
    w.get(result);
    w.set(this.result);
    this.mask = AFTER_CARRY;
  }

  /** SET_NZ, or SET_NZC: the result from the stack, above it the carry. */
  setLogical(withCarry: boolean): void {
    if (withCarry) this.w.set(this.carry);
    this.w.set(this.result);
    this.mask = afterLogical(this.mask, withCarry);
  }

  /** Pushes a flag's word as the state has it (layout.ts). */
  word(word: number): void {
    if (word === FLAG_C) this.carryOut();
    else if (word === FLAG_V) this.overflowWord();
    else this.resultWord(word);
  }

  private resultWord(word: number): void {
    if (this.mask & NZ_LOCAL) this.w.get(this.result);
    else this.w.loadWord(word);
  }

  private carryOut(): void {
    if (this.mask & C_LOCAL) this.w.get(this.carry);
    else if (this.mask & FORMULAS) this.carryOfOperands();
    else this.w.loadWord(FLAG_C);
  }

  private carryOfOperands(): void {
    const { w } = this;
    w.get(this.x);
    w.get(this.y);
    if (this.mask & OF_SUB) {
      w.op(wasm.I32_GE_U);
      return;
    }
    w.op(wasm.I32_ADD);
    w.get(this.x);
    w.op(wasm.I32_LT_U);
  }

  private overflowWord(): void {
    if (this.mask & V_LOCAL) this.w.get(this.overflow);
    else if (this.mask & FORMULAS) this.overflowOfOperands();
    else this.w.loadWord(FLAG_V);
  }

  private overflowOfOperands(): void {
    const { w } = this;
    const subtract = (this.mask & OF_SUB) !== 0;
    w.get(this.x);
    if (subtract) w.get(this.y);
    else this.sumOfOperands();
    w.op(wasm.I32_XOR);
    w.get(subtract ? this.x : this.y);
    this.sumOfOperands();
    w.op(wasm.I32_XOR);
    w.op(wasm.I32_AND);
  }

  private sumOfOperands(): void {
    this.w.get(this.x);
    this.w.get(this.y);
    this.w.op(this.mask & OF_SUB ? wasm.I32_SUB : wasm.I32_ADD);
  }

  /** Pushes 1 when condition code 0-13 holds, else 0 (ARM DDI 0406C, A8.3). */
  condition(code: number): void {
    const { w } = this;
    if (this.compare(code)) return;
    switch (code >>> 1) {
      case 0:
        this.resultWord(FLAG_Z);
        w.op(wasm.I32_EQZ);
        break;
      case 1:
        this.carryOut();
        break;
      case 2:
        this.resultWord(FLAG_N);
        w.shiftRight(31);
        break;
      case 3:
        this.overflowWord();
        w.shiftRight(31);
        break;
      case 4:
        this.carryOut();
        this.resultWord(FLAG_Z);
        w.i32(0);
        w.op(wasm.I32_NE);
        w.op(wasm.I32_AND);
        break;
      case 5:
        this.signedGreaterOrEqual();
        break;
      default:
        this.signedGreaterOrEqual();
        this.resultWord(FLAG_Z);
        w.i32(0);
        w.op(wasm.I32_NE);
        w.op(wasm.I32_AND);
    }
    if (code & 1) w.op(wasm.I32_EQZ);
  }

  private signedGreaterOrEqual(): void {
    const { w } = this;
    this.overflowWord();
    this.resultWord(FLAG_N);
    w.op(wasm.I32_XOR);
    w.i32(0);
    w.op(wasm.I32_GE_S);
  }

  /** After a subtraction whose N, Z, C and V all still stand, a condition is one comparison of its operands. */
  private compare(code: number): boolean {
    const opcode = comparisons[code];
    if (this.mask !== afterArithmetic(true) || opcode === undefined) return false;
    this.w.get(this.x);
    this.w.get(this.y);
    this.w.op(opcode);
    return true;
  }

  /** Writes to the state words what `target` does not keep as it is now; `target` is a meeting of the present mask with others. */
  flushTo(target: number): void {
    const { w, mask } = this;
    if (mask & NZ_LOCAL && (target & NZ_LOCAL) === 0) {
      w.storeLocal(FLAG_N, this.result);
      w.storeLocal(FLAG_Z, this.result);
    }
    if (mask & (C_LOCAL | FORMULAS) && (target & (C_LOCAL | FORMULAS)) === 0) w.storeWord(FLAG_C, () => this.carryOut());
    if (mask & (V_LOCAL | FORMULAS) && (target & (V_LOCAL | FORMULAS)) === 0) w.storeWord(FLAG_V, () => this.overflowWord());
    this.mask = target;
  }

  /** Pushes 1 when both N and Z are set in the state words, which no result can say. */
  isNegativeZero(): void {
    const { w } = this;
    w.loadWord(FLAG_N);
    w.shiftRight(31);
    w.loadWord(FLAG_Z);
    w.op(wasm.I32_EQZ);
    w.op(wasm.I32_AND);
  }

  /** Brings the flags from the state words into the form of `target`: NZ_LOCAL with OF_ADD or OF_SUB. Not for a negative zero. */
  adopt(target: number): void {
    const { w } = this;
    const subtract = (target & OF_SUB) !== 0;
    w.i32(0);
    w.loadWord(FLAG_N);
    w.i32(1);
    w.op(wasm.I32_OR);
    w.loadWord(FLAG_Z);
    w.op(wasm.I32_EQZ);
    w.op(wasm.SELECT);
    w.set(this.result);
    const carry = (): void => w.loadWord(FLAG_C);
    const overflows = (): void => {
      w.loadWord(FLAG_V);
      w.i32(0);
      w.op(wasm.I32_LT_S);
    };
    // x: with overflow 0x80000000 or, without carry, 0x7fffffff; else 0, and for a sum that carries -1.
    w.i32(0x7fffffff);
    carry();
    w.op(wasm.I32_ADD);
    w.i32(0);
    if (!subtract) {
      carry();
      w.op(wasm.I32_SUB);
    }
    overflows();
    w.op(wasm.SELECT);
    w.set(this.x);
    // y: with overflow 0x80000000 or 1, the latter for a difference that carries and a sum that does not; else what makes C right.
    w.i32(subtract ? 1 : 0x80000000 | 0);
    w.i32(subtract ? 0x80000000 | 0 : 1);
    carry();
    w.op(wasm.SELECT);
    carry();
    if (subtract) w.op(wasm.I32_EQZ);
    overflows();
    w.op(wasm.SELECT);
    w.set(this.y);
    this.mask = target;
  }

  /** Brings the state words up to date. */
  flush(): void {
    this.flushTo(0);
  }
}

/** Condition code -> comparison of x with y after x - y. MI, PL, VS and VC are about the difference itself. */
const comparisons: readonly (number | undefined)[] = [
  wasm.I32_EQ,
  wasm.I32_NE,
  wasm.I32_GE_U,
  wasm.I32_LT_U,
  undefined,
  undefined,
  undefined,
  undefined,
  wasm.I32_GT_U,
  wasm.I32_LE_U,
  wasm.I32_GE_S,
  wasm.I32_LT_S,
  wasm.I32_GT_S,
  wasm.I32_LE_S,
];

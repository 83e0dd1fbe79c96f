import { FLAG_C, FLAG_N, FLAG_V, FLAG_Z } from '../layout.js';
import type { FunctionWriter, Local } from './function-writer.js';
import * as wasm from './opcodes.js';

/** Where the newest value of a flag is when it is not in the state; a local of the function holds a mask of these. */
const NZ_LOCAL = 1;
const C_LOCAL = 2;
const V_LOCAL = 4;
/** C and V are those of x + y or x - y, unless C_LOCAL or V_LOCAL says otherwise. */
const OF_ADD = 8;
const OF_SUB = 16;
/** N and Z too are those of x + y or x - y: a logical operation has not replaced them since. Never asked at run time. */
const NZ_OF_OPERANDS = 32;
const ANY = 63;

/** Result of the last flag setter as the emitter knows it at one place: bits that are set for certain, and bits that may be set. */
export interface FlagKnowledge {
  readonly must: number;
  readonly may: number;
}

/**
 * N, Z, C and V in a function: a setter only keeps its operands, and C and V are computed where somebody asks or where the function is left. What is
 * pending is known at run time too (`pending`), so that one piece of cold code serves every exit, and loops and conditionals may join differently.
 */
export class FlagState {
  private readonly w: FunctionWriter;
  private readonly base: Local;
  /** Mask of what is pending at run time. */
  readonly pending: Local;
  private readonly result: Local;
  private readonly carry: Local;
  private readonly overflow: Local;
  private readonly x: Local;
  private readonly y: Local;
  private must = 0;
  private may = 0;

  /** For a function that just began; `base` is the local with the core's base. */
  constructor(w: FunctionWriter, base: Local) {
    this.w = w;
    this.base = base;
    this.pending = w.local(wasm.TYPE_I32);
    this.result = w.local(wasm.TYPE_I32);
    this.carry = w.local(wasm.TYPE_I32);
    this.overflow = w.local(wasm.TYPE_I32);
    this.x = w.local(wasm.TYPE_I32);
    this.y = w.local(wasm.TYPE_I32);
  }

  get knowledge(): FlagKnowledge {
    return { must: this.must, may: this.may };
  }
  set knowledge(value: FlagKnowledge) {
    this.must = value.must;
    this.may = value.may;
  }
  /** Another path joins here. */
  join(other: FlagKnowledge): void {
    this.must &= other.must;
    this.may |= other.may;
  }
  /** Anything may be pending here: the head of a loop that sets flags. */
  forget(): void {
    this.must = 0;
    this.may = ANY;
  }

  private know(mask: number): void {
    this.must = mask;
    this.may = mask;
    this.w.i32(mask);
    this.w.set(this.pending);
  }

  /** ADD_FLAGS or SUB_FLAGS; the operands and the result are in locals that still hold them. */
  setArithmetic(subtract: boolean, x: Local, y: Local, result: Local): void {
    const { w } = this;
    w.get(x);
    w.set(this.x);
    w.get(y);
    w.set(this.y);
    w.get(result);
    w.set(this.result);
    this.know(NZ_LOCAL | NZ_OF_OPERANDS | (subtract ? OF_SUB : OF_ADD));
  }

  /** All flags at once: `result`, and C and V from the stack (V on top). */
  setAll(result: Local): void {
    const { w } = this;
    w.set(this.overflow);
    w.set(this.carry);
    w.get(result);
    w.set(this.result);
    this.know(NZ_LOCAL | C_LOCAL | V_LOCAL);
  }

  /** SET_NZ, or SET_NZC: the result from the stack, above it the carry. */
  setLogical(withCarry: boolean): void {
    const { w } = this;
    const bits = withCarry ? NZ_LOCAL | C_LOCAL : NZ_LOCAL;
    if (withCarry) w.set(this.carry);
    w.set(this.result);
    if (this.must === this.may) {
      this.know((this.must & ~NZ_OF_OPERANDS) | bits);
      return;
    }
    this.must = (this.must | bits) & ~NZ_OF_OPERANDS;
    this.may = (this.may | bits) & ~NZ_OF_OPERANDS;
    w.get(this.pending);
    w.i32(bits);
    w.op(wasm.I32_OR);
    w.set(this.pending);
  }

  private loadWord(word: number): void {
    this.w.get(this.base);
    this.w.access(wasm.I32_LOAD, 2, word * 4);
  }

  /** Pushes a flag's word as the state has it (layout.ts). */
  word(word: number): void {
    if (word === FLAG_C) this.carryOut();
    else if (word === FLAG_V) this.overflowWord();
    else this.resultWord(word);
  }

  private resultWord(word: number): void {
    if ((this.must & NZ_LOCAL) === 0 && (this.may & NZ_LOCAL) !== 0) this.flush();
    if (this.must & NZ_LOCAL) this.w.get(this.result);
    else this.loadWord(word);
  }

  /** Whether one formula, OF_ADD or OF_SUB, certainly applies; 0 when not. */
  private certain(local: number): number {
    if (this.may & local) return 0;
    if (this.must & OF_SUB && (this.may & OF_ADD) === 0) return OF_SUB;
    return this.must & OF_ADD && (this.may & OF_SUB) === 0 ? OF_ADD : 0;
  }

  private carryOut(): void {
    const { w } = this;
    if (this.must & C_LOCAL) {
      w.get(this.carry);
      return;
    }
    const formula = this.certain(C_LOCAL);
    if (formula !== 0) {
      this.carryOf(formula);
      return;
    }
    if (this.may & (C_LOCAL | OF_ADD | OF_SUB)) this.flush();
    this.loadWord(FLAG_C);
  }

  private carryOf(formula: number): void {
    const { w } = this;
    if (formula === OF_SUB) {
      w.get(this.x);
      w.get(this.y);
      w.op(wasm.I32_GE_U);
    } else {
      w.get(this.x);
      w.get(this.y);
      w.op(wasm.I32_ADD);
      w.get(this.x);
      w.op(wasm.I32_LT_U);
    }
  }

  private overflowWord(): void {
    const { w } = this;
    if (this.must & V_LOCAL) {
      w.get(this.overflow);
      return;
    }
    const formula = this.certain(V_LOCAL);
    if (formula !== 0) {
      this.overflowOf(formula);
      return;
    }
    if (this.may & (V_LOCAL | OF_ADD | OF_SUB)) this.flush();
    this.loadWord(FLAG_V);
  }

  private overflowOf(formula: number): void {
    const { w } = this;
    const subtract = formula === OF_SUB;
    w.get(this.x);
    if (subtract) w.get(this.y);
    else this.sum(formula);
    w.op(wasm.I32_XOR);
    w.get(subtract ? this.x : this.y);
    this.sum(formula);
    w.op(wasm.I32_XOR);
    w.op(wasm.I32_AND);
  }

  private sum(formula: number): void {
    this.w.get(this.x);
    this.w.get(this.y);
    this.w.op(formula === OF_SUB ? wasm.I32_SUB : wasm.I32_ADD);
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
        w.i32(31);
        w.op(wasm.I32_SHR_U);
        break;
      case 3:
        this.overflowWord();
        w.i32(31);
        w.op(wasm.I32_SHR_U);
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
    if (this.must !== (NZ_LOCAL | NZ_OF_OPERANDS | OF_SUB) || this.may !== this.must) return false;
    const opcode = comparisons[code];
    if (opcode === undefined) return false;
    this.w.get(this.x);
    this.w.get(this.y);
    this.w.op(opcode);
    return true;
  }

  private storeWord(word: number, value: () => void): void {
    this.w.get(this.base);
    value();
    this.w.access(wasm.I32_STORE, 2, word * 4);
  }

  /** Brings the flags in the state up to date; nothing is pending afterwards. */
  flush(): void {
    if (this.may !== 0) {
      if (this.must === this.may) this.flushKnown(this.must);
      else this.flushPending();
      this.know(0);
    }
  }

  /** As `flush`, for the end of the function: does not note that nothing is pending any more. True when nothing was in doubt. */
  flushAtExit(): boolean {
    if (this.must !== this.may) return false;
    this.flushKnown(this.must);
    return true;
  }

  private flushKnown(mask: number): void {
    const formula = mask & (OF_ADD | OF_SUB);
    if (mask & NZ_LOCAL) this.storeResult();
    if (mask & C_LOCAL) this.storeWord(FLAG_C, () => this.w.get(this.carry));
    else if (formula) this.storeWord(FLAG_C, () => this.carryOf(formula));
    if (mask & V_LOCAL) this.storeWord(FLAG_V, () => this.w.get(this.overflow));
    else if (formula) this.storeWord(FLAG_V, () => this.overflowOf(formula));
  }

  private storeResult(): void {
    this.storeWord(FLAG_N, () => this.w.get(this.result));
    this.storeWord(FLAG_Z, () => this.w.get(this.result));
  }

  /** Writes what the mask `pending` says at run time. Cold: every exit in doubt comes here. */
  flushPending(): void {
    this.when(NZ_LOCAL, () => this.storeResult());
    for (const formula of [OF_ADD, OF_SUB]) {
      this.when(formula, () => {
        this.storeWord(FLAG_C, () => this.carryOf(formula));
        this.storeWord(FLAG_V, () => this.overflowOf(formula));
      });
    }
    this.when(C_LOCAL, () => this.storeWord(FLAG_C, () => this.w.get(this.carry)));
    this.when(V_LOCAL, () => this.storeWord(FLAG_V, () => this.w.get(this.overflow)));
  }

  private when(bit: number, write: () => void): void {
    const { w } = this;
    w.get(this.pending);
    w.i32(bit);
    w.op(wasm.I32_AND);
    w.if();
    write();
    w.end();
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

import type { CallKernel, Kernel, PureKernel, VectorKernel } from './kernel.js';
import * as op from './ops.js';

/** Index of a micro-operation that produces a value. */
export type Value = number;

/**
 * Writes the micro-operations of one block. Semantic functions run against this at decode time only; nothing of it is left when the block runs.
 * The lists grow and are reused: one builder serves a core for its whole life.
 */
export class Builder {
  /** STRIDE words for each micro-operation; valid up to `count * STRIDE`. */
  code = new Int32Array(op.STRIDE * 4096);
  /** Number of micro-operations. */
  count = 0;
  /** State words (>= 0) or values (~v) of LOAD_MULTIPLE and STORE_MULTIPLE. */
  lists: number[] = [];
  /** Kernels named by PURE, CALL and VECTOR of this block. */
  kernels: Kernel[] = [];
  /** For each instruction: offset of its first byte from the page (0-4095). */
  offsets: number[] = [];
  /** For each instruction: ITSTATE in force, for the exceptions it may take. */
  itstates: number[] = [];
  /** True once an exit was written: the block ends after this instruction. */
  ended = false;
  /** Offset of the next instruction: where the block goes on when an exit inside IF is not taken. */
  nextOffset = 0;

  reset(): void {
    this.count = 0;
    // New ones: a host takes longer to make a list short.
    if (this.lists.length > 0) this.lists = [];
    if (this.kernels.length > 0) this.kernels = [];
    this.offsets = [];
    this.itstates = [];
    this.ended = false;
    this.nextOffset = 0;
  }

  /** Forgets every micro-operation from `count` on, and with them that the block has ended. */
  rewind(count: number): void {
    this.count = count;
    this.ended = false;
  }

  /** Begins the next instruction, which starts `offset` bytes into the page and is `size` bytes long. */
  instruction(offset: number, size: number, itstate: number): void {
    this.offsets.push(offset);
    this.itstates.push(itstate);
    this.nextOffset = offset + size;
  }

  private put(code: number, a = 0, b = 0, c = 0, d = 0): Value {
    const at = this.count * op.STRIDE;
    if (at + op.STRIDE > this.code.length) {
      const larger = new Int32Array(this.code.length * 2);
      larger.set(this.code);
      this.code = larger;
    }
    const words = this.code;
    words[at] = code;
    words[at + 1] = a;
    words[at + 2] = b;
    words[at + 3] = c;
    words[at + 4] = d;
    words[at + 5] = this.offsets.length - 1;
    return this.count++;
  }

  private kernelIndex(kernel: Kernel): number {
    const known = this.kernels.indexOf(kernel);
    return known >= 0 ? known : this.kernels.push(kernel) - 1;
  }

  /** The constant of a CONST, or undefined: lets semantics fold. */
  constantOf(v: Value): number | undefined {
    return this.code[v * op.STRIDE] === op.CONST ? this.code[v * op.STRIDE + 1] : undefined;
  }

  const(value: number): Value {
    return this.put(op.CONST, value | 0);
  }
  getReg(n: number): Value {
    return this.put(op.GET_REG, n);
  }
  getState(word: number): Value {
    return this.put(op.GET_STATE, word);
  }
  /** VA `offset` bytes from the start of the current page. */
  pagePc(offset: number): Value {
    return this.put(op.PAGE_PC, offset);
  }

  private binary(code: number, a: Value, b: Value): Value {
    return this.put(code, a, b);
  }
  add(a: Value, b: Value): Value {
    const y = this.constantOf(b);
    if (y !== undefined) {
      if (y === 0) return a;
      const x = this.constantOf(a);
      if (x !== undefined) return this.const(x + y);
      if (this.code[a * op.STRIDE] === op.PAGE_PC) return this.pagePc(this.code[a * op.STRIDE + 1]! + y);
    }
    return this.binary(op.ADD, a, b);
  }
  sub(a: Value, b: Value): Value {
    const y = this.constantOf(b);
    if (y !== undefined) return this.add(a, this.const(-y));
    return this.binary(op.SUB, a, b);
  }
  and(a: Value, b: Value): Value {
    return this.binary(op.AND, a, b);
  }
  or(a: Value, b: Value): Value {
    return this.binary(op.OR, a, b);
  }
  xor(a: Value, b: Value): Value {
    return this.binary(op.XOR, a, b);
  }
  mul(a: Value, b: Value): Value {
    return this.binary(op.MUL, a, b);
  }
  /** Shift by `amount` modulo 32. */
  shl(a: Value, amount: Value): Value {
    return this.binary(op.SHL, a, amount);
  }
  shr(a: Value, amount: Value): Value {
    return this.binary(op.SHR, a, amount);
  }
  sar(a: Value, amount: Value): Value {
    return this.binary(op.SAR, a, amount);
  }
  rotr(a: Value, amount: Value): Value {
    return this.binary(op.ROTR, a, amount);
  }
  mulHighS(a: Value, b: Value): Value {
    return this.binary(op.MUL_HIGH_S, a, b);
  }
  mulHighU(a: Value, b: Value): Value {
    return this.binary(op.MUL_HIGH_U, a, b);
  }
  divS(a: Value, b: Value): Value {
    return this.binary(op.DIV_S, a, b);
  }
  divU(a: Value, b: Value): Value {
    return this.binary(op.DIV_U, a, b);
  }
  eq(a: Value, b: Value): Value {
    return this.binary(op.EQ, a, b);
  }
  ne(a: Value, b: Value): Value {
    return this.binary(op.NE, a, b);
  }
  ltS(a: Value, b: Value): Value {
    return this.binary(op.LT_S, a, b);
  }
  ltU(a: Value, b: Value): Value {
    return this.binary(op.LT_U, a, b);
  }
  /** Shifts by a register: `amount` bits 7:0, 0 to 255 (ARM DDI 0406C, A8.4.1). */
  lslReg(a: Value, amount: Value): Value {
    return this.binary(op.LSL_REG, a, amount);
  }
  lsrReg(a: Value, amount: Value): Value {
    return this.binary(op.LSR_REG, a, amount);
  }
  asrReg(a: Value, amount: Value): Value {
    return this.binary(op.ASR_REG, a, amount);
  }
  rorReg(a: Value, amount: Value): Value {
    return this.binary(op.ROR_REG, a, amount);
  }
  lslCarry(a: Value, amount: Value, carry: Value): Value {
    return this.put(op.LSL_CARRY, a, amount, carry);
  }
  lsrCarry(a: Value, amount: Value, carry: Value): Value {
    return this.put(op.LSR_CARRY, a, amount, carry);
  }
  asrCarry(a: Value, amount: Value, carry: Value): Value {
    return this.put(op.ASR_CARRY, a, amount, carry);
  }
  rorCarry(a: Value, amount: Value, carry: Value): Value {
    return this.put(op.ROR_CARRY, a, amount, carry);
  }

  not(a: Value): Value {
    return this.put(op.NOT, a);
  }
  neg(a: Value): Value {
    return this.put(op.NEG, a);
  }
  clz(a: Value): Value {
    return this.put(op.CLZ, a);
  }
  rev(a: Value): Value {
    return this.put(op.REV, a);
  }
  rev16(a: Value): Value {
    return this.put(op.REV16, a);
  }
  revsh(a: Value): Value {
    return this.put(op.REVSH, a);
  }
  rbit(a: Value): Value {
    return this.put(op.RBIT, a);
  }
  sxt8(a: Value): Value {
    return this.put(op.SXT8, a);
  }
  sxt16(a: Value): Value {
    return this.put(op.SXT16, a);
  }
  uxt8(a: Value): Value {
    return this.put(op.UXT8, a);
  }
  uxt16(a: Value): Value {
    return this.put(op.UXT16, a);
  }
  eqz(a: Value): Value {
    return this.put(op.EQZ, a);
  }
  select(condition: Value, yes: Value, no: Value): Value {
    return this.put(op.SELECT, condition, yes, no);
  }
  /** 1 when condition code 0-13 holds. */
  condition(code: number): Value {
    return this.put(op.CONDITION, code);
  }
  pure(kernel: PureKernel, a: Value, b: Value = -1, c: Value = -1): Value {
    return this.put(op.PURE, this.kernelIndex(kernel), a, b, c);
  }

  addFlags(a: Value, b: Value): Value {
    return this.put(op.ADD_FLAGS, a, b);
  }
  adcFlags(a: Value, b: Value, carry: Value): Value {
    return this.put(op.ADC_FLAGS, a, b, carry);
  }
  subFlags(a: Value, b: Value): Value {
    return this.put(op.SUB_FLAGS, a, b);
  }
  setNZ(v: Value): void {
    this.put(op.SET_NZ, v);
  }
  /** `carry` is 0 or 1. */
  setNZC(v: Value, carry: Value): void {
    this.put(op.SET_NZC, v, carry);
  }

  setReg(n: number, v: Value): void {
    this.put(op.SET_REG, n, v);
  }
  setState(word: number, v: Value): void {
    this.put(op.SET_STATE, word, v);
  }
  /** `flags`: size in bytes | MEM_ flags. */
  load(address: Value, flags: number): Value {
    return this.put(op.LOAD, address, flags);
  }
  store(address: Value, flags: number, v: Value): void {
    this.put(op.STORE, address, flags, v);
  }
  /** Consecutive words from `address` into state words; nothing is written when any of them faults. */
  loadMultiple(address: Value, stateWords: readonly number[], flags: number): void {
    const list = this.lists.length;
    this.lists.push(...stateWords);
    this.put(op.LOAD_MULTIPLE, address, list, stateWords.length, flags);
  }
  /** Consecutive words to `address`, each a state word (>= 0) or a value given as `~v`. */
  storeMultiple(address: Value, words: readonly number[], flags: number): void {
    const list = this.lists.length;
    this.lists.push(...words);
    this.put(op.STORE_MULTIPLE, address, list, words.length, flags);
  }
  call(kernel: CallKernel<never>, a: Value = -1, b: Value = -1, c: Value = -1): Value {
    return this.put(op.CALL, this.kernelIndex(kernel), a, b, c);
  }
  /** Operands are immediates. */
  vector(kernel: VectorKernel, a: number, b = 0, c = 0): void {
    this.put(op.VECTOR, this.kernelIndex(kernel), a, b, c);
  }

  if(v: Value): void {
    this.put(op.IF, v);
  }
  endIf(): void {
    this.put(op.END_IF);
  }
  goto(offset: number): void {
    this.put(op.GOTO, offset);
    this.ended = true;
  }
  branchIf(v: Value, taken: number, notTaken: number): void {
    this.put(op.BRANCH_IF, v, taken, notTaken);
    this.ended = true;
  }
  jump(v: Value): void {
    this.put(op.JUMP, v);
    this.ended = true;
  }
  jumpExchange(v: Value): void {
    this.put(op.JUMP_EXCHANGE, v);
    this.ended = true;
  }
  resync(): void {
    this.put(op.RESYNC);
    this.ended = true;
  }
}

import type { FunctionWriter, Label, Local } from './function-writer.js';
import type { InlineVector, InlineVectorContext, Rounding } from './inline-kernels.js';
import { leaveUnlessHostRounds, recordInexact } from './inline-kernels.js';
import * as wasm from './opcodes.js';
import type { RegisterAccess, RegisterForm } from './simd-registers.js';
import { wordOf } from './simd-registers.js';

/** How one precision is written: registers, operations, exponents. */
export interface Precision extends RegisterForm {
  readonly neg: number;
  readonly add: number;
  readonly sub: number;
  readonly mul: number;
  readonly div: number;
  readonly sqrt: number;
  readonly trunc: number;
  readonly constant: (w: FunctionWriter, value: number) => void;
  readonly equal: number;
  readonly greater: number;
  readonly greaterOrEqual: number;
  readonly less: number;
  /** Pushes the exponent of the number on the stack as it stands in its bits. */
  readonly exponent: (w: FunctionWriter) => void;
  /** The exponent of what is infinite or not a number: all ones. */
  readonly notFinite: number;
}

const double: Precision = {
  type: wasm.TYPE_F64,
  words: 2,
  load: (w, offset) => w.access(wasm.F64_LOAD, 3, offset),
  store: (w, offset) => w.access(wasm.F64_STORE, 3, offset),
  settle: () => {},
  neg: wasm.F64_NEG,
  add: wasm.F64_ADD,
  sub: wasm.F64_SUB,
  mul: wasm.F64_MUL,
  div: wasm.F64_DIV,
  sqrt: wasm.F64_SQRT,
  trunc: wasm.F64_TRUNC,
  constant: (w, value) => w.f64(value),
  equal: wasm.F64_EQ,
  greater: wasm.F64_GT,
  greaterOrEqual: wasm.F64_GE,
  less: wasm.F64_LT,
  exponent: (w) => {
    w.op(wasm.I64_REINTERPRET_F64);
    w.i64(52);
    w.op(wasm.I64_SHR_U);
    w.op(wasm.I32_WRAP_I64);
    w.and(0x7ff);
  },
  notFinite: 0x7ff,
};
const single: Precision = {
  type: wasm.TYPE_F32,
  words: 1,
  load: (w, offset) => w.access(wasm.F32_LOAD, 2, offset),
  store: (w, offset) => w.access(wasm.F32_STORE, 2, offset),
  settle: () => {},
  neg: wasm.F32_NEG,
  add: wasm.F32_ADD,
  sub: wasm.F32_SUB,
  mul: wasm.F32_MUL,
  div: wasm.F32_DIV,
  sqrt: wasm.F32_SQRT,
  trunc: wasm.F32_TRUNC,
  constant: (w, value) => w.f32(value),
  equal: wasm.F32_EQ,
  greater: wasm.F32_GT,
  greaterOrEqual: wasm.F32_GE,
  less: wasm.F32_LT,
  exponent: (w) => {
    w.op(wasm.I32_REINTERPRET_F32);
    w.shiftRight(23);
    w.and(0xff);
  },
  notFinite: 0xff,
};

export const floatPrecisions = { double, single } as const;

/** One operation being written: everything that is not ordinary branches to `slow`. */
export class Work {
  readonly w: FunctionWriter;
  readonly p: Precision;
  readonly slow: Label;
  private readonly registers: RegisterAccess;
  /** InlineVectorContext.slow. */
  private readonly unrecorded: Local;
  private readonly locals: Local[] = [];

  constructor({ w, registers, slow: unrecorded }: InlineVectorContext, p: Precision, slow: Label) {
    this.w = w;
    this.p = p;
    this.slow = slow;
    this.registers = registers;
    this.unrecorded = unrecorded;
  }

  local(type = this.p.type): Local {
    const local = this.w.borrow(type);
    this.locals.push(local);
    return local;
  }
  release(): void {
    for (const local of this.locals) this.w.release(local);
  }

  /** Pushes register `n`, negated or not. */
  push(n: number, negate = false, p = this.p): void {
    this.registers.push(p, wordOf(p, n));
    if (negate) this.w.op(p.neg);
  }
  /** Register `n` in a local, which is not to be set. */
  read(n: number, negate = false): Local {
    const kept = negate ? undefined : this.registers.find(this.p, wordOf(this.p, n));
    if (kept !== undefined) return kept;
    const local = this.local();
    this.push(n, negate);
    this.w.set(local);
    return local;
  }
  /** A local for what `opcode` makes of two locals. */
  of(opcode: number, a: Local, b: Local, type = this.p.type): Local {
    const local = this.local(type);
    this.w.get(a);
    this.w.get(b);
    this.w.op(opcode);
    this.w.set(local);
    return local;
  }
  add(a: Local, b: Local): Local {
    return this.of(this.p.add, a, b);
  }
  sub(a: Local, b: Local): Local {
    return this.of(this.p.sub, a, b);
  }
  mul(a: Local, b: Local): Local {
    return this.of(this.p.mul, a, b);
  }
  write(n: number, value: Local, negate = false, p = this.p): void {
    this.registers.write(p, wordOf(p, n), () => {
      this.w.get(value);
      if (negate) this.w.op(p.neg);
    });
  }
  /** S register `n` := an integer. */
  writeInteger(n: number, push: () => void): void {
    const word = wordOf(single, n);
    this.w.storeWord(word, push);
    this.registers.wrote(word, 1);
  }

  /**
   * An ordinary number: finite, and above the smallest normal number, since below it, or just at it, a result may have been rounded as ARM would not. (Its
   * neighbours of the same exponent may be the kernel's, too.) `unless` pushes what is fine as well; `least` is the smallest exponent.
   */
  normal(value: Local, unless?: () => void, p = this.p, least = 2): void {
    const { w } = this;
    w.get(value);
    p.exponent(w);
    w.i32(least);
    w.op(wasm.I32_SUB);
    w.i32(p.notFinite - least);
    w.op(wasm.I32_GE_U);
    if (unless === undefined) {
      w.brIf(this.slow);
      return;
    }
    w.if();
    unless();
    w.op(wasm.I32_EQZ);
    w.brIf(this.slow);
    w.end();
  }
  /** Neither infinite nor a NaN. */
  finite(value: Local): void {
    this.w.get(value);
    this.p.exponent(this.w);
    this.w.i32(this.p.notFinite);
    this.w.op(wasm.I32_EQ);
    this.w.brIf(this.slow);
  }
  isZero(value: Local, p = this.p): void {
    this.w.get(value);
    p.constant(this.w, 0);
    this.w.op(p.equal);
  }
  recordInexact(look: (inexact: Label) => void, otherwise?: () => void): void {
    recordInexact(this.w, this.unrecorded, look, otherwise);
  }
  /** Branches where two locals differ, or one is not a number. */
  unlessEqual(label: Label, a: Local, b: Local, p = this.p): void {
    this.w.get(a);
    this.w.get(b);
    this.w.op(p.equal);
    this.w.op(wasm.I32_EQZ);
    this.w.brIf(label);
  }
  /** A local of double precision for one of single. */
  promoted(a: Local): Local {
    const local = this.local(wasm.TYPE_F64);
    this.w.get(a);
    this.w.op(wasm.F64_PROMOTE_F32);
    this.w.set(local);
    return local;
  }
  /** A product or quotient that is 0 because one of these is. */
  zeroOf(result: Local, ...operands: readonly Local[]): void {
    operands.forEach((operand, i) => {
      this.isZero(operand);
      if (i > 0) this.w.op(wasm.I32_OR);
    });
    this.isZero(result);
    this.w.op(wasm.I32_AND);
  }
}

type WriteWork = (work: Work, a: number, b: number, c: number) => void;

/** `write` in front of a call of the kernel, for which it branches away: what rounds does when the host's rounding is not the guest's. */
export const orKernel = (p: Precision, rounding: Rounding, write: WriteWork): InlineVector => ({
  rounds: rounding !== 'none',
  write: (context, a, b, c) => {
    const { w, slow, call } = context;
    const done = w.block();
    const work = new Work(context, p, w.block());
    leaveUnlessHostRounds(w, slow, rounding, work.slow);
    write(work, a, b, c);
    w.br(done);
    w.end();
    call();
    w.end();
    work.release();
  },
});

import { D0 } from '../layout.js';
import type { FunctionWriter, Label, Local } from './function-writer.js';
import type { InlineVector, InlineVectorContext, Rounding } from './inline-kernels.js';
import { leaveUnlessHostRounds, recordInexact } from './inline-kernels.js';
import * as wasm from './opcodes.js';

/** How one precision is written: loads, stores, operations, the smallest normal number, where register n is. */
export interface Precision {
  readonly type: number;
  readonly load: number;
  readonly store: number;
  readonly abs: number;
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
  readonly leastNormal: number;
  readonly alignLog2: number;
  readonly offset: (n: number) => number;
}

const double: Precision = {
  type: wasm.TYPE_F64,
  load: wasm.F64_LOAD,
  store: wasm.F64_STORE,
  abs: wasm.F64_ABS,
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
  leastNormal: 2 ** -1022,
  alignLog2: 3,
  offset: (n) => 4 * (D0 + 2 * n),
};
const single: Precision = {
  type: wasm.TYPE_F32,
  load: wasm.F32_LOAD,
  store: wasm.F32_STORE,
  abs: wasm.F32_ABS,
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
  leastNormal: 2 ** -126,
  alignLog2: 2,
  offset: (n) => 4 * (D0 + n),
};

export const floatPrecisions = { double, single } as const;

/** One operation being written: everything that is not ordinary branches to `slow`. */
export class Work {
  readonly w: FunctionWriter;
  readonly p: Precision;
  readonly slow: Label;
  /** InlineVectorContext.slow. */
  private readonly unrecorded: Local;
  private readonly locals: Local[] = [];

  constructor(w: FunctionWriter, p: Precision, slow: Label, unrecorded: Local) {
    this.w = w;
    this.p = p;
    this.slow = slow;
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
    this.w.state();
    this.w.access(p.load, p.alignLog2, this.w.stateOffset + p.offset(n));
    if (negate) this.w.op(p.neg);
  }
  /** Register `n` in a local. */
  read(n: number, negate = false): Local {
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
    const { w } = this;
    w.state();
    w.get(value);
    if (negate) w.op(p.neg);
    w.access(p.store, p.alignLog2, w.stateOffset + p.offset(n));
  }

  private compareAbs(value: Local, opcode: number, bound: number, p = this.p): void {
    this.w.get(value);
    this.w.op(p.abs);
    p.constant(this.w, bound);
    this.w.op(opcode);
  }
  private slowUnless(): void {
    this.w.op(wasm.I32_EQZ);
    this.w.brIf(this.slow);
  }
  /** Neither infinite nor a NaN. */
  finite(value: Local, p = this.p): void {
    this.compareAbs(value, p.less, Number.POSITIVE_INFINITY, p);
    this.slowUnless();
  }
  /** Above the smallest normal number: below it, or just at it, a result may have been rounded as ARM would not. `unless` pushes what is fine too. */
  normal(value: Local, unless?: () => void, p = this.p, bound = p.leastNormal): void {
    const { w } = this;
    this.compareAbs(value, p.greater, bound, p);
    if (unless === undefined) {
      this.slowUnless();
      return;
    }
    w.op(wasm.I32_EQZ);
    w.if();
    unless();
    this.slowUnless();
    w.end();
  }
  isZero(value: Local, p = this.p): void {
    this.w.get(value);
    p.constant(this.w, 0);
    this.w.op(p.equal);
  }
  recordInexact(push: () => void): void {
    recordInexact(this.w, this.unrecorded, push);
  }
  /** Pushes whether two locals differ. */
  differ(a: Local, b: Local, p = this.p): void {
    this.w.get(a);
    this.w.get(b);
    this.w.op(p.equal);
    this.w.op(wasm.I32_EQZ);
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
  write: ({ w, slow, call }: InlineVectorContext, a, b, c) => {
    const done = w.block();
    const work = new Work(w, p, w.block(), slow);
    leaveUnlessHostRounds(w, slow, rounding, work.slow);
    write(work, a, b, c);
    w.br(done);
    w.end();
    call();
    w.end();
    work.release();
  },
});

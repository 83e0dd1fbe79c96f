import { FPSCR_QC } from '../layout.js';
import type { FunctionWriter, Label, Local } from './function-writer.js';
import type { InlineVector, InlineVectorContext, Rounding } from './inline-kernels.js';
import { leaveUnlessHostRounds, recordInexact } from './inline-kernels.js';
import * as wasm from './opcodes.js';
import * as simd from './simd-opcodes.js';
import type { RegisterAccess } from './simd-registers.js';
import { half, quad, wordOf } from './simd-registers.js';

/** Writes work on registers d0 and up as vectors: `q` takes 128 bits from the D register that is named, else 64 with zeros above. */
export class Lanes {
  readonly w: FunctionWriter;
  readonly q: boolean;
  private readonly locals: Local[] = [];
  private readonly registers: RegisterAccess;
  /** InlineVectorContext.slow, of what rounds. */
  private readonly unrecorded: Local;

  constructor({ w, registers, slow: unrecorded }: InlineVectorContext, q: boolean) {
    this.w = w;
    this.q = q;
    this.registers = registers;
    this.unrecorded = unrecorded;
  }

  local(): Local {
    const local = this.w.borrow(wasm.TYPE_V128);
    this.locals.push(local);
    return local;
  }
  release(): void {
    for (const local of this.locals) this.w.release(local);
  }

  /** Pushes D register `n` and, when `q`, the next. */
  push(n: number, q = this.q): void {
    this.registers.push(q ? quad : half, wordOf(half, n));
  }
  /** The same in a local, which is not to be set. */
  read(n: number, q = this.q): Local {
    const kept = this.registers.find(q ? quad : half, wordOf(half, n));
    if (kept !== undefined) return kept;
    this.push(n, q);
    return this.keep();
  }
  /** What is on the stack in a local. */
  keep(): Local {
    const local = this.local();
    this.w.set(local);
    return local;
  }
  /** Replaces the operands on the stack. */
  op(opcode: number): void {
    this.w.simd(opcode);
  }
  get(...locals: readonly Local[]): void {
    for (const local of locals) this.w.get(local);
  }
  /** Pushes `opcode` of locals. */
  of(opcode: number, ...operands: readonly Local[]): void {
    this.get(...operands);
    this.op(opcode);
  }
  /** Shifts the lanes on the stack by a constant. */
  shift(opcode: number, amount: number): void {
    if (amount === 0) return;
    this.w.i32(amount);
    this.op(opcode);
  }
  /** Pushes the same in every lane of 8 << size bits. */
  splat(size: number, value: bigint): void {
    const bits = 8n << BigInt(size);
    let all = 0n;
    for (let at = 0n; at < 128n; at += bits) all |= BigInt.asUintN(Number(bits), value) << at;
    this.w.v128(all);
  }
  zero(): void {
    this.w.v128(0n);
  }
  write(n: number, value: Local, q = this.q): void {
    this.registers.write(q ? quad : half, wordOf(half, n), () => this.w.get(value));
  }
  /** `push` pushes a vector that is not 0 where a lane of the result is inexact. */
  recordInexact(push: () => void): void {
    recordInexact(this.w, this.unrecorded, (inexact) => {
      push();
      this.op(simd.ANY_TRUE);
      this.w.brIf(inexact);
    });
  }
  /** Sets FPSCR.QC when the locals differ. */
  saturated(a: Local, b: Local): void {
    this.of(simd.XOR, a, b);
    this.op(simd.ANY_TRUE);
    this.w.if();
    this.w.storeWord(FPSCR_QC, () => this.w.i32(1));
    this.w.end();
  }
}

/** Register a := what `value` pushes; `result` is how wide it is, when it is not as wide as the operands. */
export const inlineLanes = (q: boolean, value: (k: Lanes, d: number, n: number, m: number) => void, result = q): InlineVector => ({
  rounds: false,
  write: (context, d, n, m) => {
    const k = new Lanes(context, q);
    value(k, d, n, m);
    const r = k.keep();
    k.write(d, r, result);
    k.release();
  },
});

/** Work that writes its results itself. */
export const inlineWork = (q: boolean, work: (k: Lanes, a: number, b: number, c: number) => void): InlineVector => ({
  rounds: false,
  write: (context, a, b, c) => {
    const k = new Lanes(context, q);
    work(k, a, b, c);
    k.release();
  },
});

/**
 * The same with the kernel for what is not ordinary: `value` pushes the result, or branches to the label with nothing changed but that inexactness is on record,
 * which the kernel finds as well. With `records` it calls {@link Lanes.recordInexact} where it rounds.
 */
export const inlineLanesOrKernel = (
  q: boolean,
  rounding: Rounding,
  value: (k: Lanes, slow: Label, d: number, n: number, m: number) => void,
): InlineVector => ({
  rounds: rounding !== 'none',
  write: (context, d, n, m) => {
    const { w, slow, call } = context;
    const k = new Lanes(context, q);
    const done = w.block();
    const kernel = w.block();
    leaveUnlessHostRounds(w, slow, rounding, kernel);
    value(k, kernel, d, n, m);
    const r = k.keep();
    k.write(d, r);
    w.br(done);
    w.end();
    call();
    w.end();
    k.release();
  },
});

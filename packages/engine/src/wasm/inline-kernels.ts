import type { CallKernel, PureKernel, VectorKernel } from '../kernel.js';
import { D0, FPSCR_CONTROL, FPSCR_EXCEPTIONS } from '../layout.js';
import type { FunctionWriter, Local } from './function-writer.js';
import type { InlineCall } from './inline-call.js';
import * as wasm from './opcodes.js';

/** Writes a vector kernel's work for these immediates; `call` writes a call of the kernel itself. */
export type InlineVector = (w: FunctionWriter, a: number, b: number, c: number, call: () => void) => void;
/** Pushes a pure kernel's value of operands in locals (unused ones are 0). */
export type InlinePure = (w: FunctionWriter, a: Local, b: Local, c: Local) => void;

/** Kernels that the emitter writes out instead of calling. Each must do exactly what the kernel's function does. */
export interface InlineKernels {
  readonly vector: ReadonlyMap<VectorKernel, InlineVector>;
  readonly pure: ReadonlyMap<PureKernel, InlinePure>;
  /** What is not here is the interpreter's. */
  readonly call: ReadonlyMap<CallKernel<never>, InlineCall>;
}

export const noInlineKernels: InlineKernels = { vector: new Map(), pure: new Map(), call: new Map() };

/** RMode and FZ of FPSCR, and its cumulative IXC (ARM DDI 0406C, B4.1.58). */
const FPSCR_MODE = (3 << 22) | (1 << 24);
const FPSCR_IXC = 1 << 4;

const dn = (n: number): number => 4 * (D0 + 2 * n);

/** How one precision is written: loads, stores, comparisons, the smallest normal number, where register n is. */
interface Precision {
  readonly type: number;
  readonly load: number;
  readonly store: number;
  readonly abs: number;
  readonly constant: (w: FunctionWriter, value: number) => void;
  readonly greater: number;
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
  constant: (w, value) => w.f64(value),
  greater: wasm.F64_GT,
  less: wasm.F64_LT,
  leastNormal: 2 ** -1022,
  alignLog2: 3,
  offset: dn,
};
const single: Precision = {
  type: wasm.TYPE_F32,
  load: wasm.F32_LOAD,
  store: wasm.F32_STORE,
  abs: wasm.F32_ABS,
  constant: (w, value) => w.f32(value),
  greater: wasm.F32_GT,
  less: wasm.F32_LT,
  leastNormal: 2 ** -126,
  alignLog2: 2,
  offset: (n) => 4 * (D0 + n),
};

/**
 * rA = rB op rC. On the host when rounding is to nearest, inexactness is on record already and the result is an ordinary number; the kernel does the
 * rest.
 */
const inlineBinary =
  (precision: Precision, opcode: number): InlineVector =>
  (w, d, n, m, call) => {
    const { load, store, abs, alignLog2 } = precision;
    const at = (register: number): number => w.stateOffset + precision.offset(register);
    const r = w.borrow(precision.type);
    const done = w.block();
    const slow = w.block();
    w.loadWord(FPSCR_CONTROL);
    w.i32(FPSCR_MODE);
    w.op(wasm.I32_AND);
    w.loadWord(FPSCR_EXCEPTIONS);
    w.i32(-1);
    w.op(wasm.I32_XOR);
    w.i32(FPSCR_IXC);
    w.op(wasm.I32_AND);
    w.op(wasm.I32_OR);
    w.brIf(slow);
    for (const operand of [n, m]) {
      w.state();
      w.access(load, alignLog2, at(operand));
    }
    w.op(opcode);
    w.tee(r);
    // A tiny result may have been rounded as ARM would not; a NaN has ARM's own payload. A NaN fails both comparisons.
    w.op(abs);
    precision.constant(w, precision.leastNormal);
    w.op(precision.greater);
    w.get(r);
    w.op(abs);
    precision.constant(w, Number.POSITIVE_INFINITY);
    w.op(precision.less);
    w.op(wasm.I32_AND);
    w.op(wasm.I32_EQZ);
    w.brIf(slow);
    w.state();
    w.get(r);
    w.access(store, alignLog2, at(d));
    w.br(done);
    w.end();
    call();
    w.end();
    w.release(r);
  };

/** F64_ADD, F64_SUB, F64_MUL or F64_DIV of D registers. */
export const inlineBinaryF64 = (opcode: number): InlineVector => inlineBinary(double, opcode);
/** F32_ADD, F32_SUB, F32_MUL or F32_DIV of S registers. */
export const inlineBinaryF32 = (opcode: number): InlineVector => inlineBinary(single, opcode);

/** dA = dB op dC with a vector instruction without exceptions (I32X4_ADD, V128_XOR ...), 64 bits wide. */
export const inlineBinaryD =
  (opcode: number): InlineVector =>
  (w, d, n, m) => {
    w.state();
    for (const operand of [n, m]) {
      w.state();
      w.simdAccess(wasm.V128_LOAD64_ZERO, 3, w.stateOffset + dn(operand));
    }
    w.simd(opcode);
    w.simdAccess(wasm.V128_STORE64_LANE, 3, w.stateOffset + dn(d));
    w.lane(0);
  };

/** qA = qB op qC, 128 bits wide. The operands are numbers of the first of the two D registers. */
export const inlineBinaryQ =
  (opcode: number): InlineVector =>
  (w, d, n, m) => {
    w.state();
    for (const operand of [n, m]) {
      w.state();
      w.simdAccess(wasm.V128_LOAD, 3, w.stateOffset + dn(operand));
    }
    w.simd(opcode);
    w.simdAccess(wasm.V128_STORE, 3, w.stateOffset + dn(d));
  };

/** dA = dB. */
export const inlineMoveD: InlineVector = (w, d, m) => {
  w.state();
  w.state();
  w.access(wasm.I64_LOAD, 3, w.stateOffset + dn(m));
  w.access(wasm.I64_STORE, 3, w.stateOffset + dn(d));
};

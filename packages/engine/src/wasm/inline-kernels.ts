import type { CallKernel, PureKernel, VectorKernel } from '../kernel.js';
import { FPSCR_CONTROL, FPSCR_EXCEPTIONS } from '../layout.js';
import type { FunctionWriter, Label, Local } from './function-writer.js';
import type { InlineCall } from './inline-call.js';
import * as wasm from './opcodes.js';
import type { RegisterAccess } from './simd-registers.js';

/** What the code written out for a VECTOR kernel needs of the emitter. */
export interface InlineVectorContext {
  readonly w: FunctionWriter;
  /** A local that is not 0 when the host's rounding is not the guest's, or would leave inexactness unrecorded; see {@link loadSlow}. */
  readonly slow: Local;
  /** Writes a call of the kernel itself. */
  readonly call: () => void;
  readonly registers: RegisterAccess;
}

/** A vector kernel written out for its three immediates. It may be written more than once. */
export interface InlineVector {
  /** It looks at {@link InlineVectorContext.slow}. */
  readonly rounds: boolean;
  readonly write: (context: InlineVectorContext, a: number, b: number, c: number) => void;
}
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

/* RMode and FZ of FPSCR, and its cumulative IXC (ARM DDI 0406C, B4.1.58). */
export const FPSCR_MODE = (3 << 22) | (1 << 24);
const FPSCR_IXC = 1 << 4;

/**
 * Sets `slow`: 0 when rounding is to nearest, denormals are kept and inexactness is on record; {@link FPSCR_IXC} when only that it is not. Only a kernel or the interpreter changes that, and the first
 * two not at all, so it is looked at where the function is entered, after calls and after kernels.
 */
export const loadSlow = (w: FunctionWriter, slow: Local): void => {
  w.loadWord(FPSCR_CONTROL);
  w.and(FPSCR_MODE);
  w.loadWord(FPSCR_EXCEPTIONS);
  w.i32(-1);
  w.op(wasm.I32_XOR);
  w.and(FPSCR_IXC);
  w.op(wasm.I32_OR);
  w.set(slow);
};

/** Of what rounds, who sees to it that inexactness is on record: the code itself ({@link recordInexact}), or the kernel, as long as it is not. */
export type Rounding = 'none' | 'records' | 'recorded';

/** Branches to `kernel` when the host's arithmetic is not what is wanted. */
export const leaveUnlessHostRounds = (w: FunctionWriter, slow: Local, rounding: Rounding, kernel: Label): void => {
  if (rounding === 'none') return;
  w.get(slow);
  if (rounding === 'records') {
    w.and(FPSCR_MODE);
  }
  w.brIf(kernel);
};

/**
 * Where inexactness is not on record yet: is this result inexact? `look` branches to its label then; it may branch away. In the common case, that it is on
 * record, this costs a look at a local. `otherwise` is written for every result but those that `look` finds exact.
 */
export const recordInexact = (w: FunctionWriter, slow: Local, look: (inexact: Label) => void, otherwise?: () => void): void => {
  w.get(slow);
  w.if();
  const exact = w.block();
  const inexact = w.block();
  look(inexact);
  w.br(exact);
  w.end();
  otherwise?.();
  w.storeWord(FPSCR_EXCEPTIONS, () => {
    w.loadWord(FPSCR_EXCEPTIONS);
    w.i32(FPSCR_IXC);
    w.op(wasm.I32_OR);
  });
  w.i32(0);
  w.set(slow);
  w.end();
  if (otherwise !== undefined) {
    w.else();
    otherwise();
  }
  w.end();
};

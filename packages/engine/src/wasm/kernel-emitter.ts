import type { Builder } from '../builder.js';
import type { CallKernel, Kernel, PureKernel, VectorKernel } from '../kernel.js';
import * as op from '../ops.js';
import { FloatRegisters } from './float-registers.js';
import type { FunctionWriter, Local } from './function-writer.js';
import type { InlineCallContext } from './inline-call.js';
import type { InlineKernels } from './inline-kernels.js';
import { loadSlow } from './inline-kernels.js';
import * as wasm from './opcodes.js';

/** What kernels need of the emitter around them. */
export type KernelContext = Pick<InlineCallContext, 'leaveWhen'> & {
  readonly push: (v: number) => void;
  /** Pushes the host address of `bytes` bytes at the address `v`, aligned to their number; leaves when it is not there. */
  readonly hostAddress: (v: number, bytes: number, isStore: boolean) => void;
};

/** Kernels: written out, or called. */
export class KernelEmitter {
  private readonly w: FunctionWriter;
  private readonly inlines: InlineKernels;
  private readonly kernelFunction: (kernel: Kernel) => number;
  private readonly context: KernelContext;
  private block!: Builder;
  /** Some kernel written out wants to know about rounding: {@link loadSlow}. */
  private rounds = false;
  private slow: Local = 0;
  /** Whoever writes SIMD words of the state tells them. */
  readonly floats: FloatRegisters;

  /** `kernelFunction` gives the number of the imported function for a pure or vector kernel. */
  constructor(w: FunctionWriter, inlines: InlineKernels, kernelFunction: (kernel: Kernel) => number, context: KernelContext) {
    this.w = w;
    this.inlines = inlines;
    this.kernelFunction = kernelFunction;
    this.context = context;
    this.floats = new FloatRegisters(w);
  }

  begin(block: Builder): void {
    this.block = block;
    this.rounds = block.kernels.some((kernel) => this.inlines.vector.get(kernel as VectorKernel)?.rounds);
    if (this.rounds) this.slow = this.w.local(wasm.TYPE_I32);
    this.floats.begin();
    const { code, count, kernels } = block;
    for (let i = 0; i < count; i++) {
      const base = i * op.STRIDE;
      if (code[base] !== op.VECTOR) continue;
      const inline = this.inlines.vector.get(kernels[code[base + 1]!] as VectorKernel);
      for (const register of inline?.operands?.(code[base + 2]!, code[base + 3]!, code[base + 4]!) ?? []) this.floats.keep(register);
    }
  }

  /** The state, and how rounding is, may have changed. */
  load(): void {
    if (this.rounds) loadSlow(this.w, this.slow);
    this.floats.load();
  }

  /** CALL `i`, one of those that are written out: pushes its result. */
  call(i: number, privileged: boolean): void {
    const { context, block } = this;
    const base = i * op.STRIDE;
    const write = this.inlines.call.get(block.kernels[block.code[base + 1]!] as CallKernel<never>)!;
    const v = (operand: number): number => block.code[base + 2 + operand]!;
    write({
      w: this.w,
      privileged,
      push: (operand) => context.push(v(operand)),
      constantOf: (operand) => (v(operand) < 0 ? undefined : block.constantOf(v(operand))),
      leaveWhen: context.leaveWhen,
      hostAddress: (operand, bytes, isStore) => context.hostAddress(v(operand), bytes, isStore),
    });
  }

  /** PURE: pushes the value. */
  pure(kernel: PureKernel, operands: readonly number[]): void {
    const { w } = this;
    const inline = this.inlines.pure.get(kernel);
    for (const v of operands) {
      if (v < 0) w.i32(0);
      else this.context.push(v);
    }
    if (inline === undefined) {
      w.call(this.kernelFunction(kernel));
      return;
    }
    const locals = operands.map(() => w.borrow());
    for (let i = locals.length - 1; i >= 0; i--) w.set(locals[i]!);
    inline(w, locals[0]!, locals[1]!, locals[2]!);
    for (const local of locals) w.release(local);
  }

  /** VECTOR. */
  vector(kernel: VectorKernel, a: number, b: number, c: number): void {
    const { w } = this;
    const call = (): void => {
      w.i32(a);
      w.i32(b);
      w.i32(c);
      w.call(this.kernelFunction(kernel));
    };
    const callAndLook = (): void => {
      call();
      loadSlow(w, this.slow);
    };
    const inline = this.inlines.vector.get(kernel);
    if (inline === undefined) call();
    else inline.write({ w, slow: this.slow, call: inline.rounds ? callAndLook : call, floats: this.floats }, a, b, c);
    if (inline?.operands === undefined) this.floats.load();
  }
}

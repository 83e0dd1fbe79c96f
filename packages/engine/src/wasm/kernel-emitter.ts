import type { Builder } from '../builder.js';
import type { CallKernel, Kernel, PureKernel, VectorKernel } from '../kernel.js';
import * as op from '../ops.js';
import type { Local } from './function-writer.js';
import { FunctionWriter } from './function-writer.js';
import type { InlineCallContext } from './inline-call.js';
import type { InlineKernels } from './inline-kernels.js';
import { loadSlow } from './inline-kernels.js';
import * as wasm from './opcodes.js';
import type { SimdRegisters } from './simd-registers.js';
import { RegisterUses } from './simd-registers.js';

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
  private readonly registers: SimdRegisters;
  /** Where code is written to find out which registers it comes to. */
  private readonly draft: FunctionWriter;
  private readonly uses: RegisterUses;

  /** `kernelFunction` gives the number of the imported function for a pure or vector kernel. */
  constructor(
    w: FunctionWriter,
    inlines: InlineKernels,
    kernelFunction: (kernel: Kernel) => number,
    registers: SimdRegisters,
    context: KernelContext,
  ) {
    this.w = w;
    this.inlines = inlines;
    this.kernelFunction = kernelFunction;
    this.context = context;
    this.registers = registers;
    this.draft = new FunctionWriter(w.stateOffset);
    this.uses = new RegisterUses(registers);
  }

  begin(block: Builder): void {
    this.block = block;
    this.rounds = block.kernels.some((kernel) => this.inlines.vector.get(kernel as VectorKernel)?.rounds);
    if (this.rounds) this.slow = this.w.local(wasm.TYPE_I32);
    this.registers.begin();
    if (block.kernels.some((kernel) => this.inlines.vector.has(kernel as VectorKernel))) this.findRegisters();
  }

  private findRegisters(): void {
    const { draft: w, uses: registers } = this;
    const { code, count, kernels } = this.block;
    w.begin(0);
    const slow = w.local(wasm.TYPE_I32);
    for (let i = 0; i < count; i++) {
      const base = i * op.STRIDE;
      if (code[base] !== op.VECTOR) continue;
      const inline = this.inlines.vector.get(kernels[code[base + 1]!] as VectorKernel);
      inline?.write({ w, slow, call: () => {}, registers }, code[base + 2]!, code[base + 3]!, code[base + 4]!);
    }
  }

  /** The state, and how rounding is, may have changed. */
  load(): void {
    if (this.rounds) loadSlow(this.w, this.slow);
    this.registers.load();
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
    const inline = this.inlines.vector.get(kernel);
    if (inline === undefined) {
      call();
      this.registers.load();
      return;
    }
    const callInstead = (): void => {
      call();
      if (inline.rounds) loadSlow(w, this.slow);
      this.registers.wroteSame();
    };
    this.registers.beginWork();
    inline.write({ w, slow: this.slow, call: callInstead, registers: this.registers }, a, b, c);
  }
}

import type { Builder } from '../builder.js';
import { HOME, INLINE, Placement, TEMP, UNUSED } from '../closures/placement.js';
import type { Kernel, PureKernel, VectorKernel } from '../kernel.js';
import { BUDGET, FLAG_N, FLAG_V, PAGE_VA, PC } from '../layout.js';
import { isOrderedValue, isPure } from '../op-info.js';
import * as op from '../ops.js';
import { BlockPlan } from './block-plan.js';
import { emitBinary, emitCarry, emitUnary } from './emit-values.js';
import { EXIT_EXCHANGE, EXIT_NEXT, EXIT_RESYNC } from './exit-codes.js';
import { FlagState } from './flag-state.js';
import type { Label, Local } from './function-writer.js';
import { FunctionWriter } from './function-writer.js';
import type { InlineKernels } from './inline-kernels.js';
import { MemoryEmitter } from './memory-emitter.js';
import * as wasm from './opcodes.js';

/** Parameters of a region's function. */
const BASE: Local = 0;
const BUDGET_LEFT: Local = 1;

/** Of the state a translation depends on, what the emitter needs to know. */
export interface RegionMode {
  readonly privileged: boolean;
  readonly thumb: boolean;
}

/**
 * Turns the micro-operations of a block into the body of a function `(base, budget) -> exit code` (exit-codes.ts). Guest registers that the block
 * uses are locals, loaded at the beginning and stored in one place at the end, which every way out shares. A block that branches to itself is a loop,
 * and is left when the budget is smaller than one round. Reused from block to block.
 */
export class RegionEmitter {
  private readonly w = new FunctionWriter();
  private readonly plan = new BlockPlan();
  private readonly placement = new Placement();
  private readonly inlines: InlineKernels;
  private readonly kernelFunction: (kernel: Kernel) => number;
  private readonly memory: MemoryEmitter;
  private flags!: FlagState;
  private block!: Builder;
  private code!: Int32Array;
  private thumb = false;
  /** Local of each register in use, else -1. */
  private readonly registers = new Int32Array(PC);
  /** Local of each value that is kept in one, else -1. */
  private values = new Int32Array(1024);
  private readonly borrowed: Local[] = [];
  private saved: { readonly word: number; readonly local: Local }[] = [];
  private exitCode: Local = 0;
  private pageVa: Local = 0;
  private head: Label = -1;
  /** Where to branch: with a fault or miss, with flags that may be pending, with nothing left but the registers. */
  private leaveEarly: Label = 0;
  private leavePending: Label = 0;
  private leave: Label = 0;

  /** `kernelFunction` gives the number of the imported function for a pure or vector kernel. */
  constructor(inlines: InlineKernels, kernelFunction: (kernel: Kernel) => number) {
    this.inlines = inlines;
    this.kernelFunction = kernelFunction;
    this.memory = new MemoryEmitter(this.w, BASE, {
      push: (v) => this.push(v),
      pushWord: (word) => this.pushWord(word),
      setWord: (word, value) => this.setWord(word, value),
      leaveWhen: () => this.leaveWhen(),
    });
  }

  /** The function's code entry, without its length. */
  emit(block: Builder, mode: RegionMode): Uint8Array {
    const { w, plan } = this;
    this.block = block;
    this.code = block.code;
    this.thumb = mode.thumb;
    this.memory.privileged = mode.privileged;
    plan.analyse(block);
    this.placement.analyse(block);
    if (this.values.length < block.count) this.values = new Int32Array(block.count * 2);
    this.values.fill(-1, 0, block.count);
    w.begin(2);
    this.prologue();
    this.leave = w.block();
    this.leavePending = w.block();
    this.leaveEarly = w.block();
    this.head = plan.loops ? w.loop() : -1;
    if (plan.loops && plan.setsFlags) this.flags.forget();
    this.takeBudget();
    this.body();
    if (plan.loops) w.end();
    w.end();
    this.refund();
    w.end();
    this.flags.flushPending();
    w.end();
    this.epilogue();
    return w.finish();
  }

  private prologue(): void {
    const { w, plan } = this;
    this.exitCode = w.local(wasm.TYPE_I32);
    this.flags = new FlagState(w, BASE);
    for (let n = 0; n < PC; n++) {
      if (((plan.registers >> n) & 1) === 0) {
        this.registers[n] = -1;
        continue;
      }
      const local = w.local(wasm.TYPE_I32);
      this.registers[n] = local;
      this.loadWord(n);
      w.set(local);
    }
    if (plan.usesPageVa) {
      this.pageVa = w.local(wasm.TYPE_I32);
      this.loadWord(PAGE_VA);
      w.set(this.pageVa);
    }
  }

  /** One subtraction for the whole block. */
  private takeBudget(): void {
    const { w } = this;
    this.setCode(0);
    w.get(BUDGET_LEFT);
    w.i32(this.block.offsets.length);
    w.op(wasm.I32_SUB);
    w.tee(BUDGET_LEFT);
    w.i32(0);
    w.op(wasm.I32_LT_S);
    w.brIf(this.leaveEarly);
  }

  /** The instructions from the one that is left at were paid for and not executed. */
  private refund(): void {
    const { w } = this;
    w.get(BUDGET_LEFT);
    w.i32(this.block.offsets.length);
    w.op(wasm.I32_ADD);
    w.get(this.exitCode);
    w.op(wasm.I32_SUB);
    w.set(BUDGET_LEFT);
  }

  private epilogue(): void {
    const { w, plan } = this;
    for (let n = 0; n < PC; n++) {
      if (((plan.writtenRegisters >> n) & 1) === 0) continue;
      w.get(BASE);
      w.get(this.registers[n]!);
      w.access(wasm.I32_STORE, 2, n * 4);
    }
    w.get(BASE);
    w.get(BUDGET_LEFT);
    w.access(wasm.I32_STORE, 2, BUDGET * 4);
    w.get(this.exitCode);
  }

  private setCode(code: number): void {
    this.w.i32(code);
    this.w.set(this.exitCode);
  }

  /** A branch out, to this instruction, when the i32 on the stack is not 0. */
  private leaveWhen(): void {
    const { w } = this;
    if (this.saved.length === 0) {
      w.brIf(this.leaveEarly);
      return;
    }
    w.if();
    this.leaveNow();
    w.end();
  }

  private leaveNow(): void {
    for (const { word, local } of this.saved) this.restore(word, local);
    this.w.br(this.leaveEarly);
  }

  private restore(word: number, local: Local): void {
    const { w } = this;
    if (word < PC) {
      w.get(local);
      w.set(this.registers[word]!);
      return;
    }
    w.get(BASE);
    w.get(local);
    w.access(wasm.I32_STORE, 2, word * 4);
  }

  private body(): void {
    const { plan, block } = this;
    for (let k = 0; k < plan.translated; k++) {
      if (plan.mayLeave[k]) this.setCode(k);
      this.saved = plan.undo[k]!.map((word) => {
        const local = this.borrow();
        this.pushWord(word);
        this.w.set(local);
        return { word, local };
      });
      this.operations(plan.starts[k]!, plan.starts[k + 1]!);
      for (const local of this.borrowed) this.w.release(local);
      this.borrowed.length = 0;
    }
    if (plan.translated < block.offsets.length) {
      this.setCode(plan.translated);
      this.w.br(this.leaveEarly);
    } else this.exitTo(block.nextOffset, plan.translated - 1);
  }

  private borrow(): Local {
    const local = this.w.borrow();
    this.borrowed.push(local);
    return local;
  }

  /** Micro-operations of one instruction, or of an IF in it. */
  private operations(from: number, to: number): void {
    let i = from;
    while (i < to) {
      const base = i * op.STRIDE;
      const kind = this.code[base]!;
      if (kind === op.IF) {
        const end = this.endOf(i);
        this.push(this.code[base + 1]!);
        this.w.if();
        const before = this.flags.knowledge;
        this.operations(i + 1, end);
        this.w.end();
        if (this.leavesAlways(i + 1, end)) this.flags.knowledge = before;
        else this.flags.join(before);
        i = end + 1;
        continue;
      }
      this.operation(i, kind);
      // Nothing after an exit is reached.
      if (kind >= op.GOTO || kind === op.CALL) return;
      i++;
    }
  }

  private endOf(start: number): number {
    let depth = 0;
    for (let i = start; ; i++) {
      const kind = this.code[i * op.STRIDE];
      if (kind === op.IF) depth++;
      else if (kind === op.END_IF && --depth === 0) return i;
    }
  }

  private leavesAlways(from: number, to: number): boolean {
    let depth = 0;
    for (let i = from; i < to; i++) {
      const kind = this.code[i * op.STRIDE]!;
      if (kind === op.IF) depth++;
      else if (kind === op.END_IF) depth--;
      else if (depth === 0 && (kind >= op.GOTO || kind === op.CALL)) return true;
    }
    return false;
  }

  private operation(i: number, kind: number): void {
    const place = this.placement.place[i]!;
    if (isPure(kind)) {
      if (place === TEMP || place === HOME) this.keep(i);
      return;
    }
    if (isOrderedValue(kind)) {
      this.orderedValue(i, kind, place);
      return;
    }
    const base = i * op.STRIDE;
    const a = this.code[base + 1]!;
    const b = this.code[base + 2]!;
    const c = this.code[base + 3]!;
    const d = this.code[base + 4]!;
    switch (kind) {
      case op.SET_REG:
      case op.SET_STATE:
        this.setWord(a, () => this.push(b));
        return;
      case op.SET_NZ:
        this.push(a);
        this.flags.setLogical(false);
        return;
      case op.SET_NZC:
        this.push(a);
        this.push(b);
        this.flags.setLogical(true);
        return;
      case op.STORE:
        this.memory.store(a, b, c);
        return;
      case op.LOAD_MULTIPLE:
        this.memory.loadMultiple(a, this.block.lists.slice(b, b + c), d);
        return;
      case op.STORE_MULTIPLE:
        this.memory.storeMultiple(a, this.block.lists.slice(b, b + c), d);
        return;
      case op.VECTOR:
        this.vector(a, b, c, d);
        return;
    }
    const k = this.code[base + 5]!;
    switch (kind) {
      case op.GOTO:
        this.exitTo(a, k);
        return;
      case op.BRANCH_IF:
        this.branchIf(a, b, c, k);
        return;
      case op.JUMP:
        this.setPc(() => this.push(a));
        this.exit(EXIT_NEXT, k);
        return;
      case op.JUMP_EXCHANGE:
        this.jumpExchange(a, k);
        return;
      case op.RESYNC:
        this.exit(EXIT_RESYNC, k);
        return;
      default:
        throw new Error(`[engine] [wasm] unknown micro-operation ${kind}`);
    }
  }

  /** Computes value `i` into a local. */
  private keep(i: number): void {
    this.compute(i);
    const local = this.borrow();
    this.w.set(local);
    this.values[i] = local;
  }

  private orderedValue(i: number, kind: number, place: number): void {
    const { w } = this;
    if (kind === op.CALL) {
      this.leaveNow();
      return;
    }
    if (kind === op.LOAD) {
      if (place === INLINE) return; // happens in its user
      if (place === UNUSED) {
        this.compute(i);
        w.op(wasm.DROP);
      } else this.keep(i);
      return;
    }
    const base = i * op.STRIDE;
    const x = this.borrow();
    const y = this.borrow();
    const result = this.borrow();
    this.push(this.code[base + 1]!);
    w.set(x);
    this.push(this.code[base + 2]!);
    w.set(y);
    this.values[i] = result;
    if (kind === op.ADC_FLAGS) {
      this.addWithCarry(x, y, this.code[base + 3]!, result);
      return;
    }
    const isSubtraction = kind === op.SUB_FLAGS;
    w.get(x);
    w.get(y);
    w.op(isSubtraction ? wasm.I32_SUB : wasm.I32_ADD);
    w.set(result);
    this.flags.setArithmetic(isSubtraction, x, y, result);
  }

  private addWithCarry(x: Local, y: Local, carry: number, result: Local): void {
    const { w } = this;
    const sum = this.borrow();
    w.get(x);
    w.get(y);
    w.op(wasm.I32_ADD);
    w.set(sum);
    w.get(sum);
    this.push(carry);
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
    this.flags.setAll(result);
  }

  private loadWord(word: number): void {
    this.w.get(BASE);
    this.w.access(wasm.I32_LOAD, 2, word * 4);
  }

  private pushWord(word: number): void {
    if (word < PC) this.w.get(this.registers[word]!);
    else if (word >= FLAG_N && word <= FLAG_V) this.flags.word(word);
    else this.loadWord(word);
  }

  private setWord(word: number, value: () => void): void {
    const { w } = this;
    if (word < PC) {
      value();
      w.set(this.registers[word]!);
      return;
    }
    if (word >= FLAG_N && word <= FLAG_V) {
      // The value is what it is before the others are brought up to date.
      const local = this.borrow();
      value();
      w.set(local);
      this.flags.flush();
      w.get(BASE);
      w.get(local);
    } else {
      w.get(BASE);
      value();
    }
    w.access(wasm.I32_STORE, 2, word * 4);
  }

  /** Pushes value `v`. */
  private push(v: number): void {
    const local = this.values[v]!;
    if (local >= 0) this.w.get(local);
    else this.compute(v);
  }

  private compute(v: number): void {
    const { w } = this;
    const base = v * op.STRIDE;
    const kind = this.code[base]!;
    const a = this.code[base + 1]!;
    const b = this.code[base + 2]!;
    const c = this.code[base + 3]!;
    switch (kind) {
      case op.CONST:
        w.i32(a);
        return;
      case op.GET_REG:
      case op.GET_STATE:
        this.pushWord(a);
        return;
      case op.PAGE_PC:
        w.get(this.pageVa);
        w.i32(a);
        w.op(wasm.I32_ADD);
        return;
      case op.SELECT:
        this.push(b);
        this.push(c);
        this.push(a);
        w.op(wasm.SELECT);
        return;
      case op.CONDITION:
        this.flags.condition(a);
        return;
      case op.PURE:
        this.pure(this.block.kernels[a] as PureKernel, [b, c, this.code[base + 4]!]);
        return;
      case op.LOAD:
        this.memory.load(a, b);
        return;
    }
    this.push(a);
    if (kind >= op.NOT) {
      emitUnary(w, kind);
      return;
    }
    this.push(b);
    if (kind < op.LSL_CARRY) {
      emitBinary(w, kind);
      return;
    }
    this.push(c);
    emitCarry(w, kind);
  }

  private pure(kernel: PureKernel, operands: readonly number[]): void {
    const { w } = this;
    const inline = this.inlines.pure.get(kernel);
    for (const v of operands) {
      if (v < 0) w.i32(0);
      else this.push(v);
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

  private vector(kernelIndex: number, a: number, b: number, c: number): void {
    const { w } = this;
    const kernel = this.block.kernels[kernelIndex] as VectorKernel;
    const call = (): void => {
      w.i32(a);
      w.i32(b);
      w.i32(c);
      w.call(this.kernelFunction(kernel));
    };
    const inline = this.inlines.vector.get(kernel);
    if (inline === undefined) call();
    else inline(w, BASE, a, b, c, call);
  }

  private isStart(offset: number): boolean {
    return this.head >= 0 && offset === this.block.offsets[0];
  }

  private setPc(value: () => void): void {
    this.w.get(BASE);
    value();
    this.w.access(wasm.I32_STORE, 2, PC * 4);
  }

  /** Leaves after instruction `k` with PC set. */
  private exit(code: number, k: number): void {
    this.setCode(code);
    this.exitWithCode(k);
  }

  private exitWithCode(k: number): void {
    const { w } = this;
    const unused = this.block.offsets.length - 1 - k;
    if (unused > 0) {
      w.get(BUDGET_LEFT);
      w.i32(unused);
      w.op(wasm.I32_ADD);
      w.set(BUDGET_LEFT);
    }
    w.br(this.flags.flushAtExit() ? this.leave : this.leavePending);
  }

  private exitTo(offset: number, k: number): void {
    const { w } = this;
    if (this.isStart(offset)) {
      w.br(this.head);
      return;
    }
    this.setPc(() => {
      this.loadWord(PAGE_VA);
      w.i32(offset);
      w.op(wasm.I32_ADD);
    });
    this.exit(EXIT_NEXT, k);
  }

  private branchIf(condition: number, taken: number, notTaken: number, k: number): void {
    const { w } = this;
    if (this.isStart(taken)) {
      this.push(condition);
      w.brIf(this.head);
      this.exitTo(notTaken, k);
      return;
    }
    if (this.isStart(notTaken)) {
      this.push(condition);
      w.op(wasm.I32_EQZ);
      w.brIf(this.head);
      this.exitTo(taken, k);
      return;
    }
    this.setPc(() => {
      this.loadWord(PAGE_VA);
      w.i32(taken);
      w.i32(notTaken);
      this.push(condition);
      w.op(wasm.SELECT);
      w.op(wasm.I32_ADD);
    });
    this.exit(EXIT_NEXT, k);
  }

  /** Bit 0 of the target says which instruction set goes on. */
  private jumpExchange(v: number, k: number): void {
    const { w, thumb } = this;
    const target = this.borrow();
    this.push(v);
    w.set(target);
    const isThumb = (): void => {
      w.get(target);
      w.i32(1);
      w.op(wasm.I32_AND);
    };
    this.setPc(() => {
      const same = (): void => {
        w.get(target);
        w.i32(thumb ? ~1 : ~3);
        w.op(wasm.I32_AND);
      };
      if (thumb) {
        same();
        w.get(target);
      } else {
        w.get(target);
        same();
      }
      isThumb();
      w.op(wasm.SELECT);
    });
    w.i32(thumb ? EXIT_NEXT : EXIT_EXCHANGE);
    w.i32(thumb ? EXIT_EXCHANGE : EXIT_NEXT);
    isThumb();
    w.op(wasm.SELECT);
    w.set(this.exitCode);
    this.exitWithCode(k);
  }
}

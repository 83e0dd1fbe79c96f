import type { Builder } from '../builder.js';
import { HOME, INLINE, Placement, TEMP, UNUSED } from '../closures/placement.js';
import type { Kernel, PureKernel, VectorKernel } from '../kernel.js';
import { FLAG_N, FLAG_V, PC } from '../layout.js';
import { isOrderedValue, isPure } from '../op-info.js';
import * as op from '../ops.js';
import { AccessGroups } from './access-groups.js';
import { AddressChains } from './address-chains.js';
import { ChainAddend } from './chain-addend.js';
import { emitBinary, emitCarry, emitUnary } from './emit-values.js';
import type { FlagState } from './flag-state.js';
import type { FunctionWriter, Label, Local } from './function-writer.js';
import type { HitCounts } from './hit-counts.js';
import { HitEmitter } from './hit-emitter.js';
import type { InlineKernels } from './inline-kernels.js';
import { KernelEmitter } from './kernel-emitter.js';
import { MemoryEmitter } from './memory-emitter.js';
import * as wasm from './opcodes.js';
import type { Region, RegionVariant } from './region.js';
import type { RegionContext } from './region-context.js';
import type { Component } from './region-graph.js';
import type { RegionPlan } from './region-plan.js';
import { SimdRegisters } from './simd-registers.js';
import { isSimdWord, StateVectors } from './state-vectors.js';

/** Micro-operations of a conditional instruction that is written without a branch. */
const LONGEST_MOVE = 8;

/** Writes instructions: values, flags, state, memory and kernels. What leads out of a block is its {@link RegionContext}'s. */
export class InstructionEmitter {
  flags!: FlagState;
  private readonly w: FunctionWriter;
  private readonly plan: RegionPlan;
  private readonly placement = new Placement();
  private readonly kernels: KernelEmitter;
  private readonly memory: MemoryEmitter;
  private readonly hits: HitEmitter | undefined;
  private readonly counts: HitCounts | undefined;
  private readonly chains = new AddressChains();
  private readonly groups = new AccessGroups(this.chains);
  private readonly chain: ChainAddend;
  private readonly vectors: StateVectors;
  private readonly simd: SimdRegisters;
  /** SET_STATEs that have been written together with an earlier one. */
  private readonly written = new Set<number>();
  private readonly context: RegionContext;
  private block!: Builder;
  private code!: Int32Array;
  /** Local of each register in use, else -1. */
  private readonly registers = new Int32Array(PC);
  /** Local of each value that is kept in one, else -1. */
  private values = new Int32Array(1024);
  private readonly borrowed: Local[] = [];
  private readonly saved: { readonly word: number; readonly local: Local }[] = [];
  /** Where it goes on after the interpreter was called for the instruction, instead of leaving. */
  private stepped: Label | undefined;
  private at = 0;
  /** The first of its block. */
  private first = 0;
  /** Conditions around what is being written. */
  private depth = 0;

  /** `kernelFunction` gives the number of the imported function for a pure or vector kernel. */
  constructor(
    w: FunctionWriter,
    plan: RegionPlan,
    inlines: InlineKernels,
    kernelFunction: (kernel: Kernel) => number,
    context: RegionContext,
    variant: RegionVariant,
    counts: HitCounts | undefined,
  ) {
    this.w = w;
    this.plan = plan;
    this.context = context;
    const registers = new SimdRegisters(w);
    this.simd = registers;
    this.vectors = new StateVectors(
      w,
      registers,
      (v) => this.push(v),
      (v) => this.values[v]! >= 0,
    );
    this.counts = counts;
    this.chain = new ChainAddend(w);
    this.hits = variant.hits && counts && new HitEmitter(w, variant.hits, counts, this.chain, () => this.leaveWhen());
    this.memory = new MemoryEmitter(
      w,
      {
        push: (v) => this.push(v),
        pushWord: (word) => this.pushWord(word),
        setWord: (word, value) => this.setWord(word, value),
        leaveWhen: () => this.leaveWhen(),
        memberAt: (i) => this.groups.memberAt(i),
        isStoreMultiple: (i) => this.code[i * op.STRIDE] === op.STORE_MULTIPLE,
        isChained: (i) => this.chains.has(i),
        isConditional: () => this.depth > 0,
        isLeftOften: () => this.plan.leftOften[this.at]!,
        plain: () => (this.stepped === undefined ? undefined : this.plan.plain[this.at]),
        beside: context.access,
        registers,
      },
      variant,
      this.hits,
      this.chain,
    );
    this.kernels = new KernelEmitter(w, inlines, kernelFunction, registers, {
      push: (v) => this.push(v),
      leaveWhen: () => this.leaveWhen(),
      hostAddress: (v, bytes, isStore) => this.memory.hostAddress(v, op.MEM_ALIGNED, bytes, bytes, isStore),
    });
  }

  /** Begins a region: `plan` has been made of it. */
  begin({ builder: block, blocks }: Region, components: readonly Component[], flags: FlagState): void {
    this.block = block;
    this.code = block.code;
    this.flags = flags;
    this.placement.analyse(block);
    this.vectors.begin(block, this.placement);
    this.written.clear();
    if (this.values.length < block.count) this.values = new Int32Array(block.count * 2);
    this.values.fill(-1, 0, block.count);
    for (let n = 0; n < PC; n++) this.registers[n] = (this.plan.registers >> n) & 1 ? this.w.local(wasm.TYPE_I32) : -1;
    this.kernels.begin(block);
    // Where a kernel's pointers lead is mapped in one piece; pages of a process are where there was room.
    this.chains.analyse(block, blocks, this.plan, this.context.privileged ? components : []);
    this.chain.begin(this.chains.found);
    this.memory.begin(this.context.privileged, this.context.alignmentChecked);
    if (this.hits === undefined) this.groups.analyse(block, blocks, this.plan, this.context.alignmentChecked);
  }

  /** Instructions at which one look serves accesses after it, too. */
  get groupHeads(): ReadonlySet<number> {
    return this.groups.heads();
  }

  /** What follows, from instruction `first` on, may be come to from elsewhere. */
  beginBlock(first: number): void {
    this.first = first;
    this.memory.beginBlock();
  }

  /** What the region keeps in locals := the state's, where it is entered. */
  enter(): void {
    this.loadRegisters();
    this.chain.enter();
  }

  /** Registers := the state's. */
  loadRegisters(mask = -1): void {
    for (let n = 0; n < PC; n++) {
      if (this.registers[n]! < 0 || ((mask >> n) & 1) === 0) continue;
      this.w.loadWord(n);
      this.w.set(this.registers[n]!);
    }
    this.kernels.load();
  }

  /** The state's registers of a mask := the locals. */
  storeRegisters(mask: number): void {
    for (let n = 0; n < PC; n++) if ((mask >> n) & 1) this.w.storeLocal(n, this.registers[n]!);
  }

  /** Instruction `k`. */
  instruction(k: number): void {
    this.at = k;
    if (this.plan.stepped[k]) this.steppedInstruction(k);
    else this.ownInstruction(k);
  }

  private steppedInstruction(k: number): void {
    const { plan, flags, w } = this;
    const touches = plan.touchesFlags(k);
    if (touches) flags.flush();
    if (plan.interpreted[k]) {
      this.stepNow();
      return;
    }
    const write = (): void => {
      this.stepped = w.block();
      this.ownInstruction(k);
      this.stepped = undefined;
      if (touches) flags.flush();
    };
    if (this.counts !== undefined) this.counts.unlessElsewhere(write);
    else {
      write();
      w.end();
    }
  }

  private stepNow(): void {
    this.context.step();
    const { interpreted, calls } = this.plan;
    this.loadRegisters(interpreted[this.at] || calls[this.at] ? -1 : this.plan.writtenBy(this.at));
  }

  private ownInstruction(k: number): void {
    const isNew = k > this.first;
    for (const offset of this.plan.fetches[k]!)
      this.hits!.fetch(offset, this.context.privileged, isNew, isNew && this.stepped === undefined, this.context.pushPageVa);
    for (const word of this.plan.undo[k]!) {
      const local = this.borrow();
      this.pushWord(word);
      this.w.set(local);
      this.saved.push({ word, local });
    }
    this.operations(this.plan.starts[k]!, this.plan.starts[k + 1]!);
    for (const local of this.borrowed) this.w.release(local);
    if (this.borrowed.length > 0) this.borrowed.length = 0;
    if (this.saved.length > 0) this.saved.length = 0;
  }

  /** A branch out, to this instruction, when the i32 on the stack is not 0. */
  private leaveWhen(): void {
    const { w } = this;
    if (this.saved.length === 0 && this.stepped === undefined) {
      this.context.leaveIf();
      return;
    }
    w.if();
    this.leaveNow();
    w.end();
  }

  private leaveNow(): void {
    for (const { word, local } of this.saved) this.restore(word, local);
    if (this.stepped === undefined) this.context.leave();
    else {
      this.stepNow();
      this.w.br(this.stepped);
    }
  }

  private restore(word: number, local: Local): void {
    const { w } = this;
    if (word >= PC) w.storeLocal(word, local);
    else {
      w.get(local);
      w.set(this.registers[word]!);
    }
  }

  borrow(): Local {
    const local = this.w.borrow();
    this.borrowed.push(local);
    return local;
  }

  /** Micro-operations of one instruction, or of an IF in it. */
  private operations(from: number, to: number): void {
    for (let i = from; i < to; i++) {
      const base = i * op.STRIDE;
      const kind = this.code[base]!;
      if (kind === op.IF) {
        const end = this.plan.endOf(i);
        this.conditional(i, end);
        i = end;
      } else if (kind >= op.GOTO) {
        this.context.exit(i, this.depth > 0);
        return;
      } else if (kind === op.CALL && this.plan.isForeignCall(i)) {
        this.leaveNow();
        return;
      } else if (this.written.size === 0 || !this.written.has(i)) {
        const together = kind === op.SET_STATE ? this.vectors.group(i, to) : undefined;
        if (together === undefined || together.length === 0) this.operation(i, kind);
        else for (const place of together) this.written.add(place);
      }
    }
  }

  private conditional(i: number, end: number): void {
    const { w, flags, plan } = this;
    if (this.isMove(i + 1, end)) {
      this.conditionalMove(i, end);
      return;
    }
    const leaves = plan.leavesAlways(i + 1, end);
    if (leaves && this.stepped === undefined) this.counts?.flush();
    this.push(this.code[i * op.STRIDE + 1]!);
    const inside = leaves ? flags.mask : plan.flagsOfIf(i + 1, end, flags.mask);
    if (!leaves) flags.flushTo(inside);
    w.if();
    this.depth++;
    this.operations(i + 1, end);
    this.depth--;
    if (!leaves) flags.flushTo(inside);
    w.end();
    flags.mask = inside;
  }

  /** Whether a body only computes something small for one register: what compilers make conditional is what they cannot foretell. */
  private isMove(from: number, to: number): boolean {
    let moves = 0;
    for (let i = from; i < to; i++) {
      const kind = this.code[i * op.STRIDE]!;
      if (kind === op.SET_REG && this.code[i * op.STRIDE + 1]! < PC) moves++;
      else if (!isPure(kind) || kind === op.PURE) return false;
    }
    return moves === 1 && to - from <= LONGEST_MOVE;
  }

  private conditionalMove(start: number, end: number): void {
    const { w } = this;
    for (let i = start + 1; i < end; i++) {
      const base = i * op.STRIDE;
      const kind = this.code[base]!;
      if (kind !== op.SET_REG) {
        this.operation(i, kind);
        continue;
      }
      const word = this.code[base + 1]!;
      this.push(this.code[base + 2]!);
      this.pushWord(word);
      this.push(this.code[start * op.STRIDE + 1]!);
      w.op(wasm.SELECT);
      w.set(this.registers[word]!);
    }
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
        this.push(b);
        this.w.set(this.registers[a]!);
        return;
      case op.SET_STATE:
        this.setWord(a, () => this.push(b));
        if (isSimdWord(a)) this.simd.wrote(a, 1);
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
        this.memory.store(i, a, b, c);
        return;
      case op.LOAD_MULTIPLE:
        this.memory.loadMultiple(i, a, this.block.lists.slice(b, b + c), d);
        return;
      case op.STORE_MULTIPLE:
        this.memory.storeMultiple(i, a, this.block.lists.slice(b, b + c), d);
        return;
      case op.VECTOR:
        this.kernels.vector(this.block.kernels[a] as VectorKernel, b, c, d);
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
      this.flags.flush();
      this.kernels.call(i, this.context.privileged);
      const local = this.borrow();
      w.set(local);
      this.values[i] = local;
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
      this.flags.addWithCarry(x, y, () => this.push(this.code[base + 3]!), this.borrow(), result);
      return;
    }
    const isSubtraction = kind === op.SUB_FLAGS;
    w.get(x);
    w.get(y);
    w.op(isSubtraction ? wasm.I32_SUB : wasm.I32_ADD);
    w.set(result);
    this.flags.setArithmetic(isSubtraction, x, y, result);
  }

  pushWord(word: number): void {
    if (word < PC) this.w.get(this.registers[word]!);
    else if (word >= FLAG_N && word <= FLAG_V) this.flags.word(word);
    else this.w.loadWord(word);
  }

  private setWord(word: number, value: () => void): void {
    const { w } = this;
    if (word < PC) {
      value();
      w.set(this.registers[word]!);
    } else if (word >= FLAG_N && word <= FLAG_V) {
      // The value is what it is before the others are brought up to date.
      const local = this.borrow();
      value();
      w.set(local);
      this.flags.flush();
      w.storeLocal(word, local);
    } else w.storeWord(word, value);
  }

  /** Pushes value `v`. */
  push(v: number): void {
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
        this.context.pushPageVa();
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
        this.kernels.pure(this.block.kernels[a] as PureKernel, [b, c, this.code[base + 4]!]);
        return;
      case op.LOAD:
        this.memory.load(v, a, b);
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
}

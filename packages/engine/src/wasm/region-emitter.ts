import type { Builder } from '../builder.js';
import type { Kernel } from '../kernel.js';
import {
  BUDGET,
  CPSR_CONTROL,
  DECODE_MODE,
  EXIT_CODE,
  JUMP_ENTRIES,
  JUMP_ENTRY,
  JUMP_FUNCTION,
  JUMP_PC,
  JUMP_STRIDE,
  JUMP_TABLE,
  PC,
} from '../layout.js';
import * as op from '../ops.js';
import { EXIT_MISSED, EXIT_RESYNC } from './exit-codes.js';
import { C_LOCAL, FlagState, NZ_LOCAL, NZ_OF_OPERANDS, OF_ADD, OF_SUB, V_LOCAL } from './flag-state.js';
import type { Label, Local } from './function-writer.js';
import { FunctionWriter } from './function-writer.js';
import type { InlineKernels } from './inline-kernels.js';
import type { RegionContext } from './instruction-emitter.js';
import { InstructionEmitter } from './instruction-emitter.js';
import * as wasm from './opcodes.js';
import type { Region, RegionBlock, RegionMode, RegionVariant, StepSite } from './region.js';
import type { Component } from './region-graph.js';
import { RegionGraph } from './region-graph.js';
import { RegionPlan } from './region-plan.js';
import { isReturn } from './returns.js';

/** Parameters of a region's function: number of the entry, VA of its first instruction, depth of calls. */
const ENTRY: Local = 0;
const ENTRY_PC: Local = 1;
const DEPTH: Local = 2;

/** CPSR.T. */
const CPSR_T = 1 << 5;

/** Calls within calls, which are frames on the host's stack. */
const DEEPEST_CALL = 400;

/** What may be pending where the region is left in mid-block; anything else is brought up to date on the spot. */
const PENDING = [
  NZ_LOCAL,
  NZ_LOCAL | C_LOCAL,
  NZ_LOCAL | C_LOCAL | V_LOCAL,
  NZ_LOCAL | OF_ADD,
  NZ_LOCAL | OF_SUB,
  NZ_LOCAL | C_LOCAL | OF_ADD,
  NZ_LOCAL | C_LOCAL | OF_SUB,
] as const;

/** What is known of a region once it has been written. */
export interface EmittedRegion {
  /** The function's code entry, without its length. */
  readonly body: Uint8Array;
  /** Offsets from the page where it may be entered: entry n at the nth. */
  readonly entries: readonly number[];
  /** Smallest budget that it does anything with. */
  readonly leastBudget: number;
  /** Instructions. */
  readonly count: number;
  /** Where it calls the interpreter; the first has the number that was asked for. */
  readonly steps: readonly StepSite[];
}

/** Components being written, one after another: where to branch to reach each. */
interface Sequence {
  readonly labelOf: ReadonlyMap<number, Label>;
  readonly componentOf: ReadonlyMap<number, Component>;
}

/** The place being written. */
interface Position {
  block: RegionBlock;
  index: number;
  instruction: number;
  /** Bits of the registers that may differ from their state words at its end. */
  dirty: number;
}

/**
 * Turns a region into the body of a function `(entry, pc, depth) -> result` (exit-codes.ts). Guest registers that it uses are locals, loaded where it is
 * entered and after calls, and stored where it is left. Loops are loops; whatever else branches does so forwards, out of nested blocks. Calls are calls
 * through the jump table. Reused from region to region.
 */
export class RegionEmitter {
  private readonly w: FunctionWriter;
  private readonly plan: RegionPlan;
  private readonly graph = new RegionGraph();
  private readonly instructions: InstructionEmitter;
  private readonly regionType: number;
  private readonly linked: boolean;
  private readonly stepFunction: () => number;
  private flags!: FlagState;
  private region!: Region;
  private block!: Builder;
  private mode!: RegionMode;
  private code!: Int32Array;
  private at!: Position;
  private exitCode: Local = 0;
  private pageVa: Local = 0;
  private budget: Local = 0;
  private result: Local = 0;
  private slot: Local = 0;
  private readonly leaveLabels = new Map<number, Label>();
  private loops: { readonly header: number; readonly label: Label }[] = [];
  private sequences: Sequence[] = [];
  /** Number of each block that dispatch knows; the head is 0. */
  private readonly numbers = new Map<number, number>();
  private dispatches = false;
  private number = 0;
  private firstStep = 0;
  /** Instructions at which the interpreter is called. */
  private readonly steps: number[] = [];

  /** `regionType` is the type of a region's function; `kernelFunction` gives the number of the imported function for a pure or vector kernel,
   * `stepFunction` that of {@link RegionHost.step}. */
  constructor(
    stateOffset: number,
    inlines: InlineKernels,
    regionType: number,
    kernelFunction: (kernel: Kernel) => number,
    stepFunction: () => number,
    variant: RegionVariant = {},
  ) {
    this.stepFunction = stepFunction;
    this.w = new FunctionWriter(stateOffset);
    this.plan = new RegionPlan(inlines, variant.hashesStores ?? false);
    this.regionType = regionType;
    this.linked = variant.linked ?? true;
    const emitter = this;
    const context: RegionContext = {
      get privileged() {
        return emitter.mode.privileged;
      },
      get alignmentChecked() {
        return emitter.mode.alignmentChecked;
      },
      pushPageVa: () => this.w.get(this.pageVa),
      leave: () => this.leave(),
      leaveIf: () => this.leaveIf(),
      step: () => this.step(),
      exit: (i) => this.exit(i),
    };
    this.instructions = new InstructionEmitter(this.w, this.plan, inlines, kernelFunction, context, variant);
  }

  /** `slot` is what the state says when the region was left at an access; `firstStep` is the number of the first site in {@link EmittedRegion.steps}. */
  emit(region: Region, mode: RegionMode, slot: number, firstStep: number): EmittedRegion {
    const { w, plan, graph } = this;
    this.number = slot;
    this.firstStep = firstStep;
    this.steps.length = 0;
    this.region = region;
    this.block = region.builder;
    this.code = region.builder.code;
    this.mode = mode;
    plan.analyse(region, mode.thumb);
    graph.analyse(region, plan);
    this.numberEntries();
    w.begin(3);
    for (const name of ['exitCode', 'pageVa', 'budget', 'result', 'slot'] as const) this[name] = w.local(wasm.TYPE_I32);
    this.flags = new FlagState(w);
    this.instructions.begin(this.block, this.flags);
    const leastBudget = Math.max(...graph.entries.map((entry) => graph.longest[entry]!));
    this.openLeaves();
    this.prologue(leastBudget);
    this.sequence(graph.components, true);
    w.op(wasm.UNREACHABLE);
    this.closeLeaves();
    return {
      body: w.finish(),
      entries: graph.entries.map((entry) => region.blocks[entry]!.offset),
      leastBudget,
      count: this.block.offsets.length,
      steps: this.steps.map((k) => ({ offset: this.block.offsets[k]!, itstate: this.block.itstates[k]! })),
    };
  }

  private numberEntries(): void {
    this.numbers.clear();
    for (const block of [...this.graph.entries, ...this.graph.sideEntries]) {
      if (!this.numbers.has(block)) this.numbers.set(block, this.numbers.size);
    }
    this.dispatches = this.numbers.size > 1;
  }

  private prologue(leastBudget: number): void {
    const { w } = this;
    w.get(ENTRY_PC);
    w.i32(~0xfff);
    w.op(wasm.I32_AND);
    w.set(this.pageVa);
    w.loadWord(BUDGET);
    w.tee(this.budget);
    w.i32(leastBudget);
    w.op(wasm.I32_LT_S);
    w.if();
    w.storeWord(EXIT_CODE, () => w.i32(0));
    w.get(ENTRY_PC);
    w.i32(1);
    w.op(wasm.I32_OR);
    w.op(wasm.RETURN);
    w.end();
    this.instructions.loadRegisters();
  }

  /* Leaving in mid-block. */

  private openLeaves(): void {
    this.leaveLabels.clear();
    this.leaveLabels.set(0, this.w.block());
    for (const pending of PENDING) this.leaveLabels.set(pending, this.w.block());
  }

  private closeLeaves(): void {
    const { w } = this;
    for (let i = PENDING.length - 1; i >= 0; i--) {
      w.end();
      this.flags.mask = PENDING[i]!;
      this.flags.flush();
      w.br(this.leaveLabels.get(0)!);
    }
    w.end();
    this.instructions.storeRegisters(this.plan.writtenRegisters);
    // The instructions from the one that is left at were paid for and not executed.
    w.storeWord(BUDGET, () => {
      w.get(this.budget);
      w.get(this.exitCode);
      w.i32(8);
      w.op(wasm.I32_SHR_U);
      w.i32(0xff);
      w.op(wasm.I32_AND);
      w.op(wasm.I32_ADD);
    });
    w.storeWord(EXIT_CODE, () => {
      w.get(this.exitCode);
      w.i32(0xff);
      w.op(wasm.I32_AND);
      w.i32(this.number << 8);
      w.op(wasm.I32_OR);
    });
    w.get(this.pageVa);
    w.get(this.exitCode);
    w.i32(16);
    w.op(wasm.I32_SHR_U);
    w.op(wasm.I32_ADD);
    w.i32(1);
    w.op(wasm.I32_OR);
  }

  /** What `leave` says: the block, how many instructions to give back, which instruction. */
  private setExitCode(block: RegionBlock, refund: number, instruction: number): void {
    this.w.i32((block.offset << 16) | (refund << 8) | instruction);
    this.w.set(this.exitCode);
  }

  private leaveLabel(): Label | undefined {
    return this.leaveLabels.get(this.flags.mask & ~NZ_OF_OPERANDS);
  }

  private leave(): void {
    const label = this.leaveLabel();
    const { mask } = this.flags;
    if (label === undefined) this.flags.flush();
    this.w.br(label ?? this.leaveLabels.get(0)!);
    this.flags.mask = mask;
  }

  private leaveIf(): void {
    const label = this.leaveLabel();
    if (label !== undefined) {
      this.w.brIf(label);
      return;
    }
    this.w.if();
    this.leave();
    this.w.end();
  }

  /* Structure. */

  private sequence(components: readonly Component[], isTop: boolean): void {
    const { w } = this;
    const labelOf = new Map<number, Label>();
    const componentOf = new Map<number, Component>();
    for (let i = components.length - 1; i >= 0; i--) {
      const component = components[i]!;
      for (const block of component.blocks) componentOf.set(block, component);
      if (i > 0) labelOf.set(component.header, w.block());
    }
    this.sequences.push({ labelOf, componentOf });
    if (isTop && this.adopts(0)) {
      w.get(ENTRY);
      w.op(wasm.I32_EQZ);
      w.if();
      this.adopt(0);
      w.end();
    }
    this.dispatch(componentOf, labelOf, isTop ? 0 : components[0]!.header);
    components.forEach((component, i) => {
      if (i > 0) w.end();
      this.component(component);
    });
    this.sequences.pop();
  }

  /** To the block whose number is in ENTRY; not taken for `first`, which comes next. */
  private dispatch(componentOf: ReadonlyMap<number, Component>, labelOf: ReadonlyMap<number, Label>, first: number): void {
    const { w } = this;
    const targets: { readonly number: number; readonly label: Label }[] = [];
    for (const [block, number] of this.numbers) {
      const header = componentOf.get(block)?.header;
      if (block === header && block !== first && this.adopts(block)) {
        w.get(ENTRY);
        w.i32(number);
        w.op(wasm.I32_EQ);
        w.if();
        this.adopt(block);
        w.br(labelOf.get(block)!);
        w.end();
        continue;
      }
      const component = componentOf.get(block);
      const label = component === undefined ? undefined : labelOf.get(component.header);
      if (block !== first && label !== undefined) targets.push({ number, label });
    }
    if (targets.length === 0) return;
    w.get(ENTRY);
    w.if();
    if (targets.length < 4) {
      for (const { number, label } of targets) {
        w.get(ENTRY);
        w.i32(number);
        w.op(wasm.I32_EQ);
        w.brIf(label);
      }
    } else {
      const stay = w.block();
      const labels = Array.from({ length: this.numbers.size }, (_, n) => targets.find(({ number }) => number === n)?.label ?? stay);
      w.get(ENTRY);
      w.brTable(labels, stay);
      w.end();
    }
    w.end();
  }

  /** Whether a loop wants the flags in another form than what enters it from elsewhere may have. */
  private adopts(index: number): boolean {
    return this.graph.headers.has(index) && this.graph.flagsIn[index] !== 0;
  }

  /** Brings the flags from the state words into the form that the loop keeps them in. */
  private adopt(index: number): void {
    const { flags } = this;
    flags.mask = 0;
    this.setExitCode(this.region.blocks[index]!, 0, 0);
    flags.isNegativeZero();
    this.leaveIf();
    flags.adopt(this.graph.flagsIn[index]!);
  }

  private component(component: Component): void {
    const { w } = this;
    if (!component.isLoop) {
      this.writeBlock(component.header);
      return;
    }
    this.loops.push({ header: component.header, label: w.loop() });
    this.sequence(component.body, false);
    w.end();
    this.loops.pop();
  }

  private writeBlock(index: number): void {
    const { w, graph } = this;
    const block = this.region.blocks[index]!;
    const count = block.end - block.first;
    this.at = { block, index, instruction: block.first, dirty: graph.dirtyIn[index]! | this.plan.written(block) };
    this.flags.mask = graph.flagsIn[index]!;
    if (this.dispatches && (this.numbers.get(index) ?? 0) > 0) {
      w.i32(0);
      w.set(ENTRY);
    }
    if (graph.headers.has(index)) this.checkBudget(index);
    w.get(this.budget);
    w.i32(count);
    w.op(wasm.I32_SUB);
    w.set(this.budget);
    for (let k = block.first; k < block.end; k++) {
      this.at.instruction = k;
      const isStepped = this.plan.stepped[k]!;
      if (this.plan.mayLeave[k] && !isStepped)
        this.setExitCode(block, block.end - k, (k - block.first) | (this.plan.steppable[k] ? EXIT_MISSED : 0));
      if (this.plan.interpreted[k] && !isStepped) {
        this.leave();
        return;
      }
      this.instructions.instruction(k);
    }
    const last = block.end - 1;
    if (this.plan.stepped[last] || !this.plan.leavesAlways(this.plan.starts[last]!, this.plan.starts[last + 1]!)) this.goto(block.next);
  }

  /** Calls the interpreter for the instruction being written. */
  private step(): void {
    const { w, flags } = this;
    const { block, instruction: k } = this.at;
    const { mask } = flags;
    flags.flush();
    flags.mask = mask;
    this.instructions.storeRegisters(this.at.dirty);
    if (this.steps[this.steps.length - 1] !== k) this.steps.push(k);
    w.i32(this.firstStep + this.steps.length - 1);
    this.pushVa(this.block.offsets[k]!);
    w.get(this.budget);
    w.i32(block.end - k);
    w.op(wasm.I32_ADD);
    w.call(this.stepFunction());
    w.if();
    w.i32(1);
    w.op(wasm.RETURN);
    w.end();
  }

  /** Leaves at the beginning of a block when the budget does not reach to the next look. */
  private checkBudget(index: number): void {
    const { w } = this;
    this.setExitCode(this.region.blocks[index]!, 0, 0);
    w.get(this.budget);
    w.i32(this.graph.longest[index]!);
    w.op(wasm.I32_LT_S);
    this.leaveIf();
  }

  /* Ways from block to block. */

  /** Branches to a block of the region. */
  private branchTo(index: number): void {
    const { w } = this;
    const { flags } = this;
    const loop = this.loops.find(({ header }) => header === index);
    const wanted = this.graph.flagsIn[index]!;
    if (loop === undefined && this.adopts(index) && (flags.mask & ~NZ_OF_OPERANDS) !== wanted) {
      flags.flush();
      this.adopt(index);
    } else flags.flushTo(wanted);
    if (loop) {
      w.br(loop.label);
      return;
    }
    for (let i = this.sequences.length - 1; i >= 0; i--) {
      const { componentOf, labelOf } = this.sequences[i]!;
      const component = componentOf.get(index);
      if (component === undefined) continue;
      if (component.header !== index) {
        w.i32(this.numbers.get(index)!);
        w.set(ENTRY);
      }
      w.br(labelOf.get(component.header)!);
      return;
    }
    throw new Error('[engine] [wasm] a branch leads nowhere');
  }

  /** Goes on at an offset from the page, in the region or elsewhere. */
  private goto(offset: number): void {
    const { mask } = this.flags;
    const index = this.at.block.resyncs ? -1 : this.graph.blockAt(offset);
    if (index >= 0) this.branchTo(index);
    else {
      this.pushVa(offset);
      this.w.set(this.result);
      this.jump(this.mode.key);
    }
    this.flags.mask = mask;
  }

  private pushVa(offset: number): void {
    this.w.get(this.pageVa);
    this.w.i32(offset);
    this.w.op(wasm.I32_ADD);
  }

  private exit(i: number): void {
    const { w } = this;
    const base = i * op.STRIDE;
    const a = this.code[base + 1]!;
    const { mask } = this.flags;
    switch (this.code[base]) {
      case op.GOTO:
        if (this.links()) this.callTo(() => this.pushVa(a), this.mode.key);
        else this.goto(a);
        break;
      case op.BRANCH_IF:
        this.instructions.push(a);
        w.if();
        this.goto(this.code[base + 2]!);
        w.end();
        this.goto(this.code[base + 3]!);
        break;
      case op.JUMP:
        this.instructions.push(a);
        w.set(this.result);
        this.leaveTo(a, this.mode.key);
        break;
      case op.JUMP_EXCHANGE:
        this.exchange(a);
        break;
      case op.RESYNC:
        if (this.plan.inlined[this.at.instruction]) this.goto(this.at.block.next);
        else this.resync();
        break;
      default:
        throw new Error(`[engine] [wasm] unknown micro-operation ${this.code[base]}`);
    }
    this.flags.mask = mask;
  }

  private links(): boolean {
    return this.plan.links[this.at.instruction]! && !this.at.block.resyncs;
  }

  /** Interworking: bit 0 of the target says which instruction set goes on. */
  private exchange(v: number): void {
    const { w } = this;
    const { thumb, key } = this.mode;
    const known = this.code[v * op.STRIDE] === op.PAGE_PC ? this.code[v * op.STRIDE + 1]! & 1 : undefined;
    this.instructions.push(v);
    w.set(this.result);
    const { mask } = this.flags;
    if (known === undefined) {
      w.get(this.result);
      w.i32(1);
      w.op(wasm.I32_AND);
      if (thumb) w.op(wasm.I32_EQZ);
      w.if();
    }
    if (known !== (thumb ? 1 : 0)) {
      w.storeWord(CPSR_CONTROL, () => {
        w.loadWord(CPSR_CONTROL);
        w.i32(CPSR_T);
        w.op(wasm.I32_XOR);
      });
      w.storeWord(DECODE_MODE, () => w.i32(key ^ 1));
      this.align(!thumb);
      this.leaveTo(v, key ^ 1);
    }
    if (known === undefined) w.end();
    this.flags.mask = mask;
    if (known === (thumb ? 0 : 1)) return;
    this.align(thumb);
    this.leaveTo(v, key);
  }

  private align(thumb: boolean): void {
    const { w } = this;
    w.get(this.result);
    w.i32(thumb ? ~1 : ~3);
    w.op(wasm.I32_AND);
    w.set(this.result);
  }

  /** To the VA in `result`, in decode mode `key`: a call, a return or a jump. */
  private leaveTo(v: number, key: number): void {
    if (this.links()) this.callTo(() => this.w.get(this.result), key);
    else if (isReturn(this.block, v) && !this.at.block.resyncs) {
      this.finish();
      this.w.get(this.result);
      this.w.op(wasm.RETURN);
    } else {
      if (key === this.mode.key && !this.at.block.resyncs) this.dispatchJump();
      this.jump(key);
    }
  }

  /** Branches to where the jump to the VA in `result` has been seen to lead, as far as that is in the region; goes on when it is elsewhere. */
  private dispatchJump(): void {
    const { w, flags, graph, mode } = this;
    const known = this.at.block.targets.filter((offset) => graph.blockAt(offset) >= 0);
    if (known.length === 0) return;
    const shift = mode.thumb ? 1 : 2;
    const least = Math.min(...known);
    const { mask } = flags;
    const elsewhere = w.block();
    const labels = known.map(() => w.block());
    w.get(this.result);
    this.pushVa(least);
    w.op(wasm.I32_SUB);
    w.i32(shift);
    w.op(wasm.I32_SHR_U);
    w.brTable(
      Array.from({ length: ((Math.max(...known) - least) >> shift) + 1 }, (_, i) => {
        const at = known.indexOf(least + (i << shift));
        return at < 0 ? elsewhere : labels[at]!;
      }),
      elsewhere,
    );
    for (let i = known.length - 1; i >= 0; i--) {
      w.end();
      this.branchTo(graph.blockAt(known[i]!));
      flags.mask = mask;
    }
    w.end();
  }

  /** Everything into the state words: the function ends, or another begins. */
  private finish(): void {
    const { w } = this;
    this.flags.flush();
    this.instructions.storeRegisters(this.at.dirty);
    w.storeWord(BUDGET, () => w.get(this.budget));
  }

  private resync(): void {
    const { w } = this;
    this.finish();
    w.storeWord(EXIT_CODE, () => w.i32(EXIT_RESYNC));
    w.i32(1);
    w.op(wasm.RETURN);
  }

  /** Finds the region for the VA in `result` and decode mode `key`; branches to `missing` when the jump table has none. */
  private lookUp(missing: Label, key: number): void {
    const { w } = this;
    const word = (n: number): number => w.stateOffset + JUMP_TABLE + 4 * n;
    w.get(this.result);
    w.i32(2);
    w.op(wasm.I32_SHL);
    w.i32((JUMP_ENTRIES - 1) * JUMP_STRIDE * 4);
    w.op(wasm.I32_AND);
    w.tee(this.slot);
    w.access(wasm.I64_LOAD, 3, word(JUMP_PC));
    w.get(this.result);
    w.op(wasm.I64_EXTEND_I32_U);
    w.i64(BigInt(key) << 32n);
    w.op(wasm.I64_OR);
    w.op(wasm.I64_NE);
    w.brIf(missing);
  }

  private pushTarget(depth: () => void): void {
    const { w } = this;
    const word = (n: number): number => w.stateOffset + JUMP_TABLE + 4 * n;
    w.get(this.slot);
    w.access(wasm.I32_LOAD, 2, word(JUMP_ENTRY));
    w.get(this.result);
    depth();
    w.get(this.slot);
    w.access(wasm.I32_LOAD, 2, word(JUMP_FUNCTION));
  }

  /** To the VA in `result`, for good. */
  private jump(key: number): void {
    const { w } = this;
    this.finish();
    if (this.at.block.resyncs) {
      w.storeWord(PC, () => w.get(this.result));
      w.storeWord(EXIT_CODE, () => w.i32(EXIT_RESYNC));
      w.i32(1);
      w.op(wasm.RETURN);
      return;
    }
    if (this.linked) {
      const missing = w.block();
      this.lookUp(missing, key);
      this.pushTarget(() => w.get(DEPTH));
      w.returnCallIndirect(this.regionType);
      w.end();
    }
    w.get(this.result);
    w.op(wasm.RETURN);
  }

  /** To the VA that `target` pushes, and back to the next instruction. */
  private callTo(target: () => void, key: number): void {
    const { w } = this;
    const { next } = this.at.block;
    target();
    w.set(this.result);
    this.finish();
    if (!this.linked) {
      w.get(this.result);
      w.op(wasm.RETURN);
      return;
    }
    const missing = w.block();
    w.get(DEPTH);
    w.i32(DEEPEST_CALL);
    w.op(wasm.I32_GE_U);
    w.brIf(missing);
    this.lookUp(missing, key);
    this.pushTarget(() => {
      w.get(DEPTH);
      w.i32(1);
      w.op(wasm.I32_ADD);
    });
    w.callIndirect(this.regionType);
    w.tee(this.result);
    this.pushVa(next);
    w.op(wasm.I32_NE);
    w.brIf(missing);
    // It is the same instruction only in the same instruction set.
    w.loadWord(DECODE_MODE);
    w.i32(this.mode.key);
    w.op(wasm.I32_NE);
    w.brIf(missing);
    const index = this.graph.blockAt(next);
    if (index >= 0) {
      this.instructions.loadRegisters();
      w.loadWord(BUDGET);
      w.set(this.budget);
      if (!this.graph.headers.has(index)) this.checkBudget(index);
      this.branchTo(index);
    }
    w.end();
    w.get(this.result);
    w.op(wasm.RETURN);
  }
}

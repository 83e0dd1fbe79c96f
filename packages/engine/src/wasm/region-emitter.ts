import type { Kernel } from '../kernel.js';
import { BUDGET, EXIT_CODE, SLOT_INDEX } from '../layout.js';
import { EXIT_MISSED } from './exit-codes.js';
import { NZ_OF_OPERANDS } from './flag-state.js';
import type { Label } from './function-writer.js';
import { FunctionWriter } from './function-writer.js';
import { HitCounts } from './hit-counts.js';
import type { InlineKernels } from './inline-kernels.js';
import { InstructionEmitter } from './instruction-emitter.js';
import * as wasm from './opcodes.js';
import type { Region, RegionMode, RegionVariant, StepSite } from './region.js';
import type { RegionContext } from './region-context.js';
import { ENTRY, ENTRY_PC, RegionFrame } from './region-frame.js';
import type { Component } from './region-graph.js';
import type { StepFunctions } from './region-leaves.js';
import { RegionLeaves } from './region-leaves.js';
import { RegionPlan } from './region-plan.js';
import { RegionWays } from './region-ways.js';

/** What is known of a region once it has been written. */
export interface EmittedRegion {
  /** The function's code entry, without its length. */
  readonly body: Uint8Array;
  /** Where it calls its module's functions (`FunctionWriter.callsOfDefined`). */
  readonly calls: readonly number[];
  /** Offsets from the page where it may be entered: entry n at the nth. */
  readonly entries: readonly number[];
  /** Smallest budget that it does anything with. */
  readonly leastBudget: number;
  /** Instructions. */
  readonly count: number;
  /** Where it calls the interpreter; the first has the number that was asked for. */
  readonly steps: readonly StepSite[];
  /** Offsets of instructions at which it is left for accesses after them, too. */
  readonly groupHeads: ReadonlySet<number>;
}

/** Numbers of the functions that `RegionHost` has. */
export interface HostFunctions extends StepFunctions {
  readonly follow: () => number;
}

/** A loop being written. */
interface Loop {
  readonly header: number;
  readonly label: Label;
}

/** Components being written, one after another: where to branch to reach each. */
interface Sequence {
  /** By block, for headers of components that are not the first. */
  readonly labelOf: readonly (Label | undefined)[];
  /** By block. */
  readonly componentOf: readonly (Component | undefined)[];
}

/**
 * Turns a region into the body of a function `(entry, pc, depth) -> result` (exit-codes.ts). Guest registers that it uses are locals, loaded where it is
 * entered and after calls, and stored where it is left. Loops are loops; whatever else branches does so forwards, out of nested blocks. Calls are calls
 * through the jump table. Reused from region to region.
 */
export class RegionEmitter {
  private readonly frame: RegionFrame;
  private readonly leaves: RegionLeaves;
  private readonly ways: RegionWays;
  private readonly loops: Loop[] = [];
  private readonly sequences: Sequence[] = [];
  /** Number of each block that dispatch knows; the head is 0. */
  private readonly numbers = new Map<number, number>();
  private dispatches = false;

  /** `kernelFunction` gives the number of the imported function for a pure or vector kernel, `functions` those of what `RegionHost` has. */
  constructor(
    stateOffset: number,
    inlines: InlineKernels,
    kernelFunction: (kernel: Kernel) => number,
    functions: HostFunctions,
    variant: RegionVariant = {},
  ) {
    const w = new FunctionWriter(stateOffset);
    const counts = variant.hits && new HitCounts(w);
    const frame = new RegionFrame(w, new RegionPlan(inlines, variant), counts);
    const leaves = new RegionLeaves(frame, functions);
    const ways = new RegionWays(frame, variant.linked === false ? undefined : functions.follow, {
      branchTo: (index) => this.branchTo(index),
      checkBudget: (index) => this.checkBudget(index),
    });
    const context: RegionContext = {
      get privileged() {
        return frame.mode.privileged;
      },
      get alignmentChecked() {
        return frame.mode.alignmentChecked;
      },
      pushPageVa: () => frame.w.get(frame.pageVa),
      leave: () => leaves.leave(),
      leaveIf: () => leaves.leaveIf(),
      step: () => leaves.step(),
      access: (va, plain, isPrivileged) => leaves.access(va, plain, isPrivileged),
      exit: (i, isConditional) => this.out(isConditional, () => ways.exit(i)),
    };
    frame.instructions = new InstructionEmitter(w, frame.plan, inlines, kernelFunction, context, variant, counts);
    this.frame = frame;
    this.leaves = leaves;
    this.ways = ways;
  }

  /**
   * `slot` is what the state says when the region was left at an access; `firstStep` is the number of the first site in {@link EmittedRegion.steps}; `sibling`
   * knows the regions of the module.
   */
  emit(region: Region, mode: RegionMode, slot: number, firstStep: number, sibling: RegionFrame['sibling']): EmittedRegion {
    const { frame, leaves } = this;
    const { w, graph } = frame;
    frame.begin(region, mode);
    frame.sibling = sibling;
    this.numberEntries();
    let leastBudget = 0;
    for (const entry of graph.entries) leastBudget = Math.max(leastBudget, graph.longest[entry]!);
    leaves.open(slot & SLOT_INDEX, firstStep);
    this.prologue(leastBudget);
    this.sequence(graph.components, true);
    w.op(wasm.UNREACHABLE);
    leaves.close();
    return {
      body: w.finish(),
      calls: w.callsOfDefined(),
      entries: graph.entries.map((entry) => region.blocks[entry]!.offset),
      leastBudget,
      count: frame.block.offsets.length,
      steps: leaves.sites,
      groupHeads: new Set([...frame.instructions.groupHeads].map((k) => frame.block.offsets[k]!)),
    };
  }

  private numberEntries(): void {
    this.numbers.clear();
    for (const block of this.frame.graph.entries) this.numbers.set(block, this.numbers.size);
    for (const block of this.frame.graph.sideEntries) if (!this.numbers.has(block)) this.numbers.set(block, this.numbers.size);
    this.dispatches = this.numbers.size > 1;
  }

  private prologue(leastBudget: number): void {
    const { w } = this.frame;
    w.get(ENTRY_PC);
    w.and(~0xfff);
    w.set(this.frame.pageVa);
    w.loadWord(BUDGET);
    w.tee(this.frame.budget);
    w.i32(leastBudget);
    w.op(wasm.I32_LT_S);
    w.if();
    w.storeWord(EXIT_CODE, () => w.i32(0));
    w.get(ENTRY_PC);
    w.i32(1);
    w.op(wasm.I32_OR);
    w.op(wasm.RETURN);
    w.end();
    this.frame.instructions.enter();
  }

  /* Structure. */

  private sequence(components: readonly Component[], isTop: boolean): void {
    const { w } = this.frame;
    const { length } = this.frame.region.blocks;
    const labelOf = new Array<Label | undefined>(length).fill(undefined);
    const componentOf = new Array<Component | undefined>(length).fill(undefined);
    for (let i = components.length - 1; i >= 0; i--) {
      const component = components[i]!;
      for (const block of component.blocks) componentOf[block] = component;
      if (i > 0) labelOf[component.header] = w.block();
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
  private dispatch(componentOf: Sequence['componentOf'], labelOf: Sequence['labelOf'], first: number): void {
    if (!this.dispatches) return;
    const { w } = this.frame;
    const targets: { readonly number: number; readonly label: Label }[] = [];
    for (const [block, number] of this.numbers) {
      const header = componentOf[block]?.header;
      if (block === header && block !== first && this.adopts(block)) {
        w.get(ENTRY);
        w.i32(number);
        w.op(wasm.I32_EQ);
        w.if();
        this.adopt(block);
        w.br(labelOf[block]!);
        w.end();
        continue;
      }
      const component = componentOf[block];
      const label = component === undefined ? undefined : labelOf[component.header];
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
    return this.frame.graph.headers.has(index) && this.frame.graph.flagsIn[index] !== 0;
  }

  /** Brings the flags from the state words into the form that the loop keeps them in. */
  private adopt(index: number): void {
    const { flags } = this.frame;
    flags.mask = 0;
    this.leaves.setExitCode(this.frame.region.blocks[index]!, 0, 0);
    flags.isNegativeZero();
    this.leaves.leaveIf();
    flags.adopt(this.frame.graph.flagsIn[index]!);
  }

  private component(component: Component): void {
    const { w } = this.frame;
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
    const { w, graph } = this.frame;
    const block = this.frame.region.blocks[index]!;
    const count = block.end - block.first;
    this.frame.at = { block, index, instruction: block.first, dirty: graph.dirtyIn[index]! | this.frame.plan.written(block) };
    this.frame.flags.mask = graph.flagsIn[index]!;
    this.frame.counts?.beginBlock();
    this.frame.instructions.beginBlock(block.first);
    if (this.dispatches && (this.numbers.get(index) ?? 0) > 0) {
      w.i32(0);
      w.set(ENTRY);
    }
    if (graph.headers.has(index)) this.checkBudget(index);
    w.get(this.frame.budget);
    w.i32(count);
    w.op(wasm.I32_SUB);
    w.set(this.frame.budget);
    for (let k = block.first; k < block.end; k++) {
      this.frame.at.instruction = k;
      const isStepped = this.frame.plan.stepped[k]!;
      if (this.frame.plan.mayLeave[k] && !isStepped)
        this.leaves.setExitCode(block, block.end - k, (k - block.first) | (this.frame.plan.steppable[k] ? EXIT_MISSED : 0));
      if (this.frame.plan.interpreted[k] && !isStepped) {
        this.leaves.leave();
        return;
      }
      this.frame.instructions.instruction(k);
    }
    const last = block.end - 1;
    if (this.frame.plan.stepped[last] || !this.frame.plan.leavesAlways(this.frame.plan.starts[last]!, this.frame.plan.starts[last + 1]!))
      this.out(false, () => this.ways.goto(block.next));
  }

  /** `write` writes a way out of the block. */
  private out(isConditional: boolean, write: () => void): void {
    if (this.frame.counts === undefined) write();
    else this.frame.counts.exit(isConditional, write);
  }

  /** Leaves at the beginning of a block when the budget does not reach to the next look. */
  private checkBudget(index: number): void {
    const { w } = this.frame;
    this.leaves.setExitCode(this.frame.region.blocks[index]!, 0, 0);
    w.get(this.frame.budget);
    w.i32(this.frame.graph.longest[index]!);
    w.op(wasm.I32_LT_S);
    this.leaves.leaveIf();
  }

  /* Ways from block to block. */

  /** Branches to a block of the region. */
  private branchTo(index: number): void {
    const { w } = this.frame;
    const { flags } = this.frame;
    const { loops, sequences } = this;
    let loop: Loop | undefined;
    for (let i = 0; i < loops.length && loop === undefined; i++) if (loops[i]!.header === index) loop = loops[i];
    const wanted = this.frame.graph.flagsIn[index]!;
    if (loop) {
      flags.flushTo(wanted);
      w.br(loop.label);
      return;
    }
    let at = sequences.length - 1;
    while (at >= 0 && sequences[at]!.componentOf[index] === undefined) at--;
    const sequence = sequences[at];
    if (sequence === undefined) throw new Error('[engine] [wasm] a branch leads nowhere');
    const { header } = sequence.componentOf[index]!;
    if (header !== index) {
      // By way of the loop around it, whose dispatch takes the flags from the state words if the block adopts them.
      flags.flushTo(this.adopts(index) ? 0 : wanted);
      w.i32(this.numbers.get(index)!);
      w.set(ENTRY);
    } else if (this.adopts(index) && (flags.mask & ~NZ_OF_OPERANDS) !== wanted) {
      flags.flush();
      this.adopt(index);
    } else flags.flushTo(wanted);
    w.br(sequence.labelOf[header]!);
  }
}

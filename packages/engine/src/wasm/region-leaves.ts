import { BUDGET, EXIT_CODE } from '../layout.js';
import { C_LOCAL, NZ_LOCAL, NZ_OF_OPERANDS, OF_ADD, OF_SUB, V_LOCAL } from './flag-state.js';
import type { Label } from './function-writer.js';
import * as wasm from './opcodes.js';
import type { RegionBlock, StepSite } from './region.js';
import type { RegionFrame } from './region-frame.js';

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

/** Places where a region is left in mid-block, or calls the interpreter instead. */
export class RegionLeaves {
  private readonly frame: RegionFrame;
  private readonly stepFunction: () => number;
  /** By what is pending: the label of the common exit, or -1, and whether anything leads there. */
  private readonly labels = new Int32Array(2 * NZ_OF_OPERANDS).fill(-1);
  private readonly used = new Uint8Array(2 * NZ_OF_OPERANDS);
  private number = 0;
  private firstStep = 0;
  /** Instructions at which the interpreter is called. */
  private readonly steps: number[] = [];

  constructor(frame: RegionFrame, stepFunction: () => number) {
    this.frame = frame;
    this.stepFunction = stepFunction;
  }

  get sites(): readonly StepSite[] {
    const { offsets, itstates } = this.frame.block;
    return this.steps.map((k) => ({ offset: offsets[k]!, itstate: itstates[k]! }));
  }

  /** Opens the blocks whose ends are the common exits. `slot` and `firstStep` are `RegionEmitter.emit`'s. */
  open(slot: number, firstStep: number): void {
    this.number = slot;
    this.firstStep = firstStep;
    this.steps.length = 0;
    this.used.fill(0);
    this.labels[0] = this.frame.w.block();
    for (const pending of PENDING) this.labels[pending] = this.frame.w.block();
  }

  /** Ends them: what comes next is the function's end. */
  close(): void {
    const { w } = this.frame;
    for (let i = PENDING.length - 1; i >= 0; i--) {
      w.end();
      if (this.used[PENDING[i]!] === 0) continue;
      this.frame.flags.mask = PENDING[i]!;
      this.frame.flags.flush();
      w.br(this.labels[0]!);
    }
    w.end();
    this.frame.instructions.storeRegisters(this.frame.plan.writtenRegisters);
    // The instructions from the one that is left at were paid for and not executed.
    w.storeWord(BUDGET, () => {
      w.get(this.frame.budget);
      w.get(this.frame.exitCode);
      w.i32(8);
      w.op(wasm.I32_SHR_U);
      w.i32(0xff);
      w.op(wasm.I32_AND);
      w.op(wasm.I32_ADD);
    });
    w.storeWord(EXIT_CODE, () => {
      w.get(this.frame.exitCode);
      w.i32(0xff);
      w.op(wasm.I32_AND);
      w.i32(this.number << 8);
      w.op(wasm.I32_OR);
    });
    w.get(this.frame.pageVa);
    w.get(this.frame.exitCode);
    w.i32(16);
    w.op(wasm.I32_SHR_U);
    w.op(wasm.I32_ADD);
    w.i32(1);
    w.op(wasm.I32_OR);
  }

  /** What `leave` says: the block, how many instructions to give back, which instruction. */
  setExitCode(block: RegionBlock, refund: number, instruction: number): void {
    this.frame.w.i32((block.offset << 16) | (refund << 8) | instruction);
    this.frame.w.set(this.frame.exitCode);
  }

  /** The common exit of what is pending, or -1: then it is brought up to date first. */
  private leaveLabel(): Label {
    const pending = this.frame.flags.mask & ~NZ_OF_OPERANDS;
    this.used[pending] = 1;
    return this.labels[pending]!;
  }

  leave(): void {
    const label = this.leaveLabel();
    const { mask } = this.frame.flags;
    if (label < 0) this.frame.flags.flush();
    this.frame.w.br(label < 0 ? this.labels[0]! : label);
    this.frame.flags.mask = mask;
  }

  leaveIf(): void {
    const label = this.leaveLabel();
    if (label >= 0) {
      this.frame.w.brIf(label);
      return;
    }
    this.frame.w.if();
    this.leave();
    this.frame.w.end();
  }

  /** Calls the interpreter for the instruction being written. */
  step(): void {
    const { w, flags } = this.frame;
    const { block, instruction: k } = this.frame.at;
    const { mask } = flags;
    flags.flush();
    flags.mask = mask;
    this.frame.instructions.storeRegisters(this.frame.at.dirty);
    if (this.steps[this.steps.length - 1] !== k) this.steps.push(k);
    w.i32(this.firstStep + this.steps.length - 1);
    this.frame.pushVa(this.frame.block.offsets[k]!);
    w.get(this.frame.budget);
    w.i32(block.end - k);
    w.op(wasm.I32_ADD);
    w.call(this.stepFunction());
    w.if();
    w.i32(1);
    w.op(wasm.RETURN);
    w.end();
  }
}

import { ACCESS_ENDS, BUDGET, EXIT_CODE, PC } from '../layout.js';
import * as op from '../ops.js';
import { IS_PRIVILEGED, IS_STORE, SITE_SHIFT, SIZE_SHIFT } from './beside-memory.js';
import { C_LOCAL, NZ_LOCAL, NZ_OF_OPERANDS, OF_ADD, OF_SUB, V_LOCAL } from './flag-state.js';
import type { Label, Local } from './function-writer.js';
import * as wasm from './opcodes.js';
import type { PlainAccess } from './plain-access.js';
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

/** Numbers of the functions that instructions are brought to. */
export interface StepFunctions {
  readonly step: () => number;
  readonly access: () => number;
}

/** Places where a region is left in mid-block, or calls the interpreter instead. */
export class RegionLeaves {
  private readonly frame: RegionFrame;
  private readonly functions: StepFunctions;
  /** By what is pending: the label of the common exit, or -1, and whether anything leads there. */
  private readonly labels = new Int32Array(2 * NZ_OF_OPERANDS).fill(-1);
  private readonly used = new Uint8Array(2 * NZ_OF_OPERANDS);
  private number = 0;
  private firstStep = 0;
  /** Where the interpreter is called, and the instruction at the last of them. */
  private readonly steps: StepSite[] = [];
  private lastStep = -1;

  constructor(frame: RegionFrame, functions: StepFunctions) {
    this.frame = frame;
    this.functions = functions;
  }

  get sites(): readonly StepSite[] {
    return this.steps.slice();
  }

  /** Opens the blocks whose ends are the common exits. `slot` and `firstStep` are `RegionEmitter.emit`'s. */
  open(slot: number, firstStep: number): void {
    this.number = slot;
    this.firstStep = firstStep;
    this.steps.length = 0;
    this.lastStep = -1;
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
    this.frame.counts?.addLeft();
    // The instructions from the one that is left at were paid for and not executed.
    w.storeWord(BUDGET, () => {
      w.get(this.frame.budget);
      w.get(this.frame.exitCode);
      w.shiftRight(8);
      w.and(0xff);
      w.op(wasm.I32_ADD);
    });
    w.storeWord(EXIT_CODE, () => {
      w.get(this.frame.exitCode);
      w.and(0xff);
      w.i32(this.number << 8);
      w.op(wasm.I32_OR);
    });
    w.get(this.frame.pageVa);
    w.get(this.frame.exitCode);
    w.shiftRight(16);
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
    this.frame.counts?.leave();
    const label = this.leaveLabel();
    const { mask } = this.frame.flags;
    if (label < 0) this.frame.flags.flush();
    this.frame.w.br(label < 0 ? this.labels[0]! : label);
    this.frame.flags.mask = mask;
  }

  leaveIf(): void {
    this.frame.counts?.leave();
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
    const { w } = this.frame;
    w.i32(this.beforeStep());
    this.frame.pushVa(this.frame.block.offsets[this.frame.at.instruction]!);
    this.pushBudget();
    this.called(() => {
      w.call(this.functions.step());
      this.endWhen();
    });
  }

  /** Pushes what the load that is the instruction being written finds beside memory, or stores there; the instruction goes on. */
  access(va: Local, { isStore, flags, register }: PlainAccess, isPrivileged: boolean): void {
    const { w } = this.frame;
    const site = this.beforeStep();
    w.storeWord(PC, () => this.frame.pushVa(this.frame.block.offsets[this.frame.at.instruction]!));
    w.i32((site << SITE_SHIFT) | ((flags & op.MEM_SIZE) << SIZE_SHIFT) | (isPrivileged ? IS_PRIVILEGED : 0) | (isStore ? IS_STORE : 0));
    w.get(va);
    this.pushBudget();
    if (isStore) this.frame.instructions.pushWord(register);
    else w.i32(0);
    this.called(() => {
      w.call(this.functions.access());
      if (isStore) w.op(wasm.DROP);
      w.loadWord(ACCESS_ENDS);
      this.endWhen();
    });
  }

  private called(write: () => void): void {
    if (this.frame.counts === undefined) write();
    else this.frame.counts.around(write);
  }

  /** Everything into the state words. Returns the number of the site. */
  private beforeStep(): number {
    const { flags, at } = this.frame;
    const { mask } = flags;
    flags.flush();
    flags.mask = mask;
    this.frame.instructions.storeRegisters(at.dirty);
    if (this.lastStep !== at.instruction) this.addSite(at.block, at.instruction);
    return this.firstStep + this.steps.length - 1;
  }

  private addSite({ end, next }: RegionBlock, k: number): void {
    const { block, plan } = this.frame;
    const { offsets, itstates } = block;
    this.steps.push({ offset: offsets[k]!, next: k + 1 < end ? offsets[k + 1]! : next, itstate: itstates[k]!, plain: plan.plain[k] });
    this.lastStep = k;
  }

  /** What is left for the instruction being written and all after it. */
  private pushBudget(): void {
    const { w, at } = this.frame;
    w.get(this.frame.budget);
    w.i32(at.block.end - at.instruction);
    w.op(wasm.I32_ADD);
  }

  /** Leaves when the i32 on the stack is not 0: the state says how to go on. */
  private endWhen(): void {
    const { w } = this.frame;
    w.if();
    w.i32(1);
    w.op(wasm.RETURN);
    w.end();
  }
}

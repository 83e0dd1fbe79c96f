import { BUDGET, CPSR_CONTROL, DECODE_MODE, EXIT_CODE, JUMP_FUNCTION, JUMP_PC, PC } from '../layout.js';
import * as op from '../ops.js';
import { EXIT_RESYNC } from './exit-codes.js';
import type { Label } from './function-writer.js';
import { DEEPEST_CALL, jumpWord, pushJumpSlot } from './jump-slot.js';
import * as wasm from './opcodes.js';
import type { Sibling } from './region.js';
import { DEPTH, type RegionFrame } from './region-frame.js';
import { isReturn } from './returns.js';

/** CPSR.T. */
const CPSR_T = 1 << 5;

/** What ways from block to block need of who writes blocks. */
export interface RegionStructure {
  /** Branches to a block of the region. */
  readonly branchTo: (index: number) => void;
  /** Leaves at the beginning of a block when the budget does not reach to the next look. */
  readonly checkBudget: (index: number) => void;
}

/** Where blocks lead to: other blocks, calls, returns, other regions. */
export class RegionWays {
  private readonly frame: RegionFrame;
  private readonly followFunction: (() => number) | undefined;
  private readonly structure: RegionStructure;

  /** `followFunction` gives the number of `RegionHost.follow`; without it regions are not linked. */
  constructor(frame: RegionFrame, followFunction: (() => number) | undefined, structure: RegionStructure) {
    this.frame = frame;
    this.followFunction = followFunction;
    this.structure = structure;
  }

  /** Goes on at an offset from the page, in the region or elsewhere. */
  goto(offset: number): void {
    const { mask } = this.frame.flags;
    const index = this.frame.at.block.resyncs ? -1 : this.frame.graph.blockAt(offset);
    if (index >= 0) this.structure.branchTo(index);
    else {
      this.frame.pushVa(offset);
      this.frame.w.set(this.frame.result);
      this.jump(this.frame.mode.key, offset);
    }
    this.frame.flags.mask = mask;
  }

  exit(i: number): void {
    const { w } = this.frame;
    const base = i * op.STRIDE;
    const a = this.frame.code[base + 1]!;
    const { mask } = this.frame.flags;
    switch (this.frame.code[base]) {
      case op.GOTO:
        if (this.links()) this.callTo(() => this.frame.pushVa(a), this.frame.mode.key, a);
        else this.goto(a);
        break;
      case op.BRANCH_IF:
        this.frame.instructions.push(a);
        w.if();
        this.goto(this.frame.code[base + 2]!);
        w.end();
        this.goto(this.frame.code[base + 3]!);
        break;
      case op.JUMP:
        this.frame.instructions.push(a);
        w.set(this.frame.result);
        this.leaveTo(a, this.frame.mode.key);
        break;
      case op.JUMP_EXCHANGE:
        this.exchange(a);
        break;
      case op.RESYNC:
        if (this.frame.plan.inlined[this.frame.at.instruction]) this.goto(this.frame.at.block.next);
        else this.resync();
        break;
      default:
        throw new Error(`[engine] [wasm] unknown micro-operation ${this.frame.code[base]}`);
    }
    this.frame.flags.mask = mask;
  }

  private links(): boolean {
    return this.frame.plan.links[this.frame.at.instruction]! && !this.frame.at.block.resyncs;
  }

  /** Interworking: bit 0 of the target says which instruction set goes on. */
  private exchange(v: number): void {
    const { w } = this.frame;
    const { thumb, key } = this.frame.mode;
    const known = this.frame.code[v * op.STRIDE] === op.PAGE_PC ? this.frame.code[v * op.STRIDE + 1]! & 1 : undefined;
    this.frame.instructions.push(v);
    w.set(this.frame.result);
    const { mask } = this.frame.flags;
    if (known === undefined) {
      w.get(this.frame.result);
      w.and(1);
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
    this.frame.flags.mask = mask;
    if (known === (thumb ? 0 : 1)) return;
    this.align(thumb);
    this.leaveTo(v, key);
  }

  private align(thumb: boolean): void {
    const { w } = this.frame;
    w.get(this.frame.result);
    w.and(thumb ? ~1 : ~3);
    w.set(this.frame.result);
  }

  /** To the VA in `result`, in decode mode `key`: a call, a return or a jump. */
  private leaveTo(v: number, key: number): void {
    if (this.links()) this.callTo(() => this.frame.w.get(this.frame.result), key);
    else if (isReturn(this.frame.block, v) && !this.frame.at.block.resyncs) {
      this.finish();
      this.frame.w.get(this.frame.result);
      this.frame.w.op(wasm.RETURN);
    } else {
      if (key === this.frame.mode.key && !this.frame.at.block.resyncs) this.dispatchJump();
      this.jump(key);
    }
  }

  /** Branches to where the jump to the VA in `result` has been seen to lead, as far as that is in the region; goes on when it is elsewhere. */
  private dispatchJump(): void {
    const { w, flags, graph, mode } = this.frame;
    const known = this.frame.at.block.targets.filter((offset) => graph.blockAt(offset) >= 0);
    if (known.length === 0) return;
    const shift = mode.thumb ? 1 : 2;
    const least = Math.min(...known);
    const { mask } = flags;
    const elsewhere = w.block();
    const labels = known.map(() => w.block());
    w.get(this.frame.result);
    this.frame.pushVa(least);
    w.op(wasm.I32_SUB);
    w.shiftRight(shift);
    w.brTable(
      Array.from({ length: ((Math.max(...known) - least) >> shift) + 1 }, (_, i) => {
        const at = known.indexOf(least + (i << shift));
        return at < 0 ? elsewhere : labels[at]!;
      }),
      elsewhere,
    );
    for (let i = known.length - 1; i >= 0; i--) {
      w.end();
      this.structure.branchTo(graph.blockAt(known[i]!));
      flags.mask = mask;
    }
    w.end();
  }

  /** Everything into the state words: the function ends, or another begins. */
  private finish(): void {
    const { w } = this.frame;
    this.frame.flags.flush();
    this.frame.instructions.storeRegisters(this.frame.at.dirty);
    w.storeLocal(BUDGET, this.frame.budget);
  }

  private resync(): void {
    const { w } = this.frame;
    this.finish();
    w.storeWord(EXIT_CODE, () => w.i32(EXIT_RESYNC));
    w.i32(1);
    w.op(wasm.RETURN);
  }

  /** To the VA in `result`, `offset` from the page if that is known, for good. */
  private jump(key: number, offset?: number): void {
    const { w } = this.frame;
    this.finish();
    if (this.frame.at.block.resyncs) {
      w.storeLocal(PC, this.frame.result);
      w.storeWord(EXIT_CODE, () => w.i32(EXIT_RESYNC));
      w.i32(1);
      w.op(wasm.RETURN);
      return;
    }
    if (this.followFunction === undefined) {
      w.get(this.frame.result);
      w.op(wasm.RETURN);
      return;
    }
    const sibling = offset === undefined ? undefined : this.frame.sibling(offset, key);
    if (sibling !== undefined) this.enterSibling(sibling);
    w.get(this.frame.result);
    w.i32(key);
    w.get(DEPTH);
    w.returnCall(this.followFunction());
  }

  /**
   * What `follow` does for the VA in `result`, when the jump table has this region for it; goes on when it has another, or none. A call branches to `called`
   * afterwards, a jump is without.
   */
  private enterSibling({ number, slot }: Sibling, called?: Label): void {
    const { w } = this.frame;
    const other = w.block();
    const at = w.borrow();
    pushJumpSlot(w, this.frame.result);
    w.tee(at);
    w.access(wasm.I32_LOAD, 2, jumpWord(w, JUMP_PC));
    w.get(this.frame.result);
    w.op(wasm.I32_NE);
    w.brIf(other);
    // Its decode mode is the region's.
    w.get(at);
    w.access(wasm.I32_LOAD, 2, jumpWord(w, JUMP_FUNCTION));
    w.i32(slot);
    w.op(wasm.I32_NE);
    w.brIf(other);
    if (called !== undefined) {
      w.get(DEPTH);
      w.i32(DEEPEST_CALL);
      w.op(wasm.I32_GE_U);
      w.brIf(other);
    }
    w.i32(0);
    w.get(this.frame.result);
    w.get(DEPTH);
    if (called === undefined) w.returnCallDefined(number);
    else {
      w.i32(1);
      w.op(wasm.I32_ADD);
      w.callDefined(number);
      w.set(this.frame.result);
      w.br(called);
    }
    w.end();
    w.release(at);
  }

  /** To the VA that `target` pushes, `offset` from the page if that is known, and back to the next instruction. */
  private callTo(target: () => void, key: number, offset?: number): void {
    const { w } = this.frame;
    const { next } = this.frame.at.block;
    target();
    w.set(this.frame.result);
    this.finish();
    if (this.followFunction === undefined) {
      w.get(this.frame.result);
      w.op(wasm.RETURN);
      return;
    }
    const missing = w.block();
    const sibling = offset === undefined ? undefined : this.frame.sibling(offset, key);
    const called = sibling === undefined ? undefined : w.block();
    if (sibling !== undefined) this.enterSibling(sibling, called);
    w.get(this.frame.result);
    w.i32(key);
    w.get(DEPTH);
    w.i32(1);
    w.op(wasm.I32_ADD);
    w.call(this.followFunction());
    w.set(this.frame.result);
    if (sibling !== undefined) w.end();
    w.get(this.frame.result);
    this.frame.pushVa(next);
    w.op(wasm.I32_NE);
    w.brIf(missing);
    // It is the same instruction only in the same instruction set.
    w.loadWord(DECODE_MODE);
    w.i32(this.frame.mode.key);
    w.op(wasm.I32_NE);
    w.brIf(missing);
    const index = this.frame.graph.blockAt(next);
    if (index >= 0) {
      this.frame.instructions.loadRegisters();
      w.loadWord(BUDGET);
      w.set(this.frame.budget);
      if (!this.frame.graph.headers.has(index)) this.structure.checkBudget(index);
      this.structure.branchTo(index);
    }
    w.end();
    w.get(this.frame.result);
    w.op(wasm.RETURN);
  }
}

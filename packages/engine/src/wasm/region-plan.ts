import type { VectorKernel } from '../kernel.js';
import { CPSR_CONTROL, FLAG_N, FLAG_V, PAGE_VA, PC, STORE_HASH } from '../layout.js';
import * as op from '../ops.js';
import { AFTER_CARRY, afterArithmetic, afterLogical, joinFlags } from './flag-state.js';
import type { InlineKernels } from './inline-kernels.js';
import type { Region, RegionBlock } from './region.js';

const isAccess = (kind: number): boolean => kind >= op.LOAD && kind <= op.STORE_MULTIPLE;
const isLoad = (kind: number): boolean => kind === op.LOAD || kind === op.LOAD_MULTIPLE;
const setsFlags = (kind: number): boolean => kind >= op.ADD_FLAGS && kind <= op.SET_NZC;
const isFlagWord = (word: number): boolean => word >= FLAG_N && word <= FLAG_V;
const isNever = (word: number): boolean => word === PAGE_VA || word === CPSR_CONTROL;

/** Told of each way from a block to another: offset of the target, flags on the way, whether it comes back from a call. */
export type EdgeVisitor = (target: number, flags: number, afterCall: boolean) => void;

/**
 * What the emitter must know of the micro-operations of a region beforehand. An instruction is left either before anything of it happened, at its
 * start, or at an access that misses; what it had written until then is undone. Where that is not possible the whole instruction is the interpreter's.
 * The interpreter is called for it, or the region is left.
 */
export class RegionPlan {
  /** First micro-operation of each instruction, and one past the last. */
  readonly starts: number[] = [];
  /** For each instruction: it is the interpreter's. */
  readonly interpreted: boolean[] = [];
  /** For each instruction: whether it may be left at an access or a call. */
  readonly mayLeave: boolean[] = [];
  /** For each instruction: the interpreter may be called for it, since the one after it is the next as a rule. */
  readonly steppable: boolean[] = [];
  /** For each instruction: the interpreter is called for it where it would be left. */
  readonly stepped: boolean[] = [];
  /** For each instruction: state words it writes before a place where it may be left. */
  readonly undo: (readonly number[])[] = [];
  /** For each instruction: it sets the link register to the next and branches. */
  readonly links: boolean[] = [];
  /** For each instruction: it has a call that is written out in the region. */
  readonly inlined: boolean[] = [];
  /** Bit n: rn is used or written. */
  registers = 0;
  writtenRegisters = 0;

  private region!: Region;
  private code!: Int32Array;
  private thumb = false;
  private readonly inlines: InlineKernels;
  private readonly hashesStores: boolean;

  constructor(inlines: InlineKernels, hashesStores = false) {
    this.inlines = inlines;
    this.hashesStores = hashesStores;
  }

  analyse(region: Region, thumb: boolean): void {
    const { builder } = region;
    this.region = region;
    this.code = builder.code;
    this.thumb = thumb;
    this.registers = 0;
    this.writtenRegisters = 0;
    const instructions = builder.offsets.length;
    for (const list of [this.starts, this.interpreted, this.mayLeave, this.steppable, this.stepped, this.undo, this.links, this.inlined])
      list.length = 0;
    let i = 0;
    for (let k = 0; k < instructions; k++) {
      this.starts.push(i);
      while (i < builder.count && this.code[i * op.STRIDE + 5] === k) i++;
    }
    this.starts.push(i);
    for (let k = 0; k < instructions; k++) {
      this.links.push(false);
      this.inlined.push(false);
      this.instruction(k, this.starts[k]!, this.starts[k + 1]!);
    }
    for (const block of region.blocks) {
      const k = block.end - 1;
      this.links[k] = this.isLinked(k, block.next);
    }
    this.chooseSteps(region);
  }

  private chooseSteps({ steps, blocks, builder }: Region): void {
    for (let k = 0; k < builder.offsets.length; k++) {
      this.steppable.push(steps !== undefined && this.mayLeave[k]! && this.goesOn(k));
      this.stepped.push(this.steppable[k]! && (this.interpreted[k]! || steps!.has(builder.offsets[k]!)));
    }
    // What sets ITSTATE in the middle of an IT block is not the instruction's own.
    for (const { resyncs, end } of blocks) if (resyncs) this.steppable[end - 1] = this.stepped[end - 1] = false;
  }

  /** Whether the instruction after it is the next unless something happens: it does not exit, or only so that everything is looked up again. */
  private goesOn(k: number): boolean {
    const { code } = this;
    let setsPc = false;
    for (let i = this.starts[k]!; i < this.starts[k + 1]!; i++) {
      const base = i * op.STRIDE;
      if (code[base] === op.SET_STATE && code[base + 1] === PC) setsPc = true;
      if (code[base]! >= op.GOTO && !(code[base] === op.RESYNC && setsPc)) return false;
    }
    return true;
  }

  /** A CALL that the interpreter must do. */
  isForeignCall(i: number): boolean {
    return (
      this.code[i * op.STRIDE] === op.CALL && !this.inlines.call.has(this.region.builder.kernels[this.code[i * op.STRIDE + 1]!] as never)
    );
  }

  private isLinked(k: number, next: number): boolean {
    const { code } = this;
    for (let i = this.starts[k]!; i < this.starts[k + 1]!; i++) {
      const base = i * op.STRIDE;
      if (code[base] !== op.SET_REG || code[base + 1] !== 14) continue;
      const value = code[base + 2]! * op.STRIDE;
      return code[value] === op.PAGE_PC && code[value + 1] === next + (this.thumb ? 1 : 0);
    }
    return false;
  }

  private lastLeave(from: number, to: number): number {
    for (let i = to - 1; i >= from; i--) {
      const kind = this.code[i * op.STRIDE]!;
      if (isAccess(kind) || kind === op.CALL) return i;
    }
    return -1;
  }

  private instruction(k: number, from: number, to: number): void {
    const undo: number[] = [];
    const last = this.lastLeave(from, to);
    const own = this.isOurs(k, from, to, last, undo);
    this.interpreted.push(!own);
    this.mayLeave.push(!own || last >= 0);
    this.undo.push(own ? undo : []);
    if (own) for (let i = from; i < to; i++) this.note(i);
  }

  private isOurs(k: number, from: number, to: number, last: number, undo: number[]): boolean {
    const { code } = this;
    let depth = 0;
    let loaded = false;
    let exited = false;
    for (let i = from; i < to; i++) {
      const kind = code[i * op.STRIDE]!;
      // Something is written after a branch: only UNPREDICTABLE destinations are.
      if (exited && kind !== op.END_IF) return false;
      exited = kind >= op.GOTO;
      if (kind === op.IF) depth++;
      else if (kind === op.END_IF) depth--;
      else if (kind === op.CALL) {
        if (!this.isForeignCall(i)) this.inlined[k] = true;
        else if (depth === 0) return false;
      }
      if (i < last) {
        // Doing these twice could be seen: flags that are read again, a kernel's accumulator, a load that finds what the instruction stored.
        if (setsFlags(kind) || (kind === op.VECTOR && !this.isRepeatable(i))) return false;
        if (loaded && (kind === op.STORE || kind === op.STORE_MULTIPLE)) return false;
      }
      if (isLoad(kind)) loaded = true;
      for (const word of this.wordsWritten(i)) {
        if (isNever(word) || (i < last && isFlagWord(word))) return false;
        if (kind === op.LOAD_MULTIPLE && word > PC - 1 && word < PAGE_VA) return false;
        if (i < last && !undo.includes(word)) undo.push(word);
      }
    }
    return true;
  }

  private isRepeatable(i: number): boolean {
    return (this.region.builder.kernels[this.code[i * op.STRIDE + 1]!] as VectorKernel).repeatable === true;
  }

  private wordsWritten(i: number): readonly number[] {
    const base = i * op.STRIDE;
    const kind = this.code[base];
    if (kind === op.SET_REG || kind === op.SET_STATE) return [this.code[base + 1]!];
    if (this.hashesStores && (kind === op.STORE || kind === op.STORE_MULTIPLE)) return [STORE_HASH];
    if (kind !== op.LOAD_MULTIPLE) return [];
    const start = this.code[base + 2]!;
    return this.region.builder.lists.slice(start, start + this.code[base + 3]!);
  }

  private note(i: number): void {
    const { code } = this;
    const base = i * op.STRIDE;
    const kind = code[base]!;
    const use = (word: number): void => {
      if (word >= 0 && word < PC) this.registers |= 1 << word;
    };
    if (kind === op.GET_REG || kind === op.GET_STATE) use(code[base + 1]!);
    else if (kind === op.STORE_MULTIPLE) for (let n = 0; n < code[base + 3]!; n++) use(this.region.builder.lists[code[base + 2]! + n]!);
    for (const word of this.wordsWritten(i)) {
      use(word);
      if (word < PC) this.writtenRegisters |= 1 << word;
    }
  }

  /** Bits of the registers that the block writes itself. */
  written(block: RegionBlock): number {
    let bits = 0;
    for (let k = block.first; k < block.end; k++) if (!this.interpreted[k]) bits |= this.writtenBy(k);
    return bits;
  }

  /** Bits of the registers that instruction `k` writes. */
  writtenBy(k: number): number {
    let bits = 0;
    for (let i = this.starts[k]!; i < this.starts[k + 1]!; i++) {
      for (const word of this.wordsWritten(i)) if (word < PC) bits |= 1 << word;
    }
    return bits;
  }

  /** Whether flags may be others after instruction `k`. */
  touchesFlags(k: number): boolean {
    if (this.interpreted[k]) return true;
    for (let i = this.starts[k]!; i < this.starts[k + 1]!; i++) {
      const kind = this.code[i * op.STRIDE]!;
      if (setsFlags(kind) || kind === op.CALL || (kind === op.SET_STATE && isFlagWord(this.code[i * op.STRIDE + 1]!))) return true;
    }
    return false;
  }

  endOf(start: number): number {
    let depth = 0;
    for (let i = start; ; i++) {
      const kind = this.code[i * op.STRIDE];
      if (kind === op.IF) depth++;
      else if (kind === op.END_IF && --depth === 0) return i;
    }
  }

  /** Whether micro-operations [from, to), outside of IFs among them, end with an exit. */
  leavesAlways(from: number, to: number): boolean {
    let depth = 0;
    for (let i = from; i < to; i++) {
      const kind = this.code[i * op.STRIDE]!;
      if (kind === op.IF) depth++;
      else if (kind === op.END_IF) depth--;
      else if (depth === 0 && (kind >= op.GOTO || this.isForeignCall(i))) return true;
    }
    return false;
  }

  /** Where the flags are after micro-operations [from, to) that do not exit. */
  flagsAfter(from: number, to: number, before: number): number {
    const { code } = this;
    let mask = before;
    for (let i = from; i < to; i++) {
      const base = i * op.STRIDE;
      switch (code[base]) {
        case op.ADD_FLAGS:
        case op.SUB_FLAGS:
          mask = afterArithmetic(code[base] === op.SUB_FLAGS);
          break;
        case op.ADC_FLAGS:
          mask = AFTER_CARRY;
          break;
        case op.SET_NZ:
        case op.SET_NZC:
          mask = afterLogical(mask, code[base] === op.SET_NZC);
          break;
        case op.SET_STATE:
          if (isFlagWord(code[base + 1]!)) mask = 0;
          break;
        case op.CALL:
          mask = 0;
          break;
        case op.IF: {
          const end = this.endOf(i);
          if (!this.leavesAlways(i + 1, end)) mask = this.flagsOfIf(i + 1, end, mask);
          i = end;
          break;
        }
      }
    }
    return mask;
  }

  /** Where the flags are before the body of an IF that goes on after it, and where they are at its end. */
  flagsOfIf(from: number, to: number, before: number): number {
    let mask = before;
    for (;;) {
      const joined = joinFlags(mask, this.flagsAfter(from, to, mask));
      if (joined === mask) return mask;
      mask = joined;
    }
  }

  /** Where the flags are after an instruction that goes on; around a call of the interpreter they are in the state words. */
  private flagsAfterInstruction(k: number, before: number): number {
    if (this.stepped[k] && this.touchesFlags(k)) return 0;
    return this.flagsAfter(this.starts[k]!, this.starts[k + 1]!, before);
  }

  /** Calls `visit` for each way from the end of a block that may lead to another block, which is entered with `before`. */
  edges(block: RegionBlock, before: number, visit: EdgeVisitor): void {
    let mask = before;
    for (let k = block.first; k < block.end; k++) {
      if (this.interpreted[k] && !this.stepped[k]) return;
      if (k < block.end - 1) mask = this.flagsAfterInstruction(k, mask);
    }
    if (this.stepped[block.end - 1]) visit(block.next, this.flagsAfterInstruction(block.end - 1, mask), false);
    else if (!block.resyncs) this.exits(block, this.starts[block.end - 1]!, this.starts[block.end]!, mask, visit, true);
  }

  private exits(block: RegionBlock, from: number, to: number, before: number, visit: EdgeVisitor, goesOn: boolean): void {
    const { code } = this;
    const calls = this.links[block.end - 1]!;
    let mask = before;
    for (let i = from; i < to; i++) {
      const base = i * op.STRIDE;
      const kind = code[base]!;
      if (kind === op.IF) {
        const end = this.endOf(i);
        if (this.leavesAlways(i + 1, end)) this.exits(block, i + 1, end, mask, visit, false);
        else mask = this.flagsOfIf(i + 1, end, mask);
        i = end;
        continue;
      }
      if (kind < op.GOTO) {
        if (this.isForeignCall(i)) return;
        mask = this.flagsAfter(i, i + 1, mask);
        continue;
      }
      if (kind === op.BRANCH_IF) {
        visit(code[base + 2]!, mask, false);
        visit(code[base + 3]!, mask, false);
      } else if (kind === op.RESYNC) {
        if (this.inlined[block.end - 1]) visit(block.next, mask, false);
      } else if (calls) visit(block.next, 0, true);
      else if (kind === op.GOTO) visit(code[base + 1]!, mask, false);
      else for (const target of block.targets) visit(target, mask, false);
      return;
    }
    if (goesOn) visit(block.next, mask, false);
  }
}

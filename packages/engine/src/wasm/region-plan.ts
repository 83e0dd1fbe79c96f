import { fetchedBytes } from '../fetched-lines.js';
import type { VectorKernel } from '../kernel.js';
import { CPSR_CONTROL, FLAG_N, FLAG_V, PAGE_VA, PC, STORE_HASH } from '../layout.js';
import * as op from '../ops.js';
import { AFTER_CARRY, afterArithmetic, afterLogical, joinFlags } from './flag-state.js';
import type { InlineKernels } from './inline-kernels.js';
import type { PlainAccess } from './plain-access.js';
import { plainAccessOf } from './plain-access.js';
import type { Region, RegionBlock, RegionVariant } from './region.js';

const isAccess = (kind: number): boolean => kind >= op.LOAD && kind <= op.STORE_MULTIPLE;
const setsFlags = (kind: number): boolean => kind >= op.ADD_FLAGS && kind <= op.SET_NZC;
const isFlagWord = (word: number): boolean => word >= FLAG_N && word <= FLAG_V;
/** Most instructions have nothing to undo. */
const NOTHING: readonly number[] = [];

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
  /** For each instruction: it was found to be left often. */
  readonly leftOften: boolean[] = [];
  /** For each instruction that the interpreter is called for: what it is, if it is simple. */
  readonly plain: (PlainAccess | undefined)[] = [];
  /** For each instruction: state words it writes before a place where it may be left. */
  readonly undo: (readonly number[])[] = [];
  /** For each instruction: offsets of bytes whose line of code may be new, where fetches are counted. */
  readonly fetches: (readonly number[])[] = [];
  /** For each instruction: it sets the link register to the next and branches. */
  readonly links: boolean[] = [];
  /** For each instruction: it has a call that is written out in the region. */
  readonly inlined: boolean[] = [];
  /** For each instruction: it has a call, which writes whatever registers it likes when the interpreter does it. */
  readonly calls: boolean[] = [];
  /** Bit n: rn is used or written. */
  registers = 0;
  writtenRegisters = 0;

  /** For each instruction: bits of the registers that it writes; whether flags may be others after it. */
  private readonly writes: number[] = [];
  private readonly touches: boolean[] = [];
  /** What {@link isOurs} has found that must be undone. */
  private readonly undone: number[] = [];
  private region!: Region;
  private code!: Int32Array;
  private thumb = false;
  private readonly inlines: InlineKernels;
  private readonly hashesStores: boolean;
  /** Given where accesses are counted. */
  private readonly fetchLog2: number | undefined;
  /** Instructions that are in two lines of code, where fetches are counted. */
  private readonly inTwoLines = new Set<number>();

  constructor(inlines: InlineKernels, { hashesStores = false, hits }: RegionVariant = {}) {
    this.inlines = inlines;
    this.hashesStores = hashesStores;
    this.fetchLog2 = hits?.fetchLog2;
  }

  analyse(region: Region, thumb: boolean): void {
    const { builder } = region;
    this.region = region;
    this.code = builder.code;
    this.thumb = thumb;
    this.registers = 0;
    this.writtenRegisters = 0;
    const instructions = builder.offsets.length;
    let i = 0;
    // Nothing is taken away from the lists: they would begin to grow anew with each region.
    for (let k = 0; k < instructions; k++) {
      this.starts[k] = i;
      while (i < builder.count && this.code[i * op.STRIDE + 5] === k) i++;
    }
    this.starts[instructions] = i;
    if (this.fetchLog2 !== undefined) this.findInTwoLines(region, this.fetchLog2);
    for (let k = 0; k < instructions; k++) {
      this.links[k] = false;
      this.inlined[k] = false;
      this.calls[k] = false;
      this.fetches[k] = NOTHING;
      this.instruction(k, this.starts[k]!, this.starts[k + 1]!);
    }
    for (const block of region.blocks) {
      const k = block.end - 1;
      this.links[k] = this.isLinked(k, block.next);
    }
    if (this.fetchLog2 !== undefined) this.findFetches(region, this.fetchLog2);
    this.chooseSteps(region);
  }

  /**
   * Whether an instruction may be left at an access after something of it was counted: another access, or one of its two lines of code, of which the interpreter
   * would not know that they were fetched.
   */
  private countsBefore(k: number, from: number, last: number): boolean {
    return this.fetchLog2 !== undefined && (this.inTwoLines.has(k) || this.lastLeave(from, last) >= 0);
  }

  private findInTwoLines({ blocks, builder: { offsets } }: Region, log2: number): void {
    this.inTwoLines.clear();
    for (const { first, end, next } of blocks) {
      for (let k = first; k < end; k++) {
        const last = (k + 1 < end ? offsets[k + 1]! : next) - 1;
        if (offsets[k]! >>> log2 !== last >>> log2) this.inTwoLines.add(k);
      }
    }
  }

  private findFetches({ blocks, builder: { offsets } }: Region, log2: number): void {
    for (const { first, end, next } of blocks) {
      for (let k = first; k < end; k++) {
        if (this.interpreted[k]) continue;
        const bytes = fetchedBytes(offsets[k]!, k + 1 < end ? offsets[k + 1]! : next, k === first, log2);
        this.fetches[k] = bytes;
        if (bytes.length > 0) this.mayLeave[k] = true;
      }
    }
  }

  /** What is known once it is known how blocks are come to: `cameByLine` says for each whether its first line is the one that was fetched last. */
  forgetFetches(cameByLine: (log2: number) => readonly boolean[]): void {
    if (this.fetchLog2 === undefined) return;
    const came = cameByLine(this.fetchLog2);
    this.region.blocks.forEach(({ first }, i) => {
      if (came[i]) this.fetches[first] = this.fetches[first]!.slice(1);
    });
  }

  private chooseSteps({ steps, blocks, builder }: Region): void {
    for (let k = 0; k < builder.offsets.length; k++) {
      this.steppable[k] = steps !== undefined && this.mayLeave[k]! && this.goesOn(k);
      this.leftOften[k] = this.steppable[k]! && steps!.has(builder.offsets[k]!);
      // Where accesses are counted a miss is nothing rare, and leaving for it costs more than ten calls.
      const isStepped = this.interpreted[k]! || this.leftOften[k]! || (this.fetchLog2 !== undefined && this.hasAccess(k));
      this.stepped[k] = this.steppable[k]! && isStepped;
    }
    // What sets ITSTATE in the middle of an IT block is not the instruction's own.
    for (const { resyncs, end } of blocks) if (resyncs) this.steppable[end - 1] = this.stepped[end - 1] = false;
    for (let k = 0; k < builder.offsets.length; k++) {
      const isOwn = this.stepped[k]! && !this.interpreted[k] && builder.itstates[k] === 0;
      this.plain[k] = isOwn ? plainAccessOf(builder, this.starts[k]!, this.starts[k + 1]!) : undefined;
    }
  }

  private hasAccess(k: number): boolean {
    return this.lastLeave(this.starts[k]!, this.starts[k + 1]!) >= 0;
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
    const last = this.lastLeave(from, to);
    if (this.undone.length > 0) this.undone.length = 0;
    const own = (last < 0 || !this.countsBefore(k, from, last)) && this.isOurs(k, from, to, last);
    this.interpreted[k] = !own;
    this.mayLeave[k] = !own || last >= 0;
    this.undo[k] = own && this.undone.length > 0 ? this.undone.slice() : NOTHING;
    this.summarize(k, from, to, own);
  }

  private isOurs(k: number, from: number, to: number, last: number): boolean {
    const { code } = this;
    let depth = 0;
    let loaded = false;
    let exited = false;
    for (let i = from; i < to; i++) {
      const base = i * op.STRIDE;
      const kind = code[base]!;
      // Something is written after a branch: only UNPREDICTABLE destinations are.
      if (exited && kind !== op.END_IF) return false;
      exited = kind >= op.GOTO;
      if (kind === op.IF) depth++;
      else if (kind === op.END_IF) depth--;
      else if (kind === op.CALL) {
        this.calls[k] = true;
        if (!this.isForeignCall(i)) this.inlined[k] = true;
        else if (depth === 0) return false;
      }
      const before = i < last;
      if (before) {
        // Doing these twice could be seen: flags that are read again, a kernel's accumulator, a load that finds what the instruction stored.
        if (setsFlags(kind) || (kind === op.VECTOR && !this.isRepeatable(i))) return false;
        if (loaded && (kind === op.STORE || kind === op.STORE_MULTIPLE)) return false;
      }
      if (kind === op.LOAD || kind === op.LOAD_MULTIPLE) loaded = true;
      if (kind === op.SET_REG || kind === op.SET_STATE) {
        if (!this.mayWrite(code[base + 1]!, before)) return false;
      } else if (kind === op.LOAD_MULTIPLE) {
        const start = code[base + 2]!;
        for (let n = 0; n < code[base + 3]!; n++) {
          const word = this.region.builder.lists[start + n]!;
          if (!this.mayWrite(word, before) || (word >= PC && word < PAGE_VA)) return false;
        }
      } else if (this.hashesStores && (kind === op.STORE || kind === op.STORE_MULTIPLE)) this.mayWrite(STORE_HASH, before);
    }
    return true;
  }

  /** Whether regions may write a state word, `before` a place where the instruction may be left: then it must be undone there. */
  private mayWrite(word: number, before: boolean): boolean {
    if (word === PAGE_VA || word === CPSR_CONTROL || (before && isFlagWord(word))) return false;
    if (before && !this.undone.includes(word)) this.undone.push(word);
    return true;
  }

  private isRepeatable(i: number): boolean {
    return (this.region.builder.kernels[this.code[i * op.STRIDE + 1]!] as VectorKernel).repeatable === true;
  }

  /** Notes which registers the instruction writes and whether flags may be others after it, and, of those that are `own`, what the region needs. */
  private summarize(k: number, from: number, to: number, own: boolean): void {
    const { code } = this;
    const { lists } = this.region.builder;
    let read = 0;
    let written = 0;
    let touches = !own;
    for (let i = from; i < to; i++) {
      const base = i * op.STRIDE;
      const kind = code[base]!;
      const a = code[base + 1]!;
      if (kind < op.ADD) {
        if (a < PC && (kind === op.GET_REG || kind === op.GET_STATE)) read |= 1 << a;
      } else if (kind === op.SET_REG || kind === op.SET_STATE) {
        if (a < PC) written |= 1 << a;
        else if (kind === op.SET_STATE && isFlagWord(a)) touches = true;
      } else if (kind === op.LOAD_MULTIPLE) {
        for (let n = 0; n < code[base + 3]!; n++) {
          const word = lists[code[base + 2]! + n]!;
          if (word < PC) written |= 1 << word;
        }
      } else if (kind === op.STORE_MULTIPLE) {
        for (let n = 0; n < code[base + 3]!; n++) {
          const word = lists[code[base + 2]! + n]!;
          if (word >= 0 && word < PC) read |= 1 << word;
        }
      } else if (kind === op.CALL || setsFlags(kind)) touches = true;
    }
    this.writes[k] = written;
    this.touches[k] = touches;
    if (!own) return;
    this.registers |= read | written;
    this.writtenRegisters |= written;
  }

  /** Bits of the registers that the block writes itself. */
  written(block: RegionBlock): number {
    let bits = 0;
    for (let k = block.first; k < block.end; k++) if (!this.interpreted[k]) bits |= this.writes[k]!;
    return bits;
  }

  /** Bits of the registers that instruction `k` writes. */
  writtenBy(k: number): number {
    return this.writes[k]!;
  }

  /** Whether flags may be others after instruction `k`. */
  touchesFlags(k: number): boolean {
    return this.touches[k]!;
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
    if (!this.touches[k]) return before;
    if (this.stepped[k]) return 0;
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

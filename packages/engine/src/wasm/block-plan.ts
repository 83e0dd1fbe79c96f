import type { Builder } from '../builder.js';
import { CPSR_CONTROL, FLAG_N, FLAG_V, PAGE_VA, PC } from '../layout.js';
import * as op from '../ops.js';

const isAccess = (kind: number): boolean => kind >= op.LOAD && kind <= op.STORE_MULTIPLE;
const isLoad = (kind: number): boolean => kind === op.LOAD || kind === op.LOAD_MULTIPLE;
const setsFlags = (kind: number): boolean => kind >= op.ADD_FLAGS && kind <= op.SET_NZC;
const isFlagWord = (word: number): boolean => word >= FLAG_N && word <= FLAG_V;
const isNever = (word: number): boolean => word === PAGE_VA || word === CPSR_CONTROL;

/**
 * What the emitter must know of a block beforehand. An instruction is left either before anything of it happened, at its start, or at an access that
 * misses; what it had written until then is undone. Where that is not possible the whole instruction is the interpreter's.
 */
export class BlockPlan {
  /** Instructions that are translated; the one after them, if any, is left to the interpreter. */
  translated = 0;
  /** Bit n: rn is used or written by these. */
  registers = 0;
  writtenRegisters = 0;
  usesPageVa = false;
  setsFlags = false;
  /** The block may branch to its own beginning. */
  loops = false;
  /** First micro-operation of each instruction, and one past the last. */
  readonly starts: number[] = [];
  /** For each instruction: whether it may be left at an access or a call. */
  readonly mayLeave: boolean[] = [];
  /** For each instruction: state words it writes before a place where it may be left. */
  readonly undo: (readonly number[])[] = [];

  private block!: Builder;

  analyse(block: Builder): void {
    this.block = block;
    this.registers = 0;
    this.writtenRegisters = 0;
    this.usesPageVa = false;
    this.setsFlags = false;
    this.loops = false;
    this.starts.length = 0;
    this.mayLeave.length = 0;
    this.undo.length = 0;
    const instructions = block.offsets.length;
    let i = 0;
    for (let k = 0; k < instructions; k++) {
      this.starts.push(i);
      while (i < block.count && block.code[i * op.STRIDE + 5] === k) i++;
    }
    this.starts.push(i);
    this.translated = instructions;
    for (let k = 0; k < instructions; k++) {
      if (!this.instruction(this.starts[k]!, this.starts[k + 1]!)) {
        this.translated = k;
        return;
      }
    }
  }

  private lastLeave(from: number, to: number): number {
    for (let i = to - 1; i >= from; i--) {
      const kind = this.block.code[i * op.STRIDE]!;
      if (isAccess(kind) || kind === op.CALL) return i;
    }
    return -1;
  }

  /** False when the instruction is the interpreter's. */
  private instruction(from: number, to: number): boolean {
    const { code } = this.block;
    const last = this.lastLeave(from, to);
    const undo: number[] = [];
    let depth = 0;
    let loaded = false;
    for (let i = from; i < to; i++) {
      const kind = code[i * op.STRIDE]!;
      if (kind === op.IF) depth++;
      else if (kind === op.END_IF) depth--;
      else if (kind === op.CALL && depth === 0) return false;
      if (i < last) {
        // Doing these twice could be seen: flags that are read again, a kernel's accumulator, a load that finds what the instruction stored.
        if (setsFlags(kind) || kind === op.VECTOR) return false;
        if (loaded && (kind === op.STORE || kind === op.STORE_MULTIPLE)) return false;
      }
      if (isLoad(kind)) loaded = true;
      for (const word of this.wordsWritten(i)) {
        if (isNever(word) || (i < last && isFlagWord(word))) return false;
        if (kind === op.LOAD_MULTIPLE && word > PC - 1 && word < PAGE_VA) return false;
        if (i < last && !undo.includes(word)) undo.push(word);
      }
    }
    for (let i = from; i < to; i++) this.note(i);
    this.mayLeave.push(last >= 0);
    this.undo.push(undo);
    return true;
  }

  private wordsWritten(i: number): readonly number[] {
    const { code, lists } = this.block;
    const base = i * op.STRIDE;
    const kind = code[base];
    if (kind === op.SET_REG || kind === op.SET_STATE) return [code[base + 1]!];
    if (kind !== op.LOAD_MULTIPLE) return [];
    return lists.slice(code[base + 2]!, code[base + 2]! + code[base + 3]!);
  }

  private use(word: number): void {
    if (word >= 0 && word < PC) this.registers |= 1 << word;
  }

  private note(i: number): void {
    const { code, lists, offsets, itstates } = this.block;
    const base = i * op.STRIDE;
    const kind = code[base]!;
    const loopsTo = (offset: number): void => {
      if (offset === offsets[0] && itstates[0] === 0) this.loops = true;
    };
    if (kind === op.GET_REG || kind === op.GET_STATE) this.use(code[base + 1]!);
    else if (kind === op.PAGE_PC) this.usesPageVa = true;
    else if (kind === op.GOTO) loopsTo(code[base + 1]!);
    else if (kind === op.BRANCH_IF) {
      loopsTo(code[base + 2]!);
      loopsTo(code[base + 3]!);
    } else if (kind === op.STORE_MULTIPLE) {
      for (let k = 0; k < code[base + 3]!; k++) this.use(lists[code[base + 2]! + k]!);
    }
    if (setsFlags(kind)) this.setsFlags = true;
    for (const word of this.wordsWritten(i)) {
      this.use(word);
      if (word < PC) this.writtenRegisters |= 1 << word;
    }
  }
}

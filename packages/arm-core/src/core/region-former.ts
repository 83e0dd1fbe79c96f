import type { Region, RegionBlock } from '@tablewalk/engine';
import { computedJump, layout, ops } from '@tablewalk/engine';
import type { DecodeMode } from '../isa/arm-builder.js';
import type { Translator } from './translator.js';
import { LONGEST_BLOCK } from './translator.js';

const NOWHERE: readonly number[] = [];

/** Instructions of one region. */
const MOST_INSTRUCTIONS = 800;

/**
 * Finds the code that belongs together: from the head along branches, not calls, within the page. Blocks that the interpreter never came to are left
 * out: it counts as a profile.
 */
export class RegionFormer {
  private readonly translator: Translator;
  /** Index of the instruction at each halfword of the page, or -1. */
  private readonly instructionAt = new Int32Array(2048);
  private blocks: RegionBlock[] = [];
  private readonly queue: number[] = [];

  /** The translator's builder holds the region afterwards, until the next. */
  constructor(translator: Translator) {
    this.translator = translator;
  }

  /** The region whose head is at `head` of the page at `pageOffset` of guest memory; undefined when there is nothing to translate. */
  form(
    mode: DecodeMode,
    pageOffset: number,
    head: number,
    wasExecuted: (offset: number) => boolean,
    jumpTargets: (from: number) => readonly number[],
    steps: ReadonlySet<number>,
  ): Region | undefined {
    const b = this.translator.builder;
    b.reset();
    b.setMode(mode);
    this.instructionAt.fill(-1);
    this.blocks = [];
    this.queue.length = 0;
    this.queue.push(head);
    for (let offset = this.queue.shift(); offset !== undefined; offset = this.queue.shift()) {
      const known = this.instructionAt[offset >> 1]!;
      if (known >= 0) this.split(known);
      else if (b.offsets.length < MOST_INSTRUCTIONS) this.decode(pageOffset, offset, wasExecuted, jumpTargets);
    }
    return this.blocks.length > 0 && this.blocks[0]!.end > 0 ? { builder: b, blocks: this.blocks, steps } : undefined;
  }

  /** What the page at `pageOffset` holds in these ranges of it, halfword by halfword. */
  codeOf(pageOffset: number, ranges: readonly (readonly [offset: number, next: number])[]): Uint16Array {
    const code: number[] = [];
    for (const [offset, next] of ranges) for (let at = offset; at < next; at += 2) code.push(this.translator.halfword(pageOffset, at));
    return Uint16Array.from(code);
  }

  /** A way leads to the middle of a block: it becomes two. */
  private split(instruction: number): void {
    const b = this.translator.builder;
    let at = 0;
    while (instruction < this.blocks[at]!.first || instruction >= this.blocks[at]!.end) at++;
    const block = this.blocks[at]!;
    if (block.first === instruction || b.itstates[instruction] !== 0) return;
    const offset = b.offsets[instruction]!;
    this.blocks.push({ ...block, offset, first: instruction });
    block.end = instruction;
    block.next = offset;
    block.resyncs = false;
    block.targets = [];
  }

  private decode(
    pageOffset: number,
    offset: number,
    wasExecuted: (offset: number) => boolean,
    jumpTargets: (from: number) => readonly number[],
  ): void {
    const b = this.translator.builder;
    const first = b.offsets.length;
    const it = this.translator.decode(pageOffset, offset, 0, (at, itstate) => {
      // The interpreter's block from here on must reach as far, since it goes on where the region leaves.
      if (b.offsets.length - first >= LONGEST_BLOCK) return true;
      const known = this.instructionAt[at >> 1]!;
      return itstate === 0 && known >= 0 && b.itstates[known] === 0;
    });
    const end = b.offsets.length;
    if (end === first) return;
    for (let k = first; k < end; k++) this.instructionAt[b.offsets[k]! >> 1] = k;
    const last = this.firstOperation(end - 1);
    if (it !== 0 && !b.ended) b.setState(layout.ITSTATE, b.const(it));
    const resyncs = it !== 0 || this.setsItState(last);
    const jumps = resyncs || computedJump(b) < 0 ? NOWHERE : jumpTargets(b.offsets[end - 1]!);
    this.blocks.push({ offset, first, end, next: b.nextOffset, resyncs, targets: jumps });
    if (resyncs) return;
    const go = (target: number): void => {
      if (target >= 0 && target < 4096 && wasExecuted(target)) this.queue.push(target);
    };
    this.targets(last, go);
    for (const target of jumps) go(target);
  }

  /** Of the last instruction, which is this one, the first micro-operation. */
  private firstOperation(instruction: number): number {
    const { code, count } = this.translator.builder;
    let first = count;
    while (first > 0 && code[(first - 1) * ops.STRIDE + 5] === instruction) first--;
    return first;
  }

  private setsItState(from: number): boolean {
    const { code, count } = this.translator.builder;
    for (let base = from * ops.STRIDE; base < count * ops.STRIDE; base += ops.STRIDE)
      if (code[base] === ops.SET_STATE && code[base + 1] === layout.ITSTATE) return true;
    return false;
  }

  /** Calls `go` with the offsets where a block may go on whose last instruction consists of micro-operations from `from` on. */
  private targets(from: number, go: (offset: number) => void): void {
    const b = this.translator.builder;
    const { code } = b;
    const end = b.count * ops.STRIDE;
    const next = b.nextOffset;
    let isCall = false;
    for (let base = from * ops.STRIDE; base < end; base += ops.STRIDE) {
      if (code[base] !== ops.SET_REG || code[base + 1] !== 14) continue;
      const value = code[base + 2]! * ops.STRIDE;
      if (code[value] === ops.PAGE_PC && code[value + 1] === next + (b.thumb ? 1 : 0)) isCall = true;
    }
    let isConditional = false;
    let setsPc = false;
    for (let base = from * ops.STRIDE; base < end; base += ops.STRIDE) {
      switch (code[base]) {
        case ops.IF:
          isConditional = true;
          break;
        case ops.SET_STATE:
          if (code[base + 1] === layout.PC) setsPc = true;
          break;
        case ops.GOTO:
          if (!isCall) go(code[base + 1]!);
          break;
        case ops.BRANCH_IF:
          go(code[base + 2]!);
          go(code[base + 3]!);
          break;
        case ops.RESYNC:
          // Only to look everything up again, which is seldom necessary.
          if (setsPc) go(next);
          break;
      }
    }
    if (isConditional || isCall || !b.ended) go(next);
  }
}

import type { Block, BlockCompiler } from '@tablewalk/engine';
import { finishBlock, layout, ops } from '@tablewalk/engine';
import type { DecodeMode } from '../isa/arm-builder.js';
import { ArmBuilder } from '../isa/arm-builder.js';
import type { Decoded, DecodeTable } from '../isa/decode-table.js';
import type { CoreProfile } from '../profiles/profile.js';

/** Decode tables of the three encoding spaces. */
export interface InstructionSets {
  readonly a32: DecodeTable;
  readonly t32: DecodeTable;
  readonly t16: DecodeTable;
}

/** A block this long is worth ending: what follows is rarely reached without a branch. */
export const LONGEST_BLOCK = 48;

/** ITAdvance (ARM DDI 0406C, A2.5.2). */
export const advanceIt = (itstate: number): number => ((itstate & 7) === 0 ? 0 : (itstate & 0xe0) | ((itstate << 1) & 0x1f));

/** Reads guest code and makes blocks of it: decode, semantics into micro-operations, closures or compact code. */
export class Translator {
  readonly builder: ArmBuilder;
  private readonly sets: InstructionSets;
  private readonly compiler: BlockCompiler;
  private readonly fetch: (host: number) => number;
  private readonly profile: CoreProfile;

  /** `fetch` gives the halfword at an offset in guest memory. */
  constructor(profile: CoreProfile, sets: InstructionSets, compiler: BlockCompiler, fetch: (host: number) => number) {
    this.profile = profile;
    this.builder = new ArmBuilder(profile);
    this.sets = sets;
    this.compiler = compiler;
    this.fetch = fetch;
  }

  /** Halfword at `offset` of the page at `pageOffset` in guest memory. */
  halfword(pageOffset: number, offset: number): number {
    return this.fetch(pageOffset + offset);
  }

  /** True for the first halfword of a 32-bit T32 instruction (A6.1). */
  static isWide(halfword: number): boolean {
    return halfword >= 0xe800;
  }

  /**
   * Block from `offset` of the page whose first byte is at `pageOffset` of guest memory. Ends at an exit, the page's end, or a length. An instruction
   * that begins in the last halfword and goes on in the next page is only translated when it comes first and `second` is given: alone. At most `longest`
   * instructions.
   */
  translate(mode: DecodeMode, pageOffset: number, offset: number, itstate: number, second?: number, longest = LONGEST_BLOCK): Block {
    const b = this.builder;
    b.reset();
    b.setMode(mode);
    const it = this.decode(pageOffset, offset, itstate, () => b.offsets.length >= longest, second);
    if (!b.ended) {
      if (it !== 0) b.setState(layout.ITSTATE, b.const(it));
      b.goto(b.nextOffset);
    }
    return finishBlock(b, this.compiler.compile(b, mode.privileged, mode.thumb));
  }

  /**
   * Writes instructions from `offset` on to the builder, until one exits, the page ends or `stops` says so; returns ITSTATE after the last. With
   * `second` missing nothing is written of an instruction that goes on in the next page.
   */
  decode(pageOffset: number, offset: number, itstate: number, stops: (at: number, it: number) => boolean, second?: number): number {
    const b = this.builder;
    const first = b.offsets.length;
    let it = itstate;
    let at = offset;
    b.ended = false;
    while (at < 4096 && !b.ended && !stops(at, it)) {
      let word = this.halfword(pageOffset, at);
      let size = 2;
      if (!b.thumb) {
        word = ((this.halfword(pageOffset, at + 2) << 16) | word) >>> 0;
        size = 4;
      } else if (Translator.isWide(word)) {
        size = 4;
        if (at === 4094) {
          if (b.offsets.length > first || second === undefined) break;
          word = ((word << 16) | second) >>> 0;
        } else word = ((word << 16) | this.halfword(pageOffset, at + 2)) >>> 0;
      }
      it = this.instruction(word, at, size, it);
      at += size;
    }
    return it;
  }

  /** Writes one instruction; returns ITSTATE for the next. */
  private instruction(word: number, at: number, size: number, it: number): number {
    const b = this.builder;
    b.instruction(at, size, it);
    b.offset = at;
    b.size = size;
    b.word = word;
    b.inIt = it !== 0;
    const table = b.thumb ? (size === 2 ? this.sets.t16 : this.sets.t32) : this.sets.a32;
    const decoded = table.find(word);
    if (b.thumb && size === 2 && (word & 0xff00) === 0xbf00 && (word & 0x0f) !== 0) return word & 0xff;
    const next = it === 0 ? 0 : advanceIt(it);
    b.cond = this.condition(decoded, word, it);
    const mark = b.count;
    this.guarded(decoded);
    if (b.ended && next !== 0) {
      // The block is left in the middle of an IT block: ITSTATE goes on with the next instruction, unless an exception sets it.
      b.rewind(mark);
      b.setState(layout.ITSTATE, b.const(next));
      this.guarded(decoded);
    }
    return next;
  }

  private condition(decoded: Decoded | undefined, word: number, it: number): number {
    const own = decoded?.fields['c'];
    if (this.builder.thumb) return own ?? (it === 0 ? 14 : it >>> 4);
    return word >>> 28 === 15 ? 14 : word >>> 28;
  }

  private guarded(decoded: Decoded | undefined): void {
    const b = this.builder;
    if (b.cond >= 14) {
      this.semantics(decoded);
      return;
    }
    const holds = b.condition(b.cond);
    b.if(holds);
    const body = b.count;
    this.semantics(decoded);
    if (b.count === body + 1 && b.code[body * ops.STRIDE] === ops.GOTO) {
      const target = b.code[body * ops.STRIDE + 1]!;
      b.rewind(body - 1);
      b.branchIf(holds, target, b.nextOffset);
    } else b.endIf();
  }

  private semantics(decoded: Decoded | undefined): void {
    const b = this.builder;
    if (decoded === undefined || decoded.entry.encoding.needs?.some((feature) => !this.profile.features.has(feature))) b.undefined();
    else decoded.entry.encoding.semantics(b, decoded.fields);
  }
}

import type { Value } from '@tablewalk/engine';
import { Builder, layout, ops } from '@tablewalk/engine';
import type { CoreProfile } from '../profiles/profile.js';
import { raiseSvc, raiseUndefined } from '../system/kernels.js';

/** State that decoding depends on; translations are keyed by it (see `modeKey`). */
export interface DecodeMode {
  thumb: boolean;
  bigEndian: boolean;
  privileged: boolean;
  /** CPACR and FPEXC let VFP instructions execute. */
  vfpEnabled: boolean;
  /** ... and Advanced SIMD ones (CPACR.ASEDIS). */
  simdEnabled: boolean;
  /** FPSCR.LEN or STRIDE is not 0: VFP data processing is UNDEFINED on cores without short vectors. */
  shortVectors: boolean;
  /** SCTLR.A. */
  alignmentChecked: boolean;
}

/**
 * The micro-operation builder with the ARM's conventions: PC reads, interworking writes, endianness. Values and register numbers as in `Builder`.
 */
export class ArmBuilder extends Builder {
  thumb = false;
  bigEndian = false;
  privileged = true;
  vfpEnabled = true;
  simdEnabled = true;
  shortVectors = false;
  alignmentChecked = false;
  /** Offset of the current instruction from its page, and its size in bytes (2 or 4). */
  offset = 0;
  size = 4;
  /** Condition of the current instruction: its A32 field or its place in an IT block; 14 is always. */
  cond = 14;
  /** True inside an IT block: T16 data processing does not set flags. */
  inIt = false;
  /** The word being decoded (T32: first halfword in the upper half). For syndromes. */
  word = 0;

  readonly profile: CoreProfile;

  constructor(profile: CoreProfile) {
    super();
    this.profile = profile;
  }

  setMode(mode: DecodeMode): void {
    this.thumb = mode.thumb;
    this.bigEndian = mode.bigEndian;
    this.privileged = mode.privileged;
    this.vfpEnabled = mode.vfpEnabled;
    this.simdEnabled = mode.simdEnabled;
    this.shortVectors = mode.shortVectors;
    this.alignmentChecked = mode.alignmentChecked;
  }

  /** R[n] as an operand: 15 reads as the instruction's address + 8 (A32) or + 4 (T32). */
  reg(n: number): Value {
    return n === 15 ? this.pagePc(this.offset + (this.thumb ? 4 : 8)) : this.getReg(n);
  }
  /** Align(PC, 4), the base of literals and ADR. */
  pcAligned(): Value {
    return this.pagePc((this.offset + (this.thumb ? 4 : 8)) & ~3);
  }
  /** Address of the instruction `delta` bytes after this one's address. */
  here(delta: number): Value {
    return this.pagePc(this.offset + delta);
  }
  carry(): Value {
    return this.getState(layout.FLAG_C);
  }
  /** Q |= (v != 0). */
  orQ(v: Value): void {
    this.setState(layout.FLAG_Q, this.or(this.getState(layout.FLAG_Q), this.ne(v, this.const(0))));
  }

  /** Result of data processing: R[15] is an interworking branch in A32 and a simple one in T32 (ALUWritePC, A2.3.2). */
  writeAlu(n: number, v: Value): void {
    if (n !== 15) this.setReg(n, v);
    else if (this.thumb) this.branchTo(v);
    else this.jumpExchange(v);
  }
  /** Result of a load: R[15] is an interworking branch (LoadWritePC). */
  writeLoaded(n: number, v: Value): void {
    if (n !== 15) this.setReg(n, v);
    else this.jumpExchange(v);
  }
  /** Branch to a computed address in the same instruction set (BranchWritePC): low bits are dropped. */
  branchTo(v: Value): void {
    this.jump(this.and(v, this.const(this.thumb ? ~1 : ~3)));
  }

  /** Load of 1, 2 or 4 bytes in the current endianness; `flags` are further MEM_ flags. */
  read(address: Value, size: 1 | 2 | 4, flags = 0): Value {
    return this.load(address, size | flags | this.order(size));
  }
  write(address: Value, size: 1 | 2 | 4, v: Value, flags = 0): void {
    this.store(address, size | flags | this.order(size), v);
  }
  /** Consecutive words to registers (state words), word-aligned or an alignment fault. */
  readMultiple(address: Value, stateWords: readonly number[], flags: number = ops.MEM_ALIGNED): void {
    this.loadMultiple(address, stateWords, 4 | flags | this.order(4));
  }
  /** Consecutive words from state words (>= 0) or values (`~v`). */
  writeMultiple(address: Value, words: readonly number[], flags: number = ops.MEM_ALIGNED): void {
    this.storeMultiple(address, words, 4 | flags | this.order(4));
  }
  private order(size: number): number {
    return this.bigEndian && size > 1 ? ops.MEM_SWAP : 0;
  }

  /** Leaves the block after this instruction and looks everything up again: PC := next instruction. Semantics end with it after system effects. */
  endAfter(): void {
    this.setState(layout.PC, this.pagePc(this.offset + this.size));
    this.resync();
  }

  /** The Undefined Instruction exception. Ends the block. */
  undefined(): void {
    this.call(raiseUndefined);
    this.resync();
  }
  /** Supervisor call. Ends the block. */
  svc(immediate: number): void {
    this.call(raiseSvc, this.const(immediate));
    this.resync();
  }
}

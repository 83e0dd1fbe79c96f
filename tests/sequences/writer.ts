import type { InstructionSet } from '../../packages/arm-core/src/isa/encoding.js';
import type { Target } from '../instructions/generate.js';
import { undefinedWord } from '../instructions/generate.js';
import type { Random } from '../support/random.js';
import type { Item, Label } from './items.js';
import { moveHalf } from './items.js';
import * as at from './places.js';
import { base, offset, pointer, value } from './values.js';
import type { Place, Roles } from './words.js';
import { COUNTER, encodingsOf, isMostlyUndefined, randomWord } from './words.js';

const LR = 14;
const SP = 13;

/** How a loop counts: the number to begin with, what comes at its end, and the conditions that may lead back. Instructions as A32 and T32. */
const countings: readonly {
  readonly from: (n: number) => number;
  readonly end: (n: number) => readonly [number, number][];
  readonly conditions: readonly number[];
}[] = [
  // SUBS
  { from: (n) => n, end: () => [[0xe25a_a001, 0xf1ba_0a01]], conditions: [1, 1, 12, 5, 8] },
  // SUB, CMP with 0
  {
    from: (n) => n,
    end: () => [
      [0xe24a_a001, 0xf1aa_0a01],
      [0xe35a_0000, 0xf1ba_0f00],
    ],
    conditions: [1, 12, 8],
  },
  // ADD, CMP
  {
    from: () => 0,
    end: (n) => [
      [0xe28a_a001, 0xf10a_0a01],
      [0xe35a_0000 | n, 0xf1ba_0f00 | n],
    ],
    conditions: [1, 11, 3, 13, 9],
  },
  // ADDS from a negative number
  { from: (n) => -n >>> 0, end: () => [[0xe29a_a001, 0xf11a_0a01]], conditions: [1, 4, 3] },
];

/** With t = 0: VMRS of FPSID, MVFR1, MVFR0 and FPEXC, VMSR of FPSID and FPEXC. */
const FP_SYSTEM = [0xeef0_0a10, 0xeef6_0a10, 0xeef7_0a10, 0xeef8_0a10, 0xeee0_0a10, 0xeee8_0a10];

/** With t = 0, by CRn, CRm and opc2: ICIALLU, ICIMVAU, ISB, BPIALL, DCCMVAC, DSB, DMB, DCCMVAU, DCCIMVAC; TLBIALL, TLBIMVA, TLBIASID. */
const MAINTENANCE = [
  [7, 5, 0],
  [7, 5, 1],
  [7, 5, 4],
  [7, 5, 6],
  [7, 10, 1],
  [7, 10, 4],
  [7, 10, 5],
  [7, 11, 1],
  [7, 14, 1],
  [8, 7, 0],
  [8, 7, 1],
  [8, 7, 2],
].map(([n, m, opc2]) => (0xee00_0f10 | (n! << 16) | m! | (opc2! << 5)) >>> 0);

/** Writes instructions of one instruction set. */
export class Writer {
  readonly items: Item[] = [];
  readonly r: Random;
  readonly slot: number;
  readonly thumb: boolean;
  readonly roles: Roles;
  private readonly privileged: boolean;
  private readonly list: readonly Target[];
  /** Half of the sequences leave their code alone: one that writes it loses most of its regions. */
  private readonly rewrites: boolean;
  private turn: number;
  private loop: { readonly label: Label; readonly end: readonly [number, number][]; readonly condition: number } | undefined;
  /** Bits of registers that what is written now must not write. */
  private kept = 0;
  /** Beginnings of functions, those that are still to be written last. */
  private readonly functions: Label[] = [];

  constructor(r: Random, slot: number, thumb: boolean, privileged: boolean) {
    this.r = r;
    this.slot = slot;
    this.thumb = thumb;
    this.privileged = privileged;
    this.list = encodingsOf(thumb, privileged);
    this.turn = r.below(this.list.length);
    this.rewrites = r.oneIn(2);
    const low = r.below(6);
    this.roles = { bases: [low, low + 1 + r.below(7 - low), r.pick([8, 9, 11]), SP], index: r.pick([8, 9, 11, 12]) };
    this.functions = Array.from({ length: r.oneIn(2) ? 1 + r.below(2) : 0 }, () => ({ item: 0 }));
  }

  private here(ahead = 0): Label {
    return { item: this.items.length + ahead };
  }

  word(word: number, isa: InstructionSet): void {
    this.items.push({ kind: 'word', word: word >>> 0, size: isa === 'T16' ? 2 : 4 });
  }

  /** A32, or T32. */
  private either(a32: number, t32: number): void {
    if (this.thumb) this.word(t32, 'T32');
    else this.word(a32, 'A32');
  }

  /** Any encoding, each as likely. */
  any(inIt = false, mayBranch = !inIt): void {
    for (;;) {
      this.turn = this.r.oneIn(4) ? this.r.below(this.list.length) : (this.turn + 37) % this.list.length;
      const target = this.list[this.turn]!;
      if (inIt && /^(SETEND|CPS)/.test(target.encoding.name)) continue;
      if (isMostlyUndefined(target.encoding) && !this.r.oneIn(6)) continue;
      const word = randomWord(this.r, target, this.place(mayBranch));
      if (word === undefined) continue;
      this.word(word, target.encoding.isa);
      return;
    }
  }

  private place(mayBranch: boolean): Place {
    const { roles, privileged, kept } = this;
    return { roles, mayBranch, privileged, kept };
  }

  constant(register: number, value: number): void {
    for (const top of [false, true]) this.word(moveHalf(this.thumb, register, value, top), this.thumb ? 'T32' : 'A32');
  }

  /** What a register is for, anew. */
  private renew(): void {
    const { r, roles } = this;
    const k = r.below(6);
    if (k < 2) this.constant(r.pick(roles.bases), base(r));
    else if (k === 2) this.constant(roles.index, offset(r));
    else {
      const register = r.below(10);
      if (!roles.bases.includes(register)) this.constant(register, r.oneIn(4) ? pointer(r, this.slot) : value(r));
    }
  }

  /** Stores r11 at r12. */
  private store(): void {
    const [a32, t32] = this.r.pick([
      [0xe58c_b000, 0xf8cc_b000],
      [0xe58c_b000, 0xf8cc_b000],
      [0xe1cc_b0b0, 0xf8ac_b000],
      [0xe5cc_b000, 0xf88c_b000],
      // STM of r11 and r14
      [0xe88c_4800, 0xe88c_4800],
    ] as const);
    this.either(a32, t32);
  }

  /** Stores another instruction over one of this sequence, through one mapping of the page or the other. */
  private rewrite(): void {
    const { r } = this;
    const target = r.oneIn(2) ? this.here(r.below(16)) : { item: r.below(this.items.length + 24) };
    const of = r.oneIn(2) ? 'window' : 'word';
    const word = this.replacement();
    for (const top of [false, true]) this.items.push({ kind: 'address', target, top, of });
    this.constant(11, word);
    this.store();
  }

  /** As the word is in memory. */
  private replacement(): number {
    for (;;) {
      const target = this.r.pick(this.list);
      const word = randomWord(this.r, target, this.place(false));
      if (word === undefined) continue;
      if (target.encoding.isa === 'A32') return word;
      return target.encoding.isa === 'T16' ? ((word << 16) | word) >>> 0 : ((word << 16) | (word >>> 16)) >>> 0;
    }
  }

  private it(): void {
    const { r } = this;
    const count = 1 + r.below(4);
    const condition = r.below(14);
    // Only the last may branch.
    const last = r.below(24);
    const isJump = last === 7;
    const isByte = r.oneIn(2);
    const { kept } = this;
    if (isJump) {
      this.tableIndex(isByte);
      this.kept |= 1 << 12;
    }
    // Bits above the last: then or else for each instruction after the first.
    let mask = 1 << (4 - count);
    for (let k = 1; k < count; k++) mask |= (r.oneIn(2) ? condition & 1 : (condition & 1) ^ 1) << (4 - k);
    this.word(0xbf00 | (condition << 4) | mask, 'T16');
    for (let k = 1; k < count; k++) {
      if (!r.oneIn(16)) this.any(true);
      else if (r.oneIn(4)) this.exception();
      else this.system();
    }
    if (last < 2) this.items.push({ kind: 'branch', condition: 14, target: this.here(2 + r.below(8)), narrow: r.oneIn(2) });
    else if (last < 4) this.items.push({ kind: 'call', target: r.oneIn(2) ? at.STUB_A32 : this.here(2 + r.below(8)) });
    else if (last < 6) this.word(r.oneIn(2) ? 0xdf00 : 0x4770, 'T16');
    // BXJ lr
    else if (last === 6) this.word(0xf3ce_8f00, 'T32');
    else if (isJump) this.tableBranch(isByte);
    else this.any(true, true);
    this.kept = kept;
  }

  private branch(): void {
    const { r } = this;
    // Mostly forwards and not far.
    const back = r.oneIn(80);
    const target = back ? { item: r.below(this.items.length + 1) } : this.here(2 + r.below(8));
    if (this.thumb && !back && r.oneIn(5))
      this.items.push({ kind: 'compare and branch', register: r.below(8), nonzero: r.oneIn(2), target });
    else this.items.push({ kind: 'branch', condition: r.oneIn(4) ? 14 : r.below(14), target, narrow: !back && r.oneIn(2) });
  }

  private loopBegin(): void {
    const counting = this.r.pick(countings);
    const n = 2 + this.r.below(6);
    this.constant(COUNTER, counting.from(n));
    this.loop = { label: this.here(), end: counting.end(n), condition: this.r.pick(counting.conditions) };
    this.kept |= 1 << COUNTER;
  }

  private loopEnd(): void {
    const { end, condition, label } = this.loop!;
    // Only what has been called before is called from within a region.
    if (this.functions.length > 0 && this.r.oneIn(2)) this.call();
    for (const [a32, t32] of end) this.either(a32, t32);
    this.items.push({ kind: 'branch', condition, target: label, narrow: false });
    this.loop = undefined;
    this.kept &= ~(1 << COUNTER);
  }

  /** Of a function that follows, by BL or BLX, or of a stub in the other instruction set. */
  private call(): void {
    const { r, thumb } = this;
    const target = this.functions.find(({ item }) => item === 0);
    const stub = thumb ? at.STUB_A32 : at.STUB_T16;
    if (r.oneIn(4) || target === undefined) {
      if (r.oneIn(2)) this.items.push({ kind: 'call', target: stub });
      else this.callRegister(stub, 'stub');
    } else if (r.oneIn(3)) this.callRegister(target, 'call');
    else this.items.push({ kind: 'call', target });
  }

  private callRegister(target: Label | number, of: 'call' | 'stub'): void {
    for (const top of [false, true]) this.items.push({ kind: 'address', target, top, of });
    if (this.thumb) this.word(0x47e0, 'T16');
    else this.word(0xe12f_ff3c, 'A32');
  }

  /** A jump to one of a few places, by the low bits of the index register. */
  private computedJump(): void {
    const { r, thumb, roles } = this;
    if (!thumb) {
      // AND r12, index, #3; ADD pc, pc, r12, LSL #2
      this.word(0xe200_c003 | (roles.index << 16), 'A32');
      this.word(0xe08f_f10c, 'A32');
      return;
    }
    const isByte = r.oneIn(2);
    this.tableIndex(isByte);
    this.tableBranch(isByte);
  }

  /** AND r12, index, #3 or #1. */
  private tableIndex(isByte: boolean): void {
    this.word(0xf000_0c00 | (this.roles.index << 16) | (isByte ? 3 : 1), 'T32');
  }

  /** TBB or TBH by r12, and its table. */
  private tableBranch(isByte: boolean): void {
    this.word(isByte ? 0xe8df_f00c : 0xe8df_f01c, 'T32');
    this.items.push({ kind: 'table', targets: Array.from({ length: isByte ? 4 : 2 }, () => this.here(1 + this.r.below(6))) });
  }

  /**
   * What depends on the instructions done, the thread registers that regions read, the timer, and with privilege the floating-point system and maintenance.
   * One in eight does what PL0 may not.
   */
  private system(): void {
    const { r } = this;
    const free = [0, 1, 2, 3, 4, 5, 6, 7].filter((n) => !this.roles.bases.includes(n));
    const t = r.pick(free);
    const other = r.pick(free.filter((n) => n !== t));
    const privileged = this.privileged ? r.oneIn(2) : r.oneIn(8);
    if (privileged && r.oneIn(2)) {
      const address = r.oneIn(2) ? r.pick(this.roles.bases) : t;
      this.word(r.pick(MAINTENANCE) | (address << 12), this.thumb ? 'T32' : 'A32');
      return;
    }
    const word = privileged
      ? r.pick(FP_SYSTEM)
      : r.pick([0xec50_0f1e, 0xec50_0f1e, 0xee1d_0f50, 0xee1d_0f70, 0xee0d_0f50, 0xec40_0f3e, 0xee0e_0f13]);
    // MRRC and MCRR have two registers.
    this.word(word | (t << 12) | ((word & 0x0f00_0000) === 0x0c00_0000 ? other << 16 : 0), this.thumb ? 'T32' : 'A32');
  }

  private setEndianness(): void {
    const big = this.r.oneIn(2) ? 1 : 0;
    if (this.thumb) this.word(0xb650 | (big << 3), 'T16');
    else this.word(0xf101_0000 | (big << 9), 'A32');
  }

  private exception(): void {
    const { r, thumb } = this;
    if (r.oneIn(2)) {
      if (thumb) this.word(0xdf00 | r.below(256), 'T16');
      else this.word(0xef00_0000 | r.below(65536), 'A32');
      return;
    }
    const isa = thumb ? r.pick(['T16', 'T32'] as const) : 'A32';
    const number = r.below(256);
    if (r.oneIn(4)) {
      this.word(isa === 'A32' ? 0xe7f0_00f0 | (number << 8) : isa === 'T16' ? 0xde00 | number : 0xf7f0_a000 | number, isa);
      return;
    }
    // It ends the sequence.
    if (r.oneIn(8)) {
      if (thumb) this.word(0xbe00 | (number === 0xab ? 0 : number), 'T16');
      else this.word(0xe120_0070 | (number << 8), 'A32');
      return;
    }
    const word = undefinedWord(r, isa);
    if (word !== undefined) this.word(word, isa);
  }

  /** Until there are `count` items. */
  private fill(count: number): void {
    const { r } = this;
    while (this.items.length < count) {
      const k = r.below(100);
      if (k < 64) this.any();
      else if (k < 72) this.branch();
      else if (k < 78) {
        if (this.thumb) this.it();
        else this.any();
      } else if (k < 84) this.renew();
      else if (k < 87) {
        if (this.loop === undefined) this.loopBegin();
      } else if (k < 90) {
        if (this.loop !== undefined) this.loopEnd();
      } else if (k < 93) {
        if (this.rewrites) this.rewrite();
        else this.any();
      } else if (k < 97) this.call();
      else if (k < 98) this.computedJump();
      else if (k < 99) {
        if (!r.oneIn(3)) this.system();
        else this.setEndianness();
      } else this.exception();
    }
    if (this.loop !== undefined) this.loopEnd();
  }

  /** A function that comes back: with LR on the stack when it calls. */
  private function(label: Label, count: number): void {
    const { r, thumb } = this;
    label.item = this.items.length;
    const isLeaf = r.oneIn(2);
    const saved = r.oneIn(2) ? 0 : 1 << r.below(8);
    if (isLeaf) this.kept |= 1 << LR;
    else if (thumb) this.word(0xb500 | saved, 'T16');
    else this.word(0xe92d_4000 | saved, 'A32');
    const to = this.items.length + count;
    while (this.items.length < to) {
      if (!isLeaf && r.oneIn(8)) this.call();
      else if (thumb && r.oneIn(8)) this.it();
      else this.any();
    }
    this.kept = 0;
    if (r.oneIn(6)) this.setEndianness();
    if (isLeaf) {
      if (r.oneIn(4)) this.otherReturn();
      const [a32, t16] = r.pick([
        [0xe12f_ff1e, 0x4770],
        [0xe1a0_f00e, 0x46f7],
      ] as const);
      if (thumb) this.word(t16, 'T16');
      else this.word(a32, 'A32');
    } else if (thumb) this.word(0xbd00 | saved, 'T16');
    else this.word(0xe8bd_8000 | saved, 'A32');
  }

  /**
   * EOR lr, lr, #1: back to the same address, in the other instruction set. Mostly on a condition: only what the interpreter has come to is in a region, so
   * what follows the call is there only if a call has also come back as it should.
   */
  private otherReturn(): void {
    const condition = this.r.oneIn(8) ? 14 : this.r.below(14);
    if (this.thumb && condition !== 14) this.word(0xbf08 | (condition << 4), 'T16');
    this.either(((condition << 28) | 0x022e_e001) >>> 0, 0xf08e_0e01);
  }

  /** A copy of the code with another instruction in place of one. */
  patched(code: Uint8Array, offsets: readonly number[]): Uint8Array {
    const patched = code.slice();
    const at = offsets[this.r.below(this.items.length)]!;
    new DataView(patched.buffer).setUint32(this.thumb ? at : at & ~3, this.replacement(), true);
    return patched;
  }

  /** A sequence of about `count` instructions. */
  write(count: number): void {
    const { r } = this;
    const end: Label = { item: Number.MAX_SAFE_INTEGER };
    const functions = this.functions.length;
    this.fill(Math.max(count - 6 * functions, 12));
    if (functions === 0) return;
    this.items.push({ kind: 'branch', condition: 14, target: end, narrow: false });
    for (const label of this.functions) this.function(label, 2 + r.below(6));
  }
}

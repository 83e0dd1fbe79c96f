import type { Builder } from '../builder.js';
import * as layout from '../layout.js';
import { isOrderedValue, isPure, valueOperands } from '../op-info.js';
import * as op from '../ops.js';

/** Computed by its (only) user, or a leaf that each user reads for itself. */
export const INLINE = 0;
/** Computed at its own place into state word `slot`. */
export const TEMP = 1;
/** Computed by the SET_REG that is its first user; the others read that register, `slot`. */
export const HOME = 2;
/** Nobody uses it: pure ones vanish, ordered ones happen at their place. */
export const UNUSED = 3;

const doubled = (words: Int32Array): Int32Array<ArrayBuffer> => {
  const larger = new Int32Array(words.length * 2);
  larger.set(words);
  return larger;
};

/** Semantics may use the first temporaries themselves. */
const FIRST_FREE_TEMP = layout.TEMP0 + 16;

/**
 * Decides where each value of a block is computed: most are computed by their user, so that `ADD r0, r1, #4` is one closure. Nothing moves across a
 * change of the state it reads, and effects stay in order. Instances are reused.
 */
export class Placement {
  place = new Uint8Array(4096);
  slot = new Int32Array(4096);
  /** Where the value is computed: index of the effect that evaluates it. */
  private at = new Int32Array(4096);
  /** The users of a value in order, as a list: `firstUser` and `lastUser` by value, -1 when there are none, `user` and `nextUser` by link. */
  private firstUser = new Int32Array(4096);
  private lastUser = new Int32Array(4096);
  private user = new Int32Array(4096);
  private nextUser = new Int32Array(4096);
  private links = 0;
  /** The IF that a micro-operation stands in, or -1. */
  private region = new Int32Array(4096);
  /** Items of a STORE_MULTIPLE list: these are read from state words, so they need one. */
  private listed = new Uint8Array(4096);
  private code!: Int32Array;
  private lists!: readonly number[];

  analyse(block: Builder): void {
    const count = block.count;
    this.code = block.code;
    this.lists = block.lists;
    if (count > this.place.length) {
      this.place = new Uint8Array(count * 2);
      this.slot = new Int32Array(count * 2);
      this.at = new Int32Array(count * 2);
      this.region = new Int32Array(count * 2);
      this.listed = new Uint8Array(count * 2);
      this.firstUser = new Int32Array(count * 2);
      this.lastUser = new Int32Array(count * 2);
    }
    this.collectUsers(count);
    let temp = FIRST_FREE_TEMP;
    let instruction = -1;
    for (let i = count - 1; i >= 0; i--) {
      const base = i * op.STRIDE;
      // Values do not outlive their instruction, so temporaries start afresh with each.
      if (this.code[base + 5] !== instruction) {
        instruction = this.code[base + 5]!;
        temp = FIRST_FREE_TEMP;
      }
      this.decide(i);
      if (this.place[i] === TEMP) {
        if (temp >= layout.TEMP0 + layout.TEMP_COUNT) throw new Error('[engine] [placement] an instruction needs too many temporaries');
        this.slot[i] = temp++;
      }
    }
  }

  /** Whether micro-operation `user` is the one that computes HOME value `v`. */
  isFirstUser(v: number, user: number): boolean {
    return this.user[this.firstUser[v]!] === user;
  }

  private addUser(v: number, user: number): void {
    if (this.links === this.user.length) {
      this.user = doubled(this.user);
      this.nextUser = doubled(this.nextUser);
    }
    const link = this.links++;
    this.user[link] = user;
    this.nextUser[link] = -1;
    if (this.firstUser[v]! < 0) this.firstUser[v] = link;
    else this.nextUser[this.lastUser[v]!] = link;
    this.lastUser[v] = link;
  }

  private collectUsers(count: number): void {
    const { code, region } = this;
    let open = -1;
    this.links = 0;
    this.listed.fill(0, 0, count);
    for (let i = 0; i < count; i++) {
      this.firstUser[i] = -1;
      const base = i * op.STRIDE;
      const kind = code[base]!;
      if (kind === op.END_IF) open = region[open]!;
      region[i] = open;
      if (kind === op.IF) open = i;
      const bits = valueOperands(kind);
      for (let k = 0; k < 4; k++) {
        const v = code[base + 1 + k]!;
        if ((bits >> k) & 1 && v >= 0) this.addUser(v, i);
      }
      if (kind === op.STORE_MULTIPLE) {
        for (let k = 0; k < code[base + 3]!; k++) {
          const item = this.lists[code[base + 2]! + k]!;
          if (item < 0) {
            this.addUser(~item, i);
            this.listed[~item] = 1;
          }
        }
      }
    }
  }

  private decide(i: number): void {
    const kind = this.code[i * op.STRIDE]!;
    this.at[i] = i;
    const first = this.firstUser[i]!;
    if (!isPure(kind) && !isOrderedValue(kind)) {
      this.place[i] = INLINE;
      return;
    }
    if (first < 0) {
      this.place[i] = UNUSED;
      return;
    }
    if (this.listed[i] === 1) {
      this.place[i] = TEMP;
      return;
    }
    if (kind === op.CONST || kind === op.PAGE_PC) {
      this.place[i] = INLINE;
      return;
    }
    if (kind === op.GET_REG || kind === op.GET_STATE) {
      const word = this.code[i * op.STRIDE + 1]!;
      this.place[i] = this.keeps(word, i) ? INLINE : TEMP;
      return;
    }
    const isOnly = this.nextUser[first]! < 0;
    const user = this.user[first]!;
    // Its only user vanishes: what it does, it does.
    if (isOnly && this.place[user] === UNUSED && isPure(this.code[user * op.STRIDE]!)) {
      this.place[i] = UNUSED;
      return;
    }
    if (isOnly && this.movable(kind, i, this.at[user]!)) {
      this.place[i] = INLINE;
      this.at[i] = this.at[user]!;
      return;
    }
    this.place[i] = !isOnly && this.findHome(kind, i) ? HOME : TEMP;
  }

  /** Whether state word `word` is at each user of value `i` what it was at `i`. */
  private keeps(word: number, i: number): boolean {
    for (let link = this.firstUser[i]!; link >= 0; link = this.nextUser[link]!)
      if (this.written(word, i, this.at[this.user[link]!]!)) return false;
    return true;
  }

  /** Whether a value may be computed at `target` instead of at `i`. Operands look after themselves, since they are placed afterwards. */
  private movable(kind: number, i: number, target: number): boolean {
    if (!isPure(kind)) {
      // A call or a flag setter changes state that its user's other operands may read: only a plain register write may be its user.
      const user = this.code[target * op.STRIDE];
      if (kind !== op.LOAD && (user !== op.SET_REG || this.code[target * op.STRIDE + 2] !== i)) return false;
      for (let k = i + 1; k < target; k++) if (!isPure(this.code[k * op.STRIDE]!)) return false;
      return true;
    }
    return kind !== op.CONDITION || !this.flagsWritten(i, target);
  }

  private flagsWritten(from: number, to: number): boolean {
    for (let word = layout.FLAG_N; word <= layout.FLAG_V; word++) if (this.written(word, from, to)) return true;
    return false;
  }

  private findHome(kind: number, i: number): boolean {
    const first = this.user[this.firstUser[i]!]!;
    if (this.code[first * op.STRIDE] !== op.SET_REG || !this.movable(kind, i, first)) return false;
    const register = this.code[first * op.STRIDE + 1]!;
    for (let link = this.nextUser[this.firstUser[i]!]!; link >= 0; link = this.nextUser[link]!) {
      const where = this.at[this.user[link]!]!;
      if (where <= first || this.region[where] !== this.region[first] || this.written(register, first, where)) return false;
    }
    this.at[i] = first;
    this.slot[i] = register;
    return true;
  }

  /** Whether a micro-operation strictly between `from` and `to` may change state word `word`. */
  private written(word: number, from: number, to: number): boolean {
    const { code } = this;
    for (let i = from + 1; i < to; i++) {
      const base = i * op.STRIDE;
      switch (code[base]) {
        case op.SET_REG:
        case op.SET_STATE:
          if (code[base + 1] === word) return true;
          break;
        case op.ADD_FLAGS:
        case op.ADC_FLAGS:
        case op.SUB_FLAGS:
          if (word >= layout.FLAG_N && word <= layout.FLAG_V) return true;
          break;
        case op.SET_NZ:
        case op.SET_NZC:
          if (word >= layout.FLAG_N && word <= layout.FLAG_C) return true;
          break;
        case op.LOAD_MULTIPLE:
          for (let k = 0; k < code[base + 3]!; k++) if (this.lists[code[base + 2]! + k] === word) return true;
          break;
        case op.VECTOR:
          if (word >= layout.FPSCR_CONTROL) return true;
          break;
        case op.CALL:
          return true;
      }
    }
    return false;
  }
}

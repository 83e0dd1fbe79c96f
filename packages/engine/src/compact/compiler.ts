import type { Builder } from '../builder.js';
import type { BlockCompiler, CompiledBlock } from '../closures/compile.js';
import { type ClosureEnvironment, tableOf } from '../closures/environment.js';
import * as layout from '../layout.js';
import { isPure, valueOperands } from '../op-info.js';
import * as op from '../ops.js';
import type { KernelNumbers } from './kernels.js';
import * as compact from './opcodes.js';
import type { CompactStore } from './store.js';
import { ValueUses } from './uses.js';

/** Semantics may use the first temporaries themselves. */
const FIRST_TEMP = layout.TEMP0 + 16;
const LAST_TEMP = layout.TEMP0 + layout.TEMP_COUNT;

/* Where a value is. */
/** An immediate. */
const CONST = 1;
/** In a state word. */
const WORD = 2;
/** A state word plus a constant, which nobody has computed. */
const SUM = 3;
/** What a condition code says. */
const CONDITION = 4;

const isAssignment = (kind: number): boolean => kind === op.SET_REG || kind === op.SET_STATE;

/**
 * Turns the micro-operations of a block into compact code (opcodes.ts), in one pass: registers, sums with constants and conditions are what their users read,
 * until somebody writes what they are made of, and a value that is assigned at once is computed where it goes. Instances are reused.
 */
export class CompactCompiler implements BlockCompiler {
  private readonly store: CompactStore;
  private readonly kernels: KernelNumbers;
  private readonly env: ClosureEnvironment;
  private block!: Builder;
  private privileged = true;
  private thumb = false;
  /** By value: where it is, and the word or immediate, and constant. */
  private form = new Uint8Array(4096);
  private at = new Int32Array(4096);
  private plus = new Int32Array(4096);
  private readonly uses = new ValueUses();
  /** Values of this instruction that are read where they are when somebody uses them. */
  private lazy = new Int32Array(64);
  private lazyCount = 0;
  private nextTemp = FIRST_TEMP;
  private instruction = 0;
  /** The store's words, and where the next one goes: the block is written where it stays. */
  private out!: Int32Array;
  private length = 0;
  /** Heads of the IFs around. */
  private open: number[] = [];

  constructor(store: CompactStore, kernels: KernelNumbers, env: ClosureEnvironment) {
    this.store = store;
    this.kernels = kernels;
    this.env = env;
  }

  compile(block: Builder, privileged: boolean, thumb: boolean): CompiledBlock {
    const { count, code } = block;
    this.block = block;
    this.privileged = privileged;
    this.thumb = thumb;
    const { store } = this;
    const from = store.top;
    this.out = store.words;
    this.length = from;
    this.uses.collect(block);
    if (count > this.form.length) {
      this.form = new Uint8Array(2 * count);
      this.at = new Int32Array(2 * count);
      this.plus = new Int32Array(2 * count);
    }
    this.instruction = -1;
    if (this.open.length > 0) this.open = [];
    let begin = from;
    for (let i = 0; i < count; i++) {
      const k = code[i * op.STRIDE + 5]!;
      if (k !== this.instruction) begin = this.beginInstruction(k, begin);
      i = this.operation(i, code[i * op.STRIDE]!);
    }
    this.beginInstruction(block.offsets.length, begin);
    store.top = this.length;
    return { statements: undefined, starts: NO_STARTS, from, end: store.top };
  }

  /** Each instruction is at least one operation, so that it can be stopped at and counted. Result: where this one begins; `begin` is the last one's. */
  private beginInstruction(k: number, begin: number): number {
    let from = begin;
    while (this.instruction < k) {
      if (this.instruction >= 0 && this.length === from) this.put(compact.NOTHING, 0);
      from = this.length;
      this.instruction++;
    }
    this.lazyCount = 0;
    this.nextTemp = FIRST_TEMP;
    return from;
  }

  /* Output. */

  private put(kind: number, operands: number, a = 0, b = 0, c = 0, d = 0, e = 0): void {
    this.head(kind, operands, 0);
    const { out, length } = this;
    out[length] = a;
    out[length + 1] = b;
    out[length + 2] = c;
    out[length + 3] = d;
    out[length + 4] = e;
    this.length = length + operands;
  }

  private head(kind: number, operands: number, flags: number): void {
    if (this.length + operands + 6 > this.out.length) {
      this.store.top = this.length;
      this.store.reserve(operands + 6);
      this.out = this.store.words;
    }
    this.out[this.length++] = compact.headOf(kind, this.instruction, operands + 1, flags);
  }

  private temp(): number {
    if (this.nextTemp >= LAST_TEMP) throw new Error('[engine] [compact] an instruction needs too many temporaries');
    return this.nextTemp++;
  }

  /* Values. */

  private isAt(v: number, form: number, at: number, plus = 0): void {
    this.form[v] = form;
    this.at[v] = at;
    this.plus[v] = plus;
  }

  private isRead(v: number, form: number, at: number, plus = 0): void {
    this.isAt(v, form, at, plus);
    if (this.lazyCount === this.lazy.length) {
      const larger = new Int32Array(2 * this.lazyCount);
      larger.set(this.lazy);
      this.lazy = larger;
    }
    this.lazy[this.lazyCount++] = v;
  }

  private computeInto(word: number, v: number): void {
    const at = this.at[v]!;
    switch (this.form[v]) {
      case CONST:
        this.put(compact.SET_CONST, 2, word, at);
        break;
      case WORD:
        if (at !== word) this.put(compact.MOVE, 2, word, at);
        break;
      case SUM:
        this.put(compact.ADD_CONST, 3, word, at, this.plus[v]!);
        break;
      case CONDITION:
        this.put(compact.SET_CONDITION, 2, word, at);
        break;
      default:
        throw new Error('[engine] [compact] a value is used before it is there');
    }
  }

  /** The state word that has a value now. What is computed for it is not kept: an IF may be around this user, and not around the next. */
  private word(v: number): number {
    if (this.form[v] === WORD) return this.at[v]!;
    const word = this.temp();
    this.computeInto(word, v);
    return word;
  }

  private keep(v: number): void {
    const word = this.temp();
    this.computeInto(word, v);
    this.isAt(v, WORD, word);
  }

  /** Words [low, high] are about to change, at micro-operation `i`: whatever is used after it is kept. */
  private beforeWrite(low: number, high: number, i: number): void {
    for (let n = 0; n < this.lazyCount; n++) {
      const v = this.lazy[n]!;
      if (this.uses.last[v]! <= i) continue;
      const form = this.form[v];
      const at = form === CONDITION ? layout.FLAG_N : this.at[v]!;
      const last = form === CONDITION ? layout.FLAG_V : at;
      if (at <= high && last >= low && at < FIRST_TEMP) this.keep(v);
    }
  }

  /** Where the result of micro-operation `i` goes: what it is assigned to next, or a temporary. */
  private destination(i: number): number {
    const { code, count } = this.block;
    const next = (i + 1) * op.STRIDE;
    if (i + 1 < count && isAssignment(code[next]!) && code[next + 2] === i && code[next + 5] === this.instruction) {
      const word = code[next + 1]!;
      this.beforeWrite(word, word, i + 1);
      return word;
    }
    return this.temp();
  }

  /** The result is there. Result: the micro-operation that is done: `i`, or the assignment after it. */
  private arrives(i: number, word: number): number {
    if (word >= FIRST_TEMP) {
      this.isAt(i, WORD, word);
      return i;
    }
    this.isRead(i, WORD, word);
    return i + 1;
  }

  /* Micro-operations. Each gives the last one that is done. */

  private operation(i: number, kind: number): number {
    if (isPure(kind)) return this.uses.count[i] === 0 ? i : this.pure(i, kind);
    const base = i * op.STRIDE;
    const { code } = this.block;
    const a = code[base + 1]!;
    const b = code[base + 2]!;
    const c = code[base + 3]!;
    switch (kind) {
      case op.ADD_FLAGS:
      case op.SUB_FLAGS:
      case op.ADC_FLAGS:
        return this.flags(i, kind, a, b, c);
      case op.SET_NZ: {
        const word = this.word(a);
        this.beforeWrite(layout.FLAG_N, layout.FLAG_Z, i);
        this.put(compact.SET_NZ, 1, word);
        return i;
      }
      case op.SET_NZC: {
        const word = this.word(a);
        const carry = this.word(b);
        this.beforeWrite(layout.FLAG_N, layout.FLAG_C, i);
        this.put(compact.SET_NZC, 2, word, carry);
        return i;
      }
      case op.SET_REG:
      case op.SET_STATE:
        this.beforeWrite(a, a, i);
        this.computeInto(a, b);
        return i;
      case op.LOAD:
        return this.load(i, a, b);
      case op.STORE:
        this.storeOne(a, b, c);
        return i;
      case op.LOAD_MULTIPLE:
        this.loadMany(i, a, b, c, code[base + 4]!);
        return i;
      case op.STORE_MULTIPLE:
        this.storeMany(a, b, c, code[base + 4]!);
        return i;
      case op.CALL:
        return this.call(i, base);
      case op.VECTOR:
        this.beforeWrite(layout.FPSCR_CONTROL, LAST_TEMP, i);
        this.put(compact.VECTOR, 4, this.kernel(a), b, c, code[base + 4]!);
        return i;
      case op.IF:
        this.if(i, a);
        return i;
      case op.END_IF: {
        const head = this.open.pop()!;
        this.out[head + 2] = this.length - head;
        return i;
      }
      default:
        this.exit(kind, a, b, c);
        return i;
    }
  }

  private kernel(index: number): number {
    return this.kernels.numberOf(this.block.kernels[index]!);
  }

  private pure(i: number, kind: number): number {
    const base = i * op.STRIDE;
    const { code } = this.block;
    const a = code[base + 1]!;
    const b = code[base + 2]!;
    switch (kind) {
      case op.CONST:
        this.isAt(i, CONST, a);
        return i;
      case op.GET_REG:
      case op.GET_STATE:
        this.isRead(i, WORD, a);
        return i;
      case op.PAGE_PC:
        this.isRead(i, SUM, layout.PAGE_VA, a);
        return i;
      case op.CONDITION:
        this.isRead(i, CONDITION, a);
        return i;
      case op.PURE: {
        const [x, y, z] = this.operands(base);
        const word = this.destination(i);
        this.put(compact.PURE, 5, word, this.kernel(a), x, y, z);
        return this.arrives(i, word);
      }
    }
    const withConstant = kind < op.LSL_REG && this.form[b] === CONST ? compact.withConstant(kind) : 0;
    if (withConstant === compact.ADD_CONST && this.uses.count[i] === 1 && this.form[a] === WORD) {
      this.isRead(i, SUM, this.at[a]!, this.at[b]!);
      return i;
    }
    const x = this.word(a);
    if (withConstant !== 0) {
      const word = this.destination(i);
      this.put(withConstant, 3, word, x, this.at[b]!);
      return this.arrives(i, word);
    }
    const operands = valueOperands(kind);
    const y = operands & 2 ? this.word(b) : -1;
    const z = operands & 4 ? this.word(code[base + 3]!) : -1;
    const word = this.destination(i);
    if (operands & 4) this.put(compact.plain(kind), 4, word, x, y, z);
    else if (operands & 2) this.put(compact.plain(kind), 3, word, x, y);
    else this.put(compact.plain(kind), 2, word, x);
    return this.arrives(i, word);
  }

  /** The operands b, c and d of PURE and CALL, as state words; -1 what is missing. */
  private operands(base: number): readonly [number, number, number] {
    const of = (n: number): number => {
      const v = this.block.code[base + n]!;
      return v < 0 ? -1 : this.word(v);
    };
    return [of(2), of(3), of(4)];
  }

  private flags(i: number, kind: number, a: number, b: number, c: number): number {
    const x = this.word(a);
    const withConstant = kind !== op.ADC_FLAGS && this.form[b] === CONST;
    const y = withConstant ? this.at[b]! : this.word(b);
    const carry = kind === op.ADC_FLAGS ? this.word(c) : -1;
    this.beforeWrite(layout.FLAG_N, layout.FLAG_V, i);
    const word = this.destination(i);
    if (kind === op.ADC_FLAGS) this.put(compact.plain(kind), 4, word, x, y, carry);
    else
      this.put(
        withConstant ? (kind === op.ADD_FLAGS ? compact.ADD_FLAGS_CONST : compact.SUB_FLAGS_CONST) : compact.plain(kind),
        3,
        word,
        x,
        y,
      );
    return this.arrives(i, word);
  }

  private call(i: number, base: number): number {
    const [x, y, z] = this.operands(base);
    this.beforeWrite(0, LAST_TEMP, i);
    const word = this.destination(i);
    this.put(compact.CALL, 5, word, this.kernel(this.block.code[base + 1]!), x, y, z);
    return this.arrives(i, word);
  }

  private if(i: number, condition: number): void {
    const end = this.endOf(i);
    for (let n = 0; n < this.lazyCount; n++) {
      const v = this.lazy[n]!;
      if (this.uses.last[v]! > end && this.at[v]! < FIRST_TEMP) this.keep(v);
    }
    const isCondition = this.form[condition] === CONDITION;
    const test = isCondition ? this.at[condition]! : this.word(condition);
    if (this.exitsWithin(i, end)) this.put(compact.GOTO, 1, this.block.nextOffset);
    this.open.push(this.length);
    this.put(isCondition ? compact.IF_CONDITION : compact.IF_VALUE, 2, test, 0);
  }

  private endOf(begin: number): number {
    const { code } = this.block;
    let depth = 0;
    let i = begin;
    do {
      const kind = code[i * op.STRIDE];
      if (kind === op.IF) depth++;
      else if (kind === op.END_IF) depth--;
      i++;
    } while (depth > 0);
    return i - 1;
  }

  private exitsWithin(from: number, to: number): boolean {
    for (let i = from; i < to; i++) if (this.block.code[i * op.STRIDE]! >= op.GOTO) return true;
    return false;
  }

  private exit(kind: number, a: number, b: number, c: number): void {
    switch (kind) {
      case op.GOTO:
        this.put(compact.GOTO, 1, a);
        break;
      case op.BRANCH_IF:
        if (this.form[a] === CONDITION) this.put(compact.BRANCH_CONDITION, 3, this.at[a]!, b, c);
        else this.put(compact.BRANCH_VALUE, 3, this.word(a), b, c);
        break;
      case op.JUMP:
        this.put(compact.JUMP, 1, this.word(a));
        break;
      case op.JUMP_EXCHANGE:
        this.put(this.thumb ? compact.EXCHANGE_FROM_T32 : compact.EXCHANGE_FROM_A32, 1, this.word(a));
        break;
      case op.RESYNC:
        break;
      default:
        throw new Error(`[engine] [compact] unknown micro-operation ${kind}`);
    }
  }

  /* Memory. */

  /** An access whose address is `address`: head, first operand if there is one, base, offset and table. */
  private access(kind: number, flags: number, first: number, address: number, more: number): void {
    const isSum = this.form[address] === SUM;
    const base = isSum ? this.at[address]! : this.word(address);
    const offset = isSum ? this.plus[address]! : 0;
    this.head(kind, (first >= 0 ? 4 : 3) + more, flags);
    if (first >= 0) this.out[this.length++] = first;
    this.out[this.length++] = base;
    this.out[this.length++] = offset;
    this.out[this.length++] = tableOf(flags, this.privileged);
  }

  private load(i: number, address: number, flags: number): number {
    const word = this.destination(i);
    this.access(this.loadKind(flags), flags, word, address, 0);
    return this.arrives(i, word);
  }

  private loadKind(flags: number): number {
    if (flags & op.MEM_SWAP) return compact.LOAD_ASKING;
    switch (flags & (op.MEM_SIZE | op.MEM_SIGNED)) {
      case 1:
        return compact.LOAD_BYTE;
      case 2:
        return compact.LOAD_HALF;
      case 1 | op.MEM_SIGNED:
        return compact.LOAD_SIGNED_BYTE;
      case 2 | op.MEM_SIGNED:
        return compact.LOAD_SIGNED_HALF;
      default:
        return compact.LOAD_WORD;
    }
  }

  private storeOne(address: number, flags: number, value: number): void {
    this.access(this.storeKind(flags), flags, this.word(value), address, 0);
  }

  private storeKind(flags: number): number {
    if (flags & op.MEM_SWAP || this.env.everyStore) return compact.STORE_ASKING;
    if (this.env.lines) return compact.STORE_LINE;
    const size = flags & op.MEM_SIZE;
    return size === 4 ? compact.STORE_WORD : size === 2 ? compact.STORE_HALF : compact.STORE_BYTE;
  }

  private loadMany(i: number, address: number, list: number, count: number, flags: number): void {
    const { lists } = this.block;
    for (let n = 0; n < count; n++) this.beforeWrite(lists[list + n]!, lists[list + n]!, i);
    this.access(flags & op.MEM_SWAP ? compact.LOAD_MANY_ASKING : compact.LOAD_MANY, flags, -1, address, count);
    for (let n = 0; n < count; n++) this.out[this.length++] = lists[list + n]!;
  }

  private storeMany(address: number, list: number, count: number, flags: number): void {
    const { lists } = this.block;
    const words: number[] = [];
    for (let n = 0; n < count; n++) {
      const item = lists[list + n]!;
      words.push(item >= 0 ? item : this.word(~item));
    }
    const asks = flags & op.MEM_SWAP || this.env.everyStore;
    const kind = asks ? compact.STORE_MANY_ASKING : this.env.lines ? compact.STORE_MANY_LINES : compact.STORE_MANY;
    this.access(kind, flags, -1, address, count);
    for (const word of words) this.out[this.length++] = word;
  }
}

const NO_STARTS: readonly number[] = [];

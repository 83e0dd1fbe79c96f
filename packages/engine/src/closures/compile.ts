import type { Builder } from '../builder.js';
import { fetchedBytes } from '../fetched-lines.js';
import type { CallKernel, PureKernel, VectorKernel } from '../kernel.js';
import { PAGE_VA, PC } from '../layout.js';
import { isOrderedValue, isPure } from '../op-info.js';
import * as op from '../ops.js';
import { binaryShapes } from './binary.js';
import { branchEffect, ifEffect } from './control.js';
import type { ClosureEnvironment } from './environment.js';
import { arithmeticFlags, carryFlags, conditionValue, logicalFlags } from './flags.js';
import { Memo } from './memo.js';
import type { AddressShape } from './memory.js';
import { loadInto, loadMultipleEffect, loadValue, storeEffect, storeMultipleEffect } from './memory.js';
import type { Operand } from './operand.js';
import { asCode } from './operand.js';
import { HOME, INLINE, Placement, TEMP, UNUSED } from './placement.js';
import { binaryValue, carryValue, pureValue, selectValue, unaryValue } from './values.js';

type Effect = () => void;
type Value = () => number;

/** A block, ready to execute: closures, or compact code (compact/opcodes.ts). */
export interface CompiledBlock {
  /** Undefined for compact code. */
  readonly statements: readonly Effect[] | undefined;
  /** The statements of instruction k are [starts[k], starts[k + 1]). */
  readonly starts: readonly number[];
  /** The first statement, and one past the last; or where in the store its code is. */
  readonly from: number;
  readonly end: number;
}

export interface CompiledClosures extends CompiledBlock {
  readonly statements: readonly Effect[];
}

/** What makes blocks of micro-operations. */
export interface BlockCompiler {
  compile(block: Builder, privileged: boolean, thumb: boolean): CompiledBlock;
}

/**
 * Turns the micro-operations of a block into closures, one for each effect (tier 0 of ENGINE.md). One compiler serves one core; `privileged` and
 * `thumb` are those of the block being compiled.
 */
export class ClosureCompiler implements BlockCompiler {
  private readonly env: ClosureEnvironment;
  private readonly placement = new Placement();
  /** Statements that compute from state words and constants into a state word, and set flags perhaps. */
  private readonly common = new Memo<Effect>();
  private code!: Int32Array;
  private block!: Builder;
  private privileged = true;
  private thumb = false;
  private position = 0;
  /** Lists of the block being compiled. They grow; blocks get copies, which are as long as they have to be. */
  private readonly statements: Effect[] = [];
  private readonly starts: number[] = [];

  constructor(env: ClosureEnvironment) {
    this.env = env;
  }

  compile(block: Builder, privileged: boolean, thumb: boolean): CompiledClosures {
    this.block = block;
    this.code = block.code;
    this.privileged = privileged;
    this.thumb = thumb;
    this.placement.analyse(block);
    const instructions = block.offsets.length;
    const { starts, statements } = this;
    starts.length = 0;
    statements.length = 0;
    this.position = 0;
    for (let k = 0; k < instructions; k++) {
      starts.push(statements.length);
      const before = statements.length;
      if (this.env.everyAccess) this.fetches(k, this.env.everyAccess.fetchLog2);
      this.statementsOf(k, statements);
      // Each instruction is at least one statement, so that it can be stopped at and counted.
      if (statements.length === before) statements.push(nothing);
    }
    starts.push(statements.length);
    const list = statements.length === instructions ? oneEach(instructions) : starts.slice();
    return { statements: statements.slice(), starts: list, from: 0, end: statements.length };
  }

  private fetches(k: number, log2: number): void {
    const R = this.env.state.words;
    const { access } = this.env;
    const { offsets, nextOffset } = this.block;
    const end = k + 1 < offsets.length ? offsets[k + 1]! : nextOffset;
    for (const offset of fetchedBytes(offsets[k]!, end, k === 0, log2))
      this.statements.push(() => access.fetch!((R[PAGE_VA]! + offset) | 0, k));
  }

  /** Statements of instruction `k`, or of an IF within it. */
  private statementsOf(k: number, out: Effect[]): void {
    while (this.position < this.block.count) {
      const i = this.position;
      const base = i * op.STRIDE;
      if (this.code[base + 5] !== k) return;
      this.position++;
      const kind = this.code[base]!;
      if (kind === op.END_IF) return;
      if (kind === op.IF) {
        out.push(...this.conditional(i, k));
        continue;
      }
      const statement = this.statement(i, kind, k);
      if (statement) out.push(statement);
    }
  }

  private conditional(i: number, k: number): Effect[] {
    const condition = this.code[i * op.STRIDE + 1]!;
    const test = this.isCondition(condition)
      ? this.code[condition * op.STRIDE + 1]!
      : asCode(this.env.state.words, this.operand(condition));
    const from = this.position;
    const body: Effect[] = [];
    this.statementsOf(k, body);
    if (body.length === 0) return [];
    const effect = ifEffect(this.env.state.words, test, body);
    return this.hasExit(from, this.position) ? [this.exitTo(this.block.nextOffset), effect] : [effect];
  }

  private isCondition(v: number): boolean {
    return this.code[v * op.STRIDE] === op.CONDITION && this.placement.place[v] === INLINE;
  }

  private hasExit(from: number, to: number): boolean {
    for (let i = from; i < to; i++) if (this.code[i * op.STRIDE]! >= op.GOTO) return true;
    return false;
  }

  private exitTo(offset: number): Effect {
    const R = this.env.state.words;
    return () => {
      R[PC] = R[PAGE_VA]! + offset;
    };
  }

  /** Where a value is when its user runs. */
  private operand(v: number): Operand {
    const place = this.placement.place[v];
    if (place === TEMP || place === HOME) return { kind: 'word', word: this.placement.slot[v]! };
    const base = v * op.STRIDE;
    const kind = this.code[base]!;
    if (kind === op.CONST) return { kind: 'const', value: this.code[base + 1]! };
    if (kind === op.GET_REG || kind === op.GET_STATE) return { kind: 'word', word: this.code[base + 1]! };
    return { kind: 'code', run: this.compute(v) };
  }

  private value(v: number): Value {
    return asCode(this.env.state.words, this.operand(v));
  }

  /** A closure that computes value `v` (which is not kept anywhere). */
  private compute(v: number): Value {
    const R = this.env.state.words;
    const base = v * op.STRIDE;
    const kind = this.code[base]!;
    const a = this.code[base + 1]!;
    const b = this.code[base + 2]!;
    const c = this.code[base + 3]!;
    switch (kind) {
      case op.CONST:
        return () => a;
      case op.GET_REG:
      case op.GET_STATE:
        return () => R[a]!;
      case op.PAGE_PC:
        return () => (R[PAGE_VA]! + a) | 0;
      case op.SELECT:
        return selectValue(this.value(a), this.value(b), this.value(c));
      case op.CONDITION:
        return conditionValue(R, a);
      case op.PURE:
        return pureValue(
          this.block.kernels[a] as PureKernel,
          this.value(b),
          c < 0 ? undefined : this.value(c),
          this.code[base + 4]! < 0 ? undefined : this.value(this.code[base + 4]!),
        );
      case op.LOAD:
        return loadValue(this.env, this.privileged, b, this.addressShape(a), this.operand(a), this.code[base + 5]!);
    }
    if (kind >= op.NOT) return unaryValue(kind, this.value(a));
    if (kind >= op.LSL_CARRY) return carryValue(kind, this.value(a), this.value(b), this.value(c));
    const shapes = binaryShapes[kind];
    if (shapes === undefined) return binaryValue(kind, this.value(a), this.value(b));
    const x = this.operand(a);
    const y = this.operand(b);
    if (x.kind === 'word') {
      if (y.kind === 'word') return shapes.rr(R, x.word, y.word);
      return y.kind === 'const' ? shapes.rc(R, x.word, y.value) : shapes.rx(R, x.word, y.run);
    }
    const left = asCode(R, x);
    if (y.kind === 'word') return shapes.xr(R, left, y.word);
    return y.kind === 'const' ? shapes.xc(left, y.value) : shapes.xx(left, y.run);
  }

  /** A statement that computes `v` into state word `d`. */
  private computeInto(d: number, v: number): Effect {
    const R = this.env.state.words;
    const base = v * op.STRIDE;
    const kind = this.code[base]!;
    if (kind === op.CONST) {
      const value = this.code[base + 1]!;
      return (
        this.common.find(keyOf(kind, d, 0, 0), value) ??
        this.common.keep(() => {
          R[d] = value;
        })
      );
    }
    if (kind === op.GET_REG || kind === op.GET_STATE) return this.move(d, this.code[base + 1]!);
    if (kind === op.LOAD) {
      const address = this.code[base + 1]!;
      return loadInto(
        this.env,
        this.privileged,
        d,
        this.code[base + 2]!,
        this.addressShape(address),
        this.operand(address),
        this.code[base + 5]!,
      );
    }
    const shapes = binaryShapes[kind];
    if (shapes !== undefined) {
      const x = this.operand(this.code[base + 1]!);
      const y = this.operand(this.code[base + 2]!);
      if (x.kind === 'word') {
        if (y.kind === 'word')
          return this.common.find(keyOf(kind, d, x.word, 1), y.word) ?? this.common.keep(shapes.setRr(R, d, x.word, y.word));
        if (y.kind === 'const')
          return this.common.find(keyOf(kind, d, x.word, 2), y.value) ?? this.common.keep(shapes.setRc(R, d, x.word, y.value));
        return shapes.setRx(R, d, x.word, y.run);
      }
      const left = asCode(R, x);
      if (y.kind === 'word') return shapes.setXr(R, d, left, y.word);
      return y.kind === 'const' ? shapes.setXc(R, d, left, y.value) : shapes.setXx(R, d, left, y.run);
    }
    const run = this.compute(v);
    return () => {
      R[d] = run();
    };
  }

  private move(d: number, from: number): Effect {
    const R = this.env.state.words;
    return (
      this.common.find(keyOf(op.GET_STATE, d, from, 0), 0) ??
      this.common.keep(() => {
        R[d] = R[from]!;
      })
    );
  }

  private addressShape(v: number): AddressShape | undefined {
    const operand = this.operandIfPlain(v);
    if (operand) return operand;
    const base = v * op.STRIDE;
    if (this.placement.place[v] !== INLINE || this.code[base] !== op.ADD) return undefined;
    const left = this.operandIfPlain(this.code[base + 1]!);
    const right = this.code[base + 2]!;
    if (!left || this.code[right * op.STRIDE] !== op.CONST) return undefined;
    return { base: left.base, offset: this.code[right * op.STRIDE + 1]! };
  }

  /** A value that stands in a state word. */
  private operandIfPlain(v: number): AddressShape | undefined {
    const place = this.placement.place[v];
    if (place === TEMP || place === HOME) return { base: this.placement.slot[v]!, offset: 0 };
    const kind = this.code[v * op.STRIDE];
    return kind === op.GET_REG || kind === op.GET_STATE ? { base: this.code[v * op.STRIDE + 1]!, offset: 0 } : undefined;
  }

  private statement(i: number, kind: number, k: number): Effect | undefined {
    if (isPure(kind)) return this.placement.place[i] === TEMP ? this.computeInto(this.placement.slot[i]!, i) : undefined;
    if (isOrderedValue(kind)) return this.orderedValue(i, kind, k);
    return this.effect(i, kind, k);
  }

  private orderedValue(i: number, kind: number, k: number): Effect | undefined {
    const place = this.placement.place[i]!;
    const base = i * op.STRIDE;
    if (kind === op.LOAD) {
      if (place === INLINE || place === HOME) return undefined; // happens in its user
      if (place === TEMP) return this.computeInto(this.placement.slot[i]!, i);
      return this.compute(i);
    }
    const d = this.sinkOf(i, place);
    const R = this.env.state.words;
    if (kind === op.CALL) return this.call(base, d, k);
    if (kind === op.ADC_FLAGS)
      return carryFlags(R, d, this.value(this.code[base + 1]!), this.value(this.code[base + 2]!), this.value(this.code[base + 3]!));
    const x = this.operand(this.code[base + 1]!);
    const y = this.operand(this.code[base + 2]!);
    if (x.kind !== 'word' || y.kind === 'code') return arithmeticFlags(kind, R, d, x, y);
    const key = y.kind === 'word' ? keyOf(kind, d, x.word, 1) : keyOf(kind, d, x.word, 2);
    return this.common.find(key, y.kind === 'word' ? y.word : y.value) ?? this.common.keep(arithmeticFlags(kind, R, d, x, y));
  }

  /** The state word that the result of a call or flag setter goes to; its SET_REG is then nothing any more. */
  private sinkOf(i: number, place: number): number {
    if (place === UNUSED) return -1;
    if (place === INLINE) return this.setRegAfter(i);
    return this.placement.slot[i]!;
  }

  private setRegAfter(i: number): number {
    for (let j = i + 1; j < this.block.count; j++) {
      if (this.code[j * op.STRIDE] === op.SET_REG && this.code[j * op.STRIDE + 2] === i) return this.code[j * op.STRIDE + 1]!;
    }
    throw new Error('[engine] [closures] an inlined result has no user');
  }

  private call(base: number, d: number, k: number): Effect {
    const R = this.env.state.words;
    const kernel = this.block.kernels[this.code[base + 1]!] as CallKernel<never>;
    const { run } = kernel;
    const { core } = this.env;
    const { frame } = this.env.access;
    const operandOf = (v: number): Value => (v < 0 ? zero : this.value(v));
    const a = operandOf(this.code[base + 2]!);
    const b = operandOf(this.code[base + 3]!);
    const c = operandOf(this.code[base + 4]!);
    if (d < 0)
      return () => {
        frame.index = k;
        run(core, a(), b(), c());
      };
    return () => {
      frame.index = k;
      R[d] = run(core, a(), b(), c());
    };
  }

  private effect(i: number, kind: number, k: number): Effect | undefined {
    const R = this.env.state.words;
    const base = i * op.STRIDE;
    const a = this.code[base + 1]!;
    const b = this.code[base + 2]!;
    const c = this.code[base + 3]!;
    switch (kind) {
      case op.SET_REG:
      case op.SET_STATE:
        return this.assign(i, a, b);
      case op.SET_NZ:
        return this.testFlags(this.operand(a));
      case op.SET_NZC:
        return logicalFlags(R, this.operand(a), this.operand(b));
      case op.STORE:
        return storeEffect(this.env, this.privileged, b, this.addressShape(a), this.operand(a), this.operand(c), k);
      case op.LOAD_MULTIPLE:
        return loadMultipleEffect(this.env, this.privileged, this.code[base + 4]!, this.value(a), this.list(b, c), k);
      case op.STORE_MULTIPLE:
        return storeMultipleEffect(this.env, this.privileged, this.code[base + 4]!, this.value(a), this.list(b, c), k);
      case op.VECTOR:
        return this.vector(a, b, c, this.code[base + 4]!);
      case op.GOTO:
        return this.exitTo(a);
      case op.BRANCH_IF:
        return branchEffect(R, this.isCondition(a) ? this.code[a * op.STRIDE + 1]! : this.value(a), b, c);
      case op.JUMP: {
        const target = this.value(a);
        return () => {
          R[PC] = target();
        };
      }
      case op.JUMP_EXCHANGE:
        return this.jumpExchange(this.value(a));
      case op.RESYNC:
        return undefined;
      default:
        throw new Error(`[engine] [closures] unknown micro-operation ${kind}`);
    }
  }

  private assign(i: number, d: number, v: number): Effect | undefined {
    const place = this.placement.place[v]!;
    const kind = this.code[v * op.STRIDE]!;
    if (isOrderedValue(kind) && kind !== op.LOAD && (place === INLINE || place === HOME)) {
      // The call or flag setter has put it there already, when this is the user it went to.
      if (place === INLINE || this.placement.isFirstUser(v, i)) return undefined;
    }
    if (place === INLINE || (place === HOME && this.placement.isFirstUser(v, i))) return this.computeInto(d, v);
    return this.move(d, this.placement.slot[v]!);
  }

  private testFlags(of: Operand): Effect {
    const R = this.env.state.words;
    if (of.kind !== 'word') return logicalFlags(R, of, undefined);
    return this.common.find(keyOf(op.SET_NZ, 0, of.word, 0), 0) ?? this.common.keep(logicalFlags(R, of, undefined));
  }

  private list(start: number, count: number): Int32Array {
    const list = new Int32Array(count);
    for (let k = 0; k < count; k++) {
      const item = this.block.lists[start + k]!;
      list[k] = item >= 0 ? item : this.placement.slot[~item]!;
    }
    return list;
  }

  private vector(kernelIndex: number, a: number, b: number, c: number): Effect {
    const kernel = this.block.kernels[kernelIndex] as VectorKernel;
    let run = this.env.bound.get(kernel);
    if (run === undefined) {
      run = kernel.bind(this.env.state);
      this.env.bound.set(kernel, run);
    }
    const bound = run;
    return () => bound(a, b, c);
  }

  private jumpExchange(target: Value): Effect {
    const R = this.env.state.words;
    const { access } = this.env;
    if (this.thumb)
      return () => {
        const v = target();
        if (v & 1) R[PC] = v & ~1;
        else access.exchange(v);
      };
    return () => {
      const v = target();
      if (v & 1) access.exchange(v);
      else R[PC] = v & ~3;
    };
  }
}

/** First key of a common statement: what it does, the state word that it writes (-1: none), the first that it reads, and what the second operand is. */
const keyOf = (kind: number, d: number, x: number, form: number): number => (kind << 24) | ((d & 0x3ff) << 14) | (x << 4) | (form + 1);

const counted: number[] = [];
/** The starts of instructions of one statement each, which most blocks have: one list for all of a length or less. */
const oneEach = (instructions: number): readonly number[] => {
  while (counted.length <= instructions) counted.push(counted.length);
  return counted;
};

const nothing = (): void => {};
const zero = (): number => 0;

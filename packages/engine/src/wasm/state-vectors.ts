import type { Builder } from '../builder.js';
import { INLINE, type Placement } from '../closures/placement.js';
import { D0, TEMP_COUNT, TEMP0 } from '../layout.js';
import { isPure, valueOperands } from '../op-info.js';
import * as op from '../ops.js';
import { floatPrecisions } from './float-work.js';
import type { FunctionWriter } from './function-writer.js';
import * as wasm from './opcodes.js';
import * as simd from './simd-opcodes.js';
import type { SimdRegisters } from './simd-registers.js';
import { half, quad } from './simd-registers.js';

const { double } = floatPrecisions;

/** What is written into neighbouring words, as one value. */
type Shape =
  | { readonly kind: 'same'; readonly value: number }
  | { readonly kind: 'constant'; readonly words: readonly number[] }
  | { readonly kind: 'load'; readonly word: number }
  | { readonly kind: 'pair'; readonly values: readonly number[] }
  | { readonly kind: 'not'; readonly a: Shape }
  | { readonly kind: 'binary'; readonly opcode: number; readonly a: Shape; readonly b: Shape };

const opcodes: Readonly<Record<number, number>> = { [op.AND]: simd.AND, [op.OR]: simd.OR, [op.XOR]: simd.XOR };
const identity: Readonly<Record<number, number>> = { [op.AND]: -1, [op.OR]: 0, [op.XOR]: 0 };

/** Whether a word is one of a SIMD register, or of the temporaries that structures and scalars are put in. */
export const isSimdWord = (word: number): boolean => word >= D0 && word < TEMP0 + TEMP_COUNT;

/**
 * Moves and bitwise work on D and Q registers are micro-operations on words. Stored word by word they would be slow to load as a whole, since a processor
 * forwards only stores that hold all of what is loaded; so they are written as one 64- or 128-bit store.
 */
export class StateVectors {
  private readonly w: FunctionWriter;
  private readonly registers: SimdRegisters;
  private readonly push: (v: number) => void;
  private readonly isKept: (v: number) => boolean;
  private block!: Builder;
  private placement!: Placement;

  /** `push` pushes a value, `isKept` says whether it is in a local already. */
  constructor(w: FunctionWriter, registers: SimdRegisters, push: (v: number) => void, isKept: (v: number) => boolean) {
    this.w = w;
    this.registers = registers;
    this.push = push;
    this.isKept = isKept;
  }

  begin(block: Builder, placement: Placement): void {
    this.block = block;
    this.placement = placement;
  }

  /** Writes the SET_STATE at `i` with those after it, before `to`, that belong to the same register. Result: their places, none when it stands alone. */
  group(i: number, to: number): readonly number[] {
    const { code } = this.block;
    const word = code[i * op.STRIDE + 1]!;
    if (!isSimdWord(word) || (word & 1) !== 0) return [];
    const places = this.following(i, to);
    for (const count of (word & 3) === 0 ? [4, 2] : [2]) {
      if (places.length < count) continue;
      const some = places.slice(0, count);
      if (!this.isIndependent(some)) continue;
      const shape = this.root(some.map((place) => code[place * op.STRIDE + 2]!));
      if (shape === undefined) continue;
      this.store(word, count, shape);
      return some;
    }
    return [];
  }

  /** Places of SET_STATEs of consecutive words from the one at `i` on, with nothing but values inlined into them between. */
  private following(i: number, to: number): readonly number[] {
    const { code } = this.block;
    const first = code[i * op.STRIDE + 1]!;
    const places = [i];
    for (let k = i + 1; k < to && places.length < 4; k++) {
      const base = k * op.STRIDE;
      if (code[base] === op.SET_STATE) {
        if (code[base + 1] !== first + places.length) break;
        places.push(k);
      } else if (!isPure(code[base]!) || this.placement.place[k] !== INLINE) break;
    }
    return places;
  }

  /** No value reads what an earlier one of the group has written, and none is a load. */
  private isIndependent(places: readonly number[]): boolean {
    const { code } = this.block;
    const first = code[places[0]! * op.STRIDE + 1]!;
    const isFree = (v: number): boolean => {
      if (this.isKept(v)) return true;
      const base = v * op.STRIDE;
      const kind = code[base]!;
      if (!isPure(kind)) return false;
      if (kind === op.GET_STATE) {
        const written = places[code[base + 1]! - first];
        return written === undefined || v < written;
      }
      const operands = valueOperands(kind);
      for (let k = 0; k < 4; k++) if ((operands >> k) & 1 && code[base + 1 + k]! >= 0 && !isFree(code[base + 1 + k]!)) return false;
      return true;
    };
    return places.every((place) => isFree(code[place * op.STRIDE + 2]!));
  }

  private root(values: readonly number[]): Shape | undefined {
    return this.shape(values) ?? (values.length === 2 ? { kind: 'pair', values } : undefined);
  }

  private shape(values: readonly number[]): Shape | undefined {
    const { code } = this.block;
    const word = (v: number, n: number): number => code[v * op.STRIDE + n]!;
    const first = values[0]!;
    if (values.every((v) => v === first)) return { kind: 'same', value: first };
    if (values.every((v) => word(v, 0) === op.CONST)) return { kind: 'constant', words: values.map((v) => word(v, 1)) };
    if (values.some(this.isKept)) return undefined;
    if (values.every((v, k) => word(v, 0) === op.GET_STATE && word(v, 1) === word(first, 1) + k))
      return isSimdWord(word(first, 1)) ? { kind: 'load', word: word(first, 1) } : undefined;
    if (values.every((v) => word(v, 0) === op.NOT)) {
      const a = this.shape(values.map((v) => word(v, 1)));
      return a && { kind: 'not', a };
    }
    const kind = values.map((v) => word(v, 0)).find((each) => opcodes[each] !== undefined);
    if (kind === undefined) return undefined;
    const operation = (a: Shape | undefined, b: Shape | undefined): Shape | undefined =>
      a && b && { kind: 'binary', opcode: opcodes[kind]!, a, b };
    if (values.every((v) => word(v, 0) === kind))
      return operation(this.shape(values.map((v) => word(v, 1))), this.shape(values.map((v) => word(v, 2))));
    // Words that are only moved, among others that a constant is combined with: the sign of a double.
    const isCombined = (v: number): boolean => word(v, 0) === kind && word(word(v, 2), 0) === op.CONST;
    if (!values.every((v) => isCombined(v) || word(v, 0) === op.GET_STATE)) return undefined;
    return operation(this.shape(values.map((v) => (isCombined(v) ? word(v, 1) : v))), {
      kind: 'constant',
      words: values.map((v) => (isCombined(v) ? word(word(v, 2), 1) : identity[kind]!)),
    });
  }

  private store(word: number, count: number, shape: Shape): void {
    const { w, registers } = this;
    if (shape.kind === 'pair') {
      const [low, high] = shape.values;
      w.state();
      this.push(low!);
      w.op(wasm.I64_EXTEND_I32_U);
      this.push(high!);
      w.op(wasm.I64_EXTEND_I32_U);
      w.i64(32);
      w.op(wasm.I64_SHL);
      w.op(wasm.I64_OR);
      w.access(wasm.I64_STORE, 3, w.stateOffset + 4 * word);
      registers.wrote(word, 2);
      return;
    }
    const form = count === 4 ? quad : registers.formIn(word, 2);
    if (shape.kind === 'load') registers.copy(form, word, () => registers.push(form, shape.word));
    else
      registers.write(form, word, () => {
        this.vector(shape, count);
        if (form.type !== wasm.TYPE_F64) return;
        w.simd(simd.F64_EXTRACT_LANE);
        w.lane(0);
      });
  }

  private vector(shape: Shape, count: number): void {
    const { w } = this;
    switch (shape.kind) {
      case 'same':
        this.push(shape.value);
        w.simd(simd.SPLAT_I32);
        return;
      case 'constant':
        w.v128(shape.words.reduce((bits, word, k) => bits | (BigInt(word >>> 0) << BigInt(32 * k)), 0n));
        return;
      case 'load':
        if (count === 2 && this.registers.find(double, shape.word) !== undefined) {
          this.registers.push(double, shape.word);
          w.simd(simd.SPLAT_F64);
        } else this.registers.push(count === 4 ? quad : half, shape.word);
        return;
      case 'not':
        this.vector(shape.a, count);
        w.simd(simd.NOT);
        return;
      case 'binary':
        this.vector(shape.a, count);
        this.vector(shape.b, count);
        w.simd(shape.opcode);
        return;
    }
  }
}

import type { Encoding, Fields } from './encoding.js';

/** Where one letter's bits are: pieces from the most significant, `shift` and `width` in bits of the word. */
interface FieldPieces {
  readonly letter: string;
  /** The letter's character code. */
  readonly code: number;
  readonly pieces: readonly { readonly shift: number; readonly width: number }[];
}

/** A pattern made ready for matching. Masks are unsigned; T16 patterns use bits 15:0. */
export interface CompiledPattern {
  readonly bits: 16 | 32;
  readonly mask: number;
  readonly value: number;
  /** Should-be bits and their values, disjoint from `mask`. */
  readonly shouldMask: number;
  readonly shouldValue: number;
  readonly fields: readonly FieldPieces[];
  readonly hasCondition: boolean;
}

/** Reads a pattern string. Throws on a wrong length or character, with the encoding's name. */
export const compilePattern = (encoding: Pick<Encoding, 'name' | 'isa' | 'pattern'>): CompiledPattern => new Pattern(encoding);

/** There are 1,600, and start-up waits for their masks; where fields are is found when it is asked for. */
class Pattern implements CompiledPattern {
  readonly bits: 16 | 32;
  readonly mask: number;
  readonly value: number;
  readonly shouldMask: number;
  readonly shouldValue: number;
  readonly hasCondition: boolean;
  private readonly text: string;
  private found: readonly FieldPieces[] | undefined;

  constructor(encoding: Pick<Encoding, 'name' | 'isa' | 'pattern'>) {
    const text = encoding.pattern;
    const bits = encoding.isa === 'T16' ? 16 : 32;
    let left = bits;
    let mask = 0;
    let value = 0;
    let shouldMask = 0;
    let shouldValue = 0;
    for (let i = 0; i < text.length; i++) {
      const c = text.charCodeAt(i);
      if (c === SPACE) continue;
      const bit = 1 << --left;
      if (c === ZERO) mask |= bit;
      else if (c === ONE) {
        mask |= bit;
        value |= bit;
      } else if (c === MINUS) shouldMask |= bit;
      else if (c === PLUS) {
        shouldMask |= bit;
        shouldValue |= bit;
      } else if (!isLetter(c)) throw new Error(`[arm-core] [${encoding.name}] '${text[i]}' in pattern`);
    }
    if (left !== 0) throw new Error(`[arm-core] [${encoding.name}] pattern has ${bits - left} bits, not ${bits}`);
    this.text = text;
    this.bits = bits;
    this.mask = mask >>> 0;
    this.value = value >>> 0;
    this.shouldMask = shouldMask >>> 0;
    this.shouldValue = shouldValue >>> 0;
    this.hasCondition = encoding.isa === 'A32' && text.includes('c');
  }

  get fields(): readonly FieldPieces[] {
    this.found ??= fieldsOf(this.text.replaceAll(' ', ''));
    return this.found;
  }
}

const SPACE = 32;
const PLUS = 43;
const MINUS = 45;
const ZERO = 48;
const ONE = 49;
const isLetter = (c: number): boolean => (c >= 97 && c <= 122) || (c >= 65 && c <= 90);

const fieldsOf = (text: string): readonly FieldPieces[] => {
  const fields: { letter: string; code: number; pieces: { shift: number; width: number }[] }[] = [];
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (!isLetter(text.charCodeAt(i))) continue;
    let field = fields.find(({ letter }) => letter === c);
    if (field === undefined) {
      field = { letter: c, code: text.charCodeAt(i), pieces: [] };
      fields.push(field);
    }
    if (c === text[i - 1]) {
      const last = field.pieces[field.pieces.length - 1]!;
      last.shift--;
      last.width++;
    } else field.pieces.push({ shift: text.length - 1 - i, width: 1 });
  }
  return fields;
};

/**
 * The fields of one word after another, in one object: the same semantics read those of many patterns, so they are of one shape. Letters that are not listed
 * work, too.
 */
export class FieldSet {
  private held: readonly FieldPieces[] = [];
  H: number | undefined = undefined;
  J: number | undefined = undefined;
  K: number | undefined = undefined;
  N: number | undefined = undefined;
  S: number | undefined = undefined;
  T: number | undefined = undefined;
  U: number | undefined = undefined;
  Z: number | undefined = undefined;
  a: number | undefined = undefined;
  c: number | undefined = undefined;
  d: number | undefined = undefined;
  e: number | undefined = undefined;
  f: number | undefined = undefined;
  h: number | undefined = undefined;
  i: number | undefined = undefined;
  j: number | undefined = undefined;
  k: number | undefined = undefined;
  l: number | undefined = undefined;
  m: number | undefined = undefined;
  n: number | undefined = undefined;
  o: number | undefined = undefined;
  p: number | undefined = undefined;
  q: number | undefined = undefined;
  r: number | undefined = undefined;
  s: number | undefined = undefined;
  t: number | undefined = undefined;
  u: number | undefined = undefined;
  w: number | undefined = undefined;
  x: number | undefined = undefined;
  y: number | undefined = undefined;
  z: number | undefined = undefined;

  /** Holds the fields of `word` from now on. */
  take(pattern: CompiledPattern, word: number): Fields {
    const { held } = this;
    const list = pattern.fields;
    if (list !== held) {
      for (let i = 0; i < held.length; i++) this.set(held[i]!.code, undefined);
      this.held = list;
    }
    for (let i = 0; i < list.length; i++) this.set(list[i]!.code, valueIn(list[i]!.pieces, word));
    return this as unknown as Fields;
  }

  private set(letter: number, value: number | undefined): void {
    switch (letter) {
      case 72:
        this.H = value;
        return;
      case 74:
        this.J = value;
        return;
      case 75:
        this.K = value;
        return;
      case 78:
        this.N = value;
        return;
      case 83:
        this.S = value;
        return;
      case 84:
        this.T = value;
        return;
      case 85:
        this.U = value;
        return;
      case 90:
        this.Z = value;
        return;
      case 97:
        this.a = value;
        return;
      case 99:
        this.c = value;
        return;
      case 100:
        this.d = value;
        return;
      case 101:
        this.e = value;
        return;
      case 102:
        this.f = value;
        return;
      case 104:
        this.h = value;
        return;
      case 105:
        this.i = value;
        return;
      case 106:
        this.j = value;
        return;
      case 107:
        this.k = value;
        return;
      case 108:
        this.l = value;
        return;
      case 109:
        this.m = value;
        return;
      case 110:
        this.n = value;
        return;
      case 111:
        this.o = value;
        return;
      case 112:
        this.p = value;
        return;
      case 113:
        this.q = value;
        return;
      case 114:
        this.r = value;
        return;
      case 115:
        this.s = value;
        return;
      case 116:
        this.t = value;
        return;
      case 117:
        this.u = value;
        return;
      case 119:
        this.w = value;
        return;
      case 120:
        this.x = value;
        return;
      case 121:
        this.y = value;
        return;
      case 122:
        this.z = value;
        return;
      default:
        (this as unknown as Record<string, number | undefined>)[String.fromCharCode(letter)] = value;
    }
  }
}

const valueIn = (pieces: FieldPieces['pieces'], word: number): number => {
  let value = 0;
  for (let k = 0; k < pieces.length; k++) {
    const { shift, width } = pieces[k]!;
    value = (value << width) | ((word >>> shift) & (-1 >>> (32 - width)));
  }
  return value >>> 0;
};

/** The fields of `word`. */
export const extractFields = (pattern: CompiledPattern, word: number): Fields => {
  const fields: Record<string, number> = {};
  for (const { letter, pieces } of pattern.fields) fields[letter] = valueIn(pieces, word);
  return fields;
};

/** The word with these fields (missing ones are 0; `c` defaults to 14), should-be bits as they should be. Undefined when a value does not fit. */
export const insertFields = (pattern: CompiledPattern, fields: Fields): number | undefined => {
  let word = pattern.value | pattern.shouldValue;
  for (const { letter, pieces } of pattern.fields) {
    let value = fields[letter] ?? (letter === 'c' ? 14 : 0);
    for (let i = pieces.length - 1; i >= 0; i--) {
      const { shift, width } = pieces[i]!;
      word |= (value & ((1 << width) - 1)) << shift;
      value = Math.floor(value / 2 ** width);
    }
    if (value !== 0) return undefined;
  }
  return word >>> 0;
};

/** Whether `word` has the fixed bits (and, for A32 with a condition field, a condition below 1111). */
export const matches = (pattern: CompiledPattern, word: number): boolean =>
  (word & pattern.mask) >>> 0 === pattern.value ? !(pattern.hasCondition && word >>> 28 === 15) : false;

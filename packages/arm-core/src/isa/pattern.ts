import type { Encoding, Fields } from './encoding.js';

/** Where one letter's bits are: pieces from the most significant, `shift` and `width` in bits of the word. */
interface FieldPieces {
  readonly letter: string;
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
  const fields: { letter: string; pieces: { shift: number; width: number }[] }[] = [];
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (!isLetter(text.charCodeAt(i))) continue;
    let field = fields.find(({ letter }) => letter === c);
    if (field === undefined) {
      field = { letter: c, pieces: [] };
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

/** The fields of `word`. */
export const extractFields = (pattern: CompiledPattern, word: number): Fields => {
  const fields: Record<string, number> = {};
  const list = pattern.fields;
  for (let i = 0; i < list.length; i++) {
    const { letter, pieces } = list[i]!;
    let value = 0;
    for (let k = 0; k < pieces.length; k++) {
      const { shift, width } = pieces[k]!;
      value = (value << width) | ((word >>> shift) & (width === 32 ? ~0 : (1 << width) - 1));
    }
    fields[letter] = value >>> 0;
  }
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

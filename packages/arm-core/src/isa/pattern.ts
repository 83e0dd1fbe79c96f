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
export const compilePattern = (encoding: Pick<Encoding, 'name' | 'isa' | 'pattern'>): CompiledPattern => {
  const text = encoding.pattern.replace(/\s+/g, '');
  const bits = encoding.isa === 'T16' ? 16 : 32;
  if (text.length !== bits) throw new Error(`[arm-core] [${encoding.name}] pattern has ${text.length} bits, not ${bits}`);
  let mask = 0;
  let value = 0;
  let shouldMask = 0;
  let shouldValue = 0;
  const pieces = new Map<string, { shift: number; width: number }[]>();
  for (let i = 0; i < bits; i++) {
    const c = text[i]!;
    const shift = bits - 1 - i;
    const bit = (1 << shift) >>> 0;
    if (c === '0' || c === '1') {
      mask |= bit;
      if (c === '1') value |= bit;
    } else if (c === '-' || c === '+') {
      shouldMask |= bit;
      if (c === '+') shouldValue |= bit;
    } else if (/[a-zA-Z]/.test(c)) {
      const list = pieces.get(c) ?? [];
      if (list.length > 0 && text[i - 1] === c) {
        const last = list[list.length - 1]!;
        last.shift--;
        last.width++;
      } else list.push({ shift, width: 1 });
      pieces.set(c, list);
    } else throw new Error(`[arm-core] [${encoding.name}] '${c}' in pattern`);
  }
  return {
    bits,
    mask: mask >>> 0,
    value: value >>> 0,
    shouldMask: shouldMask >>> 0,
    shouldValue: shouldValue >>> 0,
    fields: [...pieces].map(([letter, list]) => ({ letter, pieces: list })),
    hasCondition: encoding.isa === 'A32' && pieces.has('c'),
  };
};

/** The fields of `word`. */
export const extractFields = (pattern: CompiledPattern, word: number): Fields => {
  const fields: Record<string, number> = {};
  for (const { letter, pieces } of pattern.fields) {
    let value = 0;
    for (const { shift, width } of pieces) value = (value << width) | ((word >>> shift) & (width === 32 ? ~0 : (1 << width) - 1));
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

import type { Fields } from './encoding.js';

/** Mnemonics with holes (see `Encoding.text`): printing them, and reading a line's mnemonic back. */

/** Condition suffixes by number; 14 (always) is no suffix. */
export const conditionNames = ['eq', 'ne', 'cs', 'cc', 'mi', 'pl', 'vs', 'vc', 'hi', 'ls', 'ge', 'lt', 'gt', 'le', ''] as const;

/** Number of a condition by name: `hs` and `lo` are other names of `cs` and `cc`; `al` is 14. */
export const conditionNumber = (text: string): number | undefined => {
  const name = text.toLowerCase();
  if (name === 'hs') return 2;
  if (name === 'lo') return 3;
  if (name === 'al') return 14;
  const n = (conditionNames as readonly string[]).indexOf(name);
  return n < 0 || n === 14 ? undefined : n;
};

/** The T and E letters of IT for a first condition and mask (A8.8.54). */
export const itLetters = (firstCondition: number, mask: number): string => {
  let letters = '';
  for (let bits = mask; (bits & 7) !== 0; bits <<= 1) letters += ((bits >> 3) & 1) === (firstCondition & 1) ? 't' : 'e';
  return letters;
};
/** The mask for T and E letters (zero to three). */
export const itMask = (firstCondition: number, letters: string): number => {
  let mask = 0;
  for (const letter of letters) mask = (mask << 1) | ((firstCondition & 1) ^ (letter === 'e' ? 1 : 0));
  return ((mask << 1) | 1) << (3 - letters.length);
};

type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'condition' }
  | { readonly kind: 's' }
  | { readonly kind: 'setsFlags' }
  | { readonly kind: 'wide' }
  | { readonly kind: 'it' }
  | { readonly kind: 'choice'; readonly letter: string; readonly words: readonly string[] };

/** What the mnemonic of a line says. */
export interface MnemonicMatch {
  /** Fields from `{s}` and choices. */
  readonly fields: Record<string, number>;
  /** Condition suffix, 14 when there is none. Undefined when the encoding's mnemonic has no place for one. */
  readonly condition: number | undefined;
  /** Whether an `s` stood for `{S}`; undefined when the mnemonic has none. */
  readonly setsFlags: boolean | undefined;
  /** Letters of IT. */
  readonly it: string | undefined;
}

/** Where a mnemonic is printed. */
export interface MnemonicContext {
  /** Condition from the A32 field or the IT block; 14 for none. */
  readonly condition: number;
  readonly inIt: boolean;
}

/** A compiled mnemonic template. */
export class Mnemonic {
  private readonly parts: readonly Part[];
  private readonly expression: RegExp;
  /** Characters before the first hole, in lower case. */
  readonly stem: string;

  readonly template: string;

  constructor(template: string) {
    this.template = template;
    const parts: Part[] = [];
    for (const piece of template.replace(/\.w$/, '{.w}').split(/(\{[^}]*\})/)) {
      if (piece === '') continue;
      if (!piece.startsWith('{')) {
        parts.push({ kind: 'text', text: piece });
        continue;
      }
      const hole = piece.slice(1, -1);
      if (hole === 'c') parts.push({ kind: 'condition' });
      else if (hole === 's') parts.push({ kind: 's' });
      else if (hole === 'S') parts.push({ kind: 'setsFlags' });
      else if (hole === '.w') parts.push({ kind: 'wide' });
      else if (hole === 'it') parts.push({ kind: 'it' });
      else if (/^[a-zA-Z]:/.test(hole)) parts.push({ kind: 'choice', letter: hole[0]!, words: hole.slice(2).split(',') });
      else throw new Error(`[arm-core] [${template}] unknown hole {${hole}}`);
    }
    this.parts = parts;
    const quote = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    const source = parts.map((part) => {
      switch (part.kind) {
        case 'text':
          return quote(part.text);
        case 'condition':
          return '(eq|ne|cs|hs|cc|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le|al|)';
        case 's':
        case 'setsFlags':
          return '(s?)';
        case 'wide':
          return '(?:\\.w)?';
        case 'it':
          return '([te]{0,3})';
        case 'choice':
          return `(${part.words
            .filter((word) => word !== '!')
            .map(quote)
            .join('|')})`;
      }
    });
    this.expression = new RegExp(`^${source.join('')}$`);
    this.stem = parts[0]?.kind === 'text' ? parts[0].text : '';
  }

  /** Text for these fields, or undefined when a choice says that there is no such instruction. */
  print(f: Fields, context: MnemonicContext): string | undefined {
    let text = '';
    for (const part of this.parts) {
      switch (part.kind) {
        case 'text':
          text += part.text;
          break;
        case 'condition':
          text += conditionNames[context.condition] ?? '';
          break;
        case 's':
          if (f['s'] === 1) text += 's';
          break;
        case 'setsFlags':
          if (!context.inIt) text += 's';
          break;
        case 'wide':
          text += '.w';
          break;
        case 'it':
          text += itLetters(f['q']!, f['m']!);
          break;
        case 'choice': {
          const word = part.words[f[part.letter]!];
          if (word === undefined || word === '!') return undefined;
          text += word;
        }
      }
    }
    return text;
  }

  /** Reads a mnemonic in lower case; undefined when it is not this one. `{.w}` may be missing. */
  match(text: string): MnemonicMatch | undefined {
    const found = this.expression.exec(text);
    if (found === null) return undefined;
    const fields: Record<string, number> = {};
    let condition: number | undefined;
    let setsFlags: boolean | undefined;
    let it: string | undefined;
    let group = 1;
    for (const part of this.parts) {
      if (part.kind === 'text' || part.kind === 'wide') continue;
      const word = found[group++]!;
      if (part.kind === 'condition') condition = word === '' ? 14 : conditionNumber(word)!;
      else if (part.kind === 's') fields['s'] = word === 's' ? 1 : 0;
      else if (part.kind === 'setsFlags') setsFlags = word === 's';
      else if (part.kind === 'it') it = word;
      else fields[part.letter] = part.words.indexOf(word);
    }
    return { fields, condition, setsFlags, it };
  }
}

/** Splitting assembly source into statements. */

/** Bad assembly source. `line` counts from 1. */
export class AssemblerError extends Error {
  readonly line: number;
  constructor(line: number, message: string) {
    super(`[arm-core] [assembler] line ${line}: ${message}`);
    this.name = 'AssemblerError';
    this.line = line;
  }
}

/** One statement of a line: labels, then a mnemonic or directive with its operands. */
export interface SourceStatement {
  readonly line: number;
  readonly labels: readonly string[];
  /** In lower case, blank when there are only labels. */
  readonly mnemonic: string;
  /** Text after the mnemonic. */
  readonly rest: string;
  /** The line without comments and labels. */
  readonly text: string;
}

/** Removes comments (`@`, `//`, `;`, `#` at the start of a line); strings and characters are left alone. */
const withoutComment = (line: string): string => {
  if (/^\s*#/.test(line)) return '';
  let quote = '';
  for (let i = 0; i < line.length; i++) {
    const c = line[i]!;
    if (quote !== '') {
      if (c === '\\') i++;
      else if (c === quote) quote = '';
    } else if (c === '"') quote = c;
    else if (c === "'") i += line[i + 1] === '\\' ? 2 : 1;
    else if (c === '@' || c === ';' || (c === '/' && line[i + 1] === '/')) return line.slice(0, i);
  }
  return line;
};

/** Statements of a source text. */
export const readStatements = (source: string): SourceStatement[] => {
  const statements: SourceStatement[] = [];
  const plain = source.replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '));
  plain.split('\n').forEach((raw, index) => {
    const text = withoutComment(raw).trim();
    const labels: string[] = [];
    let rest = text;
    for (;;) {
      const label = /^([A-Za-z_.$][\w.$]*|[0-9]+)\s*:\s*/.exec(rest);
      if (label === null) break;
      labels.push(label[1]!);
      rest = rest.slice(label[0].length);
    }
    if (rest === '' && labels.length === 0) return;
    const assignment = /^([A-Za-z_.$][\w.$]*)\s*=\s*(.*)$/.exec(rest);
    if (assignment !== null) {
      statements.push({ line: index + 1, labels, mnemonic: '.equ', rest: `${assignment[1]}, ${assignment[2]}`, text: rest });
      return;
    }
    const word = /^\S+/.exec(rest)?.[0] ?? '';
    statements.push({ line: index + 1, labels, mnemonic: word.toLowerCase(), rest: rest.slice(word.length).trim(), text: rest });
  });
  return statements;
};

/** Splits at commas that are not inside brackets, braces, parentheses or strings. */
export const splitOperands = (text: string): string[] => {
  const pieces: string[] = [];
  let depth = 0;
  let quote = false;
  let piece = '';
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (quote) {
      piece += c;
      if (c === '\\') piece += text[++i] ?? '';
      else if (c === '"') quote = false;
      continue;
    }
    if (c === '"') quote = true;
    if (c === "'") {
      const length = text[i + 1] === '\\' ? 3 : 2;
      piece += text.slice(i, i + length);
      i += length - 1;
      continue;
    }
    if ('[{('.includes(c)) depth++;
    if (']})'.includes(c)) depth--;
    if (c === ',' && depth === 0) {
      pieces.push(piece.trim());
      piece = '';
    } else piece += c;
  }
  if (piece.trim() !== '' || pieces.length > 0) pieces.push(piece.trim());
  return pieces;
};

/** What a letter after a backslash stands for, in strings and characters. */
export const escapes: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, b: 8, f: 12, 0: 0 };

/** Bytes of a quoted string (UTF-8 is not made: characters are Latin-1), or undefined. */
export const stringBytes = (text: string): number[] | undefined => {
  const match = /^"((?:\\.|[^"\\])*)"$/.exec(text);
  if (match === null) return undefined;
  const bytes: number[] = [];
  const body = match[1]!;
  for (let i = 0; i < body.length; i++) {
    let code = body.charCodeAt(i);
    if (body[i] === '\\') {
      const hex = /^x([0-9a-fA-F]{1,2})/.exec(body.slice(i + 1));
      const octal = /^[0-7]{1,3}/.exec(body.slice(i + 1));
      if (hex !== null) {
        code = Number.parseInt(hex[1]!, 16);
        i += hex[0].length;
      } else if (octal !== null) {
        code = Number.parseInt(octal[0], 8);
        i += octal[0].length;
      } else {
        code = escapes[body[i + 1]!] ?? body.charCodeAt(i + 1);
        i++;
      }
    }
    bytes.push(code & 0xff);
  }
  return bytes;
};

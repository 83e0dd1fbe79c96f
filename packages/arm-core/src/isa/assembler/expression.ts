import { escapes } from './source.js';

/** Expressions of the assembler: C's operators on numbers, symbols and `.`. */

/** What symbols mean where an expression stands: undefined for an unknown name. */
export type SymbolValue = (name: string) => number | undefined;

const tokenPattern = /\s*(0x[0-9a-f]+|0b[01]+|[0-9]+[bf](?![0-9a-z_])|[0-9]+|'(?:\\.|[^'\\])'?|[a-z_.$][\w.$]*|<<|>>|[-+*/%&|^~()])/iy;

const precedences: Readonly<Record<string, number>> = { '|': 1, '^': 2, '&': 3, '<<': 4, '>>': 4, '+': 5, '-': 5, '*': 6, '/': 6, '%': 6 };

const characterValue = (token: string): number => {
  const body = token.endsWith("'") && token.length > 2 ? token.slice(1, -1) : token.slice(1);
  return body.startsWith('\\') ? (escapes[body[1]!] ?? body.charCodeAt(1)) : body.charCodeAt(0);
};

const apply = (operator: string, a: number, b: number): number | undefined => {
  switch (operator) {
    case '|':
      return a | b;
    case '^':
      return a ^ b;
    case '&':
      return a & b;
    case '<<':
      return b > 31 ? 0 : a << b;
    case '>>':
      return b > 31 ? 0 : a >>> b;
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return b === 0 ? undefined : Math.trunc(a / b);
    default:
      return b === 0 ? undefined : a % b;
  }
};

/** Value of an expression, or undefined when the text is none or a name in it is unknown. Local labels (`1b`, `2f`) are names. */
export const evaluate = (text: string, symbol: SymbolValue): number | undefined => {
  const tokens: string[] = [];
  tokenPattern.lastIndex = 0;
  const trimmed = text.trim();
  let end = 0;
  while (end < trimmed.length) {
    tokenPattern.lastIndex = end;
    const match = tokenPattern.exec(trimmed);
    if (match === null) return undefined;
    tokens.push(match[1]!);
    end = tokenPattern.lastIndex;
  }
  let at = 0;
  const primary = (): number | undefined => {
    const token = tokens[at++];
    if (token === undefined) return undefined;
    if (token === '(') {
      const value = expression(1);
      return tokens[at++] === ')' ? value : undefined;
    }
    if (token === '-' || token === '+' || token === '~') {
      const value = primary();
      if (value === undefined) return undefined;
      return token === '-' ? -value : token === '~' ? ~value : value;
    }
    if (token.startsWith("'")) return characterValue(token);
    if (/^0b[01]+$/i.test(token)) return Number.parseInt(token.slice(2), 2);
    if (/^(0x[0-9a-f]+|[0-9]+)$/i.test(token)) return Number(token);
    return /^[\w.$]/.test(token) ? symbol(token) : undefined;
  };
  const expression = (least: number): number | undefined => {
    let left = primary();
    for (;;) {
      const operator = tokens[at];
      const precedence = operator === undefined ? undefined : precedences[operator];
      if (operator === undefined || precedence === undefined || precedence < least || left === undefined) return left;
      at++;
      const right = expression(precedence + 1);
      left = right === undefined ? undefined : apply(operator, left, right);
    }
  };
  const value = expression(1);
  return at === tokens.length ? value : undefined;
};

import type { LoaderFormat } from './loader-error.js';
import { LoaderError } from './loader-error.js';
import type { SymbolRecord } from './symbol-table.js';

/** Longer lines are refused: the kernel's own limit for a name is 512 characters (KSYM_NAME_LEN). */
const LINE_LIMIT = 1024;

/**
 * Reads lines of `ADDRESS TYPE NAME` as `nm` writes them, with `[module]` after a tab where `modules` is true. Types are nm's letters: upper case is
 * global, T code, D/B/R/G/S data, W/V weak, A absolute, U undefined (left out).
 */
export function parseSymbolLines(format: LoaderFormat, bytes: Uint8Array, modules: boolean): SymbolRecord[] {
  const symbols: SymbolRecord[] = [];
  let number = 0;
  for (let start = 0; start < bytes.length; ) {
    let end = bytes.indexOf(10, start);
    if (end < 0) end = bytes.length;
    number++;
    if (end - start > LINE_LIMIT) throw new LoaderError(format, `line ${number} is longer than ${LINE_LIMIT} bytes`);
    let text = '';
    for (let at = start; at < end; at++) text += String.fromCharCode(bytes[at]);
    start = end + 1;
    text = text.replace(/\r$/, '');
    if (text === '') continue;
    const symbol = parseLine(format, text, number, modules);
    if (symbol !== undefined) symbols.push(symbol);
  }
  return symbols;
}

function parseLine(format: LoaderFormat, text: string, number: number, modules: boolean): SymbolRecord | undefined {
  const match = /^([0-9a-fA-F]+|\s+) ([A-Za-z?-]) ([!-~]+)(?:\s+\[([!-~]+)\])?\s*$/.exec(text);
  if (match === null || (match[4] !== undefined && !modules)) {
    throw new LoaderError(format, `line ${number} is not 'ADDRESS TYPE NAME': '${printable(text)}'`);
  }
  const [, digits, type, name, module] = match;
  if (type === 'U' || digits.trim() === '') return undefined;
  const address = Number.parseInt(digits, 16);
  if (address > 0xffff_ffff)
    throw new LoaderError(format, `line ${number} has the address ${digits.slice(0, 32)}, which does not fit in 32 bits`);
  // Mapping symbols (IHI 0044, 4.5.5) mark code and data inside a function; they name nothing.
  if (/^\$[atdx](\.|$)/.test(name)) return undefined;
  const letter = type.toLowerCase();
  const weak = letter === 'w' || letter === 'v';
  return {
    name,
    address,
    byteLength: 0,
    kind: letter === 't' || letter === 'w' || letter === 'i' ? 'function' : 'dbrgsvcn'.includes(letter) ? 'object' : 'label',
    binding: weak ? 'weak' : type === letter ? 'local' : 'global',
    thumb: false,
    ...(module === undefined ? {} : { module }),
  };
}

function printable(text: string): string {
  return text.slice(0, 60).replace(/[^ -~]/g, '?');
}

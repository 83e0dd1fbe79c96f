import { LoaderError } from './loader-error.js';
import { parseSymbolLines } from './symbol-lines.js';
import type { SymbolTable } from './symbol-table.js';
import { symbolTable } from './symbol-table.js';

const PLACEHOLDER = 'ffffffffffffffff B The real System.map';

function startsWith(bytes: Uint8Array, text: string): boolean {
  for (let at = 0; at < text.length; at++) if (bytes[at] !== text.charCodeAt(at)) return false;
  return true;
}

/**
 * Reads a kernel's `System.map` (the output of `nm -n`).
 *
 * @throws {LoaderError} with the number of the first line that is not `ADDRESS TYPE NAME`, or when there is no symbol at all
 */
export function parseSystemMap(bytes: Uint8Array): SymbolTable {
  // What Debian's kernel packages install in its place.
  if (startsWith(bytes, PLACEHOLDER)) {
    throw new LoaderError('system-map', 'this is only a note of the distribution: the real file is in the -dbg package of the kernel');
  }
  const symbols = parseSymbolLines('system-map', bytes, false);
  if (symbols.length === 0) throw new LoaderError('system-map', 'there is no symbol in it');
  return symbolTable(symbols);
}

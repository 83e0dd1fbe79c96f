import { LoaderError } from './loader-error.js';
import { parseSymbolLines } from './symbol-lines.js';
import type { SymbolTable } from './symbol-table.js';
import { symbolTable } from './symbol-table.js';

/**
 * Reads a kernel's `System.map` (the output of `nm -n`).
 *
 * @throws {LoaderError} with the number of the first line that is not `ADDRESS TYPE NAME`, or when there is no symbol at all
 */
export function parseSystemMap(bytes: Uint8Array): SymbolTable {
  const symbols = parseSymbolLines('system-map', bytes, false);
  if (symbols.length === 0) throw new LoaderError('system-map', 'there is no symbol in it');
  return symbolTable(symbols);
}

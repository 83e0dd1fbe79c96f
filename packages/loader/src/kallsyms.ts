import { LoaderError } from './loader-error.js';
import { parseSymbolLines } from './symbol-lines.js';
import type { SymbolTable } from './symbol-table.js';
import { symbolTable } from './symbol-table.js';

/**
 * Reads text in the format of `/proc/kallsyms`: like `System.map`, with the module's name in brackets.
 *
 * @throws {LoaderError} with the number of the first bad line; or when all addresses are zero, which is how the kernel hides them
 */
export function parseKallsyms(bytes: Uint8Array): SymbolTable {
  const symbols = parseSymbolLines('kallsyms', bytes, true);
  if (symbols.length === 0) throw new LoaderError('kallsyms', 'there is no symbol in it');
  if (symbols.every(({ address }) => address === 0)) {
    throw new LoaderError('kallsyms', 'all addresses are zero: the kernel hid them (read it as root with kernel.kptr_restrict=0)');
  }
  return symbolTable(symbols);
}

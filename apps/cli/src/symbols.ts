import type { SymbolTable } from '@tablewalk/loader';
import { imageKind, parseElf, parseSystemMap, symbolTable } from '@tablewalk/loader';
import { readInput } from './files.js';

/** Symbols from a file, ELF or System.map; without one, those of a kernel that is an ELF file. */
export const loadSymbols = (path: string | undefined, kernel: Uint8Array | undefined): SymbolTable | undefined => {
  const bytes = path === undefined ? kernel : readInput('symbols', path);
  if (bytes === undefined) return undefined;
  if (imageKind(bytes) === 'elf') return symbolTable(parseElf(bytes).symbols());
  return path === undefined ? undefined : parseSystemMap(bytes);
};

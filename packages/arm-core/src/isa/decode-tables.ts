import { DecodeTable } from './decode-table.js';
import type { InstructionSet } from './encoding.js';
import { encodings } from './families/index.js';

let tables: Readonly<Record<InstructionSet, DecodeTable>> | undefined;

/** The tables of every record. They are constant and take tens of milliseconds: made once, at first use. */
export const decodeTables = (): Readonly<Record<InstructionSet, DecodeTable>> => {
  tables ??= { A32: new DecodeTable('A32', encodings), T32: new DecodeTable('T32', encodings), T16: new DecodeTable('T16', encodings) };
  return tables;
};

import type { DecodeTable, Entry } from './decode-table.js';
import { decodeTables } from './decode-tables.js';
import type { Encoding, Fields, InstructionSet } from './encoding.js';
import { encodings } from './families/index.js';
import { Mnemonic } from './mnemonic.js';

/** How a word is to be read. */
export interface DisassembleOptions {
  /** T32 rather than A32. */
  readonly thumb?: boolean;
  /** VA of the instruction, for branch targets and literals (0 unless given). */
  readonly address?: number;
  /** ITSTATE of the instruction: conditions and flag setting in an IT block (ARM DDI 0406C, A2.5.2). */
  readonly itstate?: number;
  /** Text for a VA, a symbol; undefined prints a number. */
  readonly symbol?: (address: number) => string | undefined;
}

export interface Disassembled {
  /** UAL text, `.word` or `.short` when the word is not an instruction. */
  readonly text: string;
  /** Bytes: 2 or 4. */
  readonly size: 2 | 4;
  /** The record, undefined when the word is UNDEFINED or unallocated. */
  readonly entry: Entry | undefined;
  readonly fields: Fields;
  /** What the manual says of the word: UNPREDICTABLE ones still have a record and execute. */
  readonly status: 'defined' | 'unpredictable' | 'undefined';
  /** ITSTATE of the next instruction. */
  readonly nextItstate: number;
}

/** One line of a listing. */
export interface ListingLine extends Disassembled {
  readonly address: number;
  /** The word; T32: first halfword in bits 31:16; T16: a halfword. */
  readonly word: number;
}

const hex = (value: number, digits: number): string => `0x${(value >>> 0).toString(16).padStart(digits, '0')}`;

/** ITAdvance (A2.5.2). */
const advance = (itstate: number): number => ((itstate & 7) === 0 ? 0 : (itstate & 0xe0) | ((itstate << 1) & 0x1f));

/** Text of instructions, from the records. */
export class Disassembler {
  private readonly tables = decodeTables();
  private readonly mnemonics = new Map<Encoding, Mnemonic>();

  constructor() {
    for (const encoding of encodings) this.mnemonics.set(encoding, new Mnemonic(encoding.text[0]));
  }

  /** Decode table of an instruction set. */
  table(isa: InstructionSet): DecodeTable {
    return this.tables[isa];
  }

  /** The compiled mnemonic of a record. */
  mnemonic(encoding: Encoding): Mnemonic {
    return this.mnemonics.get(encoding)!;
  }

  /** One word. T32: a 32-bit instruction has its first halfword in bits 31:16; a value below 0x10000 is a T16 halfword. */
  disassemble(word: number, options: DisassembleOptions = {}): Disassembled {
    const { thumb = false, address = 0, itstate = 0 } = options;
    const isa: InstructionSet = thumb ? (word > 0xffff ? 'T32' : 'T16') : 'A32';
    const size = isa === 'T16' ? 2 : 4;
    const decoded = this.tables[isa].decode(word);
    const isIt = isa === 'T16' && (word & 0xff00) === 0xbf00 && (word & 15) !== 0;
    const nextItstate = isIt ? word & 0xff : itstate === 0 ? 0 : advance(itstate);
    const data =
      isa === 'T32'
        ? `.short ${hex(word >>> 16, 4)}, ${hex(word & 0xffff, 4)}`
        : isa === 'T16'
          ? `.short ${hex(word, 4)}`
          : `.word ${hex(word, 8)}`;
    const unknown: Disassembled = { text: data, size, entry: undefined, fields: {}, status: 'undefined', nextItstate };
    if (decoded === undefined) return unknown;
    const { entry, fields } = decoded;
    const { encoding, pattern } = entry;
    const condition = fields['c'] ?? (itstate === 0 ? 14 : itstate >>> 4);
    const mnemonic = this.mnemonic(encoding).print(fields, { condition, inIt: itstate !== 0 });
    if (mnemonic === undefined) return unknown;
    const context = { address, thumb, ...(options.symbol === undefined ? {} : { symbol: options.symbol }) };
    const [, ...syntaxes] = encoding.text;
    const operands = syntaxes.map((syntax) => syntax.print(fields, context)).filter((text) => text !== undefined);
    const unpredictable = ((word ^ pattern.shouldValue) & pattern.shouldMask) !== 0 || encoding.unpredictable?.(fields) === true;
    return {
      text: operands.length === 0 ? mnemonic : `${mnemonic} ${operands.join(', ')}`,
      size,
      entry,
      fields,
      nextItstate,
      status: unpredictable ? 'unpredictable' : 'defined',
    };
  }

  /** A listing of little-endian code, IT blocks followed. A last odd byte or half instruction is left out. */
  listing(bytes: Uint8Array, options: DisassembleOptions = {}): ListingLine[] {
    const lines: ListingLine[] = [];
    const thumb = options.thumb === true;
    const start = options.address ?? 0;
    const halfword = (at: number): number => bytes[at]! | (bytes[at + 1]! << 8);
    let itstate = options.itstate ?? 0;
    let at = 0;
    while (at + (thumb ? 2 : 4) <= bytes.length) {
      let word = halfword(at);
      if (!thumb) word = ((halfword(at + 2) << 16) | word) >>> 0;
      else if (word >= 0xe800) {
        if (at + 4 > bytes.length) break;
        word = ((word << 16) | halfword(at + 2)) >>> 0;
      }
      const address = (start + at) >>> 0;
      const line = this.disassemble(word, { ...options, address, itstate });
      lines.push({ ...line, address, word });
      itstate = line.nextItstate;
      at += line.size;
    }
    return lines;
  }
}

/** One word with every record known (see {@link Disassembler}, which is made once and reused where there is much to read). */
export const disassemble = (word: number, options: DisassembleOptions = {}): Disassembled => new Disassembler().disassemble(word, options);

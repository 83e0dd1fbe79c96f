import { ByteReader } from './byte-reader.js';
import { DwarfCursor } from './dwarf-cursor.js';
import type { LineHeader } from './dwarf-line-header.js';
import { readLineHeader } from './dwarf-line-header.js';
import type { ElfImage } from './elf.js';
import { LoaderError } from './loader-error.js';

/** A place in the source. */
export interface SourceLine {
  /** Path as the compiler recorded it: absolute, or relative to its working directory. */
  readonly file: string;
  /** From 1; 0 when the instruction belongs to no line. */
  readonly line: number;
  /** From 1; 0 when unknown. */
  readonly column: number;
}

/** Addresses to source lines. */
export interface LineTable {
  /** Number of rows. */
  readonly size: number;
  /** Every file that a row names, in order of first use. */
  readonly files: readonly string[];
  /** The line that the instruction at `address` (a VA, without Thumb bit) belongs to. */
  find(address: number): SourceLine | undefined;
}

/** The sections that line tables live in. */
export interface DwarfLineSections {
  readonly debugLine: Uint8Array;
  /** `.debug_str` and `.debug_line_str` (DWARF 5). */
  readonly debugStr?: Uint8Array | undefined;
  readonly debugLineStr?: Uint8Array | undefined;
  readonly littleEndian: boolean;
}

/** Standard and extended opcodes (DWARF 5, 6.2.5.2 and 6.2.5.3). */
const DW_LNS_COPY = 1;
const DW_LNS_ADVANCE_PC = 2;
const DW_LNS_ADVANCE_LINE = 3;
const DW_LNS_SET_FILE = 4;
const DW_LNS_SET_COLUMN = 5;
const DW_LNS_CONST_ADD_PC = 8;
const DW_LNS_FIXED_ADVANCE_PC = 9;
const DW_LNE_END_SEQUENCE = 1;
const DW_LNE_SET_ADDRESS = 2;
const DW_LNE_DEFINE_FILE = 3;

/**
 * Reads the line tables of an ELF file, or undefined when it has none.
 *
 * @throws {LoaderError} damaged or unsupported (64-bit DWARF, compressed sections)
 */
export function elfLineTable(elf: ElfImage): LineTable | undefined {
  const debugLine = elf.sectionBytes('.debug_line');
  if (debugLine === undefined) return undefined;
  return lineTable({
    debugLine,
    debugStr: elf.sectionBytes('.debug_str'),
    debugLineStr: elf.sectionBytes('.debug_line_str'),
    littleEndian: elf.byteOrder === 'little',
  });
}

/**
 * Runs the line programs of `.debug_line`, DWARF versions 2 to 5 (DWARF 5, 6.2). Work and memory are linear in the sections' length.
 *
 * @throws {LoaderError} damaged or unsupported
 */
export function lineTable(sections: DwarfLineSections): LineTable {
  const rows = new RowBuilder();
  const { littleEndian } = sections;
  const reader = new ByteReader('dwarf', '.debug_line', sections.debugLine, littleEndian);
  const strings = new ByteReader('dwarf', '.debug_str', sections.debugStr ?? new Uint8Array(0), littleEndian);
  const lineStrings = new ByteReader('dwarf', '.debug_line_str', sections.debugLineStr ?? new Uint8Array(0), littleEndian);
  for (let at = 0; at < reader.length; ) {
    const byteLength = reader.u32(at);
    if (byteLength >= 0xfffffff0) throw new LoaderError('dwarf', `64-bit DWARF (at ${at} of .debug_line) is not supported`);
    const end = at + 4 + byteLength;
    if (end > reader.length) throw new LoaderError('dwarf', `the unit at ${at} of .debug_line is truncated`);
    const cursor = new DwarfCursor(reader, at + 4, end);
    const header = readLineHeader(cursor, strings, lineStrings);
    runProgram(cursor, header, rows);
    at = end;
  }
  return rows.build();
}

function runProgram(cursor: DwarfCursor, header: LineHeader, rows: RowBuilder): void {
  const { minimumInstructionLength, opcodeBase, lineBase, lineRange, standardOpcodeLengths, fileName } = header;
  const extraFiles: string[] = [];
  const nameOf = (index: number): string => {
    const extra = index - header.fileCount - 1;
    return extra >= 0 && extra < extraFiles.length ? extraFiles[extra] : fileName(index);
  };
  // The file's number in the table, found once for each change of file.
  let file = -1;
  let fileIndex = 1;
  let address = 0;
  let line = 1;
  let column = 0;
  const emit = (): void => {
    if (file < 0) file = rows.file(nameOf(fileIndex));
    rows.add(address, file, line, column);
  };
  const reset = (): void => {
    file = -1;
    fileIndex = 1;
    address = 0;
    line = 1;
    column = 0;
  };
  const advance = (operations: number): void => {
    address = (address + operations * minimumInstructionLength) >>> 0;
  };
  while (cursor.at < cursor.end) {
    const opcode = cursor.u8();
    if (opcode >= opcodeBase) {
      const adjusted = opcode - opcodeBase;
      advance(Math.floor(adjusted / lineRange));
      line = (line + lineBase + (adjusted % lineRange)) >>> 0;
      emit();
      continue;
    }
    switch (opcode) {
      case 0: {
        const byteLength = cursor.uleb();
        const next = cursor.at + byteLength;
        if (byteLength < 1 || next > cursor.end)
          throw new LoaderError('dwarf', `an extended opcode at ${cursor.at} of .debug_line is damaged`);
        const extended = cursor.u8();
        if (extended === DW_LNE_END_SEQUENCE) {
          rows.endSequence(address);
          reset();
        } else if (extended === DW_LNE_SET_ADDRESS) {
          if (byteLength !== 5) throw new LoaderError('dwarf', `an address of ${byteLength - 1} bytes at ${cursor.at} of .debug_line`);
          address = cursor.u32();
        } else if (extended === DW_LNE_DEFINE_FILE) {
          extraFiles.push(cursor.text());
        }
        cursor.at = next;
        break;
      }
      case DW_LNS_COPY:
        emit();
        break;
      case DW_LNS_ADVANCE_PC:
        advance(cursor.uleb());
        break;
      case DW_LNS_ADVANCE_LINE:
        line = (line + cursor.sleb()) >>> 0;
        break;
      case DW_LNS_SET_FILE:
        fileIndex = cursor.uleb();
        file = -1;
        break;
      case DW_LNS_SET_COLUMN:
        column = cursor.uleb();
        break;
      case DW_LNS_CONST_ADD_PC:
        advance(Math.floor((255 - opcodeBase) / lineRange));
        break;
      case DW_LNS_FIXED_ADVANCE_PC:
        address = (address + cursor.u16()) >>> 0;
        break;
      default:
        // Flags that we do not keep, and opcodes of the future: the header says how many operands to skip.
        for (let count = standardOpcodeLengths[opcode - 1] ?? 0; count > 0; count--) cursor.uleb();
    }
  }
  rows.endUnit();
}

/** Rows in sequences: runs of ascending addresses that end at a known one. */
class RowBuilder {
  readonly #files: string[] = [];
  readonly #fileNumbers = new Map<string, number>();
  readonly #addresses: number[] = [];
  readonly #fileOf: number[] = [];
  readonly #lines: number[] = [];
  readonly #columns: number[] = [];
  readonly #sequences: { first: number; count: number; low: number; high: number }[] = [];
  #first = 0;

  file(name: string): number {
    let number = this.#fileNumbers.get(name);
    if (number === undefined) {
      number = this.#files.push(name) - 1;
      this.#fileNumbers.set(name, number);
    }
    return number;
  }

  add(address: number, file: number, line: number, column: number): void {
    this.#addresses.push(address);
    this.#fileOf.push(file);
    this.#lines.push(line);
    this.#columns.push(column);
  }

  endSequence(high: number): void {
    const first = this.#first;
    const count = this.#addresses.length - first;
    this.#first = this.#addresses.length;
    if (count === 0) return;
    const low = this.#addresses[first];
    for (let index = first + 1; index < first + count; index++) {
      // Out of order breaks the search; the specification forbids it (6.2.5.1), so such a sequence says nothing that we can trust.
      if (this.#addresses[index] < this.#addresses[index - 1]) return;
    }
    if (high > low) this.#sequences.push({ first, count, low, high });
  }

  /** Rows without an end are dropped: nobody can tell how far the last one reaches. */
  endUnit(): void {
    this.#first = this.#addresses.length;
  }

  build(): LineTable {
    const sequences = this.#sequences.sort((a, b) => a.low - b.low || a.high - b.high);
    // highest[i]: the furthest end of sequences 0 to i, which bounds the search backwards among overlapping ones.
    const highest = new Float64Array(sequences.length);
    for (let index = 0, high = 0; index < sequences.length; index++) {
      high = Math.max(high, sequences[index].high);
      highest[index] = high;
    }
    const addresses = Float64Array.from(this.#addresses);
    const fileOf = Uint32Array.from(this.#fileOf);
    const lines = Uint32Array.from(this.#lines);
    const columns = Uint32Array.from(this.#columns);
    const files = this.#files;
    return {
      size: addresses.length,
      files,
      find(address) {
        let index = lastAtMost(sequences.length, (candidate) => sequences[candidate].low, address);
        for (; index >= 0 && highest[index] > address; index--) {
          const { first, count, high } = sequences[index];
          if (address >= high) continue;
          const row = first + lastAtMost(count, (candidate) => addresses[first + candidate], address);
          return { file: files[fileOf[row]], line: lines[row], column: columns[row] };
        }
        return undefined;
      },
    };
  }
}

/** Greatest index below `count` whose key is at most `wanted`, or -1. */
function lastAtMost(count: number, key: (index: number) => number, wanted: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (key(middle) <= wanted) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

import type { ByteReader } from './byte-reader.js';
import type { DwarfCursor } from './dwarf-cursor.js';
import { LoaderError } from './loader-error.js';

/** What a line program needs to know (DWARF 5, 6.2.4). */
export interface LineHeader {
  readonly minimumInstructionLength: number;
  readonly lineBase: number;
  readonly lineRange: number;
  readonly opcodeBase: number;
  /** Operands of standard opcode n at index n - 1. */
  readonly standardOpcodeLengths: readonly number[];
  /** Files that the header names; numbers above are defined by the program (DWARF 2 to 4). */
  readonly fileCount: number;
  /** Path of a file register value. */
  fileName(index: number): string;
}

/** One file: its name and the index of its directory. */
interface FileEntry {
  readonly name: string;
  readonly directory: number;
}

/** Content types and forms of DWARF 5 headers (6.2.4.1, 7.5.6). */
const DW_LNCT_PATH = 1;
const DW_LNCT_DIRECTORY_INDEX = 2;
const DW_FORM_BLOCK = 0x09;
const DW_FORM_DATA1 = 0x0b;
const DW_FORM_DATA2 = 0x05;
const DW_FORM_DATA4 = 0x06;
const DW_FORM_DATA8 = 0x07;
const DW_FORM_DATA16 = 0x1e;
const DW_FORM_STRING = 0x08;
const DW_FORM_STRP = 0x0e;
const DW_FORM_LINE_STRP = 0x1f;
const DW_FORM_UDATA = 0x0f;

/** Reads the header at the cursor and leaves the cursor at the program. */
export function readLineHeader(cursor: DwarfCursor, strings: ByteReader, lineStrings: ByteReader): LineHeader {
  const version = cursor.u16();
  if (version < 2 || version > 5) throw new LoaderError('dwarf', `line tables of DWARF ${version} are not supported; 2 to 5 are`);
  if (version >= 5) {
    const addressBytes = cursor.u8();
    const segmentSelectorBytes = cursor.u8();
    if (addressBytes !== 4 || segmentSelectorBytes !== 0) {
      throw new LoaderError(
        'dwarf',
        `addresses of ${addressBytes} bytes with segments of ${segmentSelectorBytes} are not those of 32-bit ARM`,
      );
    }
  }
  const headerByteLength = cursor.u32();
  const program = cursor.at + headerByteLength;
  if (program > cursor.end) throw new LoaderError('dwarf', `a line table header at ${cursor.at} is longer than its unit`);
  const minimumInstructionLength = cursor.u8();
  if (version >= 4) {
    const operations = cursor.u8();
    if (operations !== 1) throw new LoaderError('dwarf', `${operations} operations an instruction are not those of ARM`);
  }
  cursor.skip(1); // default_is_stmt: every row counts here
  const lineBase = (cursor.u8() << 24) >> 24;
  const lineRange = cursor.u8();
  const opcodeBase = cursor.u8();
  if (lineRange === 0 || opcodeBase === 0) throw new LoaderError('dwarf', `a line table header at ${cursor.at} is damaged (a range of 0)`);
  const standardOpcodeLengths: number[] = [];
  for (let opcode = 1; opcode < opcodeBase; opcode++) standardOpcodeLengths.push(cursor.u8());
  const tables = version >= 5 ? readTables5(cursor, strings, lineStrings) : readTables2(cursor);
  if (cursor.at > program) throw new LoaderError('dwarf', `a line table header before ${program} is longer than it says`);
  cursor.at = program;
  const { directories, files, firstFile } = tables;
  return {
    minimumInstructionLength,
    lineBase,
    lineRange,
    opcodeBase,
    standardOpcodeLengths,
    fileCount: firstFile === 1 ? files.length : files.length - 1,
    fileName(index) {
      const file = files[index - firstFile];
      if (file === undefined) return '?';
      return joinPath(directories, file);
    },
  };
}

interface Tables {
  /** Directory 0 is the compiler's working directory ('' when the header does not name it). */
  readonly directories: readonly string[];
  readonly files: readonly FileEntry[];
  /** Number of the first file: 1 before DWARF 5. */
  readonly firstFile: 0 | 1;
}

function joinPath(directories: readonly string[], file: FileEntry): string {
  if (file.name.startsWith('/')) return file.name;
  const directory = directories[file.directory] ?? '';
  if (directory === '') return file.name;
  const base = directories[0];
  const prefix = directory.startsWith('/') || base === '' || file.directory === 0 ? '' : `${base}/`;
  return `${prefix}${directory}/${file.name}`;
}

function readTables2(cursor: DwarfCursor): Tables {
  const directories = [''];
  for (let name = cursor.text(); name !== ''; name = cursor.text()) directories.push(name);
  const files: FileEntry[] = [];
  for (let name = cursor.text(); name !== ''; name = cursor.text()) {
    files.push({ name, directory: cursor.uleb() });
    cursor.uleb(); // time
    cursor.uleb(); // length
  }
  return { directories, files, firstFile: 1 };
}

function readTables5(cursor: DwarfCursor, strings: ByteReader, lineStrings: ByteReader): Tables {
  const directories = readEntries(cursor, strings, lineStrings).map(({ name }) => name);
  if (directories.length === 0) directories.push('');
  return { directories, files: readEntries(cursor, strings, lineStrings), firstFile: 0 };
}

function readEntries(cursor: DwarfCursor, strings: ByteReader, lineStrings: ByteReader): FileEntry[] {
  const formats: { content: number; form: number }[] = [];
  for (let count = cursor.u8(); count > 0; count--) formats.push({ content: cursor.uleb(), form: cursor.uleb() });
  const count = cursor.uleb();
  // Each entry takes at least a byte, so the unit's length bounds the loop; without a format it would not.
  if (formats.length === 0 && count > 0) throw new LoaderError('dwarf', `${count} entries without a format at ${cursor.at} of .debug_line`);
  const entries: FileEntry[] = [];
  for (let index = 0; index < count; index++) {
    let name = '';
    let directory = 0;
    for (const { content, form } of formats) {
      const value = readForm(cursor, form, strings, lineStrings);
      if (content === DW_LNCT_PATH && typeof value === 'string') name = value;
      if (content === DW_LNCT_DIRECTORY_INDEX && typeof value === 'number') directory = value;
    }
    entries.push({ name, directory });
  }
  return entries;
}

function readForm(cursor: DwarfCursor, form: number, strings: ByteReader, lineStrings: ByteReader): string | number | undefined {
  switch (form) {
    case DW_FORM_STRING:
      return cursor.text();
    case DW_FORM_STRP:
      return strings.text(cursor.u32());
    case DW_FORM_LINE_STRP:
      return lineStrings.text(cursor.u32());
    case DW_FORM_UDATA:
      return cursor.uleb();
    case DW_FORM_DATA1:
      return cursor.u8();
    case DW_FORM_DATA2:
      return cursor.u16();
    case DW_FORM_DATA4:
      return cursor.u32();
    case DW_FORM_DATA8:
      cursor.skip(8);
      return undefined;
    case DW_FORM_DATA16:
      cursor.skip(16);
      return undefined;
    case DW_FORM_BLOCK:
      cursor.skip(cursor.uleb());
      return undefined;
    default:
      throw new LoaderError('dwarf', `form 0x${form.toString(16)} in a line table header at ${cursor.at} is not supported`);
  }
}

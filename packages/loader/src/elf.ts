import { ByteReader } from './byte-reader.js';
import { LoaderError } from './loader-error.js';
import type { SymbolRecord } from './symbol-table.js';

/** Byte order of the program: little-endian; BE8 (data big-endian, instructions little-endian); BE32 (ARMv5 and older: both big-endian). */
export type ElfByteOrder = 'little' | 'be8' | 'be32';

/** One program header of type PT_LOAD. Addresses are 32-bit unsigned. */
export interface ElfSegment {
  readonly virtualAddress: number;
  readonly physicalAddress: number;
  /** The part that is in the file (a view of it). */
  readonly bytes: Uint8Array;
  /** Bytes in memory; what exceeds `bytes` is zero. */
  readonly memoryByteLength: number;
  readonly readable: boolean;
  readonly writable: boolean;
  readonly executable: boolean;
}

/** One section header. */
export interface ElfSection {
  readonly name: string;
  /** `sh_type`: 1 PROGBITS, 2 SYMTAB, 3 STRTAB, 8 NOBITS. */
  readonly type: number;
  readonly flags: number;
  readonly address: number;
  readonly byteLength: number;
}

/** A 32-bit ARM executable (ELF specification, chapter 4; ELF for the Arm Architecture, IHI 0044). */
export interface ElfImage {
  readonly byteOrder: ElfByteOrder;
  /** `e_entry`: a virtual address, bit 0 set for Thumb. */
  readonly entry: number;
  /** {@link entry} as a physical address: moved with the executable segment that contains it. Bit 0 is kept. */
  readonly physicalEntry: number;
  /** True for a position-independent executable or shared object (ET_DYN). */
  readonly dynamic: boolean;
  /** In file order; without those of no memory. */
  readonly segments: readonly ElfSegment[];
  readonly sections: readonly ElfSection[];
  /** Contents of the first section of that name (a view), undefined when there is none or it occupies no file space. Throws when compressed. */
  sectionBytes(name: string): Uint8Array | undefined;
  /** Functions, objects and labels of `.symtab` (or `.dynsym`). Mapping symbols ($a, $t, $d) are left out; the Thumb bit is removed. */
  symbols(): SymbolRecord[];
}

const HEADER_BYTES = 52;
const ET_EXEC = 2;
const ET_DYN = 3;
const EM_ARM = 40;
const EF_ARM_BE8 = 0x0080_0000;
const PT_LOAD = 1;
const PF_X = 1;
const PF_W = 2;
const PF_R = 4;
const SHT_SYMTAB = 2;
const SHT_NOBITS = 8;
const SHT_DYNSYM = 11;
const SHF_COMPRESSED = 0x800;
const SHN_LORESERVE = 0xff00;
const STT_OBJECT = 1;
const STT_FUNC = 2;
const STB_LOCAL = 0;
const STB_WEAK = 2;
const STT_GNU_IFUNC = 10;

/** Header fields as stored. */
interface SectionHeader extends ElfSection {
  readonly offset: number;
  readonly link: number;
  readonly entryByteLength: number;
}

/** True when the bytes start with the ELF magic number. */
export function isElf(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
}

/**
 * Reads a 32-bit ARM ELF executable. Everything it refers to is inside the file, or it throws.
 *
 * @throws {LoaderError} not ELF, wrong class, machine or type, truncated, damaged
 */
export function parseElf(bytes: Uint8Array): ElfImage {
  if (!isElf(bytes)) throw fail('not an ELF file');
  if (bytes.length < HEADER_BYTES) throw fail(`truncated: ${bytes.length} bytes are less than a header`);
  if (bytes[4] === 2) throw fail('a 64-bit ELF file; a 32-bit ARM one is needed');
  if (bytes[4] !== 1) throw fail(`unknown ELF class ${bytes[4]}`);
  if (bytes[5] !== 1 && bytes[5] !== 2) throw fail(`unknown data encoding ${bytes[5]}`);
  const reader = new ByteReader('elf', 'the file', bytes, bytes[5] === 1);
  const machine = reader.u16(18);
  if (machine !== EM_ARM) throw fail(`made for machine ${machine}, not for ARM (40)`);
  const type = reader.u16(16);
  if (type !== ET_EXEC && type !== ET_DYN)
    throw fail(type === 1 ? 'an object file; it must be linked first' : `not an executable (type ${type})`);
  const entry = reader.u32(24);
  const segments = readSegments(reader);
  const sections = readSections(reader);
  const be8 = (reader.u32(36) & EF_ARM_BE8) !== 0;
  return {
    byteOrder: reader.littleEndian ? 'little' : be8 ? 'be8' : 'be32',
    entry,
    physicalEntry: physicalEntry(entry, segments),
    dynamic: type === ET_DYN,
    segments,
    sections,
    sectionBytes(name) {
      const section = sections.find((candidate) => candidate.name === name);
      if (section === undefined || section.type === SHT_NOBITS) return undefined;
      if ((section.flags & SHF_COMPRESSED) !== 0)
        throw fail(`section ${name} is compressed, which is not supported (objcopy --decompress-debug-sections)`);
      return reader.slice(section.offset, section.byteLength);
    },
    symbols: () => readSymbols(reader, sections),
  };
}

function fail(message: string): LoaderError {
  return new LoaderError('elf', message);
}

function readSegments(reader: ByteReader): ElfSegment[] {
  const offset = reader.u32(28);
  const entryByteLength = reader.u16(42);
  const count = reader.u16(44);
  if (count > 0 && entryByteLength < 32) throw fail(`program headers of ${entryByteLength} bytes are too short`);
  const segments: ElfSegment[] = [];
  for (let index = 0; index < count; index++) {
    const at = offset + index * entryByteLength;
    if (reader.u32(at) !== PT_LOAD) continue;
    const fileByteLength = reader.u32(at + 16);
    const memoryByteLength = reader.u32(at + 20);
    const physicalAddress = reader.u32(at + 12);
    const flags = reader.u32(at + 24);
    if (memoryByteLength === 0) continue;
    if (fileByteLength > memoryByteLength)
      throw fail(`segment ${index} has ${fileByteLength} bytes in the file and ${memoryByteLength} in memory`);
    if (physicalAddress + memoryByteLength > 0x1_0000_0000) throw fail(`segment ${index} ends beyond 4 GiB`);
    segments.push({
      virtualAddress: reader.u32(at + 8),
      physicalAddress,
      bytes: fileByteLength === 0 ? new Uint8Array(0) : reader.slice(reader.u32(at + 4), fileByteLength),
      memoryByteLength,
      readable: (flags & PF_R) !== 0,
      writable: (flags & PF_W) !== 0,
      executable: (flags & PF_X) !== 0,
    });
  }
  return segments;
}

function physicalEntry(entry: number, segments: readonly ElfSegment[]): number {
  for (const segment of segments) {
    const offset = entry - segment.virtualAddress;
    if (segment.executable && offset >= 0 && offset < segment.bytes.length) return (segment.physicalAddress + offset) >>> 0;
  }
  return entry;
}

function readSections(reader: ByteReader): SectionHeader[] {
  const offset = reader.u32(32);
  const entryByteLength = reader.u16(46);
  const count = reader.u16(48);
  const namesIndex = reader.u16(50);
  if (offset === 0 || count === 0) return [];
  if (entryByteLength < 40) throw fail(`section headers of ${entryByteLength} bytes are too short`);
  const raw: { nameOffset: number; section: Omit<SectionHeader, 'name'> }[] = [];
  for (let index = 0; index < count; index++) {
    const at = offset + index * entryByteLength;
    raw.push({
      nameOffset: reader.u32(at),
      section: {
        type: reader.u32(at + 4),
        flags: reader.u32(at + 8),
        address: reader.u32(at + 12),
        offset: reader.u32(at + 16),
        byteLength: reader.u32(at + 20),
        link: reader.u32(at + 24),
        entryByteLength: reader.u32(at + 36),
      },
    });
  }
  const table = raw[namesIndex]?.section;
  if (table === undefined) throw fail(`the section of section names (${namesIndex}) does not exist`);
  const names = stringReader(reader, table);
  // Longer section names do not exist; the bound keeps 65,535 of them from making a small file expensive.
  return raw.map(({ nameOffset, section }) => ({ name: names.text(nameOffset, 256), ...section }));
}

function stringReader(reader: ByteReader, section: { readonly offset: number; readonly byteLength: number }): ByteReader {
  return new ByteReader('elf', 'a string table', reader.slice(section.offset, section.byteLength), true);
}

function readSymbols(reader: ByteReader, sections: readonly SectionHeader[]): SymbolRecord[] {
  const table = sections.find(({ type }) => type === SHT_SYMTAB) ?? sections.find(({ type }) => type === SHT_DYNSYM);
  if (table === undefined) return [];
  if (table.entryByteLength < 16) throw fail(`symbols of ${table.entryByteLength} bytes are too short`);
  const strings = sections[table.link];
  if (strings === undefined) throw fail(`the string table ${table.link} of ${table.name} does not exist`);
  const names = stringReader(reader, strings);
  const symbols: SymbolRecord[] = [];
  const count = Math.floor(reader.slice(table.offset, table.byteLength).length / table.entryByteLength);
  for (let index = 1; index < count; index++) {
    const at = table.offset + index * table.entryByteLength;
    const info = reader.u8(at + 12);
    const type = info & 15;
    const sectionIndex = reader.u16(at + 14);
    // Sections, files and thread-local offsets are not places; 0 is "defined elsewhere".
    if (type > STT_FUNC && type !== STT_GNU_IFUNC) continue;
    if (sectionIndex === 0 || sectionIndex >= SHN_LORESERVE) continue;
    const name = names.text(reader.u32(at));
    if (name === '' || /^\$[atdx](\.|$)/.test(name)) continue;
    const value = reader.u32(at + 4);
    const kind = type === STT_OBJECT ? 'object' : type === STT_FUNC || type === STT_GNU_IFUNC ? 'function' : 'label';
    const binding = info >> 4;
    symbols.push({
      name,
      address: kind === 'function' ? (value & ~1) >>> 0 : value,
      byteLength: reader.u32(at + 8),
      kind,
      thumb: kind === 'function' && (value & 1) !== 0,
      binding: binding === STB_LOCAL ? 'local' : binding === STB_WEAK ? 'weak' : 'global',
    });
  }
  return symbols;
}

import { describe, expect, test } from 'vitest';
import { elfLineTable, lineTable } from './dwarf-lines.js';
import { parseElf } from './elf.js';
import { ELF_DWARF3, ELF_DWARF4, ELF_DWARF5 } from './elf-fixtures.js';
import { LoaderError } from './loader-error.js';

const elf = (text: string): ReturnType<typeof parseElf> => parseElf(Uint8Array.from(Buffer.from(text, 'base64')));

/** Version 2 is version 3 without what ARM's compilers add to it: the same bytes under another number. */
function version2(): Uint8Array {
  const bytes = elf(ELF_DWARF3).sectionBytes('.debug_line')?.slice() ?? new Uint8Array(0);
  bytes[4] = 2;
  return bytes;
}

describe.each([
  ['2', lineTable({ debugLine: version2(), littleEndian: true }), '', 12],
  ['3', elfLineTable(elf(ELF_DWARF3)), '', 12],
  ['4', elfLineTable(elf(ELF_DWARF4)), '', 12],
  ['5', elfLineTable(elf(ELF_DWARF5)), '/src/', 3],
])('DWARF %s', (_, table, prefix, column) => {
  const at = (address: number): string => {
    const hit = table?.find(address);
    return hit === undefined ? 'nowhere' : `${hit.file}:${hit.line}`;
  };

  test('the lines that binutils reads from the same file', () => {
    expect(at(0x40200000)).toBe(`${prefix}lib/add.h:3`);
    expect(at(0x40200002)).toBe(`${prefix}main.c:6`);
    expect(at(0x40200008)).toBe(`${prefix}main.c:7`);
    expect(at(0x4020000a)).toBe(`${prefix}main.c:7`);
    expect(at(0x40200018)).toBe(`${prefix}main.c:6`);
    expect(at(0x4020001e)).toBe(`${prefix}main.c:9`);
    expect(at(0x40200020)).toBe(`${prefix}main.c:11`);
    expect(at(0x40200034)).toBe(`${prefix}main.c:13`);
  });

  test('nothing before and behind the code', () => {
    expect(at(0x401fffff)).toBe('nowhere');
    expect(at(0x40200036)).toBe('nowhere');
    expect(at(0)).toBe('nowhere');
  });

  test('files and columns', () => {
    expect([...(table?.files ?? [])].sort()).toEqual([`${prefix}lib/add.h`, `${prefix}main.c`]);
    expect(table?.find(0x40200000)?.column).toBe(column);
  });
});

/** A version 2 unit with one file and the given program. */
function unit(program: readonly number[], change?: (bytes: Uint8Array) => void): Uint8Array {
  const opcodeLengths = [0, 1, 1, 1, 1, 0, 0, 0, 1];
  const tables = [0, 0x61, 0, 0, 0, 0, 0];
  const header = [2, 1, 0xfb, 14, 10, ...opcodeLengths, ...tables];
  const body = [2, 0, header.length, 0, 0, 0, ...header, ...program];
  const bytes = Uint8Array.from([body.length & 255, body.length >> 8, 0, 0, ...body]);
  change?.(bytes);
  return bytes;
}

const setAddress = (address: number): number[] => [0, 5, 2, address & 255, (address >> 8) & 255, (address >> 16) & 255, address >>> 24];
const END = [0, 1, 1];
const table = (debugLine: Uint8Array): ReturnType<typeof lineTable> => lineTable({ debugLine, littleEndian: true });

describe('the line program', () => {
  test('every standard opcode', () => {
    const lines = table(
      unit([
        ...setAddress(0x8000),
        ...[3, 9], // line 10
        ...[5, 7], // column 7
        1,
        ...[2, 4], // address += 8
        ...[3, 0x7f], // line 9
        1,
        8, // address += (255 - 10) / 14 * 2 = 34
        ...[6, 7], // flags that nobody keeps
        10 + 14 + 6, // address += 2, line += 1
        ...[9, 0x10, 0], // address += 16
        ...END,
      ]),
    );
    expect(lines.size).toBe(3);
    expect(lines.find(0x8000)).toEqual({ file: 'a', line: 10, column: 7 });
    expect(lines.find(0x8007)).toEqual({ file: 'a', line: 10, column: 7 });
    expect(lines.find(0x8008)?.line).toBe(9);
    expect(lines.find(0x802b)?.line).toBe(9);
    expect(lines.find(0x802c)?.line).toBe(10);
    expect(lines.find(0x803b)?.line).toBe(10);
    expect(lines.find(0x803c)).toBeUndefined();
  });

  test('a file defined by the program, an unknown extended opcode, an unknown file', () => {
    const define = [0, 6, 3, 0x62, 0, 0, 0, 0];
    const lines = table(unit([...define, 0, 3, 0x80, 1, 2, ...setAddress(0x100), 4, 2, 1, 2, 1, 4, 9, 1, 2, 1, ...END]));
    expect(lines.find(0x100)?.file).toBe('b');
    expect(lines.find(0x102)?.file).toBe('?');
  });

  test('sequences that overlap: the innermost start wins, the outer one is found behind it', () => {
    const lines = table(unit([...setAddress(0x1000), 1, 2, 0x80, 1, ...END, ...setAddress(0x1010), 3, 5, 1, 2, 4, ...END]));
    expect(lines.find(0x1010)?.line).toBe(6);
    expect(lines.find(0x1017)?.line).toBe(6);
    expect(lines.find(0x1018)?.line).toBe(1);
    expect(lines.find(0x1100)).toBeUndefined();
  });

  test('a sequence without an end says nothing', () => {
    expect(table(unit([...setAddress(0x1000), 1, 2, 8, 1])).find(0x1000)).toBeUndefined();
  });
});

describe('refusals', () => {
  const refused = (debugLine: Uint8Array): string => {
    try {
      table(debugLine);
    } catch (error) {
      if (error instanceof LoaderError) return error.message;
      throw error;
    }
    return 'accepted';
  };
  test.each([
    ['a truncated unit', unit([1]).slice(0, -1), /truncated/],
    ['64-bit DWARF', Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 0), /64-bit DWARF/],
    ['another version', unit([], (bytes) => bytes.set([6], 4)), /DWARF 6/],
    ['a header longer than its unit', unit([], (bytes) => bytes.set([255], 6)), /longer than its unit/],
    ['a line range of 0', unit([], (bytes) => bytes.set([0], 13)), /a range of 0/],
    ['an operand beyond the unit', unit([2, 0x80]), /ends in the middle/],
    ['an extended opcode beyond the unit', unit([0, 100, 2]), /extended opcode/],
    ['an address of eight bytes', unit([0, 9, 2, 0, 0, 0, 0, 0, 0, 0, 0]), /address of 8 bytes/],
  ])('%s', (_, bytes, message) => {
    expect(refused(bytes)).toMatch(message);
  });
});

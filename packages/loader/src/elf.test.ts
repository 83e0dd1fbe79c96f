import { describe, expect, test } from 'vitest';
import { parseElf } from './elf.js';
import { ELF_DWARF4 } from './elf-fixtures.js';
import { LoaderError } from './loader-error.js';
import { symbolTable } from './symbol-table.js';

const good = Uint8Array.from(Buffer.from(ELF_DWARF4, 'base64'));

function changed(edit: (view: DataView, bytes: Uint8Array) => void): Uint8Array {
  const bytes = good.slice();
  edit(new DataView(bytes.buffer), bytes);
  return bytes;
}

/** An ELF file with no sections and one segment of four words, in either byte order. */
function tiny(littleEndian: boolean, flags: number): Uint8Array {
  const bytes = new Uint8Array(52 + 32 + 16);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 1, littleEndian ? 1 : 2, 1]);
  const u16 = (at: number, value: number): void => view.setUint16(at, value, littleEndian);
  const u32 = (at: number, value: number): void => view.setUint32(at, value, littleEndian);
  u16(16, 2);
  u16(18, 40);
  u32(24, 0xc0008004);
  u32(28, 52);
  u32(36, flags);
  u16(42, 32);
  u16(44, 1);
  [1, 84, 0xc0008000, 0x40008000, 16, 0x100, 5, 4].forEach((word, index) => {
    u32(52 + index * 4, word);
  });
  return bytes;
}

describe('an executable from a linker', () => {
  const elf = parseElf(good);

  test('entry, byte order and segments', () => {
    expect(elf.byteOrder).toBe('little');
    expect(elf.dynamic).toBe(false);
    expect(elf.entry).toBe(0x40200021);
    expect(elf.physicalEntry).toBe(0x40200021);
    expect(elf.segments).toHaveLength(1);
    expect(elf.segments[0]).toMatchObject({
      virtualAddress: 0x40200000,
      physicalAddress: 0x40200000,
      memoryByteLength: 0x103c,
      executable: true,
    });
    expect(elf.segments[0].bytes).toHaveLength(0x36);
  });

  test('sections by name; one without file space has no bytes', () => {
    expect(elf.sections.map(({ name }) => name)).toContain('.debug_line');
    expect(elf.sectionBytes('.text')).toEqual(elf.segments[0].bytes);
    expect(elf.sectionBytes('.bss')).toBeUndefined();
    expect(elf.sectionBytes('.nothing')).toBeUndefined();
  });

  test('symbols without mapping symbols, Thumb bit apart', () => {
    const symbols = elf.symbols();
    expect(symbols.some(({ name }) => name.startsWith('$'))).toBe(false);
    expect(symbols.find(({ name }) => name === 'sum')).toEqual({
      name: 'sum',
      address: 0x40200000,
      byteLength: 0x20,
      kind: 'function',
      thumb: true,
      binding: 'global',
    });
    expect(symbols.find(({ name }) => name === 'counter')).toMatchObject({ address: 0x40201038, byteLength: 4, kind: 'object' });
    const hit = symbolTable(symbols).nearest(0x40200024);
    expect([hit?.symbol.name, hit?.offset]).toEqual(['_start', 4]);
  });
});

test('byte orders: BE8 and BE32 by the flag', () => {
  expect(parseElf(tiny(false, 0x05800000)).byteOrder).toBe('be8');
  expect(parseElf(tiny(false, 0x05000000)).byteOrder).toBe('be32');
  expect(parseElf(tiny(true, 0x05000000)).byteOrder).toBe('little');
});

test('the entry moves with a segment that is loaded elsewhere, a segment may be larger in memory', () => {
  const elf = parseElf(tiny(true, 0x05000000));
  expect(elf.entry).toBe(0xc0008004);
  expect(elf.physicalEntry).toBe(0x40008004);
  expect(elf.segments[0].memoryByteLength).toBe(0x100);
  expect(elf.segments[0].bytes).toHaveLength(16);
  expect(elf.sections).toEqual([]);
  expect(elf.symbols()).toEqual([]);
});

describe('refused with one line', () => {
  const cases: [string, Uint8Array, RegExp][] = [
    ['text', new TextEncoder().encode('hello, world'), /not an ELF file/],
    ['nothing', new Uint8Array(0), /not an ELF file/],
    ['a bare magic number', good.slice(0, 20), /truncated/],
    ['64 bits', changed((_, bytes) => (bytes[4] = 2)), /64-bit/],
    ['another class', changed((_, bytes) => (bytes[4] = 9)), /class 9/],
    ['x86', changed((view) => view.setUint16(18, 3, true)), /machine 3/],
    ['an object file', changed((view) => view.setUint16(16, 1, true)), /object file/],
    ['a core dump', changed((view) => view.setUint16(16, 4, true)), /not an executable/],
    ['truncated contents', good.slice(0, 100), /truncated/],
    ['headers out of the file', changed((view) => view.setUint32(28, 0xfffffff0, true)), /truncated or damaged/],
    ['a segment that shrinks', changed((view) => view.setUint32(52 + 20, 8, true)), /in the file and 8 in memory/],
    ['a segment beyond 4 GiB', changed((view) => view.setUint32(52 + 12, 0xffffff00, true)), /beyond 4 GiB/],
  ];
  test.each(cases)('%s', (_, bytes, message) => {
    let caught: unknown;
    try {
      parseElf(bytes);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(LoaderError);
    expect((caught as LoaderError).message).toMatch(message);
    expect((caught as LoaderError).message).toMatch(/^\[loader\] \[elf\] [^\n]+$/);
  });
});

import { describe, expect, test } from 'vitest';
import { parseKallsyms } from './kallsyms.js';
import { LoaderError } from './loader-error.js';
import type { SymbolRecord } from './symbol-table.js';
import { formatSymbol, symbolTable } from './symbol-table.js';
import { parseSystemMap } from './system-map.js';

const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);
const record = (name: string, address: number, extra: Partial<SymbolRecord> = {}): SymbolRecord => ({
  name,
  address,
  byteLength: 0,
  kind: 'function',
  binding: 'global',
  thumb: false,
  ...extra,
});

describe('the table', () => {
  const table = symbolTable([
    record('later', 0x2000, { byteLength: 0x10 }),
    record('first', 0x1000),
    record('$first_label', 0x1000, { kind: 'label' }),
    record('first_local', 0x1000, { binding: 'local' }),
    record('end', 0xffff_fff0),
  ]);

  test('nearest at or below', () => {
    expect(table.nearest(0xfff)).toBeUndefined();
    expect(table.nearest(0x1000)).toMatchObject({ symbol: { name: 'first' }, offset: 0 });
    expect(table.nearest(0x1fff)).toMatchObject({ symbol: { name: 'first' }, offset: 0xfff });
    expect(table.nearest(0x200f)).toMatchObject({ symbol: { name: 'later' }, offset: 15 });
    expect(table.nearest(0xffff_ffff)).toMatchObject({ symbol: { name: 'end' }, offset: 15 });
  });

  test('not behind the end of a symbol whose size is known', () => {
    expect(table.nearest(0x2010)).toBeUndefined();
  });

  test('by name, and as text', () => {
    expect(table.find('first_local')?.address).toBe(0x1000);
    expect(table.find('nothing')).toBeUndefined();
    expect(formatSymbol(table, 0x1010)).toBe('first+0x10');
    expect(formatSymbol(table, 0x1000)).toBe('first');
    expect(formatSymbol(table, 0)).toBeUndefined();
  });

  test('an empty table finds nothing', () => {
    expect(symbolTable([]).nearest(5)).toBeUndefined();
  });
});

describe('System.map', () => {
  test('types and bindings', () => {
    const table = parseSystemMap(
      bytes('c0008000 T stext\nc0008000 t $a\nc0008040 t local_function\nc0900000 D data\nc0900004 W weak\n         U outside\n'),
    );
    expect(table.size).toBe(4);
    expect(table.find('stext')).toMatchObject({ kind: 'function', binding: 'global' });
    expect(table.find('local_function')).toMatchObject({ kind: 'function', binding: 'local' });
    expect(table.find('data')).toMatchObject({ kind: 'object', binding: 'global' });
    expect(table.find('weak')).toMatchObject({ binding: 'weak' });
    expect(formatSymbol(table, 0xc0008044)).toBe('local_function+0x4');
  });

  test('a missing last newline and CRLF are fine', () => {
    expect(parseSystemMap(bytes('1000 T a\r\n2000 T b')).symbols.map(({ name }) => name)).toEqual(['a', 'b']);
  });

  test('the note that Debian installs instead is named', () => {
    const note = 'ffffffffffffffff B The real System.map is in the linux-image-<version>-dbg package\n';
    expect(() => parseSystemMap(bytes(note))).toThrow(/in the -dbg package/);
  });

  test('refusals name the line', () => {
    expect(() => parseSystemMap(bytes('1000 T a\nnonsense\n'))).toThrow(
      "[loader] [system-map] line 2 is not 'ADDRESS TYPE NAME': 'nonsense'",
    );
    expect(() => parseSystemMap(bytes('ffffffffc0008000 T a\n'))).toThrow(/line 1 has the address ffffffffc0008000/);
    expect(() => parseSystemMap(bytes('\n'))).toThrow(/no symbol/);
    expect(() => parseSystemMap(bytes('1000 T a\t[module]\n'))).toThrow(LoaderError);
    expect(() => parseSystemMap(bytes(`${'1'.repeat(5000)} T a`))).toThrow(/line 1 is longer/);
  });
});

describe('kallsyms', () => {
  test('modules', () => {
    const table = parseKallsyms(bytes('c0008000 T stext\nbf000000 t init_module\t[virtio_net]\n'));
    expect(formatSymbol(table, 0xbf000008)).toBe('init_module+0x8 [virtio_net]');
    expect(table.find('stext')?.module).toBeUndefined();
  });

  test('hidden addresses are said to be hidden', () => {
    expect(() => parseKallsyms(bytes('00000000 T stext\n00000000 t other\n'))).toThrow(/all addresses are zero/);
  });
});

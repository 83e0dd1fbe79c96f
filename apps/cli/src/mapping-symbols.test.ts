import type { ElfImage } from '@tablewalk/loader';
import { expect, it } from 'vitest';
import { mappingSymbols } from './mapping-symbols.js';

it('finds $a, $t and $d among other symbols, in address order', () => {
  const names = '\0$d\0$a.12\0$t\0main\0$dollar\0';
  const table = new DataView(new ArrayBuffer(16 * 6));
  [
    ['$t', 0x30],
    ['main', 0x10],
    ['$d', 0x20],
    ['$a.12', 0x10],
    ['$dollar', 0x40],
  ].forEach(([name, address], i) => {
    table.setUint32(16 * (i + 1), names.indexOf(`\0${name}\0`) + 1, true);
    table.setUint32(16 * (i + 1) + 4, address as number, true);
  });
  const sections: Record<string, Uint8Array> = { '.symtab': new Uint8Array(table.buffer), '.strtab': Buffer.from(names, 'latin1') };
  const elf = { byteOrder: 'little', sectionBytes: (name: string) => sections[name] } as unknown as ElfImage;
  expect(mappingSymbols(elf)).toEqual([
    { address: 0x10, kind: 'A32' },
    { address: 0x20, kind: 'data' },
    { address: 0x30, kind: 'T32' },
  ]);
});

import { expect, test } from 'vitest';
import { readCpio, writeCpio } from './cpio.js';
import { elfLineTable } from './dwarf-lines.js';
import { parseElf } from './elf.js';
import { ELF_DWARF4, ELF_DWARF5 } from './elf-fixtures.js';
import { imageKind } from './image-kind.js';
import { parseKallsyms } from './kallsyms.js';
import { LoaderError } from './loader-error.js';
import { symbolTable } from './symbol-table.js';
import { parseSystemMap } from './system-map.js';
import { mutations } from './testing/mutations.js';
import { parseUImage } from './uimage.js';
import { parseZImage } from './zimage.js';

const base64 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'base64'));

function parseAll(bytes: Uint8Array): void {
  const elf = parseElf(bytes);
  for (const step of [() => symbolTable(elf.symbols()).nearest(0x40200000), () => elfLineTable(elf)?.find(0x40200000)]) {
    try {
      step();
    } catch (error) {
      // The parts of one file fail apart; what escapes must be ours in each.
      if (!(error instanceof LoaderError)) throw error;
    }
  }
}

function zImage(): Uint8Array {
  const bytes = new Uint8Array(256);
  const view = new DataView(bytes.buffer);
  view.setUint32(0x24, 0x016f2818, true);
  view.setUint32(0x2c, 200, true);
  view.setUint32(0x30, 0x04030201, true);
  view.setUint32(200, 0xd00dfeed);
  view.setUint32(204, 50);
  return bytes;
}

const uImage = Uint8Array.from([0x27, 5, 0x19, 0x56, ...new Array(100).fill(0)]);
const text = new TextEncoder().encode('c0008000 T stext\nc0008040 t other\t[module]\n         U outside\n');
const archive = writeCpio([
  { name: 'a', mode: 0o100644, data: new Uint8Array(33) },
  { name: 'directory', mode: 0o40755 },
]);

const parsers: [string, Uint8Array, number, (bytes: Uint8Array) => unknown][] = [
  ['ELF with DWARF 4', base64(ELF_DWARF4), 6000, parseAll],
  ['ELF with DWARF 5', base64(ELF_DWARF5), 6000, parseAll],
  ['zImage', zImage(), 2000, parseZImage],
  ['uImage', uImage, 2000, parseUImage],
  ['cpio', archive, 4000, readCpio],
  ['System.map', text, 4000, parseSystemMap],
  ['kallsyms', text, 4000, parseKallsyms],
  ['kind', zImage(), 2000, imageKind],
];

test.each(parsers)('%s: damaged input is accepted or refused with one line, quickly', (_, original, count, parse) => {
  let refused = 0;
  const started = performance.now();
  for (const bytes of mutations(20240611, original, count)) {
    try {
      parse(bytes);
    } catch (error) {
      if (!(error instanceof LoaderError)) throw error;
      expect(error.message).toMatch(/^\[loader\] \[[a-z-]+\] [ -~]+$/);
      refused++;
    }
  }
  if (parse !== imageKind) expect(refused).toBeGreaterThan(count / 20);
  // A parser whose work is not bounded by its input takes minutes here.
  expect(performance.now() - started).toBeLessThan(20_000);
});

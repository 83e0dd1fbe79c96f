import { describe, expect, it } from 'vitest';
import { Disassembler } from '../disassembler.js';
import type { InstructionSet } from '../encoding.js';
import { parseImmediate, registerNumber } from '../operands.js';
import { randomWords } from '../random-words.fixture.js';
import { InstructionEncoder } from './instruction-encoder.js';
import { splitOperands } from './source.js';

const disassembler = new Disassembler();
const encoder = new InstructionEncoder(disassembler);

const TRIALS = 60;
const ADDRESS = 0x10000;

describe.each(['A32', 'T32', 'T16'] as const)('%s: what the disassembler prints assembles to the same word', (isa: InstructionSet) => {
  const table = disassembler.table(isa);
  it.each(table.entries.map((entry) => [entry.encoding.name, entry] as const))('%s', (_name, entry) => {
    const random = randomWords(0x2545f491);
    const { mask, value, shouldMask, shouldValue } = entry.pattern;
    const thumb = isa !== 'A32';
    for (let trial = 0; trial < TRIALS; trial++) {
      const fixed = (mask | shouldMask) >>> 0;
      const word = (((random() & ~fixed) | value | shouldValue) >>> 0) & (isa === 'T16' ? 0xffff : ~0);
      const itstate = thumb && trial % 3 === 2 ? 0x08 | ((trial & 7) << 5) : 0;
      const line = disassembler.disassemble(word >>> 0, { thumb, address: ADDRESS, itstate });
      if (line.entry !== entry || line.status !== 'defined') continue;
      // Space for hints that nobody has allocated: its text is that of the one NOP.
      if (/^nop/.test(line.text) && !entry.encoding.name.startsWith('NOP')) continue;
      if (line.text.includes('<impl def')) continue;
      // Outside an IT block only what may stand there.
      if (itstate !== 0 && (line.fields['c'] !== undefined || !entry.encoding.text[0].includes('{c}'))) continue;
      const [, name, rest] = /^(\S+)\s*(.*)$/.exec(line.text)!;
      const width = /\.w$/.exec(name!) ? 4 : isa === 'T16' ? 2 : undefined;
      const mnemonic = name!.replace(/\.w$/, '');
      const encoded = encoder.encode(
        { mnemonic, operands: splitOperands(rest!), size: width, itCondition: itstate === 0 ? undefined : itstate >>> 4 },
        { address: ADDRESS, thumb, label: (text) => (registerNumber(text) === undefined ? parseImmediate(text) : undefined) },
        isa === 'T16' ? 2 : 4,
      );
      const got = typeof encoded === 'string' ? encoded : encoded.word.toString(16);
      expect(`${line.text}: ${got}`).toBe(`${line.text}: ${(word >>> 0).toString(16)}`);
    }
  });
});

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Disassembler } from './disassembler.js';
import type { Encoding, InstructionSet } from './encoding.js';
import { bitFields } from './families/bit-field.js';
import { branches } from './families/branch.js';
import { dataProcessing } from './families/data-processing.js';
import { exceptionGenerating } from './families/exception-generating.js';
import { hints } from './families/hints.js';
import { media } from './families/media.js';
import { multiplies } from './families/multiply.js';
import { shifts } from './families/shift.js';
import { compilePattern } from './pattern.js';
import { randomWords } from './random-words.fixture.js';

const family: readonly Encoding[] = [
  ...dataProcessing,
  ...shifts,
  ...multiplies,
  ...media,
  ...bitFields,
  ...branches,
  ...hints,
  ...exceptionGenerating,
];
const disassembler = new Disassembler();
const TRIALS = 25;

/** Words of each encoding, the same on every run. */
const wordsOf = (isa: InstructionSet): number[] => {
  const random = randomWords(0x2545f491);
  return family
    .filter((encoding) => encoding.isa === isa)
    .flatMap((encoding) => {
      const { mask, shouldMask, value, shouldValue } = compilePattern(encoding);
      return Array.from({ length: TRIALS }, () => {
        const word = (random() & ~(mask | shouldMask)) | value | shouldValue;
        return (isa === 'T16' ? word & 0xffff : word) >>> 0;
      });
    });
};

/** objdump's text in our words: blanks, comments, and what is deliberately different. */
const normalised = (gnu: string): string => {
  let text = gnu
    .replace(/\s*[@;].*$/, '')
    .replace(/\s*<[^>]*>\s*$/, '')
    .replace(/\s+/g, ' ')
    .trim();
  // A shifted move is a shift by its UAL name.
  text = text
    .replace(/^mov(s?)(\w*)\.w (\S+), (\S+), (lsl|lsr|asr|ror) (#\d+)$/, '$5$1$2.w $3, $4, $6')
    .replace(/^mov(s?)(\w*)\.w (\S+), (\S+), rrx$/, 'rrx$1$2 $3, $4');
  text = text.replace(/^neg(s?)(\w*) (\S+), (\S+)$/, 'rsb$1$2 $3, $4, #0');
  // Mistakes of objdump's: capitals, and a shift by 32 shown as 0.
  text = text
    .replace('ROR #', 'ror #')
    .replace(/^([su]sat.*) asr #0$/, '$1 asr #32')
    .replace(/^(nop\w*) \{0\}$/, '$1');
  return text.replace(/\.n(?= |$)/, '');
};

describe('text as GNU objdump has it', () => {
  const available = spawnSync('arm-linux-gnueabihf-objdump', ['--version']).status === 0;
  if (!available) console.warn('arm-linux-gnueabihf-objdump is missing: the comparison with it does not run');
  it.runIf(available).each(['A32', 'T32', 'T16'] as const)('%s', (isa) => {
    const thumb = isa !== 'A32';
    const words = wordsOf(isa);
    const size = isa === 'T16' ? 2 : 4;
    const image = Buffer.alloc(words.length * size);
    words.forEach((word, i) => {
      if (isa === 'T16') image.writeUInt16LE(word, i * 2);
      else if (isa === 'T32') {
        image.writeUInt16LE(word >>> 16, i * 4);
        image.writeUInt16LE(word & 0xffff, i * 4 + 2);
      } else image.writeUInt32LE(word, i * 4);
    });
    const folder = mkdtempSync(join(tmpdir(), 'integer-text-'));
    const differences: string[] = [];
    try {
      writeFileSync(join(folder, 'words.bin'), image);
      const options = ['-D', '-b', 'binary', '-m', 'armv7', '-M', thumb ? 'force-thumb,reg-names-std' : 'reg-names-std'];
      const output = execFileSync('arm-linux-gnueabihf-objdump', [...options, join(folder, 'words.bin')], {
        encoding: 'utf8',
        maxBuffer: 1 << 28,
      });
      const gnu = new Map<number, string>();
      for (const line of output.split('\n')) {
        const match = /^\s*([0-9a-f]+):\t[0-9a-f ]+\t(.*)$/.exec(line);
        if (match !== null) gnu.set(Number.parseInt(match[1]!, 16), match[2]!);
      }
      // An IT block changes objdump's text of what follows: only lines that stand outside.
      let itLeft = 0;
      words.forEach((word, i) => {
        const inBlock = itLeft > 0;
        itLeft = isa === 'T16' && (word & 0xff00) === 0xbf00 && (word & 15) !== 0 ? 4 : Math.max(0, itLeft - 1);
        const ours = disassembler.disassemble(word, { thumb, address: i * size });
        if (inBlock || ours.status !== 'defined' || ours.entry === undefined || !family.includes(ours.entry.encoding)) return;
        // ARMv8 has given names to some of these.
        if (ours.entry.encoding.name.startsWith('HINT_')) return;
        const theirs = normalised(gnu.get(i * size) ?? '(none)');
        if (ours.text !== theirs) differences.push(`${ours.entry.encoding.name} ${word.toString(16)}: ${ours.text} | ${theirs}`);
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
    expect(differences).toEqual([]);
  });
});

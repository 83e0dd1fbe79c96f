import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Decoded } from '../decode-table.js';
import { DecodeTable } from '../decode-table.js';
import type { Encoding, InstructionSet } from '../encoding.js';
import { Mnemonic } from '../mnemonic.js';
import { compilePattern } from '../pattern.js';
import { coprocessorInstructions } from './coprocessor.js';
import { exclusive } from './exclusive.js';
import { encodings } from './index.js';
import { loadStore } from './load-store.js';
import { loadStoreExtra } from './load-store-extra.js';
import { loadStoreMultiple } from './load-store-multiple.js';
import { system } from './system.js';

const family: readonly Encoding[] = [
  ...loadStore,
  ...loadStoreExtra,
  ...loadStoreMultiple,
  ...exclusive,
  ...system,
  ...coprocessorInstructions,
];
const sets = ['A32', 'T32', 'T16'] as const;
const tables: Readonly<Record<InstructionSet, DecodeTable>> = {
  A32: new DecodeTable('A32', encodings),
  T32: new DecodeTable('T32', encodings),
  T16: new DecodeTable('T16', encodings),
};

const textOf = ({ entry: { encoding }, fields }: Decoded, address: number): string => {
  const mnemonic = new Mnemonic(encoding.text[0]).print(fields, { condition: fields['c'] ?? 14, inIt: false });
  const operands = encoding.text
    .slice(1)
    .map((operand) => (operand as Exclude<Encoding['text'][1], undefined>).print(fields, { address, thumb: encoding.isa !== 'A32' }));
  return `${mnemonic} ${operands.filter((operand) => operand !== undefined).join(', ')}`.trim();
};

/** Words of each encoding: fixed and should-be bits as they are, the others from a generator with a fixed seed. */
const wordsOf = (encoding: Encoding, count: number): number[] => {
  const pattern = compilePattern(encoding);
  let seed = encoding.name.length * 2654435761;
  const words: number[] = [];
  for (let i = 0; i < count; i++) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    const random = (seed >>> 8) ^ (seed << 13) ^ (seed >>> 19);
    const fixed = pattern.mask | pattern.shouldMask;
    let word = (random & ~fixed) | pattern.value | pattern.shouldValue;
    if (pattern.hasCondition && (word >>> 28 === 15 || i % 4 !== 0)) word = (word & 0x0fffffff) | 0xe0000000;
    words.push((encoding.isa === 'T16' ? word & 0xffff : word) >>> 0);
  }
  return words;
};

describe('text', () => {
  // Lines of GNU objdump 2.40 (-M reg-names-std), comments removed.
  const lines: Readonly<Record<InstructionSet, readonly (readonly [number, string])[]>> = {
    A32: [
      [0xe52d4004, 'push {r4}'],
      [0xe92d4010, 'push {r4, lr}'],
      [0xe8bd8010, 'pop {r4, pc}'],
      [0xe8900006, 'ldm r0, {r1, r2}'],
      [0xe8dd0006, 'ldm sp, {r1, r2}^'],
      [0xe9508002, 'ldmdb r0, {r1, pc}^'],
      [0xe9800002, 'stmib r0, {r1}'],
      [0xe5110000, 'ldr r0, [r1, #-0]'],
      [0xe5b10000, 'ldr r0, [r1, #0]!'],
      [0xe4110000, 'ldr r0, [r1], #-0'],
      [0xe51f0004, 'ldr r0, [pc, #-4]'],
      [0xe7310182, 'ldr r0, [r1, -r2, lsl #3]!'],
      [0xe6110062, 'ldr r0, [r1], -r2, rrx'],
      [0xe6910022, 'ldr r0, [r1], r2, lsr #32'],
      [0x04b10004, 'ldrteq r0, [r1], #4'],
      [0xe03100b2, 'ldrht r0, [r1], -r2'],
      [0xf5d0f004, 'pld [r0, #4]'],
      [0xf790f101, 'pldw [r0, r1, lsl #2]'],
      [0xe1910f9f, 'ldrex r0, [r1]'],
      [0xe1c42f90, 'strexb r2, r0, [r4]'],
      [0xe1020091, 'swp r0, r1, [r2]'],
      [0xf9300a00, 'rfedb r0!'],
      [0xf8ed0513, 'srsia sp!, #19'],
      [0xe328f20f, 'msr CPSR_f, #-268435456'],
      [0xe12ff000, 'msr CPSR_fsxc, r0'],
      [0xe1000200, 'mrs r0, R8_usr'],
      [0xe14e1300, 'mrs r1, SPSR_hyp'],
      [0xe12ef301, 'msr ELR_hyp, r1'],
      [0xf10801c0, 'cpsie aif'],
      [0xf1010200, 'setend be'],
      [0xee110f10, 'mrc 15, 0, r0, cr1, cr0, {0}'],
      [0xee10fe11, 'mrc 14, 0, APSR_nzcv, cr0, cr1, {0}'],
      [0xec532f1e, 'mrrc 15, 1, r2, r3, cr14'],
      [0xed705e02, 'ldcl 14, cr5, [r0, #-8]!'],
      [0xfc805e04, 'stc2 14, cr5, [r0], {4}'],
      [0xf57ff05b, 'dmb ish'],
      [0xf57ff06f, 'isb sy'],
    ],
    T32: [
      [0xe92d4100, 'stmdb sp!, {r8, lr}'],
      [0xe8bd8100, 'ldmia.w sp!, {r8, pc}'],
      [0xf84d8d04, 'str.w r8, [sp, #-4]!'],
      [0xf8510b04, 'ldr.w r0, [r1], #4'],
      [0xf8510e04, 'ldrt r0, [r1, #4]'],
      [0xf9110022, 'ldrsb.w r0, [r1, r2, lsl #2]'],
      [0xe8720102, 'ldrd r0, r1, [r2], #-8'],
      [0xe9df0902, 'ldrd r0, r9, [pc, #8]'],
      [0xf81ff004, 'pld [pc, #-4]'],
      [0xe8510f01, 'ldrex r0, [r1, #4]'],
      [0xe8c40172, 'strexd r2, r0, r1, [r4]'],
      [0xf3ef8000, 'mrs r0, CPSR'],
      [0xf3908100, 'msr SPSR_c, r0'],
      [0xf3e08020, 'mrs r0, R8_usr'],
      [0xf3818e30, 'msr ELR_hyp, r1'],
      [0xf3af8640, 'cpsid.w i'],
      [0xf3af8753, 'cpsid i, #19'],
      [0xf3bf8f4f, 'dsb sy'],
    ],
    T16: [
      [0xb510, 'push {r4, lr}'],
      [0xbd01, 'pop {r0, pc}'],
      [0xc805, 'ldmia r0, {r0, r2}'],
      [0xc806, 'ldmia r0!, {r1, r2}'],
      [0xc002, 'stmia r0!, {r1}'],
      [0x4801, 'ldr r0, [pc, #4]'],
      [0x6808, 'ldr r0, [r1, #0]'],
      [0x9801, 'ldr r0, [sp, #4]'],
      [0x5888, 'ldr r0, [r1, r2]'],
      [0xb667, 'cpsie aif'],
    ],
  };
  for (const isa of sets) {
    it(`${isa} as GNU objdump writes it`, () => {
      expect(lines[isa].map(([word]) => [word, textOf(tables[isa].decode(word)!, 0)])).toEqual(lines[isa]);
    });
  }
  // UAL, where objdump leaves the second register of a pair out.
  it('A32 doublewords name both registers', () => {
    expect(textOf(tables.A32.decode(0xe1c200d8)!, 0)).toBe('ldrd r0, r1, [r2, #8]');
    expect(textOf(tables.A32.decode(0xe1a42f90)!, 0)).toBe('strexd r2, r0, r1, [r4]');
  });

  it('every operand reads back what it wrote', () => {
    let operands = 0;
    for (const encoding of family) {
      for (const word of wordsOf(encoding, 40)) {
        const decoded = tables[encoding.isa].decode(word);
        if (decoded === undefined || !family.includes(decoded.entry.encoding) || decoded.entry.encoding.unpredictable?.(decoded.fields))
          continue;
        const context = { address: 0x8000, thumb: encoding.isa !== 'A32' };
        for (const operand of decoded.entry.encoding.text.slice(1) as Exclude<Encoding['text'][1], undefined>[]) {
          const text = operand.print(decoded.fields, context);
          const parsed = operand.parse(text, context);
          expect(parsed, `${decoded.entry.encoding.name} '${text}'`).toBeDefined();
          for (const [letter, value] of Object.entries(parsed!)) {
            expect(value, `${decoded.entry.encoding.name} ${word.toString(16)} '${text}' field ${letter}`).toBe(decoded.fields[letter]);
          }
          operands++;
        }
      }
    }
    expect(operands).toBeGreaterThan(10_000);
  });
});

describe('literals and lists in other spellings', () => {
  const parse = (isa: InstructionSet, name: string, position: number, text: string, address = 0x1000): unknown => {
    const encoding = family.find((candidate) => candidate.isa === isa && candidate.name === name)!;
    return (encoding.text[position] as Exclude<Encoding['text'][1], undefined>).parse(text, {
      address,
      thumb: isa !== 'A32',
      label: (label) => (label === 'here' ? 0x1010 : undefined),
    });
  };
  it('labels', () => {
    expect(parse('A32', 'LDR_lit_A1', 2, 'here')).toEqual({ u: 1, i: 8 });
    expect(parse('A32', 'LDR_lit_A1', 2, 'here', 0x1020)).toEqual({ u: 0, i: 0x18 });
    expect(parse('T16', 'LDR_lit_T1', 2, 'here', 0x1002)).toEqual({ i: 3 });
    expect(parse('T16', 'LDR_lit_T1', 2, 'here', 0x1020)).toBeUndefined();
  });
  it('register ranges', () => {
    expect(parse('A32', 'PUSH_A1', 1, '{r4-r6, lr}')).toEqual({ l: 0x4070 });
    expect(parse('T16', 'PUSH_T1', 1, '{r4-r6, lr}')).toEqual({ l: 0x70, h: 1 });
    expect(parse('A32', 'PUSH_A2', 1, '{r4}')).toEqual({ t: 4 });
    expect(parse('A32', 'PUSH_A2', 1, '{r4, r5}')).toBeUndefined();
  });
  it('p15 and c7', () => {
    expect(parse('A32', 'MCR_A1', 1, 'p15')).toEqual({ p: 15 });
    expect(parse('A32', 'MCR_A1', 4, 'c7')).toEqual({ n: 7 });
    expect(parse('A32', 'MCR_A1', 6, '4')).toEqual({ q: 4 });
  });
});

/** Where the text differs from objdump's on purpose: by the name of the encoding. */
const differs = (name: string, gnu: string, ours: string): boolean =>
  // objdump knows old coprocessors (FPA, Maverick) and ARMv8 instructions in this space.
  /^(CDP|LDC|STC|MRC|MCR|MRRC|MCRR)/.test(name) ||
  // The manual's unallocated hints, for which objdump prints nothing or the load that is not there.
  name.startsWith('HINT_mem') ||
  // Options that ARMv8 gave names to, and the old names of NSH and NSHST.
  (/^(DMB|DSB)/.test(name) && /ld$|ssbb|dfb| un(st)?$/.test(gnu)) ||
  // T32 literals below PC whose offset looks like an unprivileged access.
  (name.includes('_lit_') && /^ldr\w*t\b/.test(gnu)) ||
  /\br1[345]\b/.test(gnu) ||
  // A zero offset, whose sign is a bit of the encoding.
  ours.replace(/, #-?0\]/, ']') === gnu.replace(/, #-?0\]/, ']') ||
  ours.replace('#-0', '#0') === gnu.replace('#-0', '#0');

/** Spellings: A32 pairs, STMIA with write-back, blanks. */
const normalized = (text: string): string =>
  text
    .replace(/\s*[@;].*$/, '')
    .replace(/\s+/g, ' ')
    .replace(/^stmia(\w*) /, 'stm$1 ')
    .replace(/^(cps\w+ \w+), ?#/, '$1, #')
    .trim();
const withoutSecond = (text: string): string => text.replace(/^((?:ldr|str)d\w* \w+|ldrexd\w* \w+|strexd\w* \w+, \w+), \w+/, '$1');

const binutils =
  spawnSync('arm-linux-gnueabihf-objdump', ['--version']).status === 0 && spawnSync('arm-linux-gnueabihf-as', ['--version']).status === 0;

describe('live comparison with GNU objdump', () => {
  for (const isa of sets) {
    it(`${isa}: random words of each encoding`, () => {
      if (!binutils) {
        process.stderr.write(
          `NOT COMPARED: arm-linux-gnueabihf-objdump is missing (apt-get install binutils-arm-linux-gnueabihf); ${isa} text was checked against the sample only.\n`,
        );
        expect(binutils).toBe(false);
        return;
      }
      const words = family.filter((encoding) => encoding.isa === isa).flatMap((encoding) => wordsOf(encoding, 25));
      const directory = mkdtempSync(join(tmpdir(), 'memory-text-'));
      const source = join(directory, 'words.s');
      const object = join(directory, 'words.o');
      const directive = { A32: '.inst', T32: '.inst.w', T16: '.inst.n' }[isa];
      writeFileSync(
        source,
        [
          '.arch armv7-a',
          '.arch_extension virt',
          '.arch_extension sec',
          '.arch_extension mp',
          isa === 'A32' ? '.arm' : '.thumb',
          ...words.map((word) => `${directive} ${word}`),
          '',
        ].join('\n'),
      );
      execFileSync('arm-linux-gnueabihf-as', ['-o', object, source]);
      const output = execFileSync('arm-linux-gnueabihf-objdump', ['-d', '-z', '-M', 'reg-names-std', object], {
        maxBuffer: 1 << 26,
      }).toString();
      rmSync(directory, { recursive: true });
      const gnu = new Map<number, string>();
      for (const line of output.split('\n')) {
        const match = /^\s*([0-9a-f]+):\t[0-9a-f ]+\t(.*)$/.exec(line);
        if (match !== null) gnu.set(Number.parseInt(match[1]!, 16), normalized(match[2]!));
      }
      const step = isa === 'T16' ? 2 : 4;
      const different: string[] = [];
      let compared = 0;
      words.forEach((word, i) => {
        const decoded = tables[isa].decode(word);
        const { encoding } = decoded?.entry ?? {};
        if (decoded === undefined || encoding === undefined || !family.includes(encoding) || encoding.unpredictable?.(decoded.fields))
          return;
        const text = normalized(textOf(decoded, i * step));
        const theirs = gnu.get(i * step) ?? '';
        const ours = isa === 'A32' ? withoutSecond(text) : text;
        compared++;
        if (ours !== theirs && !differs(encoding.name, theirs, ours))
          different.push(`${word.toString(16)} ${encoding.name}: ${ours} | ${theirs}`);
      });
      expect(different).toEqual([]);
      expect(compared).toBeGreaterThan(words.length / 3);
    });
  }
});

import { Disassembler } from '../../packages/arm-core/src/isa/disassembler.js';
import type { Batch } from './layout.js';
import { CODE, CODE_WORDS, CPSR, OUTPUT_WORDS, RECORD_WORDS, wordNames } from './layout.js';
import { triage } from './triage.js';

export interface TestView {
  readonly kind: string;
  readonly thumb: boolean;
  /** Disassembled instructions up to the first that ends every test. */
  readonly text: readonly string[];
  readonly input: Uint32Array;
  readonly expected: Uint32Array;
  readonly actual: Uint32Array;
}

export interface Difference {
  readonly test: TestView;
  readonly index: number;
  /** Words of the output record that differ. */
  readonly words: readonly number[];
}

export interface Comparison {
  readonly tests: number;
  /** Differences that the triage list explains. */
  readonly triaged: number;
  readonly differences: readonly Difference[];
}

/** Text of test `i` and its input words, for errors and for `--show`. */
export const describeTest = (batch: Batch, i: number): string => {
  const { text } = disassemble(batch, i);
  const words = wordNames.map((name, k) => `${name}=${hex(batch.input[i * RECORD_WORDS + k]!)}`);
  return `#${i} ${batch.kindNames[batch.kinds[i]!]}: ${text.join('; ')}\n${words.join(' ')}`;
};

const hex = (value: number): string => value.toString(16).padStart(8, '0');

/** One for all: it builds the decode tables. */
const disassembler = new Disassembler();

const disassemble = (batch: Batch, i: number): { thumb: boolean; text: string[] } => {
  const thumb = (batch.input[i * RECORD_WORDS + CPSR]! & 0x20) !== 0;
  const slot = batch.code.subarray(i * CODE_WORDS, (i + 1) * CODE_WORDS);
  const halves = new Uint16Array(slot.buffer, slot.byteOffset, slot.length * 2);
  const text: string[] = [];
  for (let k = 0; k < 18; ) {
    const half = halves[k]!;
    const wide = thumb && half >= 0xe800;
    const word = !thumb ? slot[k >> 1]! : wide ? ((half << 16) | halves[k + 1]!) >>> 0 : half;
    if (word === (thumb ? 0xdf5a : 0xef00df5a)) break;
    const address = CODE + i * CODE_WORDS * 4 + k * 2;
    text.push(`${word.toString(16).padStart(thumb && !wide ? 4 : 8, '0')} ${disassembler.disassemble(word, { thumb, address }).text}`);
    k += thumb && !wide ? 1 : 2;
  }
  return { thumb, text };
};

/** Output records against QEMU's. */
export const compare = (batch: Batch, expected: Uint32Array, actual: Uint32Array): Comparison => {
  const differences: Difference[] = [];
  let triaged = 0;
  for (let i = 0; i < batch.count; i++) {
    const at = i * RECORD_WORDS;
    const words: number[] = [];
    for (let k = 0; k < OUTPUT_WORDS; k++) if (expected[at + k] !== actual[at + k]) words.push(k);
    if (words.length === 0) continue;
    const record = (of: Uint32Array): Uint32Array => of.subarray(at, at + RECORD_WORDS);
    const test: TestView = {
      kind: batch.kindNames[batch.kinds[i]!]!,
      ...disassemble(batch, i),
      input: record(batch.input),
      expected: record(expected),
      actual: record(actual),
    };
    const known = triage.filter((t) => t.when(test));
    if (words.every((k) => known.some((t) => t.words?.includes(k) ?? true))) triaged++;
    else differences.push({ test, index: i, words });
  }
  return { tests: batch.count, triaged, differences };
};

/** Differences as text, grouped by kind, a few of each. */
export const describeDifferences = (batch: Batch, differences: readonly Difference[], each = 3): string => {
  const groups = new Map<string, Difference[]>();
  for (const difference of differences) groups.set(difference.test.kind, [...(groups.get(difference.test.kind) ?? []), difference]);
  const lines: string[] = [];
  for (const [kind, list] of groups) {
    lines.push(`${kind}: ${list.length} of ${batch.kinds.reduce((sum, k) => sum + (batch.kindNames[k] === kind ? 1 : 0), 0)} differ`);
    for (const { test, index, words } of list.slice(0, each)) {
      const seen = words.slice(0, 8).map((k) => `${wordNames[k]} ${hex(test.expected[k]!)}/${hex(test.actual[k]!)}`);
      lines.push(`  #${index} ${test.text.join('; ')}`);
      lines.push(`     cpsr ${hex(test.input[CPSR]!)} vector ${test.expected[36]}: ${seen.join(', ')}`);
    }
  }
  return lines.join('\n');
};

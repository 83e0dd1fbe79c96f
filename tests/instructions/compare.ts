import { Disassembler } from '../../packages/arm-core/src/isa/disassembler.js';
import type { Batch } from './batch-layout.js';
import { IN_CPSR, IN_FPSCR, OUT_TYPE, OUT_VECTORS, TYPE_STUCK } from './batch-layout.js';
import { triage } from './triage.js';

export interface Difference {
  readonly index: number;
  readonly name: string;
  /** Words of the output record that differ: `[word, QEMU's, ours]`. */
  readonly words: readonly (readonly [word: number, expected: number, actual: number])[];
}

export interface Comparison {
  readonly tests: number;
  /** Ended by the watchdog on one side: not compared. */
  readonly stuck: number;
  /** Differences that the triage list explains. */
  readonly triaged: number;
  readonly differences: readonly Difference[];
}

const WORDS = 96;
/** Words of an output record that the harness writes. */
const COMPARED = [...Array.from({ length: 22 }, (_, i) => i), ...Array.from({ length: 64 }, (_, i) => OUT_VECTORS + i)];

/** Output records against QEMU's. */
export const compare = (batch: Batch, expected: Uint32Array, actual: Uint32Array): Comparison => {
  const differences: Difference[] = [];
  let stuck = 0;
  let triaged = 0;
  for (let i = 0; i < batch.count; i++) {
    const at = i * WORDS;
    if (expected[at + OUT_TYPE] === TYPE_STUCK || actual[at + OUT_TYPE] === TYPE_STUCK) {
      stuck++;
      continue;
    }
    const words = COMPARED.filter((k) => expected[at + k] !== actual[at + k]).map((k) => [k, expected[at + k]!, actual[at + k]!] as const);
    if (words.length === 0) continue;
    const name = batch.names[batch.kinds[i]!]!;
    const { word } = wordOfTest(batch, i);
    const known = triage.some(
      (t) => t.encodings.test(name) && (t.when?.(word) ?? true) && words.every(([k]) => t.words?.includes(k) ?? true),
    );
    if (known) triaged++;
    else differences.push({ index: i, name, words });
  }
  return { tests: batch.count, stuck, triaged, differences };
};

const wordName = (k: number): string =>
  k < 15 ? `r${k}` : k < 22 ? ['lr', 'spsr', 'type', 'fsr', 'far', 'fpscr', 'memory'][k - 15]! : `d${(k - 32) >> 1}${k & 1 ? 'h' : 'l'}`;
const hex = (value: number): string => value.toString(16).padStart(8, '0');

/** Word of test `i` as the disassembler wants it. */
export const wordOfTest = (batch: Batch, i: number): { word: number; thumb: boolean } => {
  const first = batch.input[i * WORDS]!;
  const thumb = ((batch.input[i * WORDS + IN_CPSR]! >>> 5) & 1) === 1;
  if (!thumb) return { word: first, thumb };
  const half = first & 0xffff;
  return { word: half < 0xe800 ? half : ((half << 16) | (first >>> 16)) >>> 0, thumb };
};

/** Differences as text, grouped by encoding, a few of each with disassembly. */
export const describeDifferences = (batch: Batch, differences: readonly Difference[], each = 3): string => {
  const disassembler = new Disassembler();
  const groups = new Map<string, Difference[]>();
  for (const difference of differences) groups.set(difference.name, [...(groups.get(difference.name) ?? []), difference]);
  const lines: string[] = [];
  for (const [name, list] of [...groups].sort((a, b) => b[1].length - a[1].length)) {
    const count = batch.kinds.reduce((sum, kind) => sum + (batch.names[kind] === name ? 1 : 0), 0);
    lines.push(`${name}: ${list.length} of ${count} differ`);
    for (const { index, words } of list.slice(0, each)) {
      const { word, thumb } = wordOfTest(batch, index);
      const text = disassembler.disassemble(word, { thumb }).text;
      const seen = words.slice(0, 6).map(([k, a, b]) => `${wordName(k)} ${hex(a)}/${hex(b)}`);
      const at = index * WORDS;
      lines.push(
        `  #${index} ${hex(word)} ${text} [cpsr ${hex(batch.input[at + IN_CPSR]!)} fpscr ${hex(batch.input[at + IN_FPSCR]!)}]: ${seen.join(', ')}`,
      );
    }
  }
  return lines.join('\n');
};

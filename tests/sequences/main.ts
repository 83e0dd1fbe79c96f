import { disassemble } from '../../packages/arm-core/src/isa/disassembler.js';
import { Random } from '../support/random.js';
import { Coverage } from './coverage.js';
import type { Sequence } from './generate.js';
import { generate } from './generate.js';
import * as at from './places.js';
import { World } from './world.js';

/*
 * Random sequences of instructions on the interpreter and on the translator, compared after each budget and in memory at their ends.
 *
 *   node tests/run-source.mjs tests/sequences/main.ts SEED COUNT [--seconds N] [--coverage EVERY] [--show]
 *
 * Sequence n of a seed has the seed 65536 * SEED + n. One in EVERY (50) is stepped through on a third machine, for the coverage that is printed: names of encodings that were executed, that
 * faulted, that an interrupt came after, that were executed in an IT block. Ends at the first difference, with the shortest form of the sequence.
 */
const flag = (name: string, fallback: number): number => {
  const i = process.argv.indexOf(name);
  return i < 0 ? fallback : Number(process.argv[i + 1]);
};
const seed0 = Number(process.argv[2] ?? 1);
const first = seed0 * 65536;
const count = Number(process.argv[3] ?? 1000);
const every = flag('--coverage', 50);
const deadline = Date.now() + flag('--seconds', 1e9) * 1000;

/** In one go with all of the region's blocks, and in pieces of what ran; with few regions, so that all are dropped now and then. */
const translations = [
  { heat: 1, batch: 12, regions: 300, cold: true },
  { heat: 1, batch: 8, regions: 300 },
  { heat: 2, batch: 3, regions: 60, cold: true },
] as const;

/** An interpreter and a translator that have run the same. */
interface Pair {
  readonly reference: World;
  readonly translator: World;
  /** The next sequence begins from the base state. */
  fresh: boolean;
}
const pairs = translations.map(
  (translation): Pair => ({ reference: new World(), translator: new World({ engine: 'wasm', translation }), fresh: false }),
);

interface Outcome {
  readonly differences: readonly string[];
  readonly ended: boolean;
}

/** Runs a sequence on both worlds, three times: at first most of it is interpreted, then most is translated. */
const run = (sequence: Sequence, pair: Pair): Outcome => {
  const r = new Random(sequence.seed ^ 0x5eed);
  let outcome = pass(sequence, pair, r, 400);
  for (let i = 0; i < 2 && outcome.differences.length === 0; i++) outcome = pass(sequence, pair, r, r.pick([4, 24, 100, 400]));
  return outcome;
};

/** Budgets of 1 to `size`: of a few instructions, of some dozens, or such that hardly any ends within the sequence. */
const pass = (sequence: Sequence, pair: Pair, r: Random, size: number): Outcome => {
  const { reference, translator } = pair;
  for (const world of [reference, translator]) world.begin(sequence, pair.fresh);
  let ended = false;
  for (let left = sequence.limit; left > 0 && !ended; ) {
    const budget = 1 + r.below(size);
    const a = reference.machine.runFor(budget);
    const b = translator.machine.runFor(budget);
    left -= budget;
    const found = reference.differences(translator, false);
    if (a.reason !== b.reason) found.push(`ends: ${a.reason}, ${b.reason}`);
    if (found.length > 0) return { differences: found, ended };
    ended = reference.waits;
  }
  const differences = reference.differences(translator, true);
  pair.fresh = !ended || !reference.sound;
  return { differences, ended };
};

/** From a clean state, so that it does not depend on what ran before. */
const differs = (sequence: Sequence, pair: Pair): readonly string[] => {
  pair.fresh = true;
  return run(sequence, pair).differences;
};

/** NOPs in place of what the difference does not need. */
const shorten = (sequence: Sequence, pair: Pair): Sequence => {
  let best = sequence;
  for (let i = 0; i + 1 < sequence.offsets.length; i++) {
    const code = best.code.slice();
    const view = new DataView(code.buffer);
    const size = sequence.offsets[i + 1]! - sequence.offsets[i]!;
    for (let k = 0; k < size; k += 2) view.setUint16(sequence.offsets[i]! + k, 0xbf00, true);
    if (!sequence.thumb) view.setUint32(sequence.offsets[i]!, 0xe320_f000, true);
    const candidate = { ...best, code };
    if (differs(candidate, pair).length > 0) best = candidate;
  }
  return best;
};

const listing = ({ code, offsets, thumb, state }: Sequence): string[] => {
  const view = new DataView(code.buffer);
  const lines = [`entry ${state[at.STATE_ENTRY]!.toString(16)} cpsr ${state[at.STATE_CPSR]!.toString(16)} ticks ${state[at.STATE_TICKS]}`];
  for (let i = 0; i + 1 < offsets.length; i++) {
    const offset = offsets[i]!;
    const size = offsets[i + 1]! - offset;
    const word = !thumb
      ? view.getUint32(offset, true)
      : size === 2
        ? view.getUint16(offset, true)
        : ((view.getUint16(offset, true) << 16) | view.getUint16(offset + 2, true)) >>> 0;
    if (word === 0xbf00 || word === 0xbf00_bf00 || word === 0xe320_f000) continue;
    const { text } = disassemble(word, { thumb, address: at.CODE + offset });
    lines.push(`  ${(at.CODE + offset).toString(16)}  ${word.toString(16).padStart(2 * size, '0')}  ${text}`);
  }
  return lines;
};

const coverage = new Coverage();
let sequences = 0;
let unended = 0;
let failed = false;
for (let seed = first; seed < first + count && Date.now() < deadline; seed++) {
  const sequence = generate(seed);
  const pair = pairs[seed % pairs.length]!;
  if (process.argv.includes('--show')) console.log(listing(sequence).join('\n'));
  const { differences, ended } = run(sequence, pair);
  sequences++;
  if (!ended) unended++;
  if (seed % every === 0) coverage.step(sequence);
  if (differences.length === 0) continue;
  failed = true;
  const alone = differs(sequence, pair);
  console.log(`seed ${seed}, ${JSON.stringify(translations[seed % pairs.length])}: ${differences.join('; ')}`);
  if (alone.length === 0) console.log('not from a clean state');
  else {
    const short = shorten(sequence, pair);
    console.log([...differs(short, pair), ...listing(short)].join('\n'));
  }
  break;
}
const regions = pairs.reduce((sum, { translator }) => sum + translator.machine.cpu.core.translated.regions, 0);
console.log(coverage.table());
console.log(`seed ${seed0}: ${sequences} sequences, ${regions} regions, ${unended} given up at their limits, ${failed ? 1 : 0} differ`);
process.exit(failed ? 1 : 0);

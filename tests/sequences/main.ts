import { setFlagsFromString } from 'node:v8';
import { Coverage } from './coverage.js';
import { generateGroup } from './generate.js';
import { Pair } from './pair.js';
import * as at from './places.js';
import { listing, shorten } from './report.js';

/*
 * Random sequences of instructions on the interpreter and on the translator, compared after each budget and in memory at their ends.
 *
 *   node tests/run-source.mjs tests/sequences/main.ts SEED COUNT [--seconds N] [--coverage EVERY] [--missing] [--show] [--quick]
 *
 * Sequence n of a seed has the seed 65536 * SEED + n; eight are a group. What is printed as coverage is how many encodings were executed with their
 * condition true, faulted, were where an interrupt came, stood in an IT block, and which never did although they may; `--missing` prints all of these as
 * JSON. Exceptions are those of all sequences; for the rest one group in EVERY (50) is stepped through on a third machine. Ends at the first difference, with the shortest form of the sequence
 * unless it is to be `--quick`.
 */
// Hardly any region runs long enough to be worth the better compiler.
setFlagsFromString('--liftoff-only');
const flag = (name: string, fallback: number): number => {
  const i = process.argv.indexOf(name);
  return i < 0 ? fallback : Number(process.argv[i + 1]);
};
const seed0 = Number(process.argv[2] ?? 1);
const first = seed0 * 65536;
const count = Number(process.argv[3] ?? 1000);
const every = flag('--coverage', 50);
const deadline = Date.now() + flag('--seconds', 1e9) * 1000;

/** More than are ever wanted: the pair says when. */
const BATCH = 1_000_000;
/** All that a region leads to; pieces of what ran; small modules, and so few regions that all are dropped now and then. The interpreter is
 * called where regions were left once, or twice; or they leave. Compact code alone, little of which is kept. */
const translations = [
  { heat: 1, batch: BATCH, patience: BATCH, regions: 1000, leaves: 1, cold: true },
  { heat: 1, batch: BATCH, patience: BATCH, regions: 1000 },
  { heat: 2, batch: 8, regions: 60, leaves: 2, cold: true },
  { heat: 1e9, interpreted: 2000 },
] as const;
/** Which of them groups have in turn. The third costs several times more. */
const turns = [0, 1, 0, 3, 1, 0, 0, 1, 0, 3, 1, 0, 0, 1, 0, 2] as const;
const coverage = new Coverage();
const pairs = translations.map((translation) => new Pair(translation, (...exception) => coverage.exception(...exception)));

let sequences = 0;
let failed = false;
for (let seed = first; seed < first + count && Date.now() < deadline; seed += at.SLOTS) {
  const number = seed / at.SLOTS;
  const group = generateGroup(seed);
  const turn = turns[number % turns.length]!;
  const pair = pairs[turn]!;
  if (process.argv.includes('--show')) for (const sequence of group) console.log(`seed ${sequence.seed}\n${listing(sequence)}`);
  const difference = pair.run(group);
  sequences += at.SLOTS;
  if (number % every === 0) for (const sequence of group) coverage.step(sequence);
  if (difference === undefined) continue;
  failed = true;
  console.log(
    `seed ${difference.sequence.seed}, pass ${difference.pass}, ${JSON.stringify(translations[turn])}: ${difference.differences.join('; ')}`,
  );
  if (process.argv.includes('--quick')) break;
  const short = shorten(group, difference, pair);
  if (short === undefined) console.log('not from a clean state');
  else console.log(`in pass ${short.pass}\n${short.differences.join('\n')}\n${listing(short.sequence)}`);
  break;
}
const sum = (of: (pair: Pair) => number): number => pairs.reduce((total, pair) => total + of(pair), 0);
console.log(coverage.table());
if (process.argv.includes('--missing')) console.log(`missing ${JSON.stringify(coverage)}`);
console.log(
  `seed ${seed0}: ${sequences} sequences, ${sum(({ regions }) => regions)} regions, ${sum(({ unended }) => unended)} given up at their limits, ${failed ? 1 : 0} differ`,
);
process.exit(failed ? 1 : 0);

// At least 3,000,000 single-instruction tests against QEMU, 240,000 a seed. Resumable: seeds that are in the results are not run again.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const file = 'docs/results/instructions.json';
const SEED_FIRST = 10_000;
const BATCH = 240_000;
const TARGET = Number(process.env.TESTS ?? 3_120_000);
const started = Date.now();
const limit = Number(process.env.SECONDS_EACH ?? 3600) * 1000;
const commit = execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
const results = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { command: '.ci/long tests/long/instructions.mjs', seeds: [] };
let failed = false;
for (let seed = SEED_FIRST; (seed - SEED_FIRST + 1) * BATCH <= TARGET; seed++) {
  if (results.seeds.some((done) => done.seed === seed && done.differences === 0)) continue;
  if (Date.now() - started > limit) break;
  const run = spawnSync(
    process.execPath,
    ['tests/run-source.mjs', 'tests/instructions/main.ts', String(seed), String(BATCH), '--each', '3'],
    { encoding: 'utf8' },
  );
  process.stdout.write(run.stdout);
  const line = /: (\d+) tests, (\d+) encodings, (\d+) differ, (\d+) triaged, (\d+) stuck/.exec(run.stdout);
  if (line === null) throw new Error(`seed ${seed} did not finish: ${run.stderr.slice(-500)}`);
  const [tests, encodings, differences, triaged, stuck] = line.slice(1).map(Number);
  if (differences > 0) failed = true;
  results.seeds = [...results.seeds.filter((done) => done.seed !== seed), { seed, commit, tests, encodings, differences, triaged, stuck }];
  results.tests = results.seeds.reduce((sum, done) => sum + done.tests, 0);
  results.differences = results.seeds.reduce((sum, done) => sum + done.differences, 0);
  mkdirSync('docs/results', { recursive: true });
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
}
process.exit(failed ? 1 : 0);

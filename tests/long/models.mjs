// Ten million random accesses for every TLB and cache model (or those named) and its reference. Resumable: what is in the results is not run again.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const file = 'docs/results/models.json';
const seed = Number(process.env.SEED ?? 1);
const accesses = Number(process.env.ACCESSES ?? 10_000_000);
const started = Date.now();
const limit = Number(process.env.SECONDS_EACH ?? 3600) * 1000;
const commit = execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
const program = ['tests/run-source.mjs', 'tests/models/main.ts'];
const all = execFileSync(process.execPath, [...program, '--list'], { encoding: 'utf8' })
  .trim()
  .split('\n');
const names = process.argv.length > 2 ? process.argv.slice(2) : all;
const results = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { command: '.ci/long tests/long/models.mjs', models: [] };
let failed = false;
for (const name of names) {
  if (results.models.some((done) => done.name === name && done.seed === seed && done.accesses >= accesses)) continue;
  if (Date.now() - started > limit) break;
  const run = spawnSync(process.execPath, [...program, String(seed), String(accesses), name], { encoding: 'utf8' });
  process.stdout.write(run.stdout);
  const line = /: (\d+) accesses, (\d+) hits/.exec(run.stdout);
  if (line === null) {
    process.stderr.write(run.stderr.slice(-500));
    failed = true;
    continue;
  }
  const done = { name, seed, commit, accesses: Number(line[1]), hits: Number(line[2]), differences: 0 };
  results.models = [...results.models.filter((other) => !(other.name === name && other.seed === seed)), done];
  results.accesses = results.models.reduce((sum, model) => sum + model.accesses, 0);
  mkdirSync('docs/results', { recursive: true });
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
}
process.exit(failed ? 1 : 0);

// 1,000 seeds of random evictions for the kernel of packages/kmem, and for the first 100 of them its wrong variants too. Resumable: seeds in the results
// are not run again.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const file = 'docs/results/kmem-evictions.json';
const SEEDS = 1000;
const STEP = 20;
const started = Date.now();
const limit = Number(process.env.SECONDS_EACH ?? 3600) * 1000;
const commit = execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
const results = existsSync(file)
  ? JSON.parse(readFileSync(file, 'utf8'))
  : { command: '.ci/long tests/long/kmem-evictions.mjs', passes: [] };
for (let from = 1; from <= SEEDS && Date.now() - started < limit; from += STEP) {
  if (results.passes.some((pass) => pass.from === from && pass.diverged === 0)) continue;
  const args = [
    'tests/run-source.mjs',
    'tests/kmem/evictions.ts',
    String(from),
    String(from + STEP - 1),
    ...(from <= 100 ? ['variants'] : []),
  ];
  const run = spawnSync(process.execPath, args, { encoding: 'utf8' });
  process.stdout.write(run.stdout);
  const line = run.stdout.trim().split('\n').pop() ?? '';
  if (run.status !== 0 || !line.startsWith('{')) throw new Error(`seeds from ${from} did not finish: ${run.stderr.slice(-500)}`);
  results.passes = [...results.passes.filter((pass) => pass.from !== from), { from, commit, ...JSON.parse(line) }];
  mkdirSync('docs/results', { recursive: true });
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
}
process.exit(results.passes.some((pass) => pass.diverged > 0) ? 1 : 0);

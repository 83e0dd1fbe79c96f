import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';

/**
 * Runs a comparison with QEMU seed by seed until `target` tests are in its results. Resumable: a seed that is in the results without a difference is not
 * run again. `line` matches the comparison's last line; its named groups are what the results keep, with what `keep` takes from its output beside them. `node`
 * are options of Node. Ends the process, non-zero on a difference.
 */
export function compareSeeds({ name, program, firstSeed, batch, target, line, options = ['--each', '3'], node = [], keep = () => {} }) {
  const file = `docs/results/${name}.json`;
  const started = Date.now();
  const limit = Number(process.env.SECONDS_EACH ?? 3600) * 1000;
  const commit = execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
  const results = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { command: `.ci/long tests/long/${name}.mjs`, seeds: [] };
  let failed = false;
  const testsDone = () => results.seeds.reduce((sum, done) => sum + done.tests, 0);
  for (let seed = firstSeed; testsDone() < target; seed++) {
    if (results.seeds.some((done) => done.seed === seed && done.differences === 0)) continue;
    if (Date.now() - started > limit) break;
    const run = spawnSync(process.execPath, [...node, 'tests/run-source.mjs', program, String(seed), String(batch), ...options], {
      encoding: 'utf8',
    });
    // What is for `keep` alone is long.
    process.stdout.write(run.stdout.replace(/^missing .*\n/m, ''));
    const found = line.exec(run.stdout);
    if (found === null) throw new Error(`seed ${seed} did not finish: ${run.stderr.slice(-500)}`);
    const counts = Object.fromEntries(Object.entries(found.groups).map(([key, value]) => [key, Number(value)]));
    if (counts.differences > 0) failed = true;
    results.seeds = [...results.seeds.filter((done) => done.seed !== seed), { seed, commit, ...counts }];
    keep(results, run.stdout);
    results.tests = testsDone();
    results.differences = results.seeds.reduce((sum, done) => sum + done.differences, 0);
    mkdirSync('docs/results', { recursive: true });
    writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
  }
  process.exit(failed ? 1 : 0);
}

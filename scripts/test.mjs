// npm test: install and build if needed, then every quick check. All of them run, whatever fails; needs no network once installed.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, root, run, setup } from './lib/steps.mjs';

if (!setup()) process.exit(1);

const cache = join(root, '.cache');
const vitestReport = join(cache, 'vitest.json');
mkdirSync(cache, { recursive: true });
rmSync(vitestReport, { force: true });

const steps = [
  ['build', () => build()],
  ['lint', () => run('biome', ['ci', '--colors=off', '.'], { quiet: true }).ok],
  ['workflows', () => run('node', ['scripts/lint-workflows.mjs']).ok],
  ['unused files and dependencies', () => run('knip', ['--no-progress', '--no-config-hints'], { quiet: true }).ok],
  ['types of the libraries', () => run('tsc', ['-p', 'tsconfig.lib.json'], { quiet: true }).ok],
  ['types of everything', () => run('tsc', ['-p', 'tsconfig.json'], { quiet: true }).ok],
  ['vitest', () => run('vitest', ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${vitestReport}`]).ok],
];

const results = [];
for (const [name, step] of steps) {
  const start = Date.now();
  const ok = step();
  results.push({ name, ok, seconds: (Date.now() - start) / 1000 });
  if (name !== 'vitest') console.log(`${ok ? 'ok  ' : 'FAIL'} ${name} (${((Date.now() - start) / 1000).toFixed(1)} s)`);
}

// Vitest counts its own tests; a run that ended without a report, or failed without a failing test, is one failure more.
const report = existsSync(vitestReport) ? JSON.parse(readFileSync(vitestReport, 'utf8')) : undefined;
const others = results.filter((result) => result.name !== 'vitest');
const vitest = results.find((result) => result.name === 'vitest');
const passed = others.filter((result) => result.ok).length + (report?.numPassedTests ?? 0);
const failedTests = report?.numFailedTests ?? 0;
const failed = others.filter((result) => !result.ok).length + failedTests + (!vitest.ok && failedTests === 0 ? 1 : 0);
writeFileSync(join(cache, 'test.json'), `${JSON.stringify({ passed, failed, steps: results }, null, 2)}\n`);
for (const result of results) if (!result.ok) console.log(`failed: ${result.name}`);
// Worded so that nobody takes it for the closing line of .ci/run.
console.log(`checks and tests: ${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

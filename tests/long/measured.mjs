// Linux at measured fidelity to its power-off, with the reference's workloads. Resumable in that a result is not run again.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const file = 'docs/results/measured.json';
const results = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { command: '.ci/long tests/long/measured.mjs', boots: [] };
const seconds = Number(process.env.SECONDS_EACH ?? 3600);
const workloads = (text) =>
  text
    .replaceAll('\r', '')
    .split('\n')
    .filter((line) => line.includes('@@W'));
const reference = workloads(readFileSync('tests/guests/reference/linux-armmp.console.txt', 'latin1'));
let failed = false;
for (const cpu of ['cortex-a15']) {
  if (results.boots.some((boot) => boot.cpu === cpu)) continue;
  const run = spawnSync(
    process.execPath,
    [
      ...['apps/cli/dist/main.js', 'run', '-m', '512', '-cpu', cpu, '--fidelity', 'measured', '--stats', '--timeout', String(seconds)],
      ...['-kernel', '.guests/zImage-armmp', '-initrd', '.guests/initramfs.cpio.gz', '-append', 'console=ttyAMA0 guest_test=off'],
    ],
    { encoding: 'latin1', maxBuffer: 1 << 26, input: '' },
  );
  if (run.status !== 0 || JSON.stringify(workloads(run.stdout)) !== JSON.stringify(reference)) {
    console.log(`${cpu}: status ${run.status}, or other results\n${run.stderr.slice(-2000)}`);
    failed = true;
    continue;
  }
  const commit = execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
  results.boots.push({ cpu, commit, statistics: run.stderr.trim().split('\n') });
  mkdirSync('docs/results', { recursive: true });
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
  console.log(`${cpu}: ok`);
}
process.exit(failed ? 1 : 0);

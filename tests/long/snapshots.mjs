// 1,000 random points of real boots: a machine restored there goes on as the original does. Resumable: passes in the results are not run again.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { virtioFiles } from '../guests/virtio-files.mjs';

const file = 'docs/results/snapshots.json';
const plan = [
  ...Array.from({ length: 10 }, (_, i) => ({ guest: 'armmp', seed: i + 1, points: 40 })),
  ...Array.from({ length: 5 }, (_, i) => ({ guest: 'armmp-lpae', seed: i + 1, points: 40 })),
  ...Array.from({ length: 5 }, (_, i) => ({ guest: 'u-boot', seed: i + 1, points: 40 })),
  ...Array.from({ length: 5 }, (_, i) => ({ guest: 'armmp-virtio', seed: i + 1, points: 40 })),
  ...Array.from({ length: 2 }, (_, i) => ({ guest: 'u-boot-to-linux', seed: i + 1, points: 20 })),
  ...Array.from({ length: 2 }, (_, i) => ({ guest: 'debian-installer', seed: i + 1, points: 20 })),
];
const started = Date.now();
const limit = Number(process.env.SECONDS_EACH ?? 3600) * 1000;
const commit = execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
const results = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { command: '.ci/long tests/long/snapshots.mjs', passes: [] };
virtioFiles('.guests', '.cache/guests');
let failed = false;
for (const { guest, seed, points } of plan) {
  if (results.passes.some((pass) => pass.guest === guest && pass.seed === seed && pass.differ === 0)) continue;
  if (Date.now() - started > limit) break;
  const run = spawnSync(process.execPath, ['tests/run-source.mjs', 'tests/snapshots/main.ts', guest, String(seed), String(points)], {
    encoding: 'utf8',
  });
  process.stdout.write(run.stdout);
  const line = /: (\d+) points, (\d+) differ/.exec(run.stdout);
  if (line === null) throw new Error(`${guest} seed ${seed} did not finish: ${run.stderr.slice(-500)}`);
  const [compared, differ] = line.slice(1).map(Number);
  if (differ > 0) failed = true;
  results.passes = [
    ...results.passes.filter((pass) => !(pass.guest === guest && pass.seed === seed)),
    { guest, seed, commit, points: compared, differ },
  ];
  results.points = results.passes.reduce((sum, pass) => sum + pass.points, 0);
  results.differ = results.passes.reduce((sum, pass) => sum + pass.differ, 0);
  mkdirSync('docs/results', { recursive: true });
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
}
process.exit(failed ? 1 : 0);

// Errors planted in the translator one at a time: the random sequences must find each within five minutes. Names after the file's pick some, and replace only
// those in the results.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { plantedErrors } from '../sequences/planted-errors.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const SECONDS = Number(process.env.SECONDS ?? 300);
const names = process.argv.slice(2);
const commit = execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
const results = [];
let missed = 0;
for (const { name, file, from, to } of plantedErrors) {
  if (names.length > 0 && !names.includes(name)) continue;
  const path = join(root, file);
  const text = readFileSync(path, 'utf8');
  if (text.split(from).length !== 2) throw new Error(`${file} does not have once: ${from}`);
  const outfile = join(root, '.cache/run-source/planted.mjs');
  mkdirSync(dirname(outfile), { recursive: true });
  await build({
    entryPoints: [join(root, 'tests/sequences/main.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
    plugins: [
      {
        name: 'planted error',
        setup(b) {
          b.onResolve({ filter: /^@tablewalk\// }, ({ path: wanted }) => {
            const [, workspace, part] = /^@tablewalk\/([^/]+)(?:\/(.+))?$/.exec(wanted);
            return { path: `${root}/packages/${workspace}/src/${part ? `${part}/` : ''}index.ts` };
          });
          b.onLoad({ filter: /\.ts$/ }, ({ path: loaded }) =>
            loaded === path ? { contents: text.replace(from, () => to), loader: 'ts' } : undefined,
          );
        },
      },
    ],
  });
  const start = Date.now();
  const run = spawnSync(
    process.execPath,
    [
      '--single-threaded',
      '--min-semi-space-size=64',
      '--max-semi-space-size=64',
      outfile,
      '1',
      '1000000',
      '--quick',
      '--seconds',
      String(SECONDS),
      '--coverage',
      '1000000000',
    ],
    {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    },
  );
  const seconds = Math.round((Date.now() - start) / 1000);
  const summary = /: (\d+) sequences, .*, (\d) differ/.exec(run.stdout);
  // Without its last line it was ended by something else: that says nothing about the error.
  const outcome = summary === null ? 'ended without its summary' : summary[2] === '1' ? 'found' : 'missed';
  if (outcome !== 'found') missed++;
  results.push({ error: name, commit, outcome, sequences: Number(summary?.[1] ?? 0), seconds });
  const why = summary === null ? `\nstatus ${run.status}, signal ${run.signal}\n${run.stdout.slice(-500)}${run.stderr.slice(-1500)}` : '';
  console.log(`${outcome}: ${name}, ${summary?.[1] ?? '?'} sequences, ${seconds} s${why}`);
}
const file = join(root, 'docs/results/planted.json');
const before = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).results : [];
const all = plantedErrors
  .map(({ name }) => results.find(({ error }) => error === name) ?? before.find(({ error }) => error === name))
  .filter((result) => result !== undefined);
writeFileSync(file, `${JSON.stringify({ command: '.ci/long tests/long/planted.mjs', seed: 1, results: all }, null, 2)}\n`);
console.log(`${missed} not found`);
process.exit(missed === 0 ? 0 : 1);

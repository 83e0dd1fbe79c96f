// Errors planted in the translator one at a time: the random sequences must find each within five minutes. Names after the file's pick some.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { plantedErrors } from '../sequences/planted-errors.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const SECONDS = 300;
const names = process.argv.slice(2);
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
  const run = spawnSync(process.execPath, [outfile, '1', '1000000', '--seconds', String(SECONDS), '--coverage', '1000000000'], {
    cwd: root,
    encoding: 'utf8',
  });
  const [, sequences] = /(\d+) sequences/.exec(run.stdout) ?? [];
  const found = run.status === 1 && sequences !== undefined;
  if (!found) missed++;
  results.push({ error: name, found, sequences: Number(sequences), seconds: Math.round((Date.now() - start) / 1000) });
  console.log(
    `${found ? 'found' : 'MISSED'}: ${name}, ${sequences ?? '?'} sequences, ${((Date.now() - start) / 1000).toFixed(0)} s${found ? '' : `\n${run.stdout.slice(-500)}${run.stderr.slice(-1500)}`}`,
  );
}
if (names.length === 0) {
  const commit = execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
  const text = JSON.stringify({ command: '.ci/long tests/long/planted.mjs', commit, seed: 1, results }, null, 2);
  writeFileSync(join(root, 'docs/results/planted.json'), `${text}\n`);
}
console.log(`${missed} missed`);
process.exit(missed === 0 ? 0 : 1);

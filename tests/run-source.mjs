// Bundles a TypeScript program from the sources and runs it, with the options that Node itself was given: node [options] tests/run-source.mjs FILE.ts [arguments],
// from the repository's root.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [source, ...rest] = process.argv.slice(2);
const outfile = join(root, '.cache/run-source', `${source.replaceAll('/', '-')}.mjs`);
mkdirSync(dirname(outfile), { recursive: true });
await build({
  entryPoints: [join(root, source)],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  sourcemap: 'inline',
  minifySyntax: true,
  logLevel: 'error',
  plugins: [
    {
      name: 'workspace',
      setup(b) {
        b.onResolve({ filter: /^@tablewalk\// }, ({ path }) => {
          const [, name, part] = /^@tablewalk\/([^/]+)(?:\/(.+))?$/.exec(path);
          return { path: `${root}/packages/${name}/src/${part ? `${part}/` : ''}index.ts` };
        });
      },
    },
  ],
});
const run = spawnSync(process.execPath, ['--enable-source-maps', ...process.execArgv, outfile, ...rest], { cwd: root, stdio: 'inherit' });
process.exit(run.status ?? 1);

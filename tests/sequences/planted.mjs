// Errors planted in the translator one at a time: the random sequences must find each. node tests/sequences/planted.mjs [SECONDS_EACH] [NAMES...]
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const wasm = 'packages/engine/src/wasm';

/** `from` stands once in the file. */
const errors = [
  { name: 'carry of equal operands', file: `${wasm}/flag-state.ts`, from: 'w.op(wasm.I32_GE_U);', to: 'w.op(wasm.I32_GT_U);' },
  { name: 'overflow of a sum', file: `${wasm}/flag-state.ts`, from: 'w.get(subtract ? this.x : this.y);', to: 'w.get(this.x);' },
  { name: 'signed comparison with zero', file: `${wasm}/flag-state.ts`, from: 'w.op(wasm.I32_GE_S);', to: 'w.op(wasm.I32_GT_S);' },
  {
    name: 'carry of a sum with carry',
    file: `${wasm}/instruction-emitter.ts`,
    from: 'w.op(wasm.I32_LT_U);\n    w.op(wasm.I32_OR);',
    to: 'w.op(wasm.I32_LT_U);\n    w.op(wasm.I32_AND);',
  },
  {
    name: 'base register after a fault',
    file: `${wasm}/instruction-emitter.ts`,
    from: 'for (const { word, local } of this.saved) this.restore(word, local);',
    to: '',
  },
  {
    name: 'flags on the path around a condition',
    file: `${wasm}/instruction-emitter.ts`,
    from: 'if (!leaves) flags.flushTo(inside);\n    w.if();',
    to: 'w.if();',
  },
  { name: 'sign of a big-endian halfword', file: `${wasm}/memory-emitter.ts`, from: 'if (isSigned) w.op(wasm.I32_EXTEND16_S);', to: '' },
  { name: 'order of a stored halfword', file: `${wasm}/memory-emitter.ts`, from: 'if (flags & op.MEM_SWAP) emitReverseHalf(w);', to: '' },
  {
    name: 'code that changes at a region’s end',
    file: 'packages/arm-core/src/core/region-runner.ts',
    from: 'for (let k = first; k < end; k++) granules |= 1 << (region.builder.offsets[k]! >>> 7);\n        granules |= 1 << (Math.min(next - 1, 4095) >>> 7);',
    to: 'granules |= 1 << (region.builder.offsets[first]! >>> 7);',
  },
  {
    name: 'budget of the way to the next look',
    file: `${wasm}/region-graph.ts`,
    from: '',
    to: '',
  },
].filter(({ from }) => from !== '');

const [seconds = '300', ...names] = process.argv.slice(2);
let missed = 0;
for (const { name, file, from, to } of errors) {
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
          b.onLoad({ filter: /\.ts$/ }, ({ path: loaded }) => (loaded === path ? { contents: text.replace(from, () => to), loader: 'ts' } : undefined));
        },
      },
    ],
  });
  const start = Date.now();
  const run = spawnSync(process.execPath, [outfile, '1', '1000000', '--seconds', seconds, '--coverage', '1000000000'], { cwd: root, encoding: 'utf8' });
  const [, sequences] = /(\d+) sequences/.exec(run.stdout) ?? [];
  const found = run.status === 1 && sequences !== undefined;
  if (!found) missed++;
  console.log(
    `${found ? 'found' : 'MISSED'}: ${name}, ${sequences ?? '?'} sequences, ${((Date.now() - start) / 1000).toFixed(0)} s${found ? '' : `\n${run.stdout.slice(-500)}${run.stderr.slice(-1500)}`}`,
  );
}
console.log(`${missed} missed`);
process.exit(missed === 0 ? 0 : 1);

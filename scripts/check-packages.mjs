// What a user gets from the registry, before it is there: every package is packed and installed from its tarball in an empty project
// outside the workspace, imported on each supported Node, type-checked from a consumer, its README's first example run, and checked by
// publint and are-the-types-wrong. Needs the registry only for the other Node versions (`--node 20` and so on to choose).
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { transformSync } from 'esbuild';
import { installProject, pack } from './lib/packed.mjs';
import { build, publishedPackages, root, run, setup } from './lib/steps.mjs';

const nodeVersions = process.argv.includes('--node') ? [process.argv[process.argv.indexOf('--node') + 1]] : ['20.20', '24', '26'];
const problems = [];
const check = (name, ok) => {
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${name}`);
  if (!ok) problems.push(name);
};

if (!setup() || !build()) process.exit(1);
const packages = publishedPackages();
const work = mkdtempSync(join(tmpdir(), 'tablewalk-packages-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));
const tarballs = join(work, 'tarballs');
const project = join(work, 'project');
mkdirSync(tarballs);
mkdirSync(project);

// Pack, as a release does: workspace: versions become real ones.
const files = new Map();
for (const { name, folder, manifest } of packages) {
  const file = pack(folder, tarballs);
  check(`${name}: pack`, file !== undefined);
  if (file === undefined) continue;
  files.set(name, file);
  check(`${name}: publint`, run('publint', ['run', file, '--strict'], { quiet: true }).ok);
  // A package that is a command alone has no types to be wrong.
  if (Object.keys(manifest.exports ?? {}).length > 0) {
    check(`${name}: types`, run('attw', [file, '--profile', 'esm-only', '--no-emoji', '--no-color'], { quiet: true }).ok);
  }
}

// Install from the tarballs alone: an override sends the packages' dependencies on each other there too.
const versionOf = (name) => JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')).version;
const peers = packages.flatMap(({ manifest }) => Object.keys(manifest.peerDependencies ?? {})).filter((name) => !files.has(name));
const installed = installProject(project, files, Object.fromEntries(peers.map((name) => [name, versionOf(name)])));
check('install from the tarballs', installed);

/** The specifiers that a package offers: its name and its subpaths, types-only ones included. */
const specifiers = packages.flatMap(({ name, manifest }) =>
  Object.keys(manifest.exports ?? {})
    .filter((path) => !path.endsWith('.json'))
    .map((path) => name + path.slice(1)),
);
writeFileSync(join(project, 'import-all.mjs'), specifiers.map((specifier) => `await import('${specifier}');\n`).join(''));

/** The first ```ts or ```js example of a README; a package whose entry exports nothing yet has nothing to show. */
function example({ name, folder, manifest }) {
  const readme = readFileSync(join(folder, 'README.md'), 'utf8');
  const match = /^```(?:ts|js|mjs)\n([\s\S]*?)^```$/m.exec(readme);
  if (match) return match[1];
  const entry = join(folder, 'dist', 'index.js');
  const isEmpty = !manifest.exports?.['.'] || !existsSync(entry) || !/\bexport\b/.test(readFileSync(entry, 'utf8'));
  if (!isEmpty && !manifest.bin) check(`${name}: README has an example`, false);
  return undefined;
}
const examples = [];
for (const item of packages) {
  const text = example(item);
  if (text === undefined) continue;
  const base = `example-${item.name.replace(/[@/]/g, '_')}`;
  writeFileSync(join(project, `${base}.ts`), text);
  writeFileSync(join(project, `${base}.mjs`), transformSync(text, { loader: 'ts', format: 'esm', target: 'es2022' }).code);
  examples.push({ name: item.name, script: `${base}.mjs` });
}

// A consumer with every check on, skipLibCheck off: the declarations must hold without Node's or the DOM's types.
writeFileSync(
  join(project, 'consumer.ts'),
  specifiers.map((specifier, index) => `import * as module${index} from '${specifier}';\nvoid module${index};\n`).join(''),
);
writeFileSync(
  join(project, 'tsconfig.json'),
  JSON.stringify({
    compilerOptions: {
      strict: true,
      exactOptionalPropertyTypes: true,
      target: 'ES2022',
      lib: ['ES2022'],
      module: 'NodeNext',
      moduleResolution: 'NodeNext',
      types: [],
      noEmit: true,
    },
    files: ['consumer.ts'],
  }),
);
writeFileSync(
  join(project, 'tsconfig.examples.json'),
  JSON.stringify({
    extends: './tsconfig.json',
    compilerOptions: { lib: ['ES2022', 'DOM'], skipLibCheck: true, types: ['node'], typeRoots: [join(root, 'node_modules/@types')] },
    files: [],
    include: ['example-*.ts'],
  }),
);
const tsc = join(root, 'node_modules', '.bin', 'tsc');
check('types in a consumer', run(tsc, ['-p', project], { quiet: true, cwd: project }).ok);
if (examples.length)
  check('types of the examples', run(tsc, ['-p', join(project, 'tsconfig.examples.json')], { quiet: true, cwd: project }).ok);

for (const version of nodeVersions) {
  const isOwn = process.version.startsWith(`v${version}.`);
  const node = isOwn ? [process.execPath] : ['npx', '-y', `node@${version}`];
  const start = (script, ...rest) => run(node[0], [...node.slice(1), script, ...rest], { quiet: true, cwd: project, timeoutSeconds: 240 });
  check(`Node ${version}: import every package`, start('import-all.mjs').ok);
  for (const { name, script } of examples) check(`Node ${version}: example of ${name}`, start(script).ok);
  for (const { name, manifest } of packages) {
    for (const path of Object.values(manifest.bin ?? {})) {
      check(`Node ${version}: ${name} --version`, start(join('node_modules', name, path), '--version').ok);
    }
  }
}

// Nothing but what is meant to be published.
for (const { name } of packages) {
  const folder = join(project, 'node_modules', name);
  const extra = existsSync(folder)
    ? readdirSync(folder).filter((file) => !['dist', 'README.md', 'LICENSE', 'package.json', 'node_modules', 'CHANGELOG.md'].includes(file))
    : ['(not installed)'];
  check(`${name}: publishes dist, README and LICENSE alone${extra.length ? `, not ${extra.join(' ')}` : ''}`, extra.length === 0);
}

console.log(`${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);

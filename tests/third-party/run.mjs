// Plugins as strangers write them: each folder beside this file is a package. It is copied out of the workspace, the published packages that it names
// are packed and installed there, and its check.mjs runs.  run.mjs [FOLDER...]
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, publishedPackages, run, setup } from '../../scripts/lib/steps.mjs';

const here = dirname(fileURLToPath(import.meta.url));
if (!setup() || !build()) process.exit(1);
const work = mkdtempSync(join(tmpdir(), 'tablewalk-third-party-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));
const tarballs = join(work, 'tarballs');
mkdirSync(tarballs);

/** Every published package, packed when it is first needed. */
const packages = new Map(publishedPackages().map((item) => [item.name, item]));
const packed = new Map();
function pack(name) {
  if (packed.has(name)) return;
  const { folder, manifest } = packages.get(name);
  packed.set(name, `file:${join(tarballs, `${name.replace('@', '').replace('/', '-')}-${manifest.version}.tgz`)}`);
  if (!run('pnpm', ['pack', '--pack-destination', tarballs], { quiet: true, cwd: folder }).ok) process.exit(1);
  for (const dependency of Object.keys(manifest.dependencies ?? {})) if (packages.has(dependency)) pack(dependency);
}

const folders = process.argv.length > 2 ? process.argv.slice(2) : readdirSync(here).filter((name) => !name.includes('.'));
let failed = 0;
for (const name of folders) {
  const project = join(work, name);
  cpSync(join(here, name), project, { recursive: true });
  const manifest = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'));
  for (const peer of Object.keys(manifest.peerDependencies)) pack(peer);
  const overrides = Object.fromEntries(packed);
  const dependencies = Object.fromEntries(Object.keys(manifest.peerDependencies).map((peer) => [peer, packed.get(peer)]));
  writeFileSync(join(project, 'package.json'), JSON.stringify({ ...manifest, dependencies, overrides, pnpm: { overrides } }, null, 2));
  const installed = run('pnpm', ['install', '--prefer-offline', '--ignore-workspace'], { quiet: true, cwd: project }).ok;
  const passed = installed && run(process.execPath, ['check.mjs'], { cwd: project, timeoutSeconds: 300 }).ok;
  console.log(`${manifest.name}: ${passed ? 'passed' : 'FAILED'}`);
  if (!passed) failed++;
}
process.exit(failed === 0 ? 0 : 1);

// A third party's allocator, in a package of its own in a folder outside of the workspace: installed beside the packages' tarballs, it passes the
// conformance kit and runs in the command, named as a package and as a file; what is no allocator is refused in one line.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, publishedPackages, run, setup } from '../../scripts/lib/steps.mjs';

let problems = 0;
const check = (name, ok, details = '') => {
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${name}`);
  if (ok) return;
  problems++;
  if (details) console.log(details);
};

if (!setup() || !build()) process.exit(1);
const work = mkdtempSync(join(tmpdir(), 'tablewalk-third-party-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));
const json = (file, value) => writeFileSync(join(work, file), JSON.stringify(value));

const tarballs = {};
for (const { name, folder, manifest } of publishedPackages()) {
  check(`pack ${name}`, run('pnpm', ['pack', '--pack-destination', work], { quiet: true, cwd: folder }).ok);
  tarballs[name] = `file:${join(work, `${name.replace('@', '').replace('/', '-')}-${manifest.version}.tgz`)}`;
}

// Theirs knows of @tablewalk/alloc and of nothing else.
mkdirSync(join(work, 'their-allocator'));
json('their-allocator/package.json', {
  name: 'their-allocator',
  version: '1.0.0',
  type: 'module',
  exports: { import: './index.mjs' },
  dependencies: { '@tablewalk/alloc': '^0.1.0' },
});
copyFileSync(fileURLToPath(new URL('their-allocator.mjs', import.meta.url)), join(work, 'their-allocator', 'index.mjs'));
const dependencies = { ...tarballs, 'their-allocator': 'file:./their-allocator' };
json('package.json', { name: 'user', private: true, type: 'module', dependencies, overrides: tarballs, pnpm: { overrides: tarballs } });
check('install', run('pnpm', ['install', '--prefer-offline', '--ignore-workspace'], { quiet: true, cwd: work }).ok);

writeFileSync(
  join(work, 'kit.test.mjs'),
  `import { test } from 'node:test';
import { testAllocator } from '@tablewalk/alloc/testing';
import theirs from 'their-allocator';
testAllocator(theirs(), test);
`,
);
const kit = run(process.execPath, ['--test', 'kit.test.mjs'], { quiet: true, cwd: work });
check('their allocator passes the kit under node:test', kit.ok && /# pass [1-9]/.test(kit.stdout), kit.stdout.slice(-2000));

const tablewalk = (...args) =>
  spawnSync(
    process.execPath,
    [join('node_modules', 'tablewalk', 'dist', 'main.js'), 'alloc', '--pages', '512', '--operations', '2000', ...args],
    {
      cwd: work,
      encoding: 'utf8',
    },
  );
const byName = tablewalk('--allocator', 'their-allocator,zoneList', '--json');
check('it runs by the name of its package', byName.status === 0, byName.stderr);
if (byName.status === 0) {
  const [theirs, zones] = JSON.parse(byName.stdout).results;
  check('under the name it gave itself', theirs.name === 'them/page-map');
  // Both are first fit: what one of ours refuses and where it leaves holes is what theirs does.
  check(
    'first fit is first fit',
    JSON.stringify([theirs.report.refused, theirs.map]) === JSON.stringify([zones.report.refused, zones.map]),
  );
}
const byPath = tablewalk('--allocator', './their-allocator/index.mjs', '--no-map');
check('it runs by the path of its file', byPath.status === 0 && byPath.stdout.includes('./their-allocator/index.mjs'), byPath.stderr);
const under = tablewalk('--allocator', 'their-allocator', '--object-cache', 'slab', '--fullness', '0.5', '--no-map');
check('slabs stand on it', under.status === 0 && under.stdout.includes('slab over their-allocator'), under.stderr);

for (const [file, text, words] of [
  ['old.mjs', "export default { contract: 9, name: 'them/old' };", 'version 9'],
  ['broken.mjs', 'export default {', 'cannot load'],
  ['throws.mjs', "throw new Error('not today');", 'not today'],
  ['nonsense.mjs', 'export default 7;', 'is no allocator'],
]) {
  writeFileSync(join(work, file), text);
  const { status, stdout, stderr } = tablewalk('--allocator', `./${file}`);
  check(
    `${file} is refused in one line`,
    status === 64 && stdout === '' && /^tablewalk: .*\n$/.test(stderr) && stderr.includes(words),
    stderr,
  );
}
const missing = tablewalk('--allocator', 'no-such-allocator');
check('a missing package is refused in one line', missing.status === 64 && /^tablewalk: there is no allocator .*\n$/.test(missing.stderr));

console.log(problems === 0 ? 'all well' : `${problems} problems`);
process.exit(problems === 0 ? 0 : 1);

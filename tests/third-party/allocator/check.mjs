// What a user of it sees: it passes the kit, and runs in the command, named as a package and as a file; what is no allocator is refused in one line.
import { writeFileSync } from 'node:fs';
import { check, checkRefused, nodeTest, tablewalk } from '../steps.mjs';

const name = process.argv[2];
writeFileSync(
  'allocator.test.mjs',
  `import { test } from 'node:test';
import { testAllocator } from '@tablewalk/alloc/testing';
import theirs from '${name}';
testAllocator(theirs(), test);
`,
);
const kit = nodeTest('allocator.test.mjs');
check('it passes the kit under node:test', kit.status === 0 && /# pass [1-9]/.test(kit.stdout), kit.stdout.slice(-2000));

const alloc = (...args) => tablewalk('alloc', '--pages', '512', '--operations', '2000', ...args);
const byName = alloc('--allocator', `${name},zoneList`, '--json');
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
const path = `./node_modules/${name}/index.mjs`;
const byPath = alloc('--allocator', path, '--no-map');
check('it runs by the path of its file', byPath.status === 0 && byPath.stdout.includes(path), byPath.stderr);
const under = alloc('--allocator', name, '--object-cache', 'slab', '--fullness', '0.5', '--no-map');
check('slabs stand on it', under.status === 0 && under.stdout.includes(`slab over ${name}`), under.stderr);
const booted = tablewalk('kmem', '-m', '16', '--allocator', name, '--object-cache', 'slab', '--workload', 'all');
check('a kernel boots with it and passes its workloads', booted.status === 0 && booted.stdout.includes('them/page-map'), booted.stderr);

for (const [file, text, words] of [
  ['old.mjs', "export default { contract: 9, name: 'them/old' };", 'version 9'],
  ['broken.mjs', 'export default {', 'cannot load'],
  ['throws.mjs', "throw new Error('not today');", 'not today'],
  ['nonsense.mjs', 'export default 7;', 'is no allocator'],
]) {
  writeFileSync(file, text);
  checkRefused(`${file} is refused in one line`, alloc('--allocator', `./${file}`), words);
}
checkRefused('a missing package is refused in one line', alloc('--allocator', 'no-such-allocator'), 'there is no allocator');

// Plugins as strangers write them: each folder beside this file is a package. It is packed, and a user's project outside of the workspace installs it
// beside the packed packages; there its check.mjs runs, with its name as argument.  run.mjs [FOLDER...]
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installProject, pack, packPublished } from '../../scripts/lib/packed.mjs';
import { build, run, setup } from '../../scripts/lib/steps.mjs';

const here = dirname(fileURLToPath(import.meta.url));
if (!setup() || !build()) process.exit(1);
const work = mkdtempSync(join(tmpdir(), 'tablewalk-third-party-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));
const folders = process.argv.length > 2 ? process.argv.slice(2) : readdirSync(here).filter((name) => !name.includes('.'));

const tarballs = packPublished(work);
for (const folder of folders) {
  const { name } = JSON.parse(readFileSync(join(here, folder, 'package.json'), 'utf8'));
  tarballs.set(name, pack(join(here, folder), work));
}
if ([...tarballs.values()].includes(undefined)) process.exit(1);
const project = join(work, 'project');
mkdirSync(project);
if (!installProject(project, tarballs)) process.exit(1);

let failed = 0;
for (const folder of folders) {
  const { name } = JSON.parse(readFileSync(join(here, folder, 'package.json'), 'utf8'));
  mkdirSync(join(project, folder));
  for (const file of ['steps.mjs', `${folder}/check.mjs`]) copyFileSync(join(here, file), join(project, file));
  const passed = run(process.execPath, [`${folder}/check.mjs`, name], { cwd: project, timeoutSeconds: 300 }).ok;
  console.log(`${name}: ${passed ? 'passed' : 'FAILED'}`);
  if (!passed) failed++;
}
process.exit(failed === 0 ? 0 : 1);

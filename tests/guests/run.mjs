// Boots real guests with the built command line and compares their consoles with the references: run.mjs [NAME...] (default: all).
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cache, root, suites } from './suites.mjs';

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(suites);
let failed = 0;

const boot = (name) =>
  new Promise((resolve) => {
    const suite = suites[name];
    const started = Date.now();
    const child = spawn(
      process.execPath,
      [join(root, 'apps/cli/dist/main.js'), 'run', '-m', '512', '--timeout', '900', '--stats', ...suite.arguments()],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let log = '';
    let errors = '';
    child.stdout.setEncoding('latin1').on('data', (text) => {
      log += text;
    });
    child.stderr.on('data', (text) => {
      errors += text;
    });
    child.on('close', (status) => {
      writeFileSync(join(cache, `${name}.log`), log, 'latin1');
      const problems = status === 0 ? suite.check(log) : [`exit status ${status}`];
      if (problems.length > 0) failed++;
      console.log(
        `${problems.length === 0 ? 'ok  ' : 'FAIL'} ${name} (${((Date.now() - started) / 1000).toFixed(0)} s) ${errors.split('\n').find((line) => line.startsWith('tablewalk: ')) ?? errors.trim().split('\n').at(-1)}`,
      );
      for (const problem of problems.slice(0, 20)) console.log(`     ${problem}`);
      resolve();
    });
  });

// Two at a time: the project's machines have two cores.
const queue = [...names];
for (const name of queue)
  if (suites[name] === undefined) throw new Error(`there is no guest ${name}; there are ${Object.keys(suites).join(', ')}`);
const worker = async () => {
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) await boot(name);
};
await Promise.all([worker(), worker()]);
console.log(`${names.length - failed} guests passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

// How soon a saved Linux shell (512 MiB) answers: node bench/saved-shell.mjs [RUNS] [SNAPSHOT]. Makes the snapshot when none is named (a boot, about a
// minute). `node -e 0` takes turns, as the measure of what the machine makes of a process. Needs `npm run build` and guests.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const runs = Number(process.argv[2] ?? 11);
const main = 'apps/cli/dist/main.js';
const folder = mkdtempSync(join(tmpdir(), 'tablewalk-bench-'));
const snapshot = process.argv[3] ?? join(folder, 'shell.tw');
if (process.argv[3] === undefined) {
  const images = ['-kernel', '.guests/zImage-armmp', '-initrd', '.guests/initramfs.cpio.gz'];
  const wanted = ['-append', 'console=ttyAMA0', '--exit-on', '/ # ', '--save', snapshot];
  const boot = spawnSync(process.execPath, [main, 'run', '-m', '512', ...images, ...wanted], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (boot.status !== 0) throw new Error(`the boot ended with ${boot.status}`);
}

const seconds = (since) => Number(process.hrtime.bigint() - since) / 1e9;

/** From the start of the process to the answer, and to its end. */
const answer = () =>
  new Promise((resolve, reject) => {
    const start = process.hrtime.bigint();
    const child = spawn(process.execPath, [main, 'run', '--load', snapshot, '--exit-on', '42'], { stdio: ['pipe', 'pipe', 'inherit'] });
    let text = '';
    let answered;
    child.stdout.on('data', (bytes) => {
      text += bytes.toString('latin1');
      if (answered === undefined && /^42/m.test(text)) answered = seconds(start);
    });
    child.on('close', (status) => {
      if (status !== 0 || answered === undefined) reject(new Error(`no answer, status ${status}: ${text}`));
      else resolve({ answered, ended: seconds(start) });
    });
    child.stdin.end('echo $((6*7))\n');
  });

const nothing = () => {
  const start = process.hrtime.bigint();
  spawnSync(process.execPath, ['-e', '0']);
  return seconds(start);
};

const answers = [];
const ends = [];
const bare = [];
for (let i = 0; i < runs; i++) {
  const { answered, ended } = await answer();
  answers.push(answered);
  ends.push(ended);
  bare.push(nothing());
}
rmSync(folder, { recursive: true });
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
for (const [name, values] of [
  ['answer', answers],
  ['end', ends],
  ['node -e 0', bare],
])
  console.log(`${name.padEnd(10)} median ${median(values).toFixed(2)} s, least ${Math.min(...values).toFixed(2)} s`);

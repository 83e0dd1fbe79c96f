// How soon the command is there: node bench/start-up.mjs [RUNS]. `tablewalk --version`, and a whole process whose guest's second instruction turns the
// machine off, which is more than the time to its first. `node -e 0` takes turns, as the measure of what the machine makes of a process.
// Needs `npm run build`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const runs = Number(process.argv[2] ?? 21);
const main = 'apps/cli/dist/main.js';
const folder = mkdtempSync(join(tmpdir(), 'tablewalk-bench-'));
const kernel = join(folder, 'off.bin');
// ldr r0, [pc]; hvc #0; PSCI's SYSTEM_OFF.
writeFileSync(kernel, Buffer.from(new Uint32Array([0xe59f0000, 0xe1400070, 0x84000008]).buffer));

const commands = {
  'node -e 0': ['-e', '0'],
  'tablewalk --version': [main, '--version'],
  'tablewalk run -kernel, two instructions': [main, 'run', '-kernel', kernel],
  'the same with -m 512': [main, 'run', '-m', '512', '-kernel', kernel],
};
const times = new Map(Object.keys(commands).map((name) => [name, []]));
for (let run = 0; run < runs; run++)
  for (const [name, args] of Object.entries(commands)) {
    const start = process.hrtime.bigint();
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`${name}: status ${status}: ${stderr}`);
    times.get(name).push(Number(process.hrtime.bigint() - start) / 1e9);
  }
rmSync(folder, { recursive: true });
for (const [name, values] of times) {
  values.sort((a, b) => a - b);
  console.log(`${name.padEnd(40)} ${values[values.length >> 1].toFixed(3)} s (${values[0].toFixed(3)}-${values.at(-1).toFixed(3)})`);
}

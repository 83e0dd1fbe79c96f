// Every guest on interpreter and translator side by side, at each exit of a region and after random budgets: lockstep.mjs [NAME[:exits|:budgets]...].
// What is in the results without a difference, as far as was asked for, is not run again: INSTRUCTIONS=N ends each guest after N. RESULTS=FILE: elsewhere.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cache, root, suites } from '../guests/suites.mjs';

const file = process.env.RESULTS ?? join(root, 'docs/results/lockstep.json');
const command = 'tablewalk run --engine lockstep --lockstep MODE ... (tests/long/lockstep.mjs)';
const results = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { command, runs: [] };
const commit = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim();
const deadline = Date.now() + Number(process.env.SECONDS_EACH ?? 3600) * 1000;
const instructions = Number(process.env.INSTRUCTIONS ?? Number.POSITIVE_INFINITY);
// Half of what Linux executes is its decompressor: SKIP=N translates that far alone, and compares from there on.
const skipped = Number(process.env.SKIP ?? 0);
const seed = Number(process.env.SEED ?? 1);

/** Consoles are compared with each other here; what they must show is for tests/guests. */
const guests = Object.fromEntries(Object.entries(suites).map(([name, suite]) => [name, { memory: 512, arguments: suite.arguments }]));
guests.kmem = {
  memory: 16,
  // Its code is recorded operations, most of them executed once.
  heat: 1,
  arguments: () => {
    const image = join(cache, 'kmem.bin');
    execFileSync(process.execPath, ['tests/run-source.mjs', 'tests/kmem/image-file.ts', image], { cwd: root });
    return ['-kernel', image];
  },
};
for (const elf of readdirSync(join(root, 'bench/programs/elf')).sort())
  guests[`bench/${elf.replace('.elf', '')}`] = { memory: 128, arguments: () => ['-kernel', join(root, 'bench/programs/elf', elf)] };

const asked = process.argv.slice(2);
const wanted = Object.keys(guests)
  .flatMap((name) => ['exits', 'budgets'].map((mode) => ({ name, mode })))
  .filter(
    ({ name, mode }) =>
      asked.length === 0 ||
      asked.some((one) => one === name || one === `${name}:${mode}` || (one === 'bench' && name.startsWith('bench/'))),
  );
if (wanted.length === 0) throw new Error(`there are ${Object.keys(guests).join(', ')}`);

let failed = 0;
for (const { name, mode } of wanted) {
  const is = (run) => run.guest === name && run.mode === mode && (run.skipped ?? 0) === skipped;
  if (results.runs.some((run) => is(run) && run.difference === null && (run.ended || run.instructions >= instructions))) continue;
  if (Date.now() > deadline) break;
  const { memory, heat = 300, arguments: given } = guests[name];
  const tablewalk = (...options) =>
    spawnSync(process.execPath, [join(root, 'apps/cli/dist/main.js'), 'run', ...options], {
      encoding: 'latin1',
      maxBuffer: 1 << 28,
      input: '',
    });
  let machine = ['-m', String(memory), ...given()];
  if (skipped > 0) {
    const snapshot = join(cache, 'lockstep.tw');
    const begin = tablewalk('--engine', 'wasm', '--max-instructions', String(skipped), '--save', snapshot, '-snapshot', ...machine);
    if (begin.status !== 124) throw new Error(`${name} did not run ${skipped} instructions: ${begin.stderr.slice(-500)}`);
    // The snapshot brings the machine; what is typed and waited for is given anew.
    const typed = machine.flatMap((option, i) => (option === '--send' || option === '--exit-on' ? [option, machine[i + 1]] : []));
    machine = ['--load', snapshot, ...typed];
  }
  const run = tablewalk(
    ...['--stats', '--engine', 'lockstep'],
    ...['--lockstep', `${mode},seed=${seed},heat=${heat}`],
    ...['--timeout', String(Math.ceil((deadline - Date.now()) / 1000))],
    ...(Number.isFinite(instructions) ? ['--max-instructions', String(instructions)] : []),
    ...machine,
  );
  const counts = /lockstep at \w+, (\d+) comparisons, (\d+) of them at exits of regions, over (\d+) instructions/.exec(run.stderr);
  const limited = run.status === 124;
  if (counts === null || (run.status !== 0 && run.status !== 67 && !limited)) {
    console.log(`FAIL ${name} at ${mode}: status ${run.status ?? run.signal}\n${run.stderr.slice(-2000)}`);
    failed++;
    continue;
  }
  const [comparisons, , total] = counts.slice(1).map(Number);
  const difference = run.status === 67 ? run.stderr.slice(0, 8000) : null;
  if (difference !== null) failed++;
  results.runs = [
    ...results.runs.filter((other) => !is(other)),
    {
      guest: name,
      mode,
      heat,
      ...(mode === 'budgets' && { seed }),
      commit,
      ...(skipped > 0 && { skipped }),
      ended: run.status === 0,
      instructions: total,
      comparisons,
      difference,
    },
  ];
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
  console.log(
    `${difference === null ? 'ok  ' : 'DIFFERS'} ${name} at ${mode}: ${total} instructions${limited ? ' (not to its end)' : ''}, ${comparisons} comparisons`,
  );
  if (difference !== null) console.log(difference);
}
process.exit(failed === 0 ? 0 : 1);

import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { engineOptions } from '../instructions/run-here.js';
import { packRecorded } from '../recorded-batch.js';
import { compare, describeDifferences, describeTest } from './compare.js';
import { generate } from './generate.js';
import { aloneIn, BATCH_MAX } from './layout.js';
import { runHere } from './run-here.js';
import { runQemu } from './run-qemu.js';

// Compares system instructions and IT blocks with QEMU: main SEED COUNT [--only REGEXP] [--each N] [--show INDEX] [--record FILE] [--engine wasm|compact]; ends non-zero on a difference.
const flag = (name: string): string | undefined => {
  const i = process.argv.indexOf(name);
  return i < 0 ? undefined : process.argv[i + 1];
};
const seed = Number(process.argv[2] ?? 1);
const count = Number(process.argv[3] ?? 20_000);
const harness = join(process.cwd(), 'tests/system-instructions/harness');
const elf = join(process.cwd(), '.cache/system-instructions/harness.elf');
mkdirSync(dirname(elf), { recursive: true });
execFileSync('arm-linux-gnueabihf-gcc', [
  ...['-nostdlib', '-static', `-Wl,-T,${harness}/link.ld`, '-Wl,--build-id=none', '-Wl,-z,noexecstack', '-s'],
  ...['-o', elf, `${harness}/harness.S`],
]);
const only = flag('--only');
const options = engineOptions(flag('--engine'));
let failed = 0;
let triagedAll = 0;
let leakedAll = 0;
for (let done = 0, part = 0; done < count; part++) {
  const size = Math.min(BATCH_MAX, count - done);
  const batch = generate({ seed: seed + part, count: size, ...(only !== undefined && { only: new RegExp(only) }) });
  const show = flag('--show');
  if (show !== undefined) console.log(describeTest(batch, Number(show)));
  let t = Date.now();
  const expected = runQemu(elf, batch);
  const qemu = Date.now() - t;
  t = Date.now();
  const actual = runHere(readFileSync(elf), batch, options);
  const here = Date.now() - t;
  const first = compare(batch, expected, actual);
  let { differences } = first;
  if (differences.length > 0) {
    // A test may read what an earlier one left behind outside the windows, UNKNOWN bytes of an aborted store say: what is its own differs again without them.
    const alone = aloneIn(batch, new Set(differences.map(({ index }) => index)));
    ({ differences } = compare(alone, runQemu(elf, alone), runHere(readFileSync(elf), alone, options)));
  }
  const leaked = first.differences.length - differences.length;
  failed += differences.length;
  triagedAll += first.triaged;
  leakedAll += leaked;
  console.log(
    `seed ${seed + part}: ${size} tests, ${differences.length} differ, ${first.triaged} triaged, ${leaked} not alone (QEMU ${qemu} ms, here ${here} ms)`,
  );
  if (differences.length > 0) console.log(describeDifferences(batch, differences, Number(flag('--each') ?? 2)));
  const record = flag('--record');
  if (record !== undefined) {
    // The addresses in the results are of the harness that made them.
    copyFileSync(elf, join(harness, 'harness.elf'));
    writeFileSync(record, packRecorded(batch, expected));
  }
  done += size;
}
console.log(`${count} tests, ${failed} differ, ${triagedAll} triaged, ${leakedAll} not alone`);
process.exit(failed === 0 ? 0 : 1);

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { packRecorded } from '../recorded-batch.js';
import { BATCH_MAX, IN_CPSR, OUT_TYPE, TYPE_STUCK } from './batch-layout.js';
import { censusText } from './census.js';
import { compare, describeDifferences } from './compare.js';
import { generate } from './generate.js';
import { engineOptions, runHere, runTranslated } from './run-here.js';
import { runQemu } from './run-qemu.js';

// Compares single instructions with QEMU: main SEED COUNT [--only REGEXP] [--unpredictable] [--each N] [--engine wasm]; ends non-zero on a difference.
const flag = (name: string): string | undefined => {
  const i = process.argv.indexOf(name);
  return i < 0 ? undefined : process.argv[i + 1];
};
const seed = Number(process.argv[2] ?? 1);
const count = Number(process.argv[3] ?? 20_000);
const harness = join(process.cwd(), 'tests/instructions/harness');
const elf = join(process.cwd(), '.cache/instructions/harness.elf');
if (!existsSync(elf)) {
  mkdirSync(dirname(elf), { recursive: true });
  execFileSync('arm-linux-gnueabihf-gcc', [
    '-nostdlib',
    '-static',
    `-Wl,-T,${harness}/link.ld`,
    '-Wl,--build-id=none',
    '-o',
    elf,
    `${harness}/harness.S`,
  ]);
}
const only = flag('--only');
const translated = flag('--engine') === 'wasm';
const options = engineOptions(flag('--engine'));
let failed = 0;
for (let done = 0, part = 0; done < count; part++) {
  const size = Math.min(BATCH_MAX, count - done);
  const batch = generate({
    seed: seed + part,
    count: size,
    ...(only !== undefined && { only: new RegExp(only) }),
    unpredictable: process.argv.includes('--unpredictable'),
  });
  let t = Date.now();
  const expected = runQemu(elf, batch);
  const qemu = Date.now() - t;
  t = Date.now();
  const { output: actual, census } = translated
    ? runTranslated(readFileSync(elf), batch)
    : { output: runHere(readFileSync(elf), batch, options), census: undefined };
  const here = Date.now() - t;
  const { stuck, triaged, differences } = compare(batch, expected, actual);
  const record = flag('--record');
  if (record !== undefined) {
    // Tests that agree now and end by themselves: what must go on agreeing. The others give way to an SVC in the same slot, since results hold
    // addresses, and count as ended by the watchdog.
    const bad = new Set(differences.map(({ index }) => index));
    for (let i = 0; i < size; i++) {
      const known = /^(BKPT|SWP|STREX)/.test(batch.names[batch.kinds[i]!]!);
      if (!bad.has(i) && !known && expected[i * 96 + OUT_TYPE] !== TYPE_STUCK) continue;
      const svc = batch.input[i * 96 + IN_CPSR]! & 0x20 ? 0xdf5adf5a : 0xef00005a;
      batch.code[i * 8] = svc;
      batch.input[i * 96] = svc;
      expected[i * 96 + OUT_TYPE] = TYPE_STUCK;
    }
    // What reads the words of a slot that gave way cannot be kept either.
    for (const { index } of compare(batch, expected, runHere(readFileSync(elf), batch, options)).differences)
      expected[index * 96 + OUT_TYPE] = TYPE_STUCK;
    writeFileSync(record, packRecorded(batch, expected));
  }
  failed += differences.length;
  console.log(
    `seed ${seed + part}: ${size} tests, ${batch.names.length} encodings, ${differences.length} differ, ${triaged} triaged, ${stuck} stuck (QEMU ${qemu} ms, here ${here} ms)`,
  );
  if (census !== undefined) {
    failed += census.unexplained.length;
    console.log(censusText(census));
  }
  if (differences.length > 0) console.log(describeDifferences(batch, differences, Number(flag('--each') ?? 2)));
  done += size;
}
process.exit(failed === 0 ? 0 : 1);

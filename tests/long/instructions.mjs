// At least 3,000,000 single-instruction tests against QEMU, 240,000 a seed.
import { compareSeeds } from './support/seeds.mjs';

compareSeeds({
  name: 'instructions',
  program: 'tests/instructions/main.ts',
  firstSeed: 10_000,
  batch: 240_000,
  target: Number(process.env.TESTS ?? 3_120_000),
  line: /: (?<tests>\d+) tests, (?<encodings>\d+) encodings, (?<differences>\d+) differ, (?<triaged>\d+) triaged, (?<stuck>\d+) stuck/,
});

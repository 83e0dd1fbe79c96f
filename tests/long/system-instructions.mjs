// IT blocks and privileged and system instructions against QEMU, 60,000 a seed.
import { compareSeeds } from './support/seeds.mjs';

compareSeeds({
  name: 'system-instructions',
  program: 'tests/system-instructions/main.ts',
  firstSeed: 20_000,
  batch: 60_000,
  target: Number(process.env.SYSTEM_TESTS ?? 600_000),
  line: /^(?<tests>\d+) tests, (?<differences>\d+) differ, (?<triaged>\d+) triaged, (?<notAlone>\d+) not alone$/m,
});

// At least 2,000,000 random sequences on interpreter and translator, 5,000 a seed: each seed is a process, since memory grows with the modules made.
import { compareSeeds } from './support/seeds.mjs';

compareSeeds({
  name: 'sequences',
  program: 'tests/sequences/main.ts',
  firstSeed: 1000,
  batch: 5_000,
  target: Number(process.env.TESTS ?? 2_000_000),
  line: /: (?<tests>\d+) sequences, (?<regions>\d+) regions, (?<limits>\d+) given up at their limits, (?<differences>\d+) differ/,
});

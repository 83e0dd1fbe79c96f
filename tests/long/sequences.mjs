// At least 2,000,000 random sequences on interpreter and translator, 20,000 a seed.
import { compareSeeds } from './support/seeds.mjs';

compareSeeds({
  name: 'sequences',
  program: 'tests/sequences/main.ts',
  firstSeed: 1000,
  batch: 20_000,
  target: Number(process.env.TESTS ?? 2_000_000),
  line: /: (?<tests>\d+) sequences, (?<regions>\d+) regions, (?<limits>\d+) given up at their limits, (?<differences>\d+) differ/,
});

// At least 2,000,000 random sequences on interpreter and translator, 16,000 a seed, and what happened to each encoding.
import { compareSeeds } from './support/seeds.mjs';

compareSeeds({
  name: 'sequences',
  program: 'tests/sequences/main.ts',
  firstSeed: 1000,
  batch: 16_000,
  target: Number(process.env.TESTS ?? 2_000_000),
  line: /: (?<tests>\d+) sequences, (?<regions>\d+) regions, (?<limits>\d+) given up at their limits, (?<differences>\d+) differ/,
  options: ['--coverage', '16', '--missing'],
  // Most of what is made does not outlive its group.
  node: ['--min-semi-space-size=64', '--max-semi-space-size=64'],
  keep: (results, output) => {
    const { steps, possible, missing } = JSON.parse(/^missing (.*)$/m.exec(output)[1]);
    const before = results.coverage;
    const never = Object.fromEntries(
      Object.entries(missing).map(([happening, names]) => [
        happening,
        before === undefined ? names : names.filter((name) => before.never[happening].includes(name)),
      ]),
    );
    const reached = Object.fromEntries(
      Object.entries(possible).map(([happening, count]) => [happening, `${count - never[happening].length} of ${count}`]),
    );
    results.coverage = { steps: (before?.steps ?? 0) + steps, reached, never };
  },
});

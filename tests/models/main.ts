// Compares every model with its reference on random traces: main.ts SEED ACCESSES [NAME...]. A line for each, exit status 1 at a difference.
// `main.ts --list` prints the names.
import { comparisons } from './configurations.js';

const [seed = '1', accesses = '10000000', ...names] = process.argv.slice(2);
if (seed === '--list') {
  console.log(comparisons.map(({ name }) => name).join('\n'));
  process.exit(0);
}
let failed = 0;
for (const { name, run } of comparisons) {
  if (names.length > 0 && !names.includes(name)) continue;
  try {
    const result = run(Number(seed), Number(accesses));
    const percent = ((100 * result.hits) / result.accesses).toFixed(1);
    console.log(`${name}: seed ${seed}: ${result.accesses} accesses, ${result.hits} hits (${percent} %), 0 differences`);
  } catch (error) {
    failed++;
    console.log(`${name}: seed ${seed}: ${error instanceof Error ? error.message.slice(0, 2000) : error}`);
  }
}
process.exit(failed === 0 ? 0 : 1);

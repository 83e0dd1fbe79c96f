import { assemble } from '@tablewalk/arm-core';
import { VirtMachine } from '@tablewalk/board-qemu-virt';
import { rewritingForEver } from '../tests/engine/rewriting-kernel.js';

/*
 * Resident memory of a guest that rewrites its code for ever, so that it is translated without end: seconds, regions made so far, MiB.
 * node tests/run-source.mjs bench/translation-memory.ts [--seconds N] [--regions KEPT]
 */
const flag = (name: string, fallback: number): number => {
  const i = process.argv.indexOf(name);
  return i < 0 ? fallback : Number(process.argv[i + 1]);
};

const machine = new VirtMachine({
  kernel: assemble(rewritingForEver(64), { origin: 0x40010000 }).bytes,
  memory: 8 << 20,
  engine: 'wasm',
  translation: { heat: 1, regions: flag('--regions', 6000) },
});
const begin = performance.now();
const seconds = flag('--seconds', 30);
for (let next = 0; next <= seconds; ) {
  machine.runFor(100_000);
  const now = (performance.now() - begin) / 1000;
  if (now < next) continue;
  next += seconds / 10;
  const { regions } = machine.cpu.core.translated;
  console.log(
    `${now.toFixed(0).padStart(4)} s ${String(regions).padStart(8)} regions ${(process.memoryUsage().rss / 2 ** 20).toFixed(0).padStart(5)} MiB`,
  );
}

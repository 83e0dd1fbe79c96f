import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { VirtMachine } from '../../packages/board-qemu-virt/src/virt-machine.js';
import type { VirtMachineOptions } from '../../packages/board-qemu-virt/src/virt-options.js';
import { Random } from '../support/random.js';

/*
 * The same guest on the interpreter and on the translator, compared at the end of each budget: every register, flag, SIMD register and the console; and
 * all of RAM at the end. Budgets are random and small as often as large, so that runs are cut anywhere.
 *
 *   node tests/run-source.mjs tests/engine/lockstep.ts [--kernel FILE] [--initrd FILE] [--append TEXT] [--bios FILE] [--memory MIB]
 *     [--instructions N] [--seed N] [--heat N] [--batch N] [--regions N]
 */
const flag = (name: string): string | undefined => {
  const i = process.argv.indexOf(`--${name}`);
  return i < 0 ? undefined : process.argv[i + 1];
};
const number = (name: string, fallback: number): number => Number(flag(name) ?? fallback);
const file = (name: string): Uint8Array | undefined => {
  const path = flag(name);
  return path === undefined ? undefined : readFileSync(path);
};

const seed = number('seed', 1);
const limit = number('instructions', 5e9);
const append = flag('append');
const kernel = file('kernel');
const initrd = file('initrd');
const bios = file('bios');
const options: VirtMachineOptions = {
  memory: number('memory', 512) << 20,
  ...(kernel && { kernel }),
  ...(initrd && { initrd }),
  ...(bios && { bios }),
  ...(append !== undefined && { append }),
};
const reference = new VirtMachine(options);
const translated = new VirtMachine({
  ...options,
  engine: 'wasm',
  translation: { heat: number('heat', 300), batch: number('batch', 16), regions: number('regions', 6000) },
});
const random = new Random(seed);
const names = reference.cpu.registerNames();
const simd = Array.from({ length: 64 }, (_, n) => `d${n >> 1}.${n & 1 ? 'hi' : 'lo'}`);

const fail = (lines: readonly string[]): never => {
  console.log(lines.join('\n'));
  process.exit(1);
};

const compare = (what: string): void => {
  const differences = [...names, ...simd].flatMap((name) => {
    const a = reference.cpu.readRegister(name);
    const b = translated.cpu.readRegister(name);
    return a === b ? [] : [`${name}: interpreter ${a?.toString(16)}, translator ${b?.toString(16)}`];
  });
  if (reference.instructions !== translated.instructions)
    differences.push(`instructions: ${reference.instructions}, ${translated.instructions}`);
  if (reference.time !== translated.time) differences.push(`time: ${reference.time}, ${translated.time}`);
  if (reference.console.tail() !== translated.console.tail()) differences.push('consoles differ');
  if (differences.length > 0) fail([`${what}, after ${reference.instructions} instructions (seed ${seed}):`, ...differences]);
};

const ramHash = (machine: VirtMachine): string => {
  const region = machine.memory.regions[0]!;
  return createHash('sha256')
    .update(machine.memory.u8.subarray(region.hostOffset, region.hostOffset + region.byteLength))
    .digest('hex');
};

let budgets = 0;
let next = 0;
for (;;) {
  // 1 to 2^21, each power of two as likely.
  const budget = 1 + random.below(2 ** random.below(22));
  const a = reference.runFor(budget);
  const b = translated.runFor(budget);
  budgets++;
  if (JSON.stringify(a) !== JSON.stringify(b)) fail([`ends differ: ${JSON.stringify(a)}, ${JSON.stringify(b)}`]);
  compare(`budget ${budgets} of ${budget}`);
  if (reference.instructions >= next) {
    console.log(`${reference.instructions} instructions, ${budgets} budgets, ${translated.cpu.core.translated.regions} regions`);
    next += 100e6;
  }
  if (a.reason !== 'limit' || reference.instructions >= limit) break;
}
if (ramHash(reference) !== ramHash(translated)) fail(['RAM differs at the end']);
const { regions, instructions } = translated.cpu.core.translated;
console.log(
  `no difference: ${reference.instructions} instructions, ${budgets} budgets, seed ${seed}; ${instructions} instructions translated in ${regions} regions`,
);

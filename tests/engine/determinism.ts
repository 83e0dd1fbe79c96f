import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { VirtMachineOptions } from '@tablewalk/board-qemu-virt';
import { VirtMachine } from '@tablewalk/board-qemu-virt';
import { Random } from '../support/random.js';

/*
 * U-Boot through its prompt to its power-off on the interpreter, and on the translator for other heats, batches and sizes of the code cache, each in
 * budgets of its own: instructions, guest time, console, registers and RAM must be the same. Input comes at multiples of a million instructions.
 *
 *   node tests/run-source.mjs tests/engine/determinism.ts [FIRMWARE]
 */
const bios = readFileSync(process.argv[2] ?? '.guests/u-boot.bin');
const commands = [' ', 'bdinfo\r', 'fdt addr $fdtcontroladdr; fdt print /memory@40000000\r', 'crc32 40000000 10000\r', 'poweroff\r'];
const PROMPTS = /(Hit any key to stop autoboot.*|=> )$/;
const LIMIT = 300e6;

const run = async (options: Partial<VirtMachineOptions>, seed: number): Promise<Readonly<Record<string, string>>> => {
  const machine = new VirtMachine({ bios, memory: 128 << 20, ...options });
  const random = new Random(seed);
  const waiting = [...commands];
  let reason = 'limit';
  while (reason === 'limit' && machine.instructions < LIMIT) {
    for (let left = 1e6; left > 0 && reason === 'limit'; ) {
      const budget = Math.min(left, 1 + random.below(2 ** (4 + random.below(17))));
      ({ reason } = machine.runFor(budget));
      left -= budget;
    }
    // Modules that are compiled beside the guest come in between.
    if (options.translation?.asynchronous) await new Promise((resolve) => setImmediate(resolve));
    if (PROMPTS.test(machine.console.tail())) machine.send(waiting.shift() ?? '');
  }
  const hash = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex').slice(0, 16);
  const { regions, late } = machine.cpu.core.translated;
  console.log(
    `${JSON.stringify(options)}: ${machine.instructions} instructions, ${regions} regions, ${late} too late, ${waiting.length} commands not given`,
  );
  return {
    end: reason,
    commands: String(waiting.length),
    instructions: String(machine.instructions),
    time: String(machine.time),
    console: `${machine.console.byteCount} bytes, ${hash(machine.console.tail())}`,
    registers: hash(
      machine.cpu
        .registerNames()
        .map((name) => `${name}=${machine.cpu.readRegister(name)}`)
        .join(),
    ),
    ram: hash(machine.readMemory(0x40000000, 128 << 20)!),
  };
};

const expected = await run({ engine: 'interpreter' }, 1);
let failed = expected['end'] !== 'poweroff' || expected['commands'] !== '0';
if (failed) console.log(`the interpreter does not come to the end: ${JSON.stringify(expected)}`);
const translations = [
  { heat: 300, batch: 16, regions: 6000 },
  { heat: 40, batch: 64, regions: 100 },
  { heat: 1000, batch: 1, regions: 6000 },
  { heat: 100, batch: 3, regions: 20 },
  { heat: 200, batch: 4, interpreted: 1000 },
  { heat: 10, batch: 16, regions: 1000, cold: true },
  { heat: 300, batch: 16, linked: false },
  { heat: 300, batch: 16, asynchronous: true },
  { heat: 20, batch: 1, regions: 200, asynchronous: true },
];
for (const [i, translation] of translations.entries()) {
  const found = await run({ engine: 'wasm', translation }, i + 2);
  for (const [name, value] of Object.entries(expected)) {
    if (found[name] === value) continue;
    failed = true;
    console.log(`  ${name} differs: interpreter ${value}, translator ${found[name]}`);
  }
}
console.log(failed ? 'runs differ' : `the same on the interpreter and ${translations.length} translators: ${JSON.stringify(expected)}`);
process.exit(failed ? 1 : 0);

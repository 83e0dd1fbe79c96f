import { VirtMachine } from '../../packages/board-qemu-virt/src/virt-machine.js';
import type { VirtMachineOptions } from '../../packages/board-qemu-virt/src/virt-options.js';
import type { Batch } from './batch-layout.js';
import { CODE, CODE_BYTES, CONTROL, IN_CPSR, IN_FPSCR, INPUT, OUTPUT, RAM_BYTES, RECORD_BYTES } from './batch-layout.js';
import type { CensusResult } from './census.js';
import { Census } from './census.js';

const bytes = (words: Uint32Array): Uint8Array => new Uint8Array(words.buffer, words.byteOffset, words.byteLength);

/** Everything is translated the first time it is executed. */
const translateAtOnce: Partial<VirtMachineOptions> = {
  engine: 'wasm',
  translation: { heat: 1, batch: 1, regions: 300, cold: true },
};

/** Nothing becomes hot: all of it is compact code. */
export const neverTranslate: Partial<VirtMachineOptions> = { engine: 'wasm', translation: { heat: 1_000_000_000 } };

/** What `--engine` says. */
export const engineOptions = (name: string | undefined): Partial<VirtMachineOptions> =>
  name === 'wasm' ? translateAtOnce : name === 'compact' ? neverTranslate : {};

/** Output records of the batch from Tablewalk's machine running the harness. */
export const runHere = (
  elf: Uint8Array,
  batch: Batch,
  options: Partial<VirtMachineOptions> = {},
  observe: (machine: VirtMachine) => void = () => {},
): Uint32Array => {
  const machine = new VirtMachine({ kernel: elf, memory: RAM_BYTES, cpu: 'cortex-a15', engine: 'interpreter', ...options });
  observe(machine);
  for (const [address, words] of [
    [CONTROL, new Uint32Array([batch.count, 0])],
    [CODE, batch.code],
    [INPUT, batch.input],
  ] as const)
    if (!machine.writeMemory(address, bytes(words))) throw new Error(`no RAM at 0x${address.toString(16)}`);
  // About 1,300 instructions a test, and the watchdog's 10 to 20 ms of guest time for one that loops.
  for (let left = batch.count * 2_000 + 4_000_000_000; left > 0; left -= 2_000_000) {
    const end = machine.runFor(2_000_000);
    if (end.reason === 'poweroff') break;
    if (end.reason !== 'limit') throw new Error(`the harness ended with ${JSON.stringify(end)} pc=${machine.cpu.core.words[15]! >>> 0}`);
  }
  const control = machine.readMemory(CONTROL, 8)!;
  if (control[4] !== 1) throw new Error('the harness did not come to its end');
  const out = machine.readMemory(OUTPUT, batch.count * RECORD_BYTES)!;
  return new Uint32Array(out.buffer, 0, out.length / 4);
};

/** The same at heat 0, and which words the translator executed. */
export const runTranslated = (elf: Uint8Array, batch: Batch): { readonly output: Uint32Array; readonly census: CensusResult } => {
  let census: Census | undefined;
  const output = runHere(elf, batch, translateAtOnce, (machine) => {
    census = new Census(machine);
  });
  const words = Array.from({ length: batch.count }, (_, i) => ({
    address: CODE + i * CODE_BYTES,
    thumb: (batch.input[(i * RECORD_BYTES) / 4 + IN_CPSR]! & 0x20) !== 0,
    privileged: false,
    shortVectors: (batch.input[(i * RECORD_BYTES) / 4 + IN_FPSCR]! & 0x370000) !== 0,
    name: batch.names[batch.kinds[i]!]!,
  }));
  return { output, census: census!.result(words) };
};

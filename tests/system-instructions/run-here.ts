import { VirtMachine } from '../../packages/board-qemu-virt/src/virt-machine.js';
import type { VirtMachineOptions } from '../../packages/board-qemu-virt/src/virt-options.js';
import type { Batch } from './layout.js';
import { bytesOf, CONTROL, OUTPUT, RAM_BYTES, RECORD_WORDS, ramOf } from './layout.js';

/** Output records of the batch from Tablewalk's machine running the harness. */
export const runHere = (elf: Uint8Array, batch: Batch, options: Partial<VirtMachineOptions> = {}): Uint32Array => {
  const machine = new VirtMachine({ kernel: elf, memory: RAM_BYTES, cpu: 'cortex-a15', engine: 'interpreter', ...options });
  for (const [address, words] of ramOf(batch))
    if (!machine.writeMemory(address, bytesOf(words))) throw new Error(`no RAM at 0x${address.toString(16)}`);
  const control = (): DataView => {
    const bytes = machine.readMemory(CONTROL, 12)!;
    return new DataView(bytes.buffer, bytes.byteOffset, 12);
  };
  // About 3,000 instructions a test.
  for (let left = batch.count * 4_000 + 20_000_000; left > 0; left -= 2_000_000) {
    const end = machine.runFor(2_000_000);
    if (end.reason === 'poweroff') break;
    if (end.reason !== 'limit')
      throw new Error(
        `test ${control().getUint32(8, true)} ended the machine with ${JSON.stringify(end)} at ${machine.cpu.core.words[15]! >>> 0}`,
      );
  }
  if (control().getUint32(4, true) !== 1) throw new Error(`test ${control().getUint32(8, true)} does not end on Tablewalk`);
  const out = machine.readMemory(OUTPUT, batch.count * RECORD_WORDS * 4)!;
  return new Uint32Array(out.buffer, 0, out.length / 4);
};

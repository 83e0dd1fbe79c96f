import { spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Batch } from './layout.js';
import { bytesOf, CONTROL, OUTPUT, RAM_BASE, RAM_BYTES, RECORD_WORDS, ramOf } from './layout.js';

/** Output records of the batch from `qemu-system-arm` running the harness in the ELF file. */
export const runQemu = (elf: string, batch: Batch): Uint32Array => {
  const directory = mkdtempSync(join(tmpdir(), 'tablewalk-system-instructions-'));
  try {
    const ram = join(directory, 'ram');
    const file = openSync(ram, 'w+');
    ftruncateSync(file, RAM_BYTES);
    for (const [address, words] of ramOf(batch)) writeSync(file, bytesOf(words), 0, words.byteLength, address - RAM_BASE);
    const run = spawnSync(
      'qemu-system-arm',
      [
        ...['-M', 'virt,memory-backend=ram', '-cpu', 'cortex-a15', '-m', '512', '-nic', 'none', '-display', 'none'],
        ...['-object', `memory-backend-file,id=ram,size=512M,mem-path=${ram},share=on`],
        ...['-serial', 'none', '-monitor', 'none', '-kernel', elf],
      ],
      { timeout: 20_000 + batch.count * 2, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    const control = new Uint32Array(3);
    readSync(file, bytesOf(control), 0, 12, CONTROL - RAM_BASE);
    if (control[1] !== 1)
      throw new Error(`test ${control[2]} does not end on QEMU (${run.status ?? run.signal}): ${run.stderr.toString()}`);
    const out = new Uint32Array(batch.count * RECORD_WORDS);
    readSync(file, bytesOf(out), 0, out.byteLength, OUTPUT - RAM_BASE);
    closeSync(file);
    return out;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
};

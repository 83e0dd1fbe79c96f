import { spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Batch } from './batch-layout.js';
import { CODE, CONTROL, INPUT, OUTPUT, RAM_BASE, RAM_BYTES, RECORD_BYTES } from './batch-layout.js';

const bytes = (words: Uint32Array): Uint8Array => new Uint8Array(words.buffer, words.byteOffset, words.byteLength);

/** Output records of the batch from `qemu-system-arm` running the harness in the ELF file. */
export const runQemu = (elf: string, batch: Batch): Uint32Array => {
  const directory = mkdtempSync(join(tmpdir(), 'tablewalk-instructions-'));
  try {
    const ram = join(directory, 'ram');
    const file = openSync(ram, 'w+');
    ftruncateSync(file, RAM_BYTES);
    for (const [address, words] of [
      [CONTROL, new Uint32Array([batch.count, 0])],
      [CODE, batch.code],
      [INPUT, batch.input],
    ] as const)
      writeSync(file, bytes(words), 0, words.byteLength, address - RAM_BASE);
    const run = spawnSync(
      'qemu-system-arm',
      [
        ...['-M', 'virt,memory-backend=ram', '-cpu', 'cortex-a15', '-m', '512', '-nic', 'none', '-display', 'none'],
        ...['-object', `memory-backend-file,id=ram,size=512M,mem-path=${ram},share=on`],
        ...['-serial', 'none', '-monitor', 'none', '-kernel', elf],
      ],
      { timeout: 240_000, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    if (run.status !== 0) throw new Error(`qemu-system-arm ended with ${run.status ?? run.signal}: ${run.stderr.toString()}`);
    const out = new Uint32Array((batch.count * RECORD_BYTES) / 4);
    readSync(file, bytes(out), 0, out.byteLength, OUTPUT - RAM_BASE);
    closeSync(file);
    return out;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
};

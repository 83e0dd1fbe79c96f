import { spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const QEMU = 'qemu-system-arm';
export const hasQemu = spawnSync(QEMU, ['--version']).error === undefined;

const GDB = 'gdb-multiarch';
export const hasGdb = spawnSync(GDB, ['--version']).error === undefined;

export interface QemuRun {
  /** True when the guest powered off; false when time ran out. */
  readonly ended: boolean;
  readonly serial: string;
  readonly ram: Uint8Array;
}

/** Runs an image on real QEMU with RAM in a file, and reads what is in it afterwards. */
export const runQemu = (
  image: Uint8Array,
  ramBytes: number,
  options: { readonly cpu?: string; readonly timeoutMs?: number; readonly arguments?: readonly string[] } = {},
): QemuRun => {
  const folder = mkdtempSync(join(tmpdir(), 'tablewalk-kmem-'));
  try {
    const ramPath = join(folder, 'ram');
    const kernel = join(folder, 'kernel');
    const serial = join(folder, 'serial');
    writeFileSync(kernel, image);
    const file = openSync(ramPath, 'w+');
    ftruncateSync(file, ramBytes);
    const megabytes = ramBytes / 2 ** 20;
    const run = spawnSync(
      QEMU,
      [
        ...[
          '-M',
          'virt,memory-backend=ram',
          '-cpu',
          options.cpu ?? 'cortex-a15',
          '-m',
          String(megabytes),
          '-nic',
          'none',
          '-display',
          'none',
        ],
        ...['-object', `memory-backend-file,id=ram,size=${megabytes}M,mem-path=${ramPath},share=on`],
        ...['-serial', `file:${serial}`, '-monitor', 'none', '-kernel', kernel, ...(options.arguments ?? [])],
      ],
      { timeout: options.timeoutMs ?? 20_000, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    if (run.status !== 0 && run.status !== null) throw new Error(`${QEMU} ended with ${run.status}: ${run.stderr.toString()}`);
    const ram = new Uint8Array(ramBytes);
    readSync(file, ram, 0, ramBytes, 0);
    closeSync(file);
    return { ended: run.status === 0, serial: readFileSync(serial, 'latin1'), ram };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/** Runs an unchanged image on real QEMU up to a physical address, by gdb, and reads registers and memory there. */
export const stopQemuAt = (
  image: Uint8Array,
  ramBytes: number,
  address: number,
  from: number,
  byteLength: number,
): { readonly registers: ReadonlyMap<string, number>; readonly memory: Uint8Array } => {
  const folder = mkdtempSync(join(tmpdir(), 'tablewalk-kmem-'));
  try {
    const kernel = join(folder, 'kernel');
    const dump = join(folder, 'dump');
    writeFileSync(kernel, image);
    const machine = `${QEMU} -M virt -cpu cortex-a15 -m ${ramBytes / 2 ** 20} -nic none -display none -serial null -monitor none -kernel ${kernel} -gdb stdio -S`;
    const commands = [
      'set architecture armv7',
      `target remote | exec ${machine}`,
      `hbreak *${address}`,
      'continue',
      'info registers',
      'info registers SCTLR VBAR TTBCR DACR',
      `dump binary memory ${dump} ${from} ${from + byteLength}`,
      'kill',
    ];
    const run = spawnSync(GDB, ['-nx', '-batch', ...commands.flatMap((command) => ['-ex', command])], {
      timeout: 50_000,
      encoding: 'latin1',
    });
    const registers = new Map<string, number>();
    for (const [, name, value] of run.stdout.matchAll(/^([a-zA-Z]\w*)\s+(0x[0-9a-f]+)\s/gm)) registers.set(name!, Number(value));
    return { registers, memory: readFileSync(dump) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

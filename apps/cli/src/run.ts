import type { VirtDrive, VirtFlash, VirtMachineOptions } from '@tablewalk/board-qemu-virt';
import { VirtMachine } from '@tablewalk/board-qemu-virt';
import { overlayStorage } from '@tablewalk/devices';
import type { Snapshot } from '@tablewalk/machine';
import { builtinGuest } from './builtin-guest.js';
import { fileDisk, fileImage, flashFile, readInput } from './files.js';
import { logObservers } from './observers.js';
import type { RunArguments } from './options.js';
import { Output } from './output.js';
import type { SessionEnd } from './session.js';
import { Session } from './session.js';
import { loadSnapshot, saveSnapshot } from './snapshot-file.js';
import { Tracer } from './trace.js';
import { EXIT_CRASHED, EXIT_LIMIT, UsageError } from './usage-error.js';

/** What a snapshot file holds: the options that made the machine, and its state. */
interface SavedSession {
  readonly arguments: RunArguments & { readonly log: never };
  readonly machine: Snapshot;
}

const GIB4 = 2 ** 32;

const largeInput = (what: string, path: string): Uint8Array => {
  const bytes = readInput(what, path);
  if (bytes.length > GIB4) throw new UsageError(`the ${what} ${path} is larger than the machine can be`);
  return bytes;
};

/** Opens what the arguments name and makes the machine's options. */
const machineOptions = (args: RunArguments, log: (line: string) => void, machine: () => VirtMachine): VirtMachineOptions => {
  const drives: VirtDrive[] = [];
  const flash: (VirtFlash | undefined)[] = [undefined, undefined];
  for (const drive of args.drives) {
    if (drive.interface === 'pflash') {
      const unit = drive.unit ?? (flash[0] === undefined ? 0 : 1);
      if (unit > 1) throw new UsageError(`there are two flash banks, 0 and 1, not ${unit}`);
      const file = flashFile(drive.file, drive.readOnly || drive.snapshot);
      const base = unit * 0x04000000;
      flash[unit] = {
        bytes: file.bytes,
        changed: (offset, byteLength) => file.save(offset, machine().readMemory(base + offset, byteLength)!),
      };
    } else
      drives.push({
        storage: drive.snapshot ? overlayStorage({ image: fileImage(drive.file) }) : fileDisk(drive.file, !drive.readOnly),
        readOnly: drive.readOnly,
      });
  }
  const nothing = args.kernel === undefined && args.bios === undefined && flash[0] === undefined;
  return {
    memory: args.memoryBytes,
    cpu: args.cpu,
    ...(args.kernel !== undefined && { kernel: largeInput('kernel', args.kernel) }),
    ...(nothing && { kernel: builtinGuest() }),
    ...(args.initrd !== undefined && { initrd: largeInput('initrd', args.initrd) }),
    ...(args.append !== undefined && { append: args.append }),
    ...(args.dtb !== undefined && { dtb: largeInput('device tree', args.dtb) }),
    ...(args.bios !== undefined && { bios: largeInput('firmware', args.bios) }),
    ...(flash[1] ? { flash: [flash[0], flash[1]] as const } : flash[0] && { flash: [flash[0]] as const }),
    drives,
    ...(args.net === 'user' && { network: 'user' as const }),
    rng: args.rng,
    seed: args.seed,
    semihosting: args.semihosting,
    modernVirtio: args.modernVirtio,
    epochSeconds: args.realTimeClock === 'utc' ? Math.floor(Date.now() / 1000) : args.realTimeClock,
    diagnostics: {
      guestError: (component, message) => {
        if (args.log.has('guest_errors')) log(`${component}: ${message}`);
      },
      unimplemented: (component, message) => {
        if (args.log.has('unimp')) log(`${component}: ${message}`);
      },
    },
  };
};

const statistics = (machine: VirtMachine, instructions: number, milliseconds: number): string => {
  const rate = milliseconds > 0 ? (instructions / milliseconds / 1000).toFixed(1) : '0';
  const resident = (process.memoryUsage().rss / 2 ** 20).toFixed(0);
  return `tablewalk: ${instructions} instructions in ${(milliseconds / 1000).toFixed(2)} s (${rate} MIPS), ${(machine.time / 1e9).toFixed(6)} s of guest time, ${machine.cpu.core.cache.translated} instructions translated, ${resident} MiB resident`;
};

/** Exit status of the way a session ended, and the line that explains it. */
const verdict = (end: SessionEnd): { readonly status: number; readonly line?: string } => {
  switch (end.reason) {
    case 'exit':
      return { status: end.status & 63 };
    case 'crashed':
      return { status: EXIT_CRASHED, line: end.message };
    case 'limit':
      return { status: EXIT_LIMIT, line: 'the instruction limit was reached' };
    case 'timeout':
      return { status: EXIT_LIMIT, line: 'the time limit was reached' };
    case 'deserted':
      return { status: EXIT_LIMIT, line: 'the guest waits for ever: no timer is armed and the input has ended' };
    case 'interrupted':
      return { status: 130 };
    default:
      return { status: 0 };
  }
};

/** `tablewalk run`. Resolves with the exit status. */
export const run = async (given: RunArguments): Promise<number> => {
  const output = new Output(1);
  const errors = new Output(2);
  const log = (line: string): void => errors.write(`${line}\n`);
  let args = given;
  let saved: SavedSession | undefined;
  if (given.load !== undefined) {
    saved = loadSnapshot(given.load) as SavedSession;
    if (saved?.machine === undefined || saved.arguments === undefined) throw new UsageError(`${given.load} is no snapshot of a session`);
    const { memoryBytes, cpu, kernel, initrd, append, dtb, bios, drives, net, rng, seed, semihosting, realTimeClock, modernVirtio } =
      saved.arguments;
    args = {
      ...given,
      memoryBytes,
      cpu,
      kernel,
      initrd,
      append,
      dtb,
      bios,
      drives,
      net,
      rng,
      seed,
      semihosting,
      realTimeClock,
      modernVirtio,
    };
  }
  let machine: VirtMachine | undefined;
  machine = new VirtMachine({ ...machineOptions(args, log, () => machine!), ...(saved && { snapshot: saved.machine }) });
  machine.observe(logObservers(args.log, log, () => machine!.instructions));
  const before = machine.instructions;
  const start = Date.now();
  const tracer = args.trace === undefined ? undefined : new Tracer(machine, args.trace);
  const end = await new Session(machine, args, output, tracer).run();
  tracer?.close();
  const { status, line } = verdict(end);
  if (line !== undefined) log(`tablewalk: ${line}`);
  if (args.save !== undefined) saveSnapshot(args.save, { arguments: { ...args, log: [] }, machine: machine.snapshot() });
  if (args.stats) log(statistics(machine, machine.instructions - before, Date.now() - start));
  return status;
};

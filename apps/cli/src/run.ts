import { resolve } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import type { VirtDrive, VirtFlash, VirtMachineOptions } from '@tablewalk/board-qemu-virt';
import { Lockstep, VirtMachine } from '@tablewalk/board-qemu-virt';
import { overlayStorage } from '@tablewalk/devices';
import type { Snapshot } from '@tablewalk/machine';
import { builtinGuest } from './builtin-guest.js';
import { favourGuest } from './compiler-threads.js';
import { fileDisk, fileImage, flashFile, readInput } from './files.js';
import { modelOptions, modelStatistics } from './memory-models.js';
import { logObservers } from './observers.js';
import type { RunArguments } from './options.js';
import { Output } from './output.js';
import type { SessionEnd } from './session.js';
import { Session } from './session.js';
import type { LoadedSnapshot } from './snapshot-file.js';
import { checkSnapshotPath, loadSnapshot, saveSnapshot } from './snapshot-file.js';
import { loadSymbols } from './symbols.js';
import { Tracer } from './trace.js';
import { EXIT_CRASHED, EXIT_DIFFERENCE, EXIT_LIMIT, UsageError, userMessage } from './usage-error.js';

/** What the machine is loaded with: a snapshot brings it along, since a reset loads it again. */
type Images = Pick<VirtMachineOptions, 'kernel' | 'initrd' | 'dtb' | 'bios'>;

/** What a snapshot file holds: the options and images that made the machine, and its state. Drives stay where they are. */
interface SavedSession {
  readonly arguments: RunArguments & { readonly log: never };
  readonly images: Images;
  readonly machine: Snapshot;
}

/** The longest device tree: QEMU's limit too. */
const LARGEST_DTB = 1 << 20;

const readImages = (args: RunArguments): Images => {
  const hasFlash = args.drives.some((drive) => drive.interface === 'pflash' && (drive.unit ?? 0) === 0);
  if (args.kernel === undefined && args.bios === undefined && !hasFlash && args.initrd === undefined && args.dtb === undefined)
    return { kernel: builtinGuest() };
  return {
    ...(args.kernel !== undefined && { kernel: readInput('kernel', args.kernel) }),
    ...(args.initrd !== undefined && { initrd: readInput('initrd', args.initrd) }),
    ...(args.dtb !== undefined && { dtb: readInput('device tree', args.dtb, LARGEST_DTB) }),
    ...(args.bios !== undefined && { bios: readInput('firmware', args.bios) }),
  };
};

/** Opens what the arguments name and makes the machine's options. */
const machineOptions = (
  args: RunArguments,
  images: Images,
  log: (line: string) => void,
  machine: () => VirtMachine,
): VirtMachineOptions => {
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
  return {
    memory: args.memoryBytes,
    cpu: args.cpu,
    ...images,
    ...(args.append !== undefined && { append: args.append }),
    ...(flash[1] ? { flash: [flash[0], flash[1]] as const } : flash[0] && { flash: [flash[0]] as const }),
    drives,
    ...(args.net === 'user' && { network: 'user' as const }),
    rng: args.rng,
    seed: args.seed,
    semihosting: args.semihosting,
    modernVirtio: args.modernVirtio,
    ...(args.engine !== undefined && args.engine !== 'lockstep' && { engine: args.engine }),
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
  const { regions, instructions: hot } = machine.cpu.core.translated;
  const wasm = regions > 0 ? `, ${hot} of them to WebAssembly in ${regions} regions` : '';
  return `tablewalk: ${instructions} instructions in ${(milliseconds / 1000).toFixed(2)} s (${rate} MIPS), ${(machine.time / 1e9).toFixed(6)} s of guest time, ${machine.cpu.core.cache.translated} instructions translated${wasm}, ${resident} MiB resident`;
};

/** Exit status of the way a session ended, and the line that explains it. */
const verdict = (end: SessionEnd): { readonly status: number; readonly line?: string } => {
  switch (end.reason) {
    case 'exit':
      return end.status <= 63 ? { status: end.status } : { status: 63, line: `the guest's exit status ${end.status} is reported as 63` };
    case 'crashed':
      return { status: EXIT_CRASHED, line: end.message };
    case 'limit':
      return { status: EXIT_LIMIT, line: 'the instruction limit was reached' };
    case 'timeout':
      return { status: EXIT_LIMIT, line: 'the time limit was reached' };
    case 'deserted':
      return { status: EXIT_LIMIT, line: 'the guest waits for ever: no timer is armed and the input has ended' };
    case 'difference':
      return { status: EXIT_DIFFERENCE, line: end.difference.report };
    case 'interrupted':
      return { status: 130 };
    default:
      return { status: 0 };
  }
};

/** A saved session. The contents of RAM are still in the file, to be brought as the guest uses them, until `close`. */
const readSaved = (path: string): SavedSession & Pick<LoadedSnapshot, 'close'> => {
  const { value, close } = loadSnapshot(path, (key) => /^machine\.data\.memory\.\d+\.bytes$/.test(key));
  const saved = value as SavedSession;
  if (saved?.machine === undefined || saved.arguments === undefined || saved.images === undefined) {
    close();
    throw new UsageError(`${path} is no snapshot of a session`);
  }
  return { ...saved, close };
};

/** What a snapshot contains is the file's word, not ours. */
const damaged = (path: string, error: unknown): UsageError =>
  new UsageError(`the snapshot ${path} is damaged: ${(error as Error).message}`, { cause: error });

/** Looks into the machine that a snapshot holds: what it would write to its drives stays in memory. */
export const withSavedMachine = async <T>(path: string, look: (machine: VirtMachine) => T): Promise<T> => {
  const { arguments: args, images, machine: snapshot, close } = readSaved(path);
  const drives = args.drives.map((drive) => ({ ...drive, snapshot: true }));
  let machine: VirtMachine | undefined;
  const models = await modelOptions(args);
  try {
    machine = new VirtMachine({
      ...models,
      ...machineOptions(
        { ...args, drives, log: new Set() },
        images,
        () => {},
        () => machine!,
      ),
      snapshot,
    });
    return look(machine);
  } catch (error) {
    if (userMessage(error) !== undefined) throw error;
    throw damaged(path, error);
  } finally {
    close();
  }
};

/** What two machines can both have: writes to drives stay in memory, and the clock says one thing. */
const comparable = (args: RunArguments): RunArguments => ({
  ...args,
  drives: args.drives.map((drive) => ({ ...drive, snapshot: true })),
  realTimeClock: args.realTimeClock === 'utc' ? Math.floor(Date.now() / 1000) : args.realTimeClock,
});

const comparisons = ({ mode, exits, comparisons: all, machine }: Lockstep): string =>
  `tablewalk: lockstep at ${mode}, ${all} comparisons, ${exits} of them at exits of regions, over ${machine.instructions} instructions`;

/** `tablewalk run`. Resolves with the exit status. */
export const run = async (given: RunArguments): Promise<number> => {
  const output = new Output(1);
  const errors = new Output(2);
  const log = (line: string): void => errors.write(`${line}\n`);
  if (given.save !== undefined) checkSnapshotPath(given.save);
  // What a guest leaves behind, its own code's translations above all, V8 would let grow to several times what is in use before it looks.
  setFlagsFromString('--heap-growing-percent=30');
  favourGuest();
  let args = given;
  let saved: ReturnType<typeof readSaved> | undefined;
  if (given.load !== undefined) {
    // All code is cold, ours too: optimizing as eagerly as the V8 of Node 20 does by itself costs the first second more than it gives.
    if (process.versions.v8.startsWith('11.')) setFlagsFromString('--interrupt-budget=400000');
    saved = readSaved(given.load);
    const { memoryBytes, cpu, kernel, initrd, append, dtb, bios, drives, net, rng, seed, semihosting, realTimeClock, modernVirtio } =
      saved.arguments;
    const { fidelity, tlb, cache, retain, walk, dma, powerOn, evictions } = saved.arguments;
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
      fidelity,
      tlb,
      cache,
      retain,
      walk,
      dma,
      powerOn,
      evictions,
    };
  }
  let machine: VirtMachine | undefined;
  let pair: Lockstep | undefined;
  const images = saved?.images ?? readImages(args);
  const models = await modelOptions(args);
  // Models have state: each of the two has its own.
  const otherModels = args.engine === 'lockstep' ? await modelOptions(args) : models;
  const symbols = args.trace === undefined ? undefined : loadSymbols(args.symbols, images.kernel);
  try {
    const options = (of: RunArguments, say: typeof log): VirtMachineOptions => ({
      ...machineOptions(of, images, say, () => machine!),
      ...(say === log ? models : otherModels),
      ...(saved && { snapshot: saved.machine }),
    });
    if (args.engine === 'lockstep') {
      const shared = comparable(args);
      pair = new Lockstep((engine) => options(shared, engine === 'interpreter' ? log : () => {}), args.lockstep);
    }
    machine = pair?.machine ?? new VirtMachine(options(args, log));
  } catch (error) {
    if (userMessage(error) !== undefined) throw error;
    if (given.load !== undefined) throw damaged(given.load, error);
    if (error instanceof RangeError && /memory|allocat/i.test(error.message))
      throw new UsageError(`the host has no ${Math.ceil(args.memoryBytes / 2 ** 20)} MiB for the guest's RAM`, { cause: error });
    throw error;
  }
  const observed = pair?.reference ?? machine;
  observed.observe(logObservers(args.log, log, () => observed.instructions));
  const before = machine.instructions;
  const start = Date.now();
  const tracer = args.trace === undefined ? undefined : new Tracer(machine, args.trace, symbols);
  let end = await new Session(machine, args, output, tracer, pair).run();
  tracer?.close();
  const difference = pair?.finish();
  if (difference !== undefined) end = { reason: 'difference', difference };
  const { status, line } = verdict(end);
  if (line !== undefined) log(`tablewalk: ${line}`);
  if (args.save !== undefined) {
    const drives = args.drives.map((drive) => ({ ...drive, file: resolve(drive.file) }));
    saveSnapshot(args.save, { arguments: { ...args, drives, log: [] }, images, machine: machine.snapshot() });
  }
  if (args.stats && pair !== undefined) log(comparisons(pair));
  if (args.stats)
    for (const text of [statistics(machine, machine.instructions - before, Date.now() - start), ...modelStatistics(machine)]) log(text);
  saved?.close();
  return status;
};

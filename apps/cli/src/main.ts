#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { EXIT_USAGE, userMessage } from './usage-error.js';

const version = (): string =>
  (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version;

const HELP = `usage: tablewalk run [options] [KERNEL]     boot a machine (without a kernel: the built-in guest)
       tablewalk kmem [options]             boot the kernel of packages/kmem and show its memory
       tablewalk walk [options] ADDRESS     a translation, descriptor by descriptor
       tablewalk disasm [options] FILE      disassemble
       tablewalk alloc [options]            allocators side by side: cost, fragmentation, memory over time (alloc --help)
       tablewalk --version

run takes QEMU's spellings: -m SIZE, -cpu NAME, -kernel F, -initrd F, -append TEXT, -dtb F, -bios F, -drive file=F[,if=pflash][,readonly=on],
-net user, -S, -d int,mmu,guest_errors,unimp, -snapshot, -no-reboot, -semihosting; and
  --send 'TEXT=>REPLY'    type REPLY when TEXT has been printed (repeatable, in order)
  --exit-on TEXT          end with status 0 when TEXT has been printed
  --max-instructions N, --timeout S    limits: status 124
  --save F, --load F      write the machine's state at the end; go on from one
  --seed N, --rtc utc, --rng, --modern-virtio, --stats, --trace FILE (- for standard error),
  --symbols FILE (ELF or System.map, for the trace)
  --engine wasm|interpreter|lockstep    wasm (default): hot code is translated to WebAssembly; the guest does the same.
                          lockstep: both, side by side; ends with status 67 at the first difference
  --lockstep exits|budgets[,seed=N][,heat=N]    compare at each exit of a region (default), or after random budgets
  --fidelity functional|architectural|measured    TLBs and caches with contents; every access counted
  --tlb M, --cache M      a model: none, a core's name, or a module (a cache by itself: in place of the core's); default the core's own
  --retain finite|forever, --walk coherent|noncoherent, --dma coherent|noncoherent, --power-on clean|unknown, --evictions SEED

kmem and walk: --policy directMap|pmmVmm, --allocator zoneList|knr|bitmapTree|buddy, --object-cache slab (or a module for each),
  --vmalloc eager|lazy, --poison, -cpu NAME, -m SIZE, --load-address A, --split A,
  --fidelity F and the models as for run,
  --workload pages|vmalloc|programs|all, --seed N;
  walk --load F looks into a machine that run --save wrote

exit status: 0 power-off, 1-63 the guest's own (semihosting), 64 bad input, 66 the guest crashed, 67 lockstep found a difference,
  124 a limit was reached
`;

const main = async (argv: readonly string[]): Promise<number> => {
  const [command, ...rest] = argv;
  if (command === '--version' || command === '-version') {
    console.log(version());
    return 0;
  }
  if (
    command === undefined ||
    command === 'help' ||
    command === '--help' ||
    command === '-h' ||
    (command === 'disasm' && rest.includes('--help'))
  ) {
    process.stdout.write(HELP);
    return 0;
  }
  if (command === 'run') {
    const { parseRun } = await import('./options.js');
    const args = parseRun(rest);
    if (args === undefined) {
      process.stdout.write(HELP);
      return 0;
    }
    const status = await (await import('./run.js')).run(args);
    // All that it printed has been written. What a big guest leaves in memory takes the host some tenths of a second to take apart.
    process.exit(status);
  }
  if (command === 'kmem' || command === 'walk') {
    const { parseKmem, parseWalk } = await import('./kmem/arguments.js');
    if (command === 'kmem') {
      const args = parseKmem(rest);
      if (args !== undefined) return (await import('./kmem/command.js')).kmem(args);
    } else {
      const args = parseWalk(rest);
      if (args !== undefined) return (await import('./kmem/walk.js')).walk(args);
    }
    process.stdout.write(HELP);
    return 0;
  }
  if (command === 'disasm') return (await import('./disasm.js')).disasm(rest);
  if (command === 'alloc') return (await import('./alloc/command.js')).alloc(rest);
  process.stderr.write(`tablewalk: unknown command '${command}'; 'tablewalk help' lists them\n`);
  return EXIT_USAGE;
};

main(process.argv.slice(2)).then(
  (status) => {
    process.exitCode = status;
  },
  (error: unknown) => {
    const message = userMessage(error);
    if (message !== undefined) {
      process.stderr.write(`tablewalk: ${message}\n`);
      process.exitCode = EXIT_USAGE;
    } else {
      process.stderr.write(`tablewalk: internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
      process.exitCode = 70;
    }
  },
);

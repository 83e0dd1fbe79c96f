import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { VirtMachine } from '@tablewalk/board-qemu-virt';

/*
 * The programs of bench/programs here and on QEMU, in turn: medians of host time a run, and ratios (above 1: faster than QEMU). What they print must be
 * the same. node tests/run-source.mjs bench/programs.ts [--runs N] [--only REGEXP] [--icount] [--engine interpreter]
 *
 * Time is user and system time of the process, so that a busy machine spoils little; QEMU's start is taken off.
 */
const folder = join(process.cwd(), 'bench/programs/elf');
const flag = (name: string): string | undefined => {
  const i = process.argv.indexOf(name);
  return i < 0 ? undefined : process.argv[i + 1];
};
const runs = Number(flag('--runs') ?? 3);
const only = new RegExp(flag('--only') ?? '');
const engine = flag('--engine') === 'interpreter' ? 'interpreter' : 'wasm';
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

interface Outcome {
  readonly seconds: number;
  readonly text: string;
  readonly instructions: number;
}

const here = (file: string): Outcome => {
  const start = process.cpuUsage();
  const machine = new VirtMachine({ kernel: readFileSync(file), engine });
  while (machine.runFor(500_000).reason === 'limit');
  const { user, system } = process.cpuUsage(start);
  return { seconds: (user + system) / 1e6, text: machine.console.tail().trim(), instructions: machine.instructions };
};

/** A child's text and the host time it took. */
const timed = (command: string, args: readonly string[]): { readonly seconds: number; readonly text: string } => {
  const { stdout, stderr } = spawnSync('bash', ['-c', 'TIMEFORMAT="@%U %S"; time "$@"', command, command, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'latin1',
  });
  const [, user, system] = /@(\S+) (\S+)/.exec(stderr)!;
  return { seconds: Number(user) + Number(system), text: stdout.trim() };
};

const qemuArguments = (file: string, icount: boolean): string[] => [
  ...['-M', 'virt', '-cpu', 'cortex-a15', '-nographic', '-nic', 'none', '-kernel', file],
  ...(icount ? ['-icount', 'shift=0'] : []),
];

/** One run in this process when it is a child of itself, so that what one program leaves in the engine does not help or hurt the next. */
const child = flag('--child');
if (child !== undefined) {
  const { seconds, text, instructions } = here(child);
  console.log(JSON.stringify({ seconds, text, instructions }));
  process.exit(0);
}

const overhead = timed('qemu-system-arm', ['-M', 'virt', '-nographic', '-nic', 'none', '-version']).seconds;
const icount = process.argv.includes('--icount');
const ratios: number[] = [];
let wrong = 0;
for (const name of readdirSync(folder).filter((file) => only.test(file))) {
  const file = join(folder, name);
  const ours: number[] = [];
  const theirs: number[] = [];
  const texts = new Set<string>();
  let instructions = 0;
  for (let i = 0; i < runs; i++) {
    const { stdout } = spawnSync(process.execPath, [process.argv[1]!, '--child', file, '--engine', engine], { encoding: 'latin1' });
    const result = JSON.parse(stdout) as Outcome;
    ours.push(result.seconds);
    texts.add(result.text);
    instructions = result.instructions;
    const reference = timed('qemu-system-arm', qemuArguments(file, icount));
    theirs.push(reference.seconds - overhead);
    texts.add(reference.text);
  }
  const ratio = median(theirs) / median(ours);
  ratios.push(ratio);
  if (texts.size !== 1) wrong++;
  const mips = (seconds: number): string => (instructions / seconds / 1e6).toFixed(0).padStart(5);
  console.log(
    `${name.replace('.elf', '').padEnd(18)} ${(instructions / 1e6).toFixed(0).padStart(5)} M  here ${mips(median(ours))} MIPS  QEMU ${mips(median(theirs))} MIPS  ratio ${ratio.toFixed(2)}  ${[...texts].join(' | ')}`,
  );
}
console.log(`geometric mean ${Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length).toFixed(2)}`);
process.exit(wrong === 0 ? 0 : 1);

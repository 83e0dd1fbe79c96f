import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { VirtMachine } from '@tablewalk/board-qemu-virt';

/*
 * The programs of bench/programs here and on QEMU, in turn: medians of host time a run, and ratios (above 1: faster than QEMU). What they print must be
 * the same. node tests/run-source.mjs bench/programs.ts [--runs N] [--rounds N] [--only REGEXP] [--icount] [--engine interpreter]
 *
 * A program does what it does ROUNDS times. 4, the default, is two to five seconds; in 1, less than one, more of the time is translating and V8's compiling of this
 * project's own code.
 *
 * Time is user and system time of the whole process, so that a busy machine spoils little. What a program takes that does nothing (start-only) is printed
 * first and taken off on both sides: how long Node and QEMU take to begin is another question. Translating and tiering up are in the ratios.
 */
const folder = join(process.cwd(), 'bench/programs/elf');
const flag = (name: string): string | undefined => {
  const i = process.argv.indexOf(name);
  return i < 0 ? undefined : process.argv[i + 1];
};
const runs = Number(flag('--runs') ?? 3);
const rounds = Number(flag('--rounds') ?? 4);
/** Where start.S looks for that. */
const ROUNDS_ADDRESS = 0x47fff000;
const only = new RegExp(flag('--only') ?? '');
const engine = flag('--engine') === 'interpreter' ? 'interpreter' : 'wasm';
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

/** One run in this process when it is a child of itself, so that what one program leaves in the engine does not help or hurt the next. */
const child = flag('--child');
if (child !== undefined) {
  const machine = new VirtMachine({ kernel: readFileSync(child), engine });
  machine.writeMemory(ROUNDS_ADDRESS, Uint8Array.of(rounds));
  while (machine.runFor(500_000).reason === 'limit');
  console.log(`${machine.instructions} ${machine.console.tail().trim()}`);
  process.exit(0);
}

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
  ...['-device', `loader,addr=${ROUNDS_ADDRESS},data=${rounds},data-len=4`],
  ...(icount ? ['-icount', 'shift=0'] : []),
];

const icount = process.argv.includes('--icount');

interface Comparison {
  readonly ours: number;
  readonly theirs: number;
  readonly instructions: number;
  readonly texts: ReadonlySet<string>;
}

const compare = (name: string): Comparison => {
  const file = join(folder, `${name}.elf`);
  const ours: number[] = [];
  const theirs: number[] = [];
  const texts = new Set<string>();
  let instructions = 0;
  for (let i = 0; i < runs; i++) {
    const run = timed(process.execPath, [process.argv[1]!, '--child', file, '--engine', engine, '--rounds', `${rounds}`]);
    const [count, ...text] = run.text.split(' ');
    ours.push(run.seconds);
    instructions = Number(count);
    texts.add(text.join(' '));
    const reference = timed('qemu-system-arm', qemuArguments(file, icount));
    theirs.push(reference.seconds);
    texts.add(reference.text);
  }
  return { ours: median(ours), theirs: median(theirs), instructions, texts };
};

const groups: Readonly<Record<string, RegExp>> = {
  'floating point and NEON': /^(double|single|exact|fused|neon|lanes)-/,
  system: /^(svc|fault|mmio|rewriting)-/,
  integer: /./,
};
const ratios: Record<string, number[]> = {};
let wrong = 0;
const start = compare('start-only-arm');
console.log(`start: here ${start.ours.toFixed(2)} s, QEMU ${start.theirs.toFixed(2)} s`);
const names = readdirSync(folder).map((file) => file.replace('.elf', ''));
for (const name of names.filter((name) => !name.startsWith('start-only') && only.test(name))) {
  const { ours, theirs, instructions, texts } = compare(name);
  const ratio = (theirs - start.theirs) / (ours - start.ours);
  const group = Object.keys(groups).find((key) => groups[key]!.test(name))!;
  (ratios[group] ??= []).push(ratio);
  if (texts.size !== 1) wrong++;
  const mips = (seconds: number): string => (instructions / seconds / 1e6).toFixed(0).padStart(5);
  console.log(
    `${name.padEnd(18)} ${(instructions / 1e6).toFixed(0).padStart(5)} M  here ${mips(ours - start.ours)} MIPS  QEMU ${mips(theirs - start.theirs)} MIPS  ratio ${ratio.toFixed(2)}  ${[...texts].join(' | ')}`,
  );
}
for (const [group, values] of Object.entries(ratios)) {
  const mean = Math.exp(values.reduce((sum, ratio) => sum + Math.log(ratio), 0) / values.length);
  console.log(`${group}: geometric mean ${mean.toFixed(2)}, least ${Math.min(...values).toFixed(2)}`);
}
process.exit(wrong === 0 ? 0 : 1);

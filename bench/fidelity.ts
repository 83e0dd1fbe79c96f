import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { VirtMachineOptions } from '@tablewalk/board-qemu-virt';
import { VirtMachine } from '@tablewalk/board-qemu-virt';

/*
 * What fidelity costs: the same guests at each, in turn, each run in a process of its own; CPU time of the run without what Node takes to begin.
 *
 * With --level NAME functional and that one alone.
 *
 *   node tests/run-source.mjs bench/fidelity.ts [MILLIONS] [--engine interpreter|wasm] [--runs N]    the first MILLIONS (60) of Linux's boot; needs guests
 *   node tests/run-source.mjs bench/fidelity.ts --programs [REGEXP] [--engine interpreter|wasm] [--runs N]
 *                                                             bench/programs to their ends, the integer ones unless REGEXP says which
 */
const argv = process.argv.slice(2);
const flag = (name: string): string | undefined => {
  const i = argv.indexOf(name);
  return i < 0 ? undefined : argv[i + 1];
};
const engine = flag('--engine') === 'wasm' ? 'wasm' : 'interpreter';
const folder = join(process.cwd(), 'bench/programs/elf');
const LINUX = 'linux';

const guest = (name: string): Partial<VirtMachineOptions> =>
  name === LINUX
    ? {
        memory: 512 << 20,
        kernel: readFileSync('.guests/zImage-armmp'),
        initrd: readFileSync('.guests/initramfs.cpio.gz'),
        append: 'console=ttyAMA0 guest_test=off',
      }
    : { kernel: readFileSync(join(folder, `${name}.elf`)) };

const child = flag('--child');
if (child !== undefined) {
  const limit = Number(flag('--limit'));
  const machine = new VirtMachine({ ...guest(child), engine, ...(JSON.parse(flag('--options')!) as Partial<VirtMachineOptions>) });
  const before = process.cpuUsage();
  while (machine.instructions < limit && machine.runFor(Math.min(500_000, limit - machine.instructions)).reason === 'limit');
  const { user, system } = process.cpuUsage(before);
  console.log(JSON.stringify([user + system, machine.instructions, child === LINUX ? '' : machine.console.tail().trim()]));
  process.exit(0);
}

const runs = Number(flag('--runs') ?? 3);
const wanted = flag('--level');
const levels = (
  [
    ['functional', {}],
    ['architectural', { fidelity: 'architectural' }],
    ['of finite size', { fidelity: 'architectural', retain: 'finite' }],
    ['measured', { fidelity: 'measured' }],
  ] as readonly (readonly [string, Partial<VirtMachineOptions>])[]
).filter(([name], i) => i === 0 || wanted === undefined || name === wanted);
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

/** Microseconds by level. Prints a line; refuses guests that do not do the same. */
const compare = (name: string, limit: number): readonly number[] => {
  const times = levels.map((): number[] => []);
  const outcomes = new Set<string>();
  let instructions = 0;
  for (let i = 0; i < runs; i++)
    levels.forEach(([, options], n) => {
      const more = ['--child', name, '--limit', `${limit}`, '--options', JSON.stringify(options), '--engine', engine];
      const { stdout, stderr } = spawnSync(process.execPath, [process.argv[1]!, ...more], { encoding: 'utf8' });
      if (stdout === '') throw new Error(stderr);
      const [time, count, text] = JSON.parse(stdout) as [number, number, string];
      times[n]!.push(time);
      outcomes.add(text);
      instructions = count;
    });
  if (outcomes.size !== 1) throw new Error(`${name} prints different things: ${[...outcomes].join(' | ')}`);
  const medians = times.map(median);
  const columns = levels.map(
    ([level], n) =>
      `${level} ${(instructions / medians[n]!).toFixed(0)} MIPS${n === 0 ? '' : ` (${(medians[0]! / medians[n]!).toFixed(2)})`}`,
  );
  console.log(`${name.padEnd(18)} ${(instructions / 1e6).toFixed(0).padStart(5)} M  ${columns.join('  ')}`);
  return medians;
};

const programs = argv.indexOf('--programs');
if (programs < 0) compare(LINUX, Number(/^\d+$/.test(argv[0] ?? '') ? argv[0] : 60) * 1e6);
else {
  const pattern = argv[programs + 1]?.startsWith('--') ? undefined : argv[programs + 1];
  const chosen = new RegExp(pattern ?? '^(?!(double|single|fused|neon|svc|mmio|rewriting|fault|start-only)-)');
  const names = readdirSync(folder).map((file) => file.replace('.elf', ''));
  const all = names.filter((name) => chosen.test(name)).map((name) => compare(name, Number.POSITIVE_INFINITY));
  levels.slice(1).forEach(([level], n) => {
    const ratios = all.map((medians) => medians[0]! / medians[n + 1]!);
    const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
    console.log(`${level}: geometric mean ${mean.toFixed(2)} of functional, least ${Math.min(...ratios).toFixed(2)}`);
  });
}

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { countingWords, type Words } from '@tablewalk/alloc';
import { objectPeers, peers, rounding } from './alloc/peers.js';
import { HandleStack, live, replay, type Subject } from './alloc/replay.js';
import { type Ours, ours } from './alloc/subjects.js';
import { PAGES_MASK, SLOT_BITS, type Tape, tapeFor } from './alloc/tape.js';

/*
 * Allocators beside those of npm: node tests/run-source.mjs bench/alloc.ts [rounds [CASES]]; CASES is a regular expression, as in 'uniform 0.85'.
 *
 * A million mixed operations on 256k pages that are kept 50 % or 85 % full, lengths uniform from 1 to 64 or as a kernel asks for them. Each figure
 * is the least over rounds, since whoever shares the processor's cores only adds, for seconds at a time and by up to a half; the median and the most stand in
 * brackets. A round starts one process for each allocator and workload, in turn, so that no allocator's shapes are in another's call sites; the process's
 * figure is the median of five runs. Time is the process's own (user and system); what the loop takes that asks and looks handles up stands beside, and is
 * part of every figure.
 * Loads and stores of metadata are counted in a process of their own, and each refusal is looked into: was there a fit?
 */
/**
 * Whole runs that are not timed, each with an allocator of its own. With fewer, what is timed is V8 compiling once more what it had compiled for the
 * functions of one object alone: a tenth of a second, which is a hundred nanoseconds an operation.
 */
const PREPARATIONS = 6;
/** Runs that are timed; their median is the process's figure. */
const TIMED = 5;
const LOOP = 'the loop alone';

interface Measured {
  nanoseconds?: number;
  refused?: number;
  refusedWithFit?: number;
  mean?: number;
  most?: number;
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

const timed = (subject: () => Subject, tape: Tape): Measured => {
  const end = tape.events.length;
  const times: number[] = [];
  let refused = 0;
  for (let run = 0; run < PREPARATIONS + TIMED; run++) {
    const fresh = subject();
    const state = live(tape);
    replay(fresh, tape, state, 0, tape.warmup);
    const start = process.cpuUsage();
    refused = replay(fresh, tape, state, tape.warmup, end);
    const { user, system } = process.cpuUsage(start);
    if (run >= PREPARATIONS) times.push(((user + system) * 1000) / (end - tape.warmup));
  }
  return { nanoseconds: median(times), refused };
};

const counted = (name: string, tape: Tape): Measured => {
  let accesses = (): number => 0;
  const wrap = (words: Words): Words => {
    const counting = countingWords(words);
    const before = accesses;
    accesses = () => before() + counting.loads + counting.stores;
    return counting;
  };
  const subject: Ours = ours[name]!(wrap);
  const state = live(tape);
  replay(subject, tape, state, 0, tape.warmup);
  const start = accesses();
  let before = start;
  let most = 0;
  let refusedWithFit = 0;
  const end = tape.events.length;
  for (let event = tape.warmup; event < end; event++) {
    const refused = replay(subject, tape, state, event, event + 1);
    const now = accesses();
    if (now - before > most) most = now - before;
    before = now;
    if (refused > 0 && subject.hasFit((tape.events[event]! >>> SLOT_BITS) & PAGES_MASK)) refusedWithFit++;
    // Looking walks the metadata too.
    if (refused > 0) before = accesses();
  }
  return { mean: (before - start) / (end - tape.warmup), most, refusedWithFit };
};

const child = async (name: string, workload: string, fullness: number, counts: boolean): Promise<void> => {
  const isOurs = name in ours;
  const rounds = isOurs ? ours[name]!((words) => words).rounds : rounding.has(name);
  const tape = tapeFor(workload, fullness, rounds);
  let result: Measured;
  if (counts) result = counted(name, tape);
  else if (name === LOOP) result = timed(() => new HandleStack(tape.slots), tape);
  else if (isOurs) result = timed(() => ours[name]!((words) => words), tape);
  else {
    const make = peers[name] ?? objectPeers[name]!;
    const made: Subject[] = [];
    for (let run = 0; run < PREPARATIONS + TIMED; run++) made.push(await make());
    result = timed(() => made.pop()!, tape);
  }
  console.log(JSON.stringify(result));
};

const run = (name: string, workload: string, fullness: number, counts: boolean): Measured => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [process.argv[1]!, '--child', name, workload, String(fullness), counts ? 'count' : 'time'],
    { encoding: 'utf8', maxBuffer: 1 << 24 },
  );
  if (status !== 0) throw new Error(`${name}, ${workload}, ${fullness}: ${stderr}`);
  return JSON.parse(stdout.trim().split('\n').pop()!) as Measured;
};

const main = (): void => {
  if (!existsSync('bench/alloc-peers/node_modules')) {
    const { status } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', 'bench/alloc-peers'], {
      stdio: 'inherit',
    });
    if (status !== 0) throw new Error('the peers cannot be installed');
  }
  const rounds = Number(process.argv[2] ?? 5);
  const cases = new RegExp(process.argv[3] ?? '');
  const ofPages = [
    ['uniform', 0.5],
    ['uniform', 0.85],
    ['kernel', 0.5],
    ['kernel', 0.85],
  ] as const;
  // Linear ones are only asked for what they can do in reasonable time.
  const quick = [LOOP, 'buddy', 'bitmapTree', ...Object.keys(peers)];
  const all = [
    ...ofPages.map(([workload, fullness]) => ({ workload, fullness, names: quick })),
    { workload: 'objects', fullness: 0.5, names: [LOOP, 'slab 64 B', ...Object.keys(objectPeers)] },
  ].filter(({ workload, fullness }) => cases.test(`${workload} ${fullness}`));
  const results = new Map<string, { times: number[]; last: Measured }>();
  const key = (name: string, workload: string, fullness: number): string => `${name}|${workload}|${fullness}`;
  for (let round = 0; round < rounds; round++)
    for (const { workload, fullness, names } of all)
      for (const name of names) {
        const measured = run(name, workload, fullness, false);
        const at = key(name, workload, fullness);
        if (!results.has(at)) results.set(at, { times: [], last: measured });
        results.get(at)!.times.push(measured.nanoseconds!);
      }
  for (const { workload, fullness, names } of all) {
    console.log(`\n${workload}, ${100 * fullness} % full`);
    for (const name of names) {
      const { times, last } = results.get(key(name, workload, fullness))!;
      const counts = name in ours ? run(name, workload, fullness, true) : undefined;
      const accesses = counts ? `${counts.mean!.toFixed(1).padStart(8)} accesses, at most ${String(counts.most).padStart(4)}` : '';
      const refusals = `${String(last.refused).padStart(7)} refused${counts ? `, ${counts.refusedWithFit} of them with a fit` : ''}`;
      const spread = `${median(times).toFixed(0)}, ${Math.max(...times).toFixed(0)}`;
      console.log(
        `  ${name.padEnd(42)} ${Math.min(...times)
          .toFixed(1)
          .padStart(7)} ns (${spread.padStart(9)}) ${refusals} ${accesses}`,
      );
    }
  }
};

if (process.argv[2] === '--child') await child(process.argv[3]!, process.argv[4]!, Number(process.argv[5]), process.argv[6] === 'count');
else main();

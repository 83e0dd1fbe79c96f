// Compares the cache model with Valgrind's cachegrind: cachegrind.ts BINARY. The memory accesses of a static binary, as lackey prints them, go through
// `setAssociativeCache`; cachegrind runs the same binary. Misses of I1 and D1 must be equal, and so must the accesses.
//
// What cachegrind does with an access (its manual, "Cachegrind's simulation"), and so what happens here:
// - an instruction that reads and writes one place (M) is one read;
// - a write that misses allocates, and replacement is LRU;
// - an access over the end of a line touches both lines, the first one first, and is one miss if either was;
// - data longer than the shortest line is cut to it.
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CACHE_HIT, CACHE_L1_INSTRUCTION, type Cache, setAssociativeCache } from '@tablewalk/mmu';

interface Geometry {
  readonly byteLength: number;
  readonly ways: number;
  readonly lineLength: number;
}

interface Pair {
  readonly i1: Geometry;
  readonly d1: Geometry;
}

const pairs: readonly Pair[] = [
  { i1: { byteLength: 32768, ways: 2, lineLength: 64 }, d1: { byteLength: 32768, ways: 2, lineLength: 64 } },
  { i1: { byteLength: 16384, ways: 4, lineLength: 32 }, d1: { byteLength: 16384, ways: 4, lineLength: 32 } },
  { i1: { byteLength: 4096, ways: 1, lineLength: 64 }, d1: { byteLength: 8192, ways: 8, lineLength: 128 } },
  { i1: { byteLength: 2048, ways: 32, lineLength: 64 }, d1: { byteLength: 1024, ways: 16, lineLength: 64 } },
];

const WRITE_BACK_ALLOCATE = 2 | (1 << 2) | (1 << 4);
const deaf = { writtenBack: () => {}, dropped: () => {} };

/** Accesses and misses as cachegrind counts them. */
class Counted {
  readonly cache: Cache;
  private readonly lineLength: number;
  private readonly longest: number;
  readonly accesses = [0, 0];
  readonly misses = [0, 0];

  constructor(geometry: Geometry, instruction: boolean, longest: number) {
    this.cache = setAssociativeCache({ ...geometry, replacement: 'lru', ...(instruction && { unit: CACHE_L1_INSTRUCTION }) });
    this.lineLength = geometry.lineLength;
    this.longest = longest;
  }

  access(address: number, size: number, write: 0 | 1): void {
    const last = address + Math.min(size, this.longest) - 1;
    this.accesses[write]++;
    let hit = this.line(address, write);
    if (Math.floor(last / this.lineLength) !== Math.floor(address / this.lineLength)) hit = this.line(last, write) && hit;
    if (!hit) this.misses[write]++;
  }

  private line(address: number, write: 0 | 1): boolean {
    return (this.cache.access(address % 2 ** 32, address, write === 1, WRITE_BACK_ALLOCATE, deaf) & CACHE_HIT) !== 0;
  }
}

/** Both tools see one process: the same environment, the same addresses. */
const under = (tool: string, ...options: string[]): [string, string[]] => ['setarch', ['-R', 'valgrind', `--tool=${tool}`, ...options]];
const environment = { PATH: process.env['PATH'] ?? '' };

async function trace(binary: string, access: (kind: string, address: number, size: number) => void): Promise<void> {
  const [command, options] = under('lackey', '--trace-mem=yes', '--log-fd=3', binary);
  const child = spawn(command, options, { env: environment, stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
  let rest = '';
  for await (const chunk of child.stdio[3] as AsyncIterable<Buffer>) {
    const lines = (rest + chunk.toString('latin1')).split('\n');
    rest = lines.pop() as string;
    for (const line of lines) {
      // "I  04001000,3", " L 1ffe,8", " S ...", " M ..."; Valgrind's own lines begin with "==".
      if (line.length < 5 || line[0] === '=') continue;
      const comma = line.indexOf(',', 3);
      access(line[0] === ' ' ? line[1] : line[0], Number.parseInt(line.slice(3, comma), 16), Number(line.slice(comma + 1)));
    }
  }
}

function cachegrind(binary: string, { i1, d1 }: Pair): Record<string, number> {
  const file = join(tmpdir(), `cachegrind-${process.pid}.out`);
  const of = (g: Geometry): string => `${g.byteLength},${g.ways},${g.lineLength}`;
  const [command, options] = under(
    'cachegrind',
    '--cache-sim=yes',
    `--I1=${of(i1)}`,
    `--D1=${of(d1)}`,
    `--LL=${8 << 20},16,${Math.max(i1.lineLength, d1.lineLength)}`,
    `--cachegrind-out-file=${file}`,
    binary,
  );
  execFileSync(command, options, { env: environment, stdio: ['ignore', 'ignore', 'ignore'] });
  const text = readFileSync(file, 'utf8');
  const names = (/^events: (.*)$/m.exec(text)?.[1] ?? '').split(' ');
  const counts = (/^summary: (.*)$/m.exec(text)?.[1] ?? '').split(' ').map(Number);
  return Object.fromEntries(names.map((name, i) => [name, counts[i]]));
}

const binary = process.argv[2];
const models = pairs.map(({ i1, d1 }) => {
  const longest = Math.min(i1.lineLength, d1.lineLength);
  return { i1: new Counted(i1, true, 1 << 30), d1: new Counted(d1, false, longest) };
});
await trace(binary, (kind, address, size) => {
  for (const { i1, d1 } of models) {
    if (kind === 'I') i1.access(address, size, 0);
    else d1.access(address, size, kind === 'S' ? 1 : 0);
  }
});
let failed = 0;
for (const [i, { i1, d1 }] of models.entries()) {
  const theirs = cachegrind(binary, pairs[i]);
  const ours: Record<string, number> = {
    Ir: i1.accesses[0],
    I1mr: i1.misses[0],
    Dr: d1.accesses[0],
    D1mr: d1.misses[0],
    Dw: d1.accesses[1],
    D1mw: d1.misses[1],
  };
  const text = Object.entries(ours).map(
    ([name, count]) => `${name} ${count}${theirs[name] === count ? '' : ` (cachegrind ${theirs[name]})`}`,
  );
  const differs = Object.entries(ours).some(([name, count]) => theirs[name] !== count);
  if (differs) failed++;
  const of = (g: Geometry): string => `${g.byteLength / 1024}K/${g.ways}/${g.lineLength}`;
  console.log(`I1 ${of(pairs[i].i1)} D1 ${of(pairs[i].d1)}: ${text.join(', ')}: ${differs ? 'differs' : 'equal'}`);
}
process.exit(failed === 0 ? 0 : 1);

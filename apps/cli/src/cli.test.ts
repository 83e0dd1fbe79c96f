import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { assemble } from '@tablewalk/arm-core';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** The command as users run it: another process, real pipes. Bundled from the sources, so that no build stands in between. */
const folder = mkdtempSync(join(tmpdir(), 'tablewalk-cli-'));
const main = join(folder, 'app', 'dist', 'main.js');
const root = fileURLToPath(new URL('../../../', import.meta.url));

beforeAll(async () => {
  mkdirSync(join(folder, 'app'));
  writeFileSync(join(folder, 'app', 'package.json'), readFileSync(join(root, 'apps/cli/package.json')));
  await build({
    entryPoints: [join(root, 'apps/cli/src/main.ts')],
    outdir: join(folder, 'app', 'dist'),
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'es2022',
    tsconfig: join(root, 'tsconfig.base.json'),
    plugins: [
      {
        name: 'sources',
        setup: ({ onResolve }) => {
          onResolve({ filter: /^@tablewalk\// }, ({ path }) => {
            const [, name, ...rest] = path.split('/');
            return { path: join(root, 'packages', name!, 'src', ...rest, 'index.ts') };
          });
        },
      },
    ],
  });
});
afterAll(() => rmSync(folder, { recursive: true }));

const tablewalk = (args: readonly string[], input: string | Uint8Array = '') => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    input,
    cwd: folder,
    timeout: 60_000,
    encoding: 'latin1',
  });
  return { status, stdout, stderr };
};

const path = (name: string, bytes: Uint8Array | string): string => {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
};
const program = (name: string, source: string): string => path(name, assemble(source, { origin: 0x40010000 }).bytes);

describe('tablewalk', () => {
  it('says its version', () => {
    expect(tablewalk(['--version'])).toEqual({ status: 0, stdout: '0.1.0\n', stderr: '' });
  });

  it.each([
    [['frob'], 'frob'],
    [['run', '--frob'], '--frob'],
    [['run', '-m', 'abc'], 'abc'],
    [['run', '-smp', '2'], 'one core'],
    [['run', '--trace', '/no/where'], '/no/where'],
    [['run', '--save', '/no/where'], '/no/where'],
    [['run', '--dtb', '/dev/zero'], 'larger'],
    [['run', '--load', 'x', '-m', '512'], '--memory'],
    [['disasm'], 'file'],
    [['disasm', '/no/where'], 'no such file'],
    [['alloc', '--frob'], '--frob'],
    [['alloc', '--allocator', 'frob'], 'built in are bitmapTree, buddy, knr, zoneList'],
    [['alloc', '--allocator', 'buddy:maxOrder=11'], 'maxOrder 11 is not 0 to 10'],
    [['alloc', '--object-cache', 'buddy'], "no object cache 'buddy'"],
    [['alloc', '--workload', 'frob'], 'there are kernel, uniform'],
    [['alloc', '--workload', 'robson', '--object-cache', 'slab'], 'looks at where pages are'],
    [['alloc', '--pages', '16', '--operations', '9', '--record', '/no/where'], 'cannot write the trace'],
  ])('%j is one line and status 64', (args, words) => {
    const { status, stdout, stderr } = tablewalk(args);
    expect(status).toBe(64);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^tablewalk: .*\n$/);
    expect(stderr).not.toContain('[');
    expect(stderr).toContain(words);
  });

  it('refuses a kernel of 20 GB without reading it', () => {
    const huge = path('huge', '');
    truncateSync(huge, 20e9);
    const { status, stderr } = tablewalk(['run', huge]);
    expect(status).toBe(64);
    expect(stderr).toContain('larger');
    rmSync(huge);
  });
});

describe('tablewalk run', () => {
  it('boots the built-in guest, and ends with it', () => {
    const { status, stdout, stderr } = tablewalk(['run', '--stats']);
    expect(status).toBe(0);
    expect(stdout).toContain('Powering off.');
    expect(stderr).toMatch(/^tablewalk: \d+ instructions in /);
  });

  it('ends quietly when its output is no longer read', async () => {
    const child = spawn(process.execPath, [main, 'run'], { stdio: ['ignore', 'pipe', 'pipe'] });
    let errors = '';
    child.stderr.on('data', (data) => (errors += data));
    child.stdout.destroy();
    const status = await new Promise((resolve) => child.on('exit', resolve));
    expect(status).toBe(0);
    expect(errors).toBe('');
  });

  // Echoes what is typed until a full stop, polling.
  const echo = `
      ldr r1, =0x09000000
    next:
      ldr r2, [r1, #0x18]
      tst r2, #0x10
      bne next
      ldr r2, [r1]
      str r2, [r1]
      cmp r2, #'.'
      bne next
      ldr r0, =0x84000008
      hvc #0
      .ltorg
  `;

  it('loses nothing in either direction', () => {
    const kernel = program('echo', echo);
    const text = `${Array.from({ length: 40_000 }, (_, n) => `line ${n}`).join('\n')}.`;
    const { status, stdout } = tablewalk(['run', kernel], text);
    expect(status).toBe(0);
    expect(stdout === text).toBe(true);
  });

  it('answers --send in order and ends at --exit-on', () => {
    const kernel = program('echo2', echo);
    const { status, stdout } = tablewalk(['run', kernel, '--send', 'a=>bc\\c', '--send', 'bc=>xyz\\c', '--exit-on', 'yz'], 'a');
    expect(status).toBe(0);
    expect(stdout).toBe('abcxyz');
  });

  it('types a reply at a guest that sleeps with no timer', () => {
    // Prints '?', sleeps until a key wakes it, prints the key and powers off. INTID 33 is the UART.
    const kernel = program(
      'sleeper',
      `
      ldr r0, =0x08000000
      mov r1, #1
      str r1, [r0]
      mov r2, #2
      str r2, [r0, #0x104]
      mov r2, #0x100
      str r2, [r0, #0x820]
      ldr r0, =0x08010000
      mov r2, #0xff
      str r2, [r0, #4]
      str r1, [r0]
      ldr r3, =0x09000000
      mov r2, #0x10
      str r2, [r3, #0x38]
      mov r2, #'?'
      str r2, [r3]
      wfi
      ldr r2, [r3]
      str r2, [r3]
      ldr r0, =0x84000008
      hvc #0
      .ltorg
    `,
    );
    expect(tablewalk(['run', kernel, '--send', '?=>k\\c', '--timeout', '20'])).toMatchObject({ status: 0, stdout: '?k' });
    const alone = tablewalk(['run', kernel, '--timeout', '20']);
    expect(alone.status).toBe(124);
    expect(alone.stderr).toContain('waits for ever');
  });

  it('reports crashes and limits by status', () => {
    const crash = tablewalk([
      'run',
      program('crash', 'ldr r0, =0xf0000000\n mcr p15, 0, r0, c12, c0, 0\n isb\n bx r0\n .ltorg'),
      '--timeout',
      '20',
    ]);
    expect(crash.status).toBe(66);
    expect(crash.stderr).toMatch(/^tablewalk: the guest .*\n$/);
    expect(tablewalk(['run', program('loop', 'x: b x'), '--max-instructions', '1e4']).status).toBe(124);
    expect(tablewalk(['run', program('loop', 'x: b x'), '--timeout', '0.1']).status).toBe(124);
  });

  it('gives the status of the guest, by semihosting', () => {
    const exit = (status: number): string => `
      mov r0, #0x20
      adr r1, block
      svc #0x123456
    block: .word 0x20026, ${status}
    `;
    expect(tablewalk(['run', '--semihosting', program('exit', exit(5))]).status).toBe(5);
    const large = tablewalk(['run', '--semihosting', program('exit', exit(64))]);
    expect(large.status).toBe(63);
    expect(large.stderr).toContain('64');
  });

  it('goes on from a snapshot without the images, in another folder', () => {
    const kernel = program('counted', echo);
    const snapshot = join(folder, 'snapshot');
    expect(tablewalk(['run', 'counted', '--exit-on', 'ab', '--save', snapshot], 'ab').status).toBe(0);
    rmSync(kernel);
    expect(existsSync(`${snapshot}.part`)).toBe(false);
    expect(statSync(snapshot).size).toBeGreaterThan(1000);
    expect(tablewalk(['run', '--load', snapshot], 'cd.')).toMatchObject({ status: 0, stdout: 'cd.' });
    const bytes = readFileSync(snapshot);
    for (const length of [0, 10, 40, 500, bytes.length - 5000]) {
      const { status, stderr } = tablewalk(['run', '--load', path('cut', bytes.subarray(0, length))]);
      expect(status).toBe(64);
      expect(stderr).toMatch(/^tablewalk: .*\n$/);
    }
    const renamed = Buffer.from(bytes.toString('latin1').replace('"pages"', '"pagez"'), 'latin1');
    expect(tablewalk(['run', '--load', path('odd', renamed)])).toMatchObject({ status: 64 });
  });

  it('reads monitor commands from a pipe, then types the rest', () => {
    const kernel = program('echo3', echo);
    const { status, stdout } = tablewalk(['run', '-S', kernel], 'info registers\nc\nhello.');
    expect(status).toBe(0);
    expect(stdout).toContain('pc=40000000');
    expect(stdout.endsWith('hello.')).toBe(true);
    expect(tablewalk(['run', '-S', kernel], 'info status\n').status).toBe(0);
  });

  it('leaves cleanly when interrupted, and saves', async () => {
    const kernel = program('forever', `${'mov r0, r0\n'.repeat(4)} ldr r1, =0x09000000\n mov r0, #'!'\n str r0, [r1]\n x: b x\n .ltorg`);
    const snapshot = join(folder, 'interrupted');
    const child = spawn(process.execPath, [main, 'run', kernel, '--save', snapshot], { stdio: ['ignore', 'pipe', 'ignore'] });
    child.stdout.once('data', () => child.kill('SIGINT'));
    const status = await new Promise((resolve) => child.on('exit', resolve));
    expect(status).toBe(130);
    expect(existsSync(snapshot)).toBe(true);
  });

  it.runIf(process.platform === 'linux')('runs the guest before what compiles for it', async () => {
    const kernel = program('forever2', `ldr r1, =0x09000000\n mov r0, #'!'\n str r0, [r1]\n x: b x\n .ltorg`);
    const child = spawn(process.execPath, [main, 'run', kernel], { stdio: ['ignore', 'pipe', 'ignore'] });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const niceness = new Map(readdirSync(`/proc/${child.pid}/task`).map((id) => [Number(id), getPriority(Number(id))]));
    child.kill('SIGINT');
    const own = niceness.get(child.pid!)!;
    niceness.delete(child.pid!);
    expect(own).toBe(getPriority());
    // Threads that are started later (for files) are as the guest's.
    expect([...niceness.values()].filter((n) => n === Math.min(own + 5, 19)).length).toBeGreaterThanOrEqual(4);
  });

  it('traces a handler at its own address, with symbols', () => {
    const map = path('System.map', '4001000c T spin\n40010000 T begin\n');
    const { stderr } = tablewalk(['run', '--trace', '-', '--symbols', map, '--max-instructions', '9000']);
    const lines = stderr.split('\n');
    expect(lines.some((line) => line.includes('40010004 <begin+0x4>'))).toBe(true);
    // In the built-in guest the instruction after WFI is not executed before the handler.
    const wfi = lines.findIndex((line) => / {2}wfi\b/.test(line));
    if (wfi >= 0) expect(lines[wfi + 1]).toMatch(/ {2}b 0x/);
  });
});

describe('tablewalk disasm', () => {
  it('prints words, images and pieces of images', () => {
    expect(tablewalk(['disasm', '--hex', 'e2810004']).stdout).toBe('00000000:  e2810004  add r0, r1, #4\n');
    const image = path('image', Uint8Array.of(0x01, 0x30, 0x70, 0x47));
    expect(tablewalk(['disasm', '--thumb', '--base', '0x100', '--start', '0x102', image]).stdout).toBe('00000102:  4770      bx lr\n');
    expect(tablewalk(['disasm', '--thumb', '--count', '1', image]).stdout).toBe('00000000:  3001      adds r0, #1\n');
  });
});

describe('tablewalk kmem and walk', () => {
  it('boots the kernel and shows steps, regions, maps, allocators and costs', { timeout: 120_000 }, () => {
    const { status, stdout, stderr } = tablewalk([
      'kmem',
      '-m',
      '16',
      '--workload',
      'programs',
      '--allocator',
      'buddy',
      '--object-cache',
      'slab',
    ]);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    for (const text of [
      'kmem: directMap, linked at 0x80010000, loaded at 0x40010000\r\n',
      '1. start-up code',
      '2. kmem_init2, MMU off',
      '1 identity section at ',
      'TTBCR      = 0x00000001',
      '5. the identity page removed',
      '0x8000 0000 - 0xff7f ffff  TTBR1  kernel direct map',
      'kernalloc (tablewalk/buddy): ',
      'Node 0, zone   Normal',
      'task              ',
      'TLB maintenance',
      'npm start -- run -bios .guests/u-boot.bin',
    ])
      expect(stdout).toContain(text);
    // No colours in a pipe.
    expect(stdout).not.toContain('\x1b[');
  });

  it('boots the other policy at another address', { timeout: 120_000 }, () => {
    const { status, stdout } = tablewalk(['kmem', '-m', '16', '--policy', 'pmmVmm', '--load-address', '0x40300000', '-cpu', 'cortex-a7']);
    expect(status).toBe(0);
    expect(stdout).toContain('kmem: pmmVmm on cortex-a7, 16 MiB of RAM, loaded at 0x40300000, linked at 0x80300000\n');
    expect(stdout).toContain('vmm (tablewalk/zone-list): ');
  });

  it('explains a walk, of that kernel and of a saved machine', { timeout: 120_000 }, () => {
    const { status, stdout } = tablewalk(['walk', '-m', '16', '8010_0123']);
    expect(status).toBe(0);
    expect(stdout).toContain('level 1: 0x4011141e at ');
    expect(stdout).toContain('PL1 rw, PL0 nothing\n0x80100123 -> 0x0040100123\n');
    const saved = join(folder, 'walk.tw');
    expect(tablewalk(['run', '--exit-on', 'MMU on', '--save', saved]).status).toBe(0);
    const there = tablewalk(['walk', '--load', saved, '0x80010000']);
    expect(there.stdout).toContain('0x80010000 -> 0x0040010000\n');
    expect(there.status).toBe(0);
  });

  it('refuses in one line', () => {
    const { status, stderr } = tablewalk(['kmem', '-m', '16', '--policy', 'pmmVmm', '--allocator', 'knr']);
    expect([status, stderr]).toEqual([64, 'tablewalk: tablewalk/knr keeps its words in free pages, which have no address under pmmVmm\n']);
  });
});

describe('tablewalk alloc', () => {
  const quick = ['--pages', '512', '--operations', '800'];

  it('compares the built-in ones in a table, with a map of each', () => {
    const { status, stdout, stderr } = tablewalk(['alloc', ...quick]);
    expect([status, stderr]).toEqual([0, '']);
    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(/^workload kernel, seed 1, 85 % full: 512 pages, \d+ events to fill them, 800 operations$/);
    expect(lines.slice(3, 7).map((line) => line.split(' ')[0])).toEqual(['bitmapTree', 'buddy', 'knr', 'zoneList']);
    // First fit twice: the same places, so the same map, row by row.
    const map = (name: string): string[] => lines.slice(lines.lastIndexOf(name) + 1, lines.lastIndexOf(name) + 23);
    expect(map('zoneList')).toEqual(map('bitmapTree'));
    expect(map('zoneList').filter((line) => /^ *\d+ \|.{80}\|$/.test(line)).length).toBeGreaterThanOrEqual(15);
    expect(stdout).not.toContain('\x1b');
  });

  it('records a workload, and does the same from the recording', () => {
    const file = join(folder, 'trace');
    const all = ['--allocator', 'bitmapTree', '--json', '--pages', '512'];
    const first = JSON.parse(tablewalk(['alloc', ...quick, ...all.slice(0, 3), '--seed', '7', '--record', file]).stdout);
    const second = JSON.parse(tablewalk(['alloc', ...all, '--trace', file]).stdout);
    expect(first).toMatchObject({
      schema: 'tablewalk/alloc',
      version: 1,
      workload: { name: 'kernel', seed: 7, operations: 800 },
      pageCount: 512,
    });
    const without = ({ nanosecondsPerOperation, ...rest }: { nanosecondsPerOperation: number }) => {
      expect(nanosecondsPerOperation).toBeGreaterThan(0);
      return rest;
    };
    expect(without(second.results[0])).toEqual(without(first.results[0]));
    expect(second.workload).toMatchObject({ trace: file, warmup: first.workload.warmup });
    const broken = path('broken-trace', readFileSync(file, 'latin1').replace(/^a 0 /m, 'a 99999999 '));
    const { status, stderr } = tablewalk(['alloc', '--trace', broken]);
    expect(status).toBe(64);
    expect(stderr).toMatch(/^tablewalk: line \d+: the slot is not an integer from 0 to \d+\n$/);
  });

  it('runs object caches over allocators, and plugins of strangers', () => {
    const { status, stdout } = tablewalk([
      'alloc',
      ...quick,
      '--object-cache',
      'slab',
      '--allocator',
      'buddy,zone-list',
      '--fullness',
      '0.4',
    ]);
    expect(status).toBe(0);
    expect(stdout).toContain('slab over buddy');
    expect(stdout).toContain('slab over zone-list');
    path('stranger.mjs', 'export default () => { throw new Error("no"); };');
    expect(tablewalk(['alloc', '--allocator', './stranger.mjs'])).toMatchObject({
      status: 64,
      stderr: 'tablewalk: the allocator ./stranger.mjs cannot be made: no\n',
    });
    path('old.mjs', 'export default { contract: 2, name: "me/old" };');
    expect(tablewalk(['alloc', '--allocator', './old.mjs']).stderr).toBe(
      'tablewalk: the allocator ./old.mjs speaks version 2 of the allocator contract; this is version 1\n',
    );
    path(
      'odd.mjs',
      'const f = () => 0; export default { contract: 1, name: "me/odd", capabilities: {}, metadataWords: f, create: f, attach: f };',
    );
    expect(tablewalk(['alloc', '--allocator', './odd.mjs'])).toMatchObject({
      status: 64,
      stderr: expect.stringMatching(/^tablewalk: .*capabilities.*\n$/),
    });
    // It works until it does not: the run ends, and says whose doing it was.
    path(
      'late.mjs',
      `export default { contract: 1, name: "me/late",
        capabilities: { complete: false, partialFree: false, reserve: false, resize: false, alignment: 'any' },
        metadataWords: () => 1, attach() {}, create: () => ({ name: 'late', allocate: () => 0x40003, reserve: () => -6, free: () => -6, resize: () => -6,
          forEachRun() {}, stats() {}, check: () => [] }) };`,
    );
    const late = tablewalk(['alloc', ...quick, '--workload', 'uniform', '--allocator', './late.mjs']);
    expect(late).toMatchObject({
      status: 64,
      stderr: expect.stringMatching(/^tablewalk: \.\/late\.mjs: .* page 262147, which is taken or none of its own\n$/),
    });
  });
});

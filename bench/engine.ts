import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assemble } from '@tablewalk/arm-core';
import { VirtMachine } from '@tablewalk/board-qemu-virt';

/*
 * One loop of telling instructions three ways, interleaved: the machine's interpreter, its translator, and QEMU.
 * MMU off. Prints millions of guest instructions a second, medians, and ratios; the loop's checksum must be the same everywhere.
 */
const ROUND = 14;
const source = (rounds: number): string => `
  ldr   r2, =${rounds}
  ldr   r0, =0x40100000
  mov   r4, #1
  mov   r5, #0
  mov   r6, #0
  mov   r7, #0
  b     loop
  .ltorg
  .align 6
loop:
  ldrb  r3, [r0, #3]
  eor   r4, r4, r3, lsl #24
  adds  r5, r5, r4
  adc   r6, r6, #0
  movs  r8, r4, lsr #3
  addcs r7, r7, #1
  str   r5, [r0]
  ldrh  r9, [r0, #2]
  ldmia r0, {r10, r11}
  mla   r6, r10, r9, r6
  ubfx  r8, r5, #4, #9
  eor   r4, r5, r4, ror #7
  subs  r2, r2, #1
  bne   loop
  ldr   r1, =0x40100100
  stmia r1, {r4-r7}
  eor   r0, r4, r5
  ldr   r1, =0x09000000
  mov   r3, #8
digit:
  mov   r0, r0, ror #28
  and   r2, r0, #15
  cmp   r2, #10
  addlt r2, r2, #48
  addge r2, r2, #87
  str   r2, [r1]
  subs  r3, r3, #1
  bne   digit
  ldr   r0, =0x84000008
  hvc   #0
`;

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;
const seconds = (run: () => void): number => {
  const start = process.hrtime.bigint();
  run();
  return Number(process.hrtime.bigint() - start) / 1e9;
};
const image = (rounds: number): Uint8Array => assemble(source(rounds), { origin: 0x40010000 }).bytes;

const machine = (engine: 'interpreter' | 'wasm', rounds: number): { mips: number; sum: string } => {
  const machine = new VirtMachine({ kernel: image(rounds), engine });
  let time = 0;
  time = seconds(() => {
    while (machine.runFor(1e9).reason === 'limit');
  });
  return { mips: machine.instructions / time / 1e6, sum: machine.console.tail() };
};

const folder = mkdtempSync(join(tmpdir(), 'tablewalk-bench-'));
const qemuOnce = (rounds: number): { time: number; sum: string } => {
  const file = join(folder, `${rounds}.bin`);
  writeFileSync(file, image(rounds));
  let sum = '';
  const time = seconds(() => {
    sum = execFileSync('qemu-system-arm', ['-M', 'virt', '-cpu', 'cortex-a15', '-nographic', '-nic', 'none', '-kernel', file], {
      stdio: ['ignore', 'pipe', 'ignore'],
    }).toString();
  });
  return { time, sum };
};
const qemu = (rounds: number): { mips: number; sum: string } => {
  const whole = qemuOnce(rounds);
  const start = qemuOnce(1);
  return { mips: (rounds * ROUND) / (whole.time - start.time) / 1e6, sum: whole.sum };
};

const rounds = Number(process.argv[2] ?? 20_000_000);
const results: Record<string, { mips: number[]; sums: Set<string> }> = {};
for (let turn = 0; turn < 5; turn++) {
  for (const [name, run] of Object.entries({
    interpreter: (n: number) => machine('interpreter', n),
    wasm: (n: number) => machine('wasm', n),
    qemu,
  })) {
    const { mips, sum } = run(rounds);
    results[name] ??= { mips: [], sums: new Set() };
    results[name].mips.push(mips);
    results[name].sums.add(sum.trim());
  }
}
rmSync(folder, { recursive: true });
const base = median(results['qemu']!.mips);
for (const [name, { mips, sums }] of Object.entries(results))
  console.log(
    `${name.padEnd(9)} ${median(mips).toFixed(0).padStart(6)} MIPS  ${(median(mips) / base).toFixed(2)} of QEMU  checksum ${[...sums].join(' ')}`,
  );
process.exit(new Set(Object.values(results).flatMap(({ sums }) => [...sums])).size === 1 ? 0 : 1);

// Debian's Linux to the end of its workloads and power-off, here and on QEMU, in turn: node bench/linux.mjs [RUNS]. Needs `npm run build` and guests.
import { spawnSync } from 'node:child_process';

const runs = Number(process.argv[2] ?? 1);
const guest = [
  '-m',
  '512',
  '-kernel',
  '.guests/zImage-armmp',
  '-initrd',
  '.guests/initramfs.cpio.gz',
  '-append',
  'console=ttyAMA0 guest_test=off',
];
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

const timed = (command, args) => {
  const start = process.hrtime.bigint();
  const run = spawnSync(command, args, { encoding: 'latin1', maxBuffer: 1 << 26, input: '' });
  if (run.status !== 0) throw new Error(`${command} ended with ${run.status}: ${run.stderr}`);
  return { seconds: Number(process.hrtime.bigint() - start) / 1e9, errors: run.stderr };
};

const here = [];
const qemu = [];
let instructions = 0;
for (let i = 0; i < runs; i++) {
  const ours = timed(process.execPath, ['apps/cli/dist/main.js', 'run', '--stats', ...guest]);
  instructions = Number(/(\d+) instructions/.exec(ours.errors)[1]);
  here.push(ours.seconds);
  qemu.push(timed('qemu-system-arm', ['-M', 'virt', '-cpu', 'cortex-a15', '-nographic', '-nic', 'none', ...guest]).seconds);
  console.log(ours.errors.trim());
}
const line = (name, seconds) =>
  console.log(`${name.padEnd(10)} ${seconds.toFixed(1)} s  ${(instructions / seconds / 1e6).toFixed(0)} MIPS`);
line('tablewalk', median(here));
line('qemu', median(qemu));
console.log(`ratio      ${(median(here) / median(qemu)).toFixed(1)}`);

// Debian's Linux here and on QEMU, in turn: node bench/linux.mjs [RUNS [armmp|debian-installer]]. armmp goes to the end of its workloads and powers off,
// debian-installer to its language screen. The whole process's time. Needs `npm run build` and guests.
import { spawn } from 'node:child_process';

const guests = {
  armmp: {
    arguments: ['-kernel', '.guests/zImage-armmp', '-initrd', '.guests/initramfs.cpio.gz', '-append', 'console=ttyAMA0 guest_test=off'],
  },
  'debian-installer': {
    arguments: ['-kernel', '.guests/netboot/vmlinuz', '-initrd', '.guests/netboot/initrd.gz', '-append', 'console=ttyAMA0'],
    until: 'Select a language',
  },
};
const runs = Number(process.argv[2] ?? 1);
const guest = guests[process.argv[3] ?? 'armmp'];
if (guest === undefined) throw new Error(`there is ${Object.keys(guests).join(' and ')}`);
const { until } = guest;
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/** Seconds to the end of the process, which is killed when it has printed `until` and `ends` is false. */
const timed = (command, args, ends) =>
  new Promise((resolve, reject) => {
    const start = process.hrtime.bigint();
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let printed = '';
    let errors = '';
    let isKilled = false;
    child.stdout.setEncoding('latin1').on('data', (text) => {
      printed += text;
      if (ends || !printed.includes(until)) return;
      isKilled = true;
      child.kill('SIGKILL');
    });
    child.stderr.on('data', (text) => {
      errors += text;
    });
    child.on('error', reject);
    child.on('close', (status) => {
      const seconds = Number(process.hrtime.bigint() - start) / 1e9;
      if (status === 0 || isKilled) resolve({ seconds, errors });
      else reject(new Error(`${command} ended with ${status}: ${errors}`));
    });
  });

const here = [];
const qemu = [];
let instructions = 0;
for (let i = 0; i < runs; i++) {
  const exit = until === undefined ? [] : ['--exit-on', until];
  const ours = await timed(process.execPath, ['apps/cli/dist/main.js', 'run', '--stats', '-m', '512', ...guest.arguments, ...exit], true);
  instructions = Number(/(\d+) instructions/.exec(ours.errors)[1]);
  here.push(ours.seconds);
  const theirs = ['-M', 'virt', '-cpu', 'cortex-a15', '-nographic', '-nic', 'none', '-m', '512', ...guest.arguments];
  qemu.push((await timed('qemu-system-arm', theirs, until === undefined)).seconds);
  console.log(ours.errors.trim());
}
const line = (name, seconds) =>
  console.log(
    `${name.padEnd(10)} ${median(seconds).toFixed(1)} s (${Math.min(...seconds).toFixed(1)}-${Math.max(...seconds).toFixed(1)})  ${(instructions / median(seconds) / 1e6).toFixed(0)} MIPS`,
  );
line('tablewalk', here);
line('qemu', qemu);
console.log(
  `ratio      ${(median(here) / median(qemu)).toFixed(2)}, in turn ${here.map((seconds, i) => (seconds / qemu[i]).toFixed(2)).join(' ')}`,
);

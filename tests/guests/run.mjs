// Boots real guests with the built command line and compares their consoles with the references: run.mjs [NAME...] (default: all).
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { difference } from './normalise.mjs';
import { virtioFiles } from './virtio-files.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));
const guests = join(root, '.guests');
const cache = join(root, '.cache/guests');
mkdirSync(cache, { recursive: true });
const reference = (name) => readFileSync(join(here, 'reference', `${name}.console.txt`), 'latin1');

const kernel = (image) => ['-kernel', join(guests, image), '-initrd', join(guests, 'initramfs.cpio.gz')];
const off = ['-append', 'console=ttyAMA0 guest_test=off'];

const workloads = (text) =>
  text
    .replaceAll('\r', '')
    .split('\n')
    .filter((line) => line.includes('@@W'));
const sameWorkloads = (log, name) =>
  JSON.stringify(workloads(log)) === JSON.stringify(workloads(reference(name))) ? [] : ['the workloads print other results'];
const contains = (log, texts) => texts.filter((text) => !log.includes(text)).map((text) => `'${text}' was not printed`);

const ubootScript = [
  'bdinfo',
  'md 40000000 8',
  'fdt addr $fdtcontroladdr; fdt print /memory@40000000',
  'virtio scan; virtio info',
  'crc32 40000000 10',
  'poweroff',
];

const suites = {
  'u-boot': {
    arguments: () => [
      '-bios',
      join(guests, 'u-boot.bin'),
      '--send',
      'Hit any key=> ',
      ...ubootScript.flatMap((command) => ['--send', `=> =>${command}`]),
    ],
    check: (log) =>
      contains(log, [
        'DRAM bank   = 0x00000000',
        '-> size     = 0x20000000',
        '40000000: edfe0dd0',
        'device_type = "memory"',
        'crc32 for 40000000 ... 4000000f ==> ',
        'poweroff ...',
      ]),
  },
  armmp: {
    arguments: () => [...kernel('zImage-armmp'), ...off],
    check: (log) => [...sameWorkloads(log, 'linux-armmp'), ...difference(log, reference('linux-armmp'))],
  },
  'armmp-a7': {
    arguments: () => ['-cpu', 'cortex-a7', ...kernel('zImage-armmp'), ...off],
    check: (log) => [...sameWorkloads(log, 'linux-armmp'), ...contains(log, ['[410fc075]'])],
  },
  'armmp-architectural': {
    arguments: () => ['--fidelity', 'architectural', ...kernel('zImage-armmp'), ...off],
    check: (log) => [...sameWorkloads(log, 'linux-armmp')],
  },
  'armmp-a7-architectural': {
    arguments: () => ['-cpu', 'cortex-a7', '--fidelity', 'architectural', ...kernel('zImage-armmp'), ...off],
    check: (log) => [...sameWorkloads(log, 'linux-armmp'), ...contains(log, ['[410fc075]'])],
  },
  'armmp-lpae': {
    arguments: () => [...kernel('zImage-armmp-lpae'), ...off],
    check: (log) => [...sameWorkloads(log, 'linux-armmp-lpae'), ...difference(log, reference('linux-armmp-lpae'))],
  },
  'armmp-virtio': {
    arguments: () => {
      const { initrd, disk } = virtioFiles(guests, cache);
      return [
        '-kernel',
        join(guests, 'zImage-armmp'),
        '-initrd',
        initrd,
        '-append',
        'console=ttyAMA0 quiet',
        '-drive',
        `file=${disk},if=virtio`,
        '-net',
        'user',
        '--rng',
      ];
    },
    check: (log) => [
      ...contains(log, [
        'hello from the host',
        '@@W ext4-rw',
        'lease of 10.0.2.15 obtained from 10.0.2.2',
        '3 packets received, 0% packet loss',
        '@@W ping',
      ]),
      ...(log.includes('@@FAIL') ? ['a module or mount failed'] : []),
      // What the guest wrote is in the image: the md5 that it printed twice is the file's.
      ...(log.split(
        execFileSync('debugfs', ['-R', 'cat /written', join(cache, 'disk.img')], { stdio: ['ignore', 'pipe', 'ignore'] }).toString() ===
          numbers()
          ? numbersMd5
          : 'not written',
      ).length === 3
        ? []
        : ['the file on the image is not what the guest wrote']),
    ],
  },
  'u-boot-to-linux': {
    arguments: () => ['-bios', join(guests, 'u-boot.bin'), ...kernel('zImage-armmp'), ...off],
    check: (log) => [...sameWorkloads(log, 'linux-armmp'), ...contains(log, ['loading kernel to address 40400000', 'Starting kernel ...'])],
  },
  'debian-installer': {
    arguments: () => [
      '-kernel',
      join(guests, 'netboot/vmlinuz'),
      '-initrd',
      join(guests, 'netboot/initrd.gz'),
      '-append',
      'console=ttyAMA0',
      '--exit-on',
      'Select a language',
    ],
    check: (log) => contains(log, ['Select a language']),
  },
};

const numbers = () => Array.from({ length: 20000 }, (_, i) => `${i + 1}\n`).join('');
const numbersMd5 = 'e071f707df7bbeee2a6a1eb48011ddd0';

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(suites);
let failed = 0;

const boot = (name) =>
  new Promise((resolve) => {
    const suite = suites[name];
    const started = Date.now();
    const child = spawn(
      process.execPath,
      [join(root, 'apps/cli/dist/main.js'), 'run', '-m', '512', '--timeout', '900', '--stats', ...suite.arguments()],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let log = '';
    let errors = '';
    child.stdout.setEncoding('latin1').on('data', (text) => {
      log += text;
    });
    child.stderr.on('data', (text) => {
      errors += text;
    });
    child.on('close', (status) => {
      writeFileSync(join(cache, `${name}.log`), log, 'latin1');
      const problems = status === 0 ? suite.check(log) : [`exit status ${status}`];
      if (problems.length > 0) failed++;
      console.log(
        `${problems.length === 0 ? 'ok  ' : 'FAIL'} ${name} (${((Date.now() - started) / 1000).toFixed(0)} s) ${errors.split('\n').find((line) => line.startsWith('tablewalk: ')) ?? errors.trim().split('\n').at(-1)}`,
      );
      for (const problem of problems.slice(0, 20)) console.log(`     ${problem}`);
      resolve();
    });
  });

// Two at a time: the project's machines have two cores.
const queue = [...names];
for (const name of queue)
  if (suites[name] === undefined) throw new Error(`there is no guest ${name}; there are ${Object.keys(suites).join(', ')}`);
const worker = async () => {
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) await boot(name);
};
await Promise.all([worker(), worker()]);
console.log(`${names.length - failed} guests passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

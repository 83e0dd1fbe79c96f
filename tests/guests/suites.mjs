// Debian's guests: with which arguments they run, and what their consoles must then show.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { difference } from './normalise.mjs';
import { virtioFiles } from './virtio-files.mjs';

const here = dirname(fileURLToPath(import.meta.url));
export const root = dirname(dirname(here));
const guests = join(root, '.guests');
export const cache = join(root, '.cache/guests');
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

/** By name: `arguments` of `tablewalk run` besides RAM, and `check`, which gives problems with what was printed. */
export const suites = {
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
  'armmp-interpreter': {
    arguments: () => ['--engine', 'interpreter', ...kernel('zImage-armmp'), ...off],
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
    arguments: () => ['-cpu', 'cortex-a7', '--fidelity', 'architectural', '--engine', 'interpreter', ...kernel('zImage-armmp'), ...off],
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

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { BootOptions } from './boot.js';
import { planBoot } from './boot.js';
import { parseFdt } from './fdt/fdt-parser.js';
import { writeFdt } from './fdt/fdt-writer.js';
import { seededBytes } from './seeded-bytes.js';

const MIB = 1024 * 1024;
const base: BootOptions = { ramBytes: 512 * MIB, cpu: 'cortex-a15', seed: 1 };
const kernel = new Uint8Array(12);
const initrd = new Uint8Array(51);

/** The blob as the guest finds it. */
function blobOf(options: BootOptions): Uint8Array {
  const write = planBoot(options).writes.find(({ name }) => name === 'device tree');
  const blob = new Uint8Array(write?.byteLength ?? 0);
  blob.set(write?.bytes ?? []);
  return blob;
}

function withoutSeeds(blob: Uint8Array): Uint8Array {
  const tree = parseFdt(blob);
  tree.set('/chosen', 'kaslr-seed', new Uint8Array(8));
  tree.set('/chosen', 'rng-seed', new Uint8Array(32));
  return writeFdt(tree, { totalSize: MIB });
}

/**
 * SHA-256 of the blobs of `qemu-system-arm` 7.2 (`-M virt,dumpdtb=FILE`), 1 MiB each, with the seeds and the bytes that pad values to words set to zero
 * (QEMU leaves rests of earlier edits in those).
 */
const QEMU_BLOBS: [string, BootOptions, string][] = [
  ['-cpu cortex-a15 -m 512', { ...base, kernel }, '82585e1fc757c06fc7e470b4c72af21d23316ed9e6e4a3d3ddec2ab7b363fdea'],
  ['-cpu cortex-a7 -m 512', { ...base, cpu: 'cortex-a7', kernel }, '239ae98e1ca8c0fecc75655823d1d624ad4d761ebe781cfc6fde0f2342038816'],
  ['-bios', { ...base, firmware: kernel }, 'c86acd93d1b2e625e8502e5367fd255fcf1ada5a8a11fca75124158aa5c58cf2'],
  [
    '-kernel -append hello -initrd',
    { ...base, kernel, initrd, append: 'hello' },
    'e30ed31e2022924c39f403ff6c82ce7d2bb88cdde93c247e818197374fb37213',
  ],
  ['-m 3072', { ...base, ramBytes: 3072 * MIB, kernel }, '8cf93ea53e3f126844965d04871c81577d0771e3e04382531be30ea883de9d92'],
  [
    '-bios -kernel -append hello -initrd',
    { ...base, firmware: kernel, kernel, initrd, append: 'hello' },
    '5e7477ecf9d1ddf3276eebbc8eea339f0f4c9fd47a8d1be67a6ebbb3605a83f1',
  ],
  [
    '-smp 2 -m 128',
    { ...base, ramBytes: 128 * MIB, cpuCount: 2, kernel },
    '4d273f65e0e9ad78396ae6c83cb291c28547413a5384e7cc3aa94a9521f48dd7',
  ],
  ['-M virt,highmem=off', { ...base, highMemory: false, kernel }, 'e84fdcda5973cebed6e5ed4245333e02ef709f1ddfe03084d26e9f9ae28cb06e'],
];

test.each(QEMU_BLOBS)('the blob of %s is QEMU’s, byte for byte', (_, options, digest) => {
  const blob = blobOf(options);
  expect(blob).toHaveLength(MIB);
  expect(createHash('sha256').update(withoutSeeds(blob)).digest('hex')).toBe(digest);
});

describe.runIf(spawnSync('dtc', ['--version']).status === 0)('as text, against the recorded trees', () => {
  const seedless = (text: string): string => text.replace(/((?:rng|kaslr)-seed = )<[^>]*>/g, '$1<>');
  test.each([
    ['virt-cortex-a15.dts', { ...base, kernel }],
    ['virt-cortex-a7.dts', { ...base, cpu: 'cortex-a7', kernel }],
    ['virt-cortex-a15-bios.dts', { ...base, firmware: kernel }],
  ])('%s', (file, options) => {
    const reference = readFileSync(new URL(`../../../tests/guests/reference/${file}`, import.meta.url), 'utf8');
    const { stdout } = spawnSync('dtc', ['-q', '-I', 'dtb', '-O', 'dts'], { input: blobOf(options) });
    expect(seedless(stdout.toString())).toBe(seedless(reference));
  });
});

describe('seeds', () => {
  const seedsOf = (seed: number): string => {
    const tree = parseFdt(blobOf({ ...base, seed, kernel }));
    const [kaslr, rng] = [tree.get('/chosen', 'kaslr-seed'), tree.get('/chosen', 'rng-seed')];
    expect([kaslr?.length, rng?.length]).toEqual([8, 32]);
    return Buffer.concat([kaslr ?? [], rng ?? []].map((bytes) => Buffer.from(bytes))).toString('hex');
  };

  test('come from the seed alone', () => {
    expect(seedsOf(1)).toBe(seedsOf(1));
    expect(seedsOf(2)).not.toBe(seedsOf(1));
    expect(seedsOf(0)).not.toMatch(/^0+$/);
  });

  test('the generator never changes: recorded runs depend on it', () => {
    expect(Buffer.from(seededBytes(1, 12)).toString('hex')).toBe('6bf9a0969083bc1264991e97');
    expect(seededBytes(1, 7)).toEqual(seededBytes(1, 12).slice(0, 7));
  });
});

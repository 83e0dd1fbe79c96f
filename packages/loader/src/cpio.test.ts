import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import type { CpioInput } from './cpio.js';
import { readCpio, writeCpio } from './cpio.js';
import { LoaderError } from './loader-error.js';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const tree: CpioInput[] = [
  { name: 'bin', mode: 0o40755 },
  { name: 'bin/hello', mode: 0o100755, data: text('#!/bin/sh\n') },
  { name: 'init', mode: 0o120777, data: text('bin/hello') },
  { name: 'dev/console', mode: 0o20600, deviceMajor: 5, deviceMinor: 1 },
  { name: 'empty', mode: 0o100644, mtime: 12, uid: 3, gid: 4 },
];

test('what is written reads back', () => {
  const archive = writeCpio(tree);
  expect(archive.length % 512).toBe(0);
  const entries = readCpio(archive);
  expect(entries.map(({ name, mode }) => [name, mode])).toEqual(tree.map(({ name, mode }) => [name, mode]));
  expect(new TextDecoder().decode(entries[1].data)).toBe('#!/bin/sh\n');
  expect(entries[3]).toMatchObject({ deviceMajor: 5, deviceMinor: 1, inode: 4, linkCount: 1 });
  expect(entries[4]).toMatchObject({ mtime: 12, uid: 3, gid: 4 });
  expect(entries[0].linkCount).toBe(2);
});

test('the same entries give the same bytes, and data of every alignment survives', () => {
  expect(writeCpio(tree)).toEqual(writeCpio(tree));
  for (let length = 0; length < 9; length++) {
    const [entry] = readCpio(writeCpio([{ name: 'x'.repeat(length + 1), mode: 0o100644, data: new Uint8Array(length).fill(7) }]));
    expect([entry.name.length, [...entry.data]]).toEqual([length + 1, new Array(length).fill(7)]);
  }
  expect(readCpio(writeCpio([]))).toEqual([]);
});

test.runIf(spawnSync('cpio', ['--version']).status === 0)('cpio lists it', () => {
  const { stdout, status } = spawnSync('cpio', ['-it', '--quiet'], { input: writeCpio(tree) });
  expect(status).toBe(0);
  expect(stdout.toString().trim().split('\n')).toEqual(tree.map(({ name }) => name));
});

test('the checksums of the other newc variant are checked', () => {
  const archive = writeCpio([{ name: 'a', mode: 0o100644, data: Uint8Array.of(1, 2, 250) }]);
  archive[5] = 0x32;
  archive.set(text('000000FD'), 6 + 12 * 8);
  expect(readCpio(archive)).toHaveLength(1);
  archive.set(text('000000FE'), 6 + 12 * 8);
  expect(() => readCpio(archive)).toThrow(/'a' are damaged/);
});

test('refusals', () => {
  const archive = writeCpio(tree);
  expect(() => readCpio(new Uint8Array(0))).toThrow(LoaderError);
  expect(() => readCpio(archive.slice(0, 300))).toThrow(/ends without a trailer|truncated/);
  expect(() => readCpio(text('x'.repeat(200)))).toThrow(/no member header at 0/);
  const damaged = archive.slice();
  damaged[20] = 0x78;
  expect(() => readCpio(damaged)).toThrow(/not a hexadecimal number/);
  expect(() => writeCpio([{ name: '', mode: 0 }])).toThrow(LoaderError);
  expect(() => writeCpio([{ name: 'naïve\u0100', mode: 0 }])).toThrow(/not a name/);
});

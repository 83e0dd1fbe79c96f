import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { unpackRecorded } from '../recorded-batch.js';
import type { Batch } from './batch-layout.js';
import { compare, describeDifferences } from './compare.js';
import { runHere, translateAtOnce } from './run-here.js';

const file = (name: string): Uint8Array => readFileSync(new URL(name, import.meta.url));

describe.each([
  ['the interpreter', {}],
  ['the translator', translateAtOnce],
] as const)('%s', (_, options) => {
  it('gives the results that QEMU gave for recorded single instructions', { timeout: 240_000 }, () => {
    const { batch, expected } = unpackRecorded<Batch>(file('regression.bin'));
    const { tests, differences } = compare(batch, expected, runHere(file('harness/harness.elf'), batch, options));
    expect(tests).toBeGreaterThan(1_000);
    expect(describeDifferences(batch, differences)).toBe('');
  });
});

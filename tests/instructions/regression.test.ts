import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { unpackRecorded } from '../recorded-batch.js';
import type { Batch } from './batch-layout.js';
import { compare, describeDifferences } from './compare.js';
import { runHere } from './run-here.js';

const file = (name: string): Uint8Array => readFileSync(new URL(name, import.meta.url));

it('gives the results that QEMU gave for recorded single instructions', { timeout: 120_000 }, () => {
  const { batch, expected } = unpackRecorded<Batch>(file('regression.bin'));
  const { tests, differences } = compare(batch, expected, runHere(file('harness/harness.elf'), batch));
  expect(tests).toBeGreaterThan(1_000);
  expect(describeDifferences(batch, differences)).toBe('');
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { unpackRecorded } from '../recorded-batch.js';
import type { Batch } from './batch-layout.js';
import { compare, describeDifferences } from './compare.js';
import { neverTranslate, runHere, runTranslated } from './run-here.js';

const file = (name: string): Uint8Array => readFileSync(new URL(name, import.meta.url));

const { batch, expected } = unpackRecorded<Batch>(file('regression.bin'));
const harness = file('harness/harness.elf');

describe('recorded single instructions give the results that QEMU gave', () => {
  it('on the interpreter', { timeout: 240_000 }, () => {
    const { tests, differences } = compare(batch, expected, runHere(harness, batch));
    expect(tests).toBeGreaterThan(1_000);
    expect(describeDifferences(batch, differences)).toBe('');
  });

  it('as compact code', { timeout: 240_000 }, () => {
    expect(describeDifferences(batch, compare(batch, expected, runHere(harness, batch, neverTranslate)).differences)).toBe('');
  });

  it('on the translator, each from Wasm unless it leaves by design', { timeout: 240_000 }, () => {
    const { output, census } = runTranslated(harness, batch);
    expect(describeDifferences(batch, compare(batch, expected, output).differences)).toBe('');
    expect(census.unexplained).toEqual([]);
    expect(census.wasm).toBeGreaterThan(0.6 * census.words);
  });
});

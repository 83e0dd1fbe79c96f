import { describe, expect, it } from 'vitest';
import { DecodeTable } from './decode-table.js';
import { encodings } from './families/index.js';

describe('decode tables', () => {
  it.each(['A32', 'T32', 'T16'] as const)('%s is built from the records without ambiguity', (isa) => {
    const table = new DecodeTable(isa, encodings);
    expect(table.entries.length).toBeGreaterThan(50);
  });
});

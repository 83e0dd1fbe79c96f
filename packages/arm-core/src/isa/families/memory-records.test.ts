import { describe, expect, it } from 'vitest';
import { DecodeTable } from '../decode-table.js';
import { encodings } from './index.js';

describe('all records', () => {
  for (const isa of ['A32', 'T32', 'T16'] as const) {
    it(`${isa} table has no ambiguity`, () => {
      expect(new DecodeTable(isa, encodings).entries.length).toBeGreaterThan(0);
    });
  }
});

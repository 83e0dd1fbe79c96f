import { describe, expect, it } from 'vitest';
import { DecodeTable } from './decode-table.js';
import { encodings } from './families/index.js';

describe('decode tables', () => {
  it.each(['A32', 'T32', 'T16'] as const)('%s is built from the records without ambiguity', (isa) => {
    const table = new DecodeTable(isa, encodings);
    expect(table.entries.length).toBeGreaterThan(50);
    expect(table.ambiguities()).toEqual([]);
  });

  it('names two encodings that overlap without a rule', () => {
    const [first, second] = encodings.filter(({ name }) => name === 'BX_A1' || name === 'BLX_reg_A1');
    const clash = { ...second!, pattern: first!.pattern };
    expect(new DecodeTable('A32', [first!, clash]).ambiguities()).toEqual([`${first!.name} and ${second!.name}`]);
    expect(() => new DecodeTable('A32', [first!, first!])).toThrow('defined twice');
  });
});

import { Random } from '../support/random.js';
import { kinds, thumbOnly } from './kinds.js';
import type { Batch } from './layout.js';
import { CODE_WORDS, RECORD_WORDS } from './layout.js';
import { TestWriter } from './test-writer.js';

export interface GenerateOptions {
  readonly seed: number;
  readonly count: number;
  /** Names of kinds to make, all when absent. */
  readonly only?: RegExp;
}

/** A batch: all kinds in turn. The same options give the same batch as long as the records are the same. */
export const generate = ({ seed, count, only = /./ }: GenerateOptions): Batch => {
  const r = new Random(seed);
  const kindNames = Object.keys(kinds);
  const chosen = kindNames.map((_, i) => i).filter((i) => only.test(kindNames[i]!));
  const code = new Uint32Array(count * CODE_WORDS);
  const input = new Uint32Array(count * RECORD_WORDS);
  const made = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const kind = chosen[i % chosen.length]!;
    const name = kindNames[kind]!;
    made[i] = kind;
    const writer = new TestWriter(
      r,
      i,
      code.subarray(i * CODE_WORDS, (i + 1) * CODE_WORDS),
      input.subarray(i * RECORD_WORDS, (i + 1) * RECORD_WORDS),
      name === 'thumbHandlers' ? r.oneIn(2) : thumbOnly.has(name) || r.oneIn(2),
    );
    kinds[name]!(writer);
  }
  return { count, kinds: made, kindNames, code, input };
};

import type { Encoding, InstructionSet } from '../encoding.js';

type Extra = Partial<Pick<Encoding, 'needs' | 'unless' | 'unpredictable'>>;

const record =
  (isa: InstructionSet) =>
  (name: string, pattern: string, ref: string, text: Encoding['text'], semantics: Encoding['semantics'], extra: Extra = {}): Encoding => ({
    name,
    isa,
    pattern,
    ref,
    text,
    semantics,
    ...extra,
  });

/** An A32 record: name, pattern, section of the manual, text, semantics, and what is special about it. */
export const a32 = record('A32');
export const t32 = record('T32');
export const t16 = record('T16');

import type { ArmBuilder } from './arm-builder.js';
import type { OperandSyntax } from './operands.js';

/** Named bit fields of one instruction word, each an unsigned integer: `f.n` is the field whose pattern letter is `n`. */
export type Fields = Readonly<Record<string, number>>;

export type InstructionSet = 'A32' | 'T32' | 'T16';

/** What a core must have for the encoding to exist; without it the encoding is UNDEFINED. */
export type Feature = 'vfp' | 'neon' | 'vfp4' | 'divide' | 'mp' | 'd32';

/**
 * One encoding: the only place where its bits, its name, its text and its meaning stand. Interpreter, translator, disassembler, assembler and test
 * generator read this.
 */
export interface Encoding {
  /** Unique: manual's mnemonic, form, encoding: `ADD_imm_A1`, `LDR_lit_T2`. */
  readonly name: string;
  readonly isa: InstructionSet;
  /**
   * 32 (T16: 16) characters from the most significant bit, blanks ignored; T32 is the first halfword, then the second. `0` and `1` are fixed; `-` is
   * a should-be-zero and `+` a should-be-one bit: ignored when decoding, UNPREDICTABLE when different. A letter is a field; where it occurs in several
   * places its bits are concatenated from the left. Upper and lower case are different fields. `c` is always the condition: four bits in A32, never
   * 1111 there (1111 is written out as fixed bits); in T16/T32 only the conditional branch has it.
   * Overlap: an encoding whose fixed bits are a strict superset of another's is tried first; any other overlap is refused at load time unless one
   * of the two has an `unless`.
   */
  readonly pattern: string;
  /** Section of ARM DDI 0406C: `A8.8.5`. */
  readonly ref: string;
  /**
   * UAL text. Mnemonic with holes, then the operands. Holes: `{c}` condition; `{s}` an `s` when field s is 1; `{S}` an `s` outside an IT block (T16
   * forms that set flags only there); `{x:a,b,,d}` the x-th word of a list by field x (an empty word means no text, `!` alone means: no such
   * instruction); `{.w}` an optional `.w`, printed when a narrower form exists. Example: `['add{s}{c}', reg('d'), reg('n'), a32Immediate('i')]`,
   * `['vadd.i{z:8,16,32,64}', ...]`.
   */
  readonly text: readonly [mnemonic: string, ...operands: OperandSyntax[]];
  readonly needs?: readonly Feature[];
  /** True for field values that belong to another encoding ("SEE") or are UNDEFINED: decode goes on with the next candidate, then UNDEFINED. */
  readonly unless?: (f: Fields) => boolean;
  /** True for field values that the manual calls UNPREDICTABLE. They still execute (as QEMU's core does, where that is known). */
  readonly unpredictable?: (f: Fields) => boolean;
  /** Writes the micro-operations. The condition (A32 cond, IT) is already taken care of. */
  readonly semantics: (b: ArmBuilder, f: Fields) => void;
}

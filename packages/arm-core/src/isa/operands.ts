import type { Fields } from './encoding.js';

/** Where a line is assembled or disassembled. */
export interface SyntaxContext {
  /** VA of the instruction. */
  readonly address: number;
  readonly thumb: boolean;
  /** VA of a label in the assembler; undefined for an unknown one (first pass: every label is known as `address`). */
  readonly label?: (name: string) => number | undefined;
  /** Text for a VA in the disassembler (a symbol); undefined prints a number. */
  readonly symbol?: (address: number) => string | undefined;
}

/**
 * One operand of an instruction's text, readable and writable: the disassembler calls `print`, the assembler `parse`. Both live in one object so that
 * they cannot disagree; a property test runs them against each other for every encoding.
 */
export interface OperandSyntax {
  /** Text of the operand, or undefined when the field values mean that it is left out. */
  print(f: Fields, context: SyntaxContext): string | undefined;
  /**
   * Reads one operand (surrounding blanks removed, commas inside brackets and braces kept together). Fields it determines, or undefined when the text
   * is not of its form. An operand that `print` may leave out is offered `undefined` when the text has ended. `known` has the fields that the
   * mnemonic and earlier operands have determined.
   */
  parse(text: string | undefined, context: SyntaxContext, known?: Fields): Readonly<Record<string, number>> | undefined;
}

/** Shifts by type: bits 6:5 of A32 data processing (ARM DDI 0406C, A8.4.3). */
export const shiftNames: readonly string[] = ['lsl', 'lsr', 'asr', 'ror'];

const registerNames = ['r0', 'r1', 'r2', 'r3', 'r4', 'r5', 'r6', 'r7', 'r8', 'r9', 'r10', 'r11', 'r12', 'sp', 'lr', 'pc'];
const registerNumbers: Readonly<Record<string, number>> = {
  ...Object.fromEntries(registerNames.map((name, number) => [name, number])),
  sb: 9,
  sl: 10,
  fp: 11,
  ip: 12,
  r13: 13,
  r14: 14,
  r15: 15,
};

/** UAL name of a core register. */
export const registerName = (n: number): string => registerNames[n]!;
/** Number of a core register by any of its names, or undefined. */
export const registerNumber = (text: string): number | undefined => registerNumbers[text.toLowerCase()];

/** A core register in field `letter` (`plus`: r0-r7 fields and such add it). */
export const reg = (letter: string): OperandSyntax => ({
  print: (f) => registerName(f[letter]!),
  parse: (text) => {
    const n = text === undefined ? undefined : registerNumber(text);
    return n === undefined ? undefined : { [letter]: n };
  },
});

/** Reads `#n`, `#-n`, `#0xn` (the `#` may be missing). */
export const parseImmediate = (text: string | undefined): number | undefined => {
  const match = text === undefined ? null : /^#?([+-]?)(0x[0-9a-f]+|[0-9]+)$/i.exec(text);
  if (match === null) return undefined;
  const magnitude = Number(match[2]);
  return match[1] === '-' ? -magnitude : magnitude;
};

/** An unsigned immediate in field `letter`, scaled: the text shows `field * scale + plus`. */
export const imm = (letter: string, scale = 1, plus = 0): OperandSyntax => ({
  print: (f) => `#${f[letter]! * scale + plus}`,
  parse: (text) => {
    const value = parseImmediate(text);
    if (value === undefined) return undefined;
    const field = (value - plus) / scale;
    return Number.isInteger(field) && field >= 0 ? { [letter]: field } : undefined;
  },
});

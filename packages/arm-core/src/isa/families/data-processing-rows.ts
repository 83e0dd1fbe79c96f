import type { ArmBuilder } from '../arm-builder.js';
import type { Encoding, Fields } from '../encoding.js';
import type { Operation, Shifted } from '../integer.js';
import { ADC, ADD, AND, BIC, compare, computeOrReturn, EOR, MOV, MVN, ORN, ORR, RSB, RSC, SBC, SUB, shiftImmediate } from '../integer.js';

/**
 * Data processing: most instructions differ in one operation only. The tables hold what differs, and the functions below them make the semantics that
 * the encodings of a row share.
 */

export interface Row {
  readonly mnemonic: string;
  readonly op: Operation;
  /** Bits 24:21 of the A32 encodings. */
  readonly a32?: string;
  /** Bits 24:21 of the T32 encodings (8:5 of the first halfword). */
  readonly t32?: string;
  /** Bits 9:6 of the T16 two-register encoding. */
  readonly t16?: string;
  /** Sections of the immediate, register and register-shifted register forms; 0: no such form. */
  readonly refs: readonly [immediate: number, register: number, shifted: number];
  /** objdump's width mark for the T32 forms: printed where a T16 form exists. */
  readonly wide?: '{.w}';
}

/** Section of the manual's list of instructions. */
export const ref = (section: number): string => `A8.8.${section}`;

/** Two sources and a destination. */
export const binary: readonly Row[] = [
  { mnemonic: 'and', op: AND, a32: '0000', t32: '0000', t16: '0000', refs: [13, 14, 15], wide: '{.w}' },
  { mnemonic: 'eor', op: EOR, a32: '0001', t32: '0100', t16: '0001', refs: [46, 47, 48], wide: '{.w}' },
  { mnemonic: 'sub', op: SUB, a32: '0010', t32: '1101', refs: [222, 223, 224], wide: '{.w}' },
  { mnemonic: 'rsb', op: RSB, a32: '0011', t32: '1110', refs: [152, 153, 154] },
  { mnemonic: 'add', op: ADD, a32: '0100', t32: '1000', refs: [5, 7, 8], wide: '{.w}' },
  { mnemonic: 'adc', op: ADC, a32: '0101', t32: '1010', t16: '0101', refs: [1, 2, 3], wide: '{.w}' },
  { mnemonic: 'sbc', op: SBC, a32: '0110', t32: '1011', t16: '0110', refs: [161, 162, 163], wide: '{.w}' },
  { mnemonic: 'rsc', op: RSC, a32: '0111', refs: [155, 156, 157] },
  { mnemonic: 'orr', op: ORR, a32: '1100', t32: '0010', t16: '1100', refs: [122, 123, 124], wide: '{.w}' },
  { mnemonic: 'orn', op: ORN, t32: '0011', refs: [120, 121, 0] },
  { mnemonic: 'bic', op: BIC, a32: '1110', t32: '0001', t16: '1110', refs: [21, 22, 23], wide: '{.w}' },
];

/** Two sources, flags only. */
export const comparisons: readonly Row[] = [
  { mnemonic: 'tst', op: AND, a32: '1000', t32: '0000', t16: '1000', refs: [240, 241, 242], wide: '{.w}' },
  { mnemonic: 'teq', op: EOR, a32: '1001', t32: '0100', refs: [237, 238, 239] },
  { mnemonic: 'cmp', op: SUB, a32: '1010', t32: '1101', t16: '1010', refs: [37, 38, 39], wide: '{.w}' },
  { mnemonic: 'cmn', op: ADD, a32: '1011', t32: '1000', t16: '1011', refs: [34, 35, 36], wide: '{.w}' },
];

/** One source and a destination. */
export const moves: readonly Row[] = [
  { mnemonic: 'mov', op: MOV, a32: '1101', t32: '0010', refs: [102, 104, 0], wide: '{.w}' },
  { mnemonic: 'mvn', op: MVN, a32: '1111', t32: '0011', t16: '1111', refs: [115, 116, 117], wide: '{.w}' },
];

/** The second operand of each form, with its carry when `wantCarry`. */
export type SecondOperand = (b: ArmBuilder, f: Fields, wantCarry: boolean) => Shifted;

export const shiftedOperand: SecondOperand = (b, f, wantCarry) => shiftImmediate(b, b.reg(f['m']!), f['t']!, f['i']!, wantCarry);
export const plainOperand: SecondOperand = (b, f) => ({ value: b.reg(f['m']!), carry: undefined });

/** R[d] := op(R[n], operand). `setsFlags` from the fields and the builder (T16 sets them outside IT blocks). */
export const binarySemantics =
  (op: Operation, operand: SecondOperand, setsFlags: (b: ArmBuilder, f: Fields) => boolean): Encoding['semantics'] =>
  (b, f) => {
    const s = setsFlags(b, f);
    computeOrReturn(b, op, f['d']!, b.reg(f['n']!), operand(b, f, s && op.logical), s);
  };
export const compareSemantics =
  (op: Operation, operand: SecondOperand): Encoding['semantics'] =>
  (b, f) =>
    compare(b, op, b.reg(f['n']!), operand(b, f, op.logical));
/** One source: the first operand does not exist, and is not looked at. */
export const moveSemantics =
  (op: Operation, operand: SecondOperand, setsFlags: (b: ArmBuilder, f: Fields) => boolean): Encoding['semantics'] =>
  (b, f) => {
    const s = setsFlags(b, f);
    const source = operand(b, f, s);
    computeOrReturn(b, op, f['d']!, source.value, source, s);
  };

export const fieldS = (_b: ArmBuilder, f: Fields): boolean => f['s'] === 1;

/** Mnemonic as record names have it. */
export const upper = (row: Row): string => row.mnemonic.toUpperCase();

/** MOVT: the upper half of R[d] := i. */
export const moveTop = (b: ArmBuilder, d: number, i: number): void =>
  b.writeAlu(d, b.or(b.and(b.reg(d), b.const(0xffff)), b.const(i << 16)));

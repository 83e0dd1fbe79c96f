import type { ArmBuilder } from '../arm-builder.js';
import type { Encoding, Fields } from '../encoding.js';
import type { Operation, Shifted } from '../integer.js';
import {
  ADC,
  ADD,
  AND,
  BIC,
  compare,
  compute,
  computeOrReturn,
  EOR,
  emptyPatternT32,
  immediateA32,
  immediateT32,
  isPc,
  MOV,
  MVN,
  ORN,
  ORR,
  RSB,
  RSC,
  returnFromException,
  SBC,
  SUB,
  shiftImmediate,
  shiftRegister,
  spOrPc,
} from '../integer.js';
import type { OperandSyntax } from '../operands.js';
import { imm, parseImmediate, reg } from '../operands.js';
import { a32Immediate, fixedImmediate, fixedRegister, registerShift, shift, t32Immediate } from '../operands-integer.js';

/**
 * Data processing (ARM DDI 0406C, A5.2.1-A5.2.3, A6.2.1-A6.2.4, A6.3.1-A6.3.3, A6.3.11). Most instructions differ in one operation only: the tables
 * below hold what differs, and the functions under them lay out the encodings of each table row.
 */

interface Row {
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

const ref = (section: number): string => `A8.8.${section}`;

/** Two sources and a destination. */
const binary: readonly Row[] = [
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
const comparisons: readonly Row[] = [
  { mnemonic: 'tst', op: AND, a32: '1000', t32: '0000', t16: '1000', refs: [240, 241, 242], wide: '{.w}' },
  { mnemonic: 'teq', op: EOR, a32: '1001', t32: '0100', refs: [237, 238, 239] },
  { mnemonic: 'cmp', op: SUB, a32: '1010', t32: '1101', t16: '1010', refs: [37, 38, 39], wide: '{.w}' },
  { mnemonic: 'cmn', op: ADD, a32: '1011', t32: '1000', t16: '1011', refs: [34, 35, 36], wide: '{.w}' },
];

/** One source and a destination. */
const moves: readonly Row[] = [
  { mnemonic: 'mov', op: MOV, a32: '1101', t32: '0010', refs: [102, 104, 0], wide: '{.w}' },
  { mnemonic: 'mvn', op: MVN, a32: '1111', t32: '0011', t16: '1111', refs: [115, 116, 117], wide: '{.w}' },
];

/** The second operand of each form, with its carry when `wantCarry`. */
type SecondOperand = (b: ArmBuilder, f: Fields, wantCarry: boolean) => Shifted;

const immediateOperandA32: SecondOperand = (b, f) => immediateA32(b, f['r']!, f['i']!);
const immediateOperandT32: SecondOperand = (b, f) => immediateT32(b, f['i']!);
const shiftedOperand: SecondOperand = (b, f, wantCarry) => shiftImmediate(b, b.reg(f['m']!), f['t']!, f['i']!, wantCarry);
const registerShiftedOperand: SecondOperand = (b, f, wantCarry) => shiftRegister(b, b.reg(f['m']!), f['t']!, b.reg(f['s']!), wantCarry);
const plainOperand: SecondOperand = (b, f) => ({ value: b.reg(f['m']!), carry: undefined });

/** R[d] := op(R[n], operand). `setsFlags` from the fields and the builder (T16 sets them outside IT blocks). */
const binarySemantics =
  (op: Operation, operand: SecondOperand, setsFlags: (b: ArmBuilder, f: Fields) => boolean): Encoding['semantics'] =>
  (b, f) => {
    const s = setsFlags(b, f);
    computeOrReturn(b, op, f['d']!, b.reg(f['n']!), operand(b, f, s && op.logical), s);
  };
const compareSemantics =
  (op: Operation, operand: SecondOperand): Encoding['semantics'] =>
  (b, f) =>
    compare(b, op, b.reg(f['n']!), operand(b, f, op.logical));
/** One source: the first operand does not exist, and is not looked at. */
const moveSemantics =
  (op: Operation, operand: SecondOperand, setsFlags: (b: ArmBuilder, f: Fields) => boolean): Encoding['semantics'] =>
  (b, f) => {
    const s = setsFlags(b, f);
    const source = operand(b, f, s);
    computeOrReturn(b, op, f['d']!, source.value, source, s);
  };

const fieldS = (_b: ArmBuilder, f: Fields): boolean => f['s'] === 1;
const outsideIt = (b: ArmBuilder): boolean => !b.inIt;
const never = (): boolean => false;

const upper = (row: Row): string => row.mnemonic.toUpperCase();

/** A register-shifted register form has registers other than PC. */
const shiftedPc = (f: Fields): boolean => isPc(f['m']!) || isPc(f['s']!) || f['n'] === 15 || f['d'] === 15;

/* A32 (A5.2.1-A5.2.3) */

// In the register-shifted forms `s` is the shift register, so that the S bit is Z there.
const zBit = (_b: ArmBuilder, f: Fields): boolean => f['Z'] === 1;

const a32Binary = (row: Row): Encoding[] => [
  {
    name: `${upper(row)}_imm_A1`,
    isa: 'A32',
    pattern: `cccc 001${row.a32} s nnnn dddd rrrr iiiiiiii`,
    ref: ref(row.refs[0]),
    text: [`${row.mnemonic}{s}{c}`, reg('d'), reg('n'), a32Immediate],
    semantics: binarySemantics(row.op, immediateOperandA32, fieldS),
  },
  {
    name: `${upper(row)}_reg_A1`,
    isa: 'A32',
    pattern: `cccc 000${row.a32} s nnnn dddd iiiii tt 0 mmmm`,
    ref: ref(row.refs[1]),
    text: [`${row.mnemonic}{s}{c}`, reg('d'), reg('n'), reg('m'), shift],
    semantics: binarySemantics(row.op, shiftedOperand, fieldS),
  },
  {
    name: `${upper(row)}_rsr_A1`,
    isa: 'A32',
    pattern: `cccc 000${row.a32} Z nnnn dddd ssss 0 tt 1 mmmm`,
    ref: ref(row.refs[2]),
    text: [`${row.mnemonic}{Z:,s}{c}`, reg('d'), reg('n'), reg('m'), registerShift],
    unpredictable: shiftedPc,
    semantics: (b, f) =>
      compute(b, row.op, f['d']!, b.reg(f['n']!), registerShiftedOperand(b, f, zBit(b, f) && row.op.logical), zBit(b, f)),
  },
];

const a32Compare = (row: Row): Encoding[] => [
  {
    name: `${upper(row)}_imm_A1`,
    isa: 'A32',
    pattern: `cccc 001${row.a32} 1 nnnn ---- rrrr iiiiiiii`,
    ref: ref(row.refs[0]),
    text: [`${row.mnemonic}{c}`, reg('n'), a32Immediate],
    semantics: compareSemantics(row.op, immediateOperandA32),
  },
  {
    name: `${upper(row)}_reg_A1`,
    isa: 'A32',
    pattern: `cccc 000${row.a32} 1 nnnn ---- iiiii tt 0 mmmm`,
    ref: ref(row.refs[1]),
    text: [`${row.mnemonic}{c}`, reg('n'), reg('m'), shift],
    semantics: compareSemantics(row.op, shiftedOperand),
  },
  {
    name: `${upper(row)}_rsr_A1`,
    isa: 'A32',
    pattern: `cccc 000${row.a32} 1 nnnn ---- ssss 0 tt 1 mmmm`,
    ref: ref(row.refs[2]),
    text: [`${row.mnemonic}{c}`, reg('n'), reg('m'), registerShift],
    unpredictable: shiftedPc,
    semantics: compareSemantics(row.op, registerShiftedOperand),
  },
];

const a32Move = (row: Row): Encoding => ({
  name: `${upper(row)}_imm_A1`,
  isa: 'A32',
  pattern: `cccc 001${row.a32} s ---- dddd rrrr iiiiiiii`,
  ref: ref(row.refs[0]),
  text: [`${row.mnemonic}{s}{c}`, reg('d'), a32Immediate],
  semantics: moveSemantics(row.op, immediateOperandA32, fieldS),
});

const a32Others: readonly Encoding[] = [
  {
    // With a shift it is LSL, LSR, ASR, ROR or RRX: shift.ts.
    name: 'MOV_reg_A1',
    isa: 'A32',
    pattern: 'cccc 0001101 s ---- dddd 00000 00 0 mmmm',
    ref: 'A8.8.104',
    text: ['mov{s}{c}', reg('d'), reg('m')],
    semantics: moveSemantics(MOV, plainOperand, fieldS),
  },
  {
    name: 'MVN_reg_A1',
    isa: 'A32',
    pattern: 'cccc 0001111 s ---- dddd iiiii tt 0 mmmm',
    ref: 'A8.8.116',
    text: ['mvn{s}{c}', reg('d'), reg('m'), shift],
    semantics: moveSemantics(MVN, shiftedOperand, fieldS),
  },
  {
    name: 'MVN_rsr_A1',
    isa: 'A32',
    pattern: 'cccc 0001111 Z ---- dddd ssss 0 tt 1 mmmm',
    ref: 'A8.8.117',
    text: ['mvn{Z:,s}{c}', reg('d'), reg('m'), registerShift],
    unpredictable: shiftedPc,
    semantics: (b, f) => {
      const source = registerShiftedOperand(b, f, zBit(b, f));
      compute(b, MVN, f['d']!, source.value, source, zBit(b, f));
    },
  },
  {
    name: 'MOVW_A2',
    isa: 'A32',
    pattern: 'cccc 00110000 iiii dddd iiiiiiiiiiii',
    ref: 'A8.8.102',
    text: ['movw{c}', reg('d'), imm('i')],
    unpredictable: (f) => isPc(f['d']!),
    semantics: (b, f) => b.writeAlu(f['d']!, b.const(f['i']!)),
  },
  {
    name: 'MOVT_A1',
    isa: 'A32',
    pattern: 'cccc 00110100 iiii dddd iiiiiiiiiiii',
    ref: 'A8.8.106',
    text: ['movt{c}', reg('d'), imm('i')],
    unpredictable: (f) => isPc(f['d']!),
    semantics: (b, f) => moveTop(b, f['d']!, f['i']!),
  },
];

const moveTop = (b: ArmBuilder, d: number, i: number): void => b.writeAlu(d, b.or(b.and(b.reg(d), b.const(0xffff)), b.const(i << 16)));

/* T32 (A6.3.1, A6.3.3, A6.3.11) */

/** SP is a source or destination of ADD and SUB only: SP := SP +- operand. */
const badBinaryT32 = (f: Fields, row: Row): boolean => {
  const { d, n } = f as { d: number; n: number };
  if (row.op !== ADD && row.op !== SUB) return spOrPc(d) || spOrPc(n);
  return isPc(d) || isPc(n) || (d === 13 && n !== 13);
};
/** SP := SP + (R[m], LSL #0-3) is all that the register form allows. */
const badShiftIntoSp = (f: Fields): boolean => f['d'] === 13 && (f['t'] !== 0 || f['i']! > 3);

const t32Binary = (row: Row): Encoding[] => [
  {
    name: `${upper(row)}_imm_T32`,
    isa: 'T32',
    pattern: `11110 i 0 ${row.t32} s nnnn 0 iii dddd iiiiiiii`,
    ref: ref(row.refs[0]),
    text: [`${row.mnemonic}{s}{c}${row.wide ?? ''}`, reg('d'), reg('n'), t32Immediate],
    unpredictable: (f) => emptyPatternT32(f['i']!) || badBinaryT32(f, row),
    semantics: binarySemantics(row.op, immediateOperandT32, fieldS),
  },
  {
    name: `${upper(row)}_reg_T32`,
    isa: 'T32',
    pattern: `1110101 ${row.t32} s nnnn - iii dddd ii tt mmmm`,
    ref: ref(row.refs[1]),
    text: [`${row.mnemonic}{s}{c}${row.wide ?? ''}`, reg('d'), reg('n'), reg('m'), shift],
    unpredictable: (f) => badBinaryT32(f, row) || spOrPc(f['m']!) || badShiftIntoSp(f),
    semantics: binarySemantics(row.op, shiftedOperand, fieldS),
  },
];

const t32Compare = (row: Row): Encoding[] => [
  {
    name: `${upper(row)}_imm_T32`,
    isa: 'T32',
    pattern: `11110 i 0 ${row.t32} 1 nnnn 0 iii 1111 iiiiiiii`,
    ref: ref(row.refs[0]),
    text: [`${row.mnemonic}{c}${row.wide ?? ''}`, reg('n'), t32Immediate],
    unpredictable: (f) => emptyPatternT32(f['i']!) || isPc(f['n']!) || (row.op.logical && f['n'] === 13),
    semantics: compareSemantics(row.op, immediateOperandT32),
  },
  {
    name: `${upper(row)}_reg_T32`,
    isa: 'T32',
    pattern: `1110101 ${row.t32} 1 nnnn - iii 1111 ii tt mmmm`,
    ref: ref(row.refs[1]),
    text: [`${row.mnemonic}{c}${row.wide ?? ''}`, reg('n'), reg('m'), shift],
    unpredictable: (f) => isPc(f['n']!) || (row.op.logical && f['n'] === 13) || spOrPc(f['m']!),
    semantics: compareSemantics(row.op, shiftedOperand),
  },
];

/** imm4:i:imm3:imm8, the sixteen bits of T32 MOVW and MOVT. */
const halfwordOf = (f: Fields): number => (f['k']! << 12) | (f['j']! << 11) | f['i']!;
const halfword: OperandSyntax = {
  print: (f) => `#${halfwordOf(f)}`,
  parse: (text) => {
    const value = parseImmediate(text);
    return value === undefined || value < 0 || value > 0xffff ? undefined : { k: value >> 12, j: (value >> 11) & 1, i: value & 0x7ff };
  },
};

const t32Others: readonly Encoding[] = [
  {
    name: 'MOV_imm_T2',
    isa: 'T32',
    pattern: '11110 i 0 0010 s 1111 0 iii dddd iiiiiiii',
    ref: 'A8.8.102',
    text: ['mov{s}{c}{.w}', reg('d'), t32Immediate],
    unpredictable: (f) => emptyPatternT32(f['i']!) || spOrPc(f['d']!),
    semantics: moveSemantics(MOV, immediateOperandT32, fieldS),
  },
  {
    name: 'MVN_imm_T1',
    isa: 'T32',
    pattern: '11110 i 0 0011 s 1111 0 iii dddd iiiiiiii',
    ref: 'A8.8.115',
    text: ['mvn{s}{c}{.w}', reg('d'), t32Immediate],
    unpredictable: (f) => emptyPatternT32(f['i']!) || spOrPc(f['d']!),
    semantics: moveSemantics(MVN, immediateOperandT32, fieldS),
  },
  {
    name: 'MOV_reg_T3',
    isa: 'T32',
    pattern: '1110101 0010 s 1111 - 000 dddd 0000 mmmm',
    ref: 'A8.8.103',
    text: ['mov{s}{c}{.w}', reg('d'), reg('m')],
    unpredictable: (f) =>
      f['s'] === 1 ? spOrPc(f['d']!) || spOrPc(f['m']!) : isPc(f['d']!) || isPc(f['m']!) || (f['d'] === 13 && f['m'] === 13),
    semantics: moveSemantics(MOV, plainOperand, fieldS),
  },
  {
    name: 'MVN_reg_T2',
    isa: 'T32',
    pattern: '1110101 0011 s 1111 - iii dddd ii tt mmmm',
    ref: 'A8.8.116',
    text: ['mvn{s}{c}{.w}', reg('d'), reg('m'), shift],
    unpredictable: (f) => spOrPc(f['d']!) || spOrPc(f['m']!),
    semantics: moveSemantics(MVN, shiftedOperand, fieldS),
  },
  {
    name: 'MOVW_T3',
    isa: 'T32',
    pattern: '11110 j 100100 kkkk 0 iii dddd iiiiiiii',
    ref: 'A8.8.102',
    text: ['movw{c}', reg('d'), halfword],
    unpredictable: (f) => spOrPc(f['d']!),
    semantics: (b, f) => b.writeAlu(f['d']!, b.const(halfwordOf(f))),
  },
  {
    name: 'MOVT_T1',
    isa: 'T32',
    pattern: '11110 j 101100 kkkk 0 iii dddd iiiiiiii',
    ref: 'A8.8.106',
    text: ['movt{c}', reg('d'), halfword],
    unpredictable: (f) => spOrPc(f['d']!),
    semantics: (b, f) => moveTop(b, f['d']!, halfwordOf(f)),
  },
  {
    name: 'ADD_imm_T4',
    isa: 'T32',
    pattern: '11110 i 100000 nnnn 0 iii dddd iiiiiiii',
    ref: 'A8.8.4',
    text: ['addw{c}', reg('d'), reg('n'), imm('i')],
    unpredictable: (f) => isPc(f['d']!) || (f['d'] === 13 && f['n'] !== 13),
    semantics: (b, f) => b.writeAlu(f['d']!, b.add(b.reg(f['n']!), b.const(f['i']!))),
  },
  {
    name: 'SUB_imm_T4',
    isa: 'T32',
    pattern: '11110 i 101010 nnnn 0 iii dddd iiiiiiii',
    ref: 'A8.8.221',
    text: ['subw{c}', reg('d'), reg('n'), imm('i')],
    unpredictable: (f) => isPc(f['d']!) || (f['d'] === 13 && f['n'] !== 13),
    semantics: (b, f) => b.writeAlu(f['d']!, b.sub(b.reg(f['n']!), b.const(f['i']!))),
  },
  {
    name: 'ADR_T3',
    isa: 'T32',
    pattern: '11110 i 100000 1111 0 iii dddd iiiiiiii',
    ref: 'A8.8.12',
    text: ['addw{c}', reg('d'), fixedRegister(15), imm('i')],
    unpredictable: (f) => spOrPc(f['d']!),
    semantics: (b, f) => b.writeAlu(f['d']!, b.add(b.pcAligned(), b.const(f['i']!))),
  },
  {
    name: 'ADR_T2',
    isa: 'T32',
    pattern: '11110 i 101010 1111 0 iii dddd iiiiiiii',
    ref: 'A8.8.12',
    text: ['subw{c}', reg('d'), fixedRegister(15), imm('i')],
    unpredictable: (f) => spOrPc(f['d']!),
    semantics: (b, f) => b.writeAlu(f['d']!, b.sub(b.pcAligned(), b.const(f['i']!))),
  },
  {
    name: 'SUBS_PC_LR_T1',
    isa: 'T32',
    pattern: '1111 0011 1101 +++- 10-0 ++++ iiiiiiii',
    ref: 'B9.3.19',
    text: ['subs{c}', fixedRegister(15), fixedRegister(14), imm('i')],
    semantics: (b, f) => returnFromException(b, b.sub(b.reg(14), b.const(f['i']!))),
  },
];

/* T16 (A6.2) */

/** The sixteen-bit two-register forms: R[d] := op(R[d], R[m]), flags outside IT blocks. */
const t16Binary = (row: Row): Encoding => ({
  name: `${upper(row)}_reg_T1`,
  isa: 'T16',
  pattern: `010000 ${row.t16} mmm ddd`,
  ref: ref(row.refs[1]),
  text: [`${row.mnemonic}{S}{c}`, reg('d'), reg('m')],
  semantics: (b, f) => compute(b, row.op, f['d']!, b.reg(f['d']!), plainOperand(b, f, false), outsideIt(b)),
});
const t16Compare = (row: Row): Encoding => ({
  name: `${upper(row)}_reg_T1`,
  isa: 'T16',
  pattern: `010000 ${row.t16} mmm nnn`,
  ref: ref(row.refs[1]),
  text: [`${row.mnemonic}{c}`, reg('n'), reg('m')],
  semantics: compareSemantics(row.op, plainOperand),
});

const literal: SecondOperand = (b, f) => ({ value: b.const(f['i']!), carry: undefined });
const literalWords: SecondOperand = (b, f) => ({ value: b.const(f['i']! * 4), carry: undefined });

/** R[d] := op(R[d], immediate). */
const inPlace =
  (op: Operation): Encoding['semantics'] =>
  (b, f) =>
    compute(b, op, f['d']!, b.reg(f['d']!), literal(b, f, false), outsideIt(b));

const addSp =
  (op: Operation): Encoding['semantics'] =>
  (b, f) =>
    compute(b, op, 13, b.reg(13), literalWords(b, f, false), false);

const t16Others: readonly Encoding[] = [
  {
    name: 'ADD_reg_T1',
    isa: 'T16',
    pattern: '0001100 mmm nnn ddd',
    ref: 'A8.8.6',
    text: ['add{S}{c}', reg('d'), reg('n'), reg('m')],
    semantics: binarySemantics(ADD, plainOperand, outsideIt),
  },
  {
    name: 'SUB_reg_T1',
    isa: 'T16',
    pattern: '0001101 mmm nnn ddd',
    ref: 'A8.8.223',
    text: ['sub{S}{c}', reg('d'), reg('n'), reg('m')],
    semantics: binarySemantics(SUB, plainOperand, outsideIt),
  },
  {
    name: 'ADD_imm_T1',
    isa: 'T16',
    pattern: '0001110 iii nnn ddd',
    ref: 'A8.8.4',
    text: ['add{S}{c}', reg('d'), reg('n'), imm('i')],
    semantics: binarySemantics(ADD, literal, outsideIt),
  },
  {
    name: 'SUB_imm_T1',
    isa: 'T16',
    pattern: '0001111 iii nnn ddd',
    ref: 'A8.8.221',
    text: ['sub{S}{c}', reg('d'), reg('n'), imm('i')],
    semantics: binarySemantics(SUB, literal, outsideIt),
  },
  {
    name: 'MOV_imm_T1',
    isa: 'T16',
    pattern: '00100 ddd iiiiiiii',
    ref: 'A8.8.102',
    text: ['mov{S}{c}', reg('d'), imm('i')],
    semantics: moveSemantics(MOV, literal, outsideIt),
  },
  {
    name: 'CMP_imm_T1',
    isa: 'T16',
    pattern: '00101 nnn iiiiiiii',
    ref: 'A8.8.37',
    text: ['cmp{c}', reg('n'), imm('i')],
    semantics: compareSemantics(SUB, literal),
  },
  {
    name: 'ADD_imm_T2',
    isa: 'T16',
    pattern: '00110 ddd iiiiiiii',
    ref: 'A8.8.4',
    text: ['add{S}{c}', reg('d'), imm('i')],
    semantics: inPlace(ADD),
  },
  {
    name: 'SUB_imm_T2',
    isa: 'T16',
    pattern: '00111 ddd iiiiiiii',
    ref: 'A8.8.221',
    text: ['sub{S}{c}', reg('d'), imm('i')],
    semantics: inPlace(SUB),
  },
  {
    name: 'RSB_imm_T1',
    isa: 'T16',
    pattern: '010000 1001 nnn ddd',
    ref: 'A8.8.152',
    text: ['rsb{S}{c}', reg('d'), reg('n'), fixedImmediate(0)],
    semantics: (b, f) => compute(b, RSB, f['d']!, b.reg(f['n']!), { value: b.const(0), carry: undefined }, outsideIt(b)),
  },
  {
    name: 'MVN_reg_T1',
    isa: 'T16',
    pattern: '010000 1111 mmm ddd',
    ref: 'A8.8.116',
    text: ['mvn{S}{c}', reg('d'), reg('m')],
    semantics: moveSemantics(MVN, plainOperand, outsideIt),
  },
  {
    // Any registers, SP and PC among them; never sets flags.
    name: 'ADD_reg_T2',
    isa: 'T16',
    pattern: '01000100 d mmmm ddd',
    ref: 'A8.8.6',
    text: ['add{c}', reg('d'), reg('m')],
    unpredictable: (f) => f['d'] === 15 && f['m'] === 15,
    semantics: (b, f) => compute(b, ADD, f['d']!, b.reg(f['d']!), plainOperand(b, f, false), false),
  },
  {
    name: 'CMP_reg_T2',
    isa: 'T16',
    pattern: '01000101 n mmmm nnn',
    ref: 'A8.8.38',
    text: ['cmp{c}', reg('n'), reg('m')],
    unpredictable: (f) => (f['n']! < 8 && f['m']! < 8) || isPc(f['n']!) || isPc(f['m']!),
    semantics: compareSemantics(SUB, plainOperand),
  },
  {
    name: 'MOV_reg_T1',
    isa: 'T16',
    pattern: '01000110 d mmmm ddd',
    ref: 'A8.8.103',
    text: ['mov{c}', reg('d'), reg('m')],
    semantics: moveSemantics(MOV, plainOperand, never),
  },
  {
    name: 'MOV_reg_T2',
    isa: 'T16',
    pattern: '00000 00000 mmm ddd',
    ref: 'A8.8.103',
    text: ['movs', reg('d'), reg('m')],
    semantics: moveSemantics(MOV, plainOperand, outsideIt),
  },
  {
    name: 'ADR_T1',
    isa: 'T16',
    pattern: '10100 ddd iiiiiiii',
    ref: 'A8.8.12',
    text: ['add{c}', reg('d'), fixedRegister(15), imm('i', 4)],
    semantics: (b, f) => b.writeAlu(f['d']!, b.add(b.pcAligned(), b.const(f['i']! * 4))),
  },
  {
    name: 'ADD_SP_imm_T1',
    isa: 'T16',
    pattern: '10101 ddd iiiiiiii',
    ref: 'A8.8.9',
    text: ['add{c}', reg('d'), fixedRegister(13), imm('i', 4)],
    semantics: (b, f) => compute(b, ADD, f['d']!, b.reg(13), literalWords(b, f, false), false),
  },
  {
    name: 'ADD_SP_imm_T2',
    isa: 'T16',
    pattern: '10110000 0 iiiiiii',
    ref: 'A8.8.9',
    text: ['add{c}', fixedRegister(13), imm('i', 4)],
    semantics: addSp(ADD),
  },
  {
    name: 'SUB_SP_imm_T1',
    isa: 'T16',
    pattern: '10110000 1 iiiiiii',
    ref: 'A8.8.225',
    text: ['sub{c}', fixedRegister(13), imm('i', 4)],
    semantics: addSp(SUB),
  },
];

export const dataProcessing: readonly Encoding[] = [
  ...binary.filter((row) => row.a32 !== undefined).flatMap(a32Binary),
  ...comparisons.flatMap(a32Compare),
  ...moves.map(a32Move),
  ...a32Others,
  ...binary.filter((row) => row.t32 !== undefined).flatMap(t32Binary),
  ...comparisons.flatMap(t32Compare),
  ...t32Others,
  ...binary.filter((row) => row.t16 !== undefined).map(t16Binary),
  ...comparisons.filter((row) => row.t16 !== undefined).map(t16Compare),
  ...t16Others,
];

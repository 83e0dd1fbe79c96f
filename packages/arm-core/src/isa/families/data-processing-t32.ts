import type { Encoding, Fields } from '../encoding.js';
import { ADD, emptyPatternT32, immediateT32, isPc, MOV, MVN, returnFromException, SUB, spOrPc } from '../integer.js';
import type { OperandSyntax } from '../operands.js';
import { imm, parseImmediate, reg } from '../operands.js';
import { fixedRegister, shift, t32Immediate } from '../operands-integer.js';
import type { Row, SecondOperand } from './data-processing-rows.js';
import {
  binary,
  binarySemantics,
  compareSemantics,
  comparisons,
  fieldS,
  moveSemantics,
  moveTop,
  plainOperand,
  ref,
  shiftedOperand,
  upper,
} from './data-processing-rows.js';

/** Data processing, T32 of 32 bits (ARM DDI 0406C, A6.3.1, A6.3.3, A6.3.11). */

const immediateOperandT32: SecondOperand = (b, f) => immediateT32(b, f['i']!);

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

export const dataProcessingT32: readonly Encoding[] = [
  ...binary.filter((row) => row.t32 !== undefined).flatMap(t32Binary),
  ...comparisons.flatMap(t32Compare),
  ...t32Others,
];

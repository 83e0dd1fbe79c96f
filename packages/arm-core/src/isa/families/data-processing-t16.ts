import type { ArmBuilder } from '../arm-builder.js';
import type { Encoding } from '../encoding.js';
import type { Operation } from '../integer.js';
import { ADD, compute, isPc, MOV, MVN, RSB, SUB } from '../integer.js';
import { imm, reg } from '../operands.js';
import { fixedImmediate, fixedRegister } from '../operands-integer.js';
import type { Row, SecondOperand } from './data-processing-rows.js';
import { binary, binarySemantics, compareSemantics, comparisons, moveSemantics, plainOperand, ref, upper } from './data-processing-rows.js';

/** Data processing, T32 of 16 bits (ARM DDI 0406C, A6.2.1-A6.2.4). */

const outsideIt = (b: ArmBuilder): boolean => !b.inIt;
const never = (): boolean => false;

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

export const dataProcessingT16: readonly Encoding[] = [
  ...binary.filter((row) => row.t16 !== undefined).map(t16Binary),
  ...comparisons.filter((row) => row.t16 !== undefined).map(t16Compare),
  ...t16Others,
];

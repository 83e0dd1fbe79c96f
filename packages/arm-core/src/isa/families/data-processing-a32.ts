import type { ArmBuilder } from '../arm-builder.js';
import type { Encoding, Fields } from '../encoding.js';
import { compute, immediateA32, isPc, MOV, MVN, shiftRegister } from '../integer.js';
import { imm, reg } from '../operands.js';
import { a32Immediate, registerShift, shift } from '../operands-integer.js';
import type { Row, SecondOperand } from './data-processing-rows.js';
import {
  binary,
  binarySemantics,
  compareSemantics,
  comparisons,
  fieldS,
  moveSemantics,
  moves,
  moveTop,
  plainOperand,
  ref,
  shiftedOperand,
  upper,
} from './data-processing-rows.js';

/** Data processing, A32 (ARM DDI 0406C, A5.2.1-A5.2.3). */

const immediateOperandA32: SecondOperand = (b, f) => immediateA32(b, f['r']!, f['i']!);
const registerShiftedOperand: SecondOperand = (b, f, wantCarry) => shiftRegister(b, b.reg(f['m']!), f['t']!, b.reg(f['s']!), wantCarry);
/** A register-shifted register form has registers other than PC. */
const shiftedPc = (f: Fields): boolean => isPc(f['m']!) || isPc(f['s']!) || f['n'] === 15 || f['d'] === 15;

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

export const dataProcessingA32: readonly Encoding[] = [
  ...binary.filter((row) => row.a32 !== undefined).flatMap(a32Binary),
  ...comparisons.flatMap(a32Compare),
  ...moves.map(a32Move),
  ...a32Others,
];

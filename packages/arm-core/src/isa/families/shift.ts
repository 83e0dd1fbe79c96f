import type { Encoding } from '../encoding.js';
import { compute, computeOrReturn, isPc, MOV, shiftImmediate, shiftRegister, spOrPc } from '../integer.js';
import { reg } from '../operands.js';
import { shiftAmount, shortShiftAmount } from '../operands-integer.js';

/** LSL, LSR, ASR, ROR and RRX: moves of a shifted register (ARM DDI 0406C, A5.2.2, A6.2.1, A6.3.11, A6.3.12). */

interface Row {
  readonly mnemonic: string;
  readonly type: 0 | 1 | 2 | 3;
  readonly bits: string;
  /** Bits 9:6 of the T16 form by a register. */
  readonly t16: string;
  readonly refs: readonly [immediate: string, register: string];
}

const rows: readonly Row[] = [
  { mnemonic: 'lsl', type: 0, bits: '00', t16: '0010', refs: ['A8.8.94', 'A8.8.95'] },
  { mnemonic: 'lsr', type: 1, bits: '01', t16: '0011', refs: ['A8.8.96', 'A8.8.97'] },
  { mnemonic: 'asr', type: 2, bits: '10', t16: '0100', refs: ['A8.8.16', 'A8.8.17'] },
  { mnemonic: 'ror', type: 3, bits: '11', t16: '0111', refs: ['A8.8.149', 'A8.8.150'] },
];

/** R[d] := R[m] shifted by the constant `i`. */
const byConstant =
  (type: number): Encoding['semantics'] =>
  (b, f) => {
    const shifted = shiftImmediate(b, b.reg(f['m']!), type, f['i'] ?? 0, f['s'] === 1);
    computeOrReturn(b, MOV, f['d']!, shifted.value, shifted, f['s'] === 1);
  };

const encodingsOf = ({ mnemonic, type, bits, t16, refs }: Row): Encoding[] => {
  const name = mnemonic.toUpperCase();
  const amount = type === 1 || type === 2 ? shiftAmount : shortShiftAmount;
  const list: Encoding[] = [
    {
      name: `${name}_imm_A1`,
      isa: 'A32',
      pattern: `cccc 0001101 s ---- dddd iiiii ${bits}0 mmmm`,
      ref: refs[0],
      text: [`${mnemonic}{s}{c}`, reg('d'), reg('m'), amount],
      semantics: byConstant(type),
    },
    {
      name: `${name}_reg_A1`,
      isa: 'A32',
      pattern: `cccc 0001101 s ---- dddd aaaa 0${bits}1 mmmm`,
      ref: refs[1],
      text: [`${mnemonic}{s}{c}`, reg('d'), reg('m'), reg('a')],
      unpredictable: (f) => isPc(f['d']!) || isPc(f['m']!) || isPc(f['a']!),
      semantics: (b, f) => {
        const shifted = shiftRegister(b, b.reg(f['m']!), type, b.reg(f['a']!), f['s'] === 1);
        compute(b, MOV, f['d']!, shifted.value, shifted, f['s'] === 1);
      },
    },
    {
      name: `${name}_imm_T32`,
      isa: 'T32',
      pattern: `1110101 0010 s 1111 - iii dddd ii ${bits} mmmm`,
      ref: refs[0],
      text: [`${mnemonic}{s}{c}{.w}`, reg('d'), reg('m'), amount],
      unpredictable: (f) => spOrPc(f['d']!) || spOrPc(f['m']!),
      semantics: byConstant(type),
    },
    {
      name: `${name}_reg_T2`,
      isa: 'T32',
      pattern: `11111010 0${bits} s nnnn 1111 dddd 0000 mmmm`,
      ref: refs[1],
      text: [`${mnemonic}{s}{c}{.w}`, reg('d'), reg('n'), reg('m')],
      unpredictable: (f) => spOrPc(f['d']!) || spOrPc(f['n']!) || spOrPc(f['m']!),
      semantics: (b, f) => {
        const shifted = shiftRegister(b, b.reg(f['n']!), type, b.reg(f['m']!), f['s'] === 1);
        compute(b, MOV, f['d']!, shifted.value, shifted, f['s'] === 1);
      },
    },
    {
      name: `${name}_reg_T1`,
      isa: 'T16',
      pattern: `010000 ${t16} mmm ddd`,
      ref: refs[1],
      text: [`${mnemonic}{S}{c}`, reg('d'), reg('m')],
      semantics: (b, f) => {
        const shifted = shiftRegister(b, b.reg(f['d']!), type, b.reg(f['m']!), !b.inIt);
        compute(b, MOV, f['d']!, shifted.value, shifted, !b.inIt);
      },
    },
  ];
  if (type !== 3) {
    list.push({
      name: `${name}_imm_T1`,
      isa: 'T16',
      pattern: `000${bits} iiiii mmm ddd`,
      ref: refs[0],
      text: [`${mnemonic}{S}{c}`, reg('d'), reg('m'), amount],
      semantics: (b, f) => {
        const shifted = shiftImmediate(b, b.reg(f['m']!), type, f['i']!, !b.inIt);
        compute(b, MOV, f['d']!, shifted.value, shifted, !b.inIt);
      },
    });
  }
  return list;
};

export const shifts: readonly Encoding[] = [
  ...rows.flatMap(encodingsOf),
  {
    name: 'RRX_A1',
    isa: 'A32',
    pattern: 'cccc 0001101 s ---- dddd 00000 110 mmmm',
    ref: 'A8.8.151',
    text: ['rrx{s}{c}', reg('d'), reg('m')],
    semantics: byConstant(3),
  },
  {
    name: 'RRX_T1',
    isa: 'T32',
    pattern: '1110101 0010 s 1111 - 000 dddd 00 11 mmmm',
    ref: 'A8.8.151',
    text: ['rrx{s}{c}', reg('d'), reg('m')],
    unpredictable: (f) => spOrPc(f['d']!) || spOrPc(f['m']!),
    semantics: byConstant(3),
  },
];

import type { PureKernel, Value } from '@tablewalk/engine';
import { layout } from '@tablewalk/engine';
import type { ArmBuilder } from '../arm-builder.js';
import type { Encoding, Fields } from '../encoding.js';
import { isPc, pureKernel, shiftImmediate, spOrPc } from '../integer.js';
import { imm, reg } from '../operands.js';
import { lslOrAsr, rotation } from '../operands-integer.js';
import { parallel } from './parallel.js';

/** Saturation, packing, extension and sums of differences (ARM DDI 0406C, A4.4.4-A4.4.9, A5.4, A6.3.12-A6.3.15). */

type Semantics = Encoding['semantics'];

const badA32 =
  (letters: string) =>
  (f: Fields): boolean =>
    [...letters].some((letter) => isPc(f[letter]!));
const badT32 =
  (letters: string) =>
  (f: Fields): boolean =>
    [...letters].some((letter) => spOrPc(f[letter]!));

/* Saturating addition (QADD: R[m] and R[n]) */

const clamp = (value: number, low: number, high: number): number => (value < low ? low : value > high ? high : value);
const saturatingAdd = pureKernel('qadd', (a, b) => clamp(a + b, -0x80000000, 0x7fffffff));
const saturatingSub = pureKernel('qsub', (a, b) => clamp(a - b, -0x80000000, 0x7fffffff));

/** A saturated value, with Q when it is not the plain one. */
const saturated = (b: ArmBuilder, value: Value, plain: Value): Value => {
  b.orQ(b.xor(value, plain));
  return value;
};
const addOrSubtract =
  (subtract: boolean, doubled: boolean): Semantics =>
  (b, f) => {
    const m = b.reg(f['m']!);
    let n = b.reg(f['n']!);
    if (doubled) n = saturated(b, b.pure(saturatingAdd, n, n), b.add(n, n));
    const value = subtract
      ? saturated(b, b.pure(saturatingSub, m, n), b.sub(m, n))
      : saturated(b, b.pure(saturatingAdd, m, n), b.add(m, n));
    b.writeAlu(f['d']!, value);
  };

const saturatingRows = [
  { mnemonic: 'qadd', ref: 'A8.8.134', a32: '00', t32: '00', semantics: addOrSubtract(false, false) },
  { mnemonic: 'qsub', ref: 'A8.8.141', a32: '01', t32: '10', semantics: addOrSubtract(true, false) },
  { mnemonic: 'qdadd', ref: 'A8.8.138', a32: '10', t32: '01', semantics: addOrSubtract(false, true) },
  { mnemonic: 'qdsub', ref: 'A8.8.139', a32: '11', t32: '11', semantics: addOrSubtract(true, true) },
] as const;

const saturating: readonly Encoding[] = saturatingRows.flatMap(({ mnemonic, ref, a32, t32, semantics }): Encoding[] => [
  {
    name: `${mnemonic.toUpperCase()}_A1`,
    isa: 'A32',
    pattern: `cccc 00010${a32}0 nnnn dddd ---- 0101 mmmm`,
    ref,
    text: [`${mnemonic}{c}`, reg('d'), reg('m'), reg('n')],
    unpredictable: badA32('dnm'),
    semantics,
  },
  {
    name: `${mnemonic.toUpperCase()}_T1`,
    isa: 'T32',
    pattern: `11111010 1000 nnnn 1111 dddd 10${t32} mmmm`,
    ref,
    text: [`${mnemonic}{c}`, reg('d'), reg('m'), reg('n')],
    unpredictable: badT32('dnm'),
    semantics,
  },
]);

/* Saturation to a width: the second kernel argument is the number of bits */

const signedSaturate = pureKernel('ssat', (v, bits) => clamp(v, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1));
const unsignedSaturate = pureKernel('usat', (v, bits) => clamp(v, 0, 2 ** bits - 1));
const signedSaturate16 = pureKernel('ssat16', (v, bits) => {
  const low = -(2 ** (bits - 1));
  const high = 2 ** (bits - 1) - 1;
  return (clamp((v << 16) >> 16, low, high) & 0xffff) | (clamp(v >> 16, low, high) << 16);
});
const unsignedSaturate16 = pureKernel('usat16', (v, bits) => {
  const high = 2 ** bits - 1;
  return (clamp((v << 16) >> 16, 0, high) & 0xffff) | (clamp(v >> 16, 0, high) << 16);
});

/** SSAT and USAT; `plus` is 1 for SSAT, whose field is the width less one. */
const saturateTo =
  (kernel: PureKernel, plus: number): Semantics =>
  (b, f) => {
    const { value } = shiftImmediate(b, b.reg(f['n']!), f['h'] === 1 ? 2 : 0, f['i']!, false);
    b.writeAlu(f['d']!, saturated(b, b.pure(kernel, value, b.const(f['u']! + plus)), value));
  };
const saturateHalves =
  (kernel: PureKernel, plus: number): Semantics =>
  (b, f) => {
    const value = b.reg(f['n']!);
    b.writeAlu(f['d']!, saturated(b, b.pure(kernel, value, b.const(f['u']! + plus)), value));
  };

const saturationRows = [
  {
    sign: 's',
    plus: 1,
    bit: '0',
    refs: ['A8.8.193', 'A8.8.194'],
    word: saturateTo(signedSaturate, 1),
    halves: saturateHalves(signedSaturate16, 1),
  },
  {
    sign: 'u',
    plus: 0,
    bit: '1',
    refs: ['A8.8.266', 'A8.8.267'],
    word: saturateTo(unsignedSaturate, 0),
    halves: saturateHalves(unsignedSaturate16, 0),
  },
] as const;

const saturation: readonly Encoding[] = saturationRows.flatMap(({ sign, plus, bit, refs, word, halves }): Encoding[] => [
  {
    name: `${sign.toUpperCase()}SAT_A1`,
    isa: 'A32',
    pattern: `cccc 01101${bit}1 uuuuu dddd iiiii h01 nnnn`,
    ref: refs[0],
    text: [`${sign}sat{c}`, reg('d'), imm('u', 1, plus), reg('n'), lslOrAsr],
    unpredictable: badA32('dn'),
    semantics: word,
  },
  {
    name: `${sign.toUpperCase()}SAT_T1`,
    isa: 'T32',
    pattern: `11110 - 11${bit}0h0 nnnn 0 iii dddd ii - uuuuu`,
    ref: refs[0],
    text: [`${sign}sat{c}`, reg('d'), imm('u', 1, plus), reg('n'), lslOrAsr],
    unless: (f) => f['h'] === 1 && f['i'] === 0,
    unpredictable: badT32('dn'),
    semantics: word,
  },
  {
    name: `${sign.toUpperCase()}SAT16_A1`,
    isa: 'A32',
    pattern: `cccc 01101${bit}10 uuuu dddd ++++ 0011 nnnn`,
    ref: refs[1],
    text: [`${sign}sat16{c}`, reg('d'), imm('u', 1, plus), reg('n')],
    unpredictable: badA32('dn'),
    semantics: halves,
  },
  {
    name: `${sign.toUpperCase()}SAT16_T1`,
    isa: 'T32',
    pattern: `11110 - 11${bit}010 nnnn 0 000 dddd 00 -- uuuu`,
    ref: refs[1],
    text: [`${sign}sat16{c}`, reg('d'), imm('u', 1, plus), reg('n')],
    unpredictable: badT32('dn'),
    semantics: halves,
  },
]);

/* Extension: R[n], when there is one, plus a rotated and extended R[m] */

interface ExtendRow {
  readonly mnemonic: string;
  /** Sections with and without an addend. */
  readonly refs: readonly [add: string, plain: string];
  /** Bits 22:20 of A32, 22:20 of T32. */
  readonly a32: string;
  readonly t32: string;
  /** Bits 7:6 of the T16 form. */
  readonly t16?: string;
  readonly extend: (b: ArmBuilder, v: Value) => Value;
  /** Two halfword additions rather than one of words. */
  readonly pairs: boolean;
}

const extendRows: readonly ExtendRow[] = [
  {
    mnemonic: 'sxtb16',
    refs: ['A8.8.231', 'A8.8.234'],
    a32: '000',
    t32: '010',
    pairs: true,
    extend: (b, v) => b.or(b.and(b.sxt8(v), b.const(0xffff)), b.shl(b.sxt8(b.shr(v, b.const(16))), b.const(16))),
  },
  { mnemonic: 'sxtb', refs: ['A8.8.230', 'A8.8.233'], a32: '010', t32: '100', t16: '01', pairs: false, extend: (b, v) => b.sxt8(v) },
  { mnemonic: 'sxth', refs: ['A8.8.232', 'A8.8.235'], a32: '011', t32: '000', t16: '00', pairs: false, extend: (b, v) => b.sxt16(v) },
  {
    mnemonic: 'uxtb16',
    refs: ['A8.8.272', 'A8.8.275'],
    a32: '100',
    t32: '011',
    pairs: true,
    extend: (b, v) => b.and(v, b.const(0x00ff00ff)),
  },
  { mnemonic: 'uxtb', refs: ['A8.8.271', 'A8.8.274'], a32: '110', t32: '101', t16: '11', pairs: false, extend: (b, v) => b.uxt8(v) },
  { mnemonic: 'uxth', refs: ['A8.8.273', 'A8.8.276'], a32: '111', t32: '001', t16: '10', pairs: false, extend: (b, v) => b.uxt16(v) },
];

const rotated = (b: ArmBuilder, f: Fields): Value => {
  const v = b.reg(f['m']!);
  return (f['r'] ?? 0) === 0 ? v : b.rotr(v, b.const(f['r']! * 8));
};
const addHalves = (b: ArmBuilder, x: Value, y: Value): Value => {
  const low = b.and(b.add(x, y), b.const(0xffff));
  const high = b.add(b.and(x, b.const(0xffff0000)), b.and(y, b.const(0xffff0000)));
  return b.or(low, high);
};

const extendEncodings = ({ mnemonic, refs, a32, t32, t16, extend, pairs }: ExtendRow): Encoding[] => {
  const name = mnemonic.toUpperCase();
  const withAddend = `${mnemonic.slice(0, 3)}a${mnemonic.slice(3)}`;
  const plain: Semantics = (b, f) => b.writeAlu(f['d']!, extend(b, rotated(b, f)));
  const add: Semantics = (b, f) => {
    const n = b.reg(f['n']!);
    const v = extend(b, rotated(b, f));
    b.writeAlu(f['d']!, pairs ? addHalves(b, n, v) : b.add(n, v));
  };
  const list: Encoding[] = [
    {
      name: `${name}_A1`,
      isa: 'A32',
      pattern: `cccc 01101${a32} 1111 dddd rr -- 0111 mmmm`,
      ref: refs[1],
      text: [`${mnemonic}{c}`, reg('d'), reg('m'), rotation],
      unpredictable: badA32('dm'),
      semantics: plain,
    },
    {
      name: `${withAddend.toUpperCase()}_A1`,
      isa: 'A32',
      pattern: `cccc 01101${a32} nnnn dddd rr -- 0111 mmmm`,
      ref: refs[0],
      text: [`${withAddend}{c}`, reg('d'), reg('n'), reg('m'), rotation],
      unpredictable: badA32('dm'),
      semantics: add,
    },
    {
      name: `${name}_T2`,
      isa: 'T32',
      pattern: `11111010 0${t32} 1111 1111 dddd 1-rr mmmm`,
      ref: refs[1],
      text: [`${mnemonic}{c}${t16 === undefined ? '' : '{.w}'}`, reg('d'), reg('m'), rotation],
      unpredictable: badT32('dm'),
      semantics: plain,
    },
    {
      name: `${withAddend.toUpperCase()}_T1`,
      isa: 'T32',
      pattern: `11111010 0${t32} nnnn 1111 dddd 1-rr mmmm`,
      ref: refs[0],
      text: [`${withAddend}{c}`, reg('d'), reg('n'), reg('m'), rotation],
      unpredictable: (f) => f['n'] === 13 || spOrPc(f['d']!) || spOrPc(f['m']!),
      semantics: add,
    },
  ];
  if (t16 !== undefined) {
    list.push({
      name: `${name}_T1`,
      isa: 'T16',
      pattern: `10110010 ${t16} mmm ddd`,
      ref: refs[1],
      text: [`${mnemonic}{c}`, reg('d'), reg('m')],
      semantics: plain,
    });
  }
  return list;
};

/* Packing and selection */

const pkh: Semantics = (b, f) => {
  const n = b.reg(f['n']!);
  const { value: m } = shiftImmediate(b, b.reg(f['m']!), f['h'] === 1 ? 2 : 0, f['i']!, false);
  const [low, high] = f['h'] === 1 ? [m, n] : [n, m];
  b.writeAlu(f['d']!, b.or(b.and(low, b.const(0xffff)), b.and(high, b.const(0xffff0000))));
};

/** The four GE bits become four bytes of ones or zeros; every product bit below has one source, so that no carry arises. */
const sel: Semantics = (b, f) => {
  const bytes = b.and(b.mul(b.getState(layout.FLAG_GE), b.const(0x00204081)), b.const(0x01010101));
  const mask = b.mul(bytes, b.const(0xff));
  const m = b.reg(f['m']!);
  b.writeAlu(f['d']!, b.xor(m, b.and(b.xor(b.reg(f['n']!), m), mask)));
};

const sumOfDifferences = pureKernel('usad8', (a, b) => {
  let sum = 0;
  for (let shift = 0; shift < 32; shift += 8) sum += Math.abs(((a >>> shift) & 0xff) - ((b >>> shift) & 0xff));
  return sum;
});
const usad8: Semantics = (b, f) => b.writeAlu(f['d']!, b.pure(sumOfDifferences, b.reg(f['n']!), b.reg(f['m']!)));
const usada8: Semantics = (b, f) => b.writeAlu(f['d']!, b.add(b.reg(f['a']!), b.pure(sumOfDifferences, b.reg(f['n']!), b.reg(f['m']!))));

const others: readonly Encoding[] = [
  {
    name: 'PKH_A1',
    isa: 'A32',
    pattern: 'cccc 01101000 nnnn dddd iiiii h01 mmmm',
    ref: 'A8.8.125',
    text: ['pkh{h:bt,tb}{c}', reg('d'), reg('n'), reg('m'), lslOrAsr],
    unpredictable: badA32('dnm'),
    semantics: pkh,
  },
  {
    name: 'PKH_T1',
    isa: 'T32',
    pattern: '1110101 0110 0 nnnn - iii dddd ii h0 mmmm',
    ref: 'A8.8.125',
    text: ['pkh{h:bt,tb}{c}', reg('d'), reg('n'), reg('m'), lslOrAsr],
    unpredictable: badT32('dnm'),
    semantics: pkh,
  },
  {
    name: 'SEL_A1',
    isa: 'A32',
    pattern: 'cccc 01101000 nnnn dddd ++++ 1011 mmmm',
    ref: 'A8.8.166',
    text: ['sel{c}', reg('d'), reg('n'), reg('m')],
    unpredictable: badA32('dnm'),
    semantics: sel,
  },
  {
    name: 'SEL_T1',
    isa: 'T32',
    pattern: '11111010 1010 nnnn 1111 dddd 1000 mmmm',
    ref: 'A8.8.166',
    text: ['sel{c}', reg('d'), reg('n'), reg('m')],
    unpredictable: badT32('dnm'),
    semantics: sel,
  },
  {
    name: 'USAD8_A1',
    isa: 'A32',
    pattern: 'cccc 01111000 dddd 1111 mmmm 0001 nnnn',
    ref: 'A8.8.264',
    text: ['usad8{c}', reg('d'), reg('n'), reg('m')],
    unpredictable: badA32('dnm'),
    semantics: usad8,
  },
  {
    name: 'USAD8_T1',
    isa: 'T32',
    pattern: '11111011 0111 nnnn 1111 dddd 0000 mmmm',
    ref: 'A8.8.264',
    text: ['usad8{c}', reg('d'), reg('n'), reg('m')],
    unpredictable: badT32('dnm'),
    semantics: usad8,
  },
  {
    name: 'USADA8_A1',
    isa: 'A32',
    pattern: 'cccc 01111000 dddd aaaa mmmm 0001 nnnn',
    ref: 'A8.8.265',
    text: ['usada8{c}', reg('d'), reg('n'), reg('m'), reg('a')],
    unpredictable: badA32('dnm'),
    semantics: usada8,
  },
  {
    name: 'USADA8_T1',
    isa: 'T32',
    pattern: '11111011 0111 nnnn aaaa dddd 0000 mmmm',
    ref: 'A8.8.265',
    text: ['usada8{c}', reg('d'), reg('n'), reg('m'), reg('a')],
    unpredictable: (f) => f['a'] === 13 || badT32('dnm')(f),
    semantics: usada8,
  },
];

export const media: readonly Encoding[] = [...saturating, ...saturation, ...extendRows.flatMap(extendEncodings), ...others, ...parallel];

import type { Value } from '@tablewalk/engine';
import type { ArmBuilder } from '../arm-builder.js';
import type { Encoding, Fields } from '../encoding.js';
import { isPc, spOrPc } from '../integer.js';
import { imm, reg } from '../operands.js';
import { bitField, registerTwice, width } from '../operands-integer.js';

/** Bit fields, bit counting and byte reversal (ARM DDI 0406C, A4.4.5, A4.4.8). */

const ones = (count: number): number => (count === 32 ? -1 : (1 << count) - 1);

/** SBFX and UBFX: bits l + w down to l. */
const extract =
  (signed: boolean): Encoding['semantics'] =>
  (b, f) => {
    const lsb = f['l']!;
    const count = Math.min(f['w']! + 1, 32 - lsb);
    const source = b.reg(f['n']!);
    let value: Value;
    if (signed && lsb === 0 && count === 8) value = b.sxt8(source);
    else if (signed && lsb === 0 && count === 16) value = b.sxt16(source);
    else if (signed) {
      const left = 32 - lsb - count;
      value = b.sar(left === 0 ? source : b.shl(source, b.const(left)), b.const(32 - count));
    } else {
      const moved = lsb === 0 ? source : b.shr(source, b.const(lsb));
      value = lsb + count === 32 ? moved : b.and(moved, b.const(ones(count)));
    }
    b.writeAlu(f['d']!, value);
  };
const badExtract = (f: Fields): boolean => f['l']! + f['w']! > 31;

/** BFI and BFC: bits w down to l of R[d]. With w below l (UNPREDICTABLE) nothing happens. */
const insert = (b: ArmBuilder, d: number, lsb: number, msb: number, source: Value | undefined): void => {
  if (msb < lsb) return;
  const mask = ones(msb - lsb + 1) << lsb;
  const kept = b.and(b.reg(d), b.const(~mask));
  if (source === undefined) {
    b.writeAlu(d, kept);
    return;
  }
  const moved = lsb === 0 ? source : b.shl(source, b.const(lsb));
  b.writeAlu(d, b.or(kept, b.and(moved, b.const(mask))));
};
const bfi: Encoding['semantics'] = (b, f) => insert(b, f['d']!, f['l']!, f['w']!, b.reg(f['n']!));
const bfc: Encoding['semantics'] = (b, f) => insert(b, f['d']!, f['l']!, f['w']!, undefined);
const badInsert = (f: Fields): boolean => f['w']! < f['l']!;

const unary =
  (operation: (b: ArmBuilder, v: Value) => Value): Encoding['semantics'] =>
  (b, f) =>
    b.writeAlu(f['d']!, operation(b, b.reg(f['m']!)));

interface UnaryRow {
  readonly mnemonic: string;
  readonly ref: string;
  /** Bits 27:20 and 7:4. */
  readonly a32: readonly [string, string];
  /** First halfword's bits 7:4 and second halfword's bits 7:4. */
  readonly t32: readonly [string, string];
  /** Bits 7:6 of the T16 form. */
  readonly t16?: string;
  readonly operation: (b: ArmBuilder, v: Value) => Value;
}

const unaries: readonly UnaryRow[] = [
  { mnemonic: 'clz', ref: 'A8.8.33', a32: ['00010110', '0001'], t32: ['1011', '1000'], operation: (b, v) => b.clz(v) },
  { mnemonic: 'rbit', ref: 'A8.8.144', a32: ['01101111', '0011'], t32: ['1001', '1010'], operation: (b, v) => b.rbit(v) },
  { mnemonic: 'rev', ref: 'A8.8.145', a32: ['01101011', '0011'], t32: ['1001', '1000'], t16: '00', operation: (b, v) => b.rev(v) },
  { mnemonic: 'rev16', ref: 'A8.8.146', a32: ['01101011', '1011'], t32: ['1001', '1001'], t16: '01', operation: (b, v) => b.rev16(v) },
  { mnemonic: 'revsh', ref: 'A8.8.147', a32: ['01101111', '1011'], t32: ['1001', '1011'], t16: '11', operation: (b, v) => b.revsh(v) },
];

const unaryEncodings = ({ mnemonic, ref, a32, t32, t16, operation }: UnaryRow): Encoding[] => {
  const name = mnemonic.toUpperCase();
  const list: Encoding[] = [
    {
      name: `${name}_A1`,
      isa: 'A32',
      pattern: `cccc ${a32[0]} ++++ dddd ++++ ${a32[1]} mmmm`,
      ref,
      text: [`${mnemonic}{c}`, reg('d'), reg('m')],
      unpredictable: (f) => isPc(f['d']!) || isPc(f['m']!),
      semantics: unary(operation),
    },
    {
      name: `${name}_T32`,
      isa: 'T32',
      pattern: `11111010 ${t32[0]} nnnn 1111 dddd ${t32[1]} mmmm`,
      ref,
      text: [`${mnemonic}{c}${t16 === undefined ? '' : '{.w}'}`, reg('d'), registerTwice],
      unpredictable: (f) => f['n'] !== f['m'] || spOrPc(f['d']!) || spOrPc(f['m']!),
      semantics: unary(operation),
    },
  ];
  if (t16 !== undefined) {
    list.push({
      name: `${name}_T1`,
      isa: 'T16',
      pattern: `10111010 ${t16} mmm ddd`,
      ref,
      text: [`${mnemonic}{c}`, reg('d'), reg('m')],
      semantics: unary(operation),
    });
  }
  return list;
};

export const bitFields: readonly Encoding[] = [
  ...unaries.flatMap(unaryEncodings),
  ...(['sbfx', 'ubfx'] as const).flatMap((mnemonic): Encoding[] => {
    const signed = mnemonic === 'sbfx';
    const ref = signed ? 'A8.8.164' : 'A8.8.246';
    return [
      {
        name: `${mnemonic.toUpperCase()}_A1`,
        isa: 'A32',
        pattern: `cccc 01111${signed ? '0' : '1'}1 wwwww dddd lllll 101 nnnn`,
        ref,
        text: [`${mnemonic}{c}`, reg('d'), reg('n'), imm('l'), width],
        unpredictable: (f) => isPc(f['d']!) || isPc(f['n']!) || badExtract(f),
        semantics: extract(signed),
      },
      {
        name: `${mnemonic.toUpperCase()}_T1`,
        isa: 'T32',
        pattern: `11110 - 11${signed ? '01' : '11'}00 nnnn 0 lll dddd ll - wwwww`,
        ref,
        text: [`${mnemonic}{c}`, reg('d'), reg('n'), imm('l'), width],
        unpredictable: (f) => spOrPc(f['d']!) || spOrPc(f['n']!) || badExtract(f),
        semantics: extract(signed),
      },
    ];
  }),
  {
    name: 'BFC_A1',
    isa: 'A32',
    pattern: 'cccc 0111110 wwwww dddd lllll 001 1111',
    ref: 'A8.8.19',
    text: ['bfc{c}', reg('d'), bitField],
    unpredictable: (f) => isPc(f['d']!) || badInsert(f),
    semantics: bfc,
  },
  {
    name: 'BFI_A1',
    isa: 'A32',
    pattern: 'cccc 0111110 wwwww dddd lllll 001 nnnn',
    ref: 'A8.8.20',
    text: ['bfi{c}', reg('d'), reg('n'), bitField],
    unpredictable: (f) => isPc(f['d']!) || badInsert(f),
    semantics: bfi,
  },
  {
    name: 'BFC_T1',
    isa: 'T32',
    pattern: '11110 - 110110 1111 0 lll dddd ll - wwwww',
    ref: 'A8.8.19',
    text: ['bfc{c}', reg('d'), bitField],
    unpredictable: (f) => spOrPc(f['d']!) || badInsert(f),
    semantics: bfc,
  },
  {
    name: 'BFI_T1',
    isa: 'T32',
    pattern: '11110 - 110110 nnnn 0 lll dddd ll - wwwww',
    ref: 'A8.8.20',
    text: ['bfi{c}', reg('d'), reg('n'), bitField],
    unpredictable: (f) => spOrPc(f['d']!) || f['n'] === 13 || badInsert(f),
    semantics: bfi,
  },
];

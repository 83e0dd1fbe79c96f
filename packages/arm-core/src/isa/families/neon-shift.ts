import type { VectorKernel } from '@tablewalk/engine';
import * as float from '../../fp/neon-float-kernels.js';
import type { BySign, BySize } from '../../fp/neon-kernel-sets.js';
import * as shifts from '../../fp/neon-shift-kernels.js';
import * as widths from '../../fp/neon-width-kernels.js';
import type { Encoding, Fields } from '../encoding.js';
import { counted, countedDown, double, quad, vector } from '../operands-simd.js';
import { dD, dM, neon, odd, oddQuad } from './vfp-record.js';

/** Advanced SIMD, two registers and a shift amount (ARM DDI 0406C, A7.4.4). The leading one of L:imm6 says the size; a record for each. */

/** imm6 and L for elements of 8 << size bits. */
const amountBits = [
  ['001iii', '0'],
  ['01iiii', '0'],
  ['1iiiii', '0'],
  ['iiiiii', '1'],
] as const;
const all = [0, 1, 2, 3] as const;
const narrowSizes = [0, 1, 2] as const;

type Direction = 'left' | 'right';
/** `u` is bit 24: fixed, or U with kernels by sign. `type` is the letter before the size. */
const shift = (
  mnemonic: string,
  type: string,
  ref: string,
  u: string,
  a: string,
  direction: Direction,
  kernels: (f: Fields) => BySize,
): readonly Encoding[] =>
  all.flatMap((size) => {
    const [imm6, l] = amountBits[size];
    const bits = 8 << size;
    return neon(
      `${mnemonic.toUpperCase()}_imm_${bits}_simd`,
      `1111001 ${u} 1 d ${imm6} dddd ${a} ${l} q m 1 mmmm`,
      ref,
      [
        `${mnemonic}{c}.${type}${bits}`,
        vector('d'),
        vector('m'),
        direction === 'right' ? countedDown('i', bits, bits) : counted('i', bits),
      ],
      (b, f) => b.vector(kernels(f)[f['q']!]![size]!, dD(f), dM(f), direction === 'right' ? bits - f['i']! : f['i']!),
      { unless: oddQuad },
    );
  });
const bySign =
  (kernels: BySign) =>
  (f: Fields): BySize =>
    kernels[f['U']!]!;
/** D := narrowed Q; sizes are the result's. `op` is bit 6. */
const narrow = (
  mnemonic: string,
  type: string,
  ref: string,
  u: string,
  a: string,
  op: string,
  kernels: (f: Fields) => readonly VectorKernel[],
): readonly Encoding[] =>
  narrowSizes.flatMap((size) => {
    const bits = 8 << size;
    return neon(
      `${mnemonic.toUpperCase()}_${bits}_simd`,
      `1111001 ${u} 1 d ${amountBits[size][0]} dddd ${a} 0 ${op} m 1 mmmm`,
      ref,
      [`${mnemonic}{c}.${type}${bits * 2}`, double('d'), quad('m'), countedDown('i', bits, bits)],
      (b, f) => b.vector(kernels(f)[size]!, dD(f), dM(f), bits - f['i']!),
      { unless: (f) => odd(dM(f)) },
    );
  });

const lengthening: readonly Encoding[] = narrowSizes.flatMap((size) => {
  const bits = 8 << size;
  const unless = (f: Fields): boolean => odd(dD(f));
  return [
    ...neon(
      `VSHLL_${bits}_simd`,
      `1111001 U 1 d ${amountBits[size][0]} dddd 1010 00 m 1 mmmm`,
      'A8.8.397',
      [`vshll{c}.{U:s,u}${bits}`, quad('d'), double('m'), counted('i', bits)],
      (b, f) => b.vector(widths.vshll[f['U']!]![size]!, dD(f), dM(f), f['i']!),
      { unless },
    ),
    ...neon(
      `VMOVL_${bits}_simd`,
      `1111001 U 1 d ${amountBits[size][0].replaceAll('i', '0')} dddd 1010 00 m 1 mmmm`,
      'A8.8.346',
      [`vmovl{c}.{U:s,u}${bits}`, quad('d'), double('m')],
      (b, f) => b.vector(widths.vshll[f['U']!]![size]!, dD(f), dM(f), 0),
      { unless },
    ),
  ];
});

const fixedPoint = (name: string, mnemonic: string, op: string, kernels: readonly (readonly VectorKernel[])[]): readonly Encoding[] =>
  neon(
    name,
    `1111001 U 1 d 1iiiii dddd 111 ${op} 0 q m 1 mmmm`,
    'A8.8.307',
    [mnemonic, vector('d'), vector('m'), countedDown('i', 32, 32)],
    (b, f) => b.vector(kernels[f['U']!]![f['q']!]!, dD(f), dM(f), 32 - f['i']!),
    { unless: oddQuad },
  );

export const neonShift: readonly Encoding[] = [
  ...shift('vshr', '{U:s,u}', 'A8.8.398', 'U', '0000', 'right', bySign(shifts.vshr)),
  ...shift('vsra', '{U:s,u}', 'A8.8.402', 'U', '0001', 'right', bySign(shifts.vsra)),
  ...shift('vrshr', '{U:s,u}', 'A8.8.391', 'U', '0010', 'right', bySign(shifts.vrshr)),
  ...shift('vrsra', '{U:s,u}', 'A8.8.394', 'U', '0011', 'right', bySign(shifts.vrsra)),
  ...shift('vsri', '', 'A8.8.403', '1', '0100', 'right', () => shifts.vsri),
  ...shift('vshl', 'i', 'A8.8.396', '0', '0101', 'left', () => shifts.vshlImm),
  ...shift('vsli', '', 'A8.8.400', '1', '0101', 'left', () => shifts.vsli),
  ...shift('vqshlu', 's', 'A8.8.380', '1', '0110', 'left', () => shifts.vqshlu),
  ...shift('vqshl', '{U:s,u}', 'A8.8.380', 'U', '0111', 'left', bySign(shifts.vqshlImm)),
  ...narrow('vshrn', 'i', 'A8.8.399', '0', '1000', '0', () => widths.vmovn),
  ...narrow('vrshrn', 'i', 'A8.8.392', '0', '1000', '1', () => widths.vrshrn),
  ...narrow('vqshrun', 's', 'A8.8.381', '1', '1000', '0', () => widths.vqshrun),
  ...narrow('vqrshrun', 's', 'A8.8.378', '1', '1000', '1', () => widths.vqrshrun),
  ...narrow('vqshrn', '{U:s,u}', 'A8.8.381', 'U', '1001', '0', (f) => widths.vqshrn[f['U'] as 0 | 1]),
  ...narrow('vqrshrn', '{U:s,u}', 'A8.8.378', 'U', '1001', '1', (f) => widths.vqrshrn[f['U'] as 0 | 1]),
  ...lengthening,
  ...fixedPoint('VCVT_f32_fixed_simd', 'vcvt{c}.f32.{U:s,u}32', '0', [float.vcvtF32S32, float.vcvtF32U32]),
  ...fixedPoint('VCVT_fixed_f32_simd', 'vcvt{c}.{U:s,u}32.f32', '1', [float.vcvtS32F32, float.vcvtU32F32]),
];

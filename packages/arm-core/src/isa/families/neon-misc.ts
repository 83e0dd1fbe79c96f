import type { VectorKernel } from '@tablewalk/engine';
import * as arithmetic from '../../fp/neon-arithmetic-kernels.js';
import * as float from '../../fp/neon-float-kernels.js';
import type { BySign, BySize } from '../../fp/neon-kernel-sets.js';
import * as permute from '../../fp/neon-permute-kernels.js';
import * as widths from '../../fp/neon-width-kernels.js';
import type { ArmBuilder } from '../arm-builder.js';
import type { Encoding, Fields } from '../encoding.js';
import type { OperandSyntax } from '../operands.js';
import { counted, double, element, expandVectorImmediate, fixed, quad, tableList, vector, vectorImmediate } from '../operands-simd.js';
import type { Semantics } from './vfp-record.js';
import { dD, dM, dN, neon, odd, oddQuad, wordOfD } from './vfp-record.js';

/**
 * Advanced SIMD: two registers, miscellaneous (ARM DDI 0406C, A7.4.5), one register and a modified immediate (A7.4.6), VEXT, VTBL, VTBX and VDUP.
 */

/** `b`: bits 17:16; `a`: bits 10:7; `sizes` that exist. */
const misc = (
  name: string,
  mnemonic: string,
  ref: string,
  b: string,
  a: string,
  sizes: readonly number[],
  semantics: Semantics,
  ...more: OperandSyntax[]
): readonly Encoding[] =>
  neon(name, `11110011 1 d 11 zz ${b} dddd 0 ${a} q m 0 mmmm`, ref, [mnemonic, vector('d'), vector('m'), ...more], semantics, {
    unless: (f) => oddQuad(f) || !sizes.includes(f['z']!),
  });
/** The same with the size fixed, for records that differ by it. */
const miscSized = (
  name: string,
  mnemonic: string,
  ref: string,
  z: string,
  b: string,
  a: string,
  semantics: Semantics,
  ...more: OperandSyntax[]
): readonly Encoding[] =>
  neon(name, `11110011 1 d 11 ${z} ${b} dddd 0 ${a} q m 0 mmmm`, ref, [mnemonic, vector('d'), vector('m'), ...more], semantics, {
    unless: oddQuad,
  });

const sizes = '{z:8,16,32,!}';
const lanes =
  (kernels: BySize): Semantics =>
  (b, f) =>
    b.vector(kernels[f['q']!]![f['z']!]!, dD(f), dM(f));
const floats =
  (kernels: readonly VectorKernel[]): Semantics =>
  (b, f) =>
    b.vector(kernels[f['q']!]!, dD(f), dM(f), dM(f));
/** Work on the words in place, without a kernel. */
const words =
  (change: (b: ArmBuilder, word: number) => number): Semantics =>
  (b, f) => {
    for (let i = 0; i < (f['q'] === 1 ? 4 : 2); i++) b.setState(wordOfD(dD(f)) + i, change(b, b.getState(wordOfD(dM(f)) + i)));
  };

const reverse = (group: 64 | 32 | 16, a: string, most: number): readonly Encoding[] =>
  misc(`VREV${group}_simd`, `vrev${group}{c}.${sizes}`, 'A8.8.387', '00', a, [0, 1, 2].slice(0, most), (b, f) =>
    // Element i of a group of 2^k is exchanged with element i ^ (2^k - 1); in bytes, the bits above the element's own.
    b.vector(permute.vrev[f['q']!]!, dD(f), dM(f), group / 8 - 1 - ((1 << f['z']!) - 1)),
  );
const pairwiseLong = (mnemonic: string, a: string, kernels: BySign): readonly Encoding[] =>
  misc(
    `${mnemonic.toUpperCase()}_simd`,
    `${mnemonic}{c}.{U:s,u}${sizes}`,
    mnemonic === 'vpaddl' ? 'A8.8.364' : 'A8.8.361',
    '00',
    `${a}U`,
    [0, 1, 2],
    (b, f) => b.vector(kernels[f['U']!]![f['q']!]![f['z']!]!, dD(f), dM(f)),
  );
const zeroText = fixed('#0', '0', '#0.0', '0.0');
const compareZero = (
  mnemonic: string,
  ref: string,
  a: string,
  type: string,
  integer: BySize,
  floating: readonly VectorKernel[],
): readonly Encoding[] => [
  ...misc(
    `${mnemonic.toUpperCase()}_zero_int_simd`,
    `${mnemonic}{c}.${type}${sizes}`,
    ref,
    '01',
    `0${a}`,
    [0, 1, 2],
    lanes(integer),
    zeroText,
  ),
  ...miscSized(`${mnemonic.toUpperCase()}_zero_f32_simd`, `${mnemonic}{c}.f32`, ref, '10', '01', `1${a}`, floats(floating), zeroText),
];

const exchange = (
  mnemonic: string,
  ref: string,
  a: string,
  kernels: readonly (readonly VectorKernel[])[],
  doubleSizes: readonly number[],
): readonly Encoding[] =>
  neon(
    `${mnemonic.toUpperCase()}_simd`,
    `11110011 1 d 11 zz 10 dddd 0 ${a} q m 0 mmmm`,
    ref,
    [`${mnemonic}{c}.${sizes}`, vector('d'), vector('m')],
    (b, f) => b.vector(kernels[f['q']!]![f['z']!]!, dD(f), dM(f)),
    {
      unless: (f) => oddQuad(f) || f['z'] === 3 || (f['q'] === 0 && !doubleSizes.includes(f['z']!)),
      unpredictable: (f) => f['d'] === f['m'],
    },
  );

/** D := narrowed Q: `a` are bits 10:6. Sizes are the result's. */
const narrow = (
  mnemonic: string,
  type: string,
  ref: string,
  a: string,
  kernels: readonly VectorKernel[],
  name = `${mnemonic.toUpperCase()}_simd`,
): readonly Encoding[] =>
  neon(
    name,
    `11110011 1 d 11 zz 10 dddd 0 ${a} m 0 mmmm`,
    ref,
    [`${mnemonic}{c}.${type}{z:16,32,64,!}`, double('d'), quad('m')],
    (b, f) => b.vector(kernels[f['z']!]!, dD(f), dM(f), 0),
    { unless: (f) => f['z'] === 3 || odd(dM(f)) },
  );

const twoRegisters: readonly Encoding[] = [
  ...reverse(64, '0000', 3),
  ...reverse(32, '0001', 2),
  ...reverse(16, '0010', 1),
  ...pairwiseLong('vpaddl', '010', widths.vpaddl),
  ...misc('VCLS_simd', `vcls{c}.s${sizes}`, 'A8.8.299', '00', '1000', [0, 1, 2], lanes(arithmetic.vcls)),
  ...misc('VCLZ_simd', `vclz{c}.i${sizes}`, 'A8.8.302', '00', '1001', [0, 1, 2], lanes(arithmetic.vclz)),
  ...miscSized('VCNT_simd', 'vcnt{c}.8', 'A8.8.304', '00', '00', '1010', (b, f) =>
    b.vector(arithmetic.vcnt[f['q'] as 0 | 1][0]!, dD(f), dM(f)),
  ),
  ...miscSized(
    'VMVN_reg_simd',
    'vmvn{c}',
    'A8.8.354',
    '00',
    '00',
    '1011',
    words((b, v) => b.not(v)),
  ),
  ...pairwiseLong('vpadal', '110', widths.vpadal),
  ...misc('VQABS_simd', `vqabs{c}.s${sizes}`, 'A8.8.369', '00', '1110', [0, 1, 2], lanes(arithmetic.vqabs)),
  ...misc('VQNEG_simd', `vqneg{c}.s${sizes}`, 'A8.8.375', '00', '1111', [0, 1, 2], lanes(arithmetic.vqneg)),
  ...compareZero('vcgt', 'A8.8.298', '000', 's', arithmetic.vcgtZero, float.vcgtZeroF32),
  ...compareZero('vcge', 'A8.8.296', '001', 's', arithmetic.vcgeZero, float.vcgeZeroF32),
  ...compareZero('vceq', 'A8.8.292', '010', 'i', arithmetic.vceqZero, float.vceqZeroF32),
  ...compareZero('vcle', 'A8.8.294', '011', 's', arithmetic.vcleZero, float.vcleZeroF32),
  ...compareZero('vclt', 'A8.8.301', '100', 's', arithmetic.vcltZero, float.vcltZeroF32),
  ...misc('VABS_int_simd', `vabs{c}.s${sizes}`, 'A8.8.280', '01', '0110', [0, 1, 2], lanes(arithmetic.vabs)),
  ...misc('VNEG_int_simd', `vneg{c}.s${sizes}`, 'A8.8.355', '01', '0111', [0, 1, 2], lanes(arithmetic.vneg)),
  ...miscSized(
    'VABS_f32_simd',
    'vabs{c}.f32',
    'A8.8.280',
    '10',
    '01',
    '1110',
    words((b, v) => b.and(v, b.const(0x7fffffff))),
  ),
  ...miscSized(
    'VNEG_f32_simd',
    'vneg{c}.f32',
    'A8.8.355',
    '10',
    '01',
    '1111',
    words((b, v) => b.xor(v, b.const(0x80000000))),
  ),
  ...neon(
    'VSWP_simd',
    '11110011 1 d 11 00 10 dddd 0 0000 q m 0 mmmm',
    'A8.8.418',
    ['vswp{c}', vector('d'), vector('m')],
    (b, f) => {
      for (let i = 0; i < (f['q'] === 1 ? 4 : 2); i++) {
        const first = b.getState(wordOfD(dD(f)) + i);
        const second = b.getState(wordOfD(dM(f)) + i);
        b.setState(wordOfD(dD(f)) + i, second);
        b.setState(wordOfD(dM(f)) + i, first);
      }
    },
    { unless: oddQuad, unpredictable: (f) => f['d'] === f['m'] },
  ),
  ...exchange('vtrn', 'A8.8.419', '0001', permute.vtrn, [0, 1, 2]),
  ...exchange('vuzp', 'A8.8.422', '0010', permute.vuzp, [0, 1]),
  ...exchange('vzip', 'A8.8.423', '0011', permute.vzip, [0, 1]),
  ...narrow('vmovn', 'i', 'A8.8.347', '01000', widths.vmovn),
  ...narrow('vqmovun', 's', 'A8.8.374', '01001', widths.vqshrun),
  ...narrow('vqmovn', 's', 'A8.8.374', '01010', widths.vqshrn[0], 'VQMOVN_s_simd'),
  ...narrow('vqmovn', 'u', 'A8.8.374', '01011', widths.vqshrn[1], 'VQMOVN_u_simd'),
  ...([0, 1, 2] as const).flatMap((size) =>
    neon(
      `VSHLL_max_${8 << size}_simd`,
      `11110011 1 d 11 ${['00', '01', '10'][size]!} 10 dddd 0 01100 m 0 mmmm`,
      'A8.8.397',
      [`vshll{c}.i${8 << size}`, quad('d'), double('m'), fixed(`#${8 << size}`, `${8 << size}`)],
      (b, f) => b.vector(size === 2 ? widths.vshll[1]![2]! : widths.vshll[1]![size]!, dD(f), dM(f), 8 << size),
      { unless: (f) => odd(dD(f)) },
    ),
  ),
  ...neon(
    'VCVT_f16_f32_simd',
    '11110011 1 d 11 01 10 dddd 0 11000 m 0 mmmm',
    'A8.8.310',
    ['vcvt{c}.f16.f32', double('d'), quad('m')],
    (b, f) => b.vector(float.vcvtF16F32, dD(f), dM(f)),
    {
      unless: (f) => odd(dM(f)),
    },
  ),
  ...neon(
    'VCVT_f32_f16_simd',
    '11110011 1 d 11 01 10 dddd 0 11100 m 0 mmmm',
    'A8.8.310',
    ['vcvt{c}.f32.f16', quad('d'), double('m')],
    (b, f) => b.vector(float.vcvtF32F16, dD(f), dM(f)),
    {
      unless: (f) => odd(dD(f)),
    },
  ),
  ...miscSized('VRECPE_u32_simd', 'vrecpe{c}.u32', 'A8.8.384', '10', '11', '1000', floats(float.vrecpeU32)),
  ...miscSized('VRECPE_f32_simd', 'vrecpe{c}.f32', 'A8.8.384', '10', '11', '1010', floats(float.vrecpeF32)),
  ...miscSized('VRSQRTE_u32_simd', 'vrsqrte{c}.u32', 'A8.8.392', '10', '11', '1001', floats(float.vrsqrteU32)),
  ...miscSized('VRSQRTE_f32_simd', 'vrsqrte{c}.f32', 'A8.8.392', '10', '11', '1011', floats(float.vrsqrteF32)),
  ...(
    [
      ['VCVT_f32_s32_simd', 'vcvt{c}.f32.s32', '1100', float.vcvtF32S32],
      ['VCVT_f32_u32_simd', 'vcvt{c}.f32.u32', '1101', float.vcvtF32U32],
      ['VCVT_s32_f32_simd', 'vcvt{c}.s32.f32', '1110', float.vcvtS32F32],
      ['VCVT_u32_f32_simd', 'vcvt{c}.u32.f32', '1111', float.vcvtU32F32],
    ] as const
  ).flatMap(([name, mnemonic, a, kernels]) =>
    miscSized(name, mnemonic, 'A8.8.305', '10', '11', a, (b, f) => b.vector(kernels[f['q']!]!, dD(f), dM(f), 0)),
  ),
];

/** VMOV, VMVN, VORR and VBIC of a modified immediate: a record for each op and cmode. */
const immediates: readonly Encoding[] = [0, 1].flatMap((op) =>
  Array.from({ length: 16 }, (_, cmode) => cmode).flatMap((cmode) => {
    if (op === 1 && cmode === 15) return [];
    const combines = cmode < 12 && (cmode & 1) === 1;
    const mnemonic = combines ? (op === 0 ? 'vorr' : 'vbic') : op === 1 && cmode !== 14 ? 'vmvn' : 'vmov';
    const type = cmode < 8 ? 'i32' : cmode < 12 ? 'i16' : cmode < 14 ? 'i32' : cmode === 15 ? 'f32' : op === 0 ? 'i8' : 'i64';
    const constant = (f: Fields, i: number): number => expandVectorImmediate(op, cmode, f['i']!)![i & 1]!;
    return neon(
      `${mnemonic.toUpperCase()}_imm_${op}_${cmode}_simd`,
      `1111001 i 1 d 000 iii dddd ${cmode.toString(2).padStart(4, '0')} 0 q ${op} 1 iiii`,
      combines ? (op === 0 ? 'A8.8.359' : 'A8.8.288') : mnemonic === 'vmvn' ? 'A8.8.353' : 'A8.8.339',
      [`${mnemonic}{c}.${type}`, vector('d'), vectorImmediate(op, cmode)],
      (b, f) => {
        for (let i = 0; i < (f['q'] === 1 ? 4 : 2); i++) {
          const word = wordOfD(dD(f)) + i;
          const value = constant(f, i);
          if (!combines) b.setState(word, b.const(mnemonic === 'vmvn' ? ~value : value));
          else if (op === 0) b.setState(word, b.or(b.getState(word), b.const(value)));
          else b.setState(word, b.and(b.getState(word), b.const(~value)));
        }
      },
      { unless: (f) => f['q'] === 1 && odd(dD(f)) },
    );
  }),
);

const duplicates: readonly Encoding[] = ([0, 1, 2] as const).flatMap((size) => {
  const bits = 8 << size;
  return neon(
    `VDUP_scalar_${bits}_simd`,
    `11110011 1 d 11 ${['xxx1', 'xx10', 'x100'][size]!} dddd 1100 0 q m 0 mmmm`,
    'A8.8.313',
    [`vdup{c}.${bits}`, vector('d'), element('m', 'x', 8 >> size)],
    (b, f) => {
      const at = f['x']! * bits;
      let word = b.getState(wordOfD(dM(f)) + (at >> 5));
      if (size < 2) {
        if ((at & 31) !== 0) word = b.shr(word, b.const(at & 31));
        word = size === 0 ? b.mul(b.uxt8(word), b.const(0x01010101)) : b.mul(b.uxt16(word), b.const(0x10001));
      }
      for (let i = 0; i < (f['q'] === 1 ? 4 : 2); i++) b.setState(wordOfD(dD(f)) + i, word);
    },
    { unless: (f) => f['q'] === 1 && odd(dD(f)) },
  );
});

const extract = neon(
  'VEXT_simd',
  '11110010 1 d 11 nnnn dddd iiii n q m 0 mmmm',
  'A8.8.316',
  ['vext{c}.8', vector('d'), vector('n'), vector('m'), counted('i', 16)],
  (b, f) => b.vector(permute.vext[f['q']!]!, dD(f), dN(f), dM(f) | (f['i']! << 8)),
  { unless: (f) => (f['q'] === 1 ? odd(dD(f) | dN(f) | dM(f)) : f['i']! > 7) },
);

const tables: readonly Encoding[] = [1, 2, 3, 4].flatMap((length) =>
  neon(
    `VTBL_${length}_simd`,
    `11110011 1 d 11 nnnn dddd 10 ${(length - 1).toString(2).padStart(2, '0')} n o m 0 mmmm`,
    'A8.8.421',
    ['{o:vtbl,vtbx}{c}.8', double('d'), tableList(length), double('m')],
    (b, f) => {
      // A table that runs past D31 is UNPREDICTABLE: UNDEFINED, as in QEMU.
      if (dN(f) + length > 32) b.undefined();
      else b.vector(permute.vtbl[length - 1]!, dD(f), dN(f), dM(f) | (f['o']! << 8));
    },
    { unpredictable: (f) => dN(f) + length > 32 },
  ),
);

export const neonMisc: readonly Encoding[] = [...twoRegisters, ...immediates, ...duplicates, ...extract, ...tables];

import type { VectorKernel } from '@tablewalk/engine';
import * as convert from '../../fp/vfp-convert-kernels.js';
import * as arithmetic from '../../fp/vfp-kernels.js';
import type { ArmBuilder } from '../arm-builder.js';
import type { Encoding, Fields } from '../encoding.js';
import type { OperandSyntax } from '../operands.js';
import { countedDown, double, expandDouble, expandSingle, fixed, floatImmediate, single } from '../operands-simd.js';
import type { SimdExtra } from './vfp-record.js';
import { dD, dM, dN, sD, sM, sN, vfp, vfpVector, wordOfD, wordOfS } from './vfp-record.js';

/** VFP data processing (ARM DDI 0406C, A7.5). Double-precision forms have 1011 in bits 11:8, single-precision ones 1010. */

/** d := n op m, in both precisions; `bits` are 27:20 (with d), `op` is bit 6. */
const three = (
  mnemonic: string,
  bits: string,
  op: string,
  ref: string,
  kernelDouble: VectorKernel,
  kernelSingle: VectorKernel,
  extra: SimdExtra = {},
): readonly Encoding[] => {
  const name = mnemonic.toUpperCase();
  return [
    ...vfpVector(
      `${name}_vfp_f64`,
      `cccc ${bits} nnnn dddd 1011 n ${op} m 0 mmmm`,
      ref,
      [`${mnemonic}{c}.f64`, double('d'), double('n'), double('m')],
      (b, f) => b.vector(kernelDouble, dD(f), dN(f), dM(f)),
      extra,
    ),
    ...vfpVector(
      `${name}_vfp_f32`,
      `cccc ${bits} nnnn dddd 1010 n ${op} m 0 mmmm`,
      ref,
      [`${mnemonic}{c}.f32`, single('d'), single('n'), single('m')],
      (b, f) => b.vector(kernelSingle, sD(f), sN(f), sM(f)),
      extra,
    ),
  ];
};

type Work = (b: ArmBuilder, d: number, m: number) => void;
/** d := op m, in both precisions, the same register kind on both sides; `bits` are 19:16 and 7:6. */
const two = (
  mnemonic: string,
  name: string,
  bits: readonly [string, string],
  ref: string,
  onDouble: Work,
  onSingle: Work,
  record = vfpVector,
): readonly Encoding[] => [
  ...record(
    `${name}_vfp_f64`,
    `cccc 11101 d 11 ${bits[0]} dddd 1011 ${bits[1]} m 0 mmmm`,
    ref,
    [`${mnemonic}{c}.f64`, double('d'), double('m')],
    (b, f) => onDouble(b, dD(f), dM(f)),
  ),
  ...record(
    `${name}_vfp_f32`,
    `cccc 11101 d 11 ${bits[0]} dddd 1010 ${bits[1]} m 0 mmmm`,
    ref,
    [`${mnemonic}{c}.f32`, single('d'), single('m')],
    (b, f) => onSingle(b, sD(f), sM(f)),
  ),
];

/** Moves with the sign bit changed in integer arithmetic: no flags, NaNs like anything else. */
const signWork = (change: (b: ArmBuilder, word: number) => number): readonly [Work, Work] => [
  (b, d, m) => {
    const low = b.getState(wordOfD(m));
    const high = change(b, b.getState(wordOfD(m) + 1));
    b.setState(wordOfD(d), low);
    b.setState(wordOfD(d) + 1, high);
  },
  (b, d, m) => b.setState(wordOfS(d), change(b, b.getState(wordOfS(m)))),
];
const kernelWork = (kernelDouble: VectorKernel, kernelSingle: VectorKernel): readonly [Work, Work] => [
  (b, d, m) => b.vector(kernelDouble, d, m),
  (b, d, m) => b.vector(kernelSingle, d, m),
];

const moves: readonly Encoding[] = [
  ...vfpVector(
    'VMOV_imm_vfp_f64',
    'cccc 11101 d 11 iiii dddd 1011 - 0 - 0 iiii',
    'A8.8.339',
    ['vmov{c}.f64', double('d'), floatImmediate],
    (b, f) => {
      b.setState(wordOfD(dD(f)), b.const(0));
      b.setState(wordOfD(dD(f)) + 1, b.const(expandDouble(f['i']!)));
    },
  ),
  ...vfpVector(
    'VMOV_imm_vfp_f32',
    'cccc 11101 d 11 iiii dddd 1010 - 0 - 0 iiii',
    'A8.8.339',
    ['vmov{c}.f32', single('d'), floatImmediate],
    (b, f) => b.setState(wordOfS(sD(f)), b.const(expandSingle(f['i']!))),
  ),
  ...two('vmov', 'VMOV_reg', ['0000', '01'], 'A8.8.340', ...signWork((_, v) => v)),
  ...two('vabs', 'VABS', ['0000', '11'], 'A8.8.280', ...signWork((b, v) => b.and(v, b.const(0x7fffffff)))),
  ...two('vneg', 'VNEG', ['0001', '01'], 'A8.8.355', ...signWork((b, v) => b.xor(v, b.const(0x80000000)))),
  ...two('vsqrt', 'VSQRT', ['0001', '11'], 'A8.8.401', ...kernelWork(arithmetic.vsqrtF64, arithmetic.vsqrtF32)),
];

const compare = (mnemonic: string, e: string, kernelDouble: VectorKernel, kernelSingle: VectorKernel): readonly Encoding[] => {
  const name = mnemonic.toUpperCase();
  const zero = fixed('#0.0', '#0', '0', '0.0');
  return [
    ...two(mnemonic, name, ['0100', `${e}1`], 'A8.8.303', ...kernelWork(kernelDouble, kernelSingle), vfp),
    ...vfp(
      `${name}_zero_vfp_f64`,
      `cccc 11101 d 11 0101 dddd 1011 ${e} 1 - 0 - - - -`,
      'A8.8.303',
      [`${mnemonic}{c}.f64`, double('d'), zero],
      (b, f) => b.vector(kernelDouble, dD(f), 0, 1),
    ),
    ...vfp(
      `${name}_zero_vfp_f32`,
      `cccc 11101 d 11 0101 dddd 1010 ${e} 1 - 0 - - - -`,
      'A8.8.303',
      [`${mnemonic}{c}.f32`, single('d'), zero],
      (b, f) => b.vector(kernelSingle, sD(f), 0, 1),
    ),
  ];
};

/** Floating point to integer: signed or not, `r` (RMode) or towards zero. The result is an S register. */
const toInteger = (type: 's32' | 'u32', kernelDouble: VectorKernel, kernelSingle: VectorKernel): readonly Encoding[] => {
  const bits = type === 's32' ? '1101' : '1100';
  return [
    ...vfp(
      `VCVT_${type}_f64`,
      `cccc 11101 d 11 ${bits} dddd 1011 o 1 m 0 mmmm`,
      'A8.8.306',
      [`vcvt{o:r,}{c}.${type}.f64`, single('d'), double('m')],
      (b, f) => b.vector(kernelDouble, sD(f), dM(f), f['o']!),
    ),
    ...vfp(
      `VCVT_${type}_f32`,
      `cccc 11101 d 11 ${bits} dddd 1010 o 1 m 0 mmmm`,
      'A8.8.306',
      [`vcvt{o:r,}{c}.${type}.f32`, single('d'), single('m')],
      (b, f) => b.vector(kernelSingle, sD(f), sM(f), f['o']!),
    ),
  ];
};
const fromInteger = (type: 's32' | 'u32', kernelDouble: VectorKernel, kernelSingle: VectorKernel): readonly Encoding[] => {
  const bit = type === 's32' ? '1' : '0';
  return [
    ...vfp(
      `VCVT_f64_${type}`,
      `cccc 11101 d 11 1000 dddd 1011 ${bit} 1 m 0 mmmm`,
      'A8.8.306',
      [`vcvt{c}.f64.${type}`, double('d'), single('m')],
      (b, f) => b.vector(kernelDouble, dD(f), sM(f)),
    ),
    ...vfp(
      `VCVT_f32_${type}`,
      `cccc 11101 d 11 1000 dddd 1010 ${bit} 1 m 0 mmmm`,
      'A8.8.306',
      [`vcvt{c}.f32.${type}`, single('d'), single('m')],
      (b, f) => b.vector(kernelSingle, sD(f), sM(f)),
    ),
  ];
};

/** Between floating point and fixed point in one register. imm4:i counts the integer bits; more than the size is UNPREDICTABLE. */
const fixedPoint = (isDouble: boolean, size: 16 | 32, unsigned: boolean): readonly Encoding[] => {
  const type = `${unsigned ? 'u' : 's'}${size}`;
  const float = isDouble ? 'f64' : 'f32';
  const register: OperandSyntax = isDouble ? double('d') : single('d');
  const index = (isDouble ? 1 : 0) | (size === 32 ? 2 : 0) | (unsigned ? 4 : 0);
  const pattern = (toFixed: string): string =>
    `cccc 11101 d 11 1 ${toFixed} 1 ${unsigned ? 1 : 0} dddd 101 ${isDouble ? 1 : 0} ${size === 32 ? 1 : 0} 1 i 0 iiii`;
  // The low bit of the count stands above imm4 in the word.
  const integerBits = (f: Fields): number => ((f['i']! & 15) << 1) | (f['i']! >> 4);
  const inner = countedDown('i', size, 32);
  const bits: OperandSyntax = {
    print: (f, context) => inner.print({ i: integerBits(f) }, context),
    parse: (text, context) => {
      const count = inner.parse(text, context)?.['i'];
      return count === undefined ? undefined : { i: ((count & 1) << 4) | (count >> 1) };
    },
  };
  const extra: SimdExtra = { unpredictable: (f) => integerBits(f) > size };
  const work =
    (kernel: VectorKernel) =>
    (b: ArmBuilder, f: Fields): void =>
      b.vector(kernel, isDouble ? dD(f) : sD(f), size - integerBits(f));
  return [
    ...vfp(
      `VCVT_${float}_${type}_fixed`,
      pattern('0'),
      'A8.8.308',
      [`vcvt{c}.${float}.${type}`, register, register, bits],
      work(convert.vcvtFromFixed[index]!),
      extra,
    ),
    ...vfp(
      `VCVT_${type}_${float}_fixed`,
      pattern('1'),
      'A8.8.308',
      [`vcvt{c}.${type}.${float}`, register, register, bits],
      work(convert.vcvtToFixed[index]!),
      extra,
    ),
  ];
};

const conversions: readonly Encoding[] = [
  ...toInteger('s32', convert.vcvtS32F64, convert.vcvtS32F32),
  ...toInteger('u32', convert.vcvtU32F64, convert.vcvtU32F32),
  ...fromInteger('s32', convert.vcvtF64S32, convert.vcvtF32S32),
  ...fromInteger('u32', convert.vcvtF64U32, convert.vcvtF32U32),
  ...[true, false].flatMap((isDouble) =>
    ([16, 32] as const).flatMap((size) => [false, true].flatMap((unsigned) => fixedPoint(isDouble, size, unsigned))),
  ),
  ...vfp('VCVT_f32_f64', 'cccc 11101 d 11 0111 dddd 1011 11 m 0 mmmm', 'A8.8.309', ['vcvt{c}.f32.f64', single('d'), double('m')], (b, f) =>
    b.vector(convert.vcvtF32F64, sD(f), dM(f)),
  ),
  ...vfp('VCVT_f64_f32', 'cccc 11101 d 11 0111 dddd 1010 11 m 0 mmmm', 'A8.8.309', ['vcvt{c}.f64.f32', double('d'), single('m')], (b, f) =>
    b.vector(convert.vcvtF64F32, dD(f), sM(f)),
  ),
  ...vfp(
    'VCVT_f32_f16',
    'cccc 11101 d 11 0010 dddd 1010 t 1 m 0 mmmm',
    'A8.8.311',
    ['vcvt{t:b,t}{c}.f32.f16', single('d'), single('m')],
    (b, f) => b.vector(convert.vcvtF32F16, sD(f), sM(f), f['t']!),
  ),
  ...vfp(
    'VCVT_f16_f32',
    'cccc 11101 d 11 0011 dddd 1010 t 1 m 0 mmmm',
    'A8.8.311',
    ['vcvt{t:b,t}{c}.f16.f32', single('d'), single('m')],
    (b, f) => b.vector(convert.vcvtF16F32, sD(f), sM(f), f['t']!),
  ),
];

const fused: SimdExtra = { needs: ['vfp4'] };

export const vfpDataProcessing: readonly Encoding[] = [
  ...three('vmla', '11100 d 00', '0', 'A8.8.337', arithmetic.vmlaF64, arithmetic.vmlaF32),
  ...three('vmls', '11100 d 00', '1', 'A8.8.337', arithmetic.vmlsF64, arithmetic.vmlsF32),
  ...three('vnmla', '11100 d 01', '1', 'A8.8.356', arithmetic.vnmlaF64, arithmetic.vnmlaF32),
  ...three('vnmls', '11100 d 01', '0', 'A8.8.356', arithmetic.vnmlsF64, arithmetic.vnmlsF32),
  ...three('vmul', '11100 d 10', '0', 'A8.8.351', arithmetic.vmulF64, arithmetic.vmulF32),
  ...three('vnmul', '11100 d 10', '1', 'A8.8.356', arithmetic.vnmulF64, arithmetic.vnmulF32),
  ...three('vadd', '11100 d 11', '0', 'A8.8.283', arithmetic.vaddF64, arithmetic.vaddF32),
  ...three('vsub', '11100 d 11', '1', 'A8.8.415', arithmetic.vsubF64, arithmetic.vsubF32),
  ...three('vdiv', '11101 d 00', '0', 'A8.8.312', arithmetic.vdivF64, arithmetic.vdivF32),
  ...three('vfnma', '11101 d 01', '1', 'A8.8.318', arithmetic.vfnmaF64, arithmetic.vfnmaF32, fused),
  ...three('vfnms', '11101 d 01', '0', 'A8.8.318', arithmetic.vfnmsF64, arithmetic.vfnmsF32, fused),
  ...three('vfma', '11101 d 10', '0', 'A8.8.317', arithmetic.vfmaF64, arithmetic.vfmaF32, fused),
  ...three('vfms', '11101 d 10', '1', 'A8.8.317', arithmetic.vfmsF64, arithmetic.vfmsF32, fused),
  ...moves,
  ...compare('vcmp', '0', arithmetic.vcmpF64, arithmetic.vcmpF32),
  ...compare('vcmpe', '1', arithmetic.vcmpeF64, arithmetic.vcmpeF32),
  ...conversions,
];

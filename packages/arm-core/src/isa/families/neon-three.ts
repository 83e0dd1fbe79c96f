import type { Value, VectorKernel } from '@tablewalk/engine';
import * as arithmetic from '../../fp/neon-arithmetic-kernels.js';
import * as float from '../../fp/neon-float-kernels.js';
import type { BySign, BySize } from '../../fp/neon-kernel-sets.js';
import * as shifts from '../../fp/neon-shift-kernels.js';
import type { ArmBuilder } from '../arm-builder.js';
import type { Encoding, Feature, Fields } from '../encoding.js';
import { double, vector } from '../operands-simd.js';
import type { Semantics } from './vfp-record.js';
import { dD, dM, dN, neon, odd, wordOfD } from './vfp-record.js';

/** Advanced SIMD, three registers of the same length (ARM DDI 0406C, A7.4.1). */

/** Q forms name even D registers only. */
const oddQuad = (f: Fields): boolean => f['q'] === 1 && odd(dD(f) | dN(f) | dM(f));
const vectors = [vector('d'), vector('n'), vector('m')] as const;

/** `size`: bits 21:20 as fixed bits or `zz`; `largest`: the largest size that exists, `least` the smallest. */
interface Form {
  readonly u: string;
  readonly size?: string;
  readonly a: string;
  readonly b: '0' | '1';
  readonly least?: number;
  readonly largest?: number;
  readonly needs?: readonly Feature[];
}
const same = (name: string, mnemonic: string, ref: string, form: Form, semantics: Semantics): readonly Encoding[] =>
  neon(
    name,
    `1111001 ${form.u} 0 d ${form.size ?? 'zz'} nnnn dddd ${form.a} n q m ${form.b} mmmm`,
    ref,
    [mnemonic, ...vectors],
    semantics,
    {
      unless: (f) => oddQuad(f) || (form.size === undefined && (f['z']! > (form.largest ?? 2) || f['z']! < (form.least ?? 0))),
      ...(form.needs === undefined ? {} : { needs: form.needs }),
    },
  );
/** Registers shorter than Q only (pairwise). */
const sameDouble = (name: string, mnemonic: string, ref: string, form: Form, semantics: Semantics): readonly Encoding[] =>
  neon(
    name,
    `1111001 ${form.u} 0 d ${form.size ?? 'zz'} nnnn dddd ${form.a} n 0 m ${form.b} mmmm`,
    ref,
    [mnemonic, double('d'), double('n'), double('m')],
    semantics,
    {
      unless: (f) => form.size === undefined && f['z']! > 2,
    },
  );

const typeSU = '{U:s,u}{z:8,16,32,64}';
const typeI = 'i{z:8,16,32,64}';

/** Integer operations of both signs. */
const signed = (mnemonic: string, ref: string, a: string, b: '0' | '1', kernels: BySign, largest = 2): readonly Encoding[] =>
  same(`${mnemonic.toUpperCase()}_reg_simd`, `${mnemonic}{c}.${typeSU}`, ref, { u: 'U', a, b, largest }, (builder, f) =>
    builder.vector(kernels[f['U']!]![f['q']!]![f['z']!]!, dD(f), dN(f), dM(f)),
  );
/** Shifts by register name the value in m and the amount in n. */
const shift = (mnemonic: string, ref: string, a: string, b: '0' | '1', kernels: BySign): readonly Encoding[] =>
  neon(
    `${mnemonic.toUpperCase()}_reg_simd`,
    `1111001 U 0 d zz nnnn dddd ${a} n q m ${b} mmmm`,
    ref,
    [`${mnemonic}{c}.${typeSU}`, vector('d'), vector('m'), vector('n')],
    (builder, f) => builder.vector(kernels[f['U']!]![f['q']!]![f['z']!]!, dD(f), dM(f), dN(f)),
    { unless: oddQuad },
  );
const signless = (
  mnemonic: string,
  ref: string,
  u: string,
  a: string,
  b: '0' | '1',
  kernels: BySize,
  type = typeI,
  least = 0,
  largest = 2,
): readonly Encoding[] =>
  same(`${mnemonic.toUpperCase()}_int_simd`, `${mnemonic}{c}.${type}`, ref, { u, a, b, least, largest }, (builder, f) =>
    builder.vector(kernels[f['q']!]![f['z']!]!, dD(f), dN(f), dM(f)),
  );
const floating = (
  mnemonic: string,
  ref: string,
  u: string,
  op: string,
  a: string,
  b: '0' | '1',
  kernels: readonly VectorKernel[],
  needs?: readonly Feature[],
): readonly Encoding[] =>
  same(
    `${mnemonic.toUpperCase()}_f32_simd`,
    `${mnemonic}{c}.f32`,
    ref,
    { u, size: `${op}0`, a, b, ...(needs === undefined ? {} : { needs }) },
    (builder, f) => builder.vector(kernels[f['q']!]!, dD(f), dN(f), dM(f)),
  );
const pairwise = (mnemonic: string, ref: string, b: '0' | '1', kernels: readonly (readonly VectorKernel[])[]): readonly Encoding[] =>
  sameDouble(`${mnemonic.toUpperCase()}_int_simd`, `${mnemonic}{c}.${typeSU}`, ref, { u: 'U', a: '1010', b }, (builder, f) =>
    builder.vector(kernels[f['U']!]![f['z']!]!, dD(f), dN(f), dM(f)),
  );
const pairwiseFloat = (mnemonic: string, ref: string, op: string, a: string, kernel: VectorKernel): readonly Encoding[] =>
  sameDouble(`${mnemonic.toUpperCase()}_f32_simd`, `${mnemonic}{c}.f32`, ref, { u: '1', size: `${op}0`, a, b: '0' }, (builder, f) =>
    builder.vector(kernel, dD(f), dN(f), dM(f)),
  );

type BitOperation = (b: ArmBuilder, n: Value, m: Value, d: () => Value) => Value;
/** Bitwise operations are micro-operations on the words: no call out of the block. */
const bitwise =
  (operation: BitOperation): Semantics =>
  (b, f) => {
    for (let i = 0; i < (f['q'] === 1 ? 4 : 2); i++) {
      const n = b.getState(wordOfD(dN(f)) + i);
      const m = b.getState(wordOfD(dM(f)) + i);
      b.setState(
        wordOfD(dD(f)) + i,
        operation(b, n, m, () => b.getState(wordOfD(dD(f)) + i)),
      );
    }
  };
/** (yes & select) | (no & ~select), as no ^ ((yes ^ no) & select). */
const selectBits = (b: ArmBuilder, select: Value, yes: Value, no: Value): Value => b.xor(no, b.and(b.xor(yes, no), select));
const logical = (mnemonic: string, ref: string, u: string, size: string, operation: BitOperation): readonly Encoding[] =>
  same(`${mnemonic.toUpperCase()}_reg_simd`, `${mnemonic}{c}`, ref, { u, size, a: '0001', b: '1' }, bitwise(operation));

export const neonThree: readonly Encoding[] = [
  ...signed('vhadd', 'A8.8.319', '0000', '0', arithmetic.vhadd),
  ...signed('vqadd', 'A8.8.370', '0000', '1', arithmetic.vqadd, 3),
  ...signed('vrhadd', 'A8.8.388', '0001', '0', arithmetic.vrhadd),
  ...signed('vhsub', 'A8.8.319', '0010', '0', arithmetic.vhsub),
  ...signed('vqsub', 'A8.8.382', '0010', '1', arithmetic.vqsub, 3),
  ...signed('vcgt', 'A8.8.297', '0011', '0', arithmetic.vcgt),
  ...signed('vcge', 'A8.8.295', '0011', '1', arithmetic.vcge),
  ...shift('vshl', 'A8.8.396', '0100', '0', shifts.vshlReg),
  ...shift('vqshl', 'A8.8.379', '0100', '1', shifts.vqshlReg),
  ...shift('vrshl', 'A8.8.390', '0101', '0', shifts.vrshlReg),
  ...shift('vqrshl', 'A8.8.377', '0101', '1', shifts.vqrshlReg),
  ...signed('vmax', 'A8.8.334', '0110', '0', arithmetic.vmax),
  ...signed('vmin', 'A8.8.334', '0110', '1', arithmetic.vmin),
  ...signed('vabd', 'A8.8.278', '0111', '0', arithmetic.vabd),
  ...signed('vaba', 'A8.8.277', '0111', '1', arithmetic.vaba),
  ...signless('vadd', 'A8.8.282', '0', '1000', '0', arithmetic.vadd, typeI, 0, 3),
  ...signless('vsub', 'A8.8.414', '1', '1000', '0', arithmetic.vsub, typeI, 0, 3),
  ...signless('vtst', 'A8.8.420', '0', '1000', '1', arithmetic.vtst, '{z:8,16,32,!}'),
  ...signless('vceq', 'A8.8.291', '1', '1000', '1', arithmetic.vceq),
  ...signless('vmla', 'A8.8.336', '0', '1001', '0', arithmetic.vmla),
  ...signless('vmls', 'A8.8.336', '1', '1001', '0', arithmetic.vmls),
  ...signless('vmul', 'A8.8.350', '0', '1001', '1', arithmetic.vmul),
  ...same('VMUL_poly_simd', 'vmul{c}.p8', 'A8.8.350', { u: '1', size: '00', a: '1001', b: '1' }, (b, f) =>
    b.vector(arithmetic.vmulP8[f['q']!]!, dD(f), dN(f), dM(f)),
  ),
  ...pairwise('vpmax', 'A8.8.365', '0', arithmetic.vpmax),
  ...pairwise('vpmin', 'A8.8.365', '1', arithmetic.vpmin),
  ...signless('vqdmulh', 'A8.8.372', '0', '1011', '0', arithmetic.vqdmulh, 's{z:!,16,32,!}', 1),
  ...signless('vqrdmulh', 'A8.8.376', '1', '1011', '0', arithmetic.vqrdmulh, 's{z:!,16,32,!}', 1),
  ...sameDouble('VPADD_int_simd', `vpadd{c}.${typeI}`, 'A8.8.362', { u: '0', a: '1011', b: '1' }, (b, f) =>
    b.vector(arithmetic.vpadd[f['z']!]!, dD(f), dN(f), dM(f)),
  ),

  ...logical('vand', 'A8.8.287', '0', '00', (b, n, m) => b.and(n, m)),
  ...logical('vbic', 'A8.8.289', '0', '01', (b, n, m) => b.and(n, b.not(m))),
  ...logical('vorn', 'A8.8.358', '0', '11', (b, n, m) => b.or(n, b.not(m))),
  ...logical('veor', 'A8.8.315', '1', '00', (b, n, m) => b.xor(n, m)),
  ...logical('vbsl', 'A8.8.290', '1', '01', (b, n, m, d) => selectBits(b, d(), n, m)),
  ...logical('vbit', 'A8.8.290', '1', '10', (b, n, m, d) => selectBits(b, m, n, d())),
  ...logical('vbif', 'A8.8.290', '1', '11', (b, n, m, d) => selectBits(b, m, d(), n)),
  ...neon(
    'VORR_reg_simd',
    '1111001 0 0 d 10 nnnn dddd 0001 n q m 1 mmmm',
    'A8.8.360',
    ['vorr{c}', ...vectors],
    bitwise((b, n, m) => b.or(n, m)),
    {
      unless: (f) => oddQuad(f) || dN(f) === dM(f),
    },
  ),
  ...neon(
    'VMOV_reg_simd',
    '1111001 0 0 d 10 nnnn dddd 0001 n q m 1 mmmm',
    'A8.8.340',
    // The register stands in the word twice.
    [
      'vmov{c}',
      vector('d'),
      { print: (f, context) => vector('m').print(f, context), parse: (text, context) => bothFields(vector('m').parse(text, context)) },
    ],
    (b, f) => {
      for (let i = 0; i < (f['q'] === 1 ? 4 : 2); i++) b.setState(wordOfD(dD(f)) + i, b.getState(wordOfD(dM(f)) + i));
    },
    { unless: (f) => oddQuad(f) || dN(f) !== dM(f) },
  ),

  ...floating('vfma', 'A8.8.317', '0', '0', '1100', '1', float.vfmaF32, ['neon', 'vfp4']),
  ...floating('vfms', 'A8.8.317', '0', '1', '1100', '1', float.vfmsF32, ['neon', 'vfp4']),
  ...floating('vadd', 'A8.8.283', '0', '0', '1101', '0', float.vaddF32),
  ...floating('vsub', 'A8.8.415', '0', '1', '1101', '0', float.vsubF32),
  ...floating('vabd', 'A8.8.279', '1', '1', '1101', '0', float.vabdF32),
  ...floating('vmla', 'A8.8.337', '0', '0', '1101', '1', float.vmlaF32),
  ...floating('vmls', 'A8.8.337', '0', '1', '1101', '1', float.vmlsF32),
  ...floating('vmul', 'A8.8.351', '1', '0', '1101', '1', float.vmulF32),
  ...floating('vceq', 'A8.8.291', '0', '0', '1110', '0', float.vceqF32),
  ...floating('vcge', 'A8.8.295', '1', '0', '1110', '0', float.vcgeF32),
  ...floating('vcgt', 'A8.8.297', '1', '1', '1110', '0', float.vcgtF32),
  ...floating('vacge', 'A8.8.281', '1', '0', '1110', '1', float.vacgeF32),
  ...floating('vacgt', 'A8.8.281', '1', '1', '1110', '1', float.vacgtF32),
  ...floating('vmax', 'A8.8.335', '0', '0', '1111', '0', float.vmaxF32),
  ...floating('vmin', 'A8.8.335', '0', '1', '1111', '0', float.vminF32),
  ...floating('vrecps', 'A8.8.384', '0', '0', '1111', '1', float.vrecpsF32),
  ...floating('vrsqrts', 'A8.8.393', '0', '1', '1111', '1', float.vrsqrtsF32),
  ...pairwiseFloat('vpadd', 'A8.8.363', '0', '1101', float.vpaddF32),
  ...pairwiseFloat('vpmax', 'A8.8.366', '0', '1111', float.vpmaxF32),
  ...pairwiseFloat('vpmin', 'A8.8.366', '1', '1111', float.vpminF32),
];

/** Field m of a parsed operand, for field n too (Vn:N, so its extra bit comes last). */
function bothFields(parsed: Readonly<Record<string, number>> | undefined): Readonly<Record<string, number>> | undefined {
  const m = parsed?.['m'];
  return m === undefined ? undefined : { ...parsed, n: ((m & 15) << 1) | (m >> 4) };
}

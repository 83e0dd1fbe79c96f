import type { VectorKernel } from '@tablewalk/engine';
import * as arithmetic from '../../fp/neon-arithmetic-kernels.js';
import * as float from '../../fp/neon-float-kernels.js';
import type { BySize } from '../../fp/neon-kernel-sets.js';
import { TEMP_D } from '../../fp/neon-lanes.js';
import * as widths from '../../fp/neon-width-kernels.js';
import type { ArmBuilder } from '../arm-builder.js';
import type { Encoding, Fields } from '../encoding.js';
import { double, multiplierScalar, quad, scalarIndex, scalarRegister, vector } from '../operands-simd.js';
import { dD, dM, dN, neon, odd, wordOfD } from './vfp-record.js';

/** Advanced SIMD, three registers of different lengths, and two registers and a scalar (ARM DDI 0406C, A7.4.2, A7.4.3). */

type Kernels = (f: Fields) => VectorKernel;
const pattern = (u: string, a: string): string => `1111001 ${u} 1 d zz nnnn dddd ${a} n 0 m 0 mmmm`;

/** Q := D op D. */
const long = (
  mnemonic: string,
  type: string,
  ref: string,
  u: string,
  a: string,
  kernels: Kernels,
  sizes: readonly number[] = [0, 1, 2],
): readonly Encoding[] =>
  neon(
    `${mnemonic.toUpperCase()}_${type.includes('p8') ? 'poly' : 'long'}_simd`,
    pattern(u, a),
    ref,
    [`${mnemonic}{c}.${type}`, quad('d'), double('n'), double('m')],
    (b, f) => b.vector(kernels(f), dD(f), dN(f), dM(f)),
    { unless: (f) => odd(dD(f)) || !sizes.includes(f['z']!) },
  );
/** Q := Q op D. */
const wide = (mnemonic: string, ref: string, a: string, kernels: readonly (readonly VectorKernel[])[]): readonly Encoding[] =>
  neon(
    `${mnemonic.toUpperCase()}_simd`,
    pattern('U', a),
    ref,
    [`${mnemonic}{c}.{U:s,u}{z:8,16,32,!}`, quad('d'), quad('n'), double('m')],
    (b, f) => b.vector(kernels[f['U']!]![f['z']!]!, dD(f), dN(f), dM(f)),
    { unless: (f) => f['z'] === 3 || odd(dD(f) | dN(f)) },
  );
/** D := high half of Q op Q. */
const narrow = (mnemonic: string, ref: string, u: string, a: string, kernels: readonly VectorKernel[]): readonly Encoding[] =>
  neon(
    `${mnemonic.toUpperCase()}_simd`,
    pattern(u, a),
    ref,
    [`${mnemonic}{c}.i{z:16,32,64,!}`, double('d'), quad('n'), quad('m')],
    (b, f) => b.vector(kernels[f['z']!]!, dD(f), dN(f), dM(f)),
    { unless: (f) => f['z'] === 3 || odd(dN(f) | dM(f)) },
  );
const bySign =
  (kernels: readonly (readonly VectorKernel[])[]): Kernels =>
  (f) =>
    kernels[f['U']!]![f['z']!]!;
const bySize =
  (kernels: readonly VectorKernel[]): Kernels =>
  (f) =>
    kernels[f['z']!]!;

/** Copies the scalar to every lane of the temporaries D32 (and D33 for Q forms); the register kernels then do the rest. */
const spreadScalar = (b: ArmBuilder, f: Fields, q: boolean): number => {
  const size = f['z']!;
  const index = scalarIndex(size, f['m']!);
  const base = wordOfD(scalarRegister(size, f['m']!));
  let word = b.getState(base + (size === 1 ? index >> 1 : index));
  if (size === 1) {
    const half = (index & 1) === 1 ? b.shr(word, b.const(16)) : b.uxt16(word);
    word = b.mul(half, b.const(0x10001));
  }
  for (let i = 0; i < (q ? 4 : 2); i++) b.setState(wordOfD(TEMP_D) + i, word);
  return TEMP_D;
};
const scalarPattern = (u: string, a: string): string => `1111001 ${u} 1 d zz nnnn dddd ${a} n 1 m 0 mmmm`;
const scalar = (
  mnemonic: string,
  type: string,
  name: string,
  ref: string,
  a: string,
  least: number,
  kernels: BySize,
): readonly Encoding[] =>
  neon(
    name,
    scalarPattern('q', a),
    ref,
    [`${mnemonic}{c}.${type}`, vector('d'), vector('n'), multiplierScalar],
    (b, f) => {
      const m = spreadScalar(b, f, f['q'] === 1);
      b.vector(kernels[f['q']!]![f['z']!]!, dD(f), dN(f), m);
    },
    { unless: (f) => f['z'] === 3 || f['z']! < least || (f['q'] === 1 && odd(dD(f) | dN(f))) },
  );
const integerScalar = (mnemonic: string, ref: string, a: string, kernels: BySize): readonly Encoding[] =>
  scalar(mnemonic, 'i{z:!,16,32,!}', `${mnemonic.toUpperCase()}_scalar_int_simd`, ref, a, 1, kernels);
const saturatingScalar = (mnemonic: string, ref: string, a: string, kernels: BySize): readonly Encoding[] =>
  scalar(mnemonic, 's{z:!,16,32,!}', `${mnemonic.toUpperCase()}_scalar_simd`, ref, a, 1, kernels);
/** Floats by a scalar have only 32-bit elements: size 2. */
const floatScalar = (mnemonic: string, ref: string, a: string, kernels: readonly VectorKernel[]): readonly Encoding[] =>
  scalar(mnemonic, '{z:!,!,f32,!}', `${mnemonic.toUpperCase()}_scalar_f32_simd`, ref, a, 2, [
    [kernels[0]!, kernels[0]!, kernels[0]!],
    [kernels[1]!, kernels[1]!, kernels[1]!],
  ]);
const longScalar = (mnemonic: string, type: string, ref: string, u: string, a: string, kernels: Kernels): readonly Encoding[] =>
  neon(
    `${mnemonic.toUpperCase()}_scalar_long_simd`,
    scalarPattern(u, a),
    ref,
    [`${mnemonic}{c}.${type}`, quad('d'), double('n'), multiplierScalar],
    (b, f) => {
      const m = spreadScalar(b, f, false);
      b.vector(kernels(f), dD(f), dN(f), m);
    },
    { unless: (f) => f['z'] === 3 || f['z'] === 0 || odd(dD(f)) },
  );

const typeSU = '{U:s,u}{z:8,16,32,!}';
const scalarSU = '{U:s,u}{z:!,16,32,!}';
const scalarS = 's{z:!,16,32,!}';

export const neonMixed: readonly Encoding[] = [
  ...long('vaddl', typeSU, 'A8.8.285', 'U', '0000', bySign(widths.vaddl)),
  ...wide('vaddw', 'A8.8.285', '0001', widths.vaddw),
  ...long('vsubl', typeSU, 'A8.8.417', 'U', '0010', bySign(widths.vsubl)),
  ...wide('vsubw', 'A8.8.417', '0011', widths.vsubw),
  ...narrow('vaddhn', 'A8.8.284', '0', '0100', widths.vaddhn),
  ...narrow('vraddhn', 'A8.8.383', '1', '0100', widths.vraddhn),
  ...long('vabal', typeSU, 'A8.8.277', 'U', '0101', bySign(widths.vabal)),
  ...narrow('vsubhn', 'A8.8.416', '0', '0110', widths.vsubhn),
  ...narrow('vrsubhn', 'A8.8.395', '1', '0110', widths.vrsubhn),
  ...long('vabdl', typeSU, 'A8.8.278', 'U', '0111', bySign(widths.vabdl)),
  ...long('vmlal', typeSU, 'A8.8.336', 'U', '1000', bySign(widths.vmlal)),
  ...long('vqdmlal', scalarS, 'A8.8.371', '0', '1001', bySize(widths.vqdmlal), [1, 2]),
  ...long('vmlsl', typeSU, 'A8.8.336', 'U', '1010', bySign(widths.vmlsl)),
  ...long('vqdmlsl', scalarS, 'A8.8.371', '0', '1011', bySize(widths.vqdmlsl), [1, 2]),
  ...long('vmull', typeSU, 'A8.8.350', 'U', '1100', bySign(widths.vmull)),
  ...long('vqdmull', scalarS, 'A8.8.373', '0', '1101', bySize(widths.vqdmull), [1, 2]),
  ...long('vmull', '{z:p8,!,!,!}', 'A8.8.350', '0', '1110', () => widths.vmullP8, [0]),

  ...integerScalar('vmla', 'A8.8.338', '0000', arithmetic.vmla),
  ...floatScalar('vmla', 'A8.8.338', '0001', float.vmlaF32),
  ...longScalar('vmlal', scalarSU, 'A8.8.338', 'U', '0010', bySign(widths.vmlal)),
  ...longScalar('vqdmlal', scalarS, 'A8.8.371', '0', '0011', bySize(widths.vqdmlal)),
  ...integerScalar('vmls', 'A8.8.338', '0100', arithmetic.vmls),
  ...floatScalar('vmls', 'A8.8.338', '0101', float.vmlsF32),
  ...longScalar('vmlsl', scalarSU, 'A8.8.338', 'U', '0110', bySign(widths.vmlsl)),
  ...longScalar('vqdmlsl', scalarS, 'A8.8.371', '0', '0111', bySize(widths.vqdmlsl)),
  ...integerScalar('vmul', 'A8.8.352', '1000', arithmetic.vmul),
  ...floatScalar('vmul', 'A8.8.352', '1001', float.vmulF32),
  ...longScalar('vmull', scalarSU, 'A8.8.352', 'U', '1010', bySign(widths.vmull)),
  ...longScalar('vqdmull', scalarS, 'A8.8.373', '0', '1011', bySize(widths.vqdmull)),
  ...saturatingScalar('vqdmulh', 'A8.8.372', '1100', arithmetic.vqdmulh),
  ...saturatingScalar('vqrdmulh', 'A8.8.376', '1101', arithmetic.vqrdmulh),
];

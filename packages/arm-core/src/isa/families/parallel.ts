import type { PureKernel, Value } from '@tablewalk/engine';
import { layout } from '@tablewalk/engine';
import type { ArmBuilder } from '../arm-builder.js';
import type { Encoding, Fields } from '../encoding.js';
import { isPc, pureKernel, spOrPc } from '../integer.js';
import { reg } from '../operands.js';

/** Parallel addition and subtraction: six kinds of six operations (ARM DDI 0406C, A4.4.7, A5.4.1, A5.4.2, A6.3.13, A6.3.14). */

/** How the lanes of one operation are computed. `second` and `sign` are of the operand from R[m]. */
interface Lanes {
  readonly mnemonic: string;
  /** Bits 7:5 of A32, 22:20 of T32. */
  readonly a32: string;
  readonly t32: string;
  /** Lane width in bits. */
  readonly width: 8 | 16;
  /** +1 or -1: lane 0 adds or subtracts; lane 1 and up. */
  readonly low: 1 | -1;
  readonly high: 1 | -1;
  /** The halves of R[m] are exchanged. */
  readonly exchange: boolean;
  /** Offsets of the sections of the six kinds: S, Q, SH, U, UQ, UH. */
  readonly refs: readonly [number, number, number, number, number, number];
}

const operations: readonly Lanes[] = [
  { mnemonic: 'add16', a32: '000', t32: '001', width: 16, low: 1, high: 1, exchange: false, refs: [158, 135, 169, 243, 258, 249] },
  { mnemonic: 'asx', a32: '001', t32: '010', width: 16, low: -1, high: 1, exchange: true, refs: [160, 137, 171, 245, 260, 251] },
  { mnemonic: 'sax', a32: '010', t32: '110', width: 16, low: 1, high: -1, exchange: true, refs: [195, 140, 172, 268, 261, 252] },
  { mnemonic: 'sub16', a32: '011', t32: '101', width: 16, low: -1, high: -1, exchange: false, refs: [196, 142, 173, 269, 262, 253] },
  { mnemonic: 'add8', a32: '100', t32: '000', width: 8, low: 1, high: 1, exchange: false, refs: [159, 136, 170, 244, 259, 250] },
  { mnemonic: 'sub8', a32: '111', t32: '100', width: 8, low: -1, high: -1, exchange: false, refs: [197, 143, 174, 270, 263, 254] },
];

type Kind = 's' | 'q' | 'sh' | 'u' | 'uq' | 'uh';
/** Bits 22:20 of A32, 6:4 of T32. */
const kinds: readonly { readonly prefix: Kind; readonly a32: string; readonly t32: string }[] = [
  { prefix: 's', a32: '001', t32: '000' },
  { prefix: 'q', a32: '010', t32: '001' },
  { prefix: 'sh', a32: '011', t32: '010' },
  { prefix: 'u', a32: '101', t32: '100' },
  { prefix: 'uq', a32: '110', t32: '101' },
  { prefix: 'uh', a32: '111', t32: '110' },
];

/** One lane's number, signed or not. */
const lane = (v: number, index: number, width: number, signed: boolean): number => {
  const raw = (v >>> (index * width)) & (2 ** width - 1);
  return signed && raw >= 2 ** (width - 1) ? raw - 2 ** width : raw;
};

/** The exact result of lane `index`. */
const exact = (a: number, b: number, index: number, { width, low, high, exchange }: Lanes, signed: boolean): number => {
  const other = lane(b, exchange ? index ^ 1 : index, width, signed);
  return lane(a, index, width, signed) + (index === 0 ? low : high) * other;
};

/** The result of a kind. */
const resultKernel = (kind: Kind, operation: Lanes): PureKernel => {
  const signed = kind === 's' || kind === 'q' || kind === 'sh';
  const { width } = operation;
  const least = signed ? -(2 ** (width - 1)) : 0;
  const most = signed ? 2 ** (width - 1) - 1 : 2 ** width - 1;
  const finish =
    kind === 'q' || kind === 'uq'
      ? (x: number): number => (x < least ? least : x > most ? most : x)
      : kind === 'sh' || kind === 'uh'
        ? (x: number): number => x >> 1
        : (x: number): number => x;
  return pureKernel(`${kind}${operation.mnemonic}`, (a, b) => {
    let result = 0;
    for (let index = 0; index * width < 32; index++) {
      result |= (finish(exact(a, b, index, operation, signed)) & (2 ** width - 1)) << (index * width);
    }
    return result;
  });
};

/** GE of a kind that sets it: signed lanes say 'not negative', unsigned sums 'carry', unsigned differences 'no borrow'. */
const geKernel = (kind: 's' | 'u', operation: Lanes): PureKernel => {
  const { width, low, high } = operation;
  return pureKernel(`${kind}${operation.mnemonic}-ge`, (a, b) => {
    let ge = 0;
    for (let index = 0; index * width < 32; index++) {
      const adds = (index === 0 ? low : high) === 1;
      const holds = exact(a, b, index, operation, kind === 's') >= (kind === 'u' && adds ? 2 ** width : 0);
      if (holds) ge |= width === 16 ? 3 << (index * 2) : 1 << index;
    }
    return ge;
  });
};

/** Bits 31, 23, 15 and 7 of `v` (others are ignored) as four GE bits. */
const gatherSigns = (b: ArmBuilder, v: Value): Value =>
  b.and(b.shr(b.mul(b.and(b.shr(v, b.const(7)), b.const(0x01010101)), b.const(0x01020408)), b.const(24)), b.const(15));

const LOW_BITS = 0x7f7f7f7f;
const SIGNS = 0x80808080;

/** UADD8 and USUB8 without a host call: C libraries scan strings with them. Bit 7 of each byte is worked out apart, so that no carry leaves a byte. */
const uadd8 = (b: ArmBuilder, n: Value, m: Value): { value: Value; ge: Value } => {
  const partial = b.add(b.and(n, b.const(LOW_BITS)), b.and(m, b.const(LOW_BITS)));
  const value = b.xor(partial, b.and(b.xor(n, m), b.const(SIGNS)));
  return { value, ge: gatherSigns(b, b.or(b.and(n, m), b.and(b.or(n, m), b.not(value)))) };
};
const usub8 = (b: ArmBuilder, n: Value, m: Value): { value: Value; ge: Value } => {
  const partial = b.sub(b.or(n, b.const(SIGNS)), b.and(m, b.const(LOW_BITS)));
  const value = b.xor(partial, b.and(b.xor(n, b.not(m)), b.const(SIGNS)));
  const borrow = b.or(b.and(b.not(n), m), b.and(b.or(b.not(n), m), value));
  return { value, ge: gatherSigns(b, b.not(borrow)) };
};

const semanticsOf = (kind: Kind, operation: Lanes): Encoding['semantics'] => {
  if (kind === 'u' && operation.width === 8) {
    const inline = operation.low === 1 ? uadd8 : usub8;
    return (b, f) => {
      const { value, ge } = inline(b, b.reg(f['n']!), b.reg(f['m']!));
      b.setState(layout.FLAG_GE, ge);
      b.writeAlu(f['d']!, value);
    };
  }
  const result = resultKernel(kind, operation);
  const ge = kind === 's' || kind === 'u' ? geKernel(kind, operation) : undefined;
  return (b, f) => {
    const n = b.reg(f['n']!);
    const m = b.reg(f['m']!);
    if (ge !== undefined) b.setState(layout.FLAG_GE, b.pure(ge, n, m));
    b.writeAlu(f['d']!, b.pure(result, n, m));
  };
};

const anyOf =
  (bad: (n: number) => boolean) =>
  (f: Fields): boolean =>
    bad(f['d']!) || bad(f['n']!) || bad(f['m']!);

export const parallel: readonly Encoding[] = operations.flatMap((operation) =>
  kinds.flatMap((kind, index): Encoding[] => {
    const mnemonic = `${kind.prefix}${operation.mnemonic}`;
    const ref = `A8.8.${operation.refs[index]}`;
    const semantics = semanticsOf(kind.prefix, operation);
    return [
      {
        name: `${mnemonic.toUpperCase()}_A1`,
        isa: 'A32',
        pattern: `cccc 01100${kind.a32} nnnn dddd ++++ ${operation.a32}1 mmmm`,
        ref,
        text: [`${mnemonic}{c}`, reg('d'), reg('n'), reg('m')],
        unpredictable: anyOf(isPc),
        semantics,
      },
      {
        name: `${mnemonic.toUpperCase()}_T1`,
        isa: 'T32',
        pattern: `11111010 1${operation.t32} nnnn 1111 dddd 0${kind.t32} mmmm`,
        ref,
        text: [`${mnemonic}{c}`, reg('d'), reg('n'), reg('m')],
        unpredictable: anyOf(spOrPc),
        semantics,
      },
    ];
  }),
);

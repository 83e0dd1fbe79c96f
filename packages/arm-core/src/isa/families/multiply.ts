import type { Value } from '@tablewalk/engine';
import { layout } from '@tablewalk/engine';
import type { ArmBuilder } from '../arm-builder.js';
import type { Encoding, Fields } from '../encoding.js';
import { bit, pureKernel, spOrPc } from '../integer.js';
import { reg } from '../operands.js';

/** Multiplication and division (ARM DDI 0406C, A4.4.3, A5.2.5, A5.2.7, A5.4.4, A6.3.16, A6.3.17). */

/** A 64-bit value in two words. */
interface Pair {
  readonly low: Value;
  readonly high: Value;
}

const addPairs = (b: ArmBuilder, x: Pair, y: Pair): Pair => {
  const low = b.add(x.low, y.low);
  return { low, high: b.add(b.add(x.high, y.high), b.ltU(low, x.low)) };
};
const signedPair = (b: ArmBuilder, v: Value): Pair => ({ low: v, high: b.sar(v, b.const(31)) });

/** Low (0) or high (1) signed halfword. */
const half = (b: ArmBuilder, v: Value, top: number): Value => (top === 1 ? b.sar(v, b.const(16)) : b.sxt16(v));
/** R[m], with its halves exchanged when `x`. */
const exchanged = (b: ArmBuilder, m: number, x: number): Value => (x === 1 ? b.rotr(b.reg(m), b.const(16)) : b.reg(m));

/** Sum, and Q when it overflows. */
const addAndSaturateFlag = (b: ArmBuilder, x: Value, y: Value): Value => {
  const sum = b.add(x, y);
  b.orQ(bit(b, b.and(b.xor(x, sum), b.xor(y, sum)), 31));
  return sum;
};

/** 1 when a + b + c, each signed, leaves 32 bits. */
const sumOverflows = pureKernel('sum-overflows', (a, b, c) => {
  const sum = a + b + c;
  return sum === (sum | 0) ? 0 : 1;
});
/** 1 when a - b + c does. */
const differenceOverflows = pureKernel('difference-overflows', (a, b, c) => {
  const sum = a - b + c;
  return sum === (sum | 0) ? 0 : 1;
});

type Semantics = Encoding['semantics'];

const setNZOfPair = (b: ArmBuilder, { low, high }: Pair): void => {
  b.setState(layout.FLAG_N, high);
  b.setState(layout.FLAG_Z, b.or(low, high));
};

const mul: Semantics = (b, f) => {
  const product = b.mul(b.reg(f['n']!), b.reg(f['m']!));
  if (f['s'] === 1) b.setNZ(product);
  b.writeAlu(f['d']!, product);
};
const mla: Semantics = (b, f) => {
  const sum = b.add(b.mul(b.reg(f['n']!), b.reg(f['m']!)), b.reg(f['a']!));
  if (f['s'] === 1) b.setNZ(sum);
  b.writeAlu(f['d']!, sum);
};
const mls: Semantics = (b, f) => b.writeAlu(f['d']!, b.sub(b.reg(f['a']!), b.mul(b.reg(f['n']!), b.reg(f['m']!))));

const writePair = (b: ArmBuilder, f: Fields, value: Pair): void => {
  b.writeAlu(f['l']!, value.low);
  b.writeAlu(f['h']!, value.high);
};
const product = (b: ArmBuilder, f: Fields, signed: boolean): Pair => {
  const n = b.reg(f['n']!);
  const m = b.reg(f['m']!);
  return { low: b.mul(n, m), high: signed ? b.mulHighS(n, m) : b.mulHighU(n, m) };
};
const accumulator = (b: ArmBuilder, f: Fields): Pair => ({ low: b.reg(f['l']!), high: b.reg(f['h']!) });

const long =
  (signed: boolean, accumulate: boolean): Semantics =>
  (b, f) => {
    const value = accumulate ? addPairs(b, product(b, f, signed), accumulator(b, f)) : product(b, f, signed);
    if (f['s'] === 1) setNZOfPair(b, value);
    writePair(b, f, value);
  };
const umaal: Semantics = (b, f) => {
  const zero = b.const(0);
  const sum = addPairs(b, product(b, f, false), { low: b.reg(f['h']!), high: zero });
  writePair(b, f, addPairs(b, sum, { low: b.reg(f['l']!), high: zero }));
};

/* Halfwords: x picks R[n]'s, y R[m]'s. */
const halfProduct = (b: ArmBuilder, f: Fields): Value => b.mul(half(b, b.reg(f['n']!), f['x']!), half(b, b.reg(f['m']!), f['y']!));
const smlaxy: Semantics = (b, f) => b.writeAlu(f['d']!, addAndSaturateFlag(b, halfProduct(b, f), b.reg(f['a']!)));
const smulxy: Semantics = (b, f) => b.writeAlu(f['d']!, halfProduct(b, f));
const smlalxy: Semantics = (b, f) => writePair(b, f, addPairs(b, signedPair(b, halfProduct(b, f)), accumulator(b, f)));

/** Bits 47:16 of word times halfword. */
const wideProduct = (b: ArmBuilder, f: Fields): Value => {
  const n = b.reg(f['n']!);
  const m = half(b, b.reg(f['m']!), f['y']!);
  return b.or(b.shl(b.mulHighS(n, m), b.const(16)), b.shr(b.mul(n, m), b.const(16)));
};
const smlawy: Semantics = (b, f) => b.writeAlu(f['d']!, addAndSaturateFlag(b, wideProduct(b, f), b.reg(f['a']!)));
const smulwy: Semantics = (b, f) => b.writeAlu(f['d']!, wideProduct(b, f));

/** The two products of a dual multiplication. */
const dualProducts = (b: ArmBuilder, f: Fields): readonly [Value, Value] => {
  const n = b.reg(f['n']!);
  const m = exchanged(b, f['m']!, f['x']!);
  return [b.mul(half(b, n, 0), half(b, m, 0)), b.mul(half(b, n, 1), half(b, m, 1))];
};
/** SMLAD and SMLSD; without an accumulator SMUAD and SMUSD, of which only the sum can overflow (16 bits by 16 bits, both -32768). */
const dual =
  (subtract: boolean, accumulate: boolean): Semantics =>
  (b, f) => {
    const [low, high] = dualProducts(b, f);
    const combined = subtract ? b.sub(low, high) : b.add(low, high);
    if (accumulate) {
      const a = b.reg(f['a']!);
      b.orQ(b.pure(subtract ? differenceOverflows : sumOverflows, low, high, a));
      b.writeAlu(f['d']!, b.add(combined, a));
    } else {
      if (!subtract) b.orQ(b.pure(sumOverflows, low, high, b.const(0)));
      b.writeAlu(f['d']!, combined);
    }
  };
const dualLong =
  (subtract: boolean): Semantics =>
  (b, f) => {
    const [low, high] = dualProducts(b, f);
    // A difference of two products always fits 32 bits; a sum may be 2 ** 31.
    const value = subtract
      ? addPairs(b, signedPair(b, b.sub(low, high)), accumulator(b, f))
      : addPairs(b, addPairs(b, signedPair(b, low), accumulator(b, f)), signedPair(b, high));
    writePair(b, f, value);
  };

/** The high word of a product, rounded when field r is 1. */
const highWord = (b: ArmBuilder, f: Fields): Value => {
  const p = product(b, f, true);
  return f['r'] === 1 ? b.add(p.high, b.shr(p.low, b.const(31))) : p.high;
};
const smmul: Semantics = (b, f) => b.writeAlu(f['d']!, highWord(b, f));
const smmla: Semantics = (b, f) => b.writeAlu(f['d']!, b.add(highWord(b, f), b.reg(f['a']!)));
const smmls: Semantics = (b, f) => {
  const p = product(b, f, true);
  const low = b.neg(p.low);
  const high = b.sub(b.sub(b.reg(f['a']!), p.high), b.ne(p.low, b.const(0)));
  b.writeAlu(f['d']!, f['r'] === 1 ? b.add(high, b.shr(low, b.const(31))) : high);
};

const sdiv: Semantics = (b, f) => b.writeAlu(f['d']!, b.divS(b.reg(f['n']!), b.reg(f['m']!)));
const udiv: Semantics = (b, f) => b.writeAlu(f['d']!, b.divU(b.reg(f['n']!), b.reg(f['m']!)));

/** What is UNPREDICTABLE: PC anywhere (A32), SP or PC anywhere (T32), one register for both halves of a result. */
const badRegisters =
  (letters: string, t32: boolean) =>
  (f: Fields): boolean => {
    for (const letter of letters) {
      const n = f[letter]!;
      if (t32 ? spOrPc(n) : n === 15) return true;
    }
    return letters.includes('h') && f['l'] === f['h'];
  };

interface Row {
  readonly name: string;
  readonly ref: string;
  readonly mnemonic: string;
  /** Operand registers in the order of the text. */
  readonly operands: string;
  readonly a32: string;
  /** Blank when there is none. */
  readonly t32: string;
  readonly semantics: Semantics;
  readonly needs?: Encoding['needs'];
}

const rows: readonly Row[] = [
  {
    name: 'MUL',
    ref: 'A8.8.114',
    mnemonic: 'mul{s}{c}',
    operands: 'dnm',
    a32: '0000000s dddd ---- mmmm 1001 nnnn',
    t32: '',
    semantics: mul,
  },
  {
    name: 'MLA',
    ref: 'A8.8.100',
    mnemonic: 'mla{s}{c}',
    operands: 'dnma',
    a32: '0000001s dddd aaaa mmmm 1001 nnnn',
    t32: '',
    semantics: mla,
  },
  {
    name: 'UMAAL',
    ref: 'A8.8.255',
    mnemonic: 'umaal{c}',
    operands: 'lhnm',
    a32: '00000100 hhhh llll mmmm 1001 nnnn',
    t32: '1110 nnnn llll hhhh 0110 mmmm',
    semantics: umaal,
  },
  {
    name: 'MLS',
    ref: 'A8.8.101',
    mnemonic: 'mls{c}',
    operands: 'dnma',
    a32: '00000110 dddd aaaa mmmm 1001 nnnn',
    t32: '0000 nnnn aaaa dddd 0001 mmmm',
    semantics: mls,
  },
  {
    name: 'UMULL',
    ref: 'A8.8.257',
    mnemonic: 'umull{s}{c}',
    operands: 'lhnm',
    a32: '0000100s hhhh llll mmmm 1001 nnnn',
    t32: '',
    semantics: long(false, false),
  },
  {
    name: 'UMLAL',
    ref: 'A8.8.256',
    mnemonic: 'umlal{s}{c}',
    operands: 'lhnm',
    a32: '0000101s hhhh llll mmmm 1001 nnnn',
    t32: '',
    semantics: long(false, true),
  },
  {
    name: 'SMULL',
    ref: 'A8.8.189',
    mnemonic: 'smull{s}{c}',
    operands: 'lhnm',
    a32: '0000110s hhhh llll mmmm 1001 nnnn',
    t32: '',
    semantics: long(true, false),
  },
  {
    name: 'SMLAL',
    ref: 'A8.8.178',
    mnemonic: 'smlal{s}{c}',
    operands: 'lhnm',
    a32: '0000111s hhhh llll mmmm 1001 nnnn',
    t32: '',
    semantics: long(true, true),
  },
  {
    name: 'SMLAxy',
    ref: 'A8.8.176',
    mnemonic: 'smla{x:b,t}{y:b,t}{c}',
    operands: 'dnma',
    a32: '00010000 dddd aaaa mmmm 1yx0 nnnn',
    t32: '0001 nnnn aaaa dddd 00xy mmmm',
    semantics: smlaxy,
  },
  {
    name: 'SMLAWy',
    ref: 'A8.8.181',
    mnemonic: 'smlaw{y:b,t}{c}',
    operands: 'dnma',
    a32: '00010010 dddd aaaa mmmm 1y00 nnnn',
    t32: '0011 nnnn aaaa dddd 000y mmmm',
    semantics: smlawy,
  },
  {
    name: 'SMULWy',
    ref: 'A8.8.190',
    mnemonic: 'smulw{y:b,t}{c}',
    operands: 'dnm',
    a32: '00010010 dddd ---- mmmm 1y10 nnnn',
    t32: '0011 nnnn 1111 dddd 000y mmmm',
    semantics: smulwy,
  },
  {
    name: 'SMLALxy',
    ref: 'A8.8.179',
    mnemonic: 'smlal{x:b,t}{y:b,t}{c}',
    operands: 'lhnm',
    a32: '00010100 hhhh llll mmmm 1yx0 nnnn',
    t32: '1100 nnnn llll hhhh 10xy mmmm',
    semantics: smlalxy,
  },
  {
    name: 'SMULxy',
    ref: 'A8.8.188',
    mnemonic: 'smul{x:b,t}{y:b,t}{c}',
    operands: 'dnm',
    a32: '00010110 dddd ---- mmmm 1yx0 nnnn',
    t32: '0001 nnnn 1111 dddd 00xy mmmm',
    semantics: smulxy,
  },
  {
    name: 'SMLAD',
    ref: 'A8.8.177',
    mnemonic: 'smlad{x:,x}{c}',
    operands: 'dnma',
    a32: '01110000 dddd aaaa mmmm 00x1 nnnn',
    t32: '0010 nnnn aaaa dddd 000x mmmm',
    semantics: dual(false, true),
  },
  {
    name: 'SMUAD',
    ref: 'A8.8.187',
    mnemonic: 'smuad{x:,x}{c}',
    operands: 'dnm',
    a32: '01110000 dddd 1111 mmmm 00x1 nnnn',
    t32: '0010 nnnn 1111 dddd 000x mmmm',
    semantics: dual(false, false),
  },
  {
    name: 'SMLSD',
    ref: 'A8.8.182',
    mnemonic: 'smlsd{x:,x}{c}',
    operands: 'dnma',
    a32: '01110000 dddd aaaa mmmm 01x1 nnnn',
    t32: '0100 nnnn aaaa dddd 000x mmmm',
    semantics: dual(true, true),
  },
  {
    name: 'SMUSD',
    ref: 'A8.8.191',
    mnemonic: 'smusd{x:,x}{c}',
    operands: 'dnm',
    a32: '01110000 dddd 1111 mmmm 01x1 nnnn',
    t32: '0100 nnnn 1111 dddd 000x mmmm',
    semantics: dual(true, false),
  },
  {
    name: 'SMLALD',
    ref: 'A8.8.180',
    mnemonic: 'smlald{x:,x}{c}',
    operands: 'lhnm',
    a32: '01110100 hhhh llll mmmm 00x1 nnnn',
    t32: '1100 nnnn llll hhhh 110x mmmm',
    semantics: dualLong(false),
  },
  {
    name: 'SMLSLD',
    ref: 'A8.8.183',
    mnemonic: 'smlsld{x:,x}{c}',
    operands: 'lhnm',
    a32: '01110100 hhhh llll mmmm 01x1 nnnn',
    t32: '1101 nnnn llll hhhh 110x mmmm',
    semantics: dualLong(true),
  },
  {
    name: 'SMMLA',
    ref: 'A8.8.184',
    mnemonic: 'smmla{r:,r}{c}',
    operands: 'dnma',
    a32: '01110101 dddd aaaa mmmm 00r1 nnnn',
    t32: '0101 nnnn aaaa dddd 000r mmmm',
    semantics: smmla,
  },
  {
    name: 'SMMUL',
    ref: 'A8.8.186',
    mnemonic: 'smmul{r:,r}{c}',
    operands: 'dnm',
    a32: '01110101 dddd 1111 mmmm 00r1 nnnn',
    t32: '0101 nnnn 1111 dddd 000r mmmm',
    semantics: smmul,
  },
  {
    name: 'SMMLS',
    ref: 'A8.8.185',
    mnemonic: 'smmls{r:,r}{c}',
    operands: 'dnma',
    a32: '01110101 dddd aaaa mmmm 11r1 nnnn',
    t32: '0110 nnnn aaaa dddd 000r mmmm',
    semantics: smmls,
  },
  {
    name: 'SDIV',
    ref: 'A8.8.165',
    mnemonic: 'sdiv{c}',
    operands: 'dnm',
    a32: '01110001 dddd ++++ mmmm 0001 nnnn',
    t32: '1001 nnnn ++++ dddd 1111 mmmm',
    semantics: sdiv,
    needs: ['divide'],
  },
  {
    name: 'UDIV',
    ref: 'A8.8.248',
    mnemonic: 'udiv{c}',
    operands: 'dnm',
    a32: '01110011 dddd ++++ mmmm 0001 nnnn',
    t32: '1011 nnnn ++++ dddd 1111 mmmm',
    semantics: udiv,
    needs: ['divide'],
  },
];

/** T32 forms that have no S bit where their A32 relatives do. */
const t32Only: readonly Omit<Row, 'a32'>[] = [
  { name: 'MUL', ref: 'A8.8.114', mnemonic: 'mul{c}{.w}', operands: 'dnm', t32: '0000 nnnn 1111 dddd 0000 mmmm', semantics: mul },
  { name: 'MLA', ref: 'A8.8.100', mnemonic: 'mla{c}', operands: 'dnma', t32: '0000 nnnn aaaa dddd 0000 mmmm', semantics: mla },
  {
    name: 'UMULL',
    ref: 'A8.8.257',
    mnemonic: 'umull{c}',
    operands: 'lhnm',
    t32: '1010 nnnn llll hhhh 0000 mmmm',
    semantics: long(false, false),
  },
  {
    name: 'UMLAL',
    ref: 'A8.8.256',
    mnemonic: 'umlal{c}',
    operands: 'lhnm',
    t32: '1110 nnnn llll hhhh 0000 mmmm',
    semantics: long(false, true),
  },
  {
    name: 'SMULL',
    ref: 'A8.8.189',
    mnemonic: 'smull{c}',
    operands: 'lhnm',
    t32: '1000 nnnn llll hhhh 0000 mmmm',
    semantics: long(true, false),
  },
  {
    name: 'SMLAL',
    ref: 'A8.8.178',
    mnemonic: 'smlal{c}',
    operands: 'lhnm',
    t32: '1100 nnnn llll hhhh 0000 mmmm',
    semantics: long(true, true),
  },
];

const t32Encoding = (row: Omit<Row, 'a32'>): Encoding => ({
  name: `${row.name}_T32`,
  isa: 'T32',
  pattern: `11111011 ${row.t32}`,
  ref: row.ref,
  text: [row.mnemonic, ...[...row.operands].map(reg)],
  unpredictable: badRegisters(row.operands, true),
  semantics: row.semantics,
  ...(row.needs === undefined ? {} : { needs: row.needs }),
});

export const multiplies: readonly Encoding[] = [
  ...rows.map(
    (row): Encoding => ({
      name: `${row.name}_A1`,
      isa: 'A32',
      pattern: `cccc ${row.a32}`,
      ref: row.ref,
      text: [row.mnemonic, ...[...row.operands].map(reg)],
      unpredictable: badRegisters(row.operands, false),
      semantics: row.semantics,
      ...(row.needs === undefined ? {} : { needs: row.needs }),
    }),
  ),
  ...rows.filter((row) => row.t32 !== '').map(t32Encoding),
  ...t32Only.map(t32Encoding),
  {
    name: 'MUL_T1',
    isa: 'T16',
    pattern: '010000 1101 nnn ddd',
    ref: 'A8.8.114',
    text: ['mul{S}{c}', reg('d'), reg('n')],
    semantics: (b, f) => {
      const value = b.mul(b.reg(f['n']!), b.reg(f['d']!));
      if (!b.inIt) b.setNZ(value);
      b.setReg(f['d']!, value);
    },
  },
];

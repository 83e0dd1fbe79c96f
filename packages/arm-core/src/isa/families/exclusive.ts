import type { Value } from '@tablewalk/engine';
import { ops } from '@tablewalk/engine';
import { claimExclusive, clearExclusive, markExclusive, requireSwap } from '../../system/kernels-system.js';
import type { ArmBuilder } from '../arm-builder.js';
import type { Encoding, Fields } from '../encoding.js';
import { spOrPc } from '../integer.js';
import { reg } from '../operands.js';
import { base, offsetImmediate, secondOfPair } from '../operands-memory.js';
import { a32, t32 } from './record.js';

/** Bytes of an exclusive access. */
type Size = 1 | 2 | 4 | 8;

const addressOf = (b: ArmBuilder, f: Fields): Value => {
  const base = b.getReg(f['n']!);
  return f['i'] ? b.add(base, b.const(f['i'] * 4)) : base;
};

/** Registers of a doubleword: field x, or Rt + 1 in A32. */
const second = (f: Fields): number => f['x'] ?? f['t']! + 1;

/** UNPREDICTABLE register choices, all of them UNDEFINED on QEMU's core. */
const badLoad = (f: Fields, size: Size, thumb: boolean): boolean =>
  f['n'] === 15 ||
  f['t'] === 15 ||
  (thumb && f['t'] === 13) ||
  (size === 8 && (second(f) === 15 || second(f) === f['t'] || (thumb ? spOrPc(second(f)) : (f['t']! & 1) === 1)));
const badStore = (f: Fields, size: Size, thumb: boolean): boolean =>
  f['d'] === 15 ||
  f['n'] === 15 ||
  f['t'] === 15 ||
  f['d'] === f['n'] ||
  f['d'] === f['t'] ||
  (thumb && (f['d'] === 13 || f['t'] === 13)) ||
  (size === 8 && (second(f) === 15 || f['d'] === second(f) || (thumb ? second(f) === 13 : (f['t']! & 1) === 1)));

/** LDREX: the monitor is set first; if the load then faulted after all, a stale monitor would only make a later STREX succeed or fail, both allowed. */
const ldrex =
  (size: Size): Encoding['semantics'] =>
  (b, f) => {
    if (badLoad(f, size, b.thumb)) return b.undefined();
    const address = addressOf(b, f);
    b.call(markExclusive, address, b.const(size));
    if (size === 8) b.readMultiple(address, [f['t']!, second(f)]);
    else b.setReg(f['t']!, b.read(address, size, ops.MEM_ALIGNED));
  };

const strex =
  (size: Size): Encoding['semantics'] =>
  (b, f) => {
    if (badStore(f, size, b.thumb)) return b.undefined();
    const address = addressOf(b, f);
    const claimed = b.call(claimExclusive, address, b.const(size));
    b.if(claimed);
    if (size === 8) b.writeMultiple(address, [f['t']!, second(f)]);
    else b.write(address, size, b.getReg(f['t']!), ops.MEM_ALIGNED);
    b.endIf();
    b.setReg(f['d']!, b.eqz(claimed));
  };

/** SWP and SWPB: read, write, and only then the destination, so that a fault of either leaves it alone. */
const swp =
  (size: 1 | 4): Encoding['semantics'] =>
  (b, f) => {
    b.call(requireSwap);
    const address = b.reg(f['n']!);
    const value = b.read(address, size, ops.MEM_ALIGNED);
    b.write(address, size, b.reg(f['m']!), ops.MEM_ALIGNED);
    b.writeAlu(f['t']!, value);
  };
const badSwap = (f: Fields): boolean => f['t'] === 15 || f['m'] === 15 || f['n'] === 15 || f['n'] === f['t'] || f['n'] === f['m'];

const clrex: Encoding['semantics'] = (b) => {
  b.call(clearExclusive);
};

const bad = (check: typeof badLoad, size: Size, thumb: boolean) => ({ unpredictable: (f: Fields): boolean => check(f, size, thumb) });

/** Load- and store-exclusive, CLREX, and the swaps that they replaced. */
export const exclusive: readonly Encoding[] = [
  a32('LDREX_A1', 'cccc 0001 1001 nnnn tttt 1111 1001 1111', 'A8.8.75', ['ldrex{c}', reg('t'), base()], ldrex(4), bad(badLoad, 4, false)),
  a32(
    'LDREXD_A1',
    'cccc 0001 1011 nnnn tttt 1111 1001 1111',
    'A8.8.77',
    ['ldrexd{c}', reg('t'), secondOfPair('t'), base()],
    ldrex(8),
    bad(badLoad, 8, false),
  ),
  a32('LDREXB_A1', 'cccc 0001 1101 nnnn tttt 1111 1001 1111', 'A8.8.76', ['ldrexb{c}', reg('t'), base()], ldrex(1), bad(badLoad, 1, false)),
  a32('LDREXH_A1', 'cccc 0001 1111 nnnn tttt 1111 1001 1111', 'A8.8.78', ['ldrexh{c}', reg('t'), base()], ldrex(2), bad(badLoad, 2, false)),
  a32(
    'STREX_A1',
    'cccc 0001 1000 nnnn dddd 1111 1001 tttt',
    'A8.8.212',
    ['strex{c}', reg('d'), reg('t'), base()],
    strex(4),
    bad(badStore, 4, false),
  ),
  a32(
    'STREXD_A1',
    'cccc 0001 1010 nnnn dddd 1111 1001 tttt',
    'A8.8.214',
    ['strexd{c}', reg('d'), reg('t'), secondOfPair('t'), base()],
    strex(8),
    bad(badStore, 8, false),
  ),
  a32(
    'STREXB_A1',
    'cccc 0001 1100 nnnn dddd 1111 1001 tttt',
    'A8.8.213',
    ['strexb{c}', reg('d'), reg('t'), base()],
    strex(1),
    bad(badStore, 1, false),
  ),
  a32(
    'STREXH_A1',
    'cccc 0001 1110 nnnn dddd 1111 1001 tttt',
    'A8.8.215',
    ['strexh{c}', reg('d'), reg('t'), base()],
    strex(2),
    bad(badStore, 2, false),
  ),
  a32('CLREX_A1', '1111 0101 0111 1111 1111 0000 0001 1111', 'A8.8.32', ['clrex'], clrex),
  a32('SWP_A1', 'cccc 0001 0000 nnnn tttt 0000 1001 mmmm', 'A8.8.229', ['swp{c}', reg('t'), reg('m'), base()], swp(4), {
    unpredictable: badSwap,
  }),
  a32('SWPB_A1', 'cccc 0001 0100 nnnn tttt 0000 1001 mmmm', 'A8.8.229', ['swpb{c}', reg('t'), reg('m'), base()], swp(1), {
    unpredictable: badSwap,
  }),

  t32(
    'LDREX_T1',
    '1110 1000 0101 nnnn tttt 1111 iiiiiiii',
    'A8.8.75',
    ['ldrex{c}', reg('t'), offsetImmediate({ scale: 4, direction: 'up' })],
    ldrex(4),
    bad(badLoad, 4, true),
  ),
  t32('LDREXB_T1', '1110 1000 1101 nnnn tttt 1111 0100 1111', 'A8.8.76', ['ldrexb{c}', reg('t'), base()], ldrex(1), bad(badLoad, 1, true)),
  t32('LDREXH_T1', '1110 1000 1101 nnnn tttt 1111 0101 1111', 'A8.8.78', ['ldrexh{c}', reg('t'), base()], ldrex(2), bad(badLoad, 2, true)),
  t32(
    'LDREXD_T1',
    '1110 1000 1101 nnnn tttt xxxx 0111 1111',
    'A8.8.77',
    ['ldrexd{c}', reg('t'), reg('x'), base()],
    ldrex(8),
    bad(badLoad, 8, true),
  ),
  t32(
    'STREX_T1',
    '1110 1000 0100 nnnn tttt dddd iiiiiiii',
    'A8.8.212',
    ['strex{c}', reg('d'), reg('t'), offsetImmediate({ scale: 4, direction: 'up' })],
    strex(4),
    bad(badStore, 4, true),
  ),
  t32(
    'STREXB_T1',
    '1110 1000 1100 nnnn tttt 1111 0100 dddd',
    'A8.8.213',
    ['strexb{c}', reg('d'), reg('t'), base()],
    strex(1),
    bad(badStore, 1, true),
  ),
  t32(
    'STREXH_T1',
    '1110 1000 1100 nnnn tttt 1111 0101 dddd',
    'A8.8.215',
    ['strexh{c}', reg('d'), reg('t'), base()],
    strex(2),
    bad(badStore, 2, true),
  ),
  t32(
    'STREXD_T1',
    '1110 1000 1100 nnnn tttt xxxx 0111 dddd',
    'A8.8.214',
    ['strexd{c}', reg('d'), reg('t'), reg('x'), base()],
    strex(8),
    bad(badStore, 8, true),
  ),
  t32('CLREX_T1', '1111 0011 1011 1111 1000 1111 0010 1111', 'A8.8.32', ['clrex{c}'], clrex),
];

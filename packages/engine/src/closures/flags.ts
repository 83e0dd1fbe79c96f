import { FLAG_C, FLAG_N, FLAG_V, FLAG_Z } from '../layout.js';
import * as op from '../ops.js';
import type { Operand } from './operand.js';
import { asCode } from './operand.js';

type Effect = () => void;

/*
 * N and Z are kept as the result word itself, C as 0 or 1, V as a word whose bit 31 counts (layout.ts). A result that nobody wants goes to `d` = -1.
 */

/** ADD_FLAGS, SUB_FLAGS: shapes of comparisons and loop counters are written out. */
export const arithmeticFlags = (kind: number, R: Int32Array, d: number, a: Operand, b: Operand): Effect => {
  if (a.kind === 'word' && b.kind === 'const') return kind === op.ADD_FLAGS ? addRc(R, d, a.word, b.value) : subRc(R, d, a.word, b.value);
  if (a.kind === 'word' && b.kind === 'word') return kind === op.ADD_FLAGS ? addRr(R, d, a.word, b.word) : subRr(R, d, a.word, b.word);
  return kind === op.ADD_FLAGS ? addXx(R, d, asCode(R, a), asCode(R, b)) : subXx(R, d, asCode(R, a), asCode(R, b));
};

const addRc = (R: Int32Array, d: number, n: number, y: number): Effect => {
  const unsigned = y >>> 0;
  return () => {
    const x = R[n]!;
    const r = (x + y) | 0;
    R[FLAG_N] = r;
    R[FLAG_Z] = r;
    R[FLAG_C] = r >>> 0 < unsigned ? 1 : 0;
    R[FLAG_V] = (x ^ r) & (y ^ r);
    if (d >= 0) R[d] = r;
  };
};
const addRr =
  (R: Int32Array, d: number, n: number, m: number): Effect =>
  () => {
    const x = R[n]!;
    const y = R[m]!;
    const r = (x + y) | 0;
    R[FLAG_N] = r;
    R[FLAG_Z] = r;
    R[FLAG_C] = r >>> 0 < x >>> 0 ? 1 : 0;
    R[FLAG_V] = (x ^ r) & (y ^ r);
    if (d >= 0) R[d] = r;
  };
const addXx =
  (R: Int32Array, d: number, a: () => number, b: () => number): Effect =>
  () => {
    const x = a();
    const y = b();
    const r = (x + y) | 0;
    R[FLAG_N] = r;
    R[FLAG_Z] = r;
    R[FLAG_C] = r >>> 0 < x >>> 0 ? 1 : 0;
    R[FLAG_V] = (x ^ r) & (y ^ r);
    if (d >= 0) R[d] = r;
  };
const subRc = (R: Int32Array, d: number, n: number, y: number): Effect => {
  const unsigned = y >>> 0;
  return () => {
    const x = R[n]!;
    const r = (x - y) | 0;
    R[FLAG_N] = r;
    R[FLAG_Z] = r;
    R[FLAG_C] = x >>> 0 >= unsigned ? 1 : 0;
    R[FLAG_V] = (x ^ y) & (x ^ r);
    if (d >= 0) R[d] = r;
  };
};
const subRr =
  (R: Int32Array, d: number, n: number, m: number): Effect =>
  () => {
    const x = R[n]!;
    const y = R[m]!;
    const r = (x - y) | 0;
    R[FLAG_N] = r;
    R[FLAG_Z] = r;
    R[FLAG_C] = x >>> 0 >= y >>> 0 ? 1 : 0;
    R[FLAG_V] = (x ^ y) & (x ^ r);
    if (d >= 0) R[d] = r;
  };
const subXx =
  (R: Int32Array, d: number, a: () => number, b: () => number): Effect =>
  () => {
    const x = a();
    const y = b();
    const r = (x - y) | 0;
    R[FLAG_N] = r;
    R[FLAG_Z] = r;
    R[FLAG_C] = x >>> 0 >= y >>> 0 ? 1 : 0;
    R[FLAG_V] = (x ^ y) & (x ^ r);
    if (d >= 0) R[d] = r;
  };

/** ADC_FLAGS; `carry` is 0 or 1. */
export const carryFlags =
  (R: Int32Array, d: number, a: () => number, b: () => number, carry: () => number): Effect =>
  () => {
    const x = a();
    const y = b();
    const sum = (x >>> 0) + (y >>> 0) + carry();
    const r = sum | 0;
    R[FLAG_N] = r;
    R[FLAG_Z] = r;
    R[FLAG_C] = sum > 0xffffffff ? 1 : 0;
    R[FLAG_V] = (x ^ r) & (y ^ r);
    if (d >= 0) R[d] = r;
  };

/** SET_NZ and SET_NZC. */
export const logicalFlags = (R: Int32Array, a: Operand, carry: Operand | undefined): Effect => {
  if (carry === undefined) {
    if (a.kind === 'word') {
      const { word } = a;
      return () => {
        const r = R[word]!;
        R[FLAG_N] = r;
        R[FLAG_Z] = r;
      };
    }
    const run = asCode(R, a);
    return () => {
      const r = run();
      R[FLAG_N] = r;
      R[FLAG_Z] = r;
    };
  }
  const run = asCode(R, a);
  const c = asCode(R, carry);
  return () => {
    const r = run();
    R[FLAG_C] = c();
    R[FLAG_N] = r;
    R[FLAG_Z] = r;
  };
};

/** CONDITION: 1 when condition code 0-13 holds (ARM DDI 0406C, A8.3). */
export const conditionValue = (R: Int32Array, code: number): (() => number) => {
  switch (code) {
    case 0:
      return () => (R[FLAG_Z] === 0 ? 1 : 0);
    case 1:
      return () => (R[FLAG_Z] !== 0 ? 1 : 0);
    case 2:
      return () => R[FLAG_C]!;
    case 3:
      return () => R[FLAG_C]! ^ 1;
    case 4:
      return () => R[FLAG_N]! >>> 31;
    case 5:
      return () => (R[FLAG_N]! >= 0 ? 1 : 0);
    case 6:
      return () => R[FLAG_V]! >>> 31;
    case 7:
      return () => (R[FLAG_V]! >= 0 ? 1 : 0);
    case 8:
      return () => (R[FLAG_C] === 1 && R[FLAG_Z] !== 0 ? 1 : 0);
    case 9:
      return () => (R[FLAG_C] === 0 || R[FLAG_Z] === 0 ? 1 : 0);
    case 10:
      return () => ((R[FLAG_N]! ^ R[FLAG_V]!) >= 0 ? 1 : 0);
    case 11:
      return () => ((R[FLAG_N]! ^ R[FLAG_V]!) < 0 ? 1 : 0);
    case 12:
      return () => (R[FLAG_Z] !== 0 && (R[FLAG_N]! ^ R[FLAG_V]!) >= 0 ? 1 : 0);
    default:
      return () => (R[FLAG_Z] === 0 || (R[FLAG_N]! ^ R[FLAG_V]!) < 0 ? 1 : 0);
  }
};

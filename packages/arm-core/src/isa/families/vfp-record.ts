import { layout } from '@tablewalk/engine';
import type { ArmBuilder } from '../arm-builder.js';
import type { Encoding, Feature, Fields } from '../encoding.js';
import { doubleNumber, singleNumber } from '../operands-simd.js';
import { a32, t32 } from './record.js';

export type Semantics = Encoding['semantics'];
/** What is special about a VFP or Advanced SIMD record. */
export interface SimdExtra {
  readonly needs?: readonly Feature[];
  readonly unless?: (f: Fields) => boolean;
  readonly unpredictable?: (f: Fields) => boolean;
}

/**
 * The T32 pattern of an A32 one (ARM DDI 0406C, A6.3.18, A7.4, A7.7): the condition becomes 1110, 1111001U of Advanced SIMD data processing becomes
 * 111U1111, and 11110100 of its loads and stores becomes 11111001.
 */
export const thumbPattern = (pattern: string): string => {
  const bits = pattern.replace(/\s+/g, '');
  if (bits.startsWith('cccc')) return `1110${bits.slice(4)}`;
  if (bits.startsWith('11110100')) return `11111001${bits.slice(8)}`;
  if (bits.startsWith('1111001')) return `111${bits[7]!}1111${bits.slice(8)}`;
  throw new Error(`[arm-core] [${pattern}] has no T32 form`);
};

const both = (
  name: string,
  pattern: string,
  ref: string,
  text: Encoding['text'],
  semantics: Semantics,
  extra: SimdExtra,
): readonly Encoding[] => [
  a32(`${name}_A1`, pattern, ref, text, semantics, extra),
  t32(`${name}_T1`, thumbPattern(pattern), ref, text, semantics, extra),
];

/** A VFP instruction, both encodings: UNDEFINED unless CPACR and FPEXC enable VFP. */
export const vfp = (
  name: string,
  pattern: string,
  ref: string,
  text: Encoding['text'],
  semantics: Semantics,
  extra: SimdExtra = {},
): readonly Encoding[] =>
  both(name, pattern, ref, text, (b, f) => (b.vfpEnabled ? semantics(b, f) : b.undefined()), { needs: ['vfp'], ...extra });

/**
 * A VFP instruction that VFPv2 could apply to short vectors. These cores have none: UNDEFINED unless FPSCR.LEN and STRIDE are 0
 * (ARM DDI 0406C, Appendix F: short vectors are deprecated, and left to support code).
 */
export const vfpVector = (
  name: string,
  pattern: string,
  ref: string,
  text: Encoding['text'],
  semantics: Semantics,
  extra: SimdExtra = {},
): readonly Encoding[] => vfp(name, pattern, ref, text, (b, f) => (b.shortVectors ? b.undefined() : semantics(b, f)), extra);

/** An Advanced SIMD instruction, both encodings: UNDEFINED unless CPACR and FPEXC enable it. */
export const neon = (
  name: string,
  pattern: string,
  ref: string,
  text: Encoding['text'],
  semantics: Semantics,
  extra: SimdExtra = {},
): readonly Encoding[] =>
  both(name, pattern, ref, text, (b, f) => (b.simdEnabled ? semantics(b, f) : b.undefined()), { needs: ['neon'], ...extra });

/** D and S register numbers of fields d, n and m. */
export const dD = (f: Fields): number => doubleNumber('d', f['d']!);
export const dN = (f: Fields): number => doubleNumber('n', f['n']!);
export const dM = (f: Fields): number => doubleNumber('m', f['m']!);
export const sD = (f: Fields): number => singleNumber('d', f['d']!);
export const sN = (f: Fields): number => singleNumber('n', f['n']!);
export const sM = (f: Fields): number => singleNumber('m', f['m']!);

export const odd = (n: number): boolean => (n & 1) === 1;
/** Q registers of two operands have even numbers. */
export const oddQuad = (f: Fields): boolean => f['q'] === 1 && odd(dD(f) | dM(f));

/** State word of the low half of D register n (its high half follows), and of S register n. */
export const wordOfD = (n: number): number => layout.D0 + 2 * n;
export const wordOfS = (n: number): number => layout.D0 + n;

/** The words of a D register in the order in which they stand in memory. */
export const memoryWordsOfD = (b: ArmBuilder, n: number): readonly [number, number] =>
  b.bigEndian ? [wordOfD(n) + 1, wordOfD(n)] : [wordOfD(n), wordOfD(n) + 1];

import type { Fields } from './encoding.js';
import type { OperandSyntax } from './operands.js';
import { parseImmediate, registerName, registerNumber } from './operands.js';

/**
 * Operands of VFP and Advanced SIMD instructions. Register fields are five bits: `d` is D:Vd and `m` is M:Vm as they stand in the word, `n` is Vn:N
 * (its extra bit comes last in the word). `doubleNumber` and `singleNumber` turn them into register numbers.
 */

/** D register number of field `letter` with value `v`. */
export const doubleNumber = (letter: string, v: number): number => (letter === 'n' ? (v >> 1) | ((v & 1) << 4) : v);
/** S register number. */
export const singleNumber = (letter: string, v: number): number => (letter === 'n' ? v : ((v & 15) << 1) | (v >> 4));
const fieldOfDouble = (letter: string, n: number): number => (letter === 'n' ? ((n & 15) << 1) | (n >> 4) : n);
const fieldOfSingle = (letter: string, n: number): number => (letter === 'n' ? n : ((n & 1) << 4) | (n >> 1));

/** Number of a register `q3`, `d17`, `s30`, or undefined. */
const simdNumber = (text: string | undefined, kind: 's' | 'd' | 'q'): number | undefined => {
  const match = text === undefined ? null : /^([sdq])([0-9]{1,2})$/i.exec(text);
  if (match === null || match[1]!.toLowerCase() !== kind) return undefined;
  const n = Number(match[2]);
  return n < (kind === 'q' ? 16 : 32) ? n : undefined;
};

/** S register in field `letter`. */
export const single = (letter: string): OperandSyntax => ({
  print: (f) => `s${singleNumber(letter, f[letter]!)}`,
  parse: (text) => {
    const n = simdNumber(text, 's');
    return n === undefined ? undefined : { [letter]: fieldOfSingle(letter, n) };
  },
});
/** D register. */
export const double = (letter: string): OperandSyntax => ({
  print: (f) => `d${doubleNumber(letter, f[letter]!)}`,
  parse: (text) => {
    const n = simdNumber(text, 'd');
    return n === undefined ? undefined : { [letter]: fieldOfDouble(letter, n) };
  },
});
/** Q register. */
export const quad = (letter: string): OperandSyntax => ({
  print: (f) => `q${doubleNumber(letter, f[letter]!) >> 1}`,
  parse: (text) => {
    const n = simdNumber(text, 'q');
    return n === undefined ? undefined : { [letter]: fieldOfDouble(letter, n * 2) };
  },
});
/** D or Q register by field q. */
export const vector = (letter: string): OperandSyntax => {
  const d = double(letter);
  const q = quad(letter);
  return {
    print: (f, context) => (f['q'] === 1 ? q : d).print(f, context),
    parse: (text, context) => {
      const short = d.parse(text, context);
      if (short !== undefined) return { ...short, q: 0 };
      const long = q.parse(text, context);
      return long === undefined ? undefined : { ...long, q: 1 };
    },
  };
};

/** The scalar `d3[1]` as M:Vm says it: elements of 16 bits in D0-D7 (`size` 1), of 32 bits in D0-D15 (2). */
export const scalarRegister = (size: number, m: number): number => (size === 1 ? m & 7 : m & 15);
export const scalarIndex = (size: number, m: number): number => (size === 1 ? ((m >> 4) << 1) | ((m >> 3) & 1) : m >> 4);
/** Scalar operand of a multiplication in field m, its size in field z (which the mnemonic determines). */
export const multiplierScalar: OperandSyntax = {
  print: (f) => `d${scalarRegister(f['z']!, f['m']!)}[${scalarIndex(f['z']!, f['m']!)}]`,
  parse: (text, context, known) => scalarOf(known?.['z'] ?? 2).parse(text, context),
};
/** Scalar of 16 bits, `d3[1]`, in field m. */
export const scalarOf = (size: number): OperandSyntax => ({
  print: (f) => `d${scalarRegister(size, f['m']!)}[${scalarIndex(size, f['m']!)}]`,
  parse: (text) => {
    const match = text === undefined ? null : /^d([0-9]{1,2})\[([0-3])\]$/i.exec(text);
    if (match === null) return undefined;
    const register = Number(match[1]);
    const index = Number(match[2]);
    if (register >= (size === 1 ? 8 : 16) || index >= (size === 1 ? 4 : 2)) return undefined;
    return { m: size === 1 ? register | ((index & 1) << 3) | ((index >> 1) << 4) : register | (index << 4) };
  },
});
/** `d3[1]` with the D register in field `letter` and the index in field `index`, below `count`. */
export const element = (letter: string, index: string, count: number): OperandSyntax => ({
  print: (f) => `d${doubleNumber(letter, f[letter]!)}[${f[index]!}]`,
  parse: (text) => {
    const match = text === undefined ? null : /^(d[0-9]{1,2})\[([0-9])\]$/i.exec(text);
    const n = match === null ? undefined : simdNumber(match[1], 'd');
    return n === undefined || Number(match![2]) >= count ? undefined : { [letter]: fieldOfDouble(letter, n), [index]: Number(match![2]) };
  },
});

/** Text that is always there: `#0`, `#0.0`, `#8`, `apsr_nzcv`. */
export const fixed = (text: string, ...others: string[]): OperandSyntax => ({
  print: () => text,
  parse: (found) => (found !== undefined && [text, ...others].includes(found.toLowerCase()) ? {} : undefined),
});

/** An immediate whose value is a function of one field: right shifts `size - i`, fraction bits `32 - i` or `64 - i`. */
export const countedDown = (letter: string, from: number, limit: number): OperandSyntax => ({
  print: (f) => `#${from - f[letter]!}`,
  parse: (text) => {
    const value = parseImmediate(text);
    const field = value === undefined ? -1 : from - value;
    return field >= 0 && field < limit ? { [letter]: field } : undefined;
  },
});
/** Left shifts: 0 to `limit` - 1. */
export const counted = (letter: string, limit: number): OperandSyntax => ({
  print: (f) => `#${f[letter]!}`,
  parse: (text) => {
    const value = parseImmediate(text);
    return value !== undefined && value >= 0 && value < limit ? { [letter]: value } : undefined;
  },
});

/** VFPExpandImm for single precision (ARM DDI 0406C, A7.5.1): the bits. */
export const expandSingle = (imm8: number): number =>
  ((imm8 & 0x80) << 24) | ((imm8 & 0x40) !== 0 ? 0x3e000000 : 0x40000000) | ((imm8 & 0x3f) << 19);
/** Upper word for double precision; the lower is 0. */
export const expandDouble = (imm8: number): number =>
  ((imm8 & 0x80) << 24) | ((imm8 & 0x40) !== 0 ? 0x3fc00000 : 0x40000000) | ((imm8 & 0x3f) << 16);
/** The value that imm8 stands for. */
const valueOfImm8 = (imm8: number): number => {
  const magnitude = (1 + (imm8 & 15) / 16) * 2 ** ((((imm8 >> 4) & 7) ^ 4) - 3);
  return imm8 >= 128 ? -magnitude : magnitude;
};
const imm8OfValue = (value: number): number | undefined => {
  for (let imm8 = 0; imm8 < 256; imm8++) if (valueOfImm8(imm8) === value) return imm8;
  return undefined;
};
/** An eight-bit floating-point constant in field i. Printed as its encoding, as objdump does; `#1.5` and `#1.5e+00` are read too. */
export const floatImmediate: OperandSyntax = {
  print: (f) => `#${f['i']!}`,
  parse: (text) => {
    if (text === undefined) return undefined;
    const whole = parseImmediate(text);
    if (whole !== undefined && !/[.e]/i.test(text)) return whole >= 0 && whole < 256 ? { i: whole } : undefined;
    const match = /^#?([+-]?[0-9]+(?:\.[0-9]*)?(?:e[+-]?[0-9]+)?)$/i.exec(text);
    const imm8 = match === null ? undefined : imm8OfValue(Number(match[1]));
    return imm8 === undefined ? undefined : { i: imm8 };
  },
};

/**
 * AdvSIMDExpandImm (A7.4.6): the 64-bit constant as [low, high] words, or undefined when the encoding is UNDEFINED. `op` and `cmode` as in the word.
 */
export const expandVectorImmediate = (op: number, cmode: number, imm8: number): readonly [number, number] | undefined => {
  switch (cmode >> 1) {
    case 0:
    case 1:
    case 2:
    case 3: {
      const word = imm8 << (8 * (cmode >> 1));
      return [word, word];
    }
    case 4:
    case 5: {
      const half = imm8 << (cmode >> 1 === 4 ? 0 : 8);
      const word = half | (half << 16);
      return [word, word];
    }
    case 6: {
      const word = (cmode & 1) === 0 ? (imm8 << 8) | 0xff : (imm8 << 16) | 0xffff;
      return [word, word];
    }
    default: {
      if (cmode === 15) {
        if (op === 1) return undefined;
        const word = expandSingle(imm8);
        return [word, word];
      }
      if (op === 0) {
        const word = Math.imul(imm8, 0x01010101);
        return [word, word];
      }
      let low = 0;
      let high = 0;
      for (let i = 0; i < 4; i++) {
        if (((imm8 >> i) & 1) !== 0) low |= 0xff << (8 * i);
        if (((imm8 >> (i + 4)) & 1) !== 0) high |= 0xff << (8 * i);
      }
      return [low, high];
    }
  }
};
/** Modified immediate of Advanced SIMD in field i, its form fixed by `op` and `cmode`: shown as the value of one element. */
export const vectorImmediate = (op: number, cmode: number): OperandSyntax => {
  const shown = (imm8: number): string => {
    const kind = cmode >> 1;
    if (kind <= 3) return `${(imm8 << (8 * kind)) | 0}`;
    if (kind <= 5) return `${imm8 << (8 * (kind - 4))}`;
    if (kind === 6) return `${(cmode & 1) === 0 ? (imm8 << 8) | 0xff : (imm8 << 16) | 0xffff}`;
    if (cmode === 15) return `${valueOfImm8(imm8)}`;
    if (op === 0) return `${imm8}`;
    const [low, high] = expandVectorImmediate(op, cmode, imm8)!;
    return `0x${(high >>> 0).toString(16).padStart(8, '0')}${(low >>> 0).toString(16).padStart(8, '0')}`;
  };
  return {
    print: (f) => `#${shown(f['i']!)}`,
    parse: (text) => {
      if (text === undefined) return undefined;
      if (cmode === 15) {
        const match = /^#?([+-]?[0-9]+(?:\.[0-9]*)?(?:e[+-]?[0-9]+)?)$/i.exec(text);
        const imm8 = match === null ? undefined : imm8OfValue(Number(match[1]));
        return imm8 === undefined ? undefined : { i: imm8 };
      }
      const wanted = text.replace(/^#/, '').toLowerCase();
      const value = parseImmediate(wanted.length > 13 ? undefined : wanted);
      for (let imm8 = 0; imm8 < 256; imm8++) {
        const own = shown(imm8);
        if (own === wanted || (value !== undefined && !own.startsWith('0x') && Number(own) >>> 0 === value >>> 0)) return { i: imm8 };
        if (own.startsWith('0x') && /^(0x[0-9a-f]+|[0-9]+)$/.test(wanted) && BigInt(own) === BigInt(wanted)) return { i: imm8 };
      }
      return undefined;
    },
  };
};

const rangeText = (kind: string, first: number, count: number): string =>
  count === 1 ? `{${kind}${first}}` : `{${kind}${first}-${kind}${(first + count - 1) & 31}}`;
/** Reads `{d0-d3, d4}`: the first register, how many, and the step between them. */
const readRegisters = (text: string | undefined, kind: 's' | 'd'): { first: number; count: number; step: number } | undefined => {
  const inside = text === undefined ? null : /^\{([^}]*)\}$/.exec(text);
  if (inside === null) return undefined;
  const numbers: number[] = [];
  for (const part of inside[1]!.split(',')) {
    const ends = part
      .trim()
      .split('-')
      .map((name) => simdNumber(name.trim(), kind));
    if (ends.length > 2 || ends.some((n) => n === undefined)) return undefined;
    const last = ends[ends.length - 1]!;
    for (let n = ends[0]!; n <= last; n++) numbers.push(n);
  }
  if (numbers.length === 0) return undefined;
  const step = numbers.length > 1 ? numbers[1]! - numbers[0]! : 1;
  for (let i = 1; i < numbers.length; i++) if (numbers[i]! - numbers[i - 1]! !== step) return undefined;
  return { first: numbers[0]!, count: numbers.length, step };
};

/** `{s0-s3}` from field d and count field i. */
export const singleList: OperandSyntax = {
  print: (f) => rangeText('s', singleNumber('d', f['d']!), f['i']!),
  parse: (text) => {
    const list = readRegisters(text, 's');
    return list === undefined || list.step !== 1 ? undefined : { d: fieldOfSingle('d', list.first), i: list.count };
  },
};
/** `{d0-d3}` from field d and i, the number of registers. The word count ends in a 0 bit (VLDM) or a 1 bit (FLDMX) outside the field. */
export const doubleList: OperandSyntax = {
  print: (f) => rangeText('d', f['d']!, f['i']!),
  parse: (text) => {
    const list = readRegisters(text, 'd');
    return list === undefined || list.step !== 1 ? undefined : { d: list.first, i: list.count };
  },
};
/** `{d0, d2}`: `count` D registers from field d, `step` apart, as VLDn, VSTn and VTBL write them. */
export const vectorList = (count: number, step = 1): OperandSyntax => ({
  print: (f) =>
    step === 1 ? rangeText('d', f['d']!, count) : `{${Array.from({ length: count }, (_, k) => `d${(f['d']! + step * k) & 31}`).join(',')}}`,
  parse: (text) => {
    const list = readRegisters(text, 'd');
    return list === undefined || list.count !== count || (count > 1 && list.step !== step) ? undefined : { d: list.first };
  },
});
/** The table of VTBL: field n, `count` registers. */
export const tableList = (count: number): OperandSyntax => ({
  print: (f) => rangeText('d', doubleNumber('n', f['n']!), count),
  parse: (text) => {
    const list = readRegisters(text, 'd');
    return list === undefined || list.count !== count || list.step !== 1 ? undefined : { n: fieldOfDouble('n', list.first) };
  },
});
/** `{d0[1], d2[1]}`: one element of each of `count` registers, `step` apart; the index in field x (`[]`: all lanes, when `lanes` is 0). */
export const elementList = (count: number, step: number, lanes: number): OperandSyntax => ({
  print: (f) => {
    const index = lanes === 0 ? '[]' : `[${f['x']!}]`;
    const first = f['d']!;
    if (lanes === 0 && step === 1 && count > 1) return `{d${first}[]-d${(first + count - 1) & 31}[]}`;
    return `{${Array.from({ length: count }, (_, k) => `d${(first + step * k) & 31}${index}`).join(',')}}`;
  },
  parse: (text) => {
    if (text === undefined) return undefined;
    const indices = [...text.matchAll(/\[([0-9]?)\]/g)].map((match) => match[1]!);
    if (indices.length === 0 || indices.some((index) => index !== indices[0] || (index === '') !== (lanes === 0))) return undefined;
    const list = readRegisters(text.replace(/\[[0-9]?\]/g, ''), 'd');
    if (list === undefined || list.count !== count || (count > 1 && list.step !== step)) return undefined;
    return lanes === 0 ? { d: list.first } : Number(indices[0]) < lanes ? { d: list.first, x: Number(indices[0]) } : undefined;
  },
});

/**
 * The address of an element or structure access: `[r0 :64]`, `[r0 :64]!`, `[r0 :64], r3` from fields n and m (15: no write-back, 13: `!`).
 * `alignments`: bits by the value of field a, 0 for none.
 */
export const structureAddress = (alignments: readonly number[]): OperandSyntax => ({
  print: (f) => {
    const alignment = alignments[f['a'] ?? 0] ?? 0;
    const base = `[${registerName(f['n']!)}${alignment === 0 ? '' : ` :${alignment}`}]`;
    return f['m'] === 15 ? base : f['m'] === 13 ? `${base}!` : `${base}, ${registerName(f['m']!)}`;
  },
  parse: (text) => {
    const match = text === undefined ? null : /^\[\s*(\w+)\s*(?:[:@]\s*([0-9]+)|,\s*:([0-9]+))?\s*\](!|\s*,\s*(\w+))?$/i.exec(text);
    if (match === null) return undefined;
    const n = registerNumber(match[1]!);
    const m = match[4] === undefined ? 15 : match[4] === '!' ? 13 : registerNumber(match[5]!);
    const a = alignments.indexOf(Number(match[2] ?? match[3] ?? 0));
    return n === undefined || m === undefined || a < 0 ? undefined : { n, m, a };
  },
});

/** The address of VLDR and VSTR: `[r0, #-8]`, fields n, u (add) and i (words). A literal shows its address in A32 terms, as objdump does. */
export const offsetAddress: OperandSyntax = {
  print: (f, context) => {
    const offset = f['i']! * 4;
    if (f['n'] === 15) {
      const base = (context.address + (context.thumb ? 4 : 8)) & ~3;
      const target = (base + (f['u'] === 1 ? offset : -offset)) >>> 0;
      return context.symbol?.(target) ?? `[pc, #${f['u'] === 1 ? '' : '-'}${offset}]`;
    }
    return offset === 0 && f['u'] === 1 ? `[${registerName(f['n']!)}]` : `[${registerName(f['n']!)}, #${f['u'] === 1 ? '' : '-'}${offset}]`;
  },
  parse: (text, context) => {
    if (text === undefined) return undefined;
    const match = /^\[\s*(\w+)\s*(?:,\s*(#?[+-]?\w+)\s*)?\]$/.exec(text);
    if (match !== null) {
      const n = registerNumber(match[1]!);
      const offset = match[2] === undefined ? 0 : parseImmediate(match[2]);
      if (n === undefined || offset === undefined || (offset & 3) !== 0 || Math.abs(offset) > 1020) return undefined;
      const negative = offset < 0 || (match[2] ?? '').includes('-');
      return { n, u: negative ? 0 : 1, i: Math.abs(offset) / 4 };
    }
    const target = context.label?.(text);
    if (target === undefined) return undefined;
    const offset = target - ((context.address + (context.thumb ? 4 : 8)) & ~3);
    return (offset & 3) !== 0 || Math.abs(offset) > 1020 ? undefined : { n: 15, u: offset < 0 ? 0 : 1, i: Math.abs(offset) / 4 };
  },
};

/** The base of VLDM and VSTM: `r0` or `r0!` by field w. */
export const multipleBase: OperandSyntax = {
  print: (f) => `${registerName(f['n']!)}${f['w'] === 1 ? '!' : ''}`,
  parse: (text) => {
    const match = text === undefined ? null : /^(\w+)(!?)$/.exec(text);
    const n = match === null ? undefined : registerNumber(match[1]!);
    return n === undefined ? undefined : { n, w: match![2] === '!' ? 1 : 0 };
  },
};

const systemNames: Readonly<Record<number, string>> = {
  0: 'fpsid',
  1: 'fpscr',
  6: 'mvfr1',
  7: 'mvfr0',
  8: 'fpexc',
  9: 'fpinst',
  10: 'fpinst2',
};
/** VFP system register in field r. */
export const fpSystemRegister: OperandSyntax = {
  print: (f: Fields) => systemNames[f['r']!] ?? `<impl def 0x${f['r']!.toString(16)}>`,
  parse: (text) => {
    const found = Object.entries(systemNames).find(([, name]) => name === text?.toLowerCase());
    return found === undefined ? undefined : { r: Number(found[0]) };
  },
};
/** Rt of VMRS from FPSCR: 15 is the flags. */
export const flagsOrRegister = (letter: string): OperandSyntax => ({
  print: (f) => (f[letter] === 15 ? 'APSR_nzcv' : registerName(f[letter]!)),
  parse: (text) => {
    if (text?.toLowerCase() === 'apsr_nzcv') return { [letter]: 15 };
    const n = text === undefined ? undefined : registerNumber(text);
    return n === undefined || n === 15 ? undefined : { [letter]: n };
  },
});
/** Two consecutive S registers, `s4, s5`, in field m: the first or the second. */
export const pairSingle = (second: 0 | 1): OperandSyntax => ({
  print: (f) => `s${(singleNumber('m', f['m']!) + second) & 31}`,
  parse: (text) => {
    const n = simdNumber(text, 's');
    return n === undefined ? undefined : { m: fieldOfSingle('m', (n - second) & 31) };
  },
});

import type { Fields } from './encoding.js';
import { emptyPatternT32, expandA32, expandT32 } from './integer.js';
import { conditionNames, conditionNumber } from './mnemonic.js';
import type { OperandSyntax, SyntaxContext } from './operands.js';
import { parseImmediate, registerName, registerNumber, shiftNames } from './operands.js';

/** Operands of integer instructions. Each prints and parses; see OperandSyntax. */

/** A value given in the text, as an unsigned word. */
const wordOf = (text: string | undefined): number | undefined => {
  const value = parseImmediate(text);
  return value === undefined || value < -0x80000000 || value > 0xffffffff ? undefined : value >>> 0;
};

/** Rotation and bits of a word as an A32 modified immediate with the smallest rotation, or undefined when it has none. */
export const encodeA32 = (value: number): { rotation: number; bits: number } | undefined => {
  for (let rotation = 0; rotation < 16; rotation++) {
    const bits = ((value << (rotation * 2)) | (value >>> ((32 - rotation * 2) & 31))) >>> 0;
    if ((rotation === 0 ? value : bits) <= 0xff) return { rotation, bits: rotation === 0 ? value : bits };
  }
  return undefined;
};

/** The twelve bits of a word as a T32 modified immediate, or undefined when it has none. */
export const encodeT32 = (value: number): number | undefined => {
  if (value <= 0xff) return value;
  const low = value & 0xff;
  for (const candidate of [0x100 | low, 0x200 | ((value >>> 8) & 0xff), 0x300 | low]) {
    if (!emptyPatternT32(candidate) && expandT32(candidate) === value) return candidate;
  }
  const lead = Math.clz32(value);
  // The leading one goes to bit 7 of the byte: 0x80 rotated right by `rotation` has it at bit 39 - rotation (mod 32).
  const rotation = lead + 8;
  const candidate = (rotation << 7) | ((lead <= 24 ? value >>> (24 - lead) : 0) & 0x7f);
  return expandT32(candidate) === value ? candidate : undefined;
};

/**
 * An A32 modified immediate in fields r (half the rotation) and i: `#value`, or `#bits, rotation` when the rotation is not the smallest that gives
 * the value (the carry may differ).
 */
export const a32Immediate: OperandSyntax = {
  print: (f) => {
    const value = expandA32(f['r']!, f['i']!);
    return encodeA32(value)?.rotation === f['r'] ? `#${value | 0}` : `#${f['i']!}, ${f['r']! * 2}`;
  },
  parse: (text) => {
    const [first, second] = text === undefined ? [] : text.split(',').map((part) => part.trim());
    const value = wordOf(first);
    if (value === undefined) return undefined;
    if (second === undefined) {
      const encoded = encodeA32(value);
      return encoded === undefined ? undefined : { r: encoded.rotation, i: encoded.bits };
    }
    const amount = parseImmediate(second);
    return amount === undefined || amount < 0 || amount > 30 || (amount & 1) === 1 || value > 0xff
      ? undefined
      : { r: amount / 2, i: value };
  },
};
/** A T32 modified immediate in the twelve-bit field i. */
export const t32Immediate: OperandSyntax = {
  print: (f) => `#${expandT32(f['i']!)}`,
  parse: (text) => {
    const value = wordOf(text);
    const encoded = value === undefined ? undefined : encodeT32(value);
    return encoded === undefined ? undefined : { i: encoded };
  },
};

const shiftText = (type: number, amount: number): string | undefined => {
  if (type === 0 && amount === 0) return undefined;
  if (type === 3 && amount === 0) return 'rrx';
  return `${shiftNames[type]} #${amount === 0 ? 32 : amount}`;
};

/** Reads `lsl #n` and the like as type and five-bit amount. */
const parseShift = (text: string): { type: number; amount: number } | undefined => {
  if (/^rrx$/i.test(text)) return { type: 3, amount: 0 };
  const match = /^(lsl|lsr|asr|ror)\s*#?\s*(\S+)$/i.exec(text);
  if (match === null) return undefined;
  const type = shiftNames.indexOf(match[1]!.toLowerCase());
  const amount = parseImmediate(match[2]);
  if (amount === undefined || amount < 0) return undefined;
  if (amount === 0) return { type: 0, amount: 0 };
  if (amount > (type === 1 || type === 2 ? 32 : 31)) return undefined;
  return { type, amount: amount & 31 };
};

/** A constant shift in fields t (type) and i (amount), left out when it is LSL #0. */
export const shift: OperandSyntax = {
  print: (f) => shiftText(f['t']!, f['i']!),
  parse: (text) => {
    if (text === undefined) return { t: 0, i: 0 };
    const parsed = parseShift(text);
    return parsed === undefined ? undefined : { t: parsed.type, i: parsed.amount };
  },
};

/** A constant shift in field i that field h makes LSL (0, left out when #0) or ASR (1): PKH, SSAT, USAT. */
export const lslOrAsr: OperandSyntax = {
  print: (f) => shiftText(f['h'] === 1 ? 2 : 0, f['i']!),
  parse: (text) => {
    if (text === undefined) return { h: 0, i: 0 };
    const parsed = parseShift(text);
    return parsed === undefined || (parsed.type & 1) === 1 ? undefined : { h: parsed.type / 2, i: parsed.amount };
  },
};

/** A shift by a register in fields t (type) and s (register). */
export const registerShift: OperandSyntax = {
  print: (f) => `${shiftNames[f['t']!]} ${registerName(f['s']!)}`,
  parse: (text) => {
    const match = text === undefined ? null : /^(lsl|lsr|asr|ror)\s+(\S+)$/i.exec(text);
    const register = match === null ? undefined : registerNumber(match[2]!);
    return match === null || register === undefined ? undefined : { t: shiftNames.indexOf(match[1]!.toLowerCase()), s: register };
  },
};

/** The amount of a shift instruction, 1 to 32 in field i (32 as 0). */
export const shiftAmount: OperandSyntax = {
  print: (f) => `#${f['i'] === 0 ? 32 : f['i']!}`,
  parse: (text) => {
    const amount = parseImmediate(text);
    return amount === undefined || amount < 1 || amount > 32 ? undefined : { i: amount & 31 };
  },
};
/** The amount of LSL or ROR by a constant, 1 to 31 in field i. */
export const shortShiftAmount: OperandSyntax = {
  print: (f) => `#${f['i']!}`,
  parse: (text) => {
    const amount = parseImmediate(text);
    return amount === undefined || amount < 1 || amount > 31 ? undefined : { i: amount };
  },
};

/** The rotation of SXTB and its relatives: `ror #8 * field`, left out when 0. */
export const rotation: OperandSyntax = {
  print: (f) => (f['r'] === 0 ? undefined : `ror #${f['r']! * 8}`),
  parse: (text) => {
    if (text === undefined) return { r: 0 };
    const match = /^ror\s*#?\s*(\S+)$/i.exec(text);
    const amount = match === null ? undefined : parseImmediate(match[1]);
    return amount === undefined || ![0, 8, 16, 24].includes(amount) ? undefined : { r: amount / 8 };
  },
};

/** A register that an encoding holds twice, in fields m and n. */
export const registerTwice: OperandSyntax = {
  print: (f) => registerName(f['m']!),
  parse: (text) => {
    const n = text === undefined ? undefined : registerNumber(text);
    return n === undefined ? undefined : { m: n, n };
  },
};

/** A core register that is fixed in the encoding. */
export const fixedRegister = (number: number): OperandSyntax => ({
  print: () => registerName(number),
  parse: (text) => (text !== undefined && registerNumber(text) === number ? {} : undefined),
});
/** An immediate that is fixed in the encoding. */
export const fixedImmediate = (value: number): OperandSyntax => ({
  print: () => `#${value}`,
  parse: (text) => (text !== undefined && parseImmediate(text) === value ? {} : undefined),
});

/** An unsigned immediate printed in hexadecimal, without `#` (SVC, BKPT). */
export const hexImmediate = (letter: string, digits: number): OperandSyntax => ({
  print: (f) => `0x${f[letter]!.toString(16).padStart(digits, '0')}`,
  parse: (text) => {
    const value = parseImmediate(text);
    return value === undefined || value < 0 ? undefined : { [letter]: value };
  },
});
/** An unsigned immediate, printed without `#`. */
export const bareImmediate = (letter: string): OperandSyntax => ({
  print: (f) => `${f[letter]!}`,
  parse: (text) => {
    const value = parseImmediate(text);
    return value === undefined || value < 0 ? undefined : { [letter]: value };
  },
});

/** The hint number of an unallocated hint: `{20}`. */
export const hintNumber: OperandSyntax = {
  print: (f) => `{${f['h']!}}`,
  parse: (text) => {
    const match = text === undefined ? null : /^\{(\d+)\}$/.exec(text);
    return match === null ? undefined : { h: Number(match[1]) };
  },
};

/** Width of SBFX and UBFX: one less in field w. Least significant bit in field l. */
export const width: OperandSyntax = {
  print: (f) => `#${f['w']! + 1}`,
  parse: (text) => {
    const value = parseImmediate(text);
    return value === undefined || value < 1 || value > 32 ? undefined : { w: value - 1 };
  },
};

/**
 * Least significant bit and width of BFI and BFC: fields l (lsb) and w (msb). The encoding holds the most significant bit, which needs both, so
 * they are one operand of the text with its comma inside. A msb below the lsb (UNPREDICTABLE) prints a width of 0 or less.
 */
export const bitField: OperandSyntax = {
  print: (f) => `#${f['l']!}, #${f['w']! - f['l']! + 1}`,
  parse: (text) => {
    const [first, second, ...rest] = text === undefined ? [] : text.split(',').map((part) => parseImmediate(part.trim()));
    if (first === undefined || second === undefined || rest.length > 0 || first < 0 || second < 1 || first + second > 32) return undefined;
    return { l: first, w: first + second - 1 };
  },
};

/** The first condition of IT in field q. */
export const itCondition: OperandSyntax = {
  print: (f) => conditionNames[f['q']!] || (f['q'] === 14 ? 'al' : 'nv'),
  parse: (text) => {
    const q = text === undefined ? undefined : conditionNumber(text);
    return q === undefined ? undefined : { q };
  },
};

/** How a branch's fields hold its distance. */
export interface BranchForm {
  /** Distance in bytes from the base. */
  readonly distance: (f: Fields) => number;
  /** The fields for a distance, or undefined when out of range or unaligned. */
  readonly fields: (distance: number) => Readonly<Record<string, number>> | undefined;
  /** The base is the PC aligned to a word (T32 BLX). */
  readonly aligned?: boolean;
}

const branchBase = (form: BranchForm, context: SyntaxContext): number => {
  const pc = context.address + (context.thumb ? 4 : 8);
  return form.aligned === true ? pc & ~3 : pc;
};

/** The target of a branch: an address or a label. */
export const branchTarget = (form: BranchForm): OperandSyntax => ({
  print: (f, context) => {
    const target = (branchBase(form, context) + form.distance(f)) >>> 0;
    return context.symbol?.(target) ?? `0x${target.toString(16)}`;
  },
  parse: (text, context) => {
    if (text === undefined || text.startsWith('#')) return undefined;
    const target = parseImmediate(text) ?? context.label?.(text);
    return target === undefined ? undefined : form.fields((target - branchBase(form, context)) | 0);
  },
});

const inRange = (value: number, bits: number): boolean => value >= -(2 ** (bits - 1)) && value < 2 ** (bits - 1);

/** A signed distance in one field, in units of 2 ** scaleLog2 bytes. */
export const signedDistance = (letter: string, bits: number, scaleLog2: number): BranchForm => ({
  distance: (f) => (f[letter]! << (32 - bits)) >> (32 - bits - scaleLog2),
  fields: (distance) => {
    if ((distance & ((1 << scaleLog2) - 1)) !== 0 || !inRange(distance, bits + scaleLog2)) return undefined;
    return { [letter]: (distance >> scaleLog2) & (2 ** bits - 1) };
  },
});

/** CBZ: an unsigned distance of 0 to 126 in field i. */
export const cbzDistance: BranchForm = {
  distance: (f) => f['i']! * 2,
  fields: (distance) => ((distance & 1) !== 0 || distance < 0 || distance > 126 ? undefined : { i: distance >> 1 }),
};

/** T32 B with a condition: fields S, K (J2), J (J1), i (17 low bits). */
export const t32ConditionalDistance: BranchForm = {
  distance: (f) => (((f['S']! << 19) | (f['K']! << 18) | (f['J']! << 17) | f['i']!) << 12) >> 11,
  fields: (distance) => {
    if ((distance & 1) !== 0 || !inRange(distance, 21)) return undefined;
    const bits = distance >> 1;
    return { S: (bits >> 19) & 1, K: (bits >> 18) & 1, J: (bits >> 17) & 1, i: bits & 0x1ffff };
  },
};

/** T32 B, BL and BLX: fields S, J, K and i (21 low bits); I1 = NOT(J1 EOR S), I2 = NOT(J2 EOR S). */
export const t32LongDistance: BranchForm = {
  distance: (f) => {
    const i1 = f['J'] === f['S'] ? 1 : 0;
    const i2 = f['K'] === f['S'] ? 1 : 0;
    return (((f['S']! << 23) | (i1 << 22) | (i2 << 21) | f['i']!) << 8) >> 7;
  },
  fields: (distance) => {
    if ((distance & 1) !== 0 || !inRange(distance, 25)) return undefined;
    const bits = distance >> 1;
    const S = (bits >> 23) & 1;
    return { S, J: ((bits >> 22) & 1) === S ? 1 : 0, K: ((bits >> 21) & 1) === S ? 1 : 0, i: bits & 0x1fffff };
  },
};
/** T32 BLX: the same with a word-aligned target; bit 0 of the field is H, which must be 0. */
export const t32ExchangeDistance: BranchForm = {
  distance: t32LongDistance.distance,
  fields: (distance) => ((distance & 3) !== 0 ? undefined : t32LongDistance.fields(distance)),
  aligned: true,
};
/** A32 BLX: words in field i, a further halfword in field H. */
export const a32ExchangeDistance: BranchForm = {
  distance: (f) => ((f['i']! << 8) >> 6) | (f['H']! << 1),
  fields: (distance) =>
    (distance & 1) !== 0 || !inRange(distance, 26) ? undefined : { i: (distance >> 2) & 0xffffff, H: (distance >> 1) & 1 },
};

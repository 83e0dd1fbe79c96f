import { MODE_ABT, MODE_FIQ, MODE_HYP, MODE_IRQ, MODE_MON, MODE_SVC, MODE_UND, MODE_USR } from '../system/core-system.js';
import type { Fields } from './encoding.js';
import type { OperandSyntax } from './operands.js';
import { parseImmediate, registerName, registerNumber } from './operands.js';

/** Barrier options by number; the others are reserved and print as a number (ARM DDI 0406C, A8.8.43). */
const barrierNames: Readonly<Record<number, string>> = {
  2: 'oshst',
  3: 'osh',
  6: 'nshst',
  7: 'nsh',
  10: 'ishst',
  11: 'ish',
  14: 'st',
  15: 'sy',
};
const barrierAliases: Readonly<Record<string, number>> = { un: 7, unst: 6, sh: 11, shst: 10 };

/** Option of DMB and DSB (`isb`: only SY has a name) in field o. */
export const barrierOption = (isb = false): OperandSyntax => ({
  print: (f) => {
    const option = f['o']!;
    return (isb ? (option === 15 ? 'sy' : undefined) : barrierNames[option]) ?? `#${option}`;
  },
  parse: (text) => {
    if (text === undefined) return { o: 15 };
    const lower = text.toLowerCase();
    const named = Object.keys(barrierNames).find((key) => barrierNames[Number(key)] === lower);
    const value = named === undefined ? (barrierAliases[lower] ?? parseImmediate(text)) : Number(named);
    return value === undefined ? undefined : { o: value };
  },
});

/** `be` or `le` by field e. */
export const endianness: OperandSyntax = {
  print: (f) => (f['e'] === 1 ? 'be' : 'le'),
  parse: (text) => {
    if (text === undefined || !/^[bl]e$/i.test(text)) return undefined;
    return { e: text[0]!.toLowerCase() === 'b' ? 1 : 0 };
  },
};

/** CPS's interrupt masks: field f is A I F, `none` when empty. */
export const interruptMask: OperandSyntax = {
  print: (f) => (f['f']! & 4 ? 'a' : '') + (f['f']! & 2 ? 'i' : '') + (f['f']! & 1 ? 'f' : '') || 'none',
  parse: (text) => {
    if (text === undefined || !/^([aif]{1,3}|none)$/i.test(text)) return undefined;
    const letters = text.toLowerCase() === 'none' ? '' : text.toLowerCase();
    return { f: (letters.includes('a') ? 4 : 0) | (letters.includes('i') ? 2 : 0) | (letters.includes('f') ? 1 : 0) };
  },
};

/** `CPSR_fsxc` or `SPSR_...`: field r, mask in field k (bit 3 is f). */
export const statusMask: OperandSyntax = {
  print: (f) => {
    const letters = ['f', 's', 'x', 'c'].filter((_, i) => f['k']! & (8 >> i)).join('');
    return `${f['r'] === 1 ? 'SPSR' : 'CPSR'}_${letters}`;
  },
  parse: (text) => {
    const match = text === undefined ? null : /^(cpsr|spsr|apsr)(?:_(\w*))?$/i.exec(text);
    if (match === null) return undefined;
    const name = match[1]!.toLowerCase();
    const fields = match[2]?.toLowerCase();
    if (name === 'apsr') {
      const k = ({ nzcvq: 8, g: 4, nzcvqg: 12 } as Readonly<Record<string, number>>)[fields ?? 'nzcvq'];
      return k === undefined ? undefined : { r: 0, k };
    }
    const letters = fields ?? 'fc';
    if (!/^[fsxc]*$/.test(letters)) return undefined;
    const bit = (letter: string, value: number): number => (letters.includes(letter) ? value : 0);
    return { r: name === 'spsr' ? 1 : 0, k: bit('f', 8) | bit('s', 4) | bit('x', 2) | bit('c', 1) };
  },
};

/** `CPSR` or `SPSR` by field r, as the source of MRS. */
export const statusRegister: OperandSyntax = {
  print: (f) => (f['r'] === 1 ? 'SPSR' : 'CPSR'),
  parse: (text) => (text !== undefined && /^[acs]psr$/i.test(text) ? { r: text[0]!.toLowerCase() === 's' ? 1 : 0 } : undefined),
};

/** A register of another mode as MRS and MSR name it: r8-r14, or 16 for its SPSR. */
export interface BankedRegister {
  readonly mode: number;
  readonly n: number;
  readonly name: string;
}

const bankedRegisters = new Map<number, BankedRegister>();
const defineBanked = (r: number, sysm: number, name: string, mode: number, n: number): void => {
  bankedRegisters.set((r << 5) | sysm, { name, mode, n });
};
for (let n = 8; n <= 14; n++) {
  const name = ['R8', 'R9', 'R10', 'R11', 'R12', 'SP', 'LR'][n - 8]!;
  defineBanked(0, n - 8, `${name}_usr`, MODE_USR, n);
  defineBanked(0, n, `${name}_fiq`, MODE_FIQ, n);
}
for (const [sysm, name, mode] of [
  [16, 'irq', MODE_IRQ],
  [18, 'svc', MODE_SVC],
  [20, 'abt', MODE_ABT],
  [22, 'und', MODE_UND],
  [28, 'mon', MODE_MON],
] as const) {
  defineBanked(0, sysm, `LR_${name}`, mode, 14);
  defineBanked(0, sysm + 1, `SP_${name}`, mode, 13);
  defineBanked(1, sysm, `SPSR_${name}`, mode, 16);
}
// Hyp mode has no LR of its own: ELR_hyp takes its place.
defineBanked(0, 30, 'ELR_hyp', MODE_HYP, 14);
defineBanked(0, 31, 'SP_hyp', MODE_HYP, 13);
defineBanked(1, 14, 'SPSR_fiq', MODE_FIQ, 16);
defineBanked(1, 30, 'SPSR_hyp', MODE_HYP, 16);

/** SYSm with R as bit 5: field h is SYSm<4>, m the rest. */
const bankedKey = (f: Fields): number => (f['r']! << 5) | (f['h']! << 4) | f['m']!;

/** The register that fields r, h and m name, or undefined for the UNPREDICTABLE values (B9.2.3). */
export const bankedRegister = (f: Fields): BankedRegister | undefined => bankedRegisters.get(bankedKey(f));

/** Banked register in fields r, h and m. */
export const bankedOperand: OperandSyntax = {
  print: (f) => bankedRegister(f)?.name ?? `(UNDEF: ${bankedKey(f)})`,
  parse: (text) => {
    const lower = text?.toLowerCase();
    for (const [key, { name }] of bankedRegisters) if (name.toLowerCase() === lower) return { r: key >> 5, h: (key >> 4) & 1, m: key & 15 };
    return undefined;
  },
};

/** A32 modified immediate in field i (rotation in bits 11:8), as a signed number; `#byte, rotation` when the rotation is not the shortest. */
export const statusImmediate: OperandSyntax = {
  print: (f) => {
    const field = f['i']!;
    const value = rotatedImmediate(field);
    return encodeRotated(value) === field ? `#${value | 0}` : `#${field & 255}, ${(field >> 8) * 2}`;
  },
  parse: (text) => {
    if (text === undefined) return undefined;
    const rotated = /^(#?\w+)\s*,\s*#?(\d+)$/.exec(text);
    if (rotated !== null) {
      const byte = parseImmediate(rotated[1]);
      const rotation = Number(rotated[2]);
      return byte === undefined || byte > 255 || byte < 0 || rotation % 2 !== 0 || rotation > 30
        ? undefined
        : { i: (rotation << 7) | byte };
    }
    const value = parseImmediate(text);
    const i = value === undefined ? undefined : encodeRotated(value >>> 0);
    return i === undefined ? undefined : { i };
  },
};

/** Value of an A32 modified immediate (A5.2.4). */
export const rotatedImmediate = (field: number): number => {
  const byte = field & 255;
  const amount = (field >> 8) * 2;
  return amount === 0 ? byte : ((byte >>> amount) | (byte << (32 - amount))) >>> 0;
};

const encodeRotated = (value: number): number | undefined => {
  for (let rotation = 0; rotation < 16; rotation++) {
    const amount = rotation * 2;
    const byte = amount === 0 ? value >>> 0 : ((value << amount) | (value >>> (32 - amount))) >>> 0;
    if (byte < 256) return (rotation << 8) | byte;
  }
  return undefined;
};

/** Coprocessor number in field p: `15`, or `p15`. */
export const coprocessor: OperandSyntax = {
  print: (f) => `${f['p']!}`,
  parse: (text) => {
    const match = text === undefined ? null : /^p?(\d+)$/i.exec(text);
    return match === null || Number(match[1]) > 15 ? undefined : { p: Number(match[1]) };
  },
};

/** Coprocessor register in field `letter`: `cr7`, or `c7`. */
export const coprocessorRegister = (letter: string): OperandSyntax => ({
  print: (f) => `cr${f[letter]!}`,
  parse: (text) => {
    const match = text === undefined ? null : /^cr?(\d+)$/i.exec(text);
    return match === null || Number(match[1]) > 15 ? undefined : { [letter]: Number(match[1]) };
  },
});

/** opc1: a plain number in field `letter`. */
export const opcode = (letter: string): OperandSyntax => ({
  print: (f) => `${f[letter]!}`,
  parse: (text) => {
    const value = parseImmediate(text);
    return value === undefined || value < 0 ? undefined : { [letter]: value };
  },
});

/** opc2 or the option of an unindexed LDC in field `letter`: `{3}`; plain numbers and (with `optional`) none are read too. */
export const braced = (letter: string, optional = false): OperandSyntax => ({
  print: (f) => `{${f[letter]!}}`,
  parse: (text) => {
    if (text === undefined) return optional ? { [letter]: 0 } : undefined;
    const value = parseImmediate(/^\{(.*)\}$/.exec(text)?.[1]?.trim() ?? (optional ? text : undefined));
    return value === undefined || value < 0 ? undefined : { [letter]: value };
  },
});

/** Rt of MRC: 15 means the flags. */
export const mrcDestination: OperandSyntax = {
  print: (f) => (f['t'] === 15 ? 'APSR_nzcv' : registerName(f['t']!)),
  parse: (text) => {
    if (text === undefined) return undefined;
    const t = /^apsr_nzcv$/i.test(text) ? 15 : registerNumber(text);
    return t === undefined ? undefined : { t };
  },
};

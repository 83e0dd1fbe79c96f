import type { Fields } from './encoding.js';
import type { OperandSyntax } from './operands.js';
import { parseImmediate, registerName, registerNumber, shiftNames } from './operands.js';

type Parsed = Readonly<Record<string, number>>;

/** Splits at commas outside brackets and braces. */
const parts = (text: string): string[] => text.split(',').map((part) => part.trim());

/** The pieces of `[...]` or `[...]!`, or undefined when the text is no such thing. */
const bracketed = (text: string | undefined): { inside: string[]; writeBack: boolean } | undefined => {
  const match = text === undefined ? null : /^\[([^\]]*)\]\s*(!?)$/.exec(text);
  return match === null ? undefined : { inside: parts(match[1]!), writeBack: match[2] === '!' };
};

const signedImmediate = (text: string): { u: number; magnitude: number } | undefined => {
  const value = parseImmediate(text);
  if (value === undefined) return undefined;
  return { u: /^#?-/.test(text) ? 0 : 1, magnitude: Math.abs(value) };
};

const signedRegister = (text: string | undefined): { u: number; m: number } | undefined => {
  const match = text === undefined ? null : /^([+-]?)\s*(\w+)$/.exec(text);
  const m = match === null ? undefined : registerNumber(match[2]!);
  return m === undefined ? undefined : { u: match![1] === '-' ? 0 : 1, m };
};

/** Text of an immediate shift: type in field y, amount in field a (DecodeImmShift, ARM DDI 0406C, A8.4.3). Empty for LSL #0. */
const shiftText = (f: Fields): string => {
  const type = f['y'] ?? 0;
  const amount = f['a'] ?? 0;
  if (amount !== 0) return `${shiftNames[type]} #${amount}`;
  return ['', 'lsr #32', 'asr #32', 'rrx'][type]!;
};

const parseShift = (text: string, rightShifts: boolean): Parsed | undefined => {
  if (/^rrx$/i.test(text)) return rightShifts ? { y: 3, a: 0 } : undefined;
  const match = /^(lsl|lsr|asr|ror)\s+(\S+)$/i.exec(text);
  if (match === null) return undefined;
  const type = shiftNames.indexOf(match[1]!.toLowerCase());
  const amount = parseImmediate(match[2]);
  if (amount === undefined || amount < 0) return undefined;
  if (!rightShifts) return type === 0 && amount < 4 ? { a: amount } : undefined;
  if (amount === 0) return type === 0 ? { y: 0, a: 0 } : undefined;
  if (amount === 32 && (type === 1 || type === 2)) return { y: type, a: 0 };
  return amount < 32 ? { y: type, a: amount } : undefined;
};

/** Where the direction of an offset stands: field u, or always up or down. */
export type Direction = 'field' | 'up' | 'down';

const directionField = (direction: Direction, u: number): Parsed | undefined => {
  if (direction === 'field') return { u };
  return (direction === 'up') === (u === 1) ? {} : undefined;
};

interface OffsetOptions {
  /** Bytes of one unit of field i (1 unless given). */
  readonly scale?: number;
  /** Default: field u. */
  readonly direction?: Direction;
  /** Base register when it is not field n: 13 or 15. */
  readonly base?: number;
  /** `field`: `!` by field w; `always`: `!`; default never. */
  readonly writeBack?: 'field' | 'always';
  /** Show an offset of +0 (T16). */
  readonly showZero?: boolean;
}

/** `[Rn, #offset]` and `[Rn, #offset]!`: fields n, i, u, w. With base PC a label, too. */
export const offsetImmediate = (options: OffsetOptions = {}): OperandSyntax => {
  const { scale = 1, direction = 'field', base, writeBack, showZero = false } = options;
  return {
    print: (f) => {
      const n = base ?? f['n']!;
      const up = direction === 'field' ? f['u'] === 1 : direction === 'up';
      const wb = writeBack === 'always' || (writeBack === 'field' && f['w'] === 1);
      const value = f['i']! * scale;
      const offset = value === 0 && up && !wb && !showZero && n !== 15 ? '' : `, #${up ? '' : '-'}${value}`;
      return `[${registerName(n)}${offset}]${wb ? '!' : ''}`;
    },
    parse: (text, context) => {
      const memory = bracketed(text);
      let n: number | undefined;
      let signed: { u: number; magnitude: number } | undefined = { u: 1, magnitude: 0 };
      let wb = false;
      if (memory !== undefined) {
        if (memory.inside.length > 2) return undefined;
        n = registerNumber(memory.inside[0]!);
        if (memory.inside.length === 2) signed = signedImmediate(memory.inside[1]!);
        else if (direction === 'down') return undefined;
        wb = memory.writeBack;
      } else {
        const target = text === undefined || writeBack === 'always' ? undefined : (context.label?.(text) ?? labelAddress(text));
        if (target === undefined) return undefined;
        const delta = (target - ((context.address + (context.thumb ? 4 : 8)) & ~3)) | 0;
        n = 15;
        signed = { u: delta < 0 ? 0 : 1, magnitude: Math.abs(delta) };
      }
      if (n === undefined || signed === undefined || (base !== undefined && base !== n)) return undefined;
      // Forms that only go down are T32's, where PC as the base is the literal form.
      if (n === 15 && direction === 'down') return undefined;
      if (writeBack === 'always' ? !wb : wb && writeBack === undefined) return undefined;
      const up = directionField(direction, signed.u);
      const i = signed.magnitude / scale;
      if (up === undefined || !Number.isInteger(i)) return undefined;
      return { ...up, i, ...(base === undefined && { n }), ...(writeBack === 'field' && { w: wb ? 1 : 0 }) };
    },
  };
};

const labelAddress = (text: string): number | undefined => (/^0x[0-9a-f]+$/i.test(text) ? Number(text) : undefined);

/** Literal, `[pc, #offset]` or a label: fields i and u. */
export const literal = (options: OffsetOptions = {}): OperandSyntax => offsetImmediate({ ...options, base: 15 });

/** `[Rn]`. */
export const base = (n: string | number = 'n'): OperandSyntax => ({
  print: (f) => `[${registerName(typeof n === 'number' ? n : f[n]!)}]`,
  parse: (text) => {
    const memory = bracketed(text);
    if (memory === undefined || memory.writeBack || memory.inside.length !== 1) return undefined;
    const number = registerNumber(memory.inside[0]!);
    if (number === undefined) return undefined;
    if (typeof n === 'number') return n === number ? {} : undefined;
    return { [n]: number };
  },
});

/** Post-indexed offset `#offset`: fields i and u. */
export const postImmediate = (scale = 1): OperandSyntax => ({
  print: (f) => `#${f['u'] === 1 ? '' : '-'}${f['i']! * scale}`,
  parse: (text) => {
    const signed = text === undefined ? undefined : signedImmediate(text);
    if (signed === undefined || !Number.isInteger(signed.magnitude / scale)) return undefined;
    return { u: signed.u, i: signed.magnitude / scale };
  },
});

/** The same, left out when it is +0 (T32 unprivileged accesses and A32 ones written `[Rn]`). */
export const optionalPostImmediate: OperandSyntax = {
  print: (f) => postImmediate().print(f, { address: 0, thumb: false }),
  parse: (text, context) => (text === undefined ? { u: 1, i: 0 } : postImmediate().parse(text, context)),
};

interface IndexOptions {
  readonly writeBack?: 'field';
  /** `a32`: any shift in fields y and a. `t32`: LSL #0-3 in field a. Default: none. */
  readonly shift?: 'a32' | 't32';
  /** The sign is field u (A32); default always added. */
  readonly signed?: boolean;
}

/** `[Rn, +-Rm, shift]` and the same with `!`: fields n, m, u, y, a, w. */
export const offsetRegister = (options: IndexOptions = {}): OperandSyntax => {
  const { writeBack, shift, signed = false } = options;
  return {
    print: (f) => {
      const shifted = shift === undefined ? '' : shiftText(f);
      const sign = signed && f['u'] === 0 ? '-' : '';
      return `[${registerName(f['n']!)}, ${sign}${registerName(f['m']!)}${shifted && `, ${shifted}`}]${writeBack && f['w'] === 1 ? '!' : ''}`;
    },
    parse: (text) => {
      const memory = bracketed(text);
      if (memory === undefined || memory.inside.length < 2 || memory.inside.length > 3 || (memory.writeBack && !writeBack))
        return undefined;
      const n = registerNumber(memory.inside[0]!);
      const index = signedRegister(memory.inside[1]);
      const none: Parsed | undefined = shift === 'a32' ? { y: 0, a: 0 } : shift === 't32' ? { a: 0 } : {};
      const shifted = memory.inside.length === 2 ? none : shift === undefined ? undefined : parseShift(memory.inside[2]!, shift === 'a32');
      if (n === undefined || index === undefined || shifted === undefined || (!signed && index.u === 0)) return undefined;
      return { n, m: index.m, ...shifted, ...(signed && { u: index.u }), ...(writeBack && { w: memory.writeBack ? 1 : 0 }) };
    },
  };
};

/** Post-indexed register `+-Rm`: fields m and u. */
export const postRegister: OperandSyntax = {
  print: (f) => `${f['u'] === 0 ? '-' : ''}${registerName(f['m']!)}`,
  parse: (text) => signedRegister(text) as Parsed | undefined,
};

/** The shift after a post-indexed register, left out for LSL #0: fields y and a. */
export const postShift: OperandSyntax = {
  print: (f) => shiftText(f) || undefined,
  parse: (text) => (text === undefined ? { y: 0, a: 0 } : parseShift(text, true)),
};

/** A32's second register of a pair, Rt + 1: written, but no field of its own. */
export const secondOfPair = (letter: string): OperandSyntax => ({
  print: (f) => registerName((f[letter]! + 1) & 15),
  parse: (text) => (text !== undefined && registerNumber(text) !== undefined ? {} : undefined),
});

/** Bits of `{r0, r2-r4, lr}`, or undefined. */
export const parseRegisterList = (text: string): number | undefined => {
  const match = /^\{([^}]*)\}$/.exec(text.trim());
  if (match === null) return undefined;
  let list = 0;
  for (const part of parts(match[1]!)) {
    if (part === '') continue;
    const [first, last = first] = part.split('-').map((name) => registerNumber(name.trim()));
    if (first === undefined || last === undefined || last < first) return undefined;
    for (let n = first; n <= last; n++) list |= 1 << n;
  }
  return list;
};

export const registerListText = (list: number): string => {
  const names: string[] = [];
  for (let n = 0; n < 16; n++) if (list & (1 << n)) names.push(registerName(n));
  return `{${names.join(', ')}}`;
};

/**
 * Register list in field l. `hat`: `^` after it. `high`: field h stands for this register (PUSH T1: 14, POP T1: 15). `always`: this register is in
 * every list and not in the field.
 */
export const registerList = (options: { readonly hat?: boolean; readonly high?: number; readonly always?: number } = {}): OperandSyntax => {
  const { hat = false, high, always } = options;
  const implied = always === undefined ? 0 : 1 << always;
  return {
    print: (f) => registerListText(f['l']! | implied | (high !== undefined && f['h'] === 1 ? 1 << high : 0)) + (hat ? '^' : ''),
    parse: (text) => {
      if (text === undefined || text.endsWith('^') !== hat) return undefined;
      const list = parseRegisterList(hat ? text.slice(0, -1) : text);
      if (list === undefined || (list & implied) !== implied) return undefined;
      return high === undefined ? { l: list & ~implied } : { l: list & ~(1 << high), h: (list >> high) & 1 };
    },
  };
};

/** A list of just the register in field `letter`. */
export const singleRegister = (letter: string): OperandSyntax => ({
  print: (f) => `{${registerName(f[letter]!)}}`,
  parse: (text) => {
    const list = text === undefined ? undefined : parseRegisterList(text);
    if (list === undefined || list === 0 || (list & (list - 1)) !== 0) return undefined;
    return { [letter]: 31 - Math.clz32(list) };
  },
});

/** `Rn` or `Rn!` by field w; `always` and `never` are fixed, `list`: `!` unless Rn is in the list of field l (LDM T1). */
export const baseRegister = (when: 'field' | 'always' | 'never' | 'list' = 'field', number?: number): OperandSyntax => ({
  print: (f) => {
    const n = number ?? f['n']!;
    const wb = when === 'always' || (when === 'field' && f['w'] === 1) || (when === 'list' && (f['l']! & (1 << n)) === 0);
    return registerName(n) + (wb ? '!' : '');
  },
  parse: (text) => {
    const match = text === undefined ? null : /^(\w+)\s*(!?)$/.exec(text);
    const n = match === null ? undefined : registerNumber(match[1]!);
    if (n === undefined || (number !== undefined && n !== number)) return undefined;
    const wb = match![2] === '!';
    if ((when === 'always' && !wb) || (when === 'never' && wb)) return undefined;
    return { ...(number === undefined && { n }), ...(when === 'field' && { w: wb ? 1 : 0 }) };
  },
});

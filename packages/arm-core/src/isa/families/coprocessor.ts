import type { Value } from '@tablewalk/engine';
import { layout } from '@tablewalk/engine';
import {
  maintainCache,
  pairHigh,
  readSystemRegister,
  readSystemRegister64,
  writeSystemRegister,
  writeSystemRegister64,
} from '../../system/kernels-system.js';
import type { ArmBuilder } from '../arm-builder.js';
import type { Encoding, Fields } from '../encoding.js';
import type { OperandSyntax } from '../operands.js';
import { reg } from '../operands.js';
import { base, offsetImmediate, postImmediate } from '../operands-memory.js';
import { braced, coprocessor, coprocessorRegister, mrcDestination, opcode } from '../operands-system.js';
import { a32, t32 } from './record.js';
import { setConditionFlags } from './system.js';

/** CP14 (debug, ThumbEE) and CP15 (system control) are there; CP10 and CP11 are VFP and Advanced SIMD, which have records of their own. */
const isFloatingPoint = (f: Fields): boolean => f['p'] === 10 || f['p'] === 11;
const isSystem = (f: Fields): boolean => f['p'] === 14 || f['p'] === 15;

/** Key of a 32-bit register (`CoreSystem.readSystemRegister`). */
const keyOf = (f: Fields): number => (f['p']! << 16) | (f['o']! << 12) | (f['n']! << 8) | (f['m']! << 4) | f['q']!;
const keyOf64 = (f: Fields): number => (f['p']! << 16) | (f['o']! << 4) | f['m']!;

/** Registers that are state words, and whether PL0 may read them: an MRC of one is a move. */
const threadRegisters: ReadonlyMap<number, { readonly word: number; readonly pl0: boolean }> = new Map([
  [0xf0d02, { word: layout.TPIDRURW, pl0: true }],
  [0xf0d03, { word: layout.TPIDRURO, pl0: true }],
  [0xf0d04, { word: layout.TPIDRPRW, pl0: false }],
]);

/** CTR: it never changes, and kernels read it before they maintain a range, since it has the size of a line. */
const CTR = 0xf0001;

/** What MRC of a register reads. */
const systemRegister = (b: ArmBuilder, key: number): Value => {
  const thread = threadRegisters.get(key);
  if (thread !== undefined && (b.privileged || thread.pl0)) return b.getState(thread.word);
  const ctr = b.profile.id['CTR'];
  if (key === CTR && b.privileged && ctr !== undefined && !b.profile.absent?.includes('CTR')) return b.const(ctr);
  return b.call(readSystemRegister, b.const(key));
};

const mrc: Encoding['semantics'] = (b, f) => {
  if (!isSystem(f)) return b.undefined();
  const value = systemRegister(b, keyOf(f));
  if (f['t'] === 15) setConditionFlags(b, value);
  else b.setReg(f['t']!, value);
};
/** Maintenance of caches and branch predictors (B4.2.1). */
const maintenance: ReadonlyMap<number, string> = new Map([
  [0xf0710, 'ICIALLUIS'],
  [0xf0716, 'BPIALLIS'],
  [0xf0750, 'ICIALLU'],
  [0xf0751, 'ICIMVAU'],
  [0xf0756, 'BPIALL'],
  [0xf0757, 'BPIMVA'],
  [0xf0761, 'DCIMVAC'],
  [0xf0762, 'DCISW'],
  [0xf07a1, 'DCCMVAC'],
  [0xf07a2, 'DCCSW'],
  [0xf07b1, 'DCCMVAU'],
  [0xf07e1, 'DCCIMVAC'],
  [0xf07e2, 'DCCISW'],
]);
const isMaintenance = (b: ArmBuilder, key: number): boolean => {
  const name = maintenance.get(key);
  return name !== undefined && b.privileged && !b.profile.absent?.includes(name);
};

/** A write may change translation, privileges of VFP, endianness...: the block ends. */
const mcr: Encoding['semantics'] = (b, f) => {
  if (!isSystem(f)) return b.undefined();
  const key = keyOf(f);
  b.call(isMaintenance(b, key) ? maintainCache : writeSystemRegister, b.const(key), b.reg(f['t']!));
  b.endAfter();
};
const mrrc: Encoding['semantics'] = (b, f) => {
  if (!isSystem(f) || f['t'] === 15 || f['x'] === 15) return b.undefined();
  const low = b.call(readSystemRegister64, b.const(keyOf64(f)));
  b.setReg(f['t']!, low);
  b.setReg(f['x']!, b.call(pairHigh));
};
const mcrr: Encoding['semantics'] = (b, f) => {
  if (!isSystem(f)) return b.undefined();
  b.call(writeSystemRegister64, b.const(keyOf64(f)), b.reg(f['t']!), b.reg(f['x']!));
  b.endAfter();
};
/** Coprocessors 0-9, 12 and 13 do not exist, and CDP, LDC, STC of the others do nothing here that the system registers do not do better. */
const undefinedAlways: Encoding['semantics'] = (b) => b.undefined();

const unless = { unless: isFloatingPoint };

/** One group of encodings: `cond` is the first four bits, `two` the `2` of the unconditional forms, which no coprocessor here has. */
const group = (make: typeof a32, name: string, cond: string, suffix: string): Encoding[] => {
  const two = suffix.startsWith('2');
  const allocated = (semantics: Encoding['semantics']): Encoding['semantics'] => (two ? undefinedAlways : semantics);
  const registers: OperandSyntax[] = [coprocessor, opcode('o')];
  const memory = (load: boolean): Encoding[] => {
    const bit = load ? '1' : '0';
    const mnemonic = load ? 'ldc' : 'stc';
    const text = `${mnemonic}${two ? '2' : ''}{N:,l}${suffix.slice(two ? 1 : 0)}`;
    const ref = load ? 'A8.8.55' : 'A8.8.198';
    const NAME = `${mnemonic.toUpperCase()}${two ? '2' : ''}`;
    return [
      make(
        `${NAME}_${name}`,
        `${cond} 1101 uNw${bit} nnnn dddd pppp iiiiiiii`,
        ref,
        [text, coprocessor, coprocessorRegister('d'), offsetImmediate({ scale: 4, writeBack: 'field' })],
        undefinedAlways,
        unless,
      ),
      make(
        `${NAME}_post_${name}`,
        `${cond} 1100 uN1${bit} nnnn dddd pppp iiiiiiii`,
        ref,
        [text, coprocessor, coprocessorRegister('d'), base(), postImmediate(4)],
        undefinedAlways,
        unless,
      ),
      make(
        `${NAME}_unindexed_${name}`,
        `${cond} 1100 1N0${bit} nnnn dddd pppp iiiiiiii`,
        ref,
        [text, coprocessor, coprocessorRegister('d'), base(), braced('i')],
        undefinedAlways,
        unless,
      ),
    ];
  };
  const n = two ? '2' : '';
  return [
    make(
      `MRC${n}_${name}`,
      `${cond} 1110 ooo1 nnnn tttt pppp qqq1 mmmm`,
      'A8.8.107',
      [`mrc${suffix}`, ...registers, mrcDestination, coprocessorRegister('n'), coprocessorRegister('m'), braced('q', true)],
      allocated(mrc),
      unless,
    ),
    make(
      `MCR${n}_${name}`,
      `${cond} 1110 ooo0 nnnn tttt pppp qqq1 mmmm`,
      'A8.8.98',
      [`mcr${suffix}`, ...registers, reg('t'), coprocessorRegister('n'), coprocessorRegister('m'), braced('q', true)],
      allocated(mcr),
      { ...unless, unpredictable: (f) => f['t'] === 15 },
    ),
    make(
      `MRRC${n}_${name}`,
      `${cond} 1100 0101 xxxx tttt pppp oooo mmmm`,
      'A8.8.108',
      [`mrrc${suffix}`, ...registers, reg('t'), reg('x'), coprocessorRegister('m')],
      allocated(mrrc),
      { ...unless, unpredictable: (f) => f['t'] === 15 || f['x'] === 15 || f['t'] === f['x'] },
    ),
    make(
      `MCRR${n}_${name}`,
      `${cond} 1100 0100 xxxx tttt pppp oooo mmmm`,
      'A8.8.99',
      [`mcrr${suffix}`, ...registers, reg('t'), reg('x'), coprocessorRegister('m')],
      allocated(mcrr),
      { ...unless, unpredictable: (f) => f['t'] === 15 || f['x'] === 15 },
    ),
    make(
      `CDP${n}_${name}`,
      `${cond} 1110 oooo nnnn dddd pppp qqq0 mmmm`,
      'A8.8.28',
      [`cdp${suffix}`, ...registers, coprocessorRegister('d'), coprocessorRegister('n'), coprocessorRegister('m'), braced('q', true)],
      undefinedAlways,
      unless,
    ),
    ...memory(true),
    ...memory(false),
  ];
};

/** Coprocessor instructions. */
export const coprocessorInstructions: readonly Encoding[] = [
  ...group(a32, 'A1', 'cccc', '{c}'),
  ...group(a32, 'A2', '1111', '2'),
  ...group(t32, 'T1', '1110', '{c}'),
  ...group(t32, 'T2', '1111', '2{c}'),
];

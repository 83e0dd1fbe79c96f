import type { Value } from '@tablewalk/engine';
import { layout, ops } from '@tablewalk/engine';
import { readUser, returnFromSpsr, writeUser } from '../../system/kernels-system.js';
import type { ArmBuilder } from '../arm-builder.js';
import type { Encoding, Fields } from '../encoding.js';
import { baseRegister, registerList } from '../operands-memory.js';
import { a32, t16, t32 } from './record.js';

/** Increment or decrement, after or before. */
type Mode = 'ia' | 'ib' | 'da' | 'db';

const registersOf = (list: number): number[] => {
  const registers: number[] = [];
  for (let n = 0; n < 16; n++) if (list & (1 << n)) registers.push(n);
  return registers;
};

/** Lowest address of `count` words. */
const lowest = (b: ArmBuilder, n: number, count: number, mode: Mode): Value => {
  const delta = mode === 'ia' ? 0 : mode === 'ib' ? 4 : mode === 'da' ? 4 - 4 * count : -4 * count;
  const address = b.getReg(n);
  return delta === 0 ? address : b.add(address, b.const(delta));
};

const writeBack = (b: ArmBuilder, n: number, count: number, mode: Mode): void =>
  b.setReg(n, b.add(b.getReg(n), b.const(mode[0] === 'i' ? 4 * count : -4 * count)));

/** Words from memory; state words as in `Builder.loadMultiple`. One register needs no list. */
const loadWords = (b: ArmBuilder, address: Value, stateWords: readonly number[]): void => {
  if (stateWords.length > 1 || stateWords[0]! > 14) b.readMultiple(address, stateWords);
  else b.setReg(stateWords[0]!, b.read(address, 4, ops.MEM_ALIGNED));
};

/**
 * LDM and POP. All words are read before any register changes, so that a fault leaves everything as it was; the loaded value of the base wins over
 * its write-back.
 */
const loadMultiple = (b: ArmBuilder, n: number, list: number, mode: Mode, writes: boolean): void => {
  const registers = registersOf(list);
  const address = lowest(b, n, registers.length, mode);
  const wb = writes && (list & (1 << n)) === 0;
  if (list === 0x8000) {
    const target = b.read(address, 4, ops.MEM_ALIGNED);
    if (wb) writeBack(b, n, 1, mode);
    b.jumpExchange(target);
    return;
  }
  loadWords(
    b,
    address,
    registers.map((r) => (r === 15 ? layout.TEMP0 : r)),
  );
  if (wb) writeBack(b, n, registers.length, mode);
  if (list & 0x8000) b.jumpExchange(b.getState(layout.TEMP0));
};

/** STM and PUSH. A base in the list is stored as it was before. */
const storeMultiple = (b: ArmBuilder, n: number, list: number, mode: Mode, writes: boolean): void => {
  const registers = registersOf(list);
  const pc = list & 0x8000 ? b.reg(15) : 0;
  const address = lowest(b, n, registers.length, mode);
  if (registers.length === 1) b.write(address, 4, b.reg(registers[0]!), ops.MEM_ALIGNED);
  else
    b.writeMultiple(
      address,
      registers.map((r) => (r === 15 ? ~pc : r)),
    );
  if (writes) writeBack(b, n, registers.length, mode);
};

const countOf = (list: number): number => registersOf(list).length;

/**
 * UNPREDICTABLE lists that QEMU's core takes as UNDEFINED: fewer registers than `least`, PC as the base, and (loads, T32 stores) a base that is
 * written back and also in the list.
 */
const refused = (f: Fields, least: number, baseInList: boolean): boolean =>
  countOf(f['l']!) < least || f['n'] === 15 || (baseInList && f['w'] === 1 && (f['l']! & (1 << f['n']!)) !== 0);

const ldm =
  (mode: Mode, least: number): Encoding['semantics'] =>
  (b, f) =>
    refused(f, least, true) ? b.undefined() : loadMultiple(b, f['n']!, f['l']!, mode, f['w'] === 1);
const stm =
  (mode: Mode, least: number): Encoding['semantics'] =>
  (b, f) =>
    refused(f, least, least === 2) ? b.undefined() : storeMultiple(b, f['n']!, f['l']!, mode, f['w'] === 1);

/** LDM of User mode's registers: r8-r14 go through the core, which knows the banks. UNDEFINED in User mode and with write-back (both UNPREDICTABLE). */
const ldmUser =
  (mode: Mode): Encoding['semantics'] =>
  (b, f) => {
    if (!b.privileged || f['w'] === 1 || refused(f, 1, false)) return b.undefined();
    const registers = registersOf(f['l']!);
    b.readMultiple(
      lowest(b, f['n']!, registers.length, mode),
      registers.map((r, i) => (r < 8 ? r : layout.TEMP0 + i)),
    );
    registers.forEach((r, i) => {
      if (r >= 8) b.call(writeUser, b.const(r), b.getState(layout.TEMP0 + i));
    });
  };

/** LDM with PC and `^`: exception return. Registers are loaded in the old mode, before CPSR changes. */
const ldmReturn =
  (mode: Mode): Encoding['semantics'] =>
  (b, f) => {
    const list = f['l']! | 0x8000;
    if (!b.privileged || f['n'] === 15) return b.undefined();
    const registers = registersOf(list);
    b.readMultiple(
      lowest(b, f['n']!, registers.length, mode),
      registers.map((r) => (r === 15 ? layout.TEMP0 : r)),
    );
    if (f['w'] === 1 && (list & (1 << f['n']!)) === 0) writeBack(b, f['n']!, registers.length, mode);
    b.call(returnFromSpsr, b.getState(layout.TEMP0));
    b.resync();
  };

/** STM of User mode's registers. */
const stmUser =
  (mode: Mode): Encoding['semantics'] =>
  (b, f) => {
    if (!b.privileged || refused(f, 1, false)) return b.undefined();
    const registers = registersOf(f['l']!);
    const words = registers.map((r) => (r < 8 ? r : ~(r === 15 ? b.reg(15) : b.call(readUser, b.const(r)))));
    b.writeMultiple(lowest(b, f['n']!, registers.length, mode), words);
    // UNPREDICTABLE with write-back: the current mode's base is written.
    if (f['w'] === 1) writeBack(b, f['n']!, registers.length, mode);
  };

const badLoad = (f: Fields): boolean => f['n'] === 15 || f['l'] === 0 || (f['w'] === 1 && (f['l']! & (1 << f['n']!)) !== 0);
const badStore = (f: Fields): boolean =>
  f['n'] === 15 || f['l'] === 0 || (f['w'] === 1 && (f['l']! & (1 << f['n']!)) !== 0 && (f['l']! & ((1 << f['n']!) - 1)) !== 0);
const badThumbLoad = (f: Fields): boolean =>
  badLoad(f) || countOf(f['l']!) < 2 || (f['l']! & 0x2000) !== 0 || (f['l']! & 0xc000) === 0xc000;
const badThumbStore = (f: Fields): boolean =>
  f['n'] === 15 || countOf(f['l']!) < 2 || (f['l']! & 0xa000) !== 0 || (f['w'] === 1 && (f['l']! & (1 << f['n']!)) !== 0);

/** One direction in A32: P and U bits; the `^` forms are privileged. */
const directions: readonly (readonly [Mode, string, string, string])[] = [
  ['ia', '01', 'A8.8.58', 'A8.8.199'],
  ['ib', '11', 'A8.8.61', 'A8.8.202'],
  ['da', '00', 'A8.8.59', 'A8.8.200'],
  ['db', '10', 'A8.8.60', 'A8.8.201'],
];
const suffix = (mode: Mode): string => (mode === 'ia' ? '' : mode);

const operands = [baseRegister(), registerList()] as const;
const hatOperands = [baseRegister(), registerList({ hat: true })] as const;
/** The list of an exception return: PC is not in field l. */
const returnList = registerList({ hat: true, always: 15 });

/** `ldmfd sp!` and `stmfd sp!` with two registers or more are POP and PUSH; with one, they are not (those are LDR and STR). */
const several = { unless: (f: Fields): boolean => countOf(f['l']!) < 2 };

export const loadStoreMultiple: readonly Encoding[] = [
  a32(
    'POP_A1',
    'cccc 1000 1011 1101 llllllllllllllll',
    'A8.8.131',
    ['pop{c}', registerList()],
    (b, f) => ldm('ia', 1)(b, { ...f, n: 13, w: 1 }),
    { ...several, unpredictable: (f) => (f['l']! & 0x2000) !== 0 },
  ),
  a32(
    'PUSH_A1',
    'cccc 1001 0010 1101 llllllllllllllll',
    'A8.8.133',
    ['push{c}', registerList()],
    (b, f) => stm('db', 1)(b, { ...f, n: 13, w: 1 }),
    { ...several, unpredictable: (f) => (f['l']! & 0x2000) !== 0 },
  ),
  ...directions.flatMap(([mode, pu, ldmRef, stmRef]) => {
    const M = mode.toUpperCase();
    return [
      a32(`LDM${M}_A1`, `cccc 100${pu}0w1 nnnn llllllllllllllll`, ldmRef, [`ldm${suffix(mode)}{c}`, ...operands], ldm(mode, 1), {
        unpredictable: badLoad,
      }),
      a32(`STM${M}_A1`, `cccc 100${pu}0w0 nnnn llllllllllllllll`, stmRef, [`stm${suffix(mode)}{c}`, ...operands], stm(mode, 1), {
        unpredictable: badStore,
      }),
      a32(`LDM${M}_user_A1`, `cccc 100${pu}1w1 nnnn 0lllllllllllllll`, 'B9.3.6', [`ldm${suffix(mode)}{c}`, ...hatOperands], ldmUser(mode), {
        unpredictable: (f) => f['w'] === 1 || f['n'] === 15 || f['l'] === 0,
      }),
      a32(
        `LDM${M}_return_A1`,
        `cccc 100${pu}1w1 nnnn 1lllllllllllllll`,
        'B9.3.5',
        [`ldm${suffix(mode)}{c}`, baseRegister(), returnList],
        ldmReturn(mode),
        { unpredictable: (f) => f['n'] === 15 || (f['w'] === 1 && (f['l']! & (1 << f['n']!)) !== 0) },
      ),
      a32(
        `STM${M}_user_A1`,
        `cccc 100${pu}1w0 nnnn llllllllllllllll`,
        'B9.3.17',
        [`stm${suffix(mode)}{c}`, ...hatOperands],
        stmUser(mode),
        { unpredictable: (f) => f['w'] === 1 || f['n'] === 15 || f['l'] === 0 },
      ),
    ];
  }),

  t32('LDMIA_T2', '11101000 10w1 nnnn llllllllllllllll', 'A8.8.57', ['ldmia{c}{.w}', ...operands], ldm('ia', 2), {
    unpredictable: badThumbLoad,
  }),
  t32('LDMDB_T1', '11101001 00w1 nnnn llllllllllllllll', 'A8.8.60', ['ldmdb{c}', ...operands], ldm('db', 2), {
    unpredictable: badThumbLoad,
  }),
  t32('STMIA_T2', '11101000 10w0 nnnn llllllllllllllll', 'A8.8.199', ['stmia{c}{.w}', ...operands], stm('ia', 2), {
    unpredictable: badThumbStore,
  }),
  t32('STMDB_T1', '11101001 00w0 nnnn llllllllllllllll', 'A8.8.201', ['stmdb{c}', ...operands], stm('db', 2), {
    unpredictable: badThumbStore,
  }),

  t16(
    'LDM_T1',
    '11001 nnn llllllll',
    'A8.8.57',
    ['ldmia{c}', baseRegister('list'), registerList()],
    (b, f) => (f['l'] === 0 ? b.undefined() : loadMultiple(b, f['n']!, f['l']!, 'ia', true)),
    { unpredictable: (f) => f['l'] === 0 },
  ),
  t16(
    'STM_T1',
    '11000 nnn llllllll',
    'A8.8.199',
    ['stmia{c}', baseRegister('always'), registerList()],
    (b, f) => (f['l'] === 0 ? b.undefined() : storeMultiple(b, f['n']!, f['l']!, 'ia', true)),
    { unpredictable: (f) => badStore({ ...f, w: 1 }) },
  ),
  t16(
    'PUSH_T1',
    '1011 010 h llllllll',
    'A8.8.133',
    ['push{c}', registerList({ high: 14 })],
    (b, f) => {
      const list = f['l']! | (f['h']! << 14);
      return list === 0 ? b.undefined() : storeMultiple(b, 13, list, 'db', true);
    },
    { unpredictable: (f) => f['l'] === 0 && f['h'] === 0 },
  ),
  t16(
    'POP_T1',
    '1011 110 h llllllll',
    'A8.8.131',
    ['pop{c}', registerList({ high: 15 })],
    (b, f) => {
      const list = f['l']! | (f['h']! << 15);
      return list === 0 ? b.undefined() : loadMultiple(b, 13, list, 'ia', true);
    },
    { unpredictable: (f) => f['l'] === 0 && f['h'] === 0 },
  ),
];

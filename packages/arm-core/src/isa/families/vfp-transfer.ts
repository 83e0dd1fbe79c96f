import type { Value } from '@tablewalk/engine';
import { layout } from '@tablewalk/engine';
import { systemKernel } from '../../system/kernels.js';
import type { ArmBuilder } from '../arm-builder.js';
import type { Encoding, Fields } from '../encoding.js';
import type { OperandSyntax } from '../operands.js';
import { reg } from '../operands.js';
import {
  double,
  doubleList,
  element,
  flagsOrRegister,
  fpSystemRegister,
  multipleBase,
  offsetAddress,
  pairSingle,
  single,
  singleList,
  vector,
} from '../operands-simd.js';
import { dD, dM, dN, memoryWordsOfD, neon, sD, sM, sN, vfp, wordOfD, wordOfS } from './vfp-record.js';

/** Moves between core, system and extension registers, and VFP loads and stores (ARM DDI 0406C, A7.6, A7.8, A7.9). */

const singleMoves: readonly Encoding[] = [
  ...vfp('VMOV_core_to_single', 'cccc 11100000 nnnn tttt 1010 n - - 1 - - - -', 'A8.8.343', ['vmov{c}', single('n'), reg('t')], (b, f) =>
    b.setState(wordOfS(sN(f)), b.reg(f['t']!)),
  ),
  ...vfp('VMOV_single_to_core', 'cccc 11100001 nnnn tttt 1010 n - - 1 - - - -', 'A8.8.343', ['vmov{c}', reg('t'), single('n')], (b, f) =>
    writeCore(b, f['t']!, b.getState(wordOfS(sN(f)))),
  ),
  ...vfp(
    'VMOV_core_to_singles',
    'cccc 11000100 uuuu tttt 1010 00 m 1 mmmm',
    'A8.8.344',
    ['vmov{c}', pairSingle(0), pairSingle(1), reg('t'), reg('u')],
    (b, f) => {
      if (sM(f) === 31) {
        b.undefined();
        return;
      }
      const low = b.reg(f['t']!);
      const high = b.reg(f['u']!);
      b.setState(wordOfS(sM(f)), low);
      b.setState(wordOfS(sM(f)) + 1, high);
    },
    { unpredictable: (f) => f['t'] === 15 || f['u'] === 15 || sM(f) === 31 },
  ),
  ...vfp(
    'VMOV_singles_to_core',
    'cccc 11000101 uuuu tttt 1010 00 m 1 mmmm',
    'A8.8.344',
    ['vmov{c}', reg('t'), reg('u'), pairSingle(0), pairSingle(1)],
    (b, f) => {
      if (sM(f) === 31) b.undefined();
      else {
        writeCore(b, f['t']!, b.getState(wordOfS(sM(f))));
        writeCore(b, f['u']!, b.getState(wordOfS(sM(f)) + 1));
      }
    },
    { unpredictable: (f) => f['t'] === 15 || f['u'] === 15 || f['t'] === f['u'] || sM(f) === 31 },
  ),
  ...vfp(
    'VMOV_core_to_double',
    'cccc 11000100 uuuu tttt 1011 00 m 1 mmmm',
    'A8.8.345',
    ['vmov{c}', double('m'), reg('t'), reg('u')],
    (b, f) => {
      const low = b.reg(f['t']!);
      const high = b.reg(f['u']!);
      b.setState(wordOfD(dM(f)), low);
      b.setState(wordOfD(dM(f)) + 1, high);
    },
    { unpredictable: (f) => f['t'] === 15 || f['u'] === 15 },
  ),
  ...vfp(
    'VMOV_double_to_core',
    'cccc 11000101 uuuu tttt 1011 00 m 1 mmmm',
    'A8.8.345',
    ['vmov{c}', reg('t'), reg('u'), double('m')],
    (b, f) => {
      writeCore(b, f['t']!, b.getState(wordOfD(dM(f))));
      writeCore(b, f['u']!, b.getState(wordOfD(dM(f)) + 1));
    },
    { unpredictable: (f) => f['t'] === 15 || f['u'] === 15 || f['t'] === f['u'] },
  ),
];

/** UNPREDICTABLE destinations: the program counter is left alone. */
function writeCore(b: ArmBuilder, t: number, v: Value): void {
  if (t !== 15) b.setReg(t, v);
}

/** `d0[1]`: field x is made of two places of the word, so the records of each size say where. */
const scalarMoves: readonly Encoding[] = ([8, 16, 32] as const).flatMap((size) => {
  const place = { 8: ['1 x', 'xx'], 16: ['0 x', 'x1'], 32: ['0 x', '00'] }[size] as [string, string];
  const guarded = size === 32 ? vfp : neon;
  const scalar = element('n', 'x', 64 / size);
  const wordOf = (f: Fields): number => wordOfD(dN(f)) + ((f['x']! * size) >> 5);
  const shiftOf = (f: Fields): number => (f['x']! * size) & 31;
  const mask = size === 32 ? -1 : (1 << size) - 1;
  return [
    ...guarded(
      `VMOV_core_to_scalar_${size}`,
      `cccc 11100 ${place[0]} 0 nnnn tttt 1011 n ${place[1]} 1 - - - -`,
      'A8.8.341',
      [`vmov{c}.${size}`, scalar, reg('t')],
      (b, f) => {
        const v = b.reg(f['t']!);
        const word = wordOf(f);
        b.setState(word, size === 32 ? v : insert(b, b.getState(word), v, shiftOf(f), mask));
      },
      { unpredictable: (f) => f['t'] === 15 },
    ),
    ...(size === 32
      ? guarded(
          'VMOV_scalar_to_core_32',
          `cccc 11100 ${place[0]} 1 nnnn tttt 1011 n ${place[1]} 1 - - - -`,
          'A8.8.342',
          ['vmov{c}.32', reg('t'), scalar],
          (b, f) => writeCore(b, f['t']!, b.getState(wordOf(f))),
          { unpredictable: (f) => f['t'] === 15 },
        )
      : guarded(
          `VMOV_scalar_to_core_${size}`,
          `cccc 1110 U ${place[0]} 1 nnnn tttt 1011 n ${place[1]} 1 - - - -`,
          'A8.8.342',
          [`vmov{c}.{U:s,u}${size}`, reg('t'), scalar],
          (b, f) => {
            const moved = shiftOf(f) === 0 ? b.getState(wordOf(f)) : b.shr(b.getState(wordOf(f)), b.const(shiftOf(f)));
            const extended = f['U'] === 1 ? (size === 8 ? b.uxt8(moved) : b.uxt16(moved)) : size === 8 ? b.sxt8(moved) : b.sxt16(moved);
            writeCore(b, f['t']!, extended);
          },
          { unpredictable: (f) => f['t'] === 15 },
        )),
  ];
});

function insert(b: ArmBuilder, old: Value, v: Value, shift: number, mask: number): Value {
  const moved = b.and(v, b.const(mask));
  return b.or(b.and(old, b.const(~(mask << shift))), shift === 0 ? moved : b.shl(moved, b.const(shift)));
}

/** VDUP from a core register. */
const duplicates: readonly Encoding[] = ([8, 16, 32] as const).flatMap((size) =>
  neon(
    `VDUP_core_${size}`,
    `cccc 11101 ${size === 8 ? 1 : 0} q 0 nnnn tttt 1011 n 0 ${size === 16 ? 1 : 0} 1 - - - -`,
    'A8.8.314',
    [`vdup{c}.${size}`, vector('n'), reg('t')],
    (b, f) => {
      const v = b.reg(f['t']!);
      const word = size === 32 ? v : size === 16 ? b.mul(b.uxt16(v), b.const(0x10001)) : b.mul(b.uxt8(v), b.const(0x01010101));
      for (let i = 0; i < (f['q'] === 1 ? 4 : 2); i++) b.setState(wordOfD(dN(f)) + i, word);
    },
    { unless: (f) => f['q'] === 1 && (dN(f) & 1) === 1, unpredictable: (f) => f['t'] === 15 },
  ),
);

const readFpSystem = systemKernel('vmrs', (core, register) => core.readFpSystem(register));
const writeFpSystem = systemKernel('vmsr', (core, register, value) => core.writeFpSystem(register, value));
const FPSCR = 1;

const systemMoves: readonly Encoding[] = [
  ...vfp(
    'VMRS_fpscr',
    'cccc 11101111 0001 tttt 1010 - - - 1 - - - -',
    'A8.8.348',
    ['vmrs{c}', flagsOrRegister('t'), { print: () => 'fpscr', parse: (text) => (text?.toLowerCase() === 'fpscr' ? {} : undefined) }],
    (b, f) => {
      const nzcv = b.getState(layout.FPSCR_NZCV);
      if (f['t'] === 15) {
        b.setState(layout.FLAG_N, nzcv);
        b.setState(layout.FLAG_Z, b.xor(b.and(nzcv, b.const(0x40000000)), b.const(0x40000000)));
        b.setState(layout.FLAG_C, b.and(b.shr(nzcv, b.const(29)), b.const(1)));
        b.setState(layout.FLAG_V, b.shl(nzcv, b.const(3)));
        return;
      }
      const saturated = b.shl(b.ne(b.getState(layout.FPSCR_QC), b.const(0)), b.const(27));
      const status = b.or(b.or(nzcv, saturated), b.getState(layout.FPSCR_EXCEPTIONS));
      b.setReg(f['t']!, b.or(status, b.getState(layout.FPSCR_CONTROL)));
    },
  ),
  ...vfp(
    'VMSR_fpscr',
    'cccc 11101110 0001 tttt 1010 - - - 1 - - - -',
    'A8.8.349',
    ['vmsr{c}', { print: () => 'fpscr', parse: (text) => (text?.toLowerCase() === 'fpscr' ? {} : undefined) }, reg('t')],
    (b, f) => {
      b.call(writeFpSystem, b.const(FPSCR), b.reg(f['t']!));
      // LEN and STRIDE decide what is UNDEFINED from here on.
      b.endAfter();
    },
    { unpredictable: (f) => f['t'] === 15 },
  ),
  // The other registers are there for PL1 whatever FPEXC.EN says: the core decides.
  ...system('VMRS', 'cccc 11101111 rrrr tttt 1010 - - - 1 - - - -', 'B9.3.19', ['vmrs{c}', reg('t'), fpSystemRegister], (b, f) =>
    writeCore(b, f['t']!, b.call(readFpSystem, b.const(f['r']!))),
  ),
  ...system('VMSR', 'cccc 11101110 rrrr tttt 1010 - - - 1 - - - -', 'B9.3.20', ['vmsr{c}', fpSystemRegister, reg('t')], (b, f) => {
    b.call(writeFpSystem, b.const(f['r']!), b.reg(f['t']!));
    b.endAfter();
  }),
];

/** Records whose own semantics decide about access. */
function system(name: string, pattern: string, ref: string, text: Encoding['text'], semantics: Encoding['semantics']): readonly Encoding[] {
  return vfp(name, pattern, ref, text, semantics, { unpredictable: (f) => f['t'] === 15 }).map((encoding) => ({ ...encoding, semantics }));
}

/** State words of `count` registers from the first on, in memory order. */
const listWords = (b: ArmBuilder, isDouble: boolean, first: number, count: number): number[] => {
  const words: number[] = [];
  for (let i = 0; i < count; i++) {
    if (isDouble) words.push(...memoryWordsOfD(b, first + i));
    else words.push(wordOfS(first + i));
  }
  return words;
};

const loadStore = (isDouble: boolean): readonly Encoding[] => {
  const tail = `dddd 101${isDouble ? 1 : 0} iiiiiiii`;
  const suffix = isDouble ? 'f64' : 'f32';
  const register: OperandSyntax = isDouble ? double('d') : single('d');
  const address = (b: ArmBuilder, f: Fields): Value => {
    const base = f['n'] === 15 ? b.pcAligned() : b.getReg(f['n']!);
    return b.add(base, b.const(f['u'] === 1 ? f['i']! * 4 : -f['i']! * 4));
  };
  const words = (b: ArmBuilder, f: Fields): number[] => listWords(b, isDouble, isDouble ? dD(f) : sD(f), 1);
  return [
    ...vfp(`VLDR_${suffix}`, `cccc 1101 u d 01 nnnn ${tail}`, 'A8.8.333', ['vldr{c}', register, offsetAddress], (b, f) =>
      b.readMultiple(address(b, f), words(b, f)),
    ),
    ...vfp(
      `VSTR_${suffix}`,
      `cccc 1101 u d 00 nnnn ${tail}`,
      'A8.8.413',
      ['vstr{c}', register, offsetAddress],
      (b, f) => b.writeMultiple(address(b, f), words(b, f)),
      {
        unpredictable: (f) => f['n'] === 15,
      },
    ),
  ];
};

/** VLDM, VSTM and their PUSH and POP names. `form`: D registers, S registers, or D registers with an odd word count (FLDMX, FSTMX). */
const multiple = (form: 'f64' | 'f32' | 'x'): readonly Encoding[] => {
  const isDouble = form !== 'f32';
  const count = form === 'f64' ? 'iiiiiii0' : form === 'x' ? 'iiiiiii1' : 'iiiiiiii';
  const tail = `nnnn dddd 101${isDouble ? 1 : 0} ${count}`;
  const list = isDouble ? doubleList : singleList;
  const firstOf = (f: Fields): number => (isDouble ? dD(f) : sD(f));
  const byteLength = (f: Fields): number => (form === 'f32' ? f['i']! * 4 : f['i']! * 8 + (form === 'x' ? 4 : 0));
  const bad = (f: Fields): boolean => f['i'] === 0 || firstOf(f) + f['i']! > 32 || (isDouble && f['i']! > 16);
  const work =
    (load: boolean, down: boolean) =>
    (b: ArmBuilder, f: Fields): void => {
      const writeBack = down || (f['w'] ?? 1) === 1;
      const n = f['n'] ?? 13;
      // UNPREDICTABLE lists and bases are UNDEFINED, as in QEMU.
      if (bad(f) || (n === 15 && (writeBack || b.thumb))) {
        b.undefined();
        return;
      }
      const base = n === 15 ? b.pcAligned() : b.getReg(n);
      const start = down ? b.add(base, b.const(-byteLength(f))) : base;
      const words = listWords(b, isDouble, firstOf(f), f['i']!);
      if (load) b.readMultiple(start, words);
      else b.writeMultiple(start, words);
      if (writeBack) b.setReg(n, down ? start : b.add(base, b.const(byteLength(f))));
    };
  const up = (f: Fields): boolean => bad(f) || (f['n'] === 15 && f['w'] === 1);
  const down = (f: Fields): boolean => bad(f) || f['n'] === 15;
  const downBase: OperandSyntax = {
    print: (f, context) => `${reg('n').print(f, context)!}!`,
    parse: (text, context) => (text?.endsWith('!') ? reg('n').parse(text.slice(0, -1).trim(), context) : undefined),
  };
  const [load, store] = form === 'x' ? ['fldm', 'fstm'] : ['vldm', 'vstm'];
  const [ia, db] = form === 'x' ? ['iax', 'dbx'] : ['ia', 'db'];
  const records = [
    ...vfp(`VLDM_ia_${form}`, `cccc 1100 1 d w 1 ${tail}`, 'A8.8.332', [`${load}${ia}{c}`, multipleBase, list], work(true, false), {
      unpredictable: up,
    }),
    ...vfp(`VLDM_db_${form}`, `cccc 1101 0 d 1 1 ${tail}`, 'A8.8.332', [`${load}${db}{c}`, downBase, list], work(true, true), {
      unpredictable: down,
    }),
    ...vfp(`VSTM_ia_${form}`, `cccc 1100 1 d w 0 ${tail}`, 'A8.8.412', [`${store}${ia}{c}`, multipleBase, list], work(false, false), {
      unpredictable: up,
    }),
    ...vfp(`VSTM_db_${form}`, `cccc 1101 0 d 1 0 ${tail}`, 'A8.8.412', [`${store}${db}{c}`, downBase, list], work(false, true), {
      unpredictable: down,
    }),
  ];
  if (form === 'x') return records;
  const stackTail = `1101 dddd 101${isDouble ? 1 : 0} ${count}`;
  return [
    ...records,
    ...vfp(`VPOP_${form}`, `cccc 1100 1 d 1 1 ${stackTail}`, 'A8.8.367', ['vpop{c}', list], work(true, false), { unpredictable: bad }),
    ...vfp(`VPUSH_${form}`, `cccc 1101 0 d 1 0 ${stackTail}`, 'A8.8.368', ['vpush{c}', list], work(false, true), { unpredictable: bad }),
  ];
};

export const vfpTransfers: readonly Encoding[] = [
  ...singleMoves,
  ...scalarMoves,
  ...duplicates,
  ...systemMoves,
  ...loadStore(true),
  ...loadStore(false),
  ...multiple('f64'),
  ...multiple('f32'),
  ...multiple('x'),
];

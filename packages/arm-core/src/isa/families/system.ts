import type { Value } from '@tablewalk/engine';
import { layout } from '@tablewalk/engine';
import { CPSR_A, CPSR_E, CPSR_F, CPSR_I, MODE_ABT, MODE_FIQ, MODE_IRQ, MODE_SVC, MODE_SYS, MODE_UND } from '../../system/core-system.js';
import type { SystemKernel } from '../../system/kernels.js';
import {
  dmb,
  dsb,
  isb,
  readBanked,
  readCpsr,
  readSpsr,
  returnTo,
  srsBase,
  srsWriteBack,
  writeBanked,
  writeCpsr,
  writeSpsr,
} from '../../system/kernels-system.js';
import type { ArmBuilder } from '../arm-builder.js';
import type { Encoding, Fields } from '../encoding.js';
import { spOrPc } from '../integer.js';
import { imm, reg } from '../operands.js';
import { baseRegister } from '../operands-memory.js';
import {
  bankedOperand,
  bankedRegister,
  barrierOption,
  endianness,
  interruptMask,
  rotatedImmediate,
  statusImmediate,
  statusMask,
  statusRegister,
} from '../operands-system.js';
import { a32, t16, t32 } from './record.js';

/* MRS and MSR */

const FLAGS = 0xf8000000;
const GE = 0x000f0000;
/** CPSR.M. */
const MODE = 0x1f;

/** CPSR.N Z C V := bits 31:28 of `v`. */
export const setConditionFlags = (b: ArmBuilder, v: Value): void => {
  b.setState(layout.FLAG_N, v);
  b.setState(layout.FLAG_Z, b.and(b.not(v), b.const(1 << 30)));
  b.setState(layout.FLAG_C, b.and(b.shr(v, b.const(29)), b.const(1)));
  b.setState(layout.FLAG_V, b.shl(v, b.const(3)));
};

/** The same for a known value. */
const setKnownFlags = (b: ArmBuilder, v: number): void => {
  b.setState(layout.FLAG_N, b.const(v));
  b.setState(layout.FLAG_Z, b.const(~v & (1 << 30)));
  b.setState(layout.FLAG_C, b.const((v >>> 29) & 1));
  b.setState(layout.FLAG_V, b.const(v << 3));
};

/** Bits of CPSR that MSR with mask field k writes here: E by anyone, A, I, F and M by privileged code only, T, J and IT never (B1.3.3). */
const cpsrMask = (k: number, privileged: boolean): number =>
  ((k & 8 ? FLAGS : 0) |
    (k & 4 ? GE : 0) |
    (k & 2 ? CPSR_E | (privileged ? CPSR_A : 0) : 0) |
    (k & 1 && privileged ? CPSR_I | CPSR_F | MODE : 0)) >>>
  0;
/** Bits of an SPSR: bits 23:20 are not there. */
const spsrMask = (k: number): number => ((k & 8 ? 0xff000000 : 0) | (k & 4 ? GE : 0) | (k & 2 ? 0xff00 : 0) | (k & 1 ? 0xff : 0)) >>> 0;

/** MSR: `known` is the value if it is an immediate. Flags alone are plain state; everything else may change how the next instruction decodes. */
const msr = (b: ArmBuilder, f: Fields, known: number | undefined): void => {
  const value = (): Value => (known === undefined ? b.reg(f['n']!) : b.const(known));
  const k = f['k']!;
  if (f['r'] === 1) {
    if (!b.privileged) b.undefined();
    else if (k !== 0) b.call(writeSpsr, value(), b.const(spsrMask(k)));
    return;
  }
  const mask = cpsrMask(k, b.privileged);
  if (mask & ~(FLAGS | GE)) {
    b.call(writeCpsr, value(), b.const(mask));
    b.endAfter();
    return;
  }
  if (mask === 0) return;
  const v = value();
  if (mask & FLAGS) {
    if (known === undefined) setConditionFlags(b, v);
    else setKnownFlags(b, known);
    b.setState(layout.FLAG_Q, known === undefined ? b.and(b.shr(v, b.const(27)), b.const(1)) : b.const((known >>> 27) & 1));
  }
  if (mask & GE) b.setState(layout.FLAG_GE, known === undefined ? b.and(b.shr(v, b.const(16)), b.const(15)) : b.const((known >>> 16) & 15));
};

const msrRegister: Encoding['semantics'] = (b, f) => msr(b, f, undefined);
const msrImmediate: Encoding['semantics'] = (b, f) => msr(b, f, rotatedImmediate(f['i']!));

const mrs: Encoding['semantics'] = (b, f) => {
  if (f['r'] === 1 && !b.privileged) return b.undefined();
  const value = b.call(f['r'] === 1 ? readSpsr : readCpsr);
  if (f['d'] === 15) b.branchTo(value);
  else b.setReg(f['d']!, value);
};

/** The forms that name another mode's registers came with the Virtualization Extensions: UNDEFINED when ID_PFR1 has none. */
const bankedForms = (b: ArmBuilder): boolean => b.privileged && ((b.profile.id['ID_PFR1'] ?? 0) & 0xf000) !== 0;

const mrsBanked: Encoding['semantics'] = (b, f) => {
  const register = bankedRegister(f);
  if (!bankedForms(b) || register === undefined || f['d'] === 15) return b.undefined();
  b.setReg(f['d']!, b.call(readBanked, b.const(register.mode), b.const(register.n)));
};
const msrBanked: Encoding['semantics'] = (b, f) => {
  const register = bankedRegister(f);
  if (!bankedForms(b) || register === undefined || f['n'] === 15) return b.undefined();
  b.call(writeBanked, b.const(register.mode), b.const(register.n), b.reg(f['n']!));
};

/* CPS and SETEND */

/** CPS: field i is imod<0> where imod<1> is set (`masks`), f the bits A I F, m the mode. No effect in User mode. */
const cps =
  (masks: boolean): Encoding['semantics'] =>
  (b, f) => {
    if (!b.privileged) return;
    const bits = masks ? f['f']! << 6 : 0;
    const mode = f['m'];
    const mask = bits | (mode === undefined ? 0 : MODE);
    if (mask === 0) return;
    b.call(writeCpsr, b.const((f['i'] === 1 ? bits : 0) | (mode ?? 0)), b.const(mask));
    b.endAfter();
  };

const setend: Encoding['semantics'] = (b, f) => {
  if ((f['e'] === 1) === b.bigEndian) return;
  b.call(writeCpsr, b.const(f['e'] === 1 ? CPSR_E : 0), b.const(CPSR_E));
  b.endAfter();
};

const cpsOperand = imm('m');

/* Exception entry and return */

/** Offset of the lower word from the base: DA, IA, DB, IB by P and U. */
const lowerWord: Readonly<Record<string, number>> = { da: -4, ia: 0, db: -8, ib: 4 };

const rfe =
  (mode: string): Encoding['semantics'] =>
  (b, f) => {
    const n = f['n']!;
    if (!b.privileged || n === 15) return b.undefined();
    const base = b.getReg(n);
    const offset = lowerWord[mode]!;
    b.readMultiple(offset === 0 ? base : b.add(base, b.const(offset)), [layout.TEMP0, layout.TEMP0 + 1]);
    if (f['w'] === 1) b.setReg(n, b.add(b.getReg(n), b.const(mode[0] === 'i' ? 8 : -8)));
    b.call(returnTo, b.getState(layout.TEMP0), b.getState(layout.TEMP0 + 1));
    b.resync();
  };

/** Modes that SRS may name on a core without Monitor and Hyp modes; the others are UNPREDICTABLE, UNDEFINED here. */
const srsModes: ReadonlySet<number> = new Set([MODE_FIQ, MODE_IRQ, MODE_SVC, MODE_ABT, MODE_UND, MODE_SYS]);

const srs =
  (direction: string): Encoding['semantics'] =>
  (b, f) => {
    const mode = f['m']!;
    if (!b.privileged || !srsModes.has(mode)) return b.undefined();
    const base = b.call(srsBase, b.const(mode));
    const spsr = b.call(readSpsr);
    b.writeMultiple(b.add(base, b.const(lowerWord[direction]!)), [14, ~spsr]);
    if (f['w'] === 1) b.call(srsWriteBack, b.const(mode), b.add(base, b.const(direction[0] === 'i' ? 8 : -8)));
  };

const exceptionDirections = [
  ['da', '00'],
  ['ia', '01'],
  ['db', '10'],
  ['ib', '11'],
] as const;
const srsBaseOperand = baseRegister('field', 13);
const badRfe = { unpredictable: (f: Fields): boolean => f['n'] === 15 };
const badSrs = { unpredictable: (f: Fields): boolean => !srsModes.has(f['m']!) };

/* Barriers */

const barrier =
  (kernel: SystemKernel): Encoding['semantics'] =>
  (b, f) => {
    b.call(kernel, b.const(f['o']!));
  };
/** ISB also ends the block, so that what follows is looked up anew. */
const instructionBarrier: Encoding['semantics'] = (b, f) => {
  b.call(isb, b.const(f['o']!));
  b.endAfter();
};

const badPc = (letter: string) => ({ unpredictable: (f: Fields): boolean => f[letter] === 15 });
const badStackOrPc = (letter: string) => ({ unpredictable: (f: Fields): boolean => spOrPc(f[letter]!) });
/** MSR (immediate) without a mask is the hint space. */
const isHint = (f: Fields): boolean => f['r'] === 0 && f['k'] === 0;

/** Status registers, processor state, exception return, barriers. Should-be bits of MRS and MSR are required, as in QEMU. */
export const system: readonly Encoding[] = [
  a32('MRS_A1', 'cccc 0001 0r00 1111 dddd 0000 0000 0000', 'B9.3.8', ['mrs{c}', reg('d'), statusRegister], mrs, badPc('d')),
  a32('MRS_banked_A1', 'cccc 0001 0r00 mmmm dddd 001h 0000 0000', 'B9.3.9', ['mrs{c}', reg('d'), bankedOperand], mrsBanked, {
    unpredictable: (f) => f['d'] === 15 || bankedRegister(f) === undefined,
  }),
  a32('MSR_reg_A1', 'cccc 0001 0r10 kkkk 1111 0000 0000 nnnn', 'B9.3.12', ['msr{c}', statusMask, reg('n')], msrRegister, {
    unpredictable: (f) => f['n'] === 15 || f['k'] === 0,
  }),
  a32('MSR_banked_A1', 'cccc 0001 0r10 mmmm 1111 001h 0000 nnnn', 'B9.3.10', ['msr{c}', bankedOperand, reg('n')], msrBanked, {
    unpredictable: (f) => f['n'] === 15 || bankedRegister(f) === undefined,
  }),
  a32('MSR_imm_A1', 'cccc 0011 0r10 kkkk 1111 iiiiiiiiiiii', 'B9.3.11', ['msr{c}', statusMask, statusImmediate], msrImmediate, {
    unless: isHint,
    unpredictable: (f) => f['k'] === 0,
  }),
  a32('CPS_mask_A1', '1111 0001 0000 1i0 00000000 fff 0 -----', 'B9.3.2', ['cps{i:ie,id}', interruptMask], cps(true), {
    unpredictable: (f) => f['f'] === 0,
  }),
  a32('CPS_mask_mode_A1', '1111 0001 0000 1i1 00000000 fff 0 mmmmm', 'B9.3.2', ['cps{i:ie,id}', interruptMask, cpsOperand], cps(true), {
    unpredictable: (f) => f['f'] === 0,
  }),
  a32('CPS_mode_A1', '1111 0001 0000 0-1 00000000 --- 0 mmmmm', 'B9.3.2', ['cps', cpsOperand], cps(false)),
  a32('CPS_none_A1', '1111 0001 0000 0-0 00000000 --- 0 -----', 'B9.3.2', ['cps'], cps(false), { unpredictable: () => true }),
  a32('SETEND_A1', '1111 0001 0000 0001 000000 e 0 0000 0000', 'A8.8.166', ['setend', endianness], setend),
  ...exceptionDirections.flatMap(([mode, pu]) => [
    a32(
      `RFE${mode.toUpperCase()}_A1`,
      `1111 100${pu}0w1 nnnn 0000 1010 0000 0000`,
      'B9.3.13',
      [`rfe${mode}`, baseRegister()],
      rfe(mode),
      badRfe,
    ),
    a32(
      `SRS${mode.toUpperCase()}_A1`,
      `1111 100${pu}1w0 1101 0000 0101 000 mmmmm`,
      'B9.3.16',
      [`srs${mode}`, srsBaseOperand, imm('m')],
      srs(mode),
      badSrs,
    ),
  ]),
  a32('DSB_A1', '1111 0101 0111 1111 1111 0000 0100 oooo', 'A8.8.44', ['dsb', barrierOption()], barrier(dsb)),
  a32('DMB_A1', '1111 0101 0111 1111 1111 0000 0101 oooo', 'A8.8.43', ['dmb', barrierOption()], barrier(dmb)),
  a32('ISB_A1', '1111 0101 0111 1111 1111 0000 0110 oooo', 'A8.8.53', ['isb', barrierOption(true)], instructionBarrier),

  t32('MRS_T1', '1111 0011 111r 1111 1000 dddd 0000 0000', 'B9.3.8', ['mrs{c}', reg('d'), statusRegister], mrs, badStackOrPc('d')),
  t32('MRS_banked_T1', '1111 0011 111r mmmm 1000 dddd 001h 0000', 'B9.3.9', ['mrs{c}', reg('d'), bankedOperand], mrsBanked, {
    unpredictable: (f) => spOrPc(f['d']!) || bankedRegister(f) === undefined,
  }),
  t32('MSR_reg_T1', '1111 0011 100r nnnn 1000 kkkk 0000 0000', 'B9.3.12', ['msr{c}', statusMask, reg('n')], msrRegister, {
    unpredictable: (f) => spOrPc(f['n']!) || f['k'] === 0,
  }),
  t32('MSR_banked_T1', '1111 0011 100r nnnn 1000 mmmm 001h 0000', 'B9.3.10', ['msr{c}', bankedOperand, reg('n')], msrBanked, {
    unpredictable: (f) => spOrPc(f['n']!) || bankedRegister(f) === undefined,
  }),
  t32('CPS_mask_T2', '1111 0011 1010 1111 10000 1i0 fff -----', 'B9.3.2', ['cps{i:ie,id}{.w}', interruptMask], cps(true), {
    unpredictable: (f) => f['f'] === 0,
  }),
  t32('CPS_mask_mode_T2', '1111 0011 1010 1111 10000 1i1 fff mmmmm', 'B9.3.2', ['cps{i:ie,id}', interruptMask, cpsOperand], cps(true), {
    unpredictable: (f) => f['f'] === 0,
  }),
  t32('CPS_mode_T2', '1111 0011 1010 1111 10000 0-1 --- mmmmm', 'B9.3.2', ['cps', cpsOperand], cps(false)),
  t32('RFEDB_T1', '1110 1000 00w1 nnnn 1100 0000 0000 0000', 'B9.3.13', ['rfedb{c}', baseRegister()], rfe('db'), badRfe),
  t32('RFEIA_T2', '1110 1001 10w1 nnnn 1100 0000 0000 0000', 'B9.3.13', ['rfeia{c}', baseRegister()], rfe('ia'), badRfe),
  t32('SRSDB_T1', '1110 1000 00w0 1101 1100 0000 000 mmmmm', 'B9.3.15', ['srsdb{c}', srsBaseOperand, imm('m')], srs('db'), badSrs),
  t32('SRSIA_T2', '1110 1001 10w0 1101 1100 0000 000 mmmmm', 'B9.3.15', ['srsia{c}', srsBaseOperand, imm('m')], srs('ia'), badSrs),
  t32('DSB_T1', '1111 0011 1011 1111 1000 1111 0100 oooo', 'A8.8.44', ['dsb{c}', barrierOption()], barrier(dsb)),
  t32('DMB_T1', '1111 0011 1011 1111 1000 1111 0101 oooo', 'A8.8.43', ['dmb{c}', barrierOption()], barrier(dmb)),
  t32('ISB_T1', '1111 0011 1011 1111 1000 1111 0110 oooo', 'A8.8.53', ['isb{c}', barrierOption(true)], instructionBarrier),

  t16('CPS_T1', '1011 0110 011 i 0 fff', 'B9.3.2', ['cps{i:ie,id}', interruptMask], cps(true), { unpredictable: (f) => f['f'] === 0 }),
  t16('SETEND_T1', '1011 0110 0101 e 000', 'A8.8.166', ['setend', endianness], setend),
];

import type { Value } from '@tablewalk/engine';
import type { ArmBuilder } from '../arm-builder.js';
import type { Encoding } from '../encoding.js';
import { isPc, spOrPc } from '../integer.js';
import type { OperandSyntax } from '../operands.js';
import { parseImmediate, reg, registerName, registerNumber } from '../operands.js';
import type { BranchForm } from '../operands-integer.js';
import {
  a32ExchangeDistance,
  branchTarget,
  cbzDistance,
  signedDistance,
  t32ConditionalDistance,
  t32ExchangeDistance,
  t32LongDistance,
} from '../operands-integer.js';

/** Branches (ARM DDI 0406C, A5.5, A6.2.6, A6.3.4). A conditional B writes a plain GOTO: the decoder makes it conditional. */

const a32Distance = signedDistance('i', 24, 2);
const t16ConditionalDistance = signedDistance('i', 8, 1);
const t16Distance = signedDistance('i', 11, 1);

/** Offset of the target from the page. */
const targetOffset = (b: ArmBuilder, distance: number): number => b.offset + (b.thumb ? 4 : 8) + distance;

const branch =
  (form: BranchForm): Encoding['semantics'] =>
  (b, f) =>
    b.goto(targetOffset(b, form.distance(f)));

/** LR := the next instruction, bit 0 saying T32. */
const link = (b: ArmBuilder): void => b.setReg(14, b.here(b.size + (b.thumb ? 1 : 0)));

const branchAndLink =
  (form: BranchForm): Encoding['semantics'] =>
  (b, f) => {
    link(b);
    b.goto(targetOffset(b, form.distance(f)));
  };

/** BLX to the other instruction set. */
const linkAndExchange =
  (form: BranchForm): Encoding['semantics'] =>
  (b, f) => {
    const target = b.thumb ? (targetOffset(b, 0) & ~3) + form.distance(f) : targetOffset(b, form.distance(f)) + 1;
    link(b);
    b.jumpExchange(b.pagePc(target));
  };

const exchange: Encoding['semantics'] = (b, f) => b.jumpExchange(b.reg(f['m']!));

const linkAndExchangeRegister: Encoding['semantics'] = (b, f) => {
  const target = b.reg(f['m']!);
  link(b);
  b.jumpExchange(target);
};

/** TBB and TBH: a table of halved distances at R[n]. */
const tableBranch: Encoding['semantics'] = (b, f) => {
  const index = b.reg(f['m']!);
  const distance: Value =
    f['h'] === 1 ? b.read(b.add(b.reg(f['n']!), b.shl(index, b.const(1))), 2) : b.read(b.add(b.reg(f['n']!), index), 1);
  b.branchTo(b.add(b.reg(15), b.shl(distance, b.const(1))));
};

/** `[rn, rm]` of TBB, `[rn, rm, lsl #1]` of TBH. */
const table: OperandSyntax = {
  print: (f) => `[${registerName(f['n']!)}, ${registerName(f['m']!)}${f['h'] === 1 ? ', lsl #1' : ''}]`,
  parse: (text) => {
    const match = text === undefined ? null : /^\[\s*(\w+)\s*,\s*(\w+)\s*(,\s*lsl\s*#?\s*(\w+)\s*)?\]$/i.exec(text);
    const n = match === null ? undefined : registerNumber(match[1]!);
    const m = match === null ? undefined : registerNumber(match[2]!);
    if (match === null || n === undefined || m === undefined) return undefined;
    if (match[3] !== undefined && parseImmediate(match[4]) !== 1) return undefined;
    return { n, m, h: match[3] === undefined ? 0 : 1 };
  },
};

export const branches: readonly Encoding[] = [
  {
    name: 'B_A1',
    isa: 'A32',
    pattern: 'cccc 1010 iiiiiiiiiiiiiiiiiiiiiiii',
    ref: 'A8.8.18',
    text: ['b{c}', branchTarget(a32Distance)],
    semantics: branch(a32Distance),
  },
  {
    name: 'BL_A1',
    isa: 'A32',
    pattern: 'cccc 1011 iiiiiiiiiiiiiiiiiiiiiiii',
    ref: 'A8.8.25',
    text: ['bl{c}', branchTarget(a32Distance)],
    semantics: branchAndLink(a32Distance),
  },
  {
    name: 'BLX_imm_A2',
    isa: 'A32',
    pattern: '1111 101 H iiiiiiiiiiiiiiiiiiiiiiii',
    ref: 'A8.8.25',
    text: ['blx', branchTarget(a32ExchangeDistance)],
    semantics: linkAndExchange(a32ExchangeDistance),
  },
  {
    name: 'BLX_reg_A1',
    isa: 'A32',
    pattern: 'cccc 00010010 ++++ ++++ ++++ 0011 mmmm',
    ref: 'A8.8.26',
    text: ['blx{c}', reg('m')],
    unpredictable: (f) => isPc(f['m']!),
    semantics: linkAndExchangeRegister,
  },
  {
    name: 'BX_A1',
    isa: 'A32',
    pattern: 'cccc 00010010 ++++ ++++ ++++ 0001 mmmm',
    ref: 'A8.8.27',
    text: ['bx{c}', reg('m')],
    semantics: exchange,
  },
  {
    // Without Jazelle BXJ is BX (A8.8.28).
    name: 'BXJ_A1',
    isa: 'A32',
    pattern: 'cccc 00010010 ++++ ++++ ++++ 0010 mmmm',
    ref: 'A8.8.28',
    text: ['bxj{c}', reg('m')],
    unpredictable: (f) => isPc(f['m']!),
    semantics: exchange,
  },
  {
    name: 'B_T1',
    isa: 'T16',
    pattern: '1101 cccc iiiiiiii',
    ref: 'A8.8.18',
    text: ['b{c}', branchTarget(t16ConditionalDistance)],
    unless: (f) => f['c']! >= 14,
    semantics: branch(t16ConditionalDistance),
  },
  {
    name: 'B_T2',
    isa: 'T16',
    pattern: '11100 iiiiiiiiiii',
    ref: 'A8.8.18',
    text: ['b{c}', branchTarget(t16Distance)],
    semantics: branch(t16Distance),
  },
  {
    name: 'B_T3',
    isa: 'T32',
    pattern: '11110 S cccc iiiiii 10 J 0 K iiiiiiiiiii',
    ref: 'A8.8.18',
    text: ['b{c}{.w}', branchTarget(t32ConditionalDistance)],
    unless: (f) => f['c']! >= 14,
    semantics: branch(t32ConditionalDistance),
  },
  {
    name: 'B_T4',
    isa: 'T32',
    pattern: '11110 S iiiiiiiiii 10 J 1 K iiiiiiiiiii',
    ref: 'A8.8.18',
    text: ['b{c}{.w}', branchTarget(t32LongDistance)],
    semantics: branch(t32LongDistance),
  },
  {
    name: 'BL_T1',
    isa: 'T32',
    pattern: '11110 S iiiiiiiiii 11 J 1 K iiiiiiiiiii',
    ref: 'A8.8.25',
    text: ['bl{c}', branchTarget(t32LongDistance)],
    semantics: branchAndLink(t32LongDistance),
  },
  {
    name: 'BLX_imm_T2',
    isa: 'T32',
    pattern: '11110 S iiiiiiiiii 11 J 0 K iiiiiiiiiii',
    ref: 'A8.8.25',
    text: ['blx{c}', branchTarget(t32ExchangeDistance)],
    unless: (f) => (f['i']! & 1) === 1,
    semantics: linkAndExchange(t32ExchangeDistance),
  },
  {
    name: 'BX_T1',
    isa: 'T16',
    pattern: '01000111 0 mmmm ---',
    ref: 'A8.8.27',
    text: ['bx{c}', reg('m')],
    semantics: exchange,
  },
  {
    name: 'BLX_reg_T1',
    isa: 'T16',
    pattern: '01000111 1 mmmm ---',
    ref: 'A8.8.26',
    text: ['blx{c}', reg('m')],
    unpredictable: (f) => isPc(f['m']!),
    semantics: linkAndExchangeRegister,
  },
  {
    name: 'BXJ_T1',
    isa: 'T32',
    pattern: '1111 0011 1100 mmmm 10-0 ++++ --------',
    ref: 'A8.8.28',
    text: ['bxj{c}', reg('m')],
    unpredictable: (f) => spOrPc(f['m']!),
    semantics: exchange,
  },
  {
    name: 'CBZ_T1',
    isa: 'T16',
    pattern: '1011 z0 i1 iiiii nnn',
    ref: 'A8.8.29',
    text: ['cb{z:z,nz}', reg('n'), branchTarget(cbzDistance)],
    semantics: (b, f) => {
      // UNPREDICTABLE in an IT block; a conditional exit cannot be conditional once more.
      if (b.cond < 14) return b.undefined();
      const value = b.reg(f['n']!);
      const taken = f['z'] === 0 ? b.eqz(value) : b.ne(value, b.const(0));
      b.branchIf(taken, targetOffset(b, cbzDistance.distance(f)), b.offset + b.size);
    },
  },
  {
    name: 'TBB_T1',
    isa: 'T32',
    pattern: '1110 1000 1101 nnnn ++++ ---- 000 h mmmm',
    ref: 'A8.8.236',
    text: ['tb{h:b,h}{c}', table],
    unpredictable: (f) => f['n'] === 13 || spOrPc(f['m']!),
    semantics: tableBranch,
  },
];

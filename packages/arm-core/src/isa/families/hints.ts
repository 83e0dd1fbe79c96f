import { sendEvent, waitForEvent, waitForInterrupt } from '../../system/kernels-system.js';
import type { Encoding } from '../encoding.js';
import { imm } from '../operands.js';
import { hintNumber, itCondition } from '../operands-integer.js';

/** Hints and IT (ARM DDI 0406C, A5.2.11, A6.2.5, A6.3.4). A hint that is not allocated is a NOP. */

const nothing: Encoding['semantics'] = () => {};
const wfe: Encoding['semantics'] = (b) => {
  b.call(waitForEvent);
  b.endAfter();
};
const wfi: Encoding['semantics'] = (b) => {
  b.call(waitForInterrupt);
  b.endAfter();
};
const sev: Encoding['semantics'] = (b) => {
  b.call(sendEvent);
};

const rows: readonly {
  readonly mnemonic: string;
  readonly number: number;
  readonly ref: string;
  readonly semantics: Encoding['semantics'];
}[] = [
  { mnemonic: 'nop', number: 0, ref: 'A8.8.119', semantics: nothing },
  { mnemonic: 'yield', number: 1, ref: 'A8.8.426', semantics: nothing },
  { mnemonic: 'wfe', number: 2, ref: 'A8.8.424', semantics: wfe },
  { mnemonic: 'wfi', number: 3, ref: 'A8.8.425', semantics: wfi },
  { mnemonic: 'sev', number: 4, ref: 'A8.8.168', semantics: sev },
];

const binary = (value: number, digits: number): string => value.toString(2).padStart(digits, '0');

export const hints: readonly Encoding[] = [
  ...rows.flatMap(({ mnemonic, number, ref, semantics }): Encoding[] => [
    {
      name: `${mnemonic.toUpperCase()}_A1`,
      isa: 'A32',
      pattern: `cccc 00110010 0000 ++++ ---- ${binary(number, 8)}`,
      ref,
      text: [`${mnemonic}{c}`],
      semantics,
    },
    {
      name: `${mnemonic.toUpperCase()}_T1`,
      isa: 'T16',
      pattern: `10111111 ${binary(number, 4)} 0000`,
      ref,
      text: [`${mnemonic}{c}`],
      semantics,
    },
    {
      name: `${mnemonic.toUpperCase()}_T2`,
      isa: 'T32',
      pattern: `1111 0011 1010 ++++ 10-0 -000 ${binary(number, 8)}`,
      ref,
      text: [`${mnemonic}{c}{.w}`],
      semantics,
    },
  ]),
  {
    name: 'HINT_A1',
    isa: 'A32',
    pattern: 'cccc 00110010 0000 ++++ ---- hhhhhhhh',
    ref: 'A5.2.11',
    text: ['nop{c}', hintNumber],
    semantics: nothing,
  },
  {
    name: 'HINT_T1',
    isa: 'T16',
    pattern: '10111111 hhhh 0000',
    ref: 'A6.2.5',
    text: ['nop{c}', hintNumber],
    semantics: nothing,
  },
  {
    name: 'HINT_T2',
    isa: 'T32',
    pattern: '1111 0011 1010 ++++ 10-0 -000 hhhhhhhh',
    ref: 'A6.3.4',
    text: ['nop{c}{.w}', hintNumber],
    semantics: nothing,
  },
  {
    name: 'DBG_A1',
    isa: 'A32',
    pattern: 'cccc 00110010 0000 ++++ ---- 1111 iiii',
    ref: 'A8.8.42',
    text: ['dbg{c}', imm('i')],
    semantics: nothing,
  },
  {
    name: 'DBG_T1',
    isa: 'T32',
    pattern: '1111 0011 1010 ++++ 10-0 -000 1111 iiii',
    ref: 'A8.8.42',
    text: ['dbg{c}', imm('i')],
    semantics: nothing,
  },
  {
    // ITSTATE is the low byte; the decoder keeps it.
    name: 'IT_T1',
    isa: 'T16',
    pattern: '10111111 qqqq mmmm',
    ref: 'A8.8.54',
    text: ['it{it}', itCondition],
    unless: (f) => f['m'] === 0,
    unpredictable: (f) => f['q'] === 15 || (f['q'] === 14 && (f['m']! & (f['m']! - 1)) !== 0),
    semantics: nothing,
  },
];

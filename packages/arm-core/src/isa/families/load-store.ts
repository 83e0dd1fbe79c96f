import type { Encoding, Fields } from '../encoding.js';
import { spOrPc } from '../integer.js';
import { reg } from '../operands.js';
import {
  base,
  literal,
  offsetImmediate,
  offsetRegister,
  optionalPostImmediate,
  postImmediate,
  postRegister,
  postShift,
  singleRegister,
} from '../operands-memory.js';
import type { Access } from './load-store-semantics.js';
import {
  BYTE,
  constantOffset,
  HALF,
  immediateOffset,
  load,
  registerOffset,
  SIGNED_BYTE,
  SIGNED_HALF,
  store,
  unprivileged,
  WORD,
} from './load-store-semantics.js';
import { a32, t16, t32 } from './record.js';

/* Sections of ARM DDI 0406C by instruction: immediate (A32, T32), literal, register, unprivileged. */
interface Names {
  readonly name: string;
  readonly access: Access;
  readonly isLoad: boolean;
  readonly refs: { readonly t: string; readonly a?: string; readonly lit?: string; readonly reg: string; readonly unpriv: string };
}
const LDR: Names = {
  name: 'ldr',
  access: WORD,
  isLoad: true,
  refs: { t: 'A8.8.62', a: 'A8.8.63', lit: 'A8.8.64', reg: 'A8.8.66', unpriv: 'A8.8.92' },
};
const LDRB: Names = {
  name: 'ldrb',
  access: BYTE,
  isLoad: true,
  refs: { t: 'A8.8.67', a: 'A8.8.68', lit: 'A8.8.69', reg: 'A8.8.70', unpriv: 'A8.8.71' },
};
const LDRH: Names = { name: 'ldrh', access: HALF, isLoad: true, refs: { t: 'A8.8.79', lit: 'A8.8.81', reg: 'A8.8.82', unpriv: 'A8.8.83' } };
const LDRSB: Names = {
  name: 'ldrsb',
  access: SIGNED_BYTE,
  isLoad: true,
  refs: { t: 'A8.8.84', lit: 'A8.8.85', reg: 'A8.8.86', unpriv: 'A8.8.87' },
};
const LDRSH: Names = {
  name: 'ldrsh',
  access: SIGNED_HALF,
  isLoad: true,
  refs: { t: 'A8.8.88', lit: 'A8.8.89', reg: 'A8.8.90', unpriv: 'A8.8.91' },
};
const STR: Names = {
  name: 'str',
  access: WORD,
  isLoad: false,
  refs: { t: 'A8.8.203', a: 'A8.8.204', reg: 'A8.8.205', unpriv: 'A8.8.219' },
};
const STRB: Names = {
  name: 'strb',
  access: BYTE,
  isLoad: false,
  refs: { t: 'A8.8.206', a: 'A8.8.207', reg: 'A8.8.208', unpriv: 'A8.8.209' },
};
const STRH: Names = { name: 'strh', access: HALF, isLoad: false, refs: { t: 'A8.8.216', reg: 'A8.8.218', unpriv: 'A8.8.218' } };

const move = (names: Names): typeof load => (names.isLoad ? load : store);

/** Base written back and also moved, or PC as a written-back base or as a narrow register. */
const badWriteBack =
  (names: Names) =>
  (f: Fields): boolean =>
    f['n'] === 15 || f['n'] === f['t'] || (f['t'] === 15 && names.access.size < 4);
const badOffset =
  (names: Names) =>
  (f: Fields): boolean =>
    (f['w'] === 1 && (f['n'] === 15 || f['n'] === f['t'])) || (f['t'] === 15 && names.access.size < 4) || f['m'] === 15;
const badPostRegister =
  (names: Names) =>
  (f: Fields): boolean =>
    badWriteBack(names)(f) || f['m'] === 15;
const badUnprivileged = (f: Fields): boolean => f['n'] === 15 || f['n'] === f['t'] || f['t'] === 15 || f['m'] === 15;

/** LDR, STR, LDRB, STRB in A32: `b` is the byte bit, `l` the load bit. */
const wordsAndBytes = (names: Names, b: number, l: number): Encoding[] => {
  const { name, access, refs } = names;
  const NAME = name.toUpperCase();
  const m = move(names);
  const user = unprivileged(access);
  return [
    ...(names.isLoad
      ? [
          a32(
            `${NAME}_lit_A1`,
            `cccc 0101 u${b}0${l} 1111 tttt iiiiiiiiiiii`,
            refs.lit!,
            [`${name}{c}`, reg('t'), literal()],
            m({ access, offset: immediateOffset(), base: 15 }),
            { unpredictable: (f) => f['t'] === 15 && b === 1 },
          ),
        ]
      : []),
    a32(
      `${NAME}_imm_A1`,
      `cccc 0101 u${b}w${l} nnnn tttt iiiiiiiiiiii`,
      refs.a!,
      [`${name}{c}`, reg('t'), offsetImmediate({ writeBack: 'field' })],
      m({ access, offset: immediateOffset() }),
      { unpredictable: badOffset(names) },
    ),
    a32(
      `${NAME}_imm_post_A1`,
      `cccc 0100 u${b}0${l} nnnn tttt iiiiiiiiiiii`,
      refs.a!,
      [`${name}{c}`, reg('t'), base(), postImmediate()],
      m({ access, offset: immediateOffset(), indexing: 'post' }),
      { unpredictable: badWriteBack(names) },
    ),
    a32(
      `${NAME}T_A1`,
      `cccc 0100 u${b}1${l} nnnn tttt iiiiiiiiiiii`,
      refs.unpriv,
      [`${name}t{c}`, reg('t'), base(), optionalPostImmediate],
      m({ access: user, offset: immediateOffset(), indexing: 'post' }),
      { unpredictable: badUnprivileged },
    ),
    a32(
      `${NAME}_reg_A1`,
      `cccc 0111 u${b}w${l} nnnn tttt aaaaayy0mmmm`,
      refs.reg,
      [`${name}{c}`, reg('t'), offsetRegister({ writeBack: 'field', shift: 'a32', signed: true })],
      m({ access, offset: registerOffset }),
      { unpredictable: badOffset(names) },
    ),
    a32(
      `${NAME}_reg_post_A1`,
      `cccc 0110 u${b}0${l} nnnn tttt aaaaayy0mmmm`,
      refs.reg,
      [`${name}{c}`, reg('t'), base(), postRegister, postShift],
      m({ access, offset: registerOffset, indexing: 'post' }),
      { unpredictable: badPostRegister(names) },
    ),
    a32(
      `${NAME}T_A2`,
      `cccc 0110 u${b}1${l} nnnn tttt aaaaayy0mmmm`,
      refs.unpriv,
      [`${name}t{c}`, reg('t'), base(), postRegister, postShift],
      m({ access: user, offset: registerOffset, indexing: 'post' }),
      { unpredictable: badUnprivileged },
    ),
  ];
};

/** LDRH, STRH, LDRSB, LDRSH in A32: `l` is the load bit, `sh` bits 6:5. */
const halvesAndSigned = (names: Names, l: number, sh: string): Encoding[] => {
  const { name, access, refs } = names;
  const NAME = name.toUpperCase();
  const m = move(names);
  const user = unprivileged(access);
  const op = `1${sh}1`;
  return [
    ...(names.isLoad
      ? [
          a32(
            `${NAME}_lit_A1`,
            `cccc 0001 u10${l} 1111 tttt iiii ${op} iiii`,
            refs.lit!,
            [`${name}{c}`, reg('t'), literal()],
            m({ access, offset: immediateOffset(), base: 15 }),
            { unpredictable: (f) => f['t'] === 15 },
          ),
        ]
      : []),
    a32(
      `${NAME}_imm_A1`,
      `cccc 0001 u1w${l} nnnn tttt iiii ${op} iiii`,
      refs.t,
      [`${name}{c}`, reg('t'), offsetImmediate({ writeBack: 'field' })],
      m({ access, offset: immediateOffset() }),
      { unpredictable: badOffset(names) },
    ),
    a32(
      `${NAME}_imm_post_A1`,
      `cccc 0000 u10${l} nnnn tttt iiii ${op} iiii`,
      refs.t,
      [`${name}{c}`, reg('t'), base(), postImmediate()],
      m({ access, offset: immediateOffset(), indexing: 'post' }),
      { unpredictable: badWriteBack(names) },
    ),
    a32(
      `${NAME}T_A1`,
      `cccc 0000 u11${l} nnnn tttt iiii ${op} iiii`,
      refs.unpriv,
      [`${name}t{c}`, reg('t'), base(), optionalPostImmediate],
      m({ access: user, offset: immediateOffset(), indexing: 'post' }),
      { unpredictable: badUnprivileged },
    ),
    // Bits 11:8 of the register forms should be zero; other values are UNDEFINED, as in QEMU.
    a32(
      `${NAME}_reg_A1`,
      `cccc 0001 u0w${l} nnnn tttt 0000 ${op} mmmm`,
      refs.reg,
      [`${name}{c}`, reg('t'), offsetRegister({ writeBack: 'field', signed: true })],
      m({ access, offset: registerOffset }),
      { unpredictable: badOffset(names) },
    ),
    a32(
      `${NAME}_reg_post_A1`,
      `cccc 0000 u00${l} nnnn tttt 0000 ${op} mmmm`,
      refs.reg,
      [`${name}{c}`, reg('t'), base(), postRegister],
      m({ access, offset: registerOffset, indexing: 'post' }),
      { unpredictable: badPostRegister(names) },
    ),
    a32(
      `${NAME}T_A2`,
      `cccc 0000 u01${l} nnnn tttt 0000 ${op} mmmm`,
      refs.unpriv,
      [`${name}t{c}`, reg('t'), base(), postRegister],
      m({ access: user, offset: registerOffset, indexing: 'post' }),
      { unpredictable: badUnprivileged },
    ),
  ];
};

const isLiteral = (f: Fields): boolean => f['n'] === 15;
/** T32: `s` is the sign bit, `z` the size, `l` the load bit. Rn = 15 is the literal form of loads and UNDEFINED for stores. */
const thumb32 = (names: Names, s: number, z: string, l: number): Encoding[] => {
  const { name, access, isLoad, refs } = names;
  const NAME = name.toUpperCase();
  const m = move(names);
  const unless = { unless: isLiteral };
  const narrow = access.size < 4 || !isLoad;
  const bad = (f: Fields): boolean => (narrow && spOrPc(f['t']!)) || (f['m'] !== undefined && spOrPc(f['m']));
  const badBase = (f: Fields): boolean => bad(f) || f['n'] === f['t'];
  const text = `${name}{c}{.w}`;
  // The immediate forms are encodings T2/T3 in the manual when T16 has some (LDR: T3/T4), T1/T2 for the signed loads.
  return [
    ...(isLoad
      ? [
          t32(
            `${NAME}_lit_T2`,
            `1111100${s} u${z}${l} 1111 tttt iiiiiiiiiiii`,
            refs.lit!,
            [text, reg('t'), literal()],
            m({ access, offset: immediateOffset(), base: 15 }),
            { unpredictable: bad },
          ),
        ]
      : []),
    t32(
      `${NAME}_imm_T3`,
      `1111100${s} 1${z}${l} nnnn tttt iiiiiiiiiiii`,
      refs.t,
      [text, reg('t'), offsetImmediate({ direction: 'up' })],
      m({ access, offset: immediateOffset() }),
      { ...unless, unpredictable: bad },
    ),
    t32(
      `${NAME}_imm_neg_T4`,
      `1111100${s} 0${z}${l} nnnn tttt 1100 iiiiiiii`,
      refs.t,
      [text, reg('t'), offsetImmediate({ direction: 'down' })],
      m({ access, offset: immediateOffset(1, true) }),
      { ...unless, unpredictable: bad },
    ),
    t32(
      `${NAME}_imm_pre_T4`,
      `1111100${s} 0${z}${l} nnnn tttt 11u1 iiiiiiii`,
      refs.t,
      [text, reg('t'), offsetImmediate({ writeBack: 'always' })],
      m({ access, offset: immediateOffset(), indexing: 'pre' }),
      { ...unless, unpredictable: badBase },
    ),
    t32(
      `${NAME}_imm_post_T4`,
      `1111100${s} 0${z}${l} nnnn tttt 10u1 iiiiiiii`,
      refs.t,
      [text, reg('t'), base(), postImmediate()],
      m({ access, offset: immediateOffset(), indexing: 'post' }),
      { ...unless, unpredictable: badBase },
    ),
    t32(
      `${NAME}T_T1`,
      `1111100${s} 0${z}${l} nnnn tttt 1110 iiiiiiii`,
      refs.unpriv,
      [`${name}t{c}`, reg('t'), offsetImmediate({ direction: 'up' })],
      m({ access: unprivileged(access), offset: immediateOffset() }),
      { ...unless, unpredictable: (f) => spOrPc(f['t']!) },
    ),
    t32(
      `${NAME}_reg_T2`,
      `1111100${s} 0${z}${l} nnnn tttt 000000 aa mmmm`,
      refs.reg,
      [text, reg('t'), offsetRegister({ shift: 't32' })],
      m({ access, offset: registerOffset }),
      { ...unless, unpredictable: bad },
    ),
  ];
};

const thumbRegister = (names: Names, op: string): Encoding =>
  t16(
    `${names.name.toUpperCase()}_reg_T1`,
    `0101 ${op} mmm nnn ttt`,
    names.refs.reg,
    [`${names.name}{c}`, reg('t'), offsetRegister()],
    move(names)({ access: names.access, offset: registerOffset }),
  );
const thumbImmediate = (names: Names, op: string): Encoding => {
  const scale = names.access.size;
  return t16(
    `${names.name.toUpperCase()}_imm_T1`,
    `${op} iiiii nnn ttt`,
    names.refs.t,
    [`${names.name}{c}`, reg('t'), offsetImmediate({ scale, direction: 'up', showZero: true })],
    move(names)({ access: names.access, offset: immediateOffset(scale) }),
  );
};
const thumbStack = (names: Names, op: string): Encoding =>
  t16(
    `${names.name.toUpperCase()}_imm_T2`,
    `${op} ttt iiiiiiii`,
    names.refs.t,
    [`${names.name}{c}`, reg('t'), offsetImmediate({ scale: 4, direction: 'up', base: 13, showZero: true })],
    move(names)({ access: names.access, offset: immediateOffset(4), base: 13 }),
  );

/** Single registers: words, halfwords and bytes, and the unprivileged forms. */
export const loadStore: readonly Encoding[] = [
  ...wordsAndBytes(LDR, 0, 1),
  ...wordsAndBytes(LDRB, 1, 1),
  ...wordsAndBytes(STR, 0, 0),
  ...wordsAndBytes(STRB, 1, 0),
  ...halvesAndSigned(LDRH, 1, '01'),
  ...halvesAndSigned(LDRSB, 1, '10'),
  ...halvesAndSigned(LDRSH, 1, '11'),
  ...halvesAndSigned(STRH, 0, '01'),

  ...thumb32(LDR, 0, '10', 1),
  ...thumb32(LDRB, 0, '00', 1),
  ...thumb32(LDRH, 0, '01', 1),
  ...thumb32(LDRSB, 1, '00', 1),
  ...thumb32(LDRSH, 1, '01', 1),
  ...thumb32(STR, 0, '10', 0),
  ...thumb32(STRB, 0, '00', 0),
  ...thumb32(STRH, 0, '01', 0),

  t16(
    'LDR_lit_T1',
    '01001 ttt iiiiiiii',
    'A8.8.64',
    ['ldr{c}', reg('t'), literal({ scale: 4, direction: 'up' })],
    load({ access: WORD, offset: immediateOffset(4), base: 15 }),
  ),
  thumbRegister(STR, '000'),
  thumbRegister(STRH, '001'),
  thumbRegister(STRB, '010'),
  thumbRegister(LDRSB, '011'),
  thumbRegister(LDR, '100'),
  thumbRegister(LDRH, '101'),
  thumbRegister(LDRB, '110'),
  thumbRegister(LDRSH, '111'),
  thumbImmediate(STR, '01100'),
  thumbImmediate(LDR, '01101'),
  thumbImmediate(STRB, '01110'),
  thumbImmediate(LDRB, '01111'),
  thumbImmediate(STRH, '10000'),
  thumbImmediate(LDRH, '10001'),
  thumbStack(STR, '10010'),
  thumbStack(LDR, '10011'),

  // One register pushed or popped in A32 is a store or a load.
  a32(
    'PUSH_A2',
    'cccc 0101 0010 1101 tttt 000000000100',
    'A8.8.133',
    ['push{c}', singleRegister('t')],
    store({ access: WORD, offset: constantOffset(-4), indexing: 'pre', base: 13 }),
    { unpredictable: (f) => f['t'] === 13 },
  ),
  a32(
    'POP_A2',
    'cccc 0100 1001 1101 tttt 000000000100',
    'A8.8.131',
    ['pop{c}', singleRegister('t')],
    load({ access: WORD, offset: constantOffset(4), indexing: 'post', base: 13 }),
    { unpredictable: (f) => f['t'] === 13 },
  ),
];

import type { Encoding, Fields } from '../encoding.js';
import { spOrPc } from '../integer.js';
import { reg } from '../operands.js';
import { base, literal, offsetImmediate, offsetRegister, postImmediate, postRegister, secondOfPair } from '../operands-memory.js';
import { hint, immediateOffset, loadPair, registerOffset, storePair } from './load-store-semantics.js';
import { a32, t32 } from './record.js';

const pair = [reg('t'), secondOfPair('t')] as const;
const overlap = (f: Fields): boolean => f['n'] === f['t'] || f['n'] === (f['x'] ?? f['t']! + 1) || f['n'] === 15;
/** A32: odd Rt, Rt2 = PC, PC as index. */
const oddPair = (f: Fields): boolean => (f['t']! & 1) === 1 || f['t'] === 14 || f['m'] === 15;
const badPre = (f: Fields): boolean => oddPair(f) || (f['w'] === 1 && overlap(f));
const badPost = (f: Fields): boolean => oddPair(f) || overlap(f);
const badIndex = (f: Fields): boolean => f['m'] === f['t'] || f['m'] === f['t']! + 1;
const badThumb = (f: Fields): boolean => [13, 15].includes(f['t']!) || [13, 15].includes(f['x']!) || f['n'] === 15;

/** Rn = 15 is the literal form, or UNPREDICTABLE where there is none. */
const isLiteral = (f: Fields): boolean => f['n'] === 15;

/** Doublewords, and the hints that name an address. */
export const loadStoreExtra: readonly Encoding[] = [
  a32(
    'LDRD_lit_A1',
    'cccc 0001 u100 1111 tttt iiii 1101 iiii',
    'A8.8.73',
    ['ldrd{c}', ...pair, literal()],
    (b, f) => loadPair({ offset: immediateOffset() })(b, { ...f, n: 15 }),
    { unpredictable: oddPair },
  ),
  a32(
    'LDRD_imm_A1',
    'cccc 0001 u1w0 nnnn tttt iiii 1101 iiii',
    'A8.8.72',
    ['ldrd{c}', ...pair, offsetImmediate({ writeBack: 'field' })],
    loadPair({ offset: immediateOffset() }),
    { unpredictable: badPre },
  ),
  a32(
    'LDRD_imm_post_A1',
    'cccc 0000 u100 nnnn tttt iiii 1101 iiii',
    'A8.8.72',
    ['ldrd{c}', ...pair, base(), postImmediate()],
    loadPair({ offset: immediateOffset(), indexing: 'post' }),
    { unpredictable: badPost },
  ),
  a32(
    'LDRD_reg_A1',
    'cccc 0001 u0w0 nnnn tttt 0000 1101 mmmm',
    'A8.8.74',
    ['ldrd{c}', ...pair, offsetRegister({ writeBack: 'field', signed: true })],
    loadPair({ offset: registerOffset }),
    { unpredictable: (f) => badPre(f) || badIndex(f) },
  ),
  a32(
    'LDRD_reg_post_A1',
    'cccc 0000 u000 nnnn tttt 0000 1101 mmmm',
    'A8.8.74',
    ['ldrd{c}', ...pair, base(), postRegister],
    loadPair({ offset: registerOffset, indexing: 'post' }),
    { unpredictable: (f) => badPost(f) || badIndex(f) },
  ),
  a32(
    'STRD_imm_A1',
    'cccc 0001 u1w0 nnnn tttt iiii 1111 iiii',
    'A8.8.210',
    ['strd{c}', ...pair, offsetImmediate({ writeBack: 'field' })],
    storePair({ offset: immediateOffset() }),
    { unpredictable: badPre },
  ),
  a32(
    'STRD_imm_post_A1',
    'cccc 0000 u100 nnnn tttt iiii 1111 iiii',
    'A8.8.210',
    ['strd{c}', ...pair, base(), postImmediate()],
    storePair({ offset: immediateOffset(), indexing: 'post' }),
    { unpredictable: badPost },
  ),
  a32(
    'STRD_reg_A1',
    'cccc 0001 u0w0 nnnn tttt 0000 1111 mmmm',
    'A8.8.211',
    ['strd{c}', ...pair, offsetRegister({ writeBack: 'field', signed: true })],
    storePair({ offset: registerOffset }),
    { unpredictable: badPre },
  ),
  a32(
    'STRD_reg_post_A1',
    'cccc 0000 u000 nnnn tttt 0000 1111 mmmm',
    'A8.8.211',
    ['strd{c}', ...pair, base(), postRegister],
    storePair({ offset: registerOffset, indexing: 'post' }),
    { unpredictable: badPost },
  ),

  t32(
    'LDRD_lit_T1',
    '11101001 u101 1111 tttt xxxx iiiiiiii',
    'A8.8.73',
    ['ldrd{c}', reg('t'), reg('x'), literal({ scale: 4 })],
    (b, f) => loadPair({ offset: immediateOffset(4) })(b, { ...f, n: 15 }),
    { unpredictable: (f) => badThumb(f) || f['t'] === f['x'] },
  ),
  t32(
    'LDRD_imm_T1',
    '11101001 u1w1 nnnn tttt xxxx iiiiiiii',
    'A8.8.72',
    ['ldrd{c}', reg('t'), reg('x'), offsetImmediate({ scale: 4, writeBack: 'field' })],
    loadPair({ offset: immediateOffset(4) }),
    { unpredictable: (f) => badThumb(f) || f['t'] === f['x'] || (f['w'] === 1 && overlap(f)) },
  ),
  t32(
    'LDRD_imm_post_T1',
    '11101000 u111 nnnn tttt xxxx iiiiiiii',
    'A8.8.72',
    ['ldrd{c}', reg('t'), reg('x'), base(), postImmediate(4)],
    loadPair({ offset: immediateOffset(4), indexing: 'post' }),
    { unpredictable: (f) => badThumb(f) || f['t'] === f['x'] || overlap(f) },
  ),
  t32(
    'STRD_imm_T1',
    '11101001 u1w0 nnnn tttt xxxx iiiiiiii',
    'A8.8.210',
    ['strd{c}', reg('t'), reg('x'), offsetImmediate({ scale: 4, writeBack: 'field' })],
    storePair({ offset: immediateOffset(4) }),
    { unpredictable: (f) => badThumb(f) || (f['w'] === 1 && overlap(f)) },
  ),
  t32(
    'STRD_imm_post_T1',
    '11101000 u110 nnnn tttt xxxx iiiiiiii',
    'A8.8.210',
    ['strd{c}', reg('t'), reg('x'), base(), postImmediate(4)],
    storePair({ offset: immediateOffset(4), indexing: 'post' }),
    { unpredictable: (f) => badThumb(f) || overlap(f) },
  ),

  a32('PLD_lit_A1', '1111 0101 u101 1111 1111 iiiiiiiiiiii', 'A8.8.127', ['pld', literal()], hint),
  a32('PLD_imm_A1', '1111 0101 u101 nnnn 1111 iiiiiiiiiiii', 'A8.8.126', ['pld', offsetImmediate()], hint),
  a32('PLDW_imm_A1', '1111 0101 u001 nnnn 1111 iiiiiiiiiiii', 'A8.8.126', ['pldw', offsetImmediate()], hint, { unpredictable: isLiteral }),
  a32('PLI_imm_A1', '1111 0100 u101 nnnn 1111 iiiiiiiiiiii', 'A8.8.129', ['pli', offsetImmediate()], hint),
  a32('PLD_reg_A1', '1111 0111 u101 nnnn 1111 aaaaayy0mmmm', 'A8.8.128', ['pld', offsetRegister({ shift: 'a32', signed: true })], hint, {
    unpredictable: (f) => f['m'] === 15,
  }),
  a32('PLDW_reg_A1', '1111 0111 u001 nnnn 1111 aaaaayy0mmmm', 'A8.8.128', ['pldw', offsetRegister({ shift: 'a32', signed: true })], hint, {
    unpredictable: (f) => f['m'] === 15 || f['n'] === 15,
  }),
  a32('PLI_reg_A1', '1111 0110 u101 nnnn 1111 aaaaayy0mmmm', 'A8.8.130', ['pli', offsetRegister({ shift: 'a32', signed: true })], hint, {
    unpredictable: (f) => f['m'] === 15,
  }),
  // Table A5-23: unallocated memory hints are NOPs with the Multiprocessing Extensions.
  a32('HINT_mem_imm_A1', '1111 0100 u001 xxxx xxxx xxxxxxxxxxxx', 'A5.7.1', ['nop'], hint),
  a32('HINT_mem_reg_A1', '1111 0110 u001 xxxx xxxx xxxxxxx0xxxx', 'A5.7.1', ['nop'], hint),

  t32('PLD_lit_T1', '11111000 u001 1111 1111 iiiiiiiiiiii', 'A8.8.127', ['pld{c}', literal()], hint),
  t32('PLD_imm_T1', '11111000 1001 nnnn 1111 iiiiiiiiiiii', 'A8.8.126', ['pld{c}', offsetImmediate({ direction: 'up' })], hint, {
    unless: isLiteral,
  }),
  t32('PLDW_imm_T1', '11111000 1011 nnnn 1111 iiiiiiiiiiii', 'A8.8.126', ['pldw{c}', offsetImmediate({ direction: 'up' })], hint, {
    unless: isLiteral,
  }),
  t32('PLD_imm_T2', '11111000 0001 nnnn 1111 1100 iiiiiiii', 'A8.8.126', ['pld{c}', offsetImmediate({ direction: 'down' })], hint, {
    unless: isLiteral,
  }),
  t32('PLDW_imm_T2', '11111000 0011 nnnn 1111 1100 iiiiiiii', 'A8.8.126', ['pldw{c}', offsetImmediate({ direction: 'down' })], hint, {
    unless: isLiteral,
  }),
  t32('PLD_reg_T1', '11111000 0001 nnnn 1111 000000 aa mmmm', 'A8.8.128', ['pld{c}', offsetRegister({ shift: 't32' })], hint, {
    unless: isLiteral,
    unpredictable: (f) => spOrPc(f['m']!),
  }),
  t32('PLDW_reg_T1', '11111000 0011 nnnn 1111 000000 aa mmmm', 'A8.8.128', ['pldw{c}', offsetRegister({ shift: 't32' })], hint, {
    unless: isLiteral,
    unpredictable: (f) => spOrPc(f['m']!),
  }),
  t32('PLI_lit_T3', '11111001 u001 1111 1111 iiiiiiiiiiii', 'A8.8.129', ['pli{c}', literal()], hint),
  t32('PLI_imm_T1', '11111001 1001 nnnn 1111 iiiiiiiiiiii', 'A8.8.129', ['pli{c}', offsetImmediate({ direction: 'up' })], hint, {
    unless: isLiteral,
  }),
  t32('PLI_imm_T2', '11111001 0001 nnnn 1111 1100 iiiiiiii', 'A8.8.129', ['pli{c}', offsetImmediate({ direction: 'down' })], hint, {
    unless: isLiteral,
  }),
  t32('PLI_reg_T1', '11111001 0001 nnnn 1111 000000 aa mmmm', 'A8.8.130', ['pli{c}', offsetRegister({ shift: 't32' })], hint, {
    unless: isLiteral,
    unpredictable: (f) => spOrPc(f['m']!),
  }),
  // Table A6-20: unallocated memory hints, where LDRH and LDRSH would load PC.
  t32('HINT_mem_lit_T1', '11111000 u011 1111 1111 xxxxxxxxxxxx', 'A6.3.9', ['nop{c}{.w}'], hint),
  t32('HINT_mem_lit_T2', '11111001 u011 1111 1111 xxxxxxxxxxxx', 'A6.3.9', ['nop{c}{.w}'], hint),
  t32('HINT_mem_imm_T1', '11111001 1011 nnnn 1111 xxxxxxxxxxxx', 'A6.3.9', ['nop{c}{.w}'], hint, { unless: isLiteral }),
  t32('HINT_mem_imm_T2', '11111001 0011 nnnn 1111 1100 xxxxxxxx', 'A6.3.9', ['nop{c}{.w}'], hint, { unless: isLiteral }),
  t32('HINT_mem_reg_T1', '11111001 0011 nnnn 1111 000000 xx mmmm', 'A6.3.9', ['nop{c}{.w}'], hint, { unless: isLiteral }),
];

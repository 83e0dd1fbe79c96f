import type { ClosureEnvironment } from '../closures/environment.js';
import { FAST_ADDEND, FAST_WRITE_TAG, FLAG_C, FLAG_N, FLAG_V, FLAG_Z, TEMP_COUNT, TEMP0 } from '../layout.js';
import type { CompactRun } from './interpreter.js';
import * as compact from './opcodes.js';
import type { CompactStore } from './store.js';

const LAST = TEMP0 + TEMP_COUNT;
const TO = LAST - 16;
const X = TO + 1;
const Y = TO + 2;
const CARRY = TO + 3;
/** 0, where accesses go: its entry of the fast table is temporaries, too, and what it says is behind it. */
const BASE = TO + 4;
const ENTRY = TO + 5;
const DATA = TO + 12;

const threeWords = [
  ...[compact.ADD, compact.SUB, compact.AND, compact.OR, compact.XOR, compact.SUB_FLAGS, compact.MUL, compact.SHL, compact.SHR],
  ...[compact.SAR, compact.ROTR, compact.MUL_HIGH_S, compact.MUL_HIGH_U, compact.DIV_S, compact.DIV_U, compact.EQ, compact.NE],
  ...[compact.LT_S, compact.LT_U, compact.LSL_REG, compact.LSR_REG, compact.ASR_REG, compact.ADD_FLAGS],
];
const withCarry = [compact.LSL_CARRY, compact.LSR_CARRY, compact.ASR_CARRY, compact.ROR_CARRY, compact.ADC_FLAGS, compact.SELECT];
const withConstant = [
  ...[compact.ADD_CONST, compact.AND_CONST, compact.SHL_CONST, compact.SHR_CONST, compact.SUB_FLAGS_CONST, compact.ADD_FLAGS_CONST],
  ...[compact.OR_CONST, compact.XOR_CONST, compact.SAR_CONST, compact.ROTR_CONST],
];
const twoWords = [
  ...[compact.MOVE, compact.NOT, compact.NEG, compact.CLZ, compact.REV, compact.REV16, compact.REVSH, compact.RBIT, compact.SXT8],
  ...[compact.SXT16, compact.UXT8, compact.UXT16, compact.EQZ],
];
const ofOneWord = [
  ...[compact.LOAD_WORD, compact.LOAD_BYTE, compact.LOAD_HALF, compact.STORE_WORD, compact.STORE_BYTE],
  ...[compact.LOAD_SIGNED_HALF, compact.LOAD_SIGNED_BYTE, compact.STORE_HALF],
];

/** Each operation that needs nothing but state words once, those that ask for a condition with every condition. */
const everything = (): readonly number[] => {
  const words: number[] = [];
  const add = (kind: number, ...operands: readonly number[]): void => {
    words.push(compact.headOf(kind, 0, operands.length + 1), ...operands);
  };
  for (const kind of threeWords) add(kind, TO, X, Y);
  for (const kind of withCarry) add(kind, TO, X, Y, CARRY);
  for (const kind of withConstant) add(kind, TO, X, 3);
  for (const kind of twoWords) add(kind, TO, X);
  for (const kind of ofOneWord) add(kind, TO, BASE, 0, ENTRY);
  add(compact.LOAD_MANY, BASE, 0, ENTRY, TO);
  add(compact.STORE_MANY, BASE, 0, ENTRY, TO);
  add(compact.NOTHING);
  add(compact.SET_CONST, TO, 1);
  add(compact.SET_NZ, X);
  add(compact.SET_NZC, X, CARRY);
  for (let condition = 0; condition < 14; condition++) {
    add(compact.SET_CONDITION, TO, condition);
    add(compact.IF_CONDITION, condition, 3);
    add(compact.BRANCH_CONDITION, condition, 0, 4);
  }
  add(compact.IF_VALUE, X, 3);
  add(compact.BRANCH_VALUE, X, 0, 4);
  add(compact.GOTO, 0);
  add(compact.JUMP, BASE);
  add(compact.EXCHANGE_FROM_A32, BASE);
  add(compact.SET_CONST, TO, 1);
  add(compact.EXCHANGE_FROM_T32, TO);
  return words;
};

/** How often it takes a host to begin to take notes: V8 does after a kilobyte of its code, or some calls. */
const TIMES = 2;
const VALUES = [
  [5, 3],
  [-5, 40],
  [-0x80000000, -1],
  [7, 0],
] as const;

/**
 * Executes everything once before anything is to be done, and leaves no trace. A host that compiles what it has seen would otherwise do so again for each
 * operation that comes later than the others: V8 compiled the two functions of the interpreter 38 times in a boot of Linux, and does so 18 times now.
 */
export const rehearse = (
  { state: { words: R }, m32, access: { frame } }: ClosureEnvironment,
  store: CompactStore,
  run: CompactRun,
): void => {
  if (R.buffer !== m32.buffer) return;
  const words = everything();
  const before = R.slice(0, LAST);
  const { limit } = frame;
  store.reserve(words.length);
  store.words.set(words);
  frame.limit = words.length;
  for (let time = 0; time < TIMES; time++)
    for (const [x, y] of VALUES)
      for (const flag of [0, -1]) {
        R.fill(0, TO, LAST);
        R[X] = x;
        R[Y] = y;
        R[CARRY] = flag & 1;
        R[FLAG_N] = flag;
        R[FLAG_Z] = x;
        R[FLAG_C] = flag & 1;
        R[FLAG_V] = ~flag;
        R[ENTRY + FAST_WRITE_TAG] = 0;
        R[ENTRY + FAST_ADDEND] = R.byteOffset + 4 * DATA;
        run(0);
      }
  frame.limit = limit;
  store.words.fill(0, 0, words.length);
  R.set(before);
};

import { layout } from '@tablewalk/engine';
import type { ArmCpu } from './arm-cpu.js';

/** Something that two cores do not agree about. Values are words. */
export interface CoreDifference {
  /** A name that `readRegister` has, `itstate`, or `stores` for the rolling hash of all stores. */
  readonly name: string;
  readonly values: readonly [number, number];
}

/** Words that are the same or different as they are, by ranges. */
const PLAIN: readonly (readonly [first: number, end: number])[] = [
  [0, layout.PC],
  [layout.FLAG_C, layout.FLAG_C + 1],
  [layout.FLAG_Q, layout.CPSR_CONTROL + 1],
  [layout.EXCLUSIVE_SIZE, layout.EXCLUSIVE_SIZE + 1],
  [layout.EVENT, layout.FPSCR_NZCV + 1],
  [layout.FPSCR_EXCEPTIONS, layout.STORE_HASH + 1],
  [layout.D0, layout.D0 + 64],
];

/**
 * Whether two cores that have run the same instructions are in the same state, as far as running code changes it by itself: registers of the current mode,
 * flags, FPSCR, d0-d31, the exclusive monitor, thread registers, and all that was stored when stores are hashed. `pc` and `itstate` are the second core's,
 * which may be inside a block. Quick enough for each exit of a region.
 */
export const sameState = (reference: ArmCpu, other: ArmCpu, pc: number, itstate: number): boolean => {
  const a = reference.core.words;
  const b = other.core.words;
  for (const [first, end] of PLAIN) for (let i = first; i < end; i++) if (a[i] !== b[i]) return false;
  return (
    a[layout.PC]! >>> 0 === pc &&
    a[layout.ITSTATE] === itstate &&
    ((a[layout.FLAG_N]! ^ b[layout.FLAG_N]!) | (a[layout.FLAG_V]! ^ b[layout.FLAG_V]!)) >= 0 &&
    (a[layout.FLAG_Z] === 0) === (b[layout.FLAG_Z] === 0) &&
    (a[layout.FPSCR_QC] === 0) === (b[layout.FPSCR_QC] === 0) &&
    (a[layout.EXCLUSIVE_SIZE] === 0 ||
      (a[layout.EXCLUSIVE_ADDRESS] === b[layout.EXCLUSIVE_ADDRESS] &&
        a[layout.EXCLUSIVE_ADDRESS_HIGH] === b[layout.EXCLUSIVE_ADDRESS_HIGH]))
  );
};

const bits = (words: Int32Array): number =>
  ((words[layout.FLAG_N]! & 0x80000000) |
    (words[layout.FLAG_Z] === 0 ? 1 << 30 : 0) |
    (words[layout.FLAG_C]! << 29) |
    ((words[layout.FLAG_V]! >>> 31) << 28) |
    (words[layout.FLAG_Q]! << 27) |
    (words[layout.FLAG_GE]! << 16) |
    words[layout.CPSR_CONTROL]!) >>>
  0;

const SIMD = Array.from({ length: 64 }, (_, n) => `d${n >> 1}.${n & 1 ? 'hi' : 'lo'}`);

/** Everything that two cores do not agree about: banked and system registers too. CPSR is compared without ITSTATE, which is named by itself. */
export const coreDifferences = (reference: ArmCpu, other: ArmCpu, pc: number, itstate: number): readonly CoreDifference[] => {
  const a = reference.core.words;
  const b = other.core.words;
  const found: CoreDifference[] = [];
  const note = (name: string, x: number, y: number): void => {
    if (x !== y) found.push({ name, values: [x >>> 0, y >>> 0] });
  };
  for (const name of [...reference.registerNames(), ...SIMD]) {
    if (name === 'pc') note(name, a[layout.PC]! >>> 0, pc);
    else if (name === 'cpsr') note(name, bits(a), bits(b));
    else note(name, reference.readRegister(name) ?? 0, other.readRegister(name) ?? 0);
  }
  note('itstate', a[layout.ITSTATE]!, itstate);
  for (const [name, word] of [
    ['exclusive monitor, size', layout.EXCLUSIVE_SIZE],
    ['event register', layout.EVENT],
    ['decode mode', layout.DECODE_MODE],
    ['stores', layout.STORE_HASH],
  ] as const)
    note(name, a[word]!, b[word]!);
  if (a[layout.EXCLUSIVE_SIZE] !== 0) note('exclusive monitor, address', a[layout.EXCLUSIVE_ADDRESS]!, b[layout.EXCLUSIVE_ADDRESS]!);
  return found;
};

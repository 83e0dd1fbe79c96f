import { ArmBuilder } from '../../packages/arm-core/src/isa/arm-builder.js';
import type { Encoding } from '../../packages/arm-core/src/isa/encoding.js';
import { encodings } from '../../packages/arm-core/src/isa/families/index.js';
import type { CompiledPattern } from '../../packages/arm-core/src/isa/pattern.js';
import { compilePattern, extractFields, matches } from '../../packages/arm-core/src/isa/pattern.js';
import { cortexA15 } from '../../packages/arm-core/src/profiles/cortex-a15.js';
import { ops } from '../../packages/engine/src/index.js';
import type { Target } from '../instructions/generate.js';
import { lookUp, wordOf } from '../instructions/generate.js';
import { Random } from '../support/random.js';

/** Would leave the modes and translations that the world stands on, wait, or end the machine. */
const NEVER =
  /^(HVC|SMC|WFI|WFE|RFE|SRS|CPS_.*mode|CPS_none|MSR_banked|MRS_banked|SUBS_PC_LR|HLT|LDM[ID][AB]_(user|return)|STM[ID][AB]_user)/;

/** Made with a target inside the sequence instead, and what always ends in an exception: that leads nowhere as often. */
const BRANCHES = /^(B|BL|BLX_imm|CBZ|TBB|IT|SVC|BKPT|UDF)_/;

/** Only harmless without privilege. */
const USER_ONLY = /^(MCR|MRC|MCRR|MRRC|CDP|LDC|STC|VMSR_A|VMSR_T|VMRS)/;

/** Sequences consist of these, and of branches, loops, IT blocks and calls made of them. */
const usable = encodings
  .filter(({ name }) => !NEVER.test(name) && !BRANCHES.test(name))
  .map((encoding): Target => ({ encoding, pattern: compilePattern(encoding) }));

/** Sequences never have it. */
export const isLeftOut = ({ name }: Encoding): boolean => NEVER.test(name);

/** Instructions of IT blocks take their conditions from there: assembly text has a place for it, words have none (UNPREDICTABLE otherwise). */
export const mayStandInIt = ({ isa, text, pattern }: Encoding): boolean =>
  isa !== 'A32' && text[0].includes('{c}') && !pattern.includes('c');

/** Half of what these do depends on the amount: there are few, and they are to come more often. */
const isShift = /_rsr_|^(LSL|LSR|ASR|ROR)_reg/;

const listOf = (thumb: boolean, privileged: boolean): readonly Target[] =>
  usable
    .filter(({ encoding }) => (encoding.isa !== 'A32') === thumb && !(privileged && USER_ONLY.test(encoding.name)))
    .flatMap((target) => (isShift.test(target.encoding.name) ? [target, target, target, target] : [target]));
const lists = [false, true].map((thumb) => [false, true].map((privileged) => listOf(thumb, privileged)));

/** Those of an instruction set, without what is harmful with privilege. */
export const encodingsOf = (thumb: boolean, privileged: boolean): readonly Target[] => lists[thumb ? 1 : 0]![privileged ? 1 : 0]!;

/** Without privilege nearly all of them are UNDEFINED, which ends what can be translated together. */
export const isMostlyUndefined = ({ name }: Encoding): boolean => USER_ONLY.test(name);

/** What the registers of a sequence are for. */
export interface Roles {
  /** Hold addresses of data. */
  readonly bases: readonly number[];
  /** Holds a small number: an offset, an amount. */
  readonly index: number;
}

/** Counts the rounds of a loop. */
export const COUNTER = 10;

const builder = new ArmBuilder(cortexA15);

/** Fills the builder with an instruction's micro-operations. */
const operationsOf = ({ isa, semantics }: Encoding, pattern: CompiledPattern, word: number): void => {
  builder.reset();
  builder.setMode({
    thumb: isa !== 'A32',
    bigEndian: false,
    privileged: false,
    vfpEnabled: true,
    simdEnabled: true,
    shortVectors: false,
    alignmentChecked: false,
  });
  const size = isa === 'T16' ? 2 : 4;
  builder.instruction(0, size, 0);
  Object.assign(builder, { offset: 0, size, word, inIt: false, cond: 14 });
  semantics(builder, extractFields(pattern, word));
};

/** Fills the builder with some words of the encoding, one after another, until what is asked of one is true. */
const someWord = (encoding: Encoding, is: () => boolean): boolean => {
  const pattern = compilePattern(encoding);
  const r = new Random(1);
  for (let tries = 0; tries < 60; tries++) {
    const word = wordOf(r, pattern);
    const owner = lookUp(encoding.isa, word);
    // A result in r15 is the return from an exception, or a branch.
    if (owner?.name !== encoding.name || owner.unpredictable || extractFields(pattern, word)['d'] === 15) continue;
    operationsOf(encoding, pattern, word);
    if (is()) return true;
  }
  return false;
};

const countOf = (kind: number): number => {
  let count = 0;
  for (let i = 0; i < builder.count; i++) if (builder.code[i * ops.STRIDE] === kind) count++;
  return count;
};

/** Whether some word of the encoding has an access to memory, or asks the system, which may refuse. */
export const mayFault = (encoding: Encoding): boolean =>
  someWord(encoding, () => {
    for (let i = 0; i < builder.count; i++) {
      const kind = builder.code[i * ops.STRIDE]!;
      if (kind >= ops.LOAD && kind <= ops.STORE_MULTIPLE) return true;
    }
    return countOf(ops.CALL) > 0 && !/^(SVC|MRS|CLREX|DMB|DSB|ISB|SETEND|CPS|SEV|VMSR_fpscr)/.test(encoding.name);
  });

/** Whether some word of the encoding is more than UNDEFINED, or a breakpoint. */
export const mayBeTaken = (encoding: Encoding): boolean => {
  if (/^(BKPT|UDF)_/.test(encoding.name)) return false;
  builder.reset();
  builder.undefined();
  const alone = builder.count;
  const code = builder.code.slice(0, alone * ops.STRIDE);
  // The sixth word of an operation is the number of its instruction.
  const isUndefined = (): boolean => builder.count === alone && code.every((word, i) => i % ops.STRIDE === 5 || builder.code[i] === word);
  return /^(MRC|MCR|MRRC|MCRR)_/.test(encoding.name) || someWord(encoding, () => !isUndefined());
};

/** Bits of r0-r14 that an instruction writes, as its micro-operations say. */
const registersWritten = (encoding: Encoding, pattern: CompiledPattern, word: number): number => {
  const { name } = encoding;
  operationsOf(encoding, pattern, word);
  const fields = extractFields(pattern, word);
  // Kernels of the system write what the fields say.
  let bits = /^(MRC|MRRC|MRS|VMRS|SWP|LDREX|STREX)/.test(name) ? (1 << fields['d']!) | (1 << fields['t']!) | (1 << fields['x']!) : 0;
  for (let i = 0; i < builder.count; i++) {
    const base = i * ops.STRIDE;
    const kind = builder.code[base];
    if (kind === ops.SET_REG) bits |= 1 << builder.code[base + 1]!;
    else if (kind === ops.LOAD_MULTIPLE) {
      const from = builder.code[base + 2]!;
      for (let k = from; k < from + builder.code[base + 3]!; k++) if (builder.lists[k]! < 15) bits |= 1 << builder.lists[k]!;
    }
  }
  return bits & 0x7fff;
};

/** A word written to r15 ends most sequences: one in ten is enough. */
const writesPc = (name: string, fields: Readonly<Record<string, number>>): boolean => {
  if (/^(LDM|POP)/.test(name)) return (fields['l']! & 0x8000) !== 0;
  if (/^(BX|BLX_reg)/.test(name)) return true;
  return fields['d'] === 15 || (fields['t'] === 15 && /^LDR/.test(name));
};

const isMemory = /^(LDR|STR|LDM|STM|PUSH|POP|SWP|PLD|PLI|VLD|VST|LDC|STC)/;
const isVector = /^V(LD|ST)\d/;

const setField = (pattern: CompiledPattern, word: number, letter: string, value: number): number => {
  const field = pattern.fields.find((each) => each.letter === letter);
  if (field === undefined) return word;
  let result = word;
  let left = value;
  for (let k = field.pieces.length - 1; k >= 0; k--) {
    const { shift, width } = field.pieces[k]!;
    const mask = (2 ** width - 1) * 2 ** shift;
    result = ((result & ~mask) | ((left << shift) & mask)) >>> 0;
    left = Math.floor(left / 2 ** width);
  }
  return result;
};

const widthOf = (pattern: CompiledPattern, letter: string): number =>
  pattern.fields.find((each) => each.letter === letter)?.pieces.reduce((n, { width }) => n + width, 0) ?? 0;

/** Makes most accesses such that they find data. */
const aim = (r: Random, { encoding, pattern }: Target, word: number, { bases, index }: Roles): number => {
  let aimed = word;
  const low = widthOf(pattern, 'n') === 3;
  if (!r.oneIn(4)) aimed = setField(pattern, aimed, 'n', r.pick(low ? bases.filter((n) => n < 8) : bases));
  if (isVector.test(encoding.name)) return setField(pattern, aimed, 'm', r.pick([13, 15, 15, index]));
  if (!r.oneIn(4)) aimed = setField(pattern, aimed, 'm', index);
  // Word-aligned and near, or as it is.
  const bits = widthOf(pattern, 'i');
  if (bits >= 7 && !r.oneIn(3)) aimed = setField(pattern, aimed, 'i', r.oneIn(3) ? r.below(64) : 4 * r.below(16));
  return aimed;
};

/** Lets most of the shifts by registers have an amount at which something changes. */
const aimShift = (r: Random, { encoding, pattern }: Target, word: number, { index }: Roles): number => {
  if (r.oneIn(4)) return word;
  const letter = encoding.isa === 'A32' ? (encoding.name.includes('_rsr_') ? 's' : 'a') : 'm';
  return setField(pattern, word, letter, index);
};

/** In which place a word is to stand. */
export interface Place {
  readonly roles: Roles;
  /** Of an IT block, only the last may. */
  readonly mayBranch: boolean;
  readonly privileged: boolean;
  /** Bits of registers that it must not write. */
  readonly kept: number;
}

/** Writes more of CPSR than flags and masks, or SPSR. */
const changesMode = ({ isa }: Encoding, word: number): boolean => (isa === 'A32' ? (word & 0x0041_0000) !== 0 : (word & 0x0010_0100) !== 0);

/** A word of the encoding that is fit for the place; undefined when none is found. */
export const randomWord = (r: Random, target: Target, { roles, mayBranch, privileged, kept }: Place): number | undefined => {
  const { encoding, pattern } = target;
  const { name } = encoding;
  const memory = isMemory.test(name);
  for (let tries = 0; tries < 40; tries++) {
    let word = wordOf(r, pattern);
    if (pattern.hasCondition && r.oneIn(8)) word = ((word & 0x0fff_ffff) | (r.below(14) << 28)) >>> 0;
    if (memory) word = aim(r, target, word, roles);
    if (isShift.test(name)) word = aimShift(r, target, word, roles);
    if (!matches(pattern, word)) continue;
    const fields = extractFields(pattern, word);
    if (encoding.unless?.(fields) === true) continue;
    const owner = lookUp(encoding.isa, word);
    if (owner?.name !== name || owner.unpredictable) continue;
    if (writesPc(name, fields) && (!mayBranch || !r.oneIn(10))) continue;
    if (privileged && name.startsWith('MSR_') && changesMode(encoding, word)) continue;
    let written = registersWritten(encoding, pattern, word);
    if (written & kept) continue;
    // A base that is updated stays near.
    const n = fields['n'];
    if (memory && n !== undefined && n !== fields['t'] && ((fields['l'] ?? 0) >>> n) % 2 === 0) written &= ~(1 << n);
    if (roles.bases.some((base) => (written >>> base) & 1) && !r.oneIn(12)) continue;
    return word;
  }
  return undefined;
};

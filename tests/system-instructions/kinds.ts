import * as at from './layout.js';
import type { Emitted, TestWriter } from './test-writer.js';
import { codeAddresses, encodingsLike, MODES } from './test-writer.js';

type Kind = (t: TestWriter) => void;

const privilegedModes = Object.values(MODES).filter((mode) => mode !== MODES.usr);
const bankedModes = privilegedModes.filter((mode) => mode !== MODES.sys);
const isMode = (value: number): boolean => (Object.values(MODES) as number[]).includes(value & 0x1f);
const rotated = (i: number): number => {
  const amount = (i >>> 8) * 2;
  return (((i & 0xff) >>> amount) | ((i & 0xff) << ((32 - amount) & 31))) >>> 0;
};
const privileged = (t: TestWriter, among: readonly number[] = privilegedModes): void => {
  if (!t.r.oneIn(8)) t.setMode(t.r.pick(among));
};
const set = (t: TestWriter, a32: string, t32: string): string => (t.thumb ? t32 : a32);

const mrs = (t: TestWriter, fields: Record<string, number> = {}): void => {
  // SPSR in User and System mode is UNPREDICTABLE.
  const r = t.mode === MODES.sys || t.mode === MODES.usr ? 0 : t.r.below(2);
  t.emit(set(t, 'MRS_A1', 'MRS_T1'), { r, ...fields });
};

const statusRegister: Kind = (t) => {
  for (let k = 1 + t.r.below(2); k > 0; k--) {
    const spsr = t.mode !== MODES.sys && t.mode !== MODES.usr ? t.r.below(2) : 0;
    if (!t.thumb && t.r.oneIn(3)) {
      t.emit('MSR_imm_A1', { r: spsr }, (f) => spsr === 1 || !t.privileged || (f['k']! & 1) === 0 || isMode(rotated(f['i']!)));
    } else {
      const done = t.emit(set(t, 'MSR_reg_A1', 'MSR_reg_T1'), { r: spsr, n: t.r.below(8) });
      if (done) t.setRegister(done.fields['n']!, t.r.oneIn(3) ? (t.r.u32() & ~0x1f) | t.r.pick(privilegedModes) : t.status());
    }
  }
  t.emit(set(t, 'MRS_A1', 'MRS_T1'), { r: 0, d: t.r.below(13) });
};

const mrsOnly: Kind = (t) => mrs(t);

const banked: Kind = (t) => {
  privileged(t);
  const name = t.r.pick(['MRS_banked', 'MSR_banked']);
  t.emit(`${name}_${t.thumb ? 'T1' : 'A1'}`);
};

const cps: Kind = (t) => {
  privileged(t);
  const names = t.thumb ? ['CPS_mask_T2', 'CPS_mask_mode_T2', 'CPS_mode_T2', 'CPS_T1'] : ['CPS_mask_A1', 'CPS_mask_mode_A1', 'CPS_mode_A1'];
  for (let k = 1 + t.r.below(3); k > 0; k--) t.emit(t.r.pick(names), {}, (f) => f['m'] === undefined || isMode(f['m']));
  t.emit(set(t, 'MRS_A1', 'MRS_T1'), { r: 0, d: t.r.below(8) });
};

/** Loads and stores, without what is a family of its own, with effects beyond memory, or loads PC from what memory holds. */
const memory = (thumb: boolean) =>
  encodingsLike(
    thumb
      ? /^(LDR|STR|LDM|STM|PUSH|POP|VLDR|VSTR|VLDM|VSTM|VPUSH|VPOP|VLD\d|VST\d).*_T\d/
      : /^(LDR|STR|LDM|STM|PUSH|POP|VLDR|VSTR|VLDM|VSTM|VLD\d|VST\d).*_A\d/,
    /EX|_user_|_return_|_lit_/,
  );
/** PC as the base of a T32 VLDM or VSTM is UNPREDICTABLE. */
const multipleFromPc = (name: string, f: Readonly<Record<string, number>>): boolean => /^[VF](LDM|STM)/.test(name) && f['n'] === 15;
const memoryTargets = { A32: memory(false), T32: memory(true) };
const loadsPc = ({ encoding: { name }, fields: f }: Emitted): boolean =>
  /^(LDM|POP)/.test(name) ? (f['l']! & 0x8000) !== 0 || f['h'] === 1 : /^LDR_/.test(name) && f['t'] === 15;

/** A load or store with its base on `address`; small offsets in registers. */
const access = (t: TestWriter, address: () => number, target = t.r.pick(t.thumb ? memoryTargets.T32 : memoryTargets.A32)): void => {
  const done = t.emitTarget(
    target,
    {},
    (f) => !loadsPc({ encoding: target.encoding, fields: f }) && !multipleFromPc(target.encoding.name, f),
  );
  if (!done) return;
  const { n, m, i } = done.fields;
  if (m !== undefined && m !== n && m < 13) t.setRegister(m, t.r.below(8) * (t.r.oneIn(3) ? 1 : 4));
  const base = n ?? 13;
  // Half of the offsets are taken back, so that the access itself is where it should be.
  t.setRegister(base, address() - (i !== undefined && t.r.oneIn(2) ? i : 0));
};

const setend: Kind = (t) => {
  const e = t.r.below(2);
  t.emit(set(t, 'SETEND_A1', 'SETEND_T1'), { e });
  access(t, () => 0x46080800 + t.r.below(3));
  if (t.r.oneIn(2)) t.emit(set(t, 'SETEND_A1', 'SETEND_T1'), { e: 1 - e });
  access(t, () => 0x46080810);
};

const bigEndian: Kind = (t) => {
  t.setBits(at.CPSR, 0x200, 0x200);
  access(t, () => 0x46080800 + t.r.below(4));
  access(t, () => 0x46080800 + 4 * t.r.below(4));
};

const srs: Kind = (t) => {
  privileged(t, bankedModes);
  const mode = t.r.pick(privilegedModes);
  const suffix = t.thumb ? t.r.pick(['DB_T1', 'IA_T2']) : t.r.pick(['DA_A1', 'IA_A1', 'DB_A1', 'IB_A1']);
  t.emit(`SRS${suffix}`, { m: mode });
  const address = t.r.oneIn(3) ? t.dataAddress() : 0x46080800 + 4 * t.r.below(8);
  t.setRegister(13, address, mode);
};

/** PC and CPSR to return to, which end the test. */
const returnState = (t: TestWriter): [pc: number, cpsr: number] => {
  const thumb = t.r.oneIn(2);
  // An IT block that the return lands in.
  const it = thumb && t.r.oneIn(3) ? (t.r.below(14) << 4) | (1 + t.r.below(15)) : 0;
  const cpsr = t.status(t.r.pick(Object.values(MODES)), thumb, it);
  const pc = t.r.oneIn(5) ? t.r.pick(codeAddresses) : t.landing(thumb) & ~1;
  return [pc, cpsr];
};

const rfeWays: readonly (readonly [way: string, base: number])[] = [
  ['DA_A1', 4],
  ['IA_A1', 0],
  ['DB_A1', 8],
  ['IB_A1', -4],
  ['DB_T1', 8],
  ['IA_T2', 0],
];
const rfe: Kind = (t) => {
  privileged(t);
  const [way, delta] = t.r.pick(t.thumb ? rfeWays.slice(4) : rfeWays.slice(0, 4));
  const done = t.emit(`RFE${way}`);
  const frame = t.data(returnState(t));
  if (done) t.setRegister(done.fields['n']!, (t.r.oneIn(4) ? t.faultingAddress() : frame) + delta);
};

const ldmReturn: Kind = (t) => {
  if (t.thumb) return exceptionReturn(t);
  t.setMode(t.r.pick(bankedModes));
  const way = t.r.pick(['IA', 'IB', 'DA', 'DB']);
  const done = t.emit(`LDM${way}_return_A1`);
  if (!done) return;
  const [pc, spsr] = returnState(t);
  const last = t.data([pc]);
  t.setSpsr(spsr);
  let count = 1;
  for (let k = 0; k < 15; k++) count += (done.fields['l']! >>> k) & 1;
  const first = last - 4 * (count - 1);
  const base = { IA: first, IB: first - 4, DA: last, DB: last + 4 }[way]!;
  t.setRegister(done.fields['n']!, t.r.oneIn(6) ? t.faultingAddress() : base);
};

const userBank: Kind = (t) => {
  if (t.thumb) return access(t, () => t.dataAddress());
  t.setMode(t.r.pick(bankedModes));
  const done = t.emit(`${t.r.pick(['LDM', 'STM'])}${t.r.pick(['IA', 'IB', 'DA', 'DB'])}_user_A1`);
  if (done) t.setRegister(done.fields['n']!, t.r.oneIn(5) ? t.dataAddress() : 0x46080800 + 4 * t.r.below(8));
};

const returns = encodingsLike(/^(AND|EOR|SUB|RSB|ADD|ADC|SBC|RSC|ORR|MOV|BIC|MVN)_(imm|reg)_A\d/);
const exceptionReturn: Kind = (t) => {
  t.setMode(t.r.pick(bankedModes));
  const [pc, spsr] = returnState(t);
  t.setSpsr(spsr);
  const way = t.r.below(3);
  if (t.thumb) {
    const done = t.emit('SUBS_PC_LR_T1');
    t.setRegister(14, pc + (done?.fields['i'] ?? 0));
  } else if (way === 0) {
    const done = t.emit('SUB_imm_A1', { s: 1, n: 14, d: 15, r: 0, c: 14 });
    t.setRegister(14, pc + (done?.fields['i'] ?? 0));
  } else if (way === 1) {
    t.emit('MOV_reg_A1', { s: 1, d: 15, m: 14, c: 14 });
    t.setRegister(14, pc);
  } else {
    // ORR and its like of two registers with the same value, or anything with PC as the result.
    const target = t.r.pick(returns);
    t.emitTarget(target, { s: 1, d: 15 });
    for (let n = 0; n < 13; n++) if (t.r.oneIn(2)) t.setRegister(n, t.r.oneIn(2) ? 0 : pc);
    t.setRegister(14, pc);
  }
};

const calls = encodingsLike(/^(SVC|BKPT|UDF|HVC|SMC|HLT)_/);
const call: Kind = (t) => {
  t.setRegister(0, t.r.below(40));
  const list = calls.filter(({ encoding }) => (encoding.isa === 'A32') !== t.thumb);
  t.emitTarget(t.r.pick(list), t.thumb ? {} : t.r.oneIn(3) ? {} : { c: 14 });
};

const sizes = ['', 'B', 'H', 'D'] as const;
const exclusive: Kind = (t) => {
  const bytes = { '': 4, B: 1, H: 2, D: 8 } as const;
  const size = t.r.pick(sizes);
  const n = t.r.below(4);
  const suffix = t.thumb ? 'T1' : 'A1';
  const address = t.r.oneIn(5) ? t.dataAddress() : 0x46080800 + t.r.below(4) * (t.r.oneIn(6) ? 1 : bytes[size]);
  t.setRegister(n, address);
  const immediate = (s: string): Record<string, number> => (t.thumb && s === '' ? { i: t.r.oneIn(4) ? 1 : 0 } : {});
  const high = (f: Readonly<Record<string, number>>): boolean =>
    f['t']! > 3 && (f['x'] ?? 4) > 3 && (f['d'] ?? 4) > 3 && f['t']! < 12 && (f['d'] ?? 4) < 13 && (f['x'] ?? 4) < 13;
  const always: Record<string, number> = t.thumb ? {} : { c: 14 };
  if (!t.r.oneIn(6)) t.emit(`LDREX${size}_${suffix}`, { n, ...immediate(size), ...always }, high);
  if (t.r.oneIn(5)) t.emit(`CLREX_${suffix}`);
  if (t.r.oneIn(6)) t.emit(`LDREX${t.r.pick(sizes)}_${suffix}`, { n, ...always }, high);
  const other = t.r.oneIn(4) ? t.r.pick(sizes) : size;
  const n2 = t.r.oneIn(4) ? (n + 1) & 3 : n;
  if (n2 !== n) t.setRegister(n2, t.r.oneIn(3) ? t.dataAddress() & ~7 : (address & ~7) + 8 * t.r.below(2));
  t.emit(`STREX${other}_${suffix}`, { n: n2, ...immediate(other), ...always }, high);
  if (t.r.oneIn(2)) t.emit(`STREX${size}_${suffix}`, { n, ...immediate(size), ...always }, high);
};

/** opc1, CRn, CRm, opc2; what may be written there. */
type Register = readonly [opc1: number, crn: number, crm: number, opc2: number, writes: 'any' | 'address' | 'read' | 'domains' | 'small'];
const registers: readonly Register[] = [
  ...[2, 3, 4, 1].map((k): Register => [0, 13, 0, k, 'any']),
  ...[0, 1, 2, 3, 5, 6].map((k): Register => [0, 0, 0, k, 'read']),
  ...[0, 1, 2, 3, 4, 5, 6, 7].flatMap((k): Register[] => [
    [0, 0, 1, k, 'read'],
    [0, 0, 2, k, 'read'],
  ]),
  [1, 0, 0, 1, 'read'],
  [1, 0, 0, 7, 'read'],
  [2, 0, 0, 0, 'small'],
  [1, 0, 0, 0, 'read'],
  [0, 1, 0, 0, 'read'],
  [0, 1, 0, 2, 'any'],
  [0, 2, 0, 0, 'read'],
  [0, 2, 0, 1, 'any'],
  [0, 2, 0, 2, 'read'],
  [0, 3, 0, 0, 'domains'],
  [0, 5, 0, 0, 'any'],
  [0, 5, 0, 1, 'any'],
  [0, 5, 1, 0, 'any'],
  [0, 5, 1, 1, 'any'],
  [0, 6, 0, 0, 'any'],
  [0, 6, 0, 2, 'any'],
  [0, 7, 4, 0, 'any'],
  ...[0, 1, 2, 3].map((k): Register => [0, 7, 8, k, 'address']),
  ...[0, 1, 4, 6, 7].map((k): Register => [0, 7, 5, k, 'address']),
  ...[1, 4, 5].map((k): Register => [0, 7, 10, k, 'address']),
  [0, 7, 11, 1, 'address'],
  [0, 7, 14, 1, 'address'],
  ...[0, 1, 2, 3].map((k): Register => [0, 8, 7, k, 'address']),
  [0, 10, 2, 0, 'any'],
  [0, 10, 2, 1, 'any'],
  [0, 12, 1, 0, 'read'],
  [0, 14, 0, 0, 'read'],
];
const cp15: Kind = (t) => {
  if (t.r.oneIn(3)) t.setMode(t.r.pick(privilegedModes));
  const suffix = t.thumb ? 'T1' : 'A1';
  const move = (name: 'MRC' | 'MCR', [o, n, m, q]: Register | readonly [number, number, number, number], register: number): void => {
    t.emit(`${name}_${suffix}`, { p: 15, o, n, m, q, t: register, ...(!t.thumb && !t.r.oneIn(8) && { c: 14 }) });
  };
  if (t.r.oneIn(8) && t.privileged) {
    // VBAR: kept, written, read back, and put back before anything is taken.
    const vbar = [0, 12, 0, 0];
    const all = t.thumb ? {} : { c: 14 };
    t.emit(`MRC_${suffix}`, { p: 15, o: 0, n: 12, m: 0, q: 0, t: 1, ...all });
    t.setRegister(2, t.r.u32());
    t.emit(`MCR_${suffix}`, { p: 15, o: 0, n: 12, m: 0, q: 0, t: 2, ...all });
    t.emit(`MRC_${suffix}`, { p: 15, o: 0, n: vbar[1]!, m: 0, q: 0, t: 3, ...all });
    t.emit(`MCR_${suffix}`, { p: 15, o: 0, n: 12, m: 0, q: 0, t: 1, ...all });
    return;
  }
  if (t.r.oneIn(10)) {
    // Coprocessors that are not there.
    t.emit(`${t.r.pick(['MRC', 'MCR', 'CDP', 'MRRC', 'MCRR', 'LDC', 'STC'])}_${suffix}`, { p: t.r.pick([0, 1, 4, 7, 8, 12, 13]) });
    return;
  }
  for (let k = 1 + t.r.below(2); k > 0; k--) {
    const register = t.r.pick(registers);
    const writes = register[4];
    // Two accesses do not share a register.
    const n = 4 * (k - 1) + t.r.below(4);
    if (writes !== 'read' && t.r.oneIn(2)) {
      const value = { any: t.r.u32(), address: t.dataAddress(), domains: (t.r.u32() & 0x55555550) | 0x41, small: t.r.below(6), read: 0 }[
        writes
      ];
      t.setRegister(n, value);
      move('MCR', register, n);
      if (writes === 'address') move('MRC', [0, 7, 4, 0], 8 + k);
      else move('MRC', register, 8 + k);
      if (writes === 'small') move('MRC', [1, 0, 0, 0], 10 + k);
    } else move('MRC', register, n);
  }
};

const fpUses = encodingsLike(
  /^(VADD|VMUL|VMOV|VCMP|VCVT|VLDR|VSTR|VLDM|VAND|VORR|VDUP|VLD1|VEXT|VABS|VNEG|VSQRT|VDIV|VMRS_fpscr|VMSR_fpscr)/,
);
const fpAvailability = (t: TestWriter): void => {
  t.input[at.CPACR] = t.r.pick([0x00f00000, 0x00f00000, 0x00500000, 0x00000000, 0x80f00000, 0x80500000]);
  t.input[at.FPEXC] = t.r.oneIn(3) ? 0 : 0x40000000;
};
const fpUse = (t: TestWriter): void => {
  const target = t.r.pick(fpUses.filter(({ encoding }) => (encoding.isa === 'A32') !== t.thumb));
  const done = t.emitTarget(target, {}, (f) => f['t'] !== 15 && !(t.thumb && multipleFromPc(target.encoding.name, f)));
  if (done?.fields['n'] !== undefined && /^VLD|^VST/.test(target.encoding.name)) t.setRegister(done.fields['n'], 0x46080800);
};
const fpSystem: Kind = (t) => {
  fpAvailability(t);
  const suffix = t.thumb ? 'T1' : 'A1';
  for (let k = 1 + t.r.below(2); k > 0; k--) {
    const name = t.r.pick(['VMRS', 'VMSR', 'VMRS_fpscr', 'VMSR_fpscr']);
    const n = t.r.below(8);
    t.setRegister(n, t.r.pick([0, 0x40000000, 0xc0000000, t.r.u32() & 0xf7c8009f, t.r.u32() & ~0x00370000]));
    if (name.endsWith('fpscr')) t.emit(`${name}_${suffix}`, { t: name === 'VMRS_fpscr' && t.r.oneIn(4) ? 15 : n });
    else t.emit(`${name}_${suffix}`, { r: t.r.pick(name === 'VMRS' ? [0, 6, 7, 8, 8] : [0, 8, 8]), t: n });
  }
  if (t.r.oneIn(2)) fpUse(t);
};
const fpOff: Kind = (t) => {
  fpAvailability(t);
  fpUse(t);
};

const unprivilegedTargets = encodingsLike(/^(LDR|STR)(B|H|SB|SH)?T_/);
const unprivileged: Kind = (t) => {
  t.setMode(t.r.pick(privilegedModes));
  domains(t);
  const list = unprivilegedTargets.filter(({ encoding }) => (encoding.isa === 'A32') !== t.thumb);
  access(t, () => t.dataAddress(), t.r.pick(list));
};

const domains = (t: TestWriter): void => {
  t.input[at.DACR] = 1 | (t.r.pick([0, 1, 1, 3]) << 4);
};
const alignment: Kind = (t) => {
  if (!t.r.oneIn(4)) t.setBits(at.SCTLR, 2, 2);
  access(t, () => (t.r.oneIn(3) ? t.dataAddress() + t.r.below(8) : 0x46080800 + t.r.below(8)));
};
const dataAbort: Kind = (t) => {
  domains(t);
  // With SCTLR.AFE, AP[0] is the access flag.
  if (t.r.oneIn(5)) t.setBits(at.SCTLR, 1 << 29, 1 << 29);
  access(t, () => t.dataAddress());
};

const prefetchAbort: Kind = (t) => {
  domains(t);
  if (t.r.oneIn(5)) t.setBits(at.SCTLR, 1 << 29, 1 << 29);
  const m = t.r.below(13);
  t.setRegister(m, t.r.pick(codeAddresses) + (t.r.oneIn(2) ? 1 : 0));
  t.emit(t.thumb ? t.r.pick(['BX_T1', 'BLX_reg_T1']) : t.r.pick(['BX_A1', 'BLX_reg_A1']), t.thumb ? { m } : { m, c: 14 });
};

/** Handlers in T32. */
const thumbHandlers: Kind = (t) => {
  t.setBits(at.SCTLR, 1 << 30, 1 << 30);
  t.r.pick([call, dataAbort, prefetchAbort, cp15, ...(t.thumb ? [it, itEvent] : [])])(t);
};

const NOT_ALONE =
  /^(MCR|MRC|MCRR|MRRC|LDC|STC|CDP|CPS|MSR|MRS|RFE|SRS|HINT|HVC|SMC|HLT|B_|BL_|BLX_imm|CBZ|IT_|SETEND|SWP|SUBS_PC|VMRS|VMSR|BKPT|LDM.._return|LDM.._user|STM.._user|STREX|LDREX|CLREX|BXJ|TBB)/;
/** Not in IT blocks: UNPREDICTABLE there. */
const anywhere = encodingsLike(/./, NOT_ALONE);
const writesPc = (name: string, f: Readonly<Record<string, number>>): boolean =>
  /^(BX|BLX)/.test(name) || f['d'] === 15 || f['t'] === 15 || (/^(LDM|POP)/.test(name) && ((f['l']! & 0x8000) !== 0 || f['h'] === 1));
const inBlock = anywhere.filter(({ encoding }) => encoding.isa !== 'A32');

const any: Kind = (t) => {
  t.setMode(t.r.pick(privilegedModes));
  const target = t.r.pick(anywhere.filter(({ encoding }) => (encoding.isa === 'A32') !== t.thumb));
  const done = t.emitTarget(target, {}, (f) => (t.thumb ? !multipleFromPc(target.encoding.name, f) : f['d'] !== 15 || f['s'] !== 1));
  if (done?.fields['n'] !== undefined && t.r.oneIn(2)) t.setRegister(done.fields['n'], t.dataAddress());
};

/** Condition and mask of a block of `count`: 1110 has no else. */
const block = (t: TestWriter, count: number): { condition: number; mask: number } => {
  const condition = t.r.below(15);
  let mask = 1 << (4 - count);
  for (let k = 0; k < count - 1; k++) {
    const opposite = condition !== 14 && t.r.oneIn(2);
    mask |= ((condition & 1) ^ (opposite ? 1 : 0)) << (3 - k);
  }
  return { condition, mask };
};

/** `event` writes the instruction at a random place of the block. */
const ifThen = (t: TestWriter, event: ((last: boolean) => void) | undefined): void => {
  const count = 1 + t.r.below(4);
  const { condition, mask } = block(t, count);
  if (t.r.oneIn(3)) {
    // Enters the block by an exception return.
    const state = (condition << 4) | mask;
    t.setBits(at.CPSR, 0x0600fc00, ((state & 3) << 25) | ((state >>> 2) << 10));
  } else t.emit('IT_T1', { q: condition, m: mask });
  const place = event === undefined ? -1 : t.r.below(count);
  for (let k = 0; k < count; k++) {
    const last = k === count - 1;
    if (k === place) {
      event?.(last);
      continue;
    }
    for (let tries = 0; tries < 20; tries++) {
      const target = t.r.pick(inBlock);
      if (t.emitTarget(target, {}, (f) => (last || !writesPc(target.encoding.name, f)) && !multipleFromPc(target.encoding.name, f))) break;
    }
  }
};
const it: Kind = (t) => ifThen(t, undefined);
const itEvent: Kind = (t) =>
  ifThen(t, () => {
    const what = t.r.below(5);
    if (what === 0) t.emit('SVC_T1');
    else if (what === 1) t.emit(t.r.pick(['UDF_T1', 'UDF_T2']));
    else if (what === 2) t.emit('MRS_T1', { r: 0, d: t.r.below(13) });
    else access(t, () => t.dataAddress());
  });

export const kinds: Readonly<Record<string, Kind>> = {
  statusRegister,
  mrsOnly,
  banked,
  cps,
  setend,
  bigEndian,
  srs,
  rfe,
  ldmReturn,
  userBank,
  exceptionReturn,
  call,
  exclusive,
  cp15,
  fpSystem,
  fpOff,
  unprivileged,
  alignment,
  dataAbort,
  prefetchAbort,
  thumbHandlers,
  any,
  it,
  itEvent,
};
/** IT blocks are T32 only. */
export const thumbOnly: ReadonlySet<string> = new Set(['it', 'itEvent']);

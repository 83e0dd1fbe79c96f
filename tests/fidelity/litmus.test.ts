import type { VirtMachineOptions } from '@tablewalk/board-qemu-virt';
import { describe, expect, it } from 'vitest';
import { L1B, L2, machine, NC, NON_GLOBAL, op, outcome, PA1, PA2, WB, X } from './support.js';

interface Litmus {
  readonly name: string;
  readonly cpu: string;
  readonly body: string;
  /** X's first mapping. */
  readonly first?: number;
  /** r4 with models, and without. */
  readonly architectural: number;
  readonly transparent: number;
  readonly options?: VirtMachineOptions;
}

const both = (value: number): Pick<Litmus, 'architectural' | 'transparent'> => ({ architectural: value, transparent: value });
const hidden = (architectural: number, transparent: number): Pick<Litmus, 'architectural' | 'transparent'> => ({
  architectural,
  transparent,
});
const noncoherent: VirtMachineOptions = { walk: 'noncoherent' };

/** `use` X, then give it another page: what every program of the first group has in common. */
const use = op.load('r5', X);
const remap = op.map(PA2 | WB) + op.cleanU(L2) + op.dsb;
const see = op.load('r4', X);
const WB_GLOBAL = PA1 | WB;
const tagged = (PA1 | WB | NON_GLOBAL) >>> 0;

/** A page of code at X: two instructions, `mov r4, #n; bx lr`. */
const movR4 = (n: number): number => (0xe3a04000 | n) >>> 0;
const BX_LR = 0xe12fff1e;
const writeCode = (at: number, n: number): string => op.store(at, movR4(n)) + op.store(at + 4, BX_LR);
const cleanCode = (at: number): string => op.cleanU(at) + op.dsb;
const call = (at: number): string => `ldr r3, =${at}\nblx r3\n`;
const CODE = 0x40280000;

const rewritten = (invalidate: string): string =>
  writeCode(CODE, 1) +
  cleanCode(CODE) +
  op.iciallu +
  op.dsb +
  op.isb +
  call(CODE) +
  writeCode(CODE, 2) +
  cleanCode(CODE) +
  invalidate +
  op.dsb +
  op.isb +
  call(CODE);
/** A second address of the code, one page on in the colours of an instruction cache. */
const ALIAS = X + 0x1000;
const alias = op.store(L2 + 4, CODE | WB) + op.cleanU(L2 + 4) + op.dsb + op.isb;

/** Vectors: two instructions at an offset, `mov r4, #n` and one that returns. */
const VECTORS = 0x402c0000;
const MOVS_PC_LR = 0xe1b0f00e;
const SUBS_PC_LR_4 = 0xe25ef004;
const vector = (at: number, n: number, back: number): string => op.store(at, movR4(n)) + op.store(at + 4, back) + op.cleanU(at);
const ready = op.dsb + op.iciallu + op.dsb + op.vbar(VECTORS) + op.isb;
const onAbort = `${vector(VECTORS + 0x10, 9, SUBS_PC_LR_4)}${ready}mov r4, #0\n`;
const onUndefined = `${vector(VECTORS + 0x04, 9, MOVS_PC_LR)}${ready}mov r4, #0\n`;
const enableVfp = 'ldr r0, =0xf00000\nmcr p15, 0, r0, c1, c0, 2\n';
const useVfp = 'mov r0, #0\nvmsr fpexc, r0\n';
const UNMAPPED = 0x60000000;

const programs: readonly Litmus[] = [
  // TLB retention
  { name: 'a stale entry is used after its descriptor changed', cpu: 'cortex-a15', body: use + remap + op.isb + see, ...hidden(1, 2) },
  { name: 'and on a Cortex-A9', cpu: 'cortex-a9', body: use + remap + op.isb + see, ...hidden(1, 2) },
  { name: 'and on a Cortex-A8', cpu: 'cortex-a8', body: use + remap + op.isb + see, ...hidden(1, 2) },
  { name: 'invalidated by MVA', cpu: 'cortex-a15', body: use + remap + op.tlbi(X, 5) + op.dsb + op.isb + see, ...both(2) },
  { name: 'a fresh mapping needs no invalidation', cpu: 'cortex-a15', body: remap + op.isb + see, ...both(2) },
  {
    name: 'TLBIMVA of another ASID leaves a non-global page',
    cpu: 'cortex-a15',
    first: tagged,
    body: use + op.map((PA2 | WB | NON_GLOBAL) >>> 0) + op.cleanU(L2) + op.dsb + op.tlbi(X, 6) + op.dsb + op.isb + see,
    ...hidden(1, 2),
  },
  {
    name: 'TLBIMVA of another ASID takes a global page',
    cpu: 'cortex-a15',
    body: use + remap + op.tlbi(X, 6) + op.dsb + op.isb + see,
    ...both(2),
  },
  {
    name: 'TLBIASID takes a non-global page',
    cpu: 'cortex-a15',
    first: tagged,
    body: use + op.map((PA2 | WB | NON_GLOBAL) >>> 0) + op.cleanU(L2) + op.dsb + op.tlbiAsid(5) + op.dsb + op.isb + see,
    ...both(2),
  },
  { name: 'TLBIASID leaves a global page', cpu: 'cortex-a15', body: use + remap + op.tlbiAsid(5) + op.dsb + op.isb + see, ...hidden(1, 2) },
  {
    name: 'ITLBIMVA alone leaves the data side of a split TLB',
    cpu: 'cortex-a8',
    body: use + remap + op.itlbi(X) + op.dsb + op.isb + see,
    ...hidden(1, 2),
  },
  { name: 'DTLBIMVA takes it', cpu: 'cortex-a8', body: use + remap + op.dtlbi(X) + op.dsb + op.isb + see, ...both(2) },
  {
    name: 'an ASID that is used again brings its old translations',
    cpu: 'cortex-a15',
    first: tagged,
    body: use + op.asid(0) + op.isb + op.ttbr0(L1B) + op.isb + op.asid(5) + op.isb + see,
    ...hidden(1, 2),
  },
  {
    name: 'not when it was invalidated',
    cpu: 'cortex-a15',
    first: tagged,
    body: use + op.asid(0) + op.isb + op.ttbr0(L1B) + op.isb + op.tlbiAsid(5) + op.dsb + op.asid(5) + op.isb + see,
    ...both(2),
  },
  {
    name: 'nor under another ASID',
    cpu: 'cortex-a15',
    first: tagged,
    body: use + op.ttbr0(L1B) + op.isb + op.asid(6) + op.isb + see,
    ...both(2),
  },

  // Table walks
  {
    name: 'a walk that is not coherent does not see a descriptor in the cache',
    cpu: 'armv7-weakest',
    body: op.map(PA2 | WB) + op.dsb + op.isb + see,
    ...hidden(1, 2),
  },
  { name: 'it does after a clean', cpu: 'armv7-weakest', body: op.map(PA2 | WB) + op.cleanU(L2) + op.dsb + op.isb + see, ...both(2) },
  {
    name: 'a Cortex-A8 walks past its L1, which holds what was loaded',
    cpu: 'cortex-a8',
    body: op.load('r5', L2) + op.map(PA2 | WB) + op.dsb + op.isb + see,
    ...hidden(1, 2),
  },
  { name: 'a Cortex-A15 through it', cpu: 'cortex-a15', body: op.map(PA2 | WB) + op.dsb + op.isb + see, ...both(2) },
  {
    name: 'unless its walks are told not to be',
    cpu: 'cortex-a15',
    body: op.map(PA2 | WB) + op.dsb + op.isb + see,
    ...hidden(1, 2),
    options: noncoherent,
  },

  // Data
  {
    name: 'an uncached alias does not see a dirty line',
    cpu: 'cortex-a15',
    first: PA1 | NC,
    body: op.store(PA1, 7) + see,
    ...hidden(1, 7),
  },
  {
    name: 'it does after a clean to the point of coherency',
    cpu: 'cortex-a15',
    first: PA1 | NC,
    body: op.store(PA1, 7) + op.cleanC(PA1) + op.dsb + see,
    ...both(7),
  },
  {
    name: 'the point of unification of a core with an L2 is not enough',
    cpu: 'cortex-a15',
    first: PA1 | NC,
    body: op.store(PA1, 7) + op.cleanU(PA1) + op.dsb + see,
    ...hidden(1, 7),
  },
  {
    name: 'a store past the cache is not seen by a line that is held',
    cpu: 'cortex-a15',
    first: PA1 | NC,
    body: op.load('r5', PA1) + op.store(X, 9) + op.dsb + op.load('r4', PA1),
    ...hidden(1, 9),
  },
  {
    name: 'it is after an invalidation',
    cpu: 'cortex-a15',
    first: PA1 | NC,
    body: op.load('r5', PA1) + op.store(X, 9) + op.dsb + op.invalidate(PA1) + op.dsb + op.load('r4', PA1),
    ...both(9),
  },
  {
    name: 'an invalidation loses a store',
    cpu: 'cortex-a15',
    body: op.store(PA1, 7) + op.invalidate(PA1) + op.dsb + op.load('r4', PA1),
    ...hidden(1, 7),
  },
  {
    name: 'clean and invalidate does not',
    cpu: 'cortex-a15',
    body: op.store(PA1, 7) + op.cleanInvalidate(PA1) + op.dsb + op.load('r4', PA1),
    ...both(7),
  },
  {
    name: 'with the MMU and the caches off a dirty line is not seen',
    cpu: 'cortex-a7',
    body: op.store(PA1, 7) + op.control(0, 0x1005) + op.isb + op.load('r4', PA1),
    ...hidden(1, 7),
  },
  {
    name: 'it is when it was cleaned',
    cpu: 'cortex-a7',
    body: op.store(PA1, 7) + op.cleanC(PA1) + op.dsb + op.control(0, 0x1005) + op.isb + op.load('r4', PA1),
    ...both(7),
  },
  {
    name: 'a line written past the cache is lost when a dirty copy goes back',
    cpu: 'cortex-a15',
    first: PA1 | NC,
    body: op.store(PA1 + 4, 3) + op.store(X, 9) + op.dsb + op.cleanC(PA1) + op.dsb + see,
    ...hidden(1, 9),
  },

  // Instructions
  {
    name: 'stored code is not fetched from the data cache',
    cpu: 'cortex-a15',
    body:
      writeCode(CODE, 1) + cleanCode(CODE) + op.iciallu + op.dsb + op.isb + call(CODE) + writeCode(CODE, 2) + op.dsb + op.isb + call(CODE),
    ...hidden(1, 2),
  },
  {
    name: 'cleaned code is not fetched while the instruction cache holds the old',
    cpu: 'cortex-a15',
    body:
      writeCode(CODE, 1) +
      cleanCode(CODE) +
      op.iciallu +
      op.dsb +
      op.isb +
      call(CODE) +
      writeCode(CODE, 2) +
      cleanCode(CODE) +
      op.isb +
      call(CODE),
    ...hidden(1, 2),
  },
  {
    name: 'ICIALLU without a clean finds the old code below',
    cpu: 'cortex-a15',
    body:
      writeCode(CODE, 1) +
      cleanCode(CODE) +
      op.iciallu +
      op.dsb +
      op.isb +
      call(CODE) +
      writeCode(CODE, 2) +
      op.iciallu +
      op.dsb +
      op.isb +
      call(CODE),
    ...hidden(1, 2),
  },
  {
    name: 'clean and ICIMVAU',
    cpu: 'cortex-a15',
    body:
      writeCode(CODE, 1) +
      cleanCode(CODE) +
      op.iciallu +
      op.dsb +
      op.isb +
      call(CODE) +
      writeCode(CODE, 2) +
      cleanCode(CODE) +
      op.icimvau(CODE) +
      op.dsb +
      op.isb +
      call(CODE),
    ...both(2),
  },
  {
    name: 'clean and ICIALLU',
    cpu: 'cortex-a7',
    body:
      writeCode(CODE, 1) +
      cleanCode(CODE) +
      op.iciallu +
      op.dsb +
      op.isb +
      call(CODE) +
      writeCode(CODE, 2) +
      cleanCode(CODE) +
      op.iciallu +
      op.dsb +
      op.isb +
      call(CODE),
    ...both(2),
  },
  {
    name: 'ICIMVAU by an address of another colour does not reach the line',
    cpu: 'cortex-a9',
    body: alias + rewritten(op.icimvau(ALIAS)),
    ...hidden(1, 2),
  },
  { name: 'by one of its own it does', cpu: 'cortex-a9', body: alias + rewritten(op.icimvau(CODE)), ...both(2) },
  { name: 'a cache that is indexed by PA has no colours', cpu: 'cortex-a15', body: alias + rewritten(op.icimvau(ALIAS)), ...both(2) },
  {
    name: 'code in a page that was never fetched needs its clean alone',
    cpu: 'cortex-a9',
    body: writeCode(CODE, 1) + cleanCode(CODE) + op.isb + call(CODE),
    ...both(1),
  },

  // Barriers, on the core that promises least
  { name: 'TLBI has no effect without DSB', cpu: 'armv7-weakest', body: use + remap + op.tlbi(X, 5) + op.isb + see, ...hidden(1, 2) },
  {
    name: 'a DSB that waits for stores alone does not complete it',
    cpu: 'armv7-weakest',
    body: `${use + remap + op.tlbi(X, 5)}dsb st\n${op.isb}${see}`,
    ...hidden(1, 2),
  },
  {
    name: 'it completes the clean of a descriptor',
    cpu: 'armv7-weakest',
    body: `${op.map(PA2 | WB) + op.cleanU(L2)}dsb st\n${op.isb}${see}`,
    ...both(2),
  },
  {
    name: 'without which the clean is not done',
    cpu: 'armv7-weakest',
    body: op.map(PA2 | WB) + op.cleanU(L2) + op.isb + see,
    ...hidden(1, 2),
  },
  { name: 'DSB completes it', cpu: 'armv7-weakest', body: use + remap + op.tlbi(X, 5) + op.dsb + op.isb + see, ...both(2) },
  {
    name: 'a switch of tables has no effect without ISB',
    cpu: 'armv7-weakest',
    first: tagged,
    body: op.asid(6) + op.ttbr0(L1B) + see,
    ...hidden(1, 2),
  },
  {
    name: 'ISB brings it',
    cpu: 'armv7-weakest',
    first: tagged,
    body: op.asid(0) + op.isb + op.ttbr0(L1B) + op.isb + op.asid(6) + op.isb + see,
    ...both(2),
  },
  { name: 'access to VFP comes with ISB', cpu: 'armv7-weakest', body: onUndefined + enableVfp + op.isb + useVfp, ...both(0) },
  { name: 'and not before', cpu: 'armv7-weakest', body: onUndefined + enableVfp + useVfp, ...hidden(9, 0) },
  {
    name: 'an exception before the ISB takes the old vectors',
    cpu: 'armv7-weakest',
    body: `${vector(VECTORS + 0x08, 1, MOVS_PC_LR) + vector(VECTORS + 0x108, 2, MOVS_PC_LR) + ready + op.vbar(VECTORS + 0x100)}svc #0\n`,
    ...hidden(1, 2),
  },
  {
    name: 'and after it the new',
    cpu: 'armv7-weakest',
    body: `${vector(VECTORS + 0x08, 1, MOVS_PC_LR) + vector(VECTORS + 0x108, 2, MOVS_PC_LR) + ready + op.vbar(VECTORS + 0x100) + op.isb}svc #0\n`,
    ...both(2),
  },
  {
    name: 'CCSIDR follows CSSELR at the ISB',
    cpu: 'armv7-weakest',
    body: `mov r0, #1\nmcr p15, 2, r0, c0, c0, 0\nmrc p15, 1, r5, c0, c0, 0\nisb sy\nmrc p15, 1, r6, c0, c0, 0\nsubs r4, r5, r6\nmovne r4, #1\n`,
    ...hidden(1, 0),
  },

  // Maintenance of what is not there
  {
    name: 'a clean of an address that does not translate is an abort',
    cpu: 'cortex-a15',
    body: onAbort + op.cleanC(UNMAPPED),
    ...hidden(9, 0),
  },
  { name: 'an ICIMVAU is too', cpu: 'cortex-a7', body: onAbort + op.icimvau(UNMAPPED), ...hidden(9, 0) },
  {
    name: 'not with the MMU off',
    cpu: 'cortex-a15',
    body: `${onAbort + op.cleanInvalidate(CODE) + op.control(0, 0x1005) + op.isb + op.invalidate(UNMAPPED)}mov r4, #3\n`,
    ...both(3),
  },
  {
    name: 'a read of the register sees the write at once',
    cpu: 'armv7-weakest',
    body: `${op.asid(6)}mrc p15, 0, r4, c13, c0, 1\n`,
    ...both(6),
  },
];

describe('litmus programs', () => {
  it.each(programs)('$cpu: $name', { timeout: 60_000 }, ({ cpu, body, first, architectural, transparent, options }) => {
    const run = (more: VirtMachineOptions): number | undefined => outcome(machine(body, { cpu, ...more }, first ?? WB_GLOBAL))?.r4;
    expect(run({ fidelity: 'architectural', engine: 'interpreter', ...options })).toBe(architectural);
    expect(run({ fidelity: 'architectural', retain: 'finite', ...options })).toBe(architectural);
    expect(run({ fidelity: 'architectural', engine: 'wasm', translation: { heat: 1, batch: 1, cold: true }, ...options })).toBe(
      architectural,
    );
    expect(run({ fidelity: 'measured', ...options })).toBe(architectural);
    expect(run({ tlb: 'none', cache: 'none' })).toBe(transparent);
  });
});

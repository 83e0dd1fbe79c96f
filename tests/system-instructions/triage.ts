import type { TestView } from './compare.js';
import * as at from './layout.js';

/** A difference from QEMU 7.2 that is known, with the reason. Tests it covers are counted apart, never silently dropped. */
export interface Triaged {
  /** Whether the test is one of these. */
  readonly when: (test: TestView) => boolean;
  /** Words of the output record that it explains; absent: the whole result. */
  readonly words?: readonly number[];
  readonly reason: string;
}

const SPSRS = [at.FIQ + 7, at.IRQ + 2, at.SVC + 2, at.ABT + 2, at.UND + 2];
const GENERAL = Array.from({ length: at.UND + 2 }, (_, i) => i).filter((i) => !SPSRS.includes(i));
const MEMORY = at.OUTPUT_WORDS - 2;
const VECTORS = at.OUTPUT_WORDS - 1;

/** The bits in which the word differs. */
const bits = ({ expected, actual }: TestView, word: number): number => (expected[word]! ^ actual[word]!) >>> 0;
const has = (test: TestView, pattern: RegExp): boolean => test.text.some((line) => pattern.test(line));
const dataAbort = ({ expected, actual }: TestView): boolean => expected[at.PC] === 4 && actual[at.PC] === 4;
const size = (line: string): string => /(?:ld|st)rex([bhd]?)/.exec(line)![1]!;

/** QEMU's domain fault of a page where this core has a translation fault of the page. */
const domainFirst =
  (word: number) =>
  ({ expected, actual }: TestView): boolean =>
    (expected[word]! & 0xf) === 0xb && (actual[word]! & 0xf) === 7 && ((expected[word]! ^ actual[word]!) & ~0xfc) === 0;

export const triage: readonly Triaged[] = [
  {
    when: (t) => (bits(t, at.IFSR) & ~0xf0) === 0,
    words: [at.IFSR],
    reason:
      'IFSR has no domain field (ARM DDI 0406C, B4.1.96: bits 8:4 are UNK/SBZP): QEMU writes the domain of DFSR there, here they are 0',
  },
  ...[at.DFSR, at.IFSR].map((word) => ({
    when: domainFirst(word),
    words: [word],
    reason:
      'a missing page is a translation fault before its domain is looked at (B3.12.1, TranslationTableWalkSD in B3.19.6): QEMU checks the domain when it has the first-level descriptor',
  })),
  {
    when: (t) => has(t, /(^| )(and|eor|rsb|add|adc|sbc|rsc|orr|bic|mvn)s\w* pc,/),
    reason:
      'every flag-setting data-processing instruction with PC as its result returns from an exception (B9.3.20): QEMU does so for SUBS and MOVS only',
  },
  ...SPSRS.map((word) => ({
    when: (t: TestView) => has(t, / msr\w* SPSR_/i) && (bits(t, word) & ~0x00f00000) === 0,
    words: [word],
    reason: 'bits 23:20 of an SPSR are reserved (B1.3.3: UNK/SBZP): QEMU keeps them, here they are 0',
  })),
  {
    when: (t) => {
      const sizes = t.text.filter((line) => / (ld|st)rex/.test(line)).map(size);
      return new Set(sizes).size > 1;
    },
    reason:
      'a Store-Exclusive of another size than the Load-Exclusive before it is UNPREDICTABLE (A3.4.5): QEMU compares values, here it fails',
  },
  {
    when: (t) => has(t, / strex/) && t.expected[at.PC] === 2 && t.actual[at.PC] === 4,
    reason:
      'a Store-Exclusive to a misaligned address faults before the monitor is looked at (ExclusiveMonitorsPass, B2.4.8), and for other aborts the order is IMPLEMENTATION DEFINED (A8.8.212): QEMU returns 1 when the address is not the marked one',
  },
  {
    when: (t) => has(t, / vmov\w* pc, s/),
    words: [at.CPSR, ...SPSRS],
    reason: 'VMOV to PC is UNPREDICTABLE (A8.8.343): QEMU writes the flags as VMRS does, here nothing is written',
  },
  {
    when: (t) => has(t, /:256\]/),
    reason: 'an address that says :256 must be 32-byte aligned (A8.8.320); QEMU looks at 16 bytes only',
  },
  {
    when: (t) => dataAbort(t) && has(t, / (ldm|pop|vldm|fldm|vpop|vld[1-4]|ldrd)/),
    words: [...GENERAL, VECTORS],
    reason:
      'registers that an aborted multiple load would have loaded are UNKNOWN (B1.9.8): QEMU has loaded those before the fault, here none',
  },
  {
    when: (t) => dataAbort(t) && has(t, / (stm|push|vstm|fstm|vpush|vst[1-4]|strd|srs)/),
    words: [MEMORY],
    reason:
      'memory that an aborted multiple store would have written is UNKNOWN (B1.9.8): QEMU has written what came before the fault, here nothing',
  },
  {
    when: ({ expected, actual }) =>
      (actual[at.ABT + 2]! & 0x20) === 0 &&
      actual[at.PC] === 3 &&
      expected[at.IFAR]! - actual[at.IFAR]! === 2 &&
      (actual[at.IFAR]! & 3) === 0,
    words: [at.IFAR, ...GENERAL],
    reason:
      'a branch to an A32 address with bit 1 set is UNPREDICTABLE (A2.3.1): QEMU goes to the odd halfword and faults there, here bit 1 is dropped',
  },
  {
    when: (t) =>
      has(t, / v(ld|st)1\.64 /) && (t.input[at.SCTLR]! & 2) !== 0 && t.expected[at.PC] === 4 && (t.expected[at.DFSR]! & 0xf) === 1,
    reason: 'with SCTLR.A, 64-bit elements are two words and word alignment is enough (A8.8.320); QEMU wants 8 bytes',
  },
];

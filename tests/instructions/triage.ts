/** A difference from QEMU 7.2 that is known, with the reason. Tests it covers are counted apart, never silently dropped. */
export interface Triaged {
  /** Names of records. */
  readonly encodings: RegExp;
  /** Only these instruction words (T32: first halfword in the upper half); absent: all of the encoding. */
  readonly when?: (word: number) => boolean;
  /** Words of the output record that may differ; absent: the whole result. */
  readonly words?: readonly number[];
  readonly reason: string;
}

const FAR = 19;

const ODD_HALFWORD =
  'a branch to an A32 address with bit 1 set is UNPREDICTABLE (A2.3.1): QEMU goes to the odd halfword and faults there, here bit 1 is dropped';

export const triage: readonly Triaged[] = [
  {
    encodings: /^BKPT_/,
    words: [FAR],
    reason: 'IFAR is UNKNOWN after a debug event (ARM DDI 0406C, B3.12.3): QEMU writes 0, this core leaves it alone',
  },
  {
    encodings: /^SWPB?_A1$/,
    reason: 'QEMU executes SWP without regard to SCTLR.SW; here it is UNDEFINED until SW is set, as B4.1.130 says',
  },
  {
    encodings: /^STREX/,
    reason:
      'without a marked monitor it is IMPLEMENTATION DEFINED whether a faulting address aborts (A8.8.212): QEMU returns 1, this core aborts',
  },
  {
    encodings: /^V(LD|ST)[1-4]_multiple/,
    when: (word) => ((word >>> 4) & 3) === 3,
    reason: 'an address that says :256 must be 32-byte aligned (A8.8.320); QEMU looks at 16 bytes only',
  },
  {
    encodings: /^(AND|EOR|SUB|RSB|ADD|ADC|SBC|RSC|ORR|MOV|BIC|MVN)_/,
    when: (word) => (word & 0x0010f000) === 0x0010f000,
    reason: 'an exception return by data processing in User mode is UNPREDICTABLE (B9.3.20): QEMU branches, here it is UNDEFINED',
  },
  {
    encodings: /^(AND|EOR|SUB|RSB|ADD|ADC|SBC|RSC|ORR|MOV|BIC|MVN|LDR|LSL|LSR|ASR|ROR|RRX)_?/,
    when: (word) => ((word >>> 12) & 15) === 15,
    words: [15, 17, 18, FAR],
    reason: ODD_HALFWORD,
  },
  {
    encodings: /^(LDM|POP|BX|BLX_reg)_?/,
    words: [15, 17, 18, FAR],
    reason: ODD_HALFWORD,
  },
  {
    encodings: /^V(LDM|STM)_.*_T1$|^F(LDM|STM)X?_.*_T1$/,
    when: (word) => ((word >>> 16) & 15) === 15,
    reason: 'PC as the base of a T32 VLDM or VSTM is UNPREDICTABLE (A8.8.332): QEMU executes it, here it is UNDEFINED',
  },
  {
    encodings: /^(LDC|STC)_/,
    when: (word) => ((word >>> 8) & 15) === 9,
    reason: 'QEMU 7.2 executes half-precision VLDR and VSTR on cores without them',
  },
  {
    encodings: /^VMOV_single_to_core/,
    when: (word) => ((word >>> 12) & 15) === 15,
    words: [16],
    reason: 'VMOV to PC is UNPREDICTABLE (A8.8.343): QEMU writes the flags as VMRS does, here nothing is written',
  },
  {
    encodings: /^(B|BL|BLX_imm|CBZ|CBNZ)_/,
    reason:
      'a branch that lands among the words of other tests runs whatever stands there, UNPREDICTABLE words too; the others must agree all the same',
  },
];

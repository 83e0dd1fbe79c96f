/** A difference from QEMU 7.2 that is known, with the reason. Tests it covers are counted apart, never silently dropped. */
export interface Triaged {
  /** Names of records. */
  readonly encodings: RegExp;
  /** Words of the output record that may differ; absent: the whole result. */
  readonly words?: readonly number[];
  readonly reason: string;
}

const FAR = 19;

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
];

/** Where a batch lies in guest RAM: see harness/harness.S. Addresses are physical, offsets and lengths in bytes. */
export const RAM_BASE = 0x40000000;
export const RAM_BYTES = 512 * 1024 * 1024;
export const CONTROL = 0x48000000;
export const CODE = 0x47000000;
export const CODE_BYTES = 32;
export const INPUT = 0x48100000;
export const OUTPUT = 0x50000000;
export const RECORD_BYTES = 0x180;
/** Code slots end at 0x47800000. */
export const BATCH_MAX = 250_000;

/** Words of an input record. */
export const IN_REGISTERS = 8;
export const IN_CPSR = 0x17;
export const IN_FPSCR = 0x18;
export const IN_FLAGS = 0x19;
export const IN_VECTORS = 0x20;

/** Words of an output record. */
export const OUT_LR = 15;
export const OUT_SPSR = 16;
export const OUT_TYPE = 17;
export const OUT_FPSCR = 20;
export const OUT_VECTORS = 32;
/** The watchdog ended the test: nothing else of the record is written, and it depends on the host's load. */
export const TYPE_STUCK = 5;

/** Inputs and code of a batch. `cases` is the record's name or what the word is instead. */
export interface Batch {
  readonly count: number;
  /** `count` slots of 8 words. */
  readonly code: Uint32Array;
  /** `count` records of 96 words. */
  readonly input: Uint32Array;
  /** Index into `names` for each test. */
  readonly kinds: Uint16Array;
  readonly names: readonly string[];
}

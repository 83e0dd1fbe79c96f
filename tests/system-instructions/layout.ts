/** Where a batch lies in guest RAM: see harness/harness.S. Addresses are physical, offsets and lengths in bytes. */
export const RAM_BASE = 0x40000000;
export const RAM_BYTES = 512 * 1024 * 1024;
export const CONTROL = 0x48000000;
export const CODE = 0x47000000;
export const CODE_WORDS = 16;
export const INPUT = 0x48100000;
export const OUTPUT = 0x50000000;
export const RECORD_WORDS = 96;
/** One run of the harness; code slots would end at 131,072. */
export const BATCH_MAX = 100_000;

/** Words of input and output records: r0-r12 (User mode's r8-r12), then SP and LR of User mode, then the banks. */
export const SP_USR = 13;
export const LR_USR = 14;
/** r8-r12, SP, LR and SPSR of FIQ mode. */
export const FIQ = 15;
/** SP, LR and SPSR of the others. */
export const IRQ = 23;
export const SVC = 26;
export const ABT = 29;
export const UND = 32;
export const CPSR = 35;
/** PC of the test going in; the exception's vector coming out: 0 reset, 1 undefined, 2 SVC, 3 prefetch abort, 4 data abort, 6 IRQ, 7 FIQ. */
export const PC = 36;
/** Going in: the bits to invert. */
export const SCTLR = 37;
export const CPACR = 38;
export const DACR = 39;
export const FPEXC = 40;
export const FPSCR = 41;
export const CONTEXTIDR = 43;
export const TPIDRURW = 44;
export const TPIDRURO = 45;
export const CSSELR = 46;
export const DFSR = 47;
export const DFAR = 48;
export const IFSR = 49;
export const IFAR = 50;
/** Words of an output record in use. */
export const OUTPUT_WORDS = 54;
/** d0-d15, and again as d16-d31. */
export const VECTORS = 64;

export const wordNames: readonly string[] = [
  ...Array.from({ length: 13 }, (_, i) => `r${i}`),
  ...['sp_usr', 'lr_usr', 'r8_fiq', 'r9_fiq', 'r10_fiq', 'r11_fiq', 'r12_fiq', 'sp_fiq', 'lr_fiq', 'spsr_fiq'],
  ...['irq', 'svc', 'abt', 'und'].flatMap((mode) => [`sp_${mode}`, `lr_${mode}`, `spsr_${mode}`]),
  ...['cpsr', 'vector', 'SCTLR', 'CPACR', 'DACR', 'FPEXC', 'FPSCR', 'VBAR', 'CONTEXTIDR', 'TPIDRURW', 'TPIDRURO', 'CSSELR'],
  ...['DFSR', 'DFAR', 'IFSR', 'IFAR', 'PAR', 'memory', 'vectors'],
];

/** `SVC` in both instruction sets: ends a test, fills what nothing else does. */
export const END = 0xef00df5a;

/** Executable pages of the harness that hold nothing but END. */
export const filledPages: readonly number[] = [
  0x46088000, 0x46089000, 0x4608a000, 0x4608b000, 0x46182000, 0x46300000, 0x46400000, 0x46500000, 0x46600000, 0x46700000,
];

export interface Batch {
  readonly count: number;
  /** What kind of test each is. */
  readonly kinds: Uint8Array;
  readonly kindNames: readonly string[];
  /** `count` slots of CODE_WORDS. */
  readonly code: Uint32Array;
  /** `count` records of RECORD_WORDS. */
  readonly input: Uint32Array;
}

/** What goes to guest RAM before the harness starts. */
export const ramOf = (batch: Batch): readonly (readonly [address: number, words: Uint32Array])[] => [
  [CONTROL, new Uint32Array([batch.count, 0, 0])],
  [CODE, batch.code],
  [INPUT, batch.input],
  ...filledPages.map((page) => [page, new Uint32Array(1024).fill(END)] as const),
];

/** The batch with nothing to do but in the tests `kept`, which stay where they are. */
export const aloneIn = (batch: Batch, kept: ReadonlySet<number>): Batch => ({
  ...batch,
  code: batch.code.map((word, i) => (kept.has(Math.floor(i / CODE_WORDS)) ? word : END)),
});

export const bytesOf = (words: Uint32Array): Uint8Array => new Uint8Array(words.buffer, words.byteOffset, words.byteLength);

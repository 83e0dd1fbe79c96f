import type { CoreProfile } from './profile.js';

/** What came with the Multiprocessing Extensions, and what this core's debug architecture (v7.0) has not. */
export const uniprocessorAbsent: readonly string[] = [
  'TLBIALLIS',
  'TLBIMVAIS',
  'TLBIASIDIS',
  'TLBIMVAAIS',
  'TLBIMVAA',
  'ICIALLUIS',
  'BPIALLIS',
  'CBAR',
  'AMAIR0',
  'AMAIR1',
  'DBGDEVID',
  'DBGDEVID1',
  'DBGDEVID2',
];

/**
 * Cortex-A8 r3p2 with 32 KiB L1 caches and a 256 KiB L2 (Cortex-A8 TRM, ARM DDI 0344K, chapter 3; the feature registers are those of 3.2.6 to 3.2.19).
 * It has neither the Multiprocessing Extensions nor divide and fused multiply-add. ID_PFR1 is the board's: no Security Extensions, and the generic
 * timer that `virt` gives every core. L2CTLR is where this core has its L2 auxiliary control register.
 */
export const cortexA8: CoreProfile = {
  name: 'cortex-a8',
  compatible: 'arm,cortex-a8',
  features: new Set(['vfp', 'neon', 'd32']),
  lpae: false,
  sctlrReset: 0x00c50078,
  absent: uniprocessorAbsent,
  resetUnknown: true,
  id: {
    MIDR: 0x413fc082,
    CTR: 0x82048004,
    TCMTR: 0,
    TLBTR: 0x00202001,
    MPIDR: 0,
    REVIDR: 0x413fc082,
    ID_PFR0: 0x00001031,
    ID_PFR1: 0x00010001,
    ID_DFR0: 0x00000400,
    ID_AFR0: 0,
    ID_MMFR0: 0x31100003,
    ID_MMFR1: 0x20000000,
    ID_MMFR2: 0x01202000,
    ID_MMFR3: 0x00000011,
    ID_MMFR4: 0,
    ID_ISAR0: 0x00101111,
    ID_ISAR1: 0x12112111,
    ID_ISAR2: 0x21232031,
    ID_ISAR3: 0x11112131,
    ID_ISAR4: 0x00111142,
    ID_ISAR5: 0,
    ID_ISAR6: 0,
    CLIDR: 0x0a000023,
    AIDR: 0,
    ACTLR: 0x00000002,
    L2CTLR: 0x00000042,
    L2ECTLR: 0,
    CBAR: 0,
    PMCR: 0x41002000,
    DBGDIDR: 0x15141032,
    DBGDRAR: 0,
    DBGDSAR: 0,
    DBGDEVID: 0,
    DBGDEVID1: 0,
    DBGDEVID2: 0,
    JIDR: 0,
  },
  // 128 sets of 4 ways of 64 bytes, no write-allocate in L1D; 512 sets of 8 ways in the L2.
  ccsidr: { 0: 0xe00fe01a, 1: 0x200fe01a, 2: 0xf03fe03a },
  fpsid: 0x410330c3,
  mvfr0: 0x11110222,
  mvfr1: 0x00011111,
};

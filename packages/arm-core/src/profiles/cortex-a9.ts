import type { CoreProfile } from './profile.js';

/**
 * Cortex-A9 r4p1, the uniprocessor, with 32 KiB L1 caches and no L2 of its own (Cortex-A9 TRM, ARM DDI 0388I, chapter 4). It has the Multiprocessing
 * Extensions (MPIDR bit 31) and says that it is alone (bit 30). Walks go through the L1 data cache (ID_MMFR3.CohWalk); QEMU's Cortex-A9 says that they do
 * not, which `walk: 'noncoherent'` of a machine gives. ID_PFR1 is the board's, as for every core of `virt`.
 */
export const cortexA9: CoreProfile = {
  name: 'cortex-a9',
  compatible: 'arm,cortex-a9',
  features: new Set(['vfp', 'neon', 'mp', 'd32']),
  lpae: false,
  sctlrReset: 0x00c50078,
  absent: ['AMAIR0', 'AMAIR1', 'DBGDEVID', 'DBGDEVID1', 'DBGDEVID2'],
  resetUnknown: true,
  id: {
    MIDR: 0x414fc091,
    CTR: 0x80038003,
    TCMTR: 0,
    TLBTR: 0x00000402,
    MPIDR: 0xc0000000,
    REVIDR: 0,
    ID_PFR0: 0x00001031,
    ID_PFR1: 0x00010001,
    ID_DFR0: 0x00010444,
    ID_AFR0: 0,
    ID_MMFR0: 0x00100103,
    ID_MMFR1: 0x20000000,
    ID_MMFR2: 0x01230000,
    ID_MMFR3: 0x00102111,
    ID_MMFR4: 0,
    ID_ISAR0: 0x00101111,
    ID_ISAR1: 0x13112111,
    ID_ISAR2: 0x21232041,
    ID_ISAR3: 0x11112131,
    ID_ISAR4: 0x00111142,
    ID_ISAR5: 0,
    ID_ISAR6: 0,
    CLIDR: 0x09200003,
    AIDR: 0,
    ACTLR: 0,
    L2CTLR: 0,
    L2ECTLR: 0,
    CBAR: 0x08000000,
    PMCR: 0x41093000,
    DBGDIDR: 0x35141000,
    DBGDRAR: 0,
    DBGDSAR: 0,
    DBGDEVID: 0,
    DBGDEVID1: 0,
    DBGDEVID2: 0,
    JIDR: 0,
  },
  // 256 sets of 4 ways of 32 bytes.
  ccsidr: { 0: 0x701fe019, 1: 0x201fe019 },
  fpsid: 0x41033094,
  mvfr0: 0x11110222,
  mvfr1: 0x01111111,
};

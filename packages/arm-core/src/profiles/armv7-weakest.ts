import { cortexA8, uniprocessorAbsent } from './cortex-a8.js';
import type { CoreProfile } from './profile.js';

/**
 * No core that was ever built: the least that ARMv7-A promises, so that a kernel which runs here leans on nothing else. Software takes it for a Cortex-A8
 * r3p2 (a kernel that sees the Multiprocessing Extensions may leave out cleaning, and be right). 64 KiB VIPT caches with four colours and lines of 32
 * bytes, no L2, walks that look past the caches (ID_MMFR3.CohWalk 0), caches and TLB UNKNOWN after reset, and effects of CP15 writes and of maintenance as
 * late as they may come.
 */
export const armv7Weakest: CoreProfile = {
  ...cortexA8,
  name: 'armv7-weakest',
  absent: uniprocessorAbsent,
  resetUnknown: true,
  lateEffects: true,
  id: {
    ...cortexA8.id,
    // VIPT, lines of 8 words, write-back granule not said.
    CTR: 0x80038003,
    // L1 caches only; LoUU 1, LoUIS 1, LoC 1.
    CLIDR: 0x09200003,
    ID_MMFR3: 0x00000011,
    L2CTLR: 0,
  },
  // 512 sets of 4 ways of 32 bytes.
  ccsidr: { 0: 0x703fe019, 1: 0x203fe019 },
};

import { routine } from './image/sites.js';
import type { KernelPort } from './port.js';

export const factSites = routine('core_facts', {
  read_ctr: 'mrc CTR',
  read_mpidr: 'mrc MPIDR',
  read_mmfr3: 'mrc ID_MMFR3',
});

/** What of the core decides how page tables are written and which maintenance there is. Read from its ID registers. */
export interface CoreFacts {
  /** The Multiprocessing Extensions (MPIDR[31]): other walk attributes in TTBRn, TLBIMVAA. */
  readonly mp: boolean;
  /** Table walks see the data cache (ID_MMFR3[23:20]): descriptors need no clean. */
  readonly coherentWalks: boolean;
  /** Smallest lines in bytes (CTR). */
  readonly dataLine: number;
  readonly instructionLine: number;
  /**
   * Low bits of TTBRn: walks are inner and outer write-back write-allocate, shareable (ARM DDI 0406C, B4.1.154). 0x6a with the Multiprocessing
   * Extensions (IRGN = 01, S, NOS, RGN = 01); without them 0x0b (C, S, RGN = 01), which is another layout.
   */
  readonly walkAttributes: number;
}

export const readCoreFacts = (port: KernelPort): CoreFacts => {
  const ctr = port.mrc(factSites.read_ctr);
  const mp = port.mrc(factSites.read_mpidr) >>> 31 === 1;
  const mmfr3 = port.mrc(factSites.read_mmfr3);
  return {
    mp,
    coherentWalks: ((mmfr3 >>> 20) & 15) !== 0,
    dataLine: 4 << ((ctr >>> 16) & 15),
    instructionLine: 4 << (ctr & 15),
    walkAttributes: mp ? 0x6a : 0x0b,
  };
};

import type { VirtAddr } from '@tablewalk/machine';
import type { CoreFacts } from './core-facts.js';
import { routine } from './image/sites.js';
import { alignDown, PAGE } from './layout.js';
import type { KernelPort } from './port.js';

export const maintenanceSites = routine('maintenance', {
  clean_descriptor: 'mcr DCCMVAU',
  dsb_published: 'dsb',
  isb_published: 'isb',
  dsb_before_tlbi: 'dsb',
  tlbi_mva: 'mcr TLBIMVA',
  tlbi_mva_all_asid: 'mcr TLBIMVAA',
  tlbi_asid: 'mcr TLBIASID',
  tlbi_all: 'mcr TLBIALL',
  bpiall: 'mcr BPIALL',
  dsb_after_tlbi: 'dsb',
  isb_after_tlbi: 'isb',
  clean_code: 'mcr DCCMVAU',
  dsb_code_cleaned: 'dsb',
  iciallu: 'mcr ICIALLU',
  icimvau: 'mcr ICIMVAU',
  bpiall_code: 'mcr BPIALL',
  dsb_code: 'dsb',
  isb_code: 'isb',
  clean_data: 'mcr DCCMVAC',
  clean_invalidate_data: 'mcr DCCIMVAC',
  dsb_data: 'dsb',
});

/** What is invalidated: a page of the kernel, a page of an address space, or all of one. */
export interface Stale {
  readonly va: VirtAddr;
  readonly pages: number;
  /** `undefined` for global entries, which match whatever the ASID operand is (ARM DDI 0406C, B4.2.2). */
  readonly asid: number | undefined;
  /** It could be executed: the branch predictor knows it. */
  readonly executable: boolean;
}

/**
 * The order of maintenance around changes of translation tables and code (ARM DDI 0406C, B3.10.1 and A3.8, B2.2.9). One object, which every part of
 * the kernel uses, and whose methods a test can take one step from.
 */
export interface Maintenance {
  /** Descriptors at [va, va + byteLength) were stored: the walker shall be able to read them. */
  descriptorsWritten(va: VirtAddr, byteLength: number): void;
  /** Descriptors became valid that were not: what follows shall see them. No TLBI, because faulting entries are not cached. */
  published(): void;
  /** Descriptors were cleared or narrowed: returns when no translation of before is in use. */
  invalidate(stale: Stale): void;
  /** Every non-global translation of the ASID goes. */
  invalidateAsid(asid: number): void;
  /** Every translation goes. */
  invalidateAll(): void;
  /** The identity entry has been cleared. */
  identityGone(): void;
  /** Instructions were written at [va, va + byteLength): what is fetched afterwards shall be them. */
  codeWritten(va: VirtAddr, byteLength: number): void;
}

/** Above this many pages everything is invalidated instead. */
const PAGES_BY_MVA = 32;

/** The correct one. */
export const maintenance = (port: KernelPort, facts: CoreFacts): Maintenance => {
  const s = maintenanceSites;
  const eachLine = (va: number, byteLength: number, line: number, visit: (va: number) => void): void => {
    for (let at = alignDown(va, line); at < va + byteLength; at += line) visit(at);
  };
  const finish = (executable: boolean): void => {
    if (executable) port.mcr(s.bpiall, 0);
    port.dsb(s.dsb_after_tlbi);
    port.isb(s.isb_after_tlbi);
  };
  return {
    descriptorsWritten(va, byteLength) {
      if (facts.coherentWalks) return;
      eachLine(va, byteLength, facts.dataLine, (at) => port.mcr(s.clean_descriptor, at));
    },
    published() {
      port.dsb(s.dsb_published);
      port.isb(s.isb_published);
    },
    invalidate({ va, pages, asid, executable }) {
      port.dsb(s.dsb_before_tlbi);
      if (pages > PAGES_BY_MVA) port.mcr(s.tlbi_all, 0);
      else
        for (let n = 0; n < pages; n++) {
          const page = alignDown(va, PAGE) + n * PAGE;
          // A global entry matches whatever the ASID is, so the form with one does; TLBIMVAA came with the Multiprocessing Extensions.
          if (asid === undefined) port.mcr(facts.mp ? s.tlbi_mva_all_asid : s.tlbi_mva, page);
          else port.mcr(s.tlbi_mva, page + asid);
        }
      finish(executable);
    },
    invalidateAsid(asid) {
      port.dsb(s.dsb_before_tlbi);
      port.mcr(s.tlbi_asid, asid);
      finish(true);
    },
    invalidateAll() {
      port.dsb(s.dsb_before_tlbi);
      port.mcr(s.tlbi_all, 0);
      finish(true);
    },
    identityGone() {
      this.invalidateAll();
    },
    codeWritten(va, byteLength) {
      eachLine(va, byteLength, facts.dataLine, (at) => port.mcr(s.clean_code, at));
      port.dsb(s.dsb_code_cleaned);
      port.mcr(s.iciallu, 0);
      port.mcr(s.bpiall_code, 0);
      port.dsb(s.dsb_code);
      port.isb(s.isb_code);
    },
  };
};

import type { FastTablePort } from '@tablewalk/machine/contracts';
import { LargeMappings } from './large-mappings.js';
import { MmuError } from './mmu-error.js';

export interface SavedHostTables {
  readonly sizes: Uint8Array;
  readonly globalDomains: number;
  readonly taggedDomains: number;
}

/**
 * What the host keeps of the translations that were given out, and so has to be told when one of them may be another: the connected fast table, how
 * large the mappings were, and which domains let them through.
 */
export class HostTables {
  /** Counts every change that may alter a translation. */
  epoch = 0;
  private readonly large = new LargeMappings();
  private port: FastTablePort | null = null;
  /** Domains (a bit each) of the global and the non-global translations given out since everything was last dropped. */
  private globalDomains = 0;
  private taggedDomains = 0;
  /** Domains of what the fast table has set aside, and DACR when it was made. */
  private suspendedDomains = 0;
  private suspendedDacr = 0;

  connect(port: FastTablePort): void {
    if (this.port !== null) throw new MmuError('vmsav7', 'is connected to a fast table already');
    this.port = port;
  }

  /** A translation is given out. */
  note(va: number, sizeLog2: number, global: boolean, domain: number): void {
    this.large.note(va, sizeLog2);
    if (global) this.globalDomains |= 1 << domain;
    else this.taggedDomains |= 1 << domain;
  }

  save(): SavedHostTables {
    return { sizes: this.large.save(), globalDomains: this.globalDomains, taggedDomains: this.taggedDomains };
  }
  load({ sizes, globalDomains, taggedDomains }: SavedHostTables): void {
    this.large.load(sizes);
    this.globalDomains = globalDomains;
    this.taggedDomains = taggedDomains;
  }

  dropAll(): void {
    this.epoch++;
    this.large.clear();
    this.globalDomains = 0;
    this.taggedDomains = 0;
    this.suspendedDomains = 0;
    this.port?.dropAll();
  }

  dropNonGlobal(): void {
    this.epoch++;
    this.taggedDomains = 0;
    this.suspendedDomains = 0;
    this.port?.dropNonGlobal();
  }

  dropAsid(asid: number): void {
    this.epoch++;
    this.port?.dropAsid(asid);
  }

  /** The page of `va`, and all of the largest mapping that was seen around it. */
  dropMva(va: number): void {
    this.epoch++;
    const sizeLog2 = this.large.sizeAt(va >>> 0);
    this.port?.dropPage((va & (0xffffffff << sizeLog2)) >>> 0, sizeLog2);
  }

  /** What was made from one TLB entry, and nothing else. */
  dropEntry(va: number, sizeLog2: number): void {
    this.port?.dropEntry(va, sizeLog2);
  }

  /**
   * DACR was `before` and is `now`; domains in `lost` allow less. What of one address space they let through is set aside until the domains are what
   * they were: an operating system that shuts itself out of user memory opens and closes a domain around each access to it.
   */
  domainsChanged(before: number, now: number, lost: number): void {
    if ((lost & this.globalDomains) !== 0) {
      this.dropAll();
      return;
    }
    this.epoch++;
    if ((lost & this.taggedDomains) !== 0) {
      const kept = this.port?.suspendNonGlobal() ?? false;
      this.suspendedDomains = kept ? this.taggedDomains : 0;
      this.suspendedDacr = before;
      this.taggedDomains = 0;
    } else if (this.suspendedDomains !== 0 && ((this.suspendedDacr ^ now) & fieldsOf(this.suspendedDomains)) === 0) {
      this.port?.resumeNonGlobal();
      this.taggedDomains |= this.suspendedDomains;
      this.suspendedDomains = 0;
    }
  }
}

/** Bits of DACR that belong to these domains. */
const fieldsOf = (domains: number): number => {
  let fields = 0;
  for (let domain = 0; domain < 16; domain++) if ((domains >>> domain) & 1) fields |= 3 << (2 * domain);
  return fields;
};

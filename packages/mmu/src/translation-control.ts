import { MEMORY_NORMAL } from '@tablewalk/machine/contracts';
import { mairAttributes, remappedAttributes, texAttributes } from './attributes.js';
import { SCTLR_AFE, SCTLR_C, SCTLR_EE, SCTLR_M, SCTLR_TRE, SCTLR_UWXN, SCTLR_WXN, TTBCR_A1, TTBCR_EAE } from './control-bits.js';

/** Registers and what follows from them. The walkers read this; only {@link TranslationControl.derive} writes the derived half. */
export class TranslationControl {
  /** The TTBRs have the layout of the Multiprocessing Extensions. */
  readonly multiprocessing: boolean;
  sctlr = 0;
  ttbcr = 0;
  ttbr0 = 0;
  ttbr0High = 0;
  ttbr1 = 0;
  ttbr1High = 0;
  dacr = 0;
  contextidr = 0;
  /** PRRR, or MAIR0 under TTBCR.EAE: one register with two readings. */
  prrr = 0;
  /** NMRR, or MAIR1. */
  nmrr = 0;
  par = 0;
  parHigh = 0;

  enabled = false;
  /** Long-descriptor format (TTBCR.EAE). */
  long = false;
  /** SCTLR.EE: descriptors are big-endian. */
  bigEndianTables = false;
  accessFlag = false;
  wxn = false;
  uwxn = false;
  asid = 0;
  /** Memory attributes (packed) with which descriptors are read through TTBR0 and TTBR1. */
  walk0 = MEMORY_NORMAL;
  walk1 = MEMORY_NORMAL;
  /** Short format: packed attributes by TEX:C:B:S (64). Long format: by AttrIndx:SH (32). */
  readonly attributes = new Uint32Array(64);

  constructor(multiprocessing = true) {
    this.multiprocessing = multiprocessing;
  }

  derive(): void {
    const { sctlr, ttbcr } = this;
    this.enabled = (sctlr & SCTLR_M) !== 0;
    this.long = (ttbcr & TTBCR_EAE) !== 0;
    this.bigEndianTables = (sctlr & SCTLR_EE) !== 0;
    this.accessFlag = (sctlr & SCTLR_AFE) !== 0;
    this.wxn = (sctlr & SCTLR_WXN) !== 0;
    this.uwxn = (sctlr & SCTLR_UWXN) !== 0;
    this.deriveSpace();
    const table = this.attributes;
    if (this.long) {
      for (let i = 0; i < 32; i++) {
        const index = i >> 2;
        const register = index < 4 ? this.prrr : this.nmrr;
        table[i] = mairAttributes((register >>> (8 * (index & 3))) & 0xff, i & 3);
      }
      return;
    }
    const remap = (sctlr & SCTLR_TRE) !== 0;
    for (let i = 0; i < 64; i++) {
      const s = (i & 1) !== 0;
      table[i] = remap ? remappedAttributes(i >> 1, s, this.prrr, this.nmrr) : texAttributes(i >> 1, s);
    }
  }

  /** What TTBR0, TTBR1 and CONTEXTIDR say besides where the tables are. */
  deriveSpace(): void {
    // The ASID is CONTEXTIDR[7:0], or with long descriptors bits 55:48 of the TTBR that TTBCR.A1 names.
    const long = (this.ttbcr & TTBCR_EAE) !== 0;
    if (long) this.asid = (((this.ttbcr & TTBCR_A1) !== 0 ? this.ttbr1High : this.ttbr0High) >>> 16) & 0xff;
    else this.asid = this.contextidr & 0xff;
    this.walk0 = this.walkAttributes(long ? this.ttbcr >>> 8 : this.ttbr0);
    this.walk1 = this.walkAttributes(long ? this.ttbcr >>> 24 : this.ttbr1);
  }

  /**
   * Cacheability of walks, packed as attributes. Long format: IRGN in bits 1:0 of `from`, ORGN in 3:2 (B4.1.153). Short: RGN in bits 4:3, IRGN[0] in bit 6
   * and IRGN[1] in bit 0, or without the Multiprocessing Extensions C in bit 0 (B4.1.154). With SCTLR.C clear nothing is cacheable (B3.2.1).
   */
  private walkAttributes(from: number): number {
    if ((this.sctlr & SCTLR_C) === 0) return MEMORY_NORMAL;
    if ((this.ttbcr & TTBCR_EAE) !== 0) return MEMORY_NORMAL | ((from & 0xf) << 2);
    const inner = this.multiprocessing ? ((from >>> 6) & 1) | ((from & 1) << 1) : (from & 1) * 3;
    return MEMORY_NORMAL | (inner << 2) | (((from >>> 3) & 3) << 4);
  }

  /** Register values of another one. The derived half follows with {@link derive}. */
  copy(from: TranslationControl): void {
    this.sctlr = from.sctlr;
    this.ttbcr = from.ttbcr;
    this.ttbr0 = from.ttbr0;
    this.ttbr0High = from.ttbr0High;
    this.ttbr1 = from.ttbr1;
    this.ttbr1High = from.ttbr1High;
    this.dacr = from.dacr;
    this.contextidr = from.contextidr;
    this.prrr = from.prrr;
    this.nmrr = from.nmrr;
  }
}

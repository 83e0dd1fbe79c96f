import { mairAttributes, remappedAttributes, texAttributes } from './attributes.js';
import { SCTLR_AFE, SCTLR_EE, SCTLR_M, SCTLR_TRE, SCTLR_UWXN, SCTLR_WXN, TTBCR_A1, TTBCR_EAE } from './control-bits.js';

/** Registers and what follows from them. The walkers read this; only {@link TranslationControl.derive} writes the derived half. */
export class TranslationControl {
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
  /** Short format: packed attributes by TEX:C:B:S (64). Long format: by AttrIndx:SH (32). */
  readonly attributes = new Uint32Array(64);

  derive(): void {
    const { sctlr, ttbcr } = this;
    this.enabled = (sctlr & SCTLR_M) !== 0;
    this.long = (ttbcr & TTBCR_EAE) !== 0;
    this.bigEndianTables = (sctlr & SCTLR_EE) !== 0;
    this.accessFlag = (sctlr & SCTLR_AFE) !== 0;
    this.wxn = (sctlr & SCTLR_WXN) !== 0;
    this.uwxn = (sctlr & SCTLR_UWXN) !== 0;
    this.deriveAsid();
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

  /** The ASID is CONTEXTIDR[7:0], or with long descriptors bits 55:48 of the TTBR that TTBCR.A1 names. */
  deriveAsid(): void {
    if ((this.ttbcr & TTBCR_EAE) === 0) this.asid = this.contextidr & 0xff;
    else this.asid = (((this.ttbcr & TTBCR_A1) !== 0 ? this.ttbr1High : this.ttbr0High) >>> 16) & 0xff;
  }
}

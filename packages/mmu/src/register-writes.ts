import { SCTLR_TRANSLATION_BITS, TTBCR_EAE, TTBCR_LONG_RESERVED, TTBCR_N_MASK, TTBCR_PD0, TTBCR_PD1 } from './control-bits.js';
import type { HostTables } from './host-tables.js';
import type { TranslationControl } from './translation-control.js';

/** What a core makes of values that software writes. */
export interface RegisterRules {
  /** Bits of SCTLR that a write changes. */
  readonly sctlrWritable: number;
  readonly longDescriptors: boolean;
  /** TTBCR.PD0 and PD1 exist. */
  readonly securityExtensions: boolean;
}

/** Writes to the registers that steer translation. Each drops what was made under the old value, and no more than that. */
export class RegisterWrites {
  private readonly control: TranslationControl;
  private readonly host: HostTables;
  private readonly rules: RegisterRules;
  private readonly controlChanged: (changed: number, sctlr: number) => void;

  constructor(
    control: TranslationControl,
    host: HostTables,
    rules: RegisterRules,
    controlChanged: (changed: number, sctlr: number) => void,
  ) {
    this.control = control;
    this.host = host;
    this.rules = rules;
    this.controlChanged = controlChanged;
  }

  sctlr(value: number): void {
    const c = this.control;
    const { sctlrWritable } = this.rules;
    const next = ((c.sctlr & ~sctlrWritable) | (value & sctlrWritable)) >>> 0;
    const changed = (c.sctlr ^ next) >>> 0;
    if (changed === 0) return;
    c.sctlr = next;
    if ((changed & SCTLR_TRANSLATION_BITS) !== 0) {
      c.derive();
      this.host.dropAll();
    }
    this.controlChanged(changed, next);
  }

  ttbcr(value: number): void {
    const c = this.control;
    const { longDescriptors, securityExtensions } = this.rules;
    let next = value >>> 0;
    if ((next & TTBCR_EAE) !== 0 && longDescriptors) next = (next & ~TTBCR_LONG_RESERVED) >>> 0;
    else next &= TTBCR_N_MASK | (securityExtensions ? TTBCR_PD0 | TTBCR_PD1 : 0);
    if (next === c.ttbcr) return;
    c.ttbcr = next;
    c.derive();
    this.host.dropAll();
  }

  /** `high` undefined: a 32-bit write, which leaves bits 63:32 (B4.1.154). */
  ttbr0(low: number, high = this.control.ttbr0High): void {
    const c = this.control;
    if (c.ttbr0 === low >>> 0 && c.ttbr0High === high >>> 0) return;
    c.ttbr0 = low >>> 0;
    c.ttbr0High = high >>> 0;
    this.addressSpaceChanged();
  }

  /** TTBR1 maps what all address spaces share, so more than the non-global entries may be of the old tables. */
  ttbr1(low: number, high = this.control.ttbr1High): void {
    const c = this.control;
    const sameTables = c.ttbr1 === low >>> 0 && ((c.ttbr1High ^ high) & 0xff) === 0;
    if (sameTables && c.ttbr1High === high >>> 0) return;
    c.ttbr1 = low >>> 0;
    c.ttbr1High = high >>> 0;
    if (sameTables) this.addressSpaceChanged();
    else {
      c.deriveSpace();
      this.host.dropAll();
    }
  }

  contextidr(value: number): void {
    const c = this.control;
    const asidChanged = ((c.contextidr ^ value) & 0xff) !== 0;
    c.contextidr = value >>> 0;
    // With long descriptors CONTEXTIDR is only a name for debuggers.
    if (asidChanged && !c.long) this.addressSpaceChanged();
  }

  /**
   * A domain that gains access needs nothing dropped: what is kept only says what was allowed. One that loses access concerns no more than was made
   * from it.
   */
  dacr(value: number): void {
    const c = this.control;
    const next = value >>> 0;
    const before = c.dacr;
    if (next === before) return;
    c.dacr = next;
    if (c.long) return;
    let lost = 0;
    for (let domain = 0; domain < 16; domain++) {
      const from = (before >>> (2 * domain)) & 3;
      const to = (next >>> (2 * domain)) & 3;
      // 0 and 2 allow nothing, client (1) what the descriptors do, manager (3) everything.
      if ((from & 1) !== 0 && from !== to && to !== 3) lost |= 1 << domain;
    }
    this.host.domainsChanged(before, next, lost);
  }

  prrr(value: number): void {
    if (this.control.prrr === value >>> 0) return;
    this.control.prrr = value >>> 0;
    this.control.derive();
    this.host.dropAll();
  }

  nmrr(value: number): void {
    if (this.control.nmrr === value >>> 0) return;
    this.control.nmrr = value >>> 0;
    this.control.derive();
    this.host.dropAll();
  }

  /** All registers become those of `from`, as single writes would make them. */
  take(from: TranslationControl): void {
    this.prrr(from.prrr);
    this.nmrr(from.nmrr);
    this.ttbcr(from.ttbcr);
    this.ttbr0(from.ttbr0, from.ttbr0High);
    this.ttbr1(from.ttbr1, from.ttbr1High);
    this.contextidr(from.contextidr);
    this.dacr(from.dacr);
    this.sctlr(from.sctlr);
  }

  private addressSpaceChanged(): void {
    this.control.deriveSpace();
    this.host.dropNonGlobal();
  }
}

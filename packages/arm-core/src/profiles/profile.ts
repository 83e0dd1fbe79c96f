import type { Feature } from '../isa/encoding.js';

/** Constants of one core: identification, reset state, what exists. A plain object that a user can copy and change. */
export interface CoreProfile {
  /** QEMU's `-cpu` name: `cortex-a15`. */
  readonly name: string;
  readonly features: ReadonlySet<Feature>;
  /** Large physical addresses: long descriptors, 64-bit TTBRs. */
  readonly lpae: boolean;
  /** SCTLR at reset. */
  readonly sctlrReset: number;
  /** Read-only identification registers by name (MIDR, CTR, ID_PFR0, ...). Encodings are in `id-registers.ts`. */
  readonly id: Readonly<Record<string, number>>;
  /** CCSIDR by CSSELR value (level - 1) << 1 | instruction. */
  readonly ccsidr: Readonly<Record<number, number>>;
  readonly fpsid: number;
  readonly mvfr0: number;
  readonly mvfr1: number;
  /** Device tree `compatible` of the CPU node. */
  readonly compatible: string;
}

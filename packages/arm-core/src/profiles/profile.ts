import type { Feature } from '../isa/encoding.js';

/**
 * Constants of one core: identification, reset state, what exists. A plain object: to make a core of your own, copy one and change what differs.
 *
 * ```ts
 * const oneBreakpoint: CoreProfile = {
 *   ...cortexA15,
 *   name: 'my-core',
 *   features: new Set([...cortexA15.features].filter((feature) => feature !== 'neon')),
 *   id: { ...cortexA15.id, MIDR: 0x414fc0f0, DBGDIDR: 0x3015f021 },
 * };
 * ```
 *
 * The numbers must agree with each other: kernels believe MIDR, MPIDR, CTR, CLIDR, CCSIDR and ID_MMFRn and choose code paths by them. What hangs on
 * an ID register here: PMCR.N is the number of event counters, DBGDIDR.BRPs and .WRPs are those of breakpoints and watchpoints.
 */
export interface CoreProfile {
  /** QEMU's `-cpu` name: `cortex-a15`. */
  readonly name: string;
  readonly features: ReadonlySet<Feature>;
  /** Large physical addresses: long descriptors, 64-bit TTBRs. */
  readonly lpae: boolean;
  /** SCTLR at reset. */
  readonly sctlrReset: number;
  /** Identification and constant registers by name (MIDR, CTR, ID_PFR0, ...). Names and encodings: `system/registers-id.ts`; all are required. */
  readonly id: Readonly<Record<string, number>>;
  /** CCSIDR by CSSELR value (level - 1) << 1 | instruction. Others read as zero. */
  readonly ccsidr: Readonly<Record<number, number>>;
  readonly fpsid: number;
  readonly mvfr0: number;
  readonly mvfr1: number;
  /** Names of registers and CP15 operations that this core does not have: UNDEFINED. Default: none. */
  readonly absent?: readonly string[];
  /** Caches and TLB hold anything after reset, so that software must invalidate them before it uses them. Default: reset invalidates them. */
  readonly resetUnknown?: boolean;
  /**
   * Writes to the registers that steer translation take effect at the next context synchronization event (ARM DDI 0406C, B3.15.5), and TLB and cache
   * maintenance at the next DSB, which are the last moments that the architecture allows, in place of at once. Only at the fidelities with memory
   * system models. Default false.
   */
  readonly lateEffects?: boolean;
  /** Device tree `compatible` of the CPU node. */
  readonly compatible: string;
}

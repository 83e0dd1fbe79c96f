import type { CoreSystem } from './core-system.js';
import { MODE_FIQ, MODE_HYP, MODE_SYS, MODE_USR } from './core-system.js';
import { systemKernel } from './kernels.js';

/** Bits that MRS reads of CPSR: execution state (IT, J, T) reads as zero (ARM DDI 0406C, B9.3.8). */
const CPSR_READABLE = 0xf8ff03df;

/** Takes Undefined Instruction in mid-instruction. */
const undefinedNow = (core: CoreSystem): never => {
  core.takeUndefined();
  return core.leave();
};

/* Status registers */
export const readCpsr = systemKernel('read-cpsr', (core) => core.readCpsr() & CPSR_READABLE);
export const readSpsr = systemKernel('read-spsr', (core) => core.readSpsr());
/** `value`, `mask`: bits to write. */
export const writeCpsr = systemKernel('write-cpsr', (core, value, mask) => core.writeCpsr(value >>> 0, mask >>> 0));
export const writeSpsr = systemKernel('write-spsr', (core, value, mask) => core.writeSpsr(value >>> 0, mask >>> 0));

/* Registers of other modes */
/** R[n] of User mode, for STM and LDM with `^`. */
export const readUser = systemKernel('read-user', (core, n) => core.readBanked(MODE_USR, n));
export const writeUser = systemKernel('write-user', (core, n, value) => core.writeBanked(MODE_USR, n, value));

/**
 * The current mode may not name a register that it has as its own, nor r8-r12 of User mode unless it is FIQ mode (BankedRegisterAccessValid, B9.2.3);
 * UNPREDICTABLE, UNDEFINED here.
 */
const checkBanked = (core: CoreSystem, mode: number, n: number): void => {
  const current = core.mode;
  const own =
    mode === MODE_USR
      ? (n < 13 && current !== MODE_FIQ) || (n >= 13 && current === MODE_SYS) || (n === 14 && current === MODE_HYP)
      : mode === current;
  if (own) undefinedNow(core);
};
/** `n`: 8-14, or 16 for the SPSR. */
export const readBanked = systemKernel('mrs-banked', (core, mode, n) => {
  checkBanked(core, mode, n);
  return n === 16 ? core.readBankedSpsr(mode) : core.readBanked(mode, n);
});
export const writeBanked = systemKernel('msr-banked', (core, mode, n, value) => {
  checkBanked(core, mode, n);
  if (n === 16) core.writeBankedSpsr(mode, value >>> 0);
  else core.writeBanked(mode, n, value);
});

/* Exception entry and return */
/** SP of the mode that SRS names. UNPREDICTABLE in System mode, which has no SPSR: UNDEFINED here. */
export const srsBase = systemKernel('srs-base', (core, mode) => (core.mode === MODE_SYS ? undefinedNow(core) : core.readBanked(mode, 13)));
export const srsWriteBack = systemKernel('srs-write-back', (core, mode, value) => core.writeBanked(mode, 13, value));
/** RFE: PC and CPSR from memory. */
export const returnTo = systemKernel('exception-return', (core, pc, cpsr) => core.exceptionReturn(pc >>> 0, cpsr >>> 0));
/** LDM with PC and `^`: CPSR := SPSR. */
export const returnFromSpsr = systemKernel('exception-return-spsr', (core, pc) => core.exceptionReturn(pc >>> 0, core.readSpsr()));

/* Coprocessor registers */
export const readSystemRegister = systemKernel('mrc', (core, key) => core.readSystemRegister(key));
export const writeSystemRegister = systemKernel('mcr', (core, key, value) => core.writeSystemRegister(key, value >>> 0));
/** The same for maintenance of caches, which is nothing where memory is coherent. */
export const maintainCache = systemKernel('mcr.c7', (core, key, value) => core.writeSystemRegister(key, value >>> 0));
/** Bits 31:0; `pairHigh` then gives bits 63:32. */
export const readSystemRegister64 = systemKernel('mrrc', (core, key) => {
  core.readSystemRegister64(key);
  return core.pairLow;
});
export const pairHigh = systemKernel('mrrc-high', (core) => core.pairHigh);
export const writeSystemRegister64 = systemKernel('mcrr', (core, key, low, high) => core.writeSystemRegister64(key, low >>> 0, high >>> 0));

/* Exclusives */
export const markExclusive = systemKernel('mark-exclusive', (core, va, size) => core.markExclusive(va >>> 0, size));
export const claimExclusive = systemKernel('claim-exclusive', (core, va, size) => (core.claimExclusive(va >>> 0, size) ? 1 : 0));
export const clearExclusive = systemKernel('clear-exclusive', (core) => core.clearExclusive());

/** SWP and SWPB exist while SCTLR.SW is 1 (B4.1.130); UNDEFINED otherwise. */
export const requireSwap = systemKernel('require-swap', (core) => {
  if (!core.swapEnabled) undefinedNow(core);
});

/* Barriers */
export const dmb = systemKernel('dmb', (core, option) => core.barrier('dmb', option));
export const dsb = systemKernel('dsb', (core, option) => core.barrier('dsb', option));
export const isb = systemKernel('isb', (core, option) => core.barrier('isb', option));

/* Events */
export const waitForEvent = systemKernel('wfe', (core) => core.waitForEvent());
export const waitForInterrupt = systemKernel('wfi', (core) => core.waitForInterrupt());
export const sendEvent = systemKernel('sev', (core) => core.sendEvent());

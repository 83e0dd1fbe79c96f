/**
 * Bits of the registers that steer translation, by their manual names (ARM DDI 0406C.d, B4.1.130 SCTLR, B4.1.153 TTBCR).
 */
export const SCTLR_M = 1 << 0;
export const SCTLR_A = 1 << 1;
export const SCTLR_C = 1 << 2;
export const SCTLR_CP15BEN = 1 << 5;
export const SCTLR_SW = 1 << 10;
export const SCTLR_Z = 1 << 11;
export const SCTLR_I = 1 << 12;
export const SCTLR_V = 1 << 13;
export const SCTLR_RR = 1 << 14;
export const SCTLR_WXN = 1 << 19;
export const SCTLR_UWXN = 1 << 20;
export const SCTLR_FI = 1 << 21;
export const SCTLR_VE = 1 << 24;
export const SCTLR_EE = 1 << 25;
export const SCTLR_NMFI = 1 << 27;
export const SCTLR_TRE = 1 << 28;
export const SCTLR_AFE = 1 << 29;
export const SCTLR_TE = 1 << 30;

/** A write that changes none of these leaves every translation as it was. */
export const SCTLR_TRANSLATION_BITS = (SCTLR_M | SCTLR_C | SCTLR_I | SCTLR_WXN | SCTLR_UWXN | SCTLR_EE | SCTLR_TRE | SCTLR_AFE) >>> 0;

/** What software can change on a Cortex-A15 (Cortex-A15 TRM DDI 0438, 4.3.27). */
export const CORTEX_A15_SCTLR_WRITABLE =
  (SCTLR_M |
    SCTLR_A |
    SCTLR_C |
    SCTLR_CP15BEN |
    SCTLR_SW |
    SCTLR_Z |
    SCTLR_I |
    SCTLR_V |
    SCTLR_WXN |
    SCTLR_UWXN |
    SCTLR_EE |
    SCTLR_TRE |
    SCTLR_AFE |
    SCTLR_TE) >>>
  0;

/** Reset value of SCTLR on a Cortex-A15 with exception vectors low and little-endian: CP15BEN and the bits that read as one. */
export const CORTEX_A15_SCTLR_RESET = 0x00c50078;

export const TTBCR_N_MASK = 7;
export const TTBCR_PD0 = 1 << 4;
export const TTBCR_PD1 = 1 << 5;
export const TTBCR_EPD0 = 1 << 7;
export const TTBCR_A1 = 1 << 22;
export const TTBCR_EPD1 = 1 << 23;
export const TTBCR_EAE = 1 << 31;
/** Long-descriptor bits that are UNK/SBZP: 21:19, 15:14, 6:3 (B4.1.153). */
export const TTBCR_LONG_RESERVED = ((7 << 19) | (3 << 14) | (0xf << 3)) >>> 0;

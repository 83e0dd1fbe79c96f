/** FPSCR bits (ARM DDI 0406C, B4.1.58). */
export const FPSCR_AHP = 1 << 26;
export const FPSCR_DN = 1 << 25;
export const FPSCR_FZ = 1 << 24;
export const FPSCR_RMODE = 3 << 22;
export const IOC = 1;
export const DZC = 2;
export const OFC = 4;
export const UFC = 8;
export const IXC = 16;
export const IDC = 128;

/** FPSCR.RMode. */
export const ROUND_NEAREST = 0;
export const ROUND_PLUS = 1;
export const ROUND_MINUS = 2;
export const ROUND_ZERO = 3;

/** NZCV of a comparison, in place (A2.7.1, table of FP comparison results). */
export const NZCV_LESS = 0x80000000 | 0;
export const NZCV_EQUAL = 0x60000000;
export const NZCV_GREATER = 0x20000000;
export const NZCV_UNORDERED = 0x30000000;

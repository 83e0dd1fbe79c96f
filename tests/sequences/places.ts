/*
 * Where things are. Everything but what a sequence may spoil is in a section that only PL1 may use, and USR code runs in the other.
 *
 *   VA 0x40000000  section  driver, handlers, tables, state to begin with        PL1
 *   VA 0x40100000  section  code of eight sequences, what ends them, data        all
 *   VA 0x50000000  pages    0, 1, 5: data; 2, 4, 6, 7: nothing; 3: PL1 only;
 *                           8-15: the first page of each sequence's code once
 *                           more; 1 is read-only                                 all
 */
export const RAM = 0x4000_0000;
export const RAM_BYTES = 2 << 20;
export const KERNEL = 0x4001_0000;
export const TABLE = 0x4000_4000;
export const PAGES_TABLE = 0x4000_8000;
export const STATE = 0x4000_c000;
/** Word offsets in the state. */
export const STATE_CPSR = 15;
export const STATE_FPSCR = 16;
export const STATE_ENTRY = 17;
/** Ticks of the virtual timer to its first interrupt and between those after it; 0: none. */
export const STATE_TICKS = 18;
export const STATE_TICKS_AGAIN = 19;
/** 1: go. */
export const STATE_GO = 20;
/** SCTLR.A. */
export const STATE_ALIGNED = 21;
export const STATE_VECTORS = 32;
export const STATE_WORDS = 96;
/** Sequences whose code is in memory together, 8 KiB each: what they are translated to is one module. */
export const SLOTS = 8;
export const CODE_BYTES = 0x2000;
const ALL_CODE = 0x4011_0000;
export const codeAt = (slot: number): number => ALL_CODE + slot * CODE_BYTES;
/** From a slot's code: functions in either instruction set. */
export const STUB_A32 = 0x200;
export const STUB_T16 = 0x280;
/** From here on there is nothing but data and calls, in both instruction sets, that end a sequence. */
export const DONE = 0x4012_0000;
/** SVC. */
export const END_A32 = 0xef00_0077;
export const END_T16 = 0xdf77_df77;
export const DATA = 0x4014_0000;
export const DATA_BYTES = 0x6000;
export const WINDOW = 0x5000_0000;
/** Page of the window that shows the code of a slot. */
export const windowCodeAt = (slot: number): number => WINDOW + (8 + slot) * 0x1000;
/** The address in the slots' code that is the same memory as this one, which may be in the window; undefined where there is no code. */
export const codeAddress = (va: number): number | undefined => {
  if (va >= windowCodeAt(0) && va < windowCodeAt(SLOTS)) return codeAt((va - windowCodeAt(0)) >>> 12) + (va & 0xfff);
  return va >= codeAt(0) && va < codeAt(SLOTS) ? va : undefined;
};

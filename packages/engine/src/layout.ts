/**
 * Where a core's state lives in the machine's WebAssembly.Memory, relative to the core's base offset. One layout serves the closures (through an
 * Int32Array that starts at the base), the Wasm regions (loads and stores with these offsets) and snapshots (which name every field).
 *
 *   0x0000  state words (below)          0x0100  d0-d31
 *   0x0200  temporaries of one block     0x1000  fast table, PL1      0x11000  fast table, PL0
 *   0x21000  jump table                  0x61000  table of lines of code
 */

/** Word indices of the state, in units of 4 bytes. r0-r14 are 0-14 and belong to the current mode; banked copies live elsewhere. */
export const PC = 15;
/** Bit 31 is CPSR.N. Other bits are whatever the last flag setter left. */
export const FLAG_N = 16;
/** CPSR.Z is set when this word is 0. */
export const FLAG_Z = 17;
/** CPSR.C, exactly 0 or 1. */
export const FLAG_C = 18;
/** Bit 31 is CPSR.V. */
export const FLAG_V = 19;
/** CPSR.Q, exactly 0 or 1. */
export const FLAG_Q = 20;
/** CPSR.GE, 0 to 15. */
export const FLAG_GE = 21;
/** CPSR without N Z C V Q GE IT: J, E, A, I, F, T, M. Changed only through the core's `writeCpsr`, since it selects banks and translations. */
export const CPSR_CONTROL = 22;
/** ITSTATE of the instruction at PC (0 in A32). Only meaningful between blocks. */
export const ITSTATE = 23;
/** VA of the page that the running block was entered through; block code is position-independent within its page. */
export const PAGE_VA = 24;
/** Exclusive monitor: 0 open, else the size in bytes; then physical address (low 32 bits, high bits). */
export const EXCLUSIVE_SIZE = 25;
export const EXCLUSIVE_ADDRESS = 26;
export const EXCLUSIVE_ADDRESS_HIGH = 27;
/** FPSCR: control bits (AHP, DN, FZ, RMode, Stride, Len and the trap enables) in place. */
export const FPSCR_CONTROL = 32;
/** FPSCR.NZCV in bits 31:28, other bits 0. */
export const FPSCR_NZCV = 33;
/** FPSCR.QC: 0 or 1 (any non-zero word reads as 1). */
export const FPSCR_QC = 34;
/** FPSCR cumulative exception bits in place: IOC 0, DZC 1, OFC 2, UFC 3, IXC 4, IDC 7. */
export const FPSCR_EXCEPTIONS = 35;
export const FPEXC = 36;
/** Instructions left in this run when the current block was entered. */
export const BUDGET = 28;
/** How a region was left, when its result does not say (wasm/exit-codes.ts). */
export const EXIT_CODE = 29;
/** Interrupt lines that are active, at their places in CPSR: I and F. */
export const INTERRUPT_LINES = 30;
/** Event register of WFE and SEV: 0 or 1. */
export const EVENT = 31;
/** Decode mode: what translations are keyed by. Bit 0 is CPSR.T. */
export const DECODE_MODE = 40;
/** VA of the line of code that was fetched last, or -1: the next one counts, whatever it is. */
export const FETCH_LINE = 42;
/**
 * Where accesses are counted, those that hit since somebody looked: loads, stores, looks at the TLB beyond one each (or less), fetches. Then
 * FAST_SPARE of the last hit on either side.
 */
export const HIT_LOADS = 43;
export const HIT_STORES = 44;
export const HIT_LOOKS = 45;
export const HIT_FETCHES = 46;
export const HIT_LAST_DATA = 47;
export const HIT_LAST_FETCH = 48;
/**
 * Accesses besides, which the fast table did not know (wasm/found-access.ts): those that the L1 had, those that it had not, lines that it gave up for them, dirty ones
 * among these.
 */
export const HIT_LOADS_FOUND = 49;
export const HIT_LOADS_MISSED = 50;
export const HIT_STORES_FOUND = 51;
export const HIT_STORES_MISSED = 52;
export const HIT_EVICTIONS = 53;
export const HIT_WRITE_BACKS = 55;
/** While a region calls others: what of HIT_LOADS and the three after it, a byte each, it has counted and not added (wasm/hit-counts.ts). Else 0. */
export const HIT_PENDING = 56;
/** Rolling hash of the core's stores, where somebody compares them (store-hash.ts). */
export const STORE_HASH = 41;
/** Not 0: an access beside memory was the last that the region does (`RegionHost.access`). Between runs 0. */
export const ACCESS_ENDS = 54;
/** Addend of the last look of a chain of addresses (wasm/address-chains.ts): a guess, and nothing follows from it. */
export const CHAIN_ADDEND = 57;
/** Thread registers of CP15 c13, which are read often. */
export const TPIDRURW = 37;
export const TPIDRURO = 38;
export const TPIDRPRW = 39;
/** First word of d0; dN is words D0 + 2N (low) and D0 + 2N + 1 (high), sN is word D0 + N. */
export const D0 = 64;
/** Temporaries: values of a block that several micro-operations use. */
export const TEMP0 = 128;
export const TEMP_COUNT = 256;

export const STATE_BYTES = 0x69000;
/** Byte offsets of the fast tables from the core's base. */
export const FAST_TABLE_PL1 = 0x1000;
export const FAST_TABLE_PL0 = 0x11000;
export const FAST_TABLE_ENTRIES = 4096;
/** Words of one fast-table entry: read tag, write tag, addend, and what the translation allows to be written. */
export const FAST_READ_TAG = 0;
export const FAST_WRITE_TAG = 1;
export const FAST_ADDEND = 2;
/** Page that may be written as far as the translation goes, whether or not it holds translated code. */
export const FAST_SPARE = 3;
export const FAST_STRIDE = 4;
/**
 * Where accesses are counted, entries are of lines and not of pages, and FAST_SPARE has the translation's number in bits 31:16 and the line's in 15:0. Lines of
 * code have a table of their own, two words each: tag, with bit 0 set for privileged fetches, and the same numbers.
 */
export const FETCH_TABLE = 0x61000;
export const FETCH_ENTRIES = 4096;
/** A tag no masked address can equal (bit 2 set: masks keep bits 31:12 and at most 1:0). */
export const FAST_INVALID = 4;

/** Jump table: entries of regions by the VA of their first instruction and the decode mode. */
export const JUMP_TABLE = 0x21000;
export const JUMP_ENTRIES = 16384;
export const JUMP_STRIDE = 4;
/** Words of one entry: VA (a value no entry has: {@link JUMP_INVALID}), decode mode, the region's slot, number of the entry in it. */
export const JUMP_PC = 0;
export const JUMP_MODE = 1;
export const JUMP_FUNCTION = 2;
export const JUMP_ENTRY = 3;
export const JUMP_INVALID = 1;
/** Of a region's slot: index of its function in the table. The bits above count the regions that had the same before, so that no two are ever taken for one. */
export const SLOT_INDEX = 0xffff;

import type { AccessSize, VirtAddr } from './addresses.js';
import type { Stateful } from './component.js';

/** Bit of {@link CachedMemory.shadow}: the line is dirty in the L1 data cache, so a store of write-back memory changes nothing but its bytes. */
export const LINE_DIRTY = 1;

/** Host-side tables that a {@link CachedMemory} has emptied where they could no longer be true. `hostPage` is an offset in guest memory over 4096. */
export interface CachedMemoryPort {
  /** Direct access to the page ends, under whatever VA: the next access asks again. */
  dropHostPage(hostPage: number): void;
  /** Direct access to every page ends. */
  dropData(): void;
  /** Translated code of these granules (a bit for 128 bytes) is no longer what a fetch would give. */
  codeWritten(hostPage: number, granules: number): void;
  /** Code pages must be entered again ({@link CachedMemory.enterCode}) before they run on. */
  dropCode(): void;
}

/**
 * Guest memory with the contents of the caches of one core. RAM holds what the core's cacheable accesses see; where a level below has other bytes, this
 * has them. Addresses of data are offsets in guest memory ("host"); `attributes` is the packed word of the mapping: type in bits 1:0, inner policy in 3:2,
 * outer in 5:4, shareable in 6.
 */
export interface CachedMemory extends Stateful {
  /** log2 of the line of the data side. */
  readonly lineSizeLog2: number;
  /** The same of the instruction side. */
  readonly fetchLineSizeLog2: number;
  /** One byte for each line of guest memory, in its buffer; see {@link LINE_DIRTY}. The other bits are the implementation's. */
  readonly shadow: Uint8Array;
  /** Every access is reported with {@link note}: the models count. */
  readonly everyAccess: boolean;
  connect(port: CachedMemoryPort): void;
  /** SCTLR.C and SCTLR.I have their effect. */
  controlChanged(sctlr: number): void;
  /** How data accesses with these attributes go now: 0 past the caches, 1 through them, 2 into them. */
  classOf(attributes: number): 0 | 1 | 2;
  /** The page will be accessed with this class. True when loads may read RAM directly until it is dropped. */
  enterData(hostPage: number, accessClass: 0 | 1 | 2): boolean;
  /** Loads and stores of class 0 and 1. Values are unsigned. */
  loadPast(host: number, size: AccessSize): number;
  storePast(host: number, size: AccessSize, value: number): void;
  storeThrough(va: VirtAddr, host: number, size: AccessSize, value: number, attributes: number): void;
  /** Before a store of class 2 to a line without {@link LINE_DIRTY}: the old bytes are kept for whoever does not see the L1. */
  makeDirty(va: VirtAddr, host: number, attributes: number): void;
  /** One access of any class, for the models: `kind` is ACCESS_*. Only with {@link everyAccess}. */
  note(va: VirtAddr, host: number, kind: number, attributes: number): void;
  /** A store that {@link note} was told of, all of it, is done. */
  storeDone(): void;
  /** The core fetches from this page: with these attributes, under this VA, from now on. */
  enterCode(hostPage: number, attributes: number, va: VirtAddr): void;
  /** What a fetch at `host` gives. */
  fetch(host: number): number;
  /** Maintenance by MVA (ARM DDI 0406C, B4.2.1), by the manual's names. `host` is -1 for an address that is no memory. */
  maintain(operation: string, va: VirtAddr, host: number): void;
  /** Maintenance by set and way, packed as the guest wrote it. */
  maintainSetWay(operation: string, operand: number): void;
  /** ICIALLU. */
  invalidateInstructions(): void;
}

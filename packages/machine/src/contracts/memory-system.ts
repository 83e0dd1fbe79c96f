import type { PhysAddr, VirtAddr } from './addresses.js';
import type { Stateful } from './component.js';

/** Kind of access, as bits so that tables can be indexed with them. */
export const ACCESS_READ = 0;
export const ACCESS_WRITE = 1;
export const ACCESS_FETCH = 2;
export type AccessKind = 0 | 1 | 2;

/** Memory type of a translation (ARM DDI 0406C, A3.5). */
export const MEMORY_STRONGLY_ORDERED = 0;
export const MEMORY_DEVICE = 1;
export const MEMORY_NORMAL = 2;
export type MemoryType = 0 | 1 | 2;

/** Faults that the CPU itself detects and whose status code depends on the descriptor format in use. */
export type CpuFaultKind = 'alignment' | 'external' | 'debug';

/**
 * What a successful translation says. One mutable object per memory system, overwritten by the next `translate`: read it at once, keep nothing.
 */
export interface Translation {
  /** Physical address of the access itself (not of the page). */
  pa: PhysAddr;
  /** log2 of the size of the mapping in bytes (10 to 32), the granule in which TLB entries and fast-table entries may be made. */
  sizeLog2: number;
  type: MemoryType;
  /** Cacheability per level as in TEX remapping: 0 non-cacheable, 1 write-back write-allocate, 2 write-through, 3 write-back. */
  inner: number;
  outer: number;
  shareable: boolean;
  /** True when the translation belongs to every address space; false means tagged by the current ASID. */
  global: boolean;
  /** What the *current* privilege may do with this page without a further check (the fast table caches these; a `false` only costs a slow access). */
  readable: boolean;
  writable: boolean;
  executable: boolean;
}

/** What a failed translation says; same life time as {@link Translation}. */
export interface TranslationFault {
  /**
   * Fault status in the layout of DFSR/IFSR for the format in use (short: FS[4] in bit 10, FS[3:0], domain in bits 7:4 for DFSR; long: bit 9 and
   * STATUS[5:0]), ExT included, WnR and CM not: the CPU adds those (B4.1.51, B4.1.52).
   */
  status: number;
  /** The same for PAR's FS field (PAR[6:1] from FSR, B4.1.112). */
  parStatus: number;
  /** The faulting VA. */
  va: VirtAddr;
  /** Physical address of the descriptor last read, or -1. For reports. */
  descriptorAddress: PhysAddr;
  /** Level of the walk at which it happened (1, 2, 3) or 0. */
  level: number;
}

/**
 * The CPU's view of address translation. VMSAv7 in `packages/mmu`; a flat one for MMU-less tests. `translate` is only called when the fast table
 * misses.
 */
export interface MemorySystem extends Stateful {
  /** The last translation. */
  readonly translation: Translation;
  /** The last fault. */
  readonly fault: TranslationFault;
  /** Translates and checks permissions. True: `translation` holds. False: `fault` holds. Never throws for anything a guest does. */
  translate(va: VirtAddr, access: AccessKind, privileged: boolean): boolean;
  /** Status of a fault that the CPU detected, in the layout of `TranslationFault.status`. */
  faultStatus(kind: CpuFaultKind): number;
  /** Counts every change that may alter a translation (register writes, TLB maintenance). */
  readonly epoch: number;
  /** Where removed translations are reported. Connected once, when the machine is composed. */
  connect(port: FastTablePort): void;
  reset(): void;
}

/** The host-side caches of translations (fast table, code look-up) that must stay a subset of the TLB model. */
export interface FastTablePort {
  dropAll(): void;
  /** Drops [va, va + 2^sizeLog2). */
  dropPage(va: VirtAddr, sizeLog2: number): void;
  /** Drops what was made from a TLB entry that maps these 2^sizeLog2 bytes, which the model no longer has. */
  dropEntry(va: VirtAddr, sizeLog2: number): void;
  /** Drops what was made from non-global entries of this ASID (or more). */
  dropAsid(asid: number): void;
  /** Drops every non-global entry: the current address space changed (CONTEXTIDR, TTBR0). */
  dropNonGlobal(): void;
  /**
   * Nothing made from non-global entries may be used from now on: their domains allow nothing any more (DACR). True: it is kept, for
   * {@link resumeNonGlobal}, and what is dropped until then is dropped from there too; what was kept before is gone. False: it was dropped.
   */
  suspendNonGlobal(): boolean;
  /** What was suspended last holds again, beside what was made since. */
  resumeNonGlobal(): void;
}

/** How a walker reads descriptors: its own view of memory (ENGINE, fidelity). Undefined means an external abort on the walk. */
export interface WalkPort {
  /** `attributes` is the packed word (type, inner and outer policy) with which the walk reads its tables. */
  readU32(pa: PhysAddr, attributes?: number): number | undefined;
}

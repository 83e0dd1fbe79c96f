import type { PhysAddr, VirtAddr, WalkPort } from '@tablewalk/machine/contracts';
import { TLB_ENTRY_VALID, TLB_ENTRY_WORDS, type WalkCache } from './contracts/tlb.js';
import { FAULT_NONE, type FaultKind } from './fault-status.js';
import type { TranslationControl } from './translation-control.js';

/** What a descriptor turned out to be. */
export type DescriptorKind =
  | 'invalid'
  | 'reserved'
  | 'table'
  | 'section'
  | 'supersection'
  | 'large page'
  | 'small page'
  | 'block'
  | 'page'
  | 'disabled'
  | 'out of range'
  | 'abort';

/** Sees each descriptor that a walk reads, in order. The explainer is one; a tracer may be another. */
export interface WalkRecorder {
  /**
   * `address` is where the descriptor is, or -1 when the walk stopped before reading one (`disabled`, `out of range`). `high` is 0 for short
   * descriptors. `abort` has no value: the read itself failed.
   */
  descriptor(va: VirtAddr, level: number, kind: DescriptorKind, address: PhysAddr, low: number, high: number): void;
}

/**
 * The result of one walk before permissions are looked at, and so what a TLB entry holds. Mutable and reused; plain numbers only.
 */
export class WalkState {
  readonly control: TranslationControl;
  readonly port: WalkPort;
  recorder: WalkRecorder | null = null;
  /** Table descriptors that earlier walks met, of a TLB model that keeps them. */
  tables: WalkCache | null = null;

  /** Physical address of the first byte of the mapping. */
  paBase = 0;
  sizeLog2 = 12;
  /** AP[2:0] with short descriptors; with long ones AP[2:1] in the same place and AP[0] clear. */
  ap = 0;
  xn = false;
  pxn = false;
  global = true;
  domain = 0;
  attributes = 0;
  /** Level of the descriptor that ended the walk. */
  level = 0;
  contiguous = false;
  /** The walk went through TTBR1. */
  second = false;

  fault: FaultKind = FAULT_NONE;
  /** Physical address of the descriptor last read, or -1. */
  descriptorAddress = -1;

  /** The descriptor last read. */
  low = 0;
  high = 0;

  private readonly tableEntry = new Uint32Array(TLB_ENTRY_WORDS);

  constructor(control: TranslationControl, port: WalkPort) {
    this.control = control;
    this.port = port;
  }

  /** Reads a 32-bit descriptor into `low`. False: external abort. */
  read32(address: number): boolean {
    this.descriptorAddress = address;
    const word = this.port.readU32(address, this.second ? this.control.walk1 : this.control.walk0);
    if (word === undefined) return false;
    this.low = this.control.bigEndianTables ? swap(word) : word >>> 0;
    this.high = 0;
    return true;
  }

  /** Reads a 64-bit descriptor into `low` and `high`. False: external abort. */
  read64(address: number): boolean {
    this.descriptorAddress = address;
    const attributes = this.second ? this.control.walk1 : this.control.walk0;
    const first = this.port.readU32(address, attributes);
    if (first === undefined) return false;
    const second = this.port.readU32(address + 4, attributes);
    if (second === undefined) return false;
    if (this.control.bigEndianTables) {
      this.low = swap(second);
      this.high = swap(first);
    } else {
      this.low = first >>> 0;
      this.high = second >>> 0;
    }
    return true;
  }

  /** Keeps a table descriptor (see `WalkCache`): the table at `table` maps 2^sizeLog2 bytes around `va`. `bits` is word 4 of the entry. */
  keepTable(va: VirtAddr, level: number, sizeLog2: number, table: PhysAddr, bits: number): void {
    if (this.tables === null) return;
    const { tableEntry: entry } = this;
    entry[0] = (va & (0xffffffff << sizeLog2)) >>> 0;
    entry[1] = (TLB_ENTRY_VALID | sizeLog2 | (this.control.asid << 8) | (level << 17)) >>> 0;
    entry[2] = table % 0x100000000;
    entry[3] = Math.floor(table / 0x100000000);
    entry[4] = bits;
    entry[6] = this.descriptorAddress % 0x100000000;
    entry[7] = Math.floor(this.descriptorAddress / 0x100000000);
    this.tables.insert(entry);
  }

  fail(fault: FaultKind, level: number): false {
    this.fault = fault;
    this.level = level;
    return false;
  }
}

function swap(word: number): number {
  return ((word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0;
}

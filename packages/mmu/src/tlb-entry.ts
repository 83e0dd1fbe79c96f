import { TLB_ENTRY_GLOBAL, TLB_ENTRY_VALID } from './contracts/tlb.js';
import { FAULT_NONE } from './fault-status.js';
import type { WalkState } from './walk-state.js';

const HIGH = 0x100000000;

/** Writes the result of a walk as the words of an entry (see the `Tlb` contract). */
export function packEntry(entry: Uint32Array, w: WalkState, va: number, asid: number): void {
  entry[0] = (va & (0xffffffff << w.sizeLog2)) >>> 0;
  entry[1] = (TLB_ENTRY_VALID | w.sizeLog2 | (asid << 8) | (w.global ? TLB_ENTRY_GLOBAL : 0) | (w.level << 17)) >>> 0;
  entry[2] = w.paBase % HIGH;
  entry[3] = Math.floor(w.paBase / HIGH);
  entry[4] = w.ap | (w.xn ? 8 : 0) | (w.pxn ? 16 : 0) | (w.domain << 5) | (w.contiguous ? 0x200 : 0);
  entry[5] = w.attributes;
  entry[6] = w.descriptorAddress % HIGH;
  entry[7] = Math.floor(w.descriptorAddress / HIGH);
}

/** The reverse: as if the walk had just been done. */
export function unpackEntry(w: WalkState, arena: Readonly<Uint32Array>, offset: number): void {
  const tag = arena[offset + 1];
  const bits = arena[offset + 4];
  w.fault = FAULT_NONE;
  w.sizeLog2 = tag & 0xff;
  w.global = (tag & TLB_ENTRY_GLOBAL) !== 0;
  w.level = (tag >>> 17) & 3;
  w.paBase = arena[offset + 2] + arena[offset + 3] * HIGH;
  w.ap = bits & 7;
  w.xn = (bits & 8) !== 0;
  w.pxn = (bits & 16) !== 0;
  w.domain = (bits >>> 5) & 0xf;
  w.contiguous = (bits & 0x200) !== 0;
  w.attributes = arena[offset + 5];
  w.descriptorAddress = arena[offset + 6] + arena[offset + 7] * HIGH;
}

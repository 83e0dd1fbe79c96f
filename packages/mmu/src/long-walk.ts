import type { VirtAddr } from '@tablewalk/machine/contracts';
import { TTBCR_EPD0, TTBCR_EPD1 } from './control-bits.js';
import { FAULT_ACCESS_FLAG, FAULT_NONE, FAULT_TRANSLATION, FAULT_WALK_ABORT } from './fault-status.js';
import type { WalkState } from './walk-state.js';

const NONE = 0;
const FIRST = 1;
const SECOND = 2;

/** Which TTBR translates `va` (B3.6.4, "Use of TTBR0 and TTBR1"): FIRST, SECOND, or NONE for the gap between the two regions. */
function region(va: VirtAddr, t0sz: number, t1sz: number): number {
  // TxSZ of 0 means 'what the other one leaves'. A shift by 32 would be a shift by 0, so 0 is handled before.
  if (t1sz !== 0 && va >>> (32 - t1sz) === (1 << t1sz) - 1) return SECOND;
  if (t0sz === 0 || va >>> (32 - t0sz) === 0) return FIRST;
  return t1sz === 0 ? SECOND : NONE;
}

/**
 * Long-descriptor walk (ARM DDI 0406C.d, B3.6). Contract as for `walkShort`.
 *
 *      31 30 29      21 20      12 11        0
 *     | L1  |   L2    |   L3     |  offset   |     a table is 4 or 512 descriptors of 8 bytes
 *
 * A region of at most 1 GB (TxSZ of 2 or more) starts at level 2.
 */
export function walkLong(w: WalkState, va: VirtAddr): boolean {
  const control = w.control;
  const ttbcr = control.ttbcr;
  const t0sz = ttbcr & 7;
  const t1sz = (ttbcr >>> 16) & 7;
  w.fault = FAULT_NONE;
  w.domain = 0;
  w.descriptorAddress = -1;

  const which = region(va, t0sz, t1sz);
  w.second = which === SECOND;
  if (which === NONE) {
    w.recorder?.descriptor(va, 1, 'out of range', -1, 0, 0);
    return w.fail(FAULT_TRANSLATION, 1);
  }
  if ((ttbcr & (which === FIRST ? TTBCR_EPD0 : TTBCR_EPD1)) !== 0) {
    w.recorder?.descriptor(va, 1, 'disabled', -1, 0, 0);
    return w.fail(FAULT_TRANSLATION, 1);
  }
  const size = which === FIRST ? t0sz : t1sz;
  let level = size < 2 ? 1 : 2;
  // Bits of VA that the first table resolves: 32 - TxSZ less what the lower levels and the offset take.
  const firstBits = 32 - size - (level === 1 ? 30 : 21);
  const ttbrLow = which === FIRST ? control.ttbr0 : control.ttbr1;
  const ttbrHigh = which === FIRST ? control.ttbr0High : control.ttbr1High;
  let base = ((ttbrLow & (0xffffffff << (firstBits + 3))) >>> 0) + (ttbrHigh & 0xff) * 0x100000000;
  let index = level === 1 ? (va >>> 30) & ((1 << firstBits) - 1) : (va >>> 21) & ((1 << firstBits) - 1);

  // NSTable, APTable, XNTable, PXNTable of every table on the way: set bits only restrict.
  let tableBits = 0;
  const known = w.tables === null ? -1 : w.tables.lookup(va, control.asid);
  if (known >= 0) {
    const { arena } = w.tables!;
    base = arena[known + 2]! + arena[known + 3]! * 0x100000000;
    tableBits = (arena[known + 4]! >>> 10) << 27;
    level = ((arena[known + 1]! >>> 17) & 3) + 1;
    index = level === 2 ? (va >>> 21) & 0x1ff : (va >>> 12) & 0x1ff;
  }
  for (;;) {
    if (!w.read64(base + index * 8)) {
      w.recorder?.descriptor(va, level, 'abort', w.descriptorAddress, 0, 0);
      return w.fail(FAULT_WALK_ABORT, level);
    }
    const low = w.low;
    const high = w.high;
    if ((low & 1) === 0) {
      w.recorder?.descriptor(va, level, 'invalid', w.descriptorAddress, low, high);
      return w.fail(FAULT_TRANSLATION, level);
    }
    if (level < 3 && (low & 2) !== 0) {
      w.recorder?.descriptor(va, level, 'table', w.descriptorAddress, low, high);
      tableBits |= high;
      base = ((low & 0xfffff000) >>> 0) + (high & 0xff) * 0x100000000;
      w.keepTable(va, level, level === 1 ? 30 : 21, base, (tableBits >>> 27) << 10);
      level++;
      index = level === 2 ? (va >>> 21) & 0x1ff : (va >>> 12) & 0x1ff;
      continue;
    }
    if (level === 3 && (low & 2) === 0) {
      w.recorder?.descriptor(va, level, 'reserved', w.descriptorAddress, low, high);
      return w.fail(FAULT_TRANSLATION, 3);
    }
    const sizeLog2 = level === 3 ? 12 : level === 2 ? 21 : 30;
    w.level = level;
    w.sizeLog2 = sizeLog2;
    w.paBase = ((low & (0xffffffff << sizeLog2)) >>> 0) + (high & 0xff) * 0x100000000;
    w.global = (low & 0x800) === 0;
    w.contiguous = (high & 0x100000) !== 0;
    w.attributes = control.attributes[(low & 0x1c) | ((low >>> 8) & 3)];
    // APTable[1] (bit 62) takes writes away, APTable[0] (bit 61) takes PL0 away; XNTable is bit 60, PXNTable bit 59.
    w.ap = ((((low >>> 7) | (tableBits >>> 30)) & 1) << 2) | (((low >>> 6) & ~(tableBits >>> 29) & 1) << 1);
    w.xn = ((high & 0x400000) | (tableBits & 0x10000000)) !== 0;
    w.pxn = ((high & 0x200000) | (tableBits & 0x08000000)) !== 0;
    w.recorder?.descriptor(va, level, level === 3 ? 'page' : 'block', w.descriptorAddress, low, high);
    if ((low & 0x400) === 0) return w.fail(FAULT_ACCESS_FLAG, level);
    return true;
  }
}

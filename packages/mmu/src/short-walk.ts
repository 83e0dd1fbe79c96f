import type { PhysAddr, VirtAddr } from '@tablewalk/machine/contracts';
import { TTBCR_N_MASK, TTBCR_PD0, TTBCR_PD1 } from './control-bits.js';
import { FAULT_ACCESS_FLAG, FAULT_NONE, FAULT_TRANSLATION, FAULT_WALK_ABORT } from './fault-status.js';
import type { WalkState } from './walk-state.js';

/**
 * Short-descriptor walk (ARM DDI 0406C.d, B3.5). True: the mapping is in `w`. False: `w.fault` and `w.level` say why. Domain and permission are
 * not looked at: they depend on who asks, and a TLB entry does not.
 *
 * A VA goes through TTBR1 when any of its top TTBCR.N bits is set:
 *
 *      31   32-N          20 19      12 11        0
 *     | 0...0 |  L1 index  |  L2 index |  offset  |
 */
export function walkShort(w: WalkState, va: VirtAddr): boolean {
  const control = w.control;
  const n = control.ttbcr & TTBCR_N_MASK;
  const first = n === 0 || va >>> (32 - n) === 0;
  w.fault = FAULT_NONE;
  w.second = !first;
  w.domain = 0;
  w.contiguous = false;
  w.descriptorAddress = -1;

  if ((control.ttbcr & (first ? TTBCR_PD0 : TTBCR_PD1)) !== 0) {
    w.recorder?.descriptor(va, 1, 'disabled', -1, 0, 0);
    return w.fail(FAULT_TRANSLATION, 1);
  }
  const known = w.tables === null ? -1 : w.tables.lookup(va, control.asid);
  if (known >= 0) {
    const { arena } = w.tables!;
    w.domain = (arena[known + 4]! >>> 5) & 0xf;
    w.pxn = (arena[known + 4]! & 16) !== 0;
    return secondLevel(w, va, arena[known + 2]!);
  }
  // With TTBR0 the table shrinks with N: its base is aligned to 2^(14-N), and va >>> 20 has its top N bits clear already.
  const base = first ? (control.ttbr0 & (0xffffffff << (14 - n))) >>> 0 : (control.ttbr1 & 0xffffc000) >>> 0;
  if (!w.read32((base | ((va >>> 20) << 2)) >>> 0)) {
    w.recorder?.descriptor(va, 1, 'abort', w.descriptorAddress, 0, 0);
    return w.fail(FAULT_WALK_ABORT, 1);
  }
  const l1 = w.low;
  const type = l1 & 3;

  if (type === 0) {
    w.recorder?.descriptor(va, 1, 'invalid', w.descriptorAddress, l1, 0);
    return w.fail(FAULT_TRANSLATION, 1);
  }

  if (type !== 1) {
    // Bit 0 is PXN: 0b11 is a section too.
    w.level = 1;
    w.pxn = (l1 & 1) !== 0;
    w.xn = (l1 & 0x10) !== 0;
    w.global = (l1 & 0x20000) === 0;
    w.ap = ((l1 >>> 10) & 3) | ((l1 >>> 13) & 4);
    w.attributes = control.attributes[((l1 >>> 9) & 0x38) | ((l1 >>> 1) & 6) | ((l1 >>> 16) & 1)];
    if ((l1 & 0x40000) !== 0) {
      // Supersection: PA[39:36] is in bits 8:5, PA[35:32] in bits 23:20; the domain is 0.
      w.sizeLog2 = 24;
      w.paBase = ((l1 & 0xff000000) >>> 0) + (((l1 >>> 20) & 0xf) | ((l1 >>> 1) & 0xf0)) * 0x100000000;
      w.recorder?.descriptor(va, 1, 'supersection', w.descriptorAddress, l1, 0);
    } else {
      w.domain = (l1 >>> 5) & 0xf;
      w.sizeLog2 = 20;
      w.paBase = (l1 & 0xfff00000) >>> 0;
      w.recorder?.descriptor(va, 1, 'section', w.descriptorAddress, l1, 0);
    }
    if (control.accessFlag && (w.ap & 1) === 0) return w.fail(FAULT_ACCESS_FLAG, 1);
    return true;
  }

  w.domain = (l1 >>> 5) & 0xf;
  w.pxn = (l1 & 4) !== 0;
  w.recorder?.descriptor(va, 1, 'table', w.descriptorAddress, l1, 0);
  const table = (l1 & 0xfffffc00) >>> 0;
  w.keepTable(va, 1, 20, table, (w.pxn ? 16 : 0) | (w.domain << 5));
  return secondLevel(w, va, table);
}

/** The second level: `table` is its address; domain and PXN are known. */
function secondLevel(w: WalkState, va: VirtAddr, table: PhysAddr): boolean {
  const { control } = w;
  if (!w.read32((table | ((va >>> 10) & 0x3fc)) >>> 0)) {
    w.recorder?.descriptor(va, 2, 'abort', w.descriptorAddress, 0, 0);
    return w.fail(FAULT_WALK_ABORT, 2);
  }
  const l2 = w.low;
  if ((l2 & 3) === 0) {
    w.recorder?.descriptor(va, 2, 'invalid', w.descriptorAddress, l2, 0);
    return w.fail(FAULT_TRANSLATION, 2);
  }
  w.level = 2;
  w.global = (l2 & 0x800) === 0;
  w.ap = ((l2 >>> 4) & 3) | ((l2 >>> 7) & 4);
  if ((l2 & 2) === 0) {
    w.sizeLog2 = 16;
    w.paBase = (l2 & 0xffff0000) >>> 0;
    w.xn = (l2 & 0x8000) !== 0;
    w.attributes = control.attributes[((l2 >>> 9) & 0x38) | ((l2 >>> 1) & 6) | ((l2 >>> 10) & 1)];
    w.recorder?.descriptor(va, 2, 'large page', w.descriptorAddress, l2, 0);
  } else {
    w.sizeLog2 = 12;
    w.paBase = (l2 & 0xfffff000) >>> 0;
    w.xn = (l2 & 1) !== 0;
    w.attributes = control.attributes[((l2 >>> 3) & 0x38) | ((l2 >>> 1) & 6) | ((l2 >>> 10) & 1)];
    w.recorder?.descriptor(va, 2, 'small page', w.descriptorAddress, l2, 0);
  }
  if (control.accessFlag && (w.ap & 1) === 0) return w.fail(FAULT_ACCESS_FLAG, 2);
  return true;
}

import { BANKED_COUNT, type GicState, SGI_COUNT } from './gic-state.js';

/** Distributor registers (IHI 0048B.b, 4.3) as 32-bit words; `undefined` and `false` mean that nothing is there. */

/** ARM's JEP106 code with QEMU's product: what `virt` shows. */
const IIDR = 0x43b;
/** From 0xFD0: PeripheralID4-7, PeripheralID0-3 (a GICv2), PCellID0-3. */
const IDS = [0x04, 0x00, 0x00, 0x00, 0x90, 0xb4, 0x2b, 0x00, 0x0d, 0xf0, 0x05, 0xb1];

/** Bit n of the result says that byte n of the SGI registers' word has a source. */
function sgiWord(gic: GicState, core: number, firstSgi: number): number {
  let word = 0;
  for (let n = 3; n >= 0; n--) word = (word << 8) | gic.sgiSources[core * SGI_COUNT + firstSgi + n];
  return word >>> 0;
}

function bytesOf(source: Uint8Array, first: number): number {
  return (source[first] | (source[first + 1] << 8) | (source[first + 2] << 16) | (source[first + 3] << 24)) >>> 0;
}

/** Index of the bitmap word, or -1 for INTIDs that do not exist (those are RAZ/WI). */
function bitmapIndex(gic: GicState, core: number, word: number): number {
  return word === 0 ? core : word < gic.wordCount ? gic.coreCount - 1 + word : -1;
}

/** Two bits an interrupt, the upper one meaning edge-triggered. `half` 0 is the lower sixteen of a bitmap word. */
function configWord(bits: number, half: number): number {
  let word = 0;
  for (let n = 0; n < 16; n++) if ((bits >>> (half * 16 + n)) & 1) word |= 2 << (n * 2);
  return word >>> 0;
}

/** Undefined: no such register. */
export function readDistributor(gic: GicState, core: number, offset: number): number | undefined {
  if (offset >= 0x400 && offset < 0x800) {
    const first = offset - 0x400;
    if (first >= gic.intidCount) return 0;
    return bytesOf(gic.priority, (gic.wordIndex(core, first) << 5) | (first & 31));
  }
  if (offset >= 0x800 && offset < 0xc00) {
    const first = offset - 0x800;
    if (first >= gic.intidCount || gic.coreCount === 1) return 0;
    // SGIs and PPIs read as the reading core: that is how software learns its own number.
    return first < BANKED_COUNT ? Math.imul(1 << core, 0x0101_0101) >>> 0 : bytesOf(gic.targets, first - BANKED_COUNT);
  }
  if (offset >= 0xc00 && offset < 0xd00) {
    const register = (offset - 0xc00) >> 2;
    const index = bitmapIndex(gic, core, register >> 1);
    return index < 0 ? 0 : configWord(gic.edge[index], register & 1);
  }
  if (offset >= 0x80 && offset < 0x400) {
    const index = bitmapIndex(gic, core, (offset & 0x7f) >> 2);
    if (index < 0) return 0;
    switch (offset & ~0x7f) {
      case 0x080:
        return gic.group1[index];
      case 0x100:
      case 0x180:
        return gic.enabled[index];
      case 0x200:
      case 0x280:
        return (gic.latched[index] | (gic.level[index] & ~gic.edge[index])) >>> 0;
      default:
        return gic.active[index];
    }
  }
  if (offset >= 0xfd0) return IDS[(offset - 0xfd0) >> 2];
  if (offset >= 0xf10 && offset < 0xf30) return sgiWord(gic, core, offset & 0xf);
  switch (offset) {
    case 0x000:
      return gic.distributorCtlr;
    case 0x004:
      return ((gic.coreCount - 1) << 5) | (gic.wordCount - 1);
    case 0x008:
      return IIDR;
    default:
      return undefined;
  }
}

function merge(old: number, value: number, mask: number): number {
  return ((old & ~mask) | (value & mask)) >>> 0;
}

function writeBytes(target: Uint8Array, first: number, value: number, mask: number): void {
  for (let n = 0; n < 4; n++) if ((mask >>> (n * 8)) & 0xff) target[first + n] = value >>> (n * 8);
}

function writeBitmap(gic: GicState, core: number, offset: number, value: number, mask: number): void {
  const word = (offset & 0x7f) >> 2;
  const index = bitmapIndex(gic, core, word);
  if (index < 0) return;
  const bits = value & mask;
  // SGIs are always enabled, and pend through GICD_SGIR and GICD_(C|S)PENDSGIR only.
  const settable = word === 0 ? bits & ~0xffff : bits;
  switch (offset & ~0x7f) {
    case 0x080:
      gic.group1[index] = merge(gic.group1[index], value, mask);
      return;
    case 0x100:
      gic.enabled[index] |= settable;
      return;
    case 0x180:
      gic.enabled[index] &= ~settable;
      return;
    case 0x200:
      gic.latched[index] |= settable;
      return;
    case 0x280:
      gic.latched[index] &= ~settable;
      return;
    case 0x300:
      gic.active[index] |= bits;
      return;
    default:
      gic.active[index] &= ~bits;
  }
}

function writeConfig(gic: GicState, core: number, offset: number, value: number, mask: number): void {
  const register = (offset - 0xc00) >> 2;
  const index = bitmapIndex(gic, core, register >> 1);
  if (index < 0 || register === 0) return; // SGIs: read-only
  for (let n = 0; n < 16; n++) {
    if (((mask >>> (n * 2)) & 2) === 0) continue;
    const bit = 1 << ((register & 1) * 16 + n);
    if ((value >>> (n * 2)) & 2) gic.edge[index] |= bit;
    else gic.edge[index] &= ~bit;
  }
}

function pendSgi(gic: GicState, core: number, sgi: number, sources: number): void {
  gic.sgiSources[core * SGI_COUNT + sgi] |= sources;
  if (sources !== 0) gic.latched[core] |= 1 << sgi;
}

function writeSgiPending(gic: GicState, core: number, offset: number, value: number): void {
  const cores = (1 << gic.coreCount) - 1;
  for (let n = 0; n < 4; n++) {
    const sgi = (offset & 0xf) + n;
    const bits = (value >>> (n * 8)) & cores;
    if (offset >= 0xf20) {
      pendSgi(gic, core, sgi, bits);
    } else {
      const slot = core * SGI_COUNT + sgi;
      gic.sgiSources[slot] &= ~bits;
      if (gic.sgiSources[slot] === 0) gic.latched[core] &= ~(1 << sgi);
    }
  }
}

/** GICD_SGIR. False for the reserved target filter. */
function sendSgi(gic: GicState, core: number, value: number): boolean {
  const sgi = value & 0xf;
  const all = (1 << gic.coreCount) - 1;
  let targets: number;
  switch ((value >>> 24) & 3) {
    case 0:
      targets = (value >>> 16) & all;
      break;
    case 1:
      targets = all & ~(1 << core);
      break;
    case 2:
      targets = 1 << core;
      break;
    default:
      return false;
  }
  for (let target = 0; target < gic.coreCount; target++) if ((targets >>> target) & 1) pendSgi(gic, target, sgi, 1 << core);
  return true;
}

/**
 * Writes the bytes of a word that `mask` selects (`value` is already in place). False when the register does not exist, is read-only or cannot be
 * written in this size.
 */
export function writeDistributor(gic: GicState, core: number, offset: number, value: number, mask: number): boolean {
  if (offset >= 0x400 && offset < 0x800) {
    const first = offset - 0x400;
    if (first < gic.intidCount) writeBytes(gic.priority, (gic.wordIndex(core, first) << 5) | (first & 31), value, mask);
  } else if (offset >= 0x800 && offset < 0xc00) {
    const first = offset - 0x800;
    if (gic.coreCount === 1 || first < BANKED_COUNT || first >= gic.intidCount) return true; // RAZ/WI and read-only: not an error
    for (let n = 0; n < 4; n++) {
      if ((mask >>> (n * 8)) & 0xff) gic.setTarget(first - BANKED_COUNT + n, (value >>> (n * 8)) & ((1 << gic.coreCount) - 1));
    }
  } else if (offset >= 0xc00 && offset < 0xd00) {
    writeConfig(gic, core, offset, value, mask);
  } else if (offset >= 0x80 && offset < 0x400) {
    writeBitmap(gic, core, offset, value, mask);
  } else if (offset >= 0xf10 && offset < 0xf30) {
    writeSgiPending(gic, core, offset, value & mask);
  } else if (offset === 0) {
    gic.distributorCtlr = merge(gic.distributorCtlr, value, mask) & 3;
  } else if (offset === 0xf00) {
    if (mask !== -1 || !sendSgi(gic, core, value)) return false;
  } else {
    return false;
  }
  gic.updateAll();
  return true;
}

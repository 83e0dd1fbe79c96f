import { layout } from '@tablewalk/engine';
import type { DecodeMode } from '../isa/arm-builder.js';
import { CPSR_E, CPSR_T, MODE_USR } from '../system/core-system.js';

/** Bits of a decode key: of a code page's key, of the low bits of a fetched page's tag, and of what a jump-table entry is for. */
const KEY_THUMB = 1;
const KEY_BIG_ENDIAN = 2;
export const KEY_PRIVILEGED = 4;
const KEY_VFP = 8;
const KEY_SIMD = 16;
const KEY_ALIGNED = 32;
const KEY_SHORT_VECTORS = 64;
/** FPSCR.STRIDE and LEN. */
const FPSCR_SHORT_VECTORS = 0x00370000;

/** Whether this CPACR lets a privilege use coprocessors 10 and 11. */
export const vfpAccessible = (cpacr: number, privileged: boolean): boolean => {
  const access = (cpacr >>> 20) & 3;
  return access === 3 || (access === 1 && privileged);
};

/** Key of the translations that a core in this state runs. */
export const decodeKey = (words: Int32Array, cpacr: number, alignmentChecked: boolean): number => {
  const control = words[layout.CPSR_CONTROL]!;
  const privileged = (control & 0x1f) !== MODE_USR;
  const vfp = (words[layout.FPEXC]! & (1 << 30)) !== 0 && vfpAccessible(cpacr, privileged);
  return (
    (control & CPSR_T ? KEY_THUMB : 0) |
    (control & CPSR_E ? KEY_BIG_ENDIAN : 0) |
    (privileged ? KEY_PRIVILEGED : 0) |
    (vfp ? KEY_VFP : 0) |
    (vfp && cpacr >= 0 ? KEY_SIMD : 0) |
    (alignmentChecked ? KEY_ALIGNED : 0) |
    (words[layout.FPSCR_CONTROL]! & FPSCR_SHORT_VECTORS ? KEY_SHORT_VECTORS : 0)
  );
};

/** What a key says. */
export const decodeModeOf = (key: number): DecodeMode => ({
  thumb: (key & KEY_THUMB) !== 0,
  bigEndian: (key & KEY_BIG_ENDIAN) !== 0,
  privileged: (key & KEY_PRIVILEGED) !== 0,
  vfpEnabled: (key & KEY_VFP) !== 0,
  simdEnabled: (key & KEY_SIMD) !== 0,
  shortVectors: (key & KEY_SHORT_VECTORS) !== 0,
  alignmentChecked: (key & KEY_ALIGNED) !== 0,
});

/** What the offset of an instruction in its page is shifted by to index the blocks of a page with this key: T32 has them at halfwords. */
export const offsetShift = (key: number): number => (key & KEY_THUMB ? 1 : 2);

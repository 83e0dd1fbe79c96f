import type { PhysAddr } from '@tablewalk/machine';

/**
 * Short-descriptor encodings (ARM DDI 0406C, B3.5.1) with SCTLR.TRE = 0 and AFE = 0: TEX, C and B are the memory type (Table B3-10), AP[2:0] the
 * rights (Table B3-8). Domain 0 throughout, which DACR makes a client.
 */
export interface Attributes {
  readonly memory: 'normal' | 'non-cacheable' | 'device';
  /** What PL1 may do and what PL0 may. */
  readonly kernel: 'rw' | 'r';
  readonly user: 'rw' | 'r' | 'none';
  readonly execute: boolean;
  /** Belongs to every address space (nG = 0). */
  readonly global: boolean;
  readonly shareable: boolean;
}

/** AP[2:0]: 001 kernel RW; 010 kernel RW, user RO; 011 RW, RW; 101 kernel RO; 111 RO, RO. */
const accessPermissions = ({ kernel, user }: Attributes): number => {
  if (kernel === 'rw') return user === 'rw' ? 0b011 : user === 'r' ? 0b010 : 0b001;
  return user === 'none' ? 0b101 : 0b111;
};

/** TEX[2:0] and C:B, write-back write-allocate for Normal memory. */
const memoryType = {
  normal: { tex: 0b001, cb: 0b11 },
  'non-cacheable': { tex: 0b001, cb: 0b00 },
  device: { tex: 0b000, cb: 0b01 },
} as const;

/**
 * 1 MB:
 *
 *      31     20 19 18 17 16 15   14 12 11 10 9 8   5  4  3 2 1 0
 *     |  base   |NS| 0|nG| S|AP[2]| TEX |AP1:0|-|domain|XN|C B|1 0|
 */
export const section = (pa: PhysAddr, a: Attributes): number => {
  const ap = accessPermissions(a);
  const { tex, cb } = memoryType[a.memory];
  return (
    (pa |
      (a.global ? 0 : 1 << 17) |
      (a.shareable ? 1 << 16 : 0) |
      ((ap & 4) << 13) |
      (tex << 12) |
      ((ap & 3) << 10) |
      (a.execute ? 0 : 1 << 4) |
      (cb << 2) |
      0b10) >>>
    0
  );
};

/**
 * 4 KB:
 *
 *      31     12 11 10   9   8 6  5 4  3 2 1  0
 *     |  base   |nG| S|AP[2]|TEX|AP1:0|C B|1|XN|
 */
export const smallPage = (pa: PhysAddr, a: Attributes): number => {
  const ap = accessPermissions(a);
  const { tex, cb } = memoryType[a.memory];
  return (
    (pa |
      (a.global ? 0 : 1 << 11) |
      (a.shareable ? 1 << 10 : 0) |
      ((ap & 4) << 7) |
      (tex << 6) |
      ((ap & 3) << 4) |
      (cb << 2) |
      0b10 |
      (a.execute ? 0 : 1)) >>>
    0
  );
};

/** A second-level table of 1 KB; four of them fill a page. */
export const tablePointer = (pa: PhysAddr): number => (pa | 0b01) >>> 0;

const kernel = { memory: 'normal', kernel: 'rw', user: 'none', execute: false, global: true, shareable: true } as const;

/** Kernel memory. As a section: 0x1141e. */
export const KERNEL_DATA: Attributes = kernel;
/** Kernel code: read-only and executable at PL1. */
export const KERNEL_TEXT: Attributes = { ...kernel, kernel: 'r', execute: true };
/** The identity section: what runs there was loaded with the data beside it. 0x1140e. */
export const KERNEL_IDENTITY: Attributes = { ...kernel, execute: true };
export const KERNEL_DEVICE: Attributes = { ...kernel, memory: 'device' };

/** User memory is never global: it belongs to one ASID. */
export const userAttributes = (rights: 'r' | 'rw' | 'rx'): Attributes => ({
  memory: 'normal',
  // PL1 may write what PL0 may only read: the kernel fills the pages.
  kernel: 'rw',
  user: rights === 'rw' ? 'rw' : 'r',
  execute: rights === 'rx',
  global: false,
  shareable: true,
});

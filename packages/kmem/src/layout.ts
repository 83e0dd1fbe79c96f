import type { PhysAddr, VirtAddr } from '@tablewalk/machine';
import { KmemError } from './kmem-error.js';

export const PAGE = 4096;
export const MIB = 0x100000;
const HIGH = 0x1_0000_0000;

/** Where the kernel and its parts are. Everything follows from two numbers: the load address and the split. */
export interface LayoutOptions {
  /** Where RAM begins; 0x40000000 on QEMU's `virt`. */
  readonly ramBase?: PhysAddr;
  /** Physical address of the image's first byte, page aligned; default 0x40010000, where QEMU puts a raw `-kernel`. */
  readonly loadAddress?: PhysAddr;
  /**
   * First kernel address: 0x80000000 (TTBCR.N = 1, the default) or 0x40000000 (N = 2). Only these: TTBCR.N puts the split at a power of two, and
   * below 0x40000000 the identity address of the running code would be the direct map's address of other memory.
   */
  readonly split?: VirtAddr;
}

/** Addresses of one kernel. Ends are exclusive and may be 2^32. */
export interface KernelLayout {
  readonly ramBase: PhysAddr;
  readonly loadAddress: PhysAddr;
  readonly split: VirtAddr;
  /** TTBCR.N (ARM DDI 0406C, B4.1.153): TTBR0 translates the VAs whose top N bits are 0. */
  readonly ttbcrN: number;
  /** VA of the image's first byte. */
  readonly linkAddress: VirtAddr;
  /** Where user programs are linked and loaded. */
  readonly userLink: VirtAddr;
  readonly vmallocStart: VirtAddr;
  /** The largest part of RAM that the direct map can hold. */
  readonly directMapBytes: number;
}

/** First of the eight megabytes at the top, which small pages map. */
export const VMALLOC_START = 0xff800000;
export const VMALLOC_END = HIGH;

/** @throws {KmemError} addresses that no kernel can have */
export const kernelLayout = (options: LayoutOptions = {}): KernelLayout => {
  const ramBase = options.ramBase ?? 0x40000000;
  const loadAddress = options.loadAddress ?? ramBase + 0x10000;
  const split = options.split ?? 0x80000000;
  const hex = (value: number): string => `0x${value.toString(16)}`;
  if (split !== 0x80000000 && split !== 0x40000000)
    throw new KmemError('layout', `the kernel can begin at 0x80000000 or 0x40000000, not at ${hex(split)}`);
  const directMapBytes = VMALLOC_START - split;
  if (!Number.isInteger(loadAddress) || loadAddress % PAGE !== 0)
    throw new KmemError('layout', `the load address ${hex(loadAddress)} is no multiple of 4096`);
  if (loadAddress < ramBase || loadAddress >= ramBase + directMapBytes)
    throw new KmemError(
      'layout',
      `the load address ${hex(loadAddress)} is outside the RAM that the direct map holds, ${hex(ramBase)} to ${hex(ramBase + directMapBytes)}`,
    );
  return {
    ramBase,
    loadAddress,
    split,
    ttbcrN: split === 0x80000000 ? 1 : 2,
    linkAddress: split + (loadAddress - ramBase),
    userLink: split / 2,
    vmallocStart: VMALLOC_START,
    directMapBytes,
  };
};

/** Direct-map VA to PA by arithmetic: nothing is read. */
export const linearToPhysical = (layout: KernelLayout, va: VirtAddr): PhysAddr => va - layout.split + layout.ramBase;
/** PA to direct-map VA by arithmetic. */
export const physicalToLinear = (layout: KernelLayout, pa: PhysAddr): VirtAddr => pa - layout.ramBase + layout.split;

/** One line of the region table. */
export interface Region {
  readonly name: string;
  readonly start: VirtAddr;
  /** Exclusive; 2^32 for the last. */
  readonly end: number;
  readonly table: 'TTBR0' | 'TTBR1';
}

/** The four parts of the address space, lowest first. */
export const regionsOf = (layout: KernelLayout): readonly Region[] => [
  { name: 'unused user space', start: 0, end: layout.userLink, table: 'TTBR0' },
  { name: 'user link and load address', start: layout.userLink, end: layout.split, table: 'TTBR0' },
  { name: 'kernel direct map', start: layout.split, end: layout.vmallocStart, table: 'TTBR1' },
  { name: 'kernel vmalloc', start: layout.vmallocStart, end: VMALLOC_END, table: 'TTBR1' },
];

export const alignUp = (value: number, alignment: number): number => Math.ceil(value / alignment) * alignment;
export const alignDown = (value: number, alignment: number): number => Math.floor(value / alignment) * alignment;

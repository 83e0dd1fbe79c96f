import type { PageAllocator } from '@tablewalk/alloc/guest';
import type { PhysAddr, VirtAddr } from '@tablewalk/machine';
import type { BootRecord, EarlyMap } from '../boot/early.js';
import type { KernelTables } from '../kernel-tables.js';
import type { KernelLayout } from '../layout.js';
import type { KernelPort } from '../port.js';

/** Version of {@link MemoryPolicy} that a policy was written for. */
export const POLICY_CONTRACT = 1;

/** An answer that may not exist. */
export type Translated = { readonly possible: true; readonly address: number } | NotPossible;

/** The policy cannot say: not a fault, and not a wrong argument. */
export interface NotPossible {
  readonly possible: false;
  readonly reason: string;
}

export interface AllocateOptions {
  /** The first page's physical address is a multiple of `1 << alignLog2` pages; needs `contiguous`. */
  readonly alignLog2?: number;
  /** Physically contiguous too. */
  readonly contiguous?: boolean;
}

/** Kernel memory as a policy gives it out, in pages. */
export interface KernelMemory {
  /** First VA of pages that the kernel can use, or undefined when there are none left. Contents are undefined. */
  allocate(pages: number, options?: AllocateOptions): VirtAddr | undefined;
  /** Gives back what `allocate` gave, whole. */
  free(va: VirtAddr, pages: number): void;
  /** Physical address of a kernel VA. */
  vtop(va: VirtAddr): Translated;
  /** Kernel VA of a physical address. */
  ptov(pa: PhysAddr): Translated;
  /** State of the policy's own that is not in guest memory, for snapshots. */
  state(): unknown;
  restore(state: unknown): void;
}

/** What a policy stands on. */
export interface PolicySurroundings {
  readonly port: KernelPort;
  readonly layout: KernelLayout;
  readonly boot: BootRecord;
  readonly tables: KernelTables;
  /** `kernalloc`: all physical pages behind the image. */
  readonly physical: PageAllocator;
  /** Pages of VA, for a policy that asked for them with `virtualPages`. */
  readonly virtual: PageAllocator | undefined;
}

/** How a kernel relates virtual to physical memory. Factories return plain objects. */
export interface MemoryPolicy {
  readonly contract: typeof POLICY_CONTRACT;
  readonly name: string;
  /** Every page of RAM has a kernel address by arithmetic; allocators that keep words in free pages need it. */
  readonly linear: boolean;
  /** It has an allocator of VAs of its own, with state in guest memory. */
  readonly virtualPages: boolean;
  /** Fills the kernel half up to vmalloc before the MMU is on. */
  readonly earlyMap: EarlyMap;
  open(surroundings: PolicySurroundings): KernelMemory;
}

import type { AllocatorPlugin, ObjectCachePlugin } from '@tablewalk/alloc/guest';
import type { Observer, PhysAddr } from '@tablewalk/machine';
import type { CoreFacts } from './core-facts.js';
import type { SiteList } from './image/sites.js';
import type { LayoutOptions } from './layout.js';
import type { Maintenance } from './maintenance.js';
import type { MemoryPolicy } from './policies/policy.js';
import type { KernelPort } from './port.js';
import type { Asids } from './user/asids.js';
import type { VmallocOptions } from './vmalloc.js';

/** What a test puts in place of the kernel's own parts, to see what goes wrong without them. */
export interface KernelInternals {
  readonly maintenance?: (correct: Maintenance, port: KernelPort, facts: CoreFacts) => Maintenance;
  readonly asids?: (correct: Asids, maintenance: Maintenance) => Asids;
  readonly source?: (source: string) => string;
  readonly facts?: Partial<CoreFacts>;
}

export interface KernelOptions extends LayoutOptions {
  /** RAM in bytes where no device tree says it; default 128 MiB. */
  readonly ramBytes?: number;
  /** Default {@link directMap}. */
  readonly policy?: MemoryPolicy;
  /** Of `kernalloc`; default `zoneList`. Take plugins from `@tablewalk/alloc/guest`. */
  readonly allocator?: AllocatorPlugin;
  /** Of `kern_virt_allocator`, and of the policy's virtual pages; default `zoneList`. It has no pages to keep words in. */
  readonly virtualAllocator?: AllocatorPlugin;
  /** Objects smaller than a page, such as tasks; without one they take a page each. */
  readonly objectCache?: ObjectCachePlugin;
  /** Default eager. */
  readonly vmalloc?: VmallocOptions;
  /** Fill freed pages with a pattern and look at it when they are given out again. */
  readonly poison?: boolean;
  /** The PL011 to print on; default 0x09000000, `null` for none. */
  readonly uart?: PhysAddr | null;
  readonly observers?: readonly Observer[];
  /** Call sites of the embedder's own routines, made with `routine`. */
  readonly sites?: SiteList;
  readonly internals?: KernelInternals;
}

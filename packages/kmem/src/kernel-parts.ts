import type { AllocatorPlugin, PageAllocator, PageDescriptors } from '@tablewalk/alloc/guest';
import {
  allocatorMetadataWords,
  attachAllocator,
  checkAllocatorPlugin,
  checkObjectCachePlugin,
  createAllocator,
  DESCRIPTOR_WORDS,
  hostWords,
  pageDescriptors,
  zoneList,
} from '@tablewalk/alloc/guest';
import type { BootLog } from './boot/boot-log.js';
import type { BootRecord } from './boot/early.js';
import { earlySites } from './boot/early.js';
import { guestWords, wordSites } from './guest-words.js';
import { peekAllocator, peekEverywhere, peekWords } from './inspect.js';
import type { KernelOptions } from './kernel-options.js';
import { KernelTables } from './kernel-tables.js';
import { KmemError } from './kmem-error.js';
import type { KernelLayout } from './layout.js';
import { PAGE, physicalToLinear, VMALLOC_END, VMALLOC_START } from './layout.js';
import type { KernelMachine } from './machine.js';
import type { Maintenance } from './maintenance.js';
import { poisoned } from './poison.js';
import { checkedMemory } from './policies/checked-memory.js';
import type { KernelMemory, MemoryPolicy } from './policies/policy.js';
import { POLICY_CONTRACT } from './policies/policy.js';
import type { KernelPort } from './port.js';
import { Asids } from './user/asids.js';
import { ProgramTable } from './user/program-table.js';
import { checkVmallocOptions, Vmalloc } from './vmalloc.js';

const METADATA = { kernalloc: 'kernalloc', virtual: 'kern_virt_allocator', vmm: 'vmm', descriptors: 'page descriptors' } as const;

/** Pages of vmalloc. */
const VMALLOC_GEOMETRY = { firstPage: VMALLOC_START / PAGE, pageCount: (VMALLOC_END - VMALLOC_START) / PAGE, pageShift: 12 };

export interface OpenKernel {
  readonly maintenance: Maintenance;
  readonly tables: KernelTables;
  readonly kernalloc: PageAllocator;
  readonly virtual: PageAllocator;
  readonly vmm: PageAllocator | undefined;
  readonly descriptors: PageDescriptors;
  readonly memory: KernelMemory;
  readonly vmalloc: Vmalloc;
  readonly asids: Asids;
  readonly programs: ProgramTable;
}

/** The allocators as they are in guest memory at one moment. */
export interface AllocatorPictures {
  readonly kernalloc: PageAllocator;
  readonly virtual: PageAllocator;
  readonly vmm: PageAllocator | undefined;
}

/** What the kernel is opened with, besides its options. */
interface Surroundings {
  readonly port: KernelPort;
  readonly log: BootLog;
  readonly boot: BootRecord;
  readonly maintenance: Maintenance;
  /** Prints a character. */
  readonly put: (code: number) => void;
}

/** Whether an allocator keeps page descriptors itself: seen by making a small one. */
const keepsDescriptors = (plugin: AllocatorPlugin): boolean => {
  const geometry = { firstPage: 0, pageCount: 16, pageShift: 12 };
  const hooks = plugin.capabilities.inBand ? { pageWords: hostWords(16 * 1024) } : undefined;
  return createAllocator(plugin, geometry, undefined, hooks).descriptors !== undefined;
};

/** Refuses plugins that are none, before anything of them is used. */
const checkOptions = ({ allocator, virtualAllocator, objectCache, vmalloc }: KernelOptions, policy: MemoryPolicy): void => {
  if (allocator !== undefined) checkAllocatorPlugin(allocator);
  if (virtualAllocator !== undefined) checkAllocatorPlugin(virtualAllocator);
  if (objectCache !== undefined) checkObjectCachePlugin(objectCache);
  const { contract } = (policy as Partial<MemoryPolicy> | null) ?? {};
  if (contract !== POLICY_CONTRACT)
    throw new KmemError('policy', `speaks version ${String(contract)} of the policy contract; this is version ${POLICY_CONTRACT}`);
  if (typeof policy.open !== 'function' || typeof policy.earlyMap !== 'function')
    throw new KmemError('policy', `${policy.name} lacks open or earlyMap`);
  if (vmalloc !== undefined) checkVmallocOptions(vmalloc);
};

/** The allocators that the options name, what they need, and everything that stands on them once the kernel runs. */
export class KernelParts {
  readonly layout: KernelLayout;
  private readonly options: KernelOptions;
  private readonly policy: MemoryPolicy;
  private readonly allocator: AllocatorPlugin;
  private readonly virtualAllocator: AllocatorPlugin;
  private readonly hasDescriptors: boolean;

  constructor(options: KernelOptions, policy: MemoryPolicy, layout: KernelLayout) {
    checkOptions(options, policy);
    this.options = options;
    this.policy = policy;
    this.layout = layout;
    this.allocator = options.allocator ?? zoneList();
    this.virtualAllocator = options.virtualAllocator ?? zoneList();
    if (this.virtualAllocator.capabilities.inBand)
      throw new KmemError(
        'allocator',
        `${this.virtualAllocator.name} keeps its words in the pages that it manages; virtual pages are none`,
      );
    if (this.allocator.capabilities.inBand && !this.policy.linear)
      throw new KmemError(
        'allocator',
        `${this.allocator.name} keeps its words in free pages, which have no address under ${this.policy.name}`,
      );
    this.hasDescriptors = keepsDescriptors(this.allocator);
  }

  /** Pages of kernalloc: from the end of the image to the end of the RAM that the direct map holds. */
  metadata(firstPage: number, pageCount: number): Readonly<Record<string, number>> {
    const physical = { firstPage, pageCount, pageShift: 12 };
    const linear = physicalToLinear(this.layout, firstPage * PAGE) / PAGE;
    return {
      [METADATA.kernalloc]: allocatorMetadataWords(this.allocator, physical),
      [METADATA.virtual]: allocatorMetadataWords(this.virtualAllocator, VMALLOC_GEOMETRY),
      [METADATA.vmm]: this.policy.virtualPages
        ? allocatorMetadataWords(this.virtualAllocator, { firstPage: linear, pageCount, pageShift: 12 })
        : 0,
      [METADATA.descriptors]: this.hasDescriptors ? 0 : pageCount * DESCRIPTOR_WORDS,
    };
  }

  private geometries(boot: BootRecord) {
    const firstPage = boot.imageEnd / PAGE;
    const pageCount = boot.mappedEnd / PAGE - firstPage;
    // What cannot be reserved is left out: everything behind the image that the kernel took for itself; the device tree's pages are then free. An
    // allocator that keeps words in free pages must not see those pages either: to it everything is free until it is reserved.
    const { reserve: canReserve, inBand } = this.allocator.capabilities;
    const from = canReserve && inBand !== true ? firstPage : boot.reservedEnd / PAGE;
    return {
      firstPage,
      pageCount,
      canReserve,
      geometry: { firstPage: from, pageCount: firstPage + pageCount - from, pageShift: 12 },
      vmmGeometry: { firstPage: physicalToLinear(this.layout, firstPage * PAGE) / PAGE, pageCount, pageShift: 12 },
    };
  }

  /** The allocators as they are in guest memory now: see `Kernel.inspect`. */
  inspect(machine: KernelMachine, boot: BootRecord): AllocatorPictures {
    const { geometry, vmmGeometry } = this.geometries(boot);
    const words = (name: string) => peekWords(machine, boot.metadata[name]!.address, boot.metadata[name]!.words);
    const pageWords = this.allocator.capabilities.inBand ? peekEverywhere(machine, geometry.firstPage * PAGE) : undefined;
    return {
      kernalloc: peekAllocator(this.allocator, geometry, words(METADATA.kernalloc), pageWords),
      virtual: peekAllocator(this.virtualAllocator, VMALLOC_GEOMETRY, words(METADATA.virtual)),
      vmm: this.policy.virtualPages ? peekAllocator(this.virtualAllocator, vmmGeometry, words(METADATA.vmm)) : undefined,
    };
  }

  /** Opens everything that stands on guest memory: a new one, or the one that is there. Runs in a host routine. */
  open(how: 'create' | 'attach', { port, log, boot, maintenance: maintain, put }: Surroundings): OpenKernel {
    const { layout, options, policy } = this;
    const tables = new KernelTables(port, maintain, layout, boot, (...written) => log.descriptor(...written));
    const words = (name: string, sites: keyof typeof wordSites) =>
      guestWords(port, wordSites[sites], physicalToLinear(layout, boot.metadata[name]!.address));
    const make = how === 'create' ? createAllocator : attachAllocator;
    const { firstPage, pageCount, canReserve, geometry, vmmGeometry } = this.geometries(boot);
    const from = geometry.firstPage;
    const hooks = this.allocator.capabilities.inBand
      ? { pageWords: guestWords(port, wordSites.free_pages, physicalToLinear(layout, from * PAGE)) }
      : undefined;
    const kernalloc = make(this.allocator, geometry, words(METADATA.kernalloc, 'kernalloc'), hooks);
    const virtual = make(this.virtualAllocator, VMALLOC_GEOMETRY, words(METADATA.virtual, 'kern_virt_allocator'));
    const vmm = policy.virtualPages ? make(this.virtualAllocator, vmmGeometry, words(METADATA.vmm, 'vmm')) : undefined;
    if (how === 'create') {
      if (canReserve)
        for (const { start, end } of boot.reserved)
          if (start >= boot.imageEnd && start < boot.mappedEnd)
            kernalloc.reserve(start / PAGE, (Math.min(end, boot.mappedEnd) - start) / PAGE);
      if (vmm !== undefined) vmm.reserve(vmmGeometry.firstPage, boot.reservedEnd / PAGE - firstPage);
    }
    let { descriptors } = kernalloc;
    if (descriptors === undefined) {
      const place = boot.metadata[METADATA.descriptors]!;
      if (how === 'create') port.branch(earlySites.zero, port.entry('memzero'), physicalToLinear(layout, place.address), place.words * 4);
      descriptors = pageDescriptors(words(METADATA.descriptors, 'page_descriptors'), 0, firstPage, pageCount);
    }
    const plain = policy.open({ port, layout, boot, tables, physical: kernalloc, virtual: vmm });
    const memory = checkedMemory(options.poison === true ? poisoned(plain, port) : plain, policy.name);
    const asids = options.internals?.asids?.(new Asids(maintain), maintain) ?? new Asids(maintain);
    const surroundings = { port, layout, maintenance: maintain, memory, asids, descriptors };
    return {
      maintenance: maintain,
      tables,
      kernalloc,
      virtual,
      vmm,
      descriptors,
      memory,
      vmalloc: new Vmalloc(tables, virtual, kernalloc, options.vmalloc ?? { unmapping: 'eager' }),
      asids,
      programs: new ProgramTable({
        ...surroundings,
        emptyTable: boot.userTable | boot.facts.walkAttributes,
        walkAttributes: boot.facts.walkAttributes,
        put,
        geometry,
        ...(options.objectCache && { objectCache: options.objectCache }),
        kernalloc,
      }),
    };
  }
}

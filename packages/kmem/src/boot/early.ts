import type { PhysAddr, VirtAddr } from '@tablewalk/machine';
import type { CoreFacts } from '../core-facts.js';
import { readCoreFacts } from '../core-facts.js';
import type { Attributes } from '../descriptors.js';
import { KERNEL_DATA, KERNEL_IDENTITY, KERNEL_TEXT, section, smallPage, tablePointer } from '../descriptors.js';
import type { KernelProgram } from '../image/program.js';
import type { Site } from '../image/sites.js';
import { routine } from '../image/sites.js';
import { KmemError } from '../kmem-error.js';
import type { KernelLayout } from '../layout.js';
import { alignDown, alignUp, linearToPhysical, MIB, PAGE, physicalToLinear, VMALLOC_START } from '../layout.js';
import type { KernelPort } from '../port.js';
import type { BootLog } from './boot-log.js';
import { readFdtMemory } from './fdt-memory.js';

export const earlySites = routine('kmem_init2', {
  zero: 'branch',
  store_section: 'store',
  store_table: 'store',
  store_page: 'store',
  store_identity: 'store',
  dsb: 'dsb',
});

/** A range of physical memory with a name, end exclusive. */
export interface PhysicalRange {
  readonly name: string;
  readonly start: PhysAddr;
  readonly end: PhysAddr;
}

/** Where `kmem_init2` put things: all that the kernel knows of itself afterwards. Plain data, so that a snapshot can hold it. */
export interface BootRecord {
  readonly facts: CoreFacts;
  readonly ramEnd: PhysAddr;
  /** End of the direct map's part of RAM. */
  readonly mappedEnd: PhysAddr;
  readonly imageStart: PhysAddr;
  readonly imageEnd: PhysAddr;
  /** First byte after everything that was reserved behind the image. */
  readonly reservedEnd: PhysAddr;
  /** In address order: image, tables, metadata; and the device tree, which may be anywhere. */
  readonly reserved: readonly PhysicalRange[];
  readonly firstLevel: PhysAddr;
  /** First the identity page's table, then the empty one of a kernel that runs no program. */
  readonly userTable: PhysAddr;
  /** Eight second-level tables, one after the other. */
  readonly vmallocTables: PhysAddr;
  /** Second-level tables of the policy's own, one a megabyte from `policyTablesStart` on; 0 for none. */
  readonly policyTables: PhysAddr;
  readonly policyTablesStart: VirtAddr;
  readonly policyTablesEnd: VirtAddr;
  /** Words for allocators and page descriptors, by name: physical address and count. */
  readonly metadata: Readonly<Record<string, { readonly address: PhysAddr; readonly words: number }>>;
}

/** What a policy maps of the kernel half before the MMU is on; see `policies/`. */
export type EarlyMap = (boot: EarlyBoot) => void;

export interface EarlyOptions {
  readonly program: KernelProgram;
  readonly port: KernelPort;
  readonly log: BootLog;
  /** Where the code runs and where the device tree is, as start-up found them. */
  readonly runsAt: PhysAddr;
  readonly deviceTree: PhysAddr;
  /** For a machine that gives no device tree. */
  readonly ramBytes: number;
  readonly map: EarlyMap;
  /** Words of metadata for `pageCount` pages from `firstPage` on. */
  readonly metadata: (firstPage: number, pageCount: number) => Readonly<Record<string, number>>;
  readonly facts?: Partial<CoreFacts>;
}

/** `kmem_init2`, which makes the kernel's page tables while the MMU is off. Addresses that it stores to are physical. */
export class EarlyBoot {
  readonly layout: KernelLayout;
  readonly port: KernelPort;
  readonly facts: CoreFacts;
  readonly ramEnd: PhysAddr;
  readonly mappedEnd: PhysAddr;
  readonly imageStart: PhysAddr;
  readonly textEnd: PhysAddr;
  readonly imageEnd: PhysAddr;
  firstLevel = 0;
  private readonly options: EarlyOptions;
  private readonly deviceTree: PhysicalRange | undefined;
  private readonly ranges: PhysicalRange[] = [];
  private next: PhysAddr;
  private policyTables = 0;
  private policyTablesStart = 0;
  private policyTablesEnd = 0;

  constructor(options: EarlyOptions) {
    const { program, port, log, runsAt } = options;
    this.options = options;
    this.port = port;
    const { layout } = program;
    this.layout = layout;
    if (runsAt !== layout.loadAddress)
      throw new KmemError(
        'boot',
        `the image runs at 0x${runsAt.toString(16)} and is linked for 0x${layout.loadAddress.toString(16)}: its symbols would be elsewhere`,
      );
    this.facts = { ...readCoreFacts(port), ...options.facts };
    const fdtAddress = options.deviceTree !== 0 ? options.deviceTree : layout.ramBase;
    // Without a boot protocol the tree may still be at the base of RAM, where the board puts it when there is room.
    const tree = options.deviceTree !== 0 || layout.loadAddress > layout.ramBase + MIB ? readFdtMemory(port, fdtAddress) : undefined;
    const ramBytes = tree?.base === layout.ramBase ? tree.byteLength : options.ramBytes;
    log.note(
      tree === undefined
        ? `no device tree: RAM is the ${ramBytes} bytes that the kernel was built for`
        : `device tree at 0x${fdtAddress.toString(16)}: RAM is ${ramBytes} bytes`,
    );
    this.ramEnd = layout.ramBase + ramBytes;
    this.mappedEnd = Math.min(this.ramEnd, layout.ramBase + layout.directMapBytes);
    this.imageStart = layout.loadAddress;
    this.textEnd = layout.loadAddress + program.textBytes;
    this.imageEnd = layout.loadAddress + program.bytes.length;
    if (this.imageEnd > this.mappedEnd)
      throw new KmemError('boot', `an image that ends at 0x${this.imageEnd.toString(16)} is beyond the end of RAM`);
    this.deviceTree =
      tree === undefined
        ? undefined
        : {
            name: 'device tree',
            start: alignDown(fdtAddress, PAGE),
            end: Math.min(alignUp(fdtAddress + tree.blobBytes, PAGE), this.ramEnd),
          };
    this.ranges.push({ name: 'kernel image', start: this.imageStart, end: this.imageEnd });
    this.next = this.imageEnd;
  }

  /** Takes memory behind the image for good. It is not cleared. */
  reserve(name: string, byteLength: number, alignment = PAGE): PhysAddr {
    let start = alignUp(this.next, alignment);
    const tree = this.deviceTree;
    if (tree !== undefined && start < tree.end && start + byteLength > tree.start) start = alignUp(tree.end, alignment);
    const end = alignUp(start + byteLength, PAGE);
    if (end > this.mappedEnd)
      throw new KmemError(
        'boot',
        `there is no room for ${name} (${byteLength} bytes) in ${(this.mappedEnd - this.layout.ramBase) / MIB} MiB of RAM`,
      );
    this.next = end;
    this.ranges.push({ name, start, end });
    return start;
  }

  /** Clears memory with the kernel's own loop; a multiple of 32 bytes. */
  zero(address: PhysAddr, byteLength: number): void {
    this.port.branch(earlySites.zero, this.port.entry('memzero'), address, byteLength);
  }

  store(site: Site, what: string, address: PhysAddr, descriptor: number, va?: VirtAddr): void {
    this.port.store(site, address, descriptor);
    this.options.log.descriptor(what, address, descriptor, va);
  }

  /** The image's part of a megabyte, which small pages map from the start so that nothing the kernel runs from is ever split live. */
  isImageMegabyte(va: VirtAddr): boolean {
    const pa = linearToPhysical(this.layout, alignDown(va, MIB));
    return pa < this.imageEnd && pa + MIB > this.imageStart;
  }

  section(va: VirtAddr, pa: PhysAddr, attributes: Attributes): void {
    this.store(earlySites.store_section, 'sections', this.firstLevel + 4 * (va >>> 20), section(pa, attributes), va);
  }

  table(va: VirtAddr, table: PhysAddr): void {
    this.store(earlySites.store_table, 'table pointers', this.firstLevel + 4 * (va >>> 20), tablePointer(table), va);
  }

  page(table: PhysAddr, va: VirtAddr, pa: PhysAddr, attributes: Attributes): void {
    this.store(earlySites.store_page, 'small pages', table + 4 * ((va >>> 12) & 0xff), smallPage(pa, attributes), va);
  }

  /** Text read-only and executable, everything else writable and never executed. */
  attributesOf(pa: PhysAddr): Attributes {
    return pa >= this.imageStart && pa < this.textEnd ? KERNEL_TEXT : KERNEL_DATA;
  }

  /** Second-level tables for the megabytes [start, end) of the kernel's half, cleared and linked. */
  linkPolicyTables(start: VirtAddr, end: VirtAddr): PhysAddr {
    const count = (end - start) / MIB;
    this.policyTables = this.reserve('second-level tables', count * 1024);
    this.policyTablesStart = start;
    this.policyTablesEnd = end;
    this.zero(this.policyTables, count * 1024);
    for (let n = 0; n < count; n++) this.table(start + n * MIB, this.policyTables + n * 1024);
    return this.policyTables;
  }

  /** Maps the megabytes of the image by small pages, the rest of them as far as RAM goes. */
  mapImage(): void {
    const { layout } = this;
    const first = alignDown(this.imageStart, MIB);
    const last = alignUp(this.imageEnd, MIB);
    const tables = this.reserve("second-level tables of the image's megabytes", ((last - first) / MIB) * 1024);
    this.zero(tables, ((last - first) / MIB) * 1024);
    for (let pa = first; pa < last; pa += MIB) {
      const table = tables + ((pa - first) / MIB) * 1024;
      const va = physicalToLinear(layout, pa);
      for (let offset = 0; offset < MIB && pa + offset < this.mappedEnd; offset += PAGE)
        this.page(table, va + offset, pa + offset, this.attributesOf(pa + offset));
      this.table(va, table);
    }
  }

  run(): BootRecord {
    const { layout, facts, options } = this;
    const { port } = options;
    this.firstLevel = this.reserve('first-level table, TTBR1', 0x4000, 0x4000);
    this.zero(this.firstLevel, 0x4000);
    const userTableBytes = 0x4000 >>> layout.ttbcrN;
    const userTable = this.reserve('first-level table, TTBR0', userTableBytes, userTableBytes);
    this.zero(userTable, userTableBytes);
    const vmallocTables = this.reserve('second-level tables of vmalloc', 8 * 1024);
    this.zero(vmallocTables, 8 * 1024);
    options.map(this);
    for (let n = 0; n < 8; n++) this.table(VMALLOC_START + n * MIB, vmallocTables + n * 1024);
    // With the split at 0x40000000 on this board the identity address is the direct map's own, and nothing is missing.
    const running = alignDown(this.imageStart, MIB);
    if (running < layout.split)
      this.store(
        earlySites.store_identity,
        'identity section',
        userTable + 4 * (running >>> 20),
        section(running, KERNEL_IDENTITY),
        running,
      );
    const firstPage = this.imageEnd / PAGE;
    const metadata: Record<string, { address: PhysAddr; words: number }> = {};
    for (const [name, words] of Object.entries(options.metadata(firstPage, this.mappedEnd / PAGE - firstPage)))
      if (words > 0) metadata[name] = { address: this.reserve(name, words * 4), words };
    if (this.policyTables !== 0) this.mapReserved();
    port.dsb(earlySites.dsb);
    const reserved = this.deviceTree === undefined ? this.ranges : [...this.ranges, this.deviceTree];
    return {
      facts,
      ramEnd: this.ramEnd,
      mappedEnd: this.mappedEnd,
      imageStart: this.imageStart,
      imageEnd: this.imageEnd,
      reservedEnd: this.next,
      reserved: [...reserved].sort((a, b) => a.start - b.start),
      firstLevel: this.firstLevel,
      userTable,
      vmallocTables,
      policyTables: this.policyTables,
      policyTablesStart: this.policyTablesStart,
      policyTablesEnd: this.policyTablesEnd,
      metadata,
    };
  }

  /** A policy without a direct map reaches what was reserved at its linear address all the same, page by page. */
  private mapReserved(): void {
    for (let pa = this.imageStart; pa < this.next; pa += PAGE) {
      const va = physicalToLinear(this.layout, pa);
      this.page(this.policyTables + (((va - this.policyTablesStart) / MIB) >>> 0) * 1024, va, pa, this.attributesOf(pa));
    }
  }
}

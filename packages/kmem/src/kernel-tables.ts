import type { PhysAddr, VirtAddr } from '@tablewalk/machine';
import type { BootRecord } from './boot/early.js';
import type { Attributes } from './descriptors.js';
import { smallPage } from './descriptors.js';
import { routine } from './image/sites.js';
import { KmemError } from './kmem-error.js';
import type { KernelLayout } from './layout.js';
import { MIB, PAGE, physicalToLinear, VMALLOC_START } from './layout.js';
import type { Maintenance } from './maintenance.js';
import type { KernelPort } from './port.js';

export const tableSites = routine('kernel_tables', {
  map: 'store',
  unmap: 'store',
  protect: 'store',
  break: 'store',
  make: 'store',
  read: 'load',
  read_first_level: 'load',
});

/** What was stored where, and the VA that it translates. */
type DescriptorLog = (what: string, address: VirtAddr, descriptor: number, va: VirtAddr) => void;

/**
 * The kernel half's second-level tables. All of them were linked by `kmem_init2`, so the first level is never edited again, and no operation can fail
 * for want of a table.
 */
export class KernelTables {
  private readonly port: KernelPort;
  private readonly maintenance: Maintenance;
  private readonly firstLevel: VirtAddr;
  private readonly vmalloc: VirtAddr;
  private readonly policy: VirtAddr;
  private readonly boot: BootRecord;
  private readonly layout: KernelLayout;

  private readonly wrote: DescriptorLog;

  /** `wrote` is told of each descriptor that `map` stores. */
  constructor(port: KernelPort, maintenance: Maintenance, layout: KernelLayout, boot: BootRecord, wrote: DescriptorLog = () => {}) {
    this.port = port;
    this.wrote = wrote;
    this.maintenance = maintenance;
    this.boot = boot;
    this.layout = layout;
    this.firstLevel = physicalToLinear(layout, boot.firstLevel);
    this.vmalloc = physicalToLinear(layout, boot.vmallocTables);
    this.policy = physicalToLinear(layout, boot.policyTables);
  }

  /** The kernel's address of the descriptor that maps a page. */
  private entry(va: VirtAddr): VirtAddr {
    const index = 4 * ((va >>> 12) & 0xff);
    if (va >= VMALLOC_START) return this.vmalloc + ((va - VMALLOC_START) >>> 20) * 1024 + index;
    if (va >= this.boot.policyTablesStart && va < this.boot.policyTablesEnd)
      return this.policy + ((va - this.boot.policyTablesStart) >>> 20) * 1024 + index;
    throw new KmemError('tables', `0x${va.toString(16)} is not mapped by small pages of the kernel's`);
  }

  private each(va: VirtAddr, pages: number, visit: (entry: VirtAddr, n: number) => void): void {
    // Entries of neighbouring pages are neighbours up to the end of their table.
    for (let n = 0; n < pages; n++) visit(this.entry(va + n * PAGE), n);
  }

  private written(va: VirtAddr, pages: number): void {
    for (let n = 0; n < pages; ) {
      const inTable = Math.min(pages - n, (MIB - ((va + n * PAGE) % MIB)) / PAGE);
      this.maintenance.descriptorsWritten(this.entry(va + n * PAGE), 4 * inTable);
      n += inTable;
    }
  }

  /** Maps pages that are not mapped. */
  map(va: VirtAddr, physical: readonly PhysAddr[], attributes: Attributes): void {
    this.each(va, physical.length, (entry, n) => {
      const descriptor = smallPage(physical[n]!, attributes);
      this.port.store(tableSites.map, entry, descriptor);
      this.wrote('small pages', entry, descriptor, va + n * PAGE);
    });
    this.written(va, physical.length);
    this.maintenance.published();
  }

  /** Clears descriptors and returns what they mapped. Translations may live until {@link invalidate}. */
  clear(va: VirtAddr, pages: number): PhysAddr[] {
    const physical: PhysAddr[] = [];
    this.each(va, pages, (entry) => {
      physical.push((this.port.load(tableSites.read, entry) & ~0xfff) >>> 0);
      this.port.store(tableSites.unmap, entry, 0);
    });
    this.written(va, pages);
    return physical;
  }

  invalidate(va: VirtAddr, pages: number): void {
    this.maintenance.invalidate({ va, pages, asid: undefined, executable: false });
  }

  /** Clears and invalidates: afterwards the addresses and the memory may be used for something else. */
  unmap(va: VirtAddr, pages: number): PhysAddr[] {
    const physical = this.clear(va, pages);
    this.invalidate(va, pages);
    return physical;
  }

  /** Changes rights, not the address, the type or the size. */
  protect(va: VirtAddr, pages: number, attributes: Attributes): void {
    this.each(va, pages, (entry) => {
      const pa = (this.port.load(tableSites.read, entry) & ~0xfff) >>> 0;
      this.port.store(tableSites.protect, entry, smallPage(pa, attributes));
    });
    this.written(va, pages);
    this.invalidate(va, pages);
  }

  /** Another output address or memory type: break before make (ARM DDI 0406C, B3.10.1). */
  replace(va: VirtAddr, physical: PhysAddr, attributes: Attributes): void {
    const entry = this.entry(va);
    this.port.store(tableSites.break, entry, 0);
    this.maintenance.descriptorsWritten(entry, 4);
    this.invalidate(va, 1);
    this.port.store(tableSites.make, entry, smallPage(physical, attributes));
    this.maintenance.descriptorsWritten(entry, 4);
    this.maintenance.published();
  }

  /** The PA behind any kernel VA by the tables, read through the port as the kernel's own software walk; undefined when nothing is mapped. */
  walk(va: VirtAddr): PhysAddr | undefined {
    const first = this.port.load(tableSites.read_first_level, this.firstLevel + 4 * (va >>> 20));
    if ((first & 3) === 0) return undefined;
    if ((first & 3) !== 1) return ((first & 0xfff00000) | (va & 0xfffff)) >>> 0;
    const table = physicalToLinear(this.layout, (first & 0xfffffc00) >>> 0);
    const second = this.port.load(tableSites.read, table + 4 * ((va >>> 12) & 0xff));
    return (second & 2) === 0 ? undefined : ((second & ~0xfff) | (va & 0xfff)) >>> 0;
  }
}

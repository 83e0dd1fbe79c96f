import type { PageAllocator } from '@tablewalk/alloc/guest';
import type { PhysAddr, VirtAddr } from '@tablewalk/machine';
import type { Attributes } from './descriptors.js';
import { KERNEL_DATA, KERNEL_DEVICE } from './descriptors.js';
import type { KernelTables } from './kernel-tables.js';
import { KmemError } from './kmem-error.js';
import { PAGE, VMALLOC_END, VMALLOC_START } from './layout.js';
import { checkPageCount } from './policies/checked-memory.js';

/** An area and the page behind it. */
const MOST_PAGES = (VMALLOC_END - VMALLOC_START) / PAGE - 1;

export interface VmallocOptions {
  /** `eager`: an unmapping is complete when `free` returns. `lazy`: areas wait for one common invalidation. */
  readonly unmapping: 'eager' | 'lazy';
  /** Pages that wait, with `lazy`, before there is an invalidation; default 512. */
  readonly lazyPages?: number;
}

/** @throws {KmemError} for what is no way to unmap, or no number of pages */
export const checkVmallocOptions = ({ unmapping, lazyPages = 1 }: VmallocOptions): void => {
  if (unmapping !== 'eager' && unmapping !== 'lazy') throw new KmemError('vmalloc', `unmapping ${String(unmapping)} is not eager or lazy`);
  checkPageCount('vmalloc', lazyPages);
};

interface Area {
  readonly va: VirtAddr;
  /** Mapped pages; one more, never mapped, follows as a guard. */
  readonly pages: number;
  /** Physical pages to give back, or undefined for a device's. */
  readonly owned: boolean;
}

interface Parked {
  readonly area: Area;
  readonly frames: readonly PhysAddr[];
}

/** State that is not in guest memory. */
export interface VmallocState {
  readonly areas: readonly Area[];
  readonly parked: readonly Parked[];
}

/** Dynamic mappings at the top of the address space: `kern_virt_allocator` gives the addresses, `kernalloc` the pages, one by one. */
export class Vmalloc {
  private readonly tables: KernelTables;
  private readonly virtual: PageAllocator;
  private readonly physical: PageAllocator;
  private readonly options: VmallocOptions;
  private readonly areas = new Map<VirtAddr, Area>();
  private parked: Parked[] = [];
  private parkedPages = 0;
  /** Invalidations that `lazy` made for all that waited. */
  purges = 0;

  constructor(tables: KernelTables, virtual: PageAllocator, physical: PageAllocator, options: VmallocOptions) {
    this.tables = tables;
    this.virtual = virtual;
    this.physical = physical;
    this.options = options;
  }

  /** Virtually contiguous memory; undefined when addresses or pages have run out. */
  allocate(pages: number, attributes: Attributes = KERNEL_DATA): VirtAddr | undefined {
    checkPageCount('vmalloc', pages);
    if (pages > MOST_PAGES) return undefined;
    const frames: PhysAddr[] = [];
    for (let n = 0; n < pages; n++) {
      const page = this.takeFrame();
      if (page < 0) {
        this.giveFrames(frames);
        return undefined;
      }
      frames.push(page * PAGE);
    }
    const va = this.place(frames, attributes, true);
    if (va === undefined) this.giveFrames(frames);
    return va;
  }

  /** A device's registers, or other physical memory that is not `kernalloc`'s, as Device memory by default. */
  mapPhysical(pa: PhysAddr, pages: number, attributes: Attributes = KERNEL_DEVICE): VirtAddr | undefined {
    checkPageCount('vmalloc', pages);
    if (!Number.isInteger(pa) || pa < 0 || pa % PAGE !== 0 || pa + pages * PAGE > 2 ** 32)
      throw new KmemError('vmalloc', `${pages} pages at physical ${pa} are none that a small page can map`);
    if (pages > MOST_PAGES) return undefined;
    return this.place(
      Array.from({ length: pages }, (_, n) => pa + n * PAGE),
      attributes,
      false,
    );
  }

  private takeFrame(): number {
    const page = this.physical.allocate(1);
    if (page >= 0 || this.parked.length === 0) return page;
    this.purge();
    return this.physical.allocate(1);
  }

  private giveFrames(frames: readonly PhysAddr[]): void {
    for (const pa of frames) this.physical.free(pa / PAGE, 1);
  }

  private place(frames: readonly PhysAddr[], attributes: Attributes, owned: boolean): VirtAddr | undefined {
    let first = this.virtual.allocate(frames.length + 1);
    if (first < 0 && this.parked.length > 0) {
      this.purge();
      first = this.virtual.allocate(frames.length + 1);
    }
    if (first < 0) return undefined;
    const va = first * PAGE;
    this.tables.map(va, frames, attributes);
    this.areas.set(va, { va, pages: frames.length, owned });
    return va;
  }

  /** @throws {KmemError} for an address that `allocate` or `mapPhysical` did not give, or that was given back */
  free(va: VirtAddr): void {
    const area = this.areas.get(va);
    if (area === undefined)
      throw new KmemError('vmalloc', `there is no area at ${Number.isInteger(va) && va >= 0 ? `0x${va.toString(16)}` : va}`);
    this.areas.delete(va);
    const frames = this.tables.clear(va, area.pages);
    if (this.options.unmapping === 'eager') {
      this.tables.invalidate(va, area.pages);
      this.recycle({ area, frames });
      return;
    }
    this.parked.push({ area, frames });
    this.parkedPages += area.pages;
    if (this.parkedPages >= (this.options.lazyPages ?? 512)) this.purge();
  }

  /** Invalidates for everything that waits, then gives it back. */
  purge(): void {
    if (this.parked.length === 0) return;
    const { parked } = this;
    this.parked = [];
    this.parkedPages = 0;
    this.purges++;
    const low = Math.min(...parked.map(({ area }) => area.va));
    const high = Math.max(...parked.map(({ area }) => area.va + area.pages * PAGE));
    this.tables.invalidate(low, (high - low) / PAGE);
    for (const one of parked) this.recycle(one);
  }

  private recycle({ area, frames }: Parked): void {
    this.virtual.free(area.va / PAGE, area.pages + 1);
    if (area.owned) this.giveFrames(frames);
  }

  /** Pages whose addresses wait for an invalidation. */
  get waitingPages(): number {
    return this.parkedPages;
  }
  /** Pages mapped now. */
  get mappedPages(): number {
    return [...this.areas.values()].reduce((sum, { pages }) => sum + pages, 0);
  }

  state(): VmallocState {
    return { areas: [...this.areas.values()], parked: [...this.parked] };
  }
  restore(state: VmallocState): void {
    this.areas.clear();
    for (const area of state.areas) this.areas.set(area.va, area);
    this.parked = [...state.parked];
    this.parkedPages = this.parked.reduce((sum, { area }) => sum + area.pages, 0);
  }
}

import type { PageDescriptors } from '@tablewalk/alloc/guest';
import { USE_TABLE, USE_USER } from '@tablewalk/alloc/guest';
import type { PhysAddr, VirtAddr } from '@tablewalk/machine';
import { smallPage, tablePointer, userAttributes } from '../descriptors.js';
import { routine } from '../image/sites.js';
import { KmemError } from '../kmem-error.js';
import type { KernelLayout } from '../layout.js';
import { alignDown, MIB, PAGE } from '../layout.js';
import type { Maintenance } from '../maintenance.js';
import type { KernelMemory } from '../policies/policy.js';
import type { KernelPort } from '../port.js';
import type { Asids, AsidTag } from './asids.js';

export const userSites = routine('user_space', {
  zero: 'branch',
  copy: 'branch',
  store_table: 'store',
  map: 'store',
  unmap: 'store',
  protect: 'store',
  copy_break: 'store',
  unlink: 'store',
  read: 'load',
  store_code: 'store',
});

export type Rights = 'r' | 'rw' | 'rx';

/** Pages of user VA with the same rights. */
export interface UserRegion {
  readonly start: VirtAddr;
  readonly end: number;
  readonly rights: Rights;
}

/** One mapped page. */
interface UserPage {
  /** The kernel's address of the frame. */
  readonly frame: VirtAddr;
  /** Written to, it becomes a copy of its own. */
  readonly copyOnWrite: boolean;
}

export interface AddressSpaceState {
  readonly id: number;
  readonly table: VirtAddr;
  readonly tablePa: PhysAddr;
  readonly tag: AsidTag | undefined;
  readonly regions: readonly UserRegion[];
  readonly groups: readonly (readonly [number, VirtAddr])[];
  readonly pages: readonly (readonly [VirtAddr, UserPage])[];
}

/** What address spaces share. */
export interface UserSurroundings {
  readonly port: KernelPort;
  readonly layout: KernelLayout;
  readonly maintenance: Maintenance;
  readonly memory: KernelMemory;
  readonly asids: Asids;
  /** Reference counts of frames, by page number. */
  readonly descriptors: PageDescriptors;
}

/** Why a fault was not the kernel's to mend, or that it was. */
export type FaultAnswer = 'mended' | 'no memory' | 'not mapped' | 'not allowed';

/**
 * The user half of one program: a first-level table of its own, second-level tables as they are needed (a page of four at a time), frames with
 * reference counts in the page descriptors.
 */
export class AddressSpace {
  readonly id: number;
  private readonly s: UserSurroundings;
  private table: VirtAddr = 0;
  /** For TTBR0, without walk attributes. */
  tablePa: PhysAddr = 0;
  tag: AsidTag | undefined;
  private regions: UserRegion[] = [];
  /** Pages of second-level tables, by number of their four megabytes. */
  private readonly groups = new Map<number, VirtAddr>();
  private readonly pages = new Map<VirtAddr, UserPage>();
  private destroyed = false;

  private constructor(id: number, surroundings: UserSurroundings) {
    this.id = id;
    this.s = surroundings;
  }

  /** Undefined when there is no memory for its table. */
  static create(id: number, surroundings: UserSurroundings): AddressSpace | undefined {
    const space = new AddressSpace(id, surroundings);
    const bytes = 0x4000 >>> surroundings.layout.ttbcrN;
    const pages = bytes / PAGE;
    const table = surroundings.memory.allocate(pages, { contiguous: true, alignLog2: Math.log2(pages) });
    if (table === undefined) return undefined;
    space.table = table;
    space.tablePa = space.physical(table);
    surroundings.port.branch(userSites.zero, surroundings.port.entry('memzero'), table, bytes);
    surroundings.maintenance.descriptorsWritten(table, bytes);
    surroundings.maintenance.published();
    for (let n = 0; n < pages; n++) surroundings.descriptors.setUse(space.tablePa / PAGE + n, USE_TABLE, 0);
    return space;
  }

  private physical(va: VirtAddr): PhysAddr {
    const answer = this.s.memory.vtop(va);
    if (!answer.possible) throw new KmemError('user', `0x${va.toString(16)} has no physical address: ${answer.reason}`);
    return answer.address;
  }

  private isTagged(): this is { readonly tag: AsidTag } {
    return this.tag !== undefined && this.s.asids.isCurrent(this.tag);
  }

  /** Invalidates pages if a TLB can hold them: a space without a current ASID has no translations. */
  private invalidate(va: VirtAddr, pages: number, executable: boolean): void {
    if (this.isTagged()) this.s.maintenance.invalidate({ va, pages, asid: this.tag.asid, executable });
    else this.s.maintenance.published();
  }

  /** The kernel's address of a page's descriptor, or undefined when it has no table. */
  private entry(va: VirtAddr): VirtAddr | undefined {
    const group = this.groups.get(Math.floor(va / (4 * MIB)));
    return group === undefined ? undefined : group + 1024 * ((va >>> 20) & 3) + 4 * ((va >>> 12) & 0xff);
  }

  /** As {@link entry}, making the table: cleared and readable for the walker before its pointer is stored. */
  private needEntry(va: VirtAddr): VirtAddr | undefined {
    const { port, memory, maintenance, descriptors } = this.s;
    const number = Math.floor(va / (4 * MIB));
    if (!this.groups.has(number)) {
      const group = memory.allocate(1);
      if (group === undefined) return undefined;
      port.branch(userSites.zero, port.entry('memzero'), group, PAGE);
      maintenance.descriptorsWritten(group, PAGE);
      maintenance.published();
      const pa = this.physical(group);
      descriptors.setUse(pa / PAGE, USE_TABLE, this.id & 0xffff);
      const first = this.table + 4 * ((number * 4) & 0xfff);
      for (let n = 0; n < 4; n++) port.store(userSites.store_table, first + 4 * n, tablePointer(pa + 1024 * n));
      maintenance.descriptorsWritten(first, 16);
      maintenance.published();
      this.groups.set(number, group);
    }
    return this.entry(va);
  }

  /** @throws {KmemError} outside the user half, in page 0, unaligned, or over another region */
  private checkRange(start: VirtAddr, pages: number): void {
    const end = start + pages * PAGE;
    if (!Number.isInteger(pages) || pages < 1 || start % PAGE !== 0 || start < PAGE || end > this.s.layout.split)
      throw new KmemError('user', `${pages} pages at 0x${start.toString(16)} are not pages of the user half above page 0`);
    if (this.regions.some((region) => start < region.end && end > region.start))
      throw new KmemError('user', `${pages} pages at 0x${start.toString(16)} overlap what is mapped`);
  }

  /** Adds pages that get their frames, cleared, when they are first touched. */
  mapOnDemand(start: VirtAddr, pages: number, rights: Rights): void {
    this.checkRange(start, pages);
    this.regions.push({ start, end: start + pages * PAGE, rights });
  }

  /** Adds pages with frames, cleared. False when memory ran out: what was done is undone. */
  map(start: VirtAddr, pages: number, rights: Rights): boolean {
    this.mapOnDemand(start, pages, rights);
    for (let n = 0; n < pages; n++)
      if (!this.fill(start + n * PAGE, rights)) {
        this.unmap(start, pages);
        return false;
      }
    this.s.maintenance.published();
    return true;
  }

  /** A frame for one page. The caller makes it visible. */
  private fill(va: VirtAddr, rights: Rights): boolean {
    const { port, memory } = this.s;
    const entry = this.needEntry(va);
    const frame = entry === undefined ? undefined : memory.allocate(1);
    if (entry === undefined || frame === undefined) return false;
    port.branch(userSites.zero, port.entry('memzero'), frame, PAGE);
    const pa = this.physical(frame);
    this.s.descriptors.setUse(pa / PAGE, USE_USER, this.id & 0xffff);
    this.s.descriptors.setReferences(pa / PAGE, 1);
    this.put(entry, pa, rights);
    this.pages.set(va, { frame, copyOnWrite: false });
    return true;
  }

  private put(entry: VirtAddr, pa: PhysAddr, rights: Rights): void {
    this.s.port.store(userSites.map, entry, smallPage(pa, userAttributes(rights)));
    this.s.maintenance.descriptorsWritten(entry, 4);
  }

  /** Maps pages for code, writes it through the kernel's address of the frames, and makes it what is fetched. */
  loadCode(start: VirtAddr, code: Uint8Array): boolean {
    const pages = Math.ceil(code.length / PAGE);
    if (!this.map(start, pages, 'rx')) return false;
    this.writeCode(start, code);
    return true;
  }

  /** Writes over code that is mapped. */
  writeCode(start: VirtAddr, code: Uint8Array): void {
    const { port, maintenance } = this.s;
    for (let offset = 0; offset < code.length; offset += 4) {
      const va = start + offset;
      const page = this.pages.get(alignDown(va, PAGE));
      if (page === undefined) throw new KmemError('user', `0x${va.toString(16)} is not mapped`);
      let word = 0;
      for (let n = 3; n >= 0; n--) word = (word << 8) | (code[offset + n] ?? 0);
      port.store(userSites.store_code, page.frame + (va % PAGE), word);
    }
    for (let va = alignDown(start, PAGE); va < start + code.length; va += PAGE) {
      const from = Math.max(va, start);
      const to = Math.min(va + PAGE, start + code.length);
      maintenance.codeWritten(this.pages.get(va)!.frame + (from % PAGE), to - from);
    }
  }

  /** Changes the rights of mapped pages. */
  protect(start: VirtAddr, pages: number, rights: Rights): void {
    const end = start + pages * PAGE;
    const inside = this.regions.filter((region) => region.start < end && region.end > start);
    const covered = inside.reduce((sum, region) => sum + Math.min(region.end, end) - Math.max(region.start, start), 0);
    if (covered !== end - start) throw new KmemError('user', `${pages} pages at 0x${start.toString(16)} are not all mapped`);
    const wasExecutable = inside.some((region) => region.rights === 'rx');
    this.carve(start, end);
    this.regions.push({ start, end, rights });
    for (let va = start; va < end; va += PAGE) {
      const page = this.pages.get(va);
      const entry = this.entry(va);
      if (page === undefined || entry === undefined) continue;
      this.s.port.store(
        userSites.protect,
        entry,
        smallPage(this.physical(page.frame), userAttributes(page.copyOnWrite && rights === 'rw' ? 'r' : rights)),
      );
      this.s.maintenance.descriptorsWritten(entry, 4);
    }
    this.invalidate(start, pages, wasExecutable);
  }

  private carve(start: VirtAddr, end: number): void {
    this.regions = this.regions.flatMap((region) => {
      if (region.end <= start || region.start >= end) return [region];
      const parts: UserRegion[] = [];
      if (region.start < start) parts.push({ ...region, end: start });
      if (region.end > end) parts.push({ ...region, start: end });
      return parts;
    });
  }

  /** Takes pages away: descriptors, then translations, then frames. */
  unmap(start: VirtAddr, pages: number): void {
    const end = start + pages * PAGE;
    const frames: VirtAddr[] = [];
    const executable = this.regions.some((region) => region.rights === 'rx' && region.start < end && region.end > start);
    this.carve(start, end);
    for (let va = start; va < end; va += PAGE) {
      const page = this.pages.get(va);
      const entry = this.entry(va);
      if (page === undefined || entry === undefined) continue;
      this.s.port.store(userSites.unmap, entry, 0);
      this.s.maintenance.descriptorsWritten(entry, 4);
      this.pages.delete(va);
      frames.push(page.frame);
    }
    if (frames.length > 0) this.invalidate(start, pages, executable);
    for (const frame of frames) this.release(frame);
  }

  /** One reference to a frame less. */
  private release(frame: VirtAddr): void {
    const number = this.physical(frame) / PAGE;
    const references = this.s.descriptors.references(number) - 1;
    this.s.descriptors.setReferences(number, references);
    if (references > 0) return;
    this.s.descriptors.setUse(number, 0, 0);
    this.s.memory.free(frame, 1);
  }

  /** Mends what can be mended: a first touch, a write to a shared page. */
  fault(address: VirtAddr, write: boolean, execute: boolean): FaultAnswer {
    const va = alignDown(address, PAGE);
    const region = this.regions.find(({ start, end }) => va >= start && va < end);
    if (region === undefined) return 'not mapped';
    if ((write && region.rights !== 'rw') || (execute && region.rights !== 'rx')) return 'not allowed';
    const page = this.pages.get(va);
    if (page === undefined) {
      if (!this.fill(va, region.rights)) return 'no memory';
      this.s.maintenance.published();
      return 'mended';
    }
    if (!write || !page.copyOnWrite) {
      // The descriptor allows it: what faulted was a translation of before.
      this.invalidate(va, 1, false);
      return 'mended';
    }
    return this.own(va, page) ? 'mended' : 'no memory';
  }

  /** A page that is shared becomes the space's own: the last holder keeps the frame, others copy it. */
  private own(va: VirtAddr, page: UserPage): boolean {
    const { port, memory, descriptors, maintenance } = this.s;
    const entry = this.entry(va)!;
    const oldPa = this.physical(page.frame);
    if (descriptors.references(oldPa / PAGE) === 1) {
      port.store(userSites.map, entry, smallPage(oldPa, userAttributes('rw')));
      maintenance.descriptorsWritten(entry, 4);
      this.invalidate(va, 1, false);
      this.pages.set(va, { frame: page.frame, copyOnWrite: false });
      return true;
    }
    const frame = memory.allocate(1);
    if (frame === undefined) return false;
    port.branch(userSites.copy, port.entry('memcopy'), frame, page.frame, PAGE);
    const pa = this.physical(frame);
    descriptors.setUse(pa / PAGE, USE_USER, this.id & 0xffff);
    descriptors.setReferences(pa / PAGE, 1);
    // Another output address: break before make.
    port.store(userSites.copy_break, entry, 0);
    maintenance.descriptorsWritten(entry, 4);
    this.invalidate(va, 1, false);
    this.put(entry, pa, 'rw');
    maintenance.published();
    this.pages.set(va, { frame, copyOnWrite: false });
    this.release(page.frame);
    return true;
  }

  /** A copy that shares every frame; writable pages become read-only in both until somebody writes. Undefined when memory ran out. */
  fork(id: number): AddressSpace | undefined {
    const child = AddressSpace.create(id, this.s);
    if (child === undefined) return undefined;
    child.regions = [...this.regions];
    for (const [va, page] of this.pages) {
      const entry = child.needEntry(va);
      if (entry === undefined) {
        child.destroy();
        return undefined;
      }
      const rights = this.regions.find(({ start, end }) => va >= start && va < end)!.rights;
      const pa = this.physical(page.frame);
      const shared = rights === 'rw' || page.copyOnWrite;
      this.s.descriptors.setReferences(pa / PAGE, this.s.descriptors.references(pa / PAGE) + 1);
      if (rights === 'rw' && !page.copyOnWrite) {
        const own = this.entry(va)!;
        this.s.port.store(userSites.protect, own, smallPage(pa, userAttributes('r')));
        this.s.maintenance.descriptorsWritten(own, 4);
      }
      child.put(entry, pa, shared ? 'r' : rights);
      this.pages.set(va, { frame: page.frame, copyOnWrite: shared });
      child.pages.set(va, { frame: page.frame, copyOnWrite: shared });
    }
    this.s.maintenance.published();
    // The parent's writable translations must go before anybody relies on the sharing.
    if (this.isTagged()) this.s.maintenance.invalidateAsid(this.tag.asid);
    return child;
  }

  /** Gives everything back. The caller has switched away from the space. Translations go first, then frames, second-level tables, the table. */
  destroy(): void {
    if (this.destroyed) throw new KmemError('user', `address space ${this.id} is gone already`);
    this.destroyed = true;
    const { port, maintenance, memory, layout, descriptors } = this.s;
    for (const number of this.groups.keys()) {
      const first = this.table + 4 * ((number * 4) & 0xfff);
      for (let n = 0; n < 4; n++) port.store(userSites.unlink, first + 4 * n, 0);
      maintenance.descriptorsWritten(first, 16);
    }
    if (this.isTagged()) maintenance.invalidateAsid(this.tag.asid);
    else maintenance.published();
    for (const { frame } of this.pages.values()) this.release(frame);
    this.pages.clear();
    this.regions = [];
    for (const group of this.groups.values()) {
      descriptors.setUse(this.physical(group) / PAGE, 0, 0);
      memory.free(group, 1);
    }
    this.groups.clear();
    const pages = (0x4000 >>> layout.ttbcrN) / PAGE;
    for (let n = 0; n < pages; n++) descriptors.setUse(this.tablePa / PAGE + n, 0, 0);
    memory.free(this.table, pages);
    this.tag = undefined;
  }

  /** Word of user memory as the kernel sees it, or undefined where there is no frame. */
  read(va: VirtAddr): number | undefined {
    const page = this.pages.get(alignDown(va, PAGE));
    return page === undefined ? undefined : this.s.port.load(userSites.read, page.frame + (va % PAGE));
  }

  /** Pages with a frame. */
  get mappedPages(): readonly VirtAddr[] {
    return [...this.pages.keys()].sort((a, b) => a - b);
  }
  get userRegions(): readonly UserRegion[] {
    return [...this.regions].sort((a, b) => a.start - b.start);
  }

  state(): AddressSpaceState {
    return {
      id: this.id,
      table: this.table,
      tablePa: this.tablePa,
      tag: this.tag,
      regions: this.regions,
      groups: [...this.groups],
      pages: [...this.pages],
    };
  }
  static restore(state: AddressSpaceState, surroundings: UserSurroundings): AddressSpace {
    const space = new AddressSpace(state.id, surroundings);
    space.table = state.table;
    space.tablePa = state.tablePa;
    space.tag = state.tag;
    space.regions = [...state.regions];
    for (const [number, group] of state.groups) space.groups.set(number, group);
    for (const [va, page] of state.pages) space.pages.set(va, page);
    return space;
  }
}

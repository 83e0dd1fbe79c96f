import type { DirectRegion, GuestMemory } from '@tablewalk/machine';

/** Physical addresses of guest memory and back. The region found last is asked first: nearly always RAM. */
export class HostAddresses {
  private readonly regions: readonly DirectRegion[];
  private last: DirectRegion;

  constructor(memory: GuestMemory) {
    this.regions = memory.regions;
    this.last = memory.regions[0]!;
  }

  pa(host: number): number {
    const at = host - this.last.hostOffset;
    if (at >= 0 && at < this.last.byteLength) return this.last.base + at;
    for (const region of this.regions) {
      if (host < region.hostOffset || host >= region.hostOffset + region.byteLength) continue;
      this.last = region;
      return region.base + (host - region.hostOffset);
    }
    throw new Error(`[mmu] [coherency] ${host} is outside every region`);
  }

  /** -1 for an address that is no memory. */
  host(pa: number): number {
    const at = pa - this.last.base;
    if (at >= 0 && at < this.last.byteLength) return this.last.hostOffset + at;
    for (const region of this.regions) {
      if (pa < region.base || pa >= region.base + region.byteLength) continue;
      this.last = region;
      return region.hostOffset + (pa - region.base);
    }
    return -1;
  }
}

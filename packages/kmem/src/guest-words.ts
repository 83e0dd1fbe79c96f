import type { Words } from '@tablewalk/alloc/guest';
import type { VirtAddr } from '@tablewalk/machine';
import type { Site } from './image/sites.js';
import { routine } from './image/sites.js';
import type { KernelPort } from './port.js';

/** Each allocator's loads and stores under its own name, so that profiles and faults say whose they are. */
export const wordSites = {
  kernalloc: routine('kernalloc', { load: 'load', store: 'store' }),
  kern_virt_allocator: routine('kern_virt_allocator', { load: 'load', store: 'store' }),
  vmm: routine('vmm', { load: 'load', store: 'store' }),
  page_descriptors: routine('page_descriptors', { load: 'load', store: 'store' }),
  object_cache: routine('object_cache', { load: 'load', store: 'store' }),
  free_pages: routine('free_pages', { load: 'load', store: 'store' }),
} as const;

class PortWords implements Words {
  private readonly port: KernelPort;
  private readonly loadSite: Site;
  private readonly storeSite: Site;
  private readonly base: number;

  constructor(port: KernelPort, sites: { readonly load: Site; readonly store: Site }, base: number) {
    this.port = port;
    this.loadSite = sites.load;
    this.storeSite = sites.store;
    this.base = base;
  }
  load(index: number): number {
    return this.port.load(this.loadSite, this.base + 4 * index);
  }
  store(index: number, value: number): void {
    this.port.store(this.storeSite, this.base + 4 * index, value);
  }
}

/** Words in guest memory from `base` on: every access is an instruction that the CPU executes. */
export const guestWords = (port: KernelPort, sites: { readonly load: Site; readonly store: Site }, base: VirtAddr): Words =>
  new PortWords(port, sites, base);

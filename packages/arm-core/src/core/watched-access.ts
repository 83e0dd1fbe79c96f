import type { AccessSize, GuestMemory } from '@tablewalk/machine';
import { MemoryAccess } from './memory-access.js';

/**
 * Memory access of a core without a TLB: a translation is kept only until something is stored in a page that a walk has read, by whomever.
 */
export class WatchedAccess extends MemoryAccess {
  private readonly watched: Uint8Array;

  constructor(...parts: ConstructorParameters<typeof MemoryAccess>) {
    super(...parts);
    const memory: GuestMemory = this.memory;
    this.watched = new Uint8Array(memory.codeGranules.length);
    memory.snoop((offset, byteLength) => {
      const last = Math.floor((offset + byteLength - 1) / 4096);
      for (let page = Math.floor(offset / 4096); page <= last; page++) {
        if (this.watched[page] === 0) continue;
        this.forgetTables();
        return;
      }
    });
  }

  override watchTable(hostPage: number): void {
    if (this.watched[hostPage] !== 0) return;
    this.watched[hostPage] = 1;
    this.fast.dropHostPage(hostPage);
  }

  private forgetTables(): void {
    this.watched.fill(0);
    this.fast.dropAll();
  }

  protected override mayStoreDirectly(hostPage: number): boolean {
    return this.watched[hostPage] === 0 && super.mayStoreDirectly(hostPage);
  }

  protected override write(va: number, host: number, size: AccessSize, value: number): void {
    super.write(va, host, size, value);
    if (this.watched[Math.floor(host / 4096)] !== 0) this.forgetTables();
  }
}

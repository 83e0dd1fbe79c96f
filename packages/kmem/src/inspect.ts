import type { AllocatorPlugin, PageAllocator, Words } from '@tablewalk/alloc/guest';
import { attachAllocator } from '@tablewalk/alloc/guest';
import type { PhysAddr } from '@tablewalk/machine';
import { KmemError } from './kmem-error.js';
import type { KernelMachine } from './machine.js';

/** Words of guest memory as they are, read from outside: nothing is executed and nothing can be changed. */
export const peekWords = (machine: KernelMachine, address: PhysAddr, words: number): Words => {
  const bytes = machine.readMemory(address, words * 4);
  if (bytes === undefined) throw new KmemError('inspect', `there is no memory at 0x${address.toString(16)}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    load: (index) => view.getUint32(4 * index, true),
    store: () => {
      throw new KmemError('inspect', 'an allocator writes while it is only looked at');
    },
  };
};

/** The same, read as it is asked for: for memory of which little is looked at. */
export const peekEverywhere = (machine: KernelMachine, address: PhysAddr): Words => ({
  load: (index) => {
    const bytes = machine.readMemory(address + 4 * index, 4);
    return bytes === undefined ? 0 : (bytes[0]! | (bytes[1]! << 8) | (bytes[2]! << 16) | (bytes[3]! << 24)) >>> 0;
  },
  store: () => {
    throw new KmemError('inspect', 'an allocator writes while it is only looked at');
  },
});

/** An allocator taken up over words that cannot change. */
export const peekAllocator = (
  plugin: AllocatorPlugin,
  geometry: { readonly firstPage: number; readonly pageCount: number; readonly pageShift: number },
  words: Words,
  pageWords?: Words,
): PageAllocator => attachAllocator(plugin, geometry, words, pageWords === undefined ? undefined : { pageWords });

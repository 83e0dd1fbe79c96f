import { type AllocatorPlugin, bitmapTree, type ObjectCachePlugin, zoneList } from '@tablewalk/alloc/guest';
import { buddy } from '@tablewalk/alloc-buddy/guest';
import { slab } from '@tablewalk/alloc-slab/guest';
import { directMap, Kernel, type KernelOptions, type MemoryPolicy, pmmVmm } from '@tablewalk/kmem';
import { describe, expect, it } from 'vitest';
import { bootKernel } from './boot-kernel.js';

const numbers = [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY];

describe.each<[string, KernelOptions]>([
  ['directMap', {}],
  ['directMap over buddy, poisoned', { allocator: buddy(), poison: true }],
  ['pmmVmm', { policy: pmmVmm() }],
])('kernel memory of %s', (_name, options) => {
  it('refuses what cannot be meant and is as it was', () => {
    const { kernel } = bootKernel(options);
    const va = kernel.call(({ memory }) => memory.allocate(4)!);
    const picture = () => JSON.stringify(Object.values(kernel.inspect()).map((allocator) => allocator?.stats()));
    const before = picture();
    for (const pages of numbers) {
      expect(() => kernel.call(({ memory }) => memory.allocate(pages))).toThrow('is no number of pages');
      expect(() => kernel.call(({ memory }) => memory.free(va, pages))).toThrow('4 pages were given');
      expect(() => kernel.call(({ vmalloc }) => vmalloc.allocate(pages))).toThrow('is no number of pages');
      expect(() => kernel.call(({ vmalloc }) => vmalloc.mapPhysical(0x09000000, pages))).toThrow('is no number of pages');
      expect(() => kernel.call(({ vmalloc }) => vmalloc.free(pages))).toThrow('there is no area');
    }
    for (const wrong of [va + 1, va + 0x1000, va - 0x1000, 0, -4096, 0.5, 2 ** 40, Number.NaN])
      expect(() => kernel.call(({ memory }) => memory.free(wrong, 4))).toThrow('nothing was given at');
    for (const pages of [3, 5]) expect(() => kernel.call(({ memory }) => memory.free(va, pages))).toThrow(`not ${pages}`);
    for (const alignLog2 of [-1, 0.5, 21, Number.NaN])
      expect(() => kernel.call(({ memory }) => memory.allocate(1, { alignLog2, contiguous: true }))).toThrow('alignLog2');
    for (const pa of [1, -4096, 0.5, 2 ** 32, Number.NaN])
      expect(() => kernel.call(({ vmalloc }) => vmalloc.mapPhysical(pa, 1))).toThrow('are none that a small page can map');
    // More than there is: no mistake, but none left.
    expect(kernel.call(({ memory }) => memory.allocate(2 ** 18))).toBeUndefined();
    expect(kernel.call(({ vmalloc }) => vmalloc.allocate(2 ** 18))).toBeUndefined();
    expect(picture()).toBe(before);
    kernel.call(({ memory }) => memory.free(va, 4));
    expect(() => kernel.call(({ memory }) => memory.free(va, 4))).toThrow('nothing was given at');
    expect(Object.values(kernel.inspect()).flatMap((allocator) => allocator?.check() ?? [])).toEqual([]);
  });
});

describe('a plugin', () => {
  const other = (version: number): AllocatorPlugin => ({ ...zoneList(), name: 'them/other', contract: version as 1 });

  it.each<[string, KernelOptions, RegExp]>([
    ['of another contract', { allocator: other(9) }, /\[them\/other\].*contract/],
    ['of another contract, for addresses', { virtualAllocator: other(9) }, /\[them\/other\].*contract/],
    ['that is none', { allocator: 7 as unknown as AllocatorPlugin }, /\[alloc\]/],
    ['that is none, for objects', { objectCache: {} as ObjectCachePlugin }, /\[alloc\]/],
    ['of objects of another contract', { objectCache: { ...slab(), contract: 9 as 1 } }, /\[tablewalk\/slab\].*contract/],
    ['that is another policy', { policy: { ...directMap(), contract: 9 as 1 } }, /\[kmem\] \[policy\] speaks version 9/],
    ['that is no policy', { policy: {} as MemoryPolicy }, /\[kmem\] \[policy\] speaks version undefined/],
    [
      'that throws',
      { allocator: { ...zoneList(), name: 'them/thrower', metadataWords: fail } },
      /\[them\/thrower\] metadataWords threw not today/,
    ],
    [
      'that answers nonsense',
      { allocator: { ...zoneList(), name: 'them/nonsense', metadataWords: () => -7 } },
      /\[them\/nonsense\] metadataWords answered -7/,
    ],
    ['with options of vmalloc that are none', { vmalloc: { unmapping: 'later' as 'lazy' } }, /unmapping later/],
    ['with no pages to wait for', { vmalloc: { unmapping: 'lazy', lazyPages: 0 } }, /0 is no number of pages/],
  ])('%s is refused before the machine runs', (_name, options, message) => {
    expect(() => new Kernel(options)).toThrow(message);
  });

  it('that gives addresses that are none is named', () => {
    const policy: MemoryPolicy = {
      ...directMap(),
      name: 'them/policy',
      open: (surroundings) => ({ ...directMap().open(surroundings), allocate: () => 12.5 }),
    };
    const { kernel } = bootKernel({ policy, allocator: bitmapTree() });
    expect(() => kernel.call(({ memory }) => memory.allocate(1))).toThrow('them/policy gave 1 pages at 12.5');
  });
});

function fail(): never {
  throw new Error('not today');
}

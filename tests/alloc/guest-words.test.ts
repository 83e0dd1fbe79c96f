import { bitmapTree, createAllocator, knr, zoneList } from '@tablewalk/alloc/guest';
import { allocatorCases, objectCacheCases, type WordsFactory } from '@tablewalk/alloc/testing';
import { buddy } from '@tablewalk/alloc-buddy/guest';
import { slab } from '@tablewalk/alloc-slab/guest';
import { GuestAbort, guestWords, type Kernel, routine } from '@tablewalk/kmem';
import { describe, expect, it } from 'vitest';
import { bootKernel } from '../kmem/boot-kernel.js';

// The kits over words in a machine's RAM: each load and store is an instruction that its CPU executes, at an address that its MMU translates.
const sites = routine('kit', { load: 'load', store: 'store' });
const boot = () => bootKernel({ sites: [sites], ramBytes: 64 * 2 ** 20 });

/** Words in pages of the kernel's own. */
const wordsOf =
  ({ port, memory }: Kernel): WordsFactory =>
  (count) => {
    const va = memory.allocate(Math.max(1, Math.ceil(count / 1024)));
    if (va === undefined) throw new Error('the kernel has no pages left');
    return guestWords(port, sites, va);
  };

const page = { firstPage: 0, pageCount: 40, pageShift: 4 };
const plugins = [bitmapTree(), zoneList(), knr(), buddy()];

/** Runs the kit's cases over given words in the kernel; how many instructions they took there. */
const runGiven = (makeCases: (makeWords: WordsFactory) => readonly { readonly name: string; run(): void }[]): number => {
  const { kernel } = boot();
  const before = kernel.costs.instructions;
  kernel.call(() => {
    for (const { run } of makeCases(wordsOf(kernel)).filter(({ name }) => name.includes('given'))) run();
  });
  return kernel.costs.instructions - before;
};

describe('over guest words the allocator kit passes', () => {
  // Every access is an instruction: that there were enough says that the words were these.
  it.each(plugins)('$name', (plugin) => {
    expect(runGiven((makeWords) => allocatorCases(plugin, { makeWords }))).toBeGreaterThan(200_000);
  });
});

describe('over guest words the object-cache kit passes', () => {
  it.each(plugins)('slab over $name', (pages) => {
    expect(runGiven((makeWords) => objectCacheCases(slab(), { makeWords, pages, operations: 24 }))).toBeGreaterThan(1_000_000);
  });
});

describe('an abort of the guest in the middle of an operation', () => {
  it.each(plugins)('$name lets it pass', (plugin) => {
    const { kernel } = boot();
    const va = kernel.call(({ vmalloc }) => vmalloc.allocate(2)!);
    const allocator = kernel.call(({ port }) => {
      const hooks = plugin.capabilities.inBand ? { pageWords: guestWords(port, sites, va + 0x1000) } : undefined;
      return createAllocator(plugin, page, guestWords(port, sites, va), hooks);
    });
    expect(kernel.call(() => allocator.allocate(3))).toBeGreaterThanOrEqual(0);
    kernel.call(({ vmalloc }) => vmalloc.free(va));
    expect(() => kernel.call(() => allocator.allocate(3))).toThrow(GuestAbort);
    expect(() => kernel.call(() => allocator.allocate(3))).toThrow(/data-abort at kit\.(load|store)/);
    expect(kernel.call(({ memory }) => memory.allocate(1))).toBeDefined();
  });
});

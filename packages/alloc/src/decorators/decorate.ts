import type { Geometry } from '../geometry.js';
import type { AllocatorCapabilities, AllocatorPlugin, Hooks, PageAllocator } from '../page-allocator.js';
import type { Words } from '../words.js';

/** What a decorated allocator is made of. */
export interface DecorationContext {
  readonly plugin: AllocatorPlugin;
  readonly words: Words;
  readonly geometry: Geometry;
  readonly hooks: Hooks | undefined;
  readonly how: 'create' | 'attach';
}

/**
 * A plugin whose allocators are another's with some operations replaced: `wrap` answers those. Everything else, `descriptors` too, goes through. The
 * plugin's name becomes `what(name)`.
 */
export function decorate(
  plugin: AllocatorPlugin,
  what: string,
  wrap: (inner: PageAllocator, context: DecorationContext) => Partial<PageAllocator>,
  capabilities: Partial<AllocatorCapabilities> = {},
): AllocatorPlugin {
  const name = `${what}(${plugin.name})`;
  const make =
    (how: 'create' | 'attach') =>
    (words: Words, geometry: Geometry, hooks?: Hooks): PageAllocator => {
      const inner = plugin[how](words, geometry, hooks);
      const through: PageAllocator = {
        name,
        allocate: (pages, constraints) => (constraints ? inner.allocate(pages, constraints) : inner.allocate(pages)),
        reserve: (start, pages) => inner.reserve(start, pages),
        free: (start, pages) => inner.free(start, pages),
        resize: (start, from, to) => inner.resize(start, from, to),
        forEachRun: (visit) => inner.forEachRun(visit),
        stats: () => inner.stats(),
        check: () => inner.check(),
        ...(inner.descriptors && { descriptors: inner.descriptors }),
      };
      return { ...through, ...wrap(inner, { plugin, words, geometry, hooks, how }) };
    };
  return { ...plugin, name, capabilities: { ...plugin.capabilities, ...capabilities }, create: make('create'), attach: make('attach') };
}

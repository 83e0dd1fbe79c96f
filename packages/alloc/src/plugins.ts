import { AllocError } from './alloc-error.js';
import { checkGeometry, type Geometry } from './geometry.js';
import {
  OBJECT_CACHE_CONTRACT,
  type ObjectCache,
  type ObjectCachePlugin,
  type ObjectKind,
  type ObjectSurroundings,
} from './object-cache.js';
import { ALLOCATOR_CONTRACT, type AllocatorPlugin, type Hooks, type PageAllocator } from './page-allocator.js';
import { hostWords, type Words } from './words.js';

type Members = Readonly<Record<string, unknown>>;

function checkMembers(value: unknown, what: string, contract: number | undefined, types: Readonly<Record<string, string>>): Members {
  if (typeof value !== 'object' || value === null) throw new AllocError('contract', what, `is ${value === null ? 'null' : typeof value}`);
  const members = value as Members;
  const name = typeof members.name === 'string' && members.name !== '' ? members.name : what;
  if (contract !== undefined && members.contract !== contract) {
    throw new AllocError('contract', name, `speaks contract version ${String(members.contract)}, not ${contract}`);
  }
  for (const [member, type] of Object.entries(types)) {
    if (typeof members[member] !== type) throw new AllocError('contract', name, `${member} is ${typeof members[member]}, not a ${type}`);
  }
  return members;
}

/** Throws an `AllocError` of kind `contract` unless the value has the members and speaks the version of {@link AllocatorPlugin}. */
export function checkAllocatorPlugin(value: unknown): asserts value is AllocatorPlugin {
  const plugin = checkMembers(value, 'allocator plugin', ALLOCATOR_CONTRACT, {
    name: 'string',
    capabilities: 'object',
    metadataWords: 'function',
    create: 'function',
    attach: 'function',
  });
  const { capabilities, name } = plugin as unknown as AllocatorPlugin;
  for (const flag of ['complete', 'partialFree', 'reserve', 'resize'] as const) {
    if (typeof capabilities?.[flag] !== 'boolean') throw new AllocError('contract', name, `capabilities.${flag} is not a boolean`);
  }
  if (capabilities.alignment !== 'any' && capabilities.alignment !== 'natural') {
    throw new AllocError('contract', name, `capabilities.alignment is ${String(capabilities.alignment)}`);
  }
}

/** The same for an {@link ObjectCachePlugin}. */
export function checkObjectCachePlugin(value: unknown): asserts value is ObjectCachePlugin {
  const plugin = checkMembers(value, 'object-cache plugin', OBJECT_CACHE_CONTRACT, {
    name: 'string',
    capabilities: 'object',
    metadataWords: 'function',
    create: 'function',
    attach: 'function',
  });
  const { capabilities, name } = plugin as unknown as ObjectCachePlugin;
  if (typeof capabilities?.complete !== 'boolean' || typeof capabilities.maxObjectBytes !== 'function') {
    throw new AllocError('contract', name, 'capabilities are not complete and maxObjectBytes');
  }
}

/** Calls into a plugin: its own errors pass, whatever else it throws becomes an `AllocError` of kind `plugin` with a cause. */
function ask<T>(name: string, what: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    // By name: a plugin may come with an instance of this package of its own.
    if (error instanceof Error && error.name === 'AllocError') throw error;
    throw new AllocError('plugin', name, `${what} threw ${error instanceof Error ? error.message : String(error)}`, error);
  }
}

/** The plugin's answer for this geometry, checked: a count within `maxMetadataWords`. */
export function allocatorMetadataWords(plugin: AllocatorPlugin, geometry: Geometry): number {
  checkAllocatorPlugin(plugin);
  checkGeometry(geometry, plugin.name);
  const words = ask(plugin.name, 'metadataWords', () => plugin.metadataWords(geometry));
  if (!Number.isSafeInteger(words) || words < 0) throw new AllocError('plugin', plugin.name, `metadataWords answered ${String(words)}`);
  if (words > (geometry.maxMetadataWords ?? words)) {
    throw new AllocError('plugin', plugin.name, `takes ${words} metadata words of ${geometry.maxMetadataWords}`);
  }
  return words;
}

function open(
  plugin: AllocatorPlugin,
  how: 'create' | 'attach',
  geometry: Geometry,
  words: Words | undefined,
  hooks?: Hooks,
): PageAllocator {
  const count = allocatorMetadataWords(plugin, geometry);
  if (plugin.capabilities.inBand && !hooks?.pageWords) {
    throw new AllocError('options', plugin.name, 'keeps its list in the free pages, and there are no pageWords');
  }
  const over = words ?? hostWords(count);
  const allocator = ask(plugin.name, how, () => plugin[how](over, geometry, hooks));
  checkMembers(allocator, `${plugin.name}: what ${how} made`, undefined, {
    name: 'string',
    allocate: 'function',
    reserve: 'function',
    free: 'function',
    resize: 'function',
    forEachRun: 'function',
    stats: 'function',
    check: 'function',
  });
  return allocator;
}

/**
 * Makes an allocator: checks the plugin's contract and the geometry, makes host words if none are given, calls the plugin's `create` and checks
 * what it made.
 *
 * @throws AllocError of kind `contract`, `geometry`, `options` or `plugin`.
 */
export function createAllocator(plugin: AllocatorPlugin, geometry: Geometry, words?: Words, hooks?: Hooks): PageAllocator {
  return open(plugin, 'create', geometry, words, hooks);
}

/** Takes up an allocator that `createAllocator` made over the same words, or over a copy of them. Throws in addition kind `attach`. */
export function attachAllocator(plugin: AllocatorPlugin, geometry: Geometry, words: Words, hooks?: Hooks): PageAllocator {
  return open(plugin, 'attach', geometry, words, hooks);
}

function checkKind(kind: ObjectKind, geometry: Geometry, plugin: ObjectCachePlugin): void {
  const wrong = (message: string): never => {
    throw new AllocError('options', plugin.name, `${kind.name}: ${message}`);
  };
  if (!Number.isInteger(kind.id) || kind.id < 1 || kind.id > 0xffff) wrong(`id ${kind.id} is not 1 to 65535`);
  if (!Number.isInteger(kind.objectBytes) || kind.objectBytes < 1) wrong(`objectBytes ${kind.objectBytes} is not a positive integer`);
  const { alignLog2 = 2 } = kind;
  if (!Number.isInteger(alignLog2) || alignLog2 < 2 || alignLog2 > geometry.pageShift) {
    wrong(`alignLog2 ${alignLog2} is not 2 to ${geometry.pageShift}`);
  }
  const most = ask(plugin.name, 'maxObjectBytes', () => plugin.capabilities.maxObjectBytes(geometry.pageShift));
  if (!Number.isInteger(most) || most < 1) throw new AllocError('plugin', plugin.name, `maxObjectBytes answered ${String(most)}`);
  if (kind.objectBytes > most) wrong(`objectBytes ${kind.objectBytes} is more than ${most}`);
}

/** What the embedder brings must be there, and the descriptors must be of all the managed pages. */
function checkSurroundings({ pages, memory, descriptors, geometry }: ObjectSurroundings, name: string): void {
  const isThere = typeof pages?.allocate === 'function' && typeof memory?.load === 'function' && typeof descriptors?.use === 'function';
  if (!isThere) throw new AllocError('options', name, 'stands on pages, memory and descriptors, and one of them is missing');
  const { firstPage, pageCount } = geometry;
  if (descriptors.firstPage > firstPage || descriptors.firstPage + descriptors.pageCount < firstPage + pageCount) {
    throw new AllocError('options', name, `the descriptors are not of all ${pageCount} pages from ${firstPage}`);
  }
}

function openCache(
  plugin: ObjectCachePlugin,
  how: 'create' | 'attach',
  kind: ObjectKind,
  surroundings: ObjectSurroundings,
  words: Words | undefined,
): ObjectCache {
  checkObjectCachePlugin(plugin);
  const { geometry } = surroundings;
  checkGeometry(geometry, plugin.name);
  checkKind(kind, geometry, plugin);
  checkSurroundings(surroundings, plugin.name);
  const count = ask(plugin.name, 'metadataWords', () => plugin.metadataWords(kind, geometry));
  if (!Number.isSafeInteger(count) || count < 0) throw new AllocError('plugin', plugin.name, `metadataWords answered ${String(count)}`);
  const over = words ?? hostWords(count);
  const cache = ask(plugin.name, how, () => plugin[how](over, kind, surroundings));
  checkMembers(cache, `${plugin.name}: what ${how} made`, undefined, {
    name: 'string',
    allocate: 'function',
    free: 'function',
    shrink: 'function',
    forEachObject: 'function',
    stats: 'function',
    check: 'function',
  });
  return cache;
}

/** Makes an object cache, with the same checks as {@link createAllocator}. */
export function createObjectCache(
  plugin: ObjectCachePlugin,
  kind: ObjectKind,
  surroundings: ObjectSurroundings,
  words?: Words,
): ObjectCache {
  return openCache(plugin, 'create', kind, surroundings, words);
}

/** Takes up an object cache over the same words, or over copies of all of them. */
export function attachObjectCache(
  plugin: ObjectCachePlugin,
  kind: ObjectKind,
  surroundings: ObjectSurroundings,
  words: Words,
): ObjectCache {
  return openCache(plugin, 'attach', kind, surroundings, words);
}

import type { Geometry } from '../geometry.js';
import type { ObjectCachePlugin, ObjectKind } from '../object-cache.js';
import type { AllocatorPlugin } from '../page-allocator.js';
import { checkObjectCachePlugin } from '../plugins.js';
import { seededRandom } from '../random.js';
import { countingWords, hostWords } from '../words.js';
import type { ConformanceCase } from './allocator-cases.js';
import { onHost, type WordsFactory } from './allocator-rig.js';
import { ConformanceError } from './conformance-error.js';
import type { GuardedWords } from './guarded-words.js';
import { ObjectRig } from './object-rig.js';

export interface ObjectCacheConformanceOptions {
  /** Of everything random; 1 without it. */
  readonly seed?: number;
  /** Random operations for each size of object; 150 without it. */
  readonly operations?: number;
  /** Words of the caller's own (a simulated machine's memory), tried beside the kit's host and counting words. */
  readonly makeWords?: WordsFactory;
  /** Where pages come from; `bitmapTree()` without it. */
  readonly pages?: AllocatorPlugin;
}

const geometry: Geometry = { firstPage: 0x40003, pageCount: 29, pageShift: 9 };
const few: Geometry = { firstPage: 6, pageCount: 5, pageShift: 12 };

function sizes(plugin: ObjectCachePlugin, { pageShift }: Geometry): Pick<ObjectKind, 'objectBytes' | 'alignLog2'>[] {
  const most = plugin.capabilities.maxObjectBytes(pageShift);
  const wanted = [
    { objectBytes: 1 },
    { objectBytes: 8 },
    { objectBytes: 20, alignLog2: 4 },
    { objectBytes: 64, alignLog2: 6 },
    { objectBytes: 100 },
    { objectBytes: 192, alignLog2: 3 },
    { objectBytes: 340 },
    { objectBytes: most },
  ];
  return wanted.filter(({ objectBytes }) => objectBytes <= most);
}

/** Each size beside another one: the two caches share pages and descriptors. */
function pairs(plugin: ObjectCachePlugin, over: Geometry): ObjectKind[][] {
  const all = sizes(plugin, over);
  const pair = (index: number, first: (typeof all)[number], second: (typeof all)[number]): ObjectKind[] => [
    { name: 'first', id: 1 + index, ...first },
    { name: 'second', id: 0xfff0 + index, ...second },
  ];
  const mixed = all.map((size, index) => pair(index, size, all[(index + 3) % all.length] as (typeof all)[number]));
  // Of one size, what one cache takes for its own object may be the other's.
  const twin = all[Math.min(2, all.length - 1)] as (typeof all)[number];
  return [...mixed, pair(all.length, twin, twin)];
}

function checkContract(plugin: ObjectCachePlugin): void {
  const fail = (message: string, cause?: unknown): never => {
    throw new ConformanceError('contract', `${plugin.name}: ${message}`, cause);
  };
  try {
    checkObjectCachePlugin(plugin);
  } catch (error) {
    fail(error instanceof Error ? error.message : String(error), error);
  }
  const most = plugin.capabilities.maxObjectBytes(geometry.pageShift);
  if (!Number.isInteger(most) || most < 1) fail(`maxObjectBytes is ${most}`);
  for (const wrong of [{ objectBytes: 0 }, { objectBytes: 1.5 }, { objectBytes: most + 1 }]) {
    try {
      plugin.metadataWords({ name: 'wrong', id: 1, ...wrong }, geometry);
    } catch (error) {
      if (error instanceof Error && error.name === 'AllocError') continue;
      fail(`metadataWords threw ${String(error)} for ${wrong.objectBytes} bytes`, error);
    }
    fail(`metadataWords takes objects of ${wrong.objectBytes} bytes`);
  }
}

/** Words that hold nothing, and words that hold another cache's state, are not taken up. */
function expectAttachRefuses(plugin: ObjectCachePlugin, pages: AllocatorPlugin | undefined): void {
  const [kinds] = pairs(plugin, geometry) as [ObjectKind[]];
  const rig = new ObjectRig({ plugin, kinds, geometry, seed: 1, makeWords: onHost, ...(pages && { pages }) });
  const [kind] = kinds as [ObjectKind];
  const [, other] = rig.memories.own as [GuardedWords, GuardedWords];
  for (const words of [hostWords(plugin.metadataWords(kind, geometry)), other.copy()]) {
    try {
      plugin.attach(words, kind, rig.surroundings());
    } catch (error) {
      if (error instanceof Error && error.name === 'AllocError') continue;
      rig.fail('contract', `attach threw ${String(error)}`, error);
    }
    rig.fail('contract', 'attach takes words that hold no state of this cache');
  }
}

function flipBits(plugin: ObjectCachePlugin, kinds: readonly ObjectKind[], seed: number, pages: AllocatorPlugin | undefined): void {
  const setup = { plugin, kinds, geometry, seed, makeWords: onHost, ...(pages && { pages }) };
  const random = seededRandom(seed);
  const rig = new ObjectRig(setup);
  rig.addStrangers(5);
  rig.live(120, 0.7, 40);
  const state = rig.stateWords();
  const described = state.filter(({ name }) => name === 'descriptors');
  for (let tries = 0; tries < 80; tries++) {
    // The cache's own words first, then descriptors: they are few and matter most.
    const among = tries < 50 ? described : state;
    const { words, index, name } = (tries < 20 ? state[tries % state.length] : among[random.below(among.length)]) as (typeof state)[number];
    const mask = 2 ** random.below(32);
    const sound = rig.fork();
    const flipped = rig.fork();
    const copy = copyOf(rig, flipped, words);
    copy.words.store(index, (copy.words.load(index) ^ mask) >>> 0);
    const where = `with bit ${Math.log2(mask)} of word ${index} of the ${name} flipped`;
    try {
      if (flipped.clients.some(({ cache }) => cache.check().length > 0)) continue;
    } catch (error) {
      rig.fail('check-flags', `check threw ${String(error)} ${where}`, error);
    }
    const difference = sound.compare(flipped, 40, random.word());
    if (difference) rig.fail('check-flags', `check found nothing ${where}, and ${difference}`);
  }
}

function copyOf(rig: ObjectRig, fork: ObjectRig, words: GuardedWords): GuardedWords {
  const { descriptors, memory, own } = rig.memories;
  if (words === descriptors) return fork.memories.descriptors;
  if (words === memory) return fork.memories.memory;
  return fork.memories.own[own.indexOf(words)] as GuardedWords;
}

/** An exception of the words, at every place where one can happen, comes out as it is. */
function abortAnywhere(plugin: ObjectCachePlugin, kinds: readonly ObjectKind[]): void {
  for (let at = 1; at < 300; at++) {
    const rig = new ObjectRig({ plugin, kinds: kinds.slice(0, 1), geometry, seed: 3, makeWords: onHost });
    const [client] = rig.clients as [ObjectRig['clients'][number]];
    rig.allocate(client);
    const guards = [rig.memories.memory, rig.memories.descriptors, ...rig.memories.own];
    for (const guard of guards) guard.abortAt = guard.accesses + at;
    try {
      for (let index = 0; index < 3; index++) client.cache.free(client.cache.allocate());
      if (guards.every((guard) => guard.accesses < guard.abortAt)) return;
    } catch (error) {
      if (!guards.some((guard) => guard.aborted === error))
        rig.fail('abort-passes', `access ${at} threw, and ${String(error)} came out`, error);
    }
  }
}

/** The tests of an object cache, for any runner: each throws a {@link ConformanceError} if the plugin fails. */
export function objectCacheCases(plugin: ObjectCachePlugin, options: ObjectCacheConformanceOptions = {}): ConformanceCase[] {
  const { seed = 1, operations = 150, makeWords, pages } = options;
  const setup = (kinds: readonly ObjectKind[], over: Geometry, more: number, factory: WordsFactory) => ({
    plugin,
    kinds,
    geometry: over,
    seed: seed + more,
    makeWords: factory,
    ...(pages && { pages }),
  });
  const cases: ConformanceCase[] = [
    { name: 'contract and sizes', run: () => checkContract(plugin) },
    { name: 'attach to what is not its state', run: () => expectAttachRefuses(plugin, pages) },
  ];
  const factories: [string, WordsFactory, number][] = [
    ['host', onHost, operations],
    ['counting', (count) => countingWords(hostWords(count)), Math.ceil(operations / 3)],
  ];
  if (makeWords) factories.push(['given', makeWords, operations]);
  for (const [name, factory, count] of factories) {
    cases.push({
      name: `random operations over ${name} words`,
      run() {
        for (const over of [geometry, few]) {
          pairs(plugin, over).forEach((kinds, index) => {
            const rig = new ObjectRig(setup(kinds, over, index, factory));
            rig.addStrangers(3);
            rig.live(count, 0.65);
            rig.addStrangers(2);
            rig.live(count / 2, 0.35);
            rig.drain();
          });
        }
      },
    });
  }
  // What a longer history shows, over the caller's words too: fewer sizes there, since each access may be a simulated instruction.
  const histories: [string, WordsFactory, number][] = [['', onHost, Number.POSITIVE_INFINITY]];
  if (makeWords) histories.push([' over given words', makeWords, 3]);
  for (const [where, factory, most] of histories) {
    const among = (all: readonly ObjectKind[][]): readonly ObjectKind[][] => all.slice(0, most);
    cases.push({
      name: `filled to the last page and drained${where}`,
      run() {
        for (const kinds of among(pairs(plugin, few))) {
          const rig = new ObjectRig(setup(kinds.slice(0, 1), few, 50, factory));
          const [client] = rig.clients as [ObjectRig['clients'][number]];
          // Large pages hold many small objects: a bound, in case nothing ever refuses.
          for (let count = 0; count < 600 && rig.allocate(client) >= 0; count++);
          rig.inspect();
          rig.live(60, 0.5, 30);
          rig.drain();
        }
      },
    });
    cases.push({
      name: `taken up from a copy of everything${where}`,
      run() {
        among(pairs(plugin, geometry)).forEach((kinds, index) => {
          const rig = new ObjectRig(setup(kinds, geometry, 20 + index, factory));
          rig.addStrangers(4);
          rig.live(80, 0.7, 80);
          const fork = rig.fork();
          const difference = rig.compare(fork, 120, seed);
          if (difference) rig.fail('replay', difference);
          rig.inspect();
          try {
            fork.inspect();
          } catch (error) {
            rig.fail('replay', `the copy has other state: ${error instanceof Error ? error.message : String(error)}`, error);
          }
        });
      },
    });
    cases.push({
      name: `visitors${where}`,
      run() {
        for (const kinds of among(pairs(plugin, geometry))) {
          const rig = new ObjectRig(setup(kinds, geometry, 70, factory));
          rig.live(40, 0.8, 40);
          rig.visit();
          rig.live(40, 0.5, 40);
        }
      },
    });
  }
  cases.push({
    name: 'flipped bits',
    run: () => pairs(plugin, geometry).forEach((kinds, index) => flipBits(plugin, kinds, seed + 90 + index, pages)),
  });
  cases.push({
    name: 'exceptions of the words',
    run() {
      for (const kinds of pairs(plugin, geometry).slice(0, 4)) abortAnywhere(plugin, kinds);
    },
  });
  return cases;
}

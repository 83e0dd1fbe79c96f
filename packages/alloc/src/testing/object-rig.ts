import { bitmapTree } from '../allocators/bitmap-tree.js';
import {
  BAD_COUNT,
  BUSY,
  type Code,
  codeName,
  EXHAUSTED,
  FOREIGN,
  INTERIOR,
  METADATA_FULL,
  NOT_ALLOCATED,
  OK,
  OUT_OF_RANGE,
} from '../codes.js';
import type { Geometry } from '../geometry.js';
import type { ObjectCache, ObjectCachePlugin, ObjectKind, ObjectSurroundings } from '../object-cache.js';
import type { AllocatorPlugin, PageAllocator } from '../page-allocator.js';
import { DESCRIPTOR_WORDS, pageDescriptors } from '../page-descriptors.js';
import { allocatorMetadataWords, attachAllocator, attachObjectCache, createAllocator, createObjectCache } from '../plugins.js';
import { type Random, seededRandom } from '../random.js';
import { hostWords } from '../words.js';
import type { WordsFactory } from './allocator-rig.js';
import { ConformanceError, type Invariant } from './conformance-error.js';
import { firstDifference, GuardedWords } from './guarded-words.js';

/** The pages that go through it, and whether any were refused. */
class PageLedger {
  readonly held = new Set<number>();
  refused = false;
  readonly allocator: PageAllocator;

  constructor(pages: PageAllocator) {
    const mark = (start: number, count: number, add: boolean): void => {
      for (let page = start; page < start + count; page++) {
        if (add) this.held.add(page);
        else this.held.delete(page);
      }
    };
    this.allocator = {
      name: pages.name,
      allocate: (count, constraints) => {
        const start = constraints ? pages.allocate(count, constraints) : pages.allocate(count);
        if (start < 0) this.refused = true;
        else mark(start, count, true);
        return start;
      },
      reserve: (start, count) => pages.reserve(start, count),
      free: (start, count) => {
        for (let page = start; page < start + count; page++) {
          if (!this.held.has(page)) throw new ConformanceError('pages-outside', `gave back page ${page}, which it does not hold`);
        }
        const code = pages.free(start, count);
        if (code === OK) mark(start, count, false);
        return code;
      },
      resize: (start, from, to) => {
        const code = pages.resize(start, from, to);
        if (code === OK) mark(start + Math.min(from, to), Math.abs(to - from), to > from);
        return code;
      },
      forEachRun: (visit) => pages.forEachRun(visit),
      stats: () => pages.stats(),
      check: () => pages.check(),
    };
  }
}

/** Everything that a cache's state is in. */
interface Memories {
  readonly pageAllocator: GuardedWords;
  readonly descriptors: GuardedWords;
  readonly memory: GuardedWords;
  readonly own: readonly GuardedWords[];
}

/** A cache and what the kit knows of it: the word that each live object was filled with. */
interface Client {
  readonly cache: ObjectCache;
  readonly ledger: PageLedger;
  readonly live: Map<number, number>;
}

export interface ObjectRigSetup {
  readonly plugin: ObjectCachePlugin;
  readonly kinds: readonly ObjectKind[];
  readonly geometry: Geometry;
  readonly seed: number;
  readonly makeWords: WordsFactory;
  readonly pages?: AllocatorPlugin;
}

/** Object caches under test over one page allocator, among pages of others. */
export class ObjectRig {
  readonly setup: ObjectRigSetup;
  readonly random: Random;
  readonly memories: Memories;
  readonly pages: PageAllocator;
  readonly clients: readonly Client[];
  /** Pages of somebody else, filled with their own number. */
  private readonly strangers: number[] = [];
  private readonly wordsPerPage: number;
  private readonly recent: number[] = [];
  private operations = 0;

  constructor(setup: ObjectRigSetup, copied?: Memories) {
    const { plugin, kinds, geometry, seed, makeWords } = setup;
    const pagePlugin = setup.pages ?? bitmapTree();
    this.setup = setup;
    this.random = seededRandom(seed);
    this.wordsPerPage = 2 ** (geometry.pageShift - 2);
    const guarded = (count: number, invariant: Invariant): GuardedWords => {
      const words = makeWords(count);
      for (let index = 0; index < count; index++) words.store(index, invariant === 'pages-outside' ? this.random.word() : 0);
      return new GuardedWords(count, words, invariant);
    };
    this.memories = copied ?? {
      pageAllocator: guarded(allocatorMetadataWords(pagePlugin, geometry), 'words-outside'),
      descriptors: guarded(geometry.pageCount * DESCRIPTOR_WORDS, 'words-outside'),
      memory: guarded(geometry.pageCount * this.wordsPerPage, 'pages-outside'),
      own: kinds.map((kind) => guarded(plugin.metadataWords(kind, geometry), 'words-outside')),
    };
    const { pageAllocator, memory, own } = this.memories;
    // Past the guard: what an in-band allocator touches in free pages is none of the cache's doing.
    const hooks = { pageWords: memory.words };
    this.pages = copied
      ? attachAllocator(pagePlugin, geometry, pageAllocator, hooks)
      : createAllocator(pagePlugin, geometry, pageAllocator, hooks);
    this.clients = kinds.map((kind, index) => {
      const ledger = new PageLedger(this.pages);
      const surroundings = this.surroundings(ledger.allocator);
      const words = own[index] as GuardedWords;
      const open = copied ? attachObjectCache : createObjectCache;
      return { cache: open(plugin, kind, surroundings, words), ledger, live: new Map() };
    });
  }

  /** What a cache stands on here, with pages from the rig's allocator or through what watches it. */
  surroundings(pages: PageAllocator = this.pages): ObjectSurroundings {
    const { geometry } = this.setup;
    const { memory, descriptors } = this.memories;
    return {
      pages,
      geometry,
      memory,
      descriptors: this.pages.descriptors ?? pageDescriptors(descriptors, 0, geometry.firstPage, geometry.pageCount),
    };
  }

  fail(invariant: Invariant, message: string, cause?: unknown): never {
    const { plugin, kinds, geometry, seed } = this.setup;
    const sizes = kinds.map((kind) => `${kind.objectBytes} bytes`).join(' and ');
    const where = `${plugin.name}, ${sizes}, ${geometry.pageCount} pages of ${2 ** geometry.pageShift}, seed ${seed}, operation ${this.operations}`;
    throw new ConformanceError(invariant, `${message} (${where})`, cause);
  }

  /** Takes pages for somebody else, so that the cache's are not all there are. */
  addStrangers(count: number): void {
    for (let index = 0; index < count; index++) {
      const page = this.pages.allocate(1);
      if (page < 0) return;
      this.strangers.push(page);
      const from = (page - this.setup.geometry.firstPage) * this.wordsPerPage;
      for (let word = from; word < from + this.wordsPerPage; word++) this.memories.memory.words.store(word, page);
    }
  }

  releaseStrangers(): void {
    for (const page of this.strangers.splice(0)) this.pages.free(page, 1);
  }

  private objectWords(kind: ObjectKind): number {
    return Math.ceil(kind.objectBytes / 4);
  }

  private pageOf(object: number): number {
    return this.setup.geometry.firstPage + Math.floor(object / this.wordsPerPage);
  }

  private snapshots(): Uint32Array[] {
    const { pageAllocator, descriptors, memory, own } = this.memories;
    return [pageAllocator, descriptors, memory, ...own].map((words) => words.snapshot());
  }

  private expectUnchanged(before: readonly Uint32Array[]): void {
    this.snapshots().forEach((after, index) => {
      const word = firstDifference(before[index] as Uint32Array, after);
      if (word >= 0)
        this.fail('words-unchanged', `word ${word} of ${['the page allocator', 'the descriptors', 'the pages'][index] ?? 'the cache'}`);
    });
  }

  /** Runs an operation; memory may be touched only in pages that the cache had before or has after it. */
  private guarded<T>(client: Client, run: () => T): T {
    const { memory } = this.memories;
    const before = new Set(client.ledger.held);
    memory.touched = new Set();
    this.operations++;
    let answer: T;
    try {
      answer = run();
    } catch (error) {
      if (error instanceof ConformanceError) this.fail(error.invariant, error.message.replace(/^\[[^\]]*\] /, ''), error);
      return this.fail('answer', `threw ${error instanceof Error ? error.message : String(error)}`, error);
    }
    for (const word of memory.touched) {
      const page = this.pageOf(word);
      if (!before.has(page) && !client.ledger.held.has(page)) this.fail('pages-outside', `touched page ${page}, which it does not hold`);
    }
    memory.touched = undefined;
    return answer;
  }

  allocate(client: Client): number {
    const { kind } = client.cache;
    const { memory } = this.memories;
    const { geometry, plugin } = this.setup;
    const room = client.cache.stats();
    // Refusals come when pages are few; pictures of all memory before every allocation would be most of the time.
    const before = this.pages.stats().freePages < 8 ? this.snapshots() : undefined;
    client.ledger.refused = false;
    const object = this.guarded(client, () => client.cache.allocate());
    if (!Number.isInteger(object) || codeName(object).startsWith('unknown')) this.fail('answer', `allocate answered ${object}`);
    if (object < 0) {
      if (object !== EXHAUSTED && object !== METADATA_FULL) this.fail('complete', `allocate answered ${codeName(object)}`);
      if (plugin.capabilities.complete && (!client.ledger.refused || room.capacity > room.liveObjects)) {
        this.fail(
          'complete',
          `refused with ${room.capacity - room.liveObjects} free places and pages ${client.ledger.refused ? 'refused' : 'left'}`,
        );
      }
      if (before) this.expectUnchanged(before);
      return object;
    }
    const words = this.objectWords(kind);
    const byte = geometry.firstPage * 2 ** geometry.pageShift + object * 4;
    if (byte % 2 ** (kind.alignLog2 ?? 2) !== 0)
      this.fail('constraints', `object ${object} is not aligned on ${2 ** (kind.alignLog2 ?? 2)} bytes`);
    for (let word = object; word < object + words; word += 1) {
      if (!client.ledger.held.has(this.pageOf(word))) this.fail('in-range', `object ${object} is not in pages of the cache`);
    }
    for (const other of client.live.keys()) {
      if (other < object + words && object < other + words) this.fail('disjoint', `object ${object} overlaps the live ${other}`);
    }
    const fill = this.random.oneIn(4) ? this.random.below(4) : this.random.word();
    for (let word = object; word < object + words; word++) memory.words.store(word, fill);
    client.live.set(object, fill);
    return object;
  }

  private expectContents(client: Client, object: number): void {
    const words = this.objectWords(client.cache.kind);
    for (let word = object; word < object + words; word++) {
      if (this.memories.memory.words.load(word) !== client.live.get(object))
        this.fail('contents', `word ${word - object} of object ${object} has changed`);
    }
  }

  free(client: Client, object: number): Code {
    this.expectContents(client, object);
    const code = this.guarded(client, () => client.cache.free(object));
    if (code !== OK) this.fail('valid-free', `free(${object}) answered ${codeName(code)}`);
    client.live.delete(object);
    this.recent.push(object);
    if (this.recent.length > 8) this.recent.shift();
    return code;
  }

  /** Frees what must be refused. */
  misuse(client: Client, object: number): void {
    const total = this.memories.memory.count;
    const words = this.objectWords(client.cache.kind);
    let codes: Code[] = [FOREIGN, INTERIOR, NOT_ALLOCATED];
    if (!Number.isInteger(object)) codes = [BAD_COUNT];
    else if (object < 0 || object >= total) codes = [OUT_OF_RANGE, BAD_COUNT];
    else if (client.live.has(object)) return;
    else if (!client.ledger.held.has(this.pageOf(object))) codes = [FOREIGN];
    else for (const live of client.live.keys()) if (live < object && object < live + words) codes = [INTERIOR];
    const before = this.snapshots();
    const code = this.guarded(client, () => client.cache.free(object));
    if (!codes.includes(code))
      this.fail('misuse-refused', `free(${object}) answered ${codeName(code)}, not ${codes.map(codeName).join(' or ')}`);
    this.expectUnchanged(before);
  }

  private someMisuse(client: Client): number {
    const total = this.memories.memory.count;
    const other = this.clients[this.random.below(this.clients.length)] as Client;
    const live = [...client.live.keys()];
    const words = this.objectWords(client.cache.kind);
    switch (this.random.below(7)) {
      case 0: {
        const wild = [-1, total, total + 1, 2 ** 31, -(2 ** 31), 2 ** 32, Number.NaN, 0.5, Number.POSITIVE_INFINITY];
        return wild[this.random.below(wild.length)] as number;
      }
      case 1:
        return this.recent[this.random.below(Math.max(1, this.recent.length))] ?? -1;
      case 2:
        return other === client ? -1 : ([...other.live.keys()][this.random.below(Math.max(1, other.live.size))] ?? -1);
      case 3:
        return live.length > 0 && words > 1 ? (live[this.random.below(live.length)] as number) + this.random.between(1, words - 1) : -1;
      case 4:
        return this.strangers.length > 0
          ? ((this.strangers[this.random.below(this.strangers.length)] as number) - this.setup.geometry.firstPage) * this.wordsPerPage
          : -1;
      default:
        return this.random.below(total);
    }
  }

  shrink(client: Client): number {
    const held = client.ledger.held.size;
    const given = this.guarded(client, () => client.cache.shrink());
    if (given !== held - client.ledger.held.size)
      this.fail('answer', `shrink answered ${given} and gave ${held - client.ledger.held.size} pages`);
    return given;
  }

  /** One random operation of a random cache. */
  step(fullness: number): void {
    const { random } = this;
    const client = this.clients[random.below(this.clients.length)] as Client;
    if (random.oneIn(5)) this.misuse(client, this.someMisuse(client));
    else if (random.oneIn(30)) this.shrink(client);
    else if (client.live.size > 0 && random.below(100) >= fullness * 100) {
      this.free(client, [...client.live.keys()][random.below(client.live.size)] as number);
    } else this.allocate(client);
  }

  inspect(): void {
    const { geometry } = this.setup;
    for (const client of this.clients) {
      const seen: number[] = [];
      client.cache.forEachObject((object) => seen.push(object));
      const expected = [...client.live.keys()].sort((left, right) => left - right);
      if (seen.join(' ') !== expected.join(' ')) this.fail('runs', `objects are ${seen.join(' ')}, not ${expected.join(' ')}`);
      const { objectBytes, liveObjects, capacity, pagesHeld } = client.cache.stats();
      const isSane = objectBytes >= client.cache.kind.objectBytes && capacity >= liveObjects;
      const fits = capacity * objectBytes <= pagesHeld * 2 ** geometry.pageShift;
      if (liveObjects !== client.live.size || pagesHeld !== client.ledger.held.size || !isSane || !fits) {
        const held = `${client.live.size} live in ${client.ledger.held.size} pages`;
        this.fail('counters', `${liveObjects} live of ${capacity} of ${objectBytes} bytes in ${pagesHeld} pages, and there are ${held}`);
      }
      for (const object of client.live.keys()) this.expectContents(client, object);
      const violations = client.cache.check();
      if (violations.length > 0) this.fail('check-clean', violations.map((found) => `${found.rule}: ${found.message}`).join('; '));
    }
    for (const page of this.strangers) {
      const from = (page - geometry.firstPage) * this.wordsPerPage;
      for (let word = from; word < from + this.wordsPerPage; word++) {
        if (this.memories.memory.words.load(word) !== page) this.fail('pages-outside', `wrote into page ${page}, which it does not hold`);
      }
    }
  }

  live(count: number, fullness: number, inspectEvery = 8): void {
    for (let index = 0; index < count; index++) {
      this.step(fullness);
      if (index % inspectEvery === 0) this.inspect();
    }
    this.inspect();
  }

  drain(): void {
    for (const client of this.clients) {
      while (client.live.size > 0) this.free(client, [...client.live.keys()][this.random.below(client.live.size)] as number);
      this.shrink(client);
      if (client.ledger.held.size > 0) this.fail('drain', `holds ${client.ledger.held.size} pages without objects after shrink`);
    }
    this.inspect();
    this.releaseStrangers();
    const { freePages, pageCount } = this.pages.stats();
    if (freePages !== pageCount) this.fail('drain', `${freePages} of ${pageCount} pages came back`);
  }

  visit(): void {
    for (const client of this.clients) {
      const before = this.snapshots();
      client.cache.forEachObject((object) => {
        const answers = [client.cache.allocate(), client.cache.free(object)];
        if (answers.some((answer) => answer !== BUSY))
          this.fail('visitor-busy', `an operation answered ${answers.map(codeName).join(', ')}`);
      });
      this.expectUnchanged(before);
      if (client.cache.free(-1) === BUSY) this.fail('visitor-busy', 'still busy after the visitor');
    }
  }

  /** The same caches over copies of everything. */
  fork(): ObjectRig {
    const { pageAllocator, descriptors, memory, own } = this.memories;
    const copies: Memories = {
      pageAllocator: pageAllocator.copy(),
      descriptors: descriptors.copy(),
      memory: memory.copy(),
      own: own.map((words) => words.copy()),
    };
    const rig = new ObjectRig({ ...this.setup, makeWords: (count) => hostWords(count) }, copies);
    rig.clients.forEach((client, index) => {
      const original = this.clients[index] as Client;
      for (const [object, fill] of original.live) client.live.set(object, fill);
      for (const page of original.ledger.held) client.ledger.held.add(page);
    });
    return rig;
  }

  /** The same random operations here and on the other rig, which must answer alike; the first difference, or undefined. */
  compare(other: ObjectRig, count: number, seed: number): string | undefined {
    const random = seededRandom(seed);
    for (let index = 0; index < count; index++) {
      const at = random.below(this.clients.length);
      const mine = this.clients[at] as Client;
      const theirs = other.clients[at] as Client;
      const frees = mine.live.size > 0 && random.below(100) < (index < count / 2 ? 30 : 80);
      const object = frees ? ([...mine.live.keys()][random.below(mine.live.size)] as number) : 0;
      const one = frees ? this.free(mine, object) : this.allocate(mine);
      let two: unknown;
      try {
        two = frees ? theirs.cache.free(object) : theirs.cache.allocate();
      } catch (error) {
        two = error;
      }
      if (one !== two) return `${frees ? `free(${object})` : 'allocate()'} is ${one} and ${String(two)}`;
      if (frees) theirs.live.delete(object);
      // The holder's writes are the same on both sides.
      if (!frees && one >= 0) {
        theirs.live.set(one, mine.live.get(one) as number);
        const words = this.objectWords(mine.cache.kind);
        for (let word = one; word < one + words; word++) other.memories.memory.words.store(word, this.memories.memory.words.load(word));
      }
    }
    return undefined;
  }

  /** Indexes of words that hold state: all but what clients have written in their objects and pages. */
  stateWords(): { words: GuardedWords; index: number; name: string }[] {
    const { descriptors, memory, own } = this.memories;
    const state = own.flatMap((words, cache) =>
      Array.from({ length: words.count }, (_, index) => ({ words, index, name: `cache ${cache}` })),
    );
    for (let index = 0; index < descriptors.count; index++) state.push({ words: descriptors, index, name: 'descriptors' });
    for (const client of this.clients) {
      const taken = new Set<number>();
      const words = this.objectWords(client.cache.kind);
      for (const object of client.live.keys()) for (let word = object; word < object + words; word++) taken.add(word);
      for (const page of client.ledger.held) {
        const from = (page - this.setup.geometry.firstPage) * this.wordsPerPage;
        for (let index = from; index < from + this.wordsPerPage; index++)
          if (!taken.has(index)) state.push({ words: memory, index, name: 'memory' });
      }
    }
    return state;
  }
}

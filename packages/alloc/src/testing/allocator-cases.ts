import type { Geometry } from '../geometry.js';
import type { AllocatorPlugin } from '../page-allocator.js';
import { allocatorMetadataWords, checkAllocatorPlugin, createAllocator } from '../plugins.js';
import { seededRandom } from '../random.js';
import { countingWords, hostWords } from '../words.js';
import { AllocatorRig, onHost, perform, type WordsFactory } from './allocator-rig.js';
import { ConformanceError, type Invariant } from './conformance-error.js';
import type { GuardedWords } from './guarded-words.js';
import { someOperation } from './operations.js';
import { PageModel } from './page-model.js';

/** One test: a name for the runner, and what throws a {@link ConformanceError} if the plugin fails. */
export interface ConformanceCase {
  readonly name: string;
  run(): void;
}

/** A failed case. */
export interface ConformanceFailure {
  readonly name: string;
  readonly error: ConformanceError;
}

export interface AllocatorConformanceOptions {
  /** Of everything random; 1 without it. */
  readonly seed?: number;
  /** Random operations for each geometry; 200 without it. */
  readonly operations?: number;
  /** Words of the caller's own (a simulated machine's memory), tried beside the kit's host and counting words. */
  readonly makeWords?: WordsFactory;
  /** Geometries beside the kit's. */
  readonly geometries?: readonly Geometry[];
}

const PAGE_SHIFT = 4;

/** Sizes around the borders of words and powers of two, at first pages of every alignment. */
const geometries: readonly Geometry[] = [
  [1, 0],
  [2, 7],
  [3, 0x3ffffffd],
  [31, 1],
  [32, 32],
  [33, 0],
  [64, 100],
  [65, 63],
  [127, 0x40003],
  [256, 256],
  [300, 17],
].map(([pageCount, firstPage]) => ({ pageCount: pageCount as number, firstPage: firstPage as number, pageShift: PAGE_SHIFT }));

const large: readonly Geometry[] = [
  { firstPage: 0x40010, pageCount: 2100, pageShift: PAGE_SHIFT },
  { firstPage: 0x20000, pageCount: 70_001, pageShift: PAGE_SHIFT },
];

function fail(invariant: Invariant, plugin: AllocatorPlugin, message: string, cause?: unknown): never {
  throw new ConformanceError(invariant, `${plugin.name}: ${message}`, cause);
}

/** The number of words for a geometry, or -1 if the plugin refuses it as it should. */
function wordsOrRefusal(plugin: AllocatorPlugin, geometry: Geometry): number {
  try {
    return allocatorMetadataWords(plugin, geometry);
  } catch (error) {
    if (error instanceof Error && error.name === 'AllocError' && (error as { kind?: unknown }).kind === 'geometry') return -1;
    return fail('contract', plugin, `metadataWords threw ${String(error)} for ${JSON.stringify(geometry)}`, error);
  }
}

function checkContract(plugin: AllocatorPlugin): void {
  try {
    checkAllocatorPlugin(plugin);
  } catch (error) {
    fail('contract', plugin, error instanceof Error ? error.message : String(error), error);
  }
  const good = geometries[5] as Geometry;
  const words = wordsOrRefusal(plugin, good);
  if (words < 0) fail('contract', plugin, `refuses ${JSON.stringify(good)}`);
  if (words > 0 && wordsOrRefusal(plugin, { ...good, maxMetadataWords: 0 }) >= 0) fail('contract', plugin, 'needs words and takes none');
  for (const wrong of [
    { ...good, pageCount: 0 },
    { ...good, pageCount: 1.5 },
    { ...good, pageCount: 2 ** 30 + 1 },
    { ...good, firstPage: -1 },
    { ...good, firstPage: 2 ** 30 - 1 },
    { ...good, pageShift: 3 },
    { ...good, maxMetadataWords: -1 },
  ]) {
    try {
      plugin.metadataWords(wrong);
    } catch (error) {
      if (error instanceof Error && error.name === 'AllocError') continue;
      fail('contract', plugin, `metadataWords threw ${String(error)} for ${JSON.stringify(wrong)}`, error);
    }
    fail('contract', plugin, `metadataWords takes ${JSON.stringify(wrong)}`);
  }
  expectAttachRefuses(plugin, good);
}

/** Words that hold nothing, and words that hold another geometry's state, are not taken up. */
function expectAttachRefuses(plugin: AllocatorPlugin, geometry: Geometry): void {
  const pageWords = hostWords(geometry.pageCount * 2 ** (geometry.pageShift - 2));
  const empty = hostWords(allocatorMetadataWords(plugin, geometry));
  const other = hostWords(allocatorMetadataWords(plugin, geometry));
  createAllocator(plugin, { ...geometry, firstPage: geometry.firstPage + 1 }, other, { pageWords });
  for (const words of empty.array.length === 0 ? [] : [empty, other]) {
    try {
      plugin.attach(words, geometry, { pageWords });
    } catch (error) {
      if (error instanceof Error && error.name === 'AllocError') continue;
      fail('contract', plugin, `attach threw ${String(error)}`, error);
    }
    fail('contract', plugin, 'attach takes words that hold no state for this geometry');
  }
}

/** From empty to full and back, page by page, with gaps that no pair fits into and then do. */
function fillAndDrain(plugin: AllocatorPlugin, geometry: Geometry, makeWords: WordsFactory): void {
  const rig = new AllocatorRig(plugin, geometry, 3, makeWords);
  const { firstPage, pageCount } = geometry;
  for (let page = 0; page <= pageCount; page++) rig.step({ kind: 'allocate', pages: 1 });
  if (plugin.capabilities.complete && !rig.model.tight && rig.model.freePages !== 0) fail('complete', plugin, 'does not fill up');
  rig.inspect();
  for (let page = firstPage; page < firstPage + pageCount; page += 2) rig.step({ kind: 'free', start: page, pages: 1 });
  rig.inspect();
  rig.step({ kind: 'allocate', pages: 2 });
  for (let page = firstPage + 1; page < firstPage + pageCount; page += 2) rig.step({ kind: 'free', start: page, pages: 1 });
  rig.inspect();
  rig.drain();
  rig.step({ kind: 'allocate', pages: Math.min(pageCount, plugin.capabilities.maxPages ?? pageCount) });
  rig.drain();
}

/** One free run at a time, across each power of two of pages: what a structure of blocks or levels has to put together. */
function acrossPowers(plugin: AllocatorPlugin, geometry: Geometry): void {
  if (!plugin.capabilities.reserve) return;
  const { firstPage, pageCount } = geometry;
  const random = seededRandom(pageCount);
  for (let power = 2; power < pageCount; power *= 2) {
    const rig = new AllocatorRig(plugin, geometry, power, onHost);
    const before = 1 + random.below(Math.min(power, 40));
    const after = 1 + random.below(Math.min(pageCount - power, 40));
    const start = firstPage + power - before;
    if (power > before) rig.step({ kind: 'reserve', start: firstPage, pages: power - before });
    const rest = pageCount - power - after;
    if (rest > 0) rig.step({ kind: 'reserve', start: start + before + after, pages: rest });
    rig.step({ kind: 'allocate', pages: before + after + 1 });
    rig.step({ kind: 'allocate', pages: before + after });
    rig.inspect();
    // And with room further up, which a search from a low page must pass by.
    rig.drain();
    if (power * 2 + 50 > pageCount) continue;
    rig.step({ kind: 'reserve', start: firstPage, pages: 2 * power - before });
    rig.step({ kind: 'allocate', pages: before + 1, constraints: { min: firstPage + power - 1 } });
    rig.inspect();
  }
}

/** Flips a bit in each of some words, in copies: `check` says so, or the bit does not matter for what follows. */
function flipBits(plugin: AllocatorPlugin, geometry: Geometry, seed: number): void {
  const rig = new AllocatorRig(plugin, geometry, seed, onHost);
  rig.live(80, 0.6, 10);
  const random = seededRandom(seed);
  const total = rig.words.count + (rig.pageWords?.count ?? 0);
  for (let tries = 0; tries < 90; tries++) {
    // The first words are headers: always among them.
    const word = tries < Math.min(12, total) ? tries : random.below(total);
    const mask = 2 ** random.below(32);
    flipOne(rig, word, mask, random.word());
  }
}

function flipOne(rig: AllocatorRig, word: number, mask: number, seed: number): void {
  const { plugin, geometry } = rig;
  const where = `bit ${Math.log2(mask)} of word ${word}`;
  const flip = (words: GuardedWords, index: number): void => words.words.store(index, (words.words.load(index) ^ mask) >>> 0);
  const sound = rig.fork();
  const words = rig.words.copy();
  const pageWords = rig.pageWords?.copy();
  if (word < words.count) flip(words, word);
  else if (pageWords) flip(pageWords, word - words.count);
  let flipped: ReturnType<AllocatorPlugin['attach']>;
  try {
    flipped = plugin.attach(words, geometry, pageWords && { pageWords });
  } catch (error) {
    if (error instanceof Error && error.name === 'AllocError') return;
    fail('check-flags', plugin, `attach threw ${String(error)} with ${where} flipped`, error);
  }
  try {
    if (flipped.check().length > 0) return;
  } catch (error) {
    fail('check-flags', plugin, `check threw ${String(error)} with ${where} flipped`, error);
  }
  // Unnoticed, so it must not matter: the same operations have the same answers.
  const random = seededRandom(seed);
  const model = new PageModel(geometry, plugin.capabilities, true);
  model.taken.set(rig.model.taken);
  model.freePages = rig.model.freePages;
  model.live.push(...rig.model.live.map((live) => ({ ...live })));
  for (let index = 0; index < 60; index++) {
    const operation = someOperation(random, model, index < 30 ? 1 : 0);
    const expected = perform(sound.allocator, operation);
    let answer: unknown;
    try {
      answer = perform(flipped, operation);
    } catch (error) {
      answer = error;
    }
    if (answer !== expected) fail('check-flags', plugin, `check found nothing with ${where} flipped, and an answer is ${String(answer)}`);
    model.judge(operation, expected);
  }
}

/** An exception of the words, at every place where one can happen in an allocation and a free, comes out as it is. */
function abortAnywhere(plugin: AllocatorPlugin): void {
  const geometry: Geometry = { firstPage: 3, pageCount: 40, pageShift: PAGE_SHIFT };
  for (let at = 1; at < 400; at++) {
    const rig = new AllocatorRig(plugin, geometry, 5, onHost);
    const first = rig.step({ kind: 'allocate', pages: 3 });
    rig.words.abortAt = rig.words.accesses + at;
    try {
      rig.allocator.allocate(2);
      rig.allocator.free(first, 3);
      if (rig.words.accesses < rig.words.abortAt) return;
    } catch (error) {
      if (error === rig.words.aborted) continue;
      fail('abort-passes', plugin, `access ${at} threw, and ${String(error)} came out`, error);
    }
    fail('abort-passes', plugin, `access ${at} threw, and nothing came out`);
  }
}

/** The tests of a page-range allocator, for any runner: each throws a {@link ConformanceError} if the plugin fails. */
export function allocatorCases(plugin: AllocatorPlugin, options: AllocatorConformanceOptions = {}): ConformanceCase[] {
  const { seed = 1, operations = 200, makeWords } = options;
  const all = [...geometries, ...(options.geometries ?? [])];
  const cases: ConformanceCase[] = [{ name: 'contract, geometries and attach', run: () => checkContract(plugin) }];
  const kinds: [string, WordsFactory, number][] = [
    ['host', onHost, operations],
    ['counting', (count) => countingWords(hostWords(count)), Math.ceil(operations / 3)],
  ];
  if (makeWords) kinds.push(['given', makeWords, operations]);
  for (const [kind, factory, count] of kinds) {
    cases.push({
      name: `random operations over ${kind} words`,
      run() {
        all.forEach((geometry, index) => {
          const rig = new AllocatorRig(plugin, geometry, seed + index, factory);
          rig.live(count, 0.5);
          rig.live(count, 0.9);
          rig.drain();
        });
      },
    });
  }
  cases.push({
    name: 'few metadata words',
    run() {
      for (const geometry of [geometries[5], geometries[7], geometries[10]] as Geometry[]) {
        const wanted = allocatorMetadataWords(plugin, geometry);
        for (const maxMetadataWords of new Set([4, 8, 9, 10, 11, 12, 13, 14, 16, 20, 30, 50, wanted - 1, wanted])) {
          const tight = { ...geometry, maxMetadataWords: Math.max(0, maxMetadataWords) };
          if (wordsOrRefusal(plugin, tight) < 0) continue;
          const rig = new AllocatorRig(plugin, tight, seed + maxMetadataWords, onHost);
          rig.live(Math.ceil(operations / 2), 0.6);
          rig.drain();
        }
      }
    },
  });
  cases.push({
    name: 'many pages',
    run() {
      for (const geometry of large) {
        const rig = new AllocatorRig(plugin, geometry, seed, onHost);
        rig.live(geometry.pageCount > 10_000 ? 60 : 150, 0.7, 20);
        rig.drain();
        acrossPowers(plugin, geometry);
      }
    },
  });
  // What a longer history shows, over the caller's words too: fewer geometries there, since each access may be a simulated instruction.
  const histories: [string, WordsFactory, readonly Geometry[]][] = [['', onHost, geometries]];
  if (makeWords) histories.push([' over given words', makeWords, geometries.slice(0, 7)]);
  for (const [where, factory, over] of histories) {
    cases.push({
      name: `filled page by page and drained${where}`,
      run: () => over.slice(0, 9).forEach((geometry) => fillAndDrain(plugin, geometry, factory)),
    });
    cases.push({
      name: `taken up from a copy of its words${where}`,
      run() {
        [...over, ...(options.geometries ?? [])].forEach((geometry, index) => {
          const rig = new AllocatorRig(plugin, geometry, seed + 100 + index, factory);
          for (let round = 0; round < 3; round++) {
            rig.live(40, 0.7, 40);
            rig.replay(60);
          }
        });
      },
    });
    cases.push({
      name: `visitors${where}`,
      run() {
        for (const geometry of over.slice(3, 8)) {
          const rig = new AllocatorRig(plugin, geometry, seed, factory);
          rig.live(40, 0.5, 40);
          rig.visit();
          rig.live(40, 0.5, 40);
        }
      },
    });
  }
  cases.push({
    name: 'flipped bits',
    run() {
      for (const geometry of [geometries[5], geometries[10]] as Geometry[]) flipBits(plugin, geometry, seed + geometry.pageCount);
    },
  });
  cases.push({ name: 'exceptions of the words', run: () => abortAnywhere(plugin) });
  return cases;
}

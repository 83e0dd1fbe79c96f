import { BUSY, type Code } from '../codes.js';
import type { Geometry } from '../geometry.js';
import type { AllocatorPlugin, Hooks, PageAllocator } from '../page-allocator.js';
import { allocatorMetadataWords, attachAllocator, createAllocator } from '../plugins.js';
import { type Random, seededRandom } from '../random.js';
import { hostWords, type Words } from '../words.js';
import { ConformanceError } from './conformance-error.js';
import { firstDifference, GuardedWords } from './guarded-words.js';
import { someOperation } from './operations.js';
import { describeOperation, type Operation, PageModel } from './page-model.js';

/** Makes `count` words that nobody else uses; contents do not matter. */
export type WordsFactory = (count: number) => Words;

export function perform(allocator: PageAllocator, operation: Operation): number {
  switch (operation.kind) {
    case 'allocate':
      return operation.constraints ? allocator.allocate(operation.pages, operation.constraints) : allocator.allocate(operation.pages);
    case 'reserve':
      return allocator.reserve(operation.start, operation.pages);
    case 'free':
      return allocator.free(operation.start, operation.pages);
    case 'resize':
      return allocator.resize(operation.start, operation.from, operation.to);
  }
}

function operationPages(operation: Operation): number {
  const pages = operation.kind === 'resize' ? Math.max(operation.from, operation.to) : operation.pages;
  return Number.isInteger(pages) && pages > 0 ? pages : 1;
}

/** An allocator under test beside its model, over guarded words. */
export class AllocatorRig {
  readonly plugin: AllocatorPlugin;
  readonly geometry: Geometry;
  readonly seed: number;
  readonly random: Random;
  readonly words: GuardedWords;
  /** The managed pages, if the plugin keeps words in them. */
  readonly pageWords: GuardedWords | undefined;
  readonly model: PageModel;
  readonly allocator: PageAllocator;
  private readonly log: string[] = [];
  private operations = 0;

  constructor(plugin: AllocatorPlugin, geometry: Geometry, seed: number, makeWords: WordsFactory) {
    this.plugin = plugin;
    this.geometry = geometry;
    this.seed = seed;
    this.random = seededRandom(seed);
    const count = allocatorMetadataWords(plugin, geometry);
    const { maxMetadataWords: _, ...roomy } = geometry;
    this.words = new GuardedWords(count, makeWords(count), 'words-outside');
    const pageWords = geometry.pageCount * 2 ** (geometry.pageShift - 2);
    this.pageWords = plugin.capabilities.inBand ? new GuardedWords(pageWords, makeWords(pageWords), 'pages-outside') : undefined;
    // Words need not be zero.
    this.soil(this.words, 0, count);
    if (this.pageWords) this.soil(this.pageWords, 0, pageWords);
    this.model = new PageModel(geometry, plugin.capabilities, count < allocatorMetadataWords(plugin, roomy));
    this.allocator = createAllocator(plugin, geometry, this.words, this.hooks(this.pageWords));
    this.inspect();
  }

  private hooks(pageWords: GuardedWords | undefined): Hooks | undefined {
    return pageWords && { pageWords };
  }

  private soil(words: GuardedWords, from: number, end: number): void {
    for (let index = from; index < end; index++) words.words.store(index, this.random.oneIn(4) ? this.random.below(8) : this.random.word());
  }

  /** Runs something in the context of this rig, so that what fails says where. */
  private within<T>(what: string, run: () => T): T {
    try {
      return run();
    } catch (error) {
      const { firstPage, pageCount, maxMetadataWords } = this.geometry;
      const span = `${pageCount} pages from ${firstPage}${maxMetadataWords === undefined ? '' : `, at most ${maxMetadataWords} words`}`;
      const where = `${this.plugin.name}, ${span}, seed ${this.seed}, operation ${this.operations}: ${what}; before it: ${this.log.join(', ')}`;
      if (error instanceof ConformanceError) {
        throw new ConformanceError(error.invariant, `${error.message.replace(/^\[[^\]]*\] /, '')} (${where})`, error);
      }
      const message = error instanceof Error ? error.message : String(error);
      throw new ConformanceError('answer', `threw ${message} (${where})`, error);
    }
  }

  /** Performs one operation and holds the allocator to everything that can be seen of it. */
  step(operation: Operation): number {
    this.operations++;
    return this.within(describeOperation(operation), () => {
      const { words, pageWords, model, plugin } = this;
      const before = words.snapshot();
      const pagesBefore = pageWords?.snapshot();
      const takenBefore = pageWords && model.taken.slice();
      words.accesses = 0;
      if (pageWords) {
        pageWords.accesses = 0;
        pageWords.touched = new Set();
      }
      const answer = perform(this.allocator, operation);
      const accesses = words.accesses + (pageWords?.accesses ?? 0);
      model.judge(operation, answer);
      if (answer < 0) this.expectUnchanged(before, pagesBefore);
      const isBounded = operation.kind !== 'allocate' || operation.constraints === undefined;
      const bound = isBounded ? plugin.accessBound?.(this.geometry, operationPages(operation)) : undefined;
      if (bound !== undefined && accesses > bound) throw new ConformanceError('access-bound', `${accesses} accesses, ${bound} at most`);
      if (pageWords && takenBefore) this.expectOwnPages(pageWords, takenBefore);
      this.log.push(`${describeOperation(operation)} = ${answer}`);
      if (this.log.length > 6) this.log.shift();
      return answer;
    });
  }

  private expectUnchanged(before: Uint32Array, pagesBefore: Uint32Array | undefined): void {
    const word = firstDifference(before, this.words.snapshot());
    if (word >= 0) throw new ConformanceError('words-unchanged', `word ${word} has changed`);
    if (!pagesBefore || !this.pageWords) return;
    const pageWord = firstDifference(pagesBefore, this.pageWords.snapshot());
    if (pageWord >= 0) throw new ConformanceError('words-unchanged', `word ${pageWord} of the pages has changed`);
  }

  /** Words of pages that were taken before and after belong to their holder, who overwrites those that were handed out now. */
  private expectOwnPages(pageWords: GuardedWords, takenBefore: Uint8Array): void {
    const perPage = 2 ** (this.geometry.pageShift - 2);
    for (const index of pageWords.touched ?? []) {
      const page = Math.floor(index / perPage);
      if (takenBefore[page] && this.model.taken[page]) {
        throw new ConformanceError('pages-outside', `touched page ${this.geometry.firstPage + page}, which is taken`);
      }
    }
    pageWords.touched = undefined;
    for (let page = 0; page < takenBefore.length; page++) {
      if (this.model.taken[page] && !takenBefore[page]) this.soil(pageWords, page * perPage, (page + 1) * perPage);
    }
  }

  /** Compares runs, counters and `check` with the model. */
  inspect(): void {
    this.within('inspection', () => {
      this.inspectRuns();
      const { freePages, pageCount, freeRuns, largestFreeRun } = this.allocator.stats();
      let runs = 0;
      let largest = 0;
      for (const [start, end] of this.model.freeRuns()) {
        runs++;
        largest = Math.max(largest, end - start);
      }
      const expected = [this.geometry.pageCount, this.model.freePages, runs, largest].join(' ');
      const counted = [pageCount, freePages, freeRuns, largestFreeRun].join(' ');
      if (counted !== expected) throw new ConformanceError('counters', `pages, free, runs, largest are ${counted}, not ${expected}`);
      const violations = this.allocator.check();
      if (violations.length > 0)
        throw new ConformanceError('check-clean', violations.map((found) => `${found.rule}: ${found.message}`).join('; '));
    });
  }

  private inspectRuns(): void {
    const { model, geometry } = this;
    const expected = [...model.freeRuns()].map(([start, end]) => `${start}+${end - start}`).join(' ');
    const seen: string[] = [];
    let next = geometry.firstPage;
    this.allocator.forEachRun((start, pages, free) => {
      if (start !== next || !Number.isInteger(pages) || pages <= 0) {
        throw new ConformanceError('runs', `a run of ${pages} at ${start} where ${next} was next`);
      }
      next = start + pages;
      if (free) seen.push(`${start}+${pages}`);
    });
    if (next !== geometry.firstPage + geometry.pageCount) throw new ConformanceError('runs', `the last run ends at ${next}`);
    if (seen.join(' ') !== expected) throw new ConformanceError('runs', `free runs are ${seen.join(' ')}, not ${expected}`);
  }

  /** Lives for a number of operations, inspected each time. */
  live(count: number, fullness: number, inspectEvery = 1): void {
    for (let index = 0; index < count; index++) {
      this.step(someOperation(this.random, this.model, fullness));
      if (index % inspectEvery === 0) this.inspect();
    }
    this.inspect();
  }

  /** Gives everything back, in random order, and expects the first state. */
  drain(): void {
    const { model, geometry } = this;
    for (;;) {
      const index = this.random.below(Math.max(1, model.live.length));
      const live = model.live[index];
      if (!live) break;
      this.step({ kind: 'free', start: live.start, pages: live.pages });
    }
    // What partial frees have left.
    for (let page = 0; page < geometry.pageCount; page++) {
      let pages = 0;
      while (page + pages < geometry.pageCount && model.taken[page + pages]) pages++;
      if (pages > 0) this.step({ kind: 'free', start: geometry.firstPage + page, pages });
      page += pages;
    }
    this.inspect();
    const stats = this.allocator.stats();
    if (stats.freeRuns !== 1 || stats.freePages !== geometry.pageCount) {
      throw new ConformanceError(
        'drain',
        `${this.plugin.name}: ${stats.freePages} of ${geometry.pageCount} pages in ${stats.freeRuns} runs`,
      );
    }
  }

  /** An allocator over copies of all words, and the copies. */
  fork(): { allocator: PageAllocator; words: GuardedWords; pageWords: GuardedWords | undefined } {
    const words = this.words.copy();
    const pageWords = this.pageWords?.copy();
    return { allocator: attachAllocator(this.plugin, this.geometry, words, this.hooks(pageWords)), words, pageWords };
  }

  /** Goes on with a copy of the words and expects the same answers and, at the end, the same words. */
  replay(count: number): void {
    const fork = this.within('attach', () => this.fork());
    const perPage = 2 ** (this.geometry.pageShift - 2);
    for (let index = 0; index < count; index++) {
      const operation = someOperation(this.random, this.model, 0.7);
      const takenBefore = this.model.taken.slice();
      const answer = this.step(operation);
      const again = perform(fork.allocator, operation);
      if (again !== answer) {
        throw new ConformanceError('replay', `${this.plugin.name}: ${describeOperation(operation)} was ${answer}, and on a copy ${again}`);
      }
      // The holder's writes are the same on both sides.
      for (let page = 0; fork.pageWords && this.pageWords && page < takenBefore.length; page++) {
        if (takenBefore[page] || !this.model.taken[page]) continue;
        for (let word = page * perPage; word < (page + 1) * perPage; word++)
          fork.pageWords.words.store(word, this.pageWords.words.load(word));
      }
    }
    const pictures = [this.allocator, fork.allocator].map((allocator) => JSON.stringify([allocator.stats(), allocator.check()]));
    if (pictures[0] !== pictures[1])
      throw new ConformanceError('replay', `${this.plugin.name}: ${pictures[0]}, and the copy ${pictures[1]}`);
    const word = firstDifference(this.words.snapshot(), fork.words.snapshot());
    if (word >= 0) throw new ConformanceError('replay', `${this.plugin.name}: word ${word} of the copy is different in the end`);
  }

  /** Calls every operation from inside a visitor. */
  visit(): void {
    this.within('a visitor', () => {
      const { firstPage, pageCount } = this.geometry;
      const { capabilities } = this.plugin;
      const before = this.words.snapshot();
      const pagesBefore = this.pageWords?.snapshot();
      const answers: Code[] = [];
      this.allocator.forEachRun((start, pages, free) => {
        answers.push(this.allocator.allocate(1));
        answers.push(this.allocator.free(start, pages));
        if (capabilities.reserve && free) answers.push(this.allocator.reserve(start, 1));
        if (capabilities.resize) answers.push(this.allocator.resize(start, pages, pages + 1));
        // Looking is allowed.
        this.allocator.stats();
      });
      const wrong = answers.find((answer) => answer !== BUSY);
      if (wrong !== undefined) throw new ConformanceError('visitor-busy', `an operation answered ${wrong}`);
      this.expectUnchanged(before, pagesBefore);
      try {
        this.allocator.forEachRun(() => {
          throw new Error('out of a visitor');
        });
      } catch {
        // The visitor's own.
      }
      const answer = this.allocator.free(firstPage + pageCount, 1);
      if (answer === BUSY) throw new ConformanceError('visitor-busy', 'still busy after a visitor threw');
    });
  }
}

/** Host words. */
export const onHost: WordsFactory = (count) => hostWords(count);

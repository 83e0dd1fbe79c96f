// An allocator as a stranger would write one: the published names of @tablewalk/alloc and nothing else. A word a page: the length of a run at its
// first page, the distance to it at the others, 0 where it is free. First fit.
import {
  ALLOCATOR_CONTRACT,
  AllocError,
  BUSY,
  checkConstraints,
  checkCount,
  checkGeometry,
  checkRange,
  EXHAUSTED,
  highestEnd,
  lowestFit,
  lowestStart,
  NOT_ALLOCATED,
  OK,
  OVERLAP,
  UNSUPPORTED,
  WRONG_LENGTH,
} from '@tablewalk/alloc';

const NAME = 'them/page-map';
const HEADER = 3;
const MARK = 0x7468656d;
const FIRST = 0x40000000;
const BODY = 0x80000000;

class PageMap {
  name = NAME;
  #words;
  #geometry;
  #busy = false;

  constructor(words, geometry) {
    this.#words = words;
    this.#geometry = geometry;
  }

  #at(page) {
    return HEADER + page - this.#geometry.firstPage;
  }

  #isFree(start, pages) {
    for (let page = start; page < start + pages; page++) if (this.#words.load(this.#at(page)) !== 0) return false;
    return true;
  }

  #take(start, pages) {
    this.#words.store(this.#at(start), FIRST + pages);
    for (let page = 1; page < pages; page++) this.#words.store(this.#at(start + page), BODY + page);
  }

  allocate(pages, constraints = {}) {
    if (this.#busy) return BUSY;
    const wrong = checkCount(pages) || checkConstraints(constraints);
    if (wrong) return wrong;
    const end = highestEnd(this.#geometry, constraints);
    for (let page = lowestStart(this.#geometry, constraints); page < end; page++) {
      if (this.#words.load(this.#at(page)) !== 0) continue;
      const start = page;
      while (page < end && this.#words.load(this.#at(page)) === 0) page++;
      const fit = lowestFit(start, page, pages, constraints.alignLog2 ?? 0, constraints.boundaryLog2 ?? 31);
      if (fit < 0) continue;
      this.#take(fit, pages);
      return fit;
    }
    return EXHAUSTED;
  }

  reserve(start, pages) {
    if (this.#busy) return BUSY;
    const wrong = checkRange(this.#geometry, start, pages);
    if (wrong) return wrong;
    if (!this.#isFree(start, pages)) return OVERLAP;
    this.#take(start, pages);
    return OK;
  }

  free(start, pages) {
    if (this.#busy) return BUSY;
    const wrong = checkRange(this.#geometry, start, pages);
    if (wrong) return wrong;
    const word = this.#words.load(this.#at(start));
    if (word === 0) return NOT_ALLOCATED;
    if (word !== FIRST + pages) return WRONG_LENGTH;
    for (let page = start; page < start + pages; page++) this.#words.store(this.#at(page), 0);
    return OK;
  }

  resize(start, from, to) {
    if (this.#busy) return BUSY;
    return checkRange(this.#geometry, start, from) || checkCount(to) || UNSUPPORTED;
  }

  forEachRun(visit) {
    const { firstPage, pageCount } = this.#geometry;
    const was = this.#busy;
    this.#busy = true;
    try {
      for (let page = firstPage; page < firstPage + pageCount; ) {
        const start = page;
        const isFree = this.#words.load(this.#at(page)) === 0;
        const isRun = (word) => (isFree ? word === 0 : word >= BODY);
        do page++;
        while (page < firstPage + pageCount && isRun(this.#words.load(this.#at(page))));
        visit(start, page - start, isFree);
      }
    } finally {
      this.#busy = was;
    }
  }

  stats() {
    const all = { pageCount: this.#geometry.pageCount, freePages: 0, freeRuns: 0, largestFreeRun: 0 };
    this.forEachRun((_start, pages, isFree) => {
      if (!isFree) return;
      all.freePages += pages;
      all.freeRuns++;
      all.largestFreeRun = Math.max(all.largestFreeRun, pages);
    });
    return all;
  }

  check() {
    const found = headerOf(this.#words, this.#geometry);
    const { firstPage, pageCount } = this.#geometry;
    let left = 0;
    let distance = 0;
    for (let page = firstPage; page < firstPage + pageCount; page++) {
      const word = this.#words.load(this.#at(page));
      const isRight = left > 0 ? word === BODY + distance : word === 0 || (word > FIRST && word <= FIRST + pageCount);
      if (!isRight) found.push({ rule: 'page-map', message: `page ${page} says ${word}`, page, word: this.#at(page) });
      if (left === 0 && isRight && word !== 0) {
        left = word - FIRST;
        distance = 0;
      }
      if (left > 0) left--;
      distance++;
    }
    if (left > 0) found.push({ rule: 'page-map', message: 'the last run goes beyond the last page' });
    return found;
  }
}

const headerOf = (words, { firstPage, pageCount }) =>
  [MARK, firstPage, pageCount].flatMap((value, word) =>
    words.load(word) === value ? [] : [{ rule: 'header', message: `word ${word} is ${words.load(word)}`, word }],
  );

export default () => ({
  contract: ALLOCATOR_CONTRACT,
  name: NAME,
  capabilities: { complete: true, partialFree: false, reserve: true, resize: false, alignment: 'any', placement: 'lowest' },
  metadataWords(geometry) {
    checkGeometry(geometry, NAME);
    const words = HEADER + geometry.pageCount;
    if (words > (geometry.maxMetadataWords ?? words)) throw new AllocError('geometry', NAME, `needs ${words} words`);
    return words;
  },
  create(words, geometry) {
    const { firstPage, pageCount } = geometry;
    for (const [word, value] of [MARK, firstPage, pageCount].entries()) words.store(word, value);
    for (let page = 0; page < pageCount; page++) words.store(HEADER + page, 0);
    return new PageMap(words, geometry);
  },
  attach(words, geometry) {
    const [wrong] = headerOf(words, geometry);
    if (wrong) throw new AllocError('attach', NAME, wrong.message);
    return new PageMap(words, geometry);
  },
});

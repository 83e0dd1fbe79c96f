import { AllocError } from '../alloc-error.js';
import { type Code, EXHAUSTED, METADATA_FULL, NOT_ALLOCATED, OK, OVERLAP } from '../codes.js';
import { checkGeometry, type Geometry } from '../geometry.js';
import { ALLOCATOR_CONTRACT, type AllocatorPlugin, type Constraints, type RunVisitor, type Violation } from '../page-allocator.js';
import { highestEnd, lowestFit, lowestStart } from '../requests.js';
import type { Words } from '../words.js';
import { AT_FREE_PAGES, expectState, freeCountViolation, HEADER_WORDS, headerViolations, wordViolation, writeHeader } from './header.js';
import { RunAllocator } from './run-allocator.js';

// Words: a header, then the zones in ascending order. A zone is one word, its first page relative to the geometry's in bits 31:1 and 1 in
// bit 0 if it is free; it ends where the next one starts, the last with the geometry. Free zones never touch each other. Taken ones are
// one an allocation, so that giving an allocation back whole never needs room in the table.
const MAGIC = 0x54575a4c; // 'TWZL'
const AT_CAPACITY = HEADER_WORDS;
const AT_ZONE_COUNT = HEADER_WORDS + 1;
const ZONES = HEADER_WORDS + 2;
const FREE = 1;

const NAME = 'tablewalk/zone-list';

class ZoneList extends RunAllocator {
  readonly name = NAME;
  private readonly capacity: number;

  constructor(words: Words, geometry: Geometry, capacity: number) {
    super(words, geometry, MAGIC);
    this.capacity = capacity;
  }

  private get zoneCount(): number {
    return this.words.load(AT_ZONE_COUNT);
  }

  /** First page of zone `index`, relative; of the one past the last, the end. */
  private startOf(index: number, count: number): number {
    return index < count ? this.words.load(ZONES + index) >>> 1 : this.geometry.pageCount;
  }

  /** The zone that holds the relative page. */
  private zoneAt(page: number, count: number): number {
    let low = 0;
    let high = count - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.words.load(ZONES + middle) >>> 1 <= page) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /**
   * Makes the relative pages `start` to `end`, which lie in the zones `first` to `last`, one zone: free and merged with its free neighbours, or
   * taken. What those zones have outside keeps its state. Capacity is asked of the zones that this adds, wherever they are.
   */
  private replace(first: number, last: number, start: number, end: number, free: boolean, count: number): Code {
    const { words } = this;
    const head = words.load(ZONES + first);
    const tail = words.load(ZONES + last);
    const tailEnd = this.startOf(last + 1, count);
    let from = first;
    let to = last + 1;
    let begin = start;
    let keepsHead = head >>> 1 < start;
    let keepsTail = end < tailEnd;
    if (free) {
      // A free remainder, or a free neighbour, becomes part of the zone.
      if (keepsHead && (head & FREE) !== 0) {
        begin = head >>> 1;
        keepsHead = false;
      } else if (!keepsHead && first > 0 && (words.load(ZONES + first - 1) & FREE) !== 0) {
        from = first - 1;
        begin = words.load(ZONES + from) >>> 1;
      }
      if (keepsTail && (tail & FREE) !== 0) keepsTail = false;
      else if (!keepsTail && to < count && (words.load(ZONES + to) & FREE) !== 0) to++;
    }
    const added = (keepsHead ? 1 : 0) + 1 + (keepsTail ? 1 : 0) - (to - from);
    if (count + added > this.capacity) return METADATA_FULL;
    if (added > 0) for (let index = count - 1; index >= to; index--) words.store(ZONES + index + added, words.load(ZONES + index));
    else if (added < 0) for (let index = to; index < count; index++) words.store(ZONES + index + added, words.load(ZONES + index));
    let at = ZONES + from;
    if (keepsHead) words.store(at++, head);
    words.store(at++, ((begin << 1) | (free ? FREE : 0)) >>> 0);
    if (keepsTail) words.store(at, ((end << 1) | (tail & FREE)) >>> 0);
    if (added !== 0) words.store(AT_ZONE_COUNT, count + added);
    words.store(AT_FREE_PAGES, words.load(AT_FREE_PAGES) + (free ? end - start : start - end));
    return OK;
  }

  protected override place(pages: number, constraints: Constraints = {}): number {
    const { words, geometry } = this;
    const { firstPage } = geometry;
    const { alignLog2 = 0, boundaryLog2 = 31 } = constraints;
    const low = lowestStart(geometry, constraints);
    const high = highestEnd(geometry, constraints);
    const count = this.zoneCount;
    let zone = words.load(ZONES);
    for (let index = 0; index < count; index++) {
      const next = index + 1 < count ? words.load(ZONES + index + 1) : geometry.pageCount << 1;
      if ((zone & FREE) !== 0) {
        const from = Math.max(firstPage + (zone >>> 1), low);
        const end = Math.min(firstPage + (next >>> 1), high);
        if (end - from >= pages) {
          const start = lowestFit(from, end, pages, alignLog2, boundaryLog2);
          if (start >= 0) {
            const relative = start - firstPage;
            const done = this.replace(index, index, relative, relative + pages, false, count);
            return done === OK ? relative : done;
          }
        }
        if (from >= high) break;
      }
      zone = next;
    }
    return EXHAUSTED;
  }

  protected override take(start: number, pages: number): Code {
    const count = this.zoneCount;
    const index = this.zoneAt(start, count);
    if ((this.words.load(ZONES + index) & FREE) === 0 || this.startOf(index + 1, count) < start + pages) return OVERLAP;
    return this.replace(index, index, start, start + pages, false, count);
  }

  /** The last zone of the taken ones that hold all these pages, or -1. */
  private takenThrough(first: number, end: number, count: number): number {
    for (let index = first; index < count; index++) {
      if ((this.words.load(ZONES + index) & FREE) !== 0) return -1;
      if (this.startOf(index + 1, count) >= end) return index;
    }
    return -1;
  }

  protected override give(start: number, pages: number): Code {
    const count = this.zoneCount;
    const first = this.zoneAt(start, count);
    const last = this.takenThrough(first, start + pages, count);
    if (last < 0) return NOT_ALLOCATED;
    return this.replace(first, last, start, start + pages, true, count);
  }

  protected override stretch(start: number, from: number, to: number): Code {
    const count = this.zoneCount;
    const first = this.zoneAt(start, count);
    const last = this.takenThrough(first, start + from, count);
    if (last < 0) return NOT_ALLOCATED;
    if (to === from) return OK;
    if (to < from) {
      const zone = this.zoneAt(start + to, count);
      return this.replace(zone, last, start + to, start + from, true, count);
    }
    // The pages after the run must be free; then the zone that ends there grows over them.
    if (this.startOf(last + 1, count) !== start + from || last + 1 >= count) return EXHAUSTED;
    if ((this.words.load(ZONES + last + 1) & FREE) === 0 || this.startOf(last + 2, count) < start + to) return EXHAUSTED;
    return this.grow(last, start + from, start + to, count);
  }

  /** Moves the border between taken zone `index` and the free one after it from `from` up to `to`, which may be that one's end. */
  private grow(index: number, from: number, to: number, count: number): Code {
    const { words } = this;
    if (this.startOf(index + 2, count) === to) {
      for (let at = index + 2; at < count; at++) words.store(ZONES + at - 1, words.load(ZONES + at));
      words.store(AT_ZONE_COUNT, count - 1);
    } else {
      words.store(ZONES + index + 1, ((to << 1) | FREE) >>> 0);
    }
    words.store(AT_FREE_PAGES, words.load(AT_FREE_PAGES) - (to - from));
    return OK;
  }

  protected override walk(visit: RunVisitor): void {
    const count = this.zoneCount;
    for (let index = 0; index < count; index++) {
      const zone = this.words.load(ZONES + index);
      const start = zone >>> 1;
      visit(this.geometry.firstPage + start, this.startOf(index + 1, count) - start, (zone & FREE) !== 0);
    }
  }

  protected override violations(): Violation[] {
    const { words, geometry, capacity } = this;
    const found = capacityViolations(words, capacity);
    const count = this.zoneCount;
    if (count < 1 || count > capacity) {
      return [...found, { rule: 'zone-count', message: `${count} zones in a table of ${capacity}`, word: AT_ZONE_COUNT }];
    }
    let freePages = 0;
    let previous = -1;
    let previousFree = false;
    for (let index = 0; index < count; index++) {
      const zone = words.load(ZONES + index);
      const start = zone >>> 1;
      const free = (zone & FREE) !== 0;
      const at = { page: geometry.firstPage + start, word: ZONES + index };
      if (index === 0 ? start !== 0 : start <= previous || start >= geometry.pageCount) {
        found.push({ rule: 'zones-ordered', message: `zone ${index} starts at ${start} after one at ${previous}`, ...at });
      }
      if (free && previousFree) found.push({ rule: 'zones-merged', message: `free zones ${index - 1} and ${index} touch`, ...at });
      if (free) freePages += this.startOf(index + 1, count) - start;
      previous = start;
      previousFree = free;
    }
    return [...found, ...freeCountViolation(words, freePages)];
  }
}

function capacityViolations(words: Words, capacity: number): Violation[] {
  return wordViolation(words, AT_CAPACITY, capacity, 'the capacity');
}

function metadataWords(geometry: Geometry): number {
  checkGeometry(geometry, NAME);
  // Every page a zone of its own is the worst that can happen.
  const words = Math.min(ZONES + geometry.pageCount, geometry.maxMetadataWords ?? Number.POSITIVE_INFINITY);
  if (words <= ZONES) throw new AllocError('geometry', NAME, `${words} metadata words do not hold a zone; it needs ${ZONES + 1}`);
  return words;
}

/**
 * A sorted table of zones, free and taken: address-ordered first fit, immediate merging, any sub-range freeable. Linear in the number of zones;
 * its table can be as small as one wants, and `METADATA_FULL` then says so. Freeing a whole allocation never needs room.
 */
export function zoneList(): AllocatorPlugin {
  return {
    contract: ALLOCATOR_CONTRACT,
    name: NAME,
    capabilities: { complete: true, partialFree: true, reserve: true, resize: true, alignment: 'any', placement: 'lowest' },
    metadataWords,
    accessBound: (geometry) => 4 * metadataWords(geometry) + 64,
    create(words, geometry) {
      const capacity = metadataWords(geometry) - ZONES;
      writeHeader(words, MAGIC, geometry);
      words.store(AT_CAPACITY, capacity);
      words.store(AT_ZONE_COUNT, 1);
      words.store(ZONES, FREE);
      return new ZoneList(words, geometry, capacity);
    },
    attach(words, geometry) {
      const capacity = metadataWords(geometry) - ZONES;
      expectState(NAME, [...headerViolations(words, MAGIC, geometry), ...capacityViolations(words, capacity)]);
      return new ZoneList(words, geometry, capacity);
    },
  };
}

import {
  BAD_COUNT,
  BUSY,
  CORRUPT,
  type Code,
  FOREIGN,
  INTERIOR,
  NOT_ALLOCATED,
  type ObjectCache,
  type ObjectCacheStats,
  type ObjectKind,
  type ObjectSurroundings,
  OK,
  OUT_OF_RANGE,
  type PageDescriptors,
  USE_NONE,
  USE_OBJECTS,
  type Violation,
  type Words,
} from '@tablewalk/alloc';
import { violations } from './check.js';
import { AT_LIVE, AT_ROOM, AT_SLABS, AT_SPARE, bitCount, fullMap, mapTail } from './layout.js';
import { NAME, type Shape } from './shape.js';

const lowestBit = (word: number): number => 31 - Math.clz32(word & -word);

/**
 * Slabs of objects (Bonwick, The Slab Allocator, USENIX 1994). Which places are taken is a bit each, never a link through the free objects: an
 * object that is written after it was freed damages nothing here, and a second free of it is always seen.
 */
export class SlabCache implements ObjectCache {
  readonly name = NAME;
  readonly kind: ObjectKind;
  readonly words: Words;
  readonly surroundings: ObjectSurroundings;
  readonly shape: Shape;
  private readonly memory: Words;
  private readonly descriptors: PageDescriptors;
  private readonly first: number;
  private readonly end: number;
  /** The last page at which a slab can begin. */
  private readonly last: number;
  // The shape, where the hot paths find it at once.
  private readonly pages: number;
  private readonly capacity: number;
  private readonly placeWords: number;
  /** More than none: the maps are in the slabs. */
  private readonly mapWords: number;
  private readonly headerWords: number;
  /** log2 of the words of a page. */
  private readonly wordShift: number;
  private readonly full: number;
  /**
   * A multiplication instead of a division. Its surplus of 2^-40 makes up for rounding down at a multiple of the length, and is too small to reach
   * the next one: an index has 31 bits.
   */
  private readonly perPlace: number;
  /** Visits in progress. A number: V8 asks a boolean field what kind of thing it holds each time. */
  private visits = 0;

  constructor(words: Words, kind: ObjectKind, surroundings: ObjectSurroundings, shape: Shape) {
    const { geometry } = surroundings;
    this.words = words;
    this.kind = kind;
    this.surroundings = surroundings;
    this.shape = shape;
    this.memory = surroundings.memory;
    this.descriptors = surroundings.descriptors;
    this.first = geometry.firstPage;
    this.end = geometry.firstPage + geometry.pageCount;
    this.wordShift = geometry.pageShift - 2;
    this.last = this.end - shape.pages;
    this.pages = shape.pages | 0;
    this.capacity = shape.capacity | 0;
    this.placeWords = shape.placeWords | 0;
    this.mapWords = shape.mapWords | 0;
    this.headerWords = shape.headerWords | 0;
    this.full = fullMap(shape) | 0;
    this.perPlace = (1 + 2 ** -40) / shape.placeWords;
  }

  private corrupt(message: string, page?: number): Code {
    this.surroundings.violation?.({ rule: 'slabs', message, ...(page !== undefined && { page }) });
    return CORRUPT;
  }

  private isManaged(page: number): boolean {
    return page >= this.first && page <= this.last;
  }

  allocate(): number {
    if (this.visits !== 0) return BUSY;
    const slab = (this.words.load(AT_ROOM) - 1) | 0;
    return slab < this.first || slab > this.last ? this.takeOpened(slab) : this.take(slab);
  }

  /** Apart, so that what {@link open} answers, of which the compiler knows nothing, is in no variable of the hot path. */
  private takeOpened(first: number): number {
    const slab = this.open(first);
    return slab < 0 ? slab : this.take(slab);
  }

  private take(slab: number): number {
    return this.mapWords > 0 ? this.takeMapped(slab) : this.takeDescribed(slab);
  }

  /** Takes the lowest free place of the first slab of the list, whose map is in its descriptor. */
  private takeDescribed(slab: number): number {
    const { descriptors, words, full } = this;
    const state = descriptors.references(slab) | 0;
    const room = ~state & full;
    if (room === 0) return this.notFull(slab);
    const bit = room & -room;
    descriptors.setReferences(slab, (state | bit) >>> 0);
    words.store(AT_LIVE, words.load(AT_LIVE) + 1);
    if (room === bit) words.store(AT_ROOM, descriptors.next(slab) + 1);
    return (((slab - this.first) << this.wordShift) + Math.imul(31 - Math.clz32(bit), this.placeWords)) | 0;
  }

  /** The same where the map is in the slab. */
  private takeMapped(slab: number): number {
    const { descriptors, memory } = this;
    const at = (slab - this.first) << this.wordShift;
    const state = descriptors.references(slab) | 0;
    const summary = state & 0xffff;
    const word = 31 - Math.clz32(summary & -summary);
    if (word < 0 || word >= this.mapWords) return this.notFull(slab);
    const room = ~(memory.load((at + word) | 0) | 0);
    if (room === 0) return this.notFull(slab);
    const bit = room & -room;
    memory.store((at + word) | 0, ~(room ^ bit));
    const now = (((state + 0x10000) | 0) - (room === bit ? 1 << word : 0)) | 0;
    descriptors.setReferences(slab, now);
    if (now >>> 16 === this.capacity) this.words.store(AT_ROOM, descriptors.next(slab) + 1);
    return (at + this.headerWords + Math.imul((word << 5) + 31 - Math.clz32(bit), this.placeWords)) | 0;
  }

  private notFull(slab: number): Code {
    return this.corrupt(`slab ${slab} is full, and in the list of those that are not`, slab);
  }

  free(object: number): Code {
    if (this.visits !== 0) return BUSY;
    if ((object | 0) !== object) return Number.isInteger(object) ? OUT_OF_RANGE : BAD_COUNT;
    const { descriptors } = this;
    let slab = (this.first + (object >> this.wordShift)) | 0;
    if (object < 0 || slab >= this.end) return OUT_OF_RANGE;
    if (!descriptors.isUsed(slab, USE_OBJECTS, this.kind.id)) return FOREIGN;
    if (this.pages > 1) {
      slab = this.slabOf(slab);
      if (slab < 0) return slab;
    }
    const at = (slab - this.first) << this.wordShift;
    const offset = (object - at - this.headerWords) | 0;
    const place = (offset * this.perPlace) | 0;
    if (offset < 0 || Math.imul(place, this.placeWords) !== offset || place >= this.capacity) return INTERIOR;
    return this.mapWords > 0 ? this.giveMapped(slab, (at + (place >>> 5)) | 0, place) : this.giveDescribed(slab, place);
  }

  /** The slab of a page, or a code. */
  private slabOf(page: number): number {
    const { descriptors } = this;
    if (descriptors.previous(page) !== page) return page;
    const slab = descriptors.next(page);
    if (slab < page && slab > page - this.pages && slab >= this.first && slab <= this.last) return slab;
    return this.corrupt(`page ${page} is of slab ${slab}`, page);
  }

  private giveDescribed(slab: number, place: number): Code {
    const { descriptors, words } = this;
    const state = descriptors.references(slab) | 0;
    const map = state & ~(1 << place);
    if (map === state) return NOT_ALLOCATED;
    descriptors.setReferences(slab, map >>> 0);
    words.store(AT_LIVE, words.load(AT_LIVE) - 1);
    if (map === 0) return this.emptied(slab, state === this.full);
    if (state === this.full) this.link(slab);
    return OK;
  }

  private giveMapped(slab: number, atMap: number, place: number): Code {
    const { descriptors, memory } = this;
    const map = memory.load(atMap) | 0;
    const bit = 1 << (place & 31);
    if ((map & bit) === 0) return NOT_ALLOCATED;
    memory.store(atMap, map ^ bit);
    const state = descriptors.references(slab) | 0;
    const now = (state - 0x10000) | (1 << (place >>> 5));
    descriptors.setReferences(slab, now);
    if (now >>> 16 === 0) return this.emptied(slab, state >>> 16 === this.capacity);
    if (state >>> 16 === this.capacity) this.link(slab);
    return OK;
  }

  /** One empty slab is kept, others go back. */
  private emptied(slab: number, wasFull: boolean): Code {
    if (!wasFull) this.unlink(slab);
    if (this.words.load(AT_SPARE) === 0) this.words.store(AT_SPARE, slab + 1);
    // What the page allocator does not take back (it may be busy) stays here, in use as before.
    else if (!this.giveBack(slab)) this.link(slab);
    return OK;
  }

  /** Puts a slab at the head of the list. Nobody looks back from the head, nor at the links of a slab that is in no list. */
  private link(slab: number): void {
    const { words, descriptors } = this;
    const next = (words.load(AT_ROOM) - 1) | 0;
    descriptors.setNext(slab, next);
    if (next >= 0 && this.isManaged(next)) descriptors.setPrevious(next, slab);
    words.store(AT_ROOM, slab + 1);
  }

  private unlink(slab: number): void {
    const { words, descriptors } = this;
    const next = descriptors.next(slab);
    if (words.load(AT_ROOM) === slab + 1) {
      words.store(AT_ROOM, next + 1);
      return;
    }
    const previous = descriptors.previous(slab);
    if (next >= 0 && this.isManaged(next)) descriptors.setPrevious(next, previous);
    if (this.isManaged(previous)) descriptors.setNext(previous, next);
  }

  /** The spare slab or a new one, with room and in the list, where that leads to none; or what the page allocator answered. */
  private open(first: number): number {
    if (first !== -1) return this.corrupt(`the list of slabs leads to page ${first}`);
    const { words, shape } = this;
    let slab = words.load(AT_SPARE) - 1;
    if (slab >= 0) {
      if (!this.isManaged(slab)) return this.corrupt(`the spare slab is page ${slab}`);
      words.store(AT_SPARE, 0);
    } else {
      slab = this.surroundings.pages.allocate(shape.pages);
      if (slab < 0) return slab;
      if (!Number.isInteger(slab) || !this.isManaged(slab)) return this.corrupt(`the page allocator answered ${slab}`);
      this.format(slab);
      words.store(AT_SLABS, words.load(AT_SLABS) + 1);
    }
    this.link(slab);
    return slab;
  }

  private format(slab: number): void {
    const { shape, memory, descriptors } = this;
    this.claim(slab);
    if (shape.mapWords === 0) {
      descriptors.setReferences(slab, 0);
      return;
    }
    const at = (slab - this.first) << this.wordShift;
    for (let word = 0; word < shape.mapWords - 1; word++) memory.store(at + word, 0);
    memory.store(at + shape.mapWords - 1, mapTail(shape));
    descriptors.setReferences(slab, (1 << shape.mapWords) - 1);
  }

  /** Says in the descriptors of its pages, but for the references of the first, whose they are. */
  private claim(slab: number): void {
    const { shape, descriptors } = this;
    for (let page = slab; page < slab + shape.pages; page++) {
      descriptors.setUse(page, USE_OBJECTS, this.kind.id);
      descriptors.setNext(page, page === slab ? -1 : slab);
      descriptors.setPrevious(page, page === slab ? -1 : page);
      if (page > slab) descriptors.setReferences(page, 0);
    }
  }

  /** Gives the pages of an empty slab that is in no list back; false, and all as it was, if they are not taken. */
  private giveBack(slab: number): boolean {
    const { words, shape, descriptors } = this;
    const state = descriptors.references(slab);
    for (let page = slab; page < slab + shape.pages; page++) {
      descriptors.setUse(page, USE_NONE, 0);
      descriptors.setNext(page, -1);
      descriptors.setPrevious(page, -1);
    }
    descriptors.setReferences(slab, 0);
    if (this.surroundings.pages.free(slab, shape.pages) !== OK) {
      this.claim(slab);
      descriptors.setReferences(slab, state);
      return false;
    }
    words.store(AT_SLABS, words.load(AT_SLABS) - 1);
    return true;
  }

  private liveObjects(slab: number): number {
    const state = this.descriptors.references(slab);
    return this.shape.mapWords === 0 ? bitCount(state & this.full) : state >>> 16;
  }

  shrink(): number {
    if (this.visits !== 0) return 0;
    const { words, shape, descriptors } = this;
    let pages = 0;
    const spare = words.load(AT_SPARE) - 1;
    if (spare >= 0 && this.isManaged(spare) && this.giveBack(spare)) {
      words.store(AT_SPARE, 0);
      pages += shape.pages;
    }
    // Empty slabs are in the list only when the page allocator once refused them. As many steps as there are slabs: damage may make a circle.
    let left = words.load(AT_SLABS);
    for (let slab = words.load(AT_ROOM) - 1; slab >= 0 && this.isManaged(slab) && left-- > 0; ) {
      const next = descriptors.next(slab);
      if (this.liveObjects(slab) === 0) {
        this.unlink(slab);
        if (this.giveBack(slab)) pages += shape.pages;
        else this.link(slab);
      }
      slab = next;
    }
    return pages;
  }

  forEachObject(visit: (object: number) => void): void {
    const { shape, descriptors, memory, kind } = this;
    this.visits++;
    try {
      for (let slab = this.first; slab + shape.pages <= this.end; ) {
        const isSlab =
          descriptors.use(slab) === USE_OBJECTS &&
          descriptors.owner(slab) === kind.id &&
          (shape.pages === 1 || descriptors.previous(slab) !== slab);
        if (!isSlab) {
          slab++;
          continue;
        }
        const at = (slab - this.first) << this.wordShift;
        const state = descriptors.references(slab);
        for (let place = 0; place < shape.capacity; place += 32) {
          const valid = shape.capacity - place >= 32 ? -1 : (1 << (shape.capacity - place)) - 1;
          let map = (shape.mapWords === 0 ? state : memory.load(at + (place >>> 5))) & valid;
          for (; map !== 0; map &= map - 1) visit(at + shape.headerWords + (place + lowestBit(map)) * shape.placeWords);
        }
        slab += shape.pages;
      }
    } finally {
      this.visits--;
    }
  }

  stats(): ObjectCacheStats {
    const { words, shape, descriptors } = this;
    const slabs = words.load(AT_SLABS);
    let free = words.load(AT_SPARE) === 0 ? 0 : shape.capacity;
    let left = slabs;
    for (let slab = words.load(AT_ROOM) - 1; slab >= 0 && this.isManaged(slab) && left-- > 0; slab = descriptors.next(slab)) {
      free += shape.capacity - this.liveObjects(slab);
    }
    const capacity = slabs * shape.capacity;
    return { objectBytes: 4 * shape.placeWords, liveObjects: capacity - free, capacity, pagesHeld: slabs * shape.pages };
  }

  check(): Violation[] {
    return violations(this.words, this.kind, this.surroundings, this.shape);
  }
}

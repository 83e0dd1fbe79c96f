import type { LineTablePlaces, StateViews } from '@tablewalk/engine';
import { layout } from '@tablewalk/engine';
import type { HitPaths } from '@tablewalk/machine';

const LINES = 65536;
const PAGES = 1024;
const NO_PAGE = -1;
const KNOWN = 1;
/** Words of what is known for each of four kinds of access (bit 0 for stores, bit 1 for privileged ones), and log2 of those of a place. */
const KNOWN_STRIDE = 4;
const KNOWN_PLACE_SHIFT = 4;
/** Tables that a line of a page may be in, and words with a bit for each line, which has 32 bytes at least. */
const TABLES = 3;
const MASK_WORDS = 4;
const IS_KNOWN = 1 << (TABLES * MASK_WORDS);
const FETCH = 2;
/** Bytes of what regions look into too, one behind the other: known pages, masks, entries of lines of data, marks of places. */
const KNOWN_BYTES = PAGES << (KNOWN_PLACE_SHIFT + 2);
const MASK_BYTES = PAGES * TABLES * MASK_WORDS * 4;
const ENTRY_BYTES = LINES * 4;
/** Bytes that a {@link LineTable} needs in guest memory (`HitPaths.room`). */
export const LINE_TABLE_BYTES = KNOWN_BYTES + MASK_BYTES + ENTRY_BYTES + PAGES * 2;
const BASES = [layout.FAST_TABLE_PL1 >>> 2, layout.FAST_TABLE_PL0 >>> 2, layout.FETCH_TABLE >>> 2] as const;

const knownAt = (place: number, write: boolean, privileged: boolean): number =>
  (place << KNOWN_PLACE_SHIFT) + ((write ? 1 : 0) + (privileged ? 2 : 0)) * KNOWN_STRIDE;

/**
 * Lines of data and code that the first levels of TLB and cache are known to hold, as regions find them where each access is counted. An entry says that an
 * access there is a hit which changes counters and the order of use alone. Regions note these in the state; here they are handed to the models before anybody
 * else asks them. Pages of data whose translation is known are kept besides, for the interpreter. All of it is host state: what is not here is asked.
 */
export class LineTable {
  private readonly words: Int32Array;
  private readonly paths: HitPaths;
  /** Halfwords of the pairs of lines of the L1, if it has them (`HitPath.pairs`). */
  private readonly pairs: Uint16Array | undefined;
  private readonly dataLog2: number;
  private readonly fetchLog2: number;
  /** Word index of the entry of each line of the models, by its number; 0 for none. */
  private readonly dataEntries: Int32Array;
  private readonly fetchEntries = new Int32Array(LINES);
  /** Places for pages, by the low bits of their numbers: VA, and lines that have entries, perhaps. */
  private readonly pages = new Int32Array(PAGES).fill(NO_PAGE);
  private readonly masks: Int32Array;
  /** By place: a bit for each word of masks that is not 0, and {@link IS_KNOWN} when an access was let through. */
  private readonly marked: Uint16Array;
  private readonly used = new Int32Array(PAGES);
  private usedCount = 0;
  /** Counts what was forgotten. */
  private forgotten = 0;
  /**
   * By place and kind, of accesses that were let through: VA of the page and {@link KNOWN}; offset in guest memory; attributes and translation; not 0 when `MissPath`
   * applies.
   */
  private readonly known: Int32Array;
  /** Where these are, for regions. */
  readonly places: LineTablePlaces;
  /** Of the page found last: the byte's offset in guest memory, memory attributes, number of the translation. */
  host = 0;
  attributes = 0;
  private translation = 0;

  constructor({ words }: StateViews, paths: HitPaths) {
    this.words = words;
    this.paths = paths;
    const { buffer } = words;
    const known = paths.room;
    const masks = known + KNOWN_BYTES;
    const entries = masks + MASK_BYTES;
    const marked = entries + ENTRY_BYTES;
    this.known = new Int32Array(buffer, known, KNOWN_BYTES / 4);
    this.masks = new Int32Array(buffer, masks, MASK_BYTES / 4);
    this.dataEntries = new Int32Array(buffer, entries, LINES);
    this.marked = new Uint16Array(buffer, marked, PAGES);
    this.places = { placeCount: PAGES, known, masks, marked, entries };
    this.pairs = paths.data.pairs < 0 ? undefined : new Uint16Array(buffer, paths.data.pairs);
    this.dataLog2 = paths.data.lineSizeLog2;
    this.fetchLog2 = paths.fetch.lineSizeLog2;
    for (const base of [BASES[0], BASES[1]])
      for (let i = 0; i < layout.FAST_TABLE_ENTRIES; i++) this.clearData(base + i * layout.FAST_STRIDE);
    for (let i = 0; i < layout.FETCH_ENTRIES; i++) words[BASES[FETCH] + 2 * i] = layout.FAST_INVALID;
    const translationsChanged = (va: number, sizeLog2: number): void => this.drop(va, sizeLog2);
    const { dataEntries, fetchEntries } = this;
    paths.data.connect({
      translationsChanged,
      lineDropped: (line) => {
        const entry = dataEntries[line]!;
        if (entry !== 0 && (words[entry + layout.FAST_SPARE]! & 0xffff) === line) this.clearData(entry);
      },
      lineCleaned: (line) => {
        const entry = dataEntries[line]!;
        if (entry !== 0 && (words[entry + layout.FAST_SPARE]! & 0xffff) === line)
          words[entry + layout.FAST_WRITE_TAG] = layout.FAST_INVALID;
      },
    });
    paths.fetch.connect({
      translationsChanged,
      lineDropped: (line) => {
        const entry = fetchEntries[line]!;
        if (entry !== 0 && (words[entry + 1]! & 0xffff) === line) words[entry] = layout.FAST_INVALID;
      },
      lineCleaned: () => {},
    });
  }

  private clearData(entry: number): void {
    this.words[entry + layout.FAST_READ_TAG] = layout.FAST_INVALID;
    this.words[entry + layout.FAST_WRITE_TAG] = layout.FAST_INVALID;
  }

  private dataEntry(table: number, va: number): number {
    return BASES[table]! + ((va >>> this.dataLog2) & (layout.FAST_TABLE_ENTRIES - 1)) * layout.FAST_STRIDE;
  }
  private fetchEntry(va: number): number {
    return BASES[FETCH] + ((va >>> this.fetchLog2) & (layout.FETCH_ENTRIES - 1)) * 2;
  }

  /** The place of the page of `va`, which another one may have to leave. */
  private claim(va: number): number {
    const place = (va >>> 12) & (PAGES - 1);
    const page = va & ~0xfff;
    const before = this.pages[place]!;
    if (before === page) return place;
    if (before === NO_PAGE) this.used[this.usedCount++] = place;
    else this.clear(place);
    this.pages[place] = page;
    return place;
  }

  /** A line of the page at this place has an entry in a table. */
  private mark(place: number, table: number, line: number): void {
    const word = table * MASK_WORDS + (line >>> 5);
    this.masks[place * TABLES * MASK_WORDS + word]! |= 1 << line;
    this.marked[place]! |= 1 << word;
  }

  /** Whether an access of this kind at `va` goes to memory by a translation in the TLB's first level: {@link host} and so on say more. */
  findPage(va: number, write: boolean, privileged: boolean): boolean {
    const { known } = this;
    const at = knownAt((va >>> 12) & (PAGES - 1), write, privileged);
    if (known[at] !== ((va & ~0xfff) | KNOWN)) return false;
    this.host = (known[at + 1]! + (va & 0xfff)) >>> 0;
    const rest = known[at + 2]!;
    this.translation = rest & 0xffff;
    this.attributes = rest >>> 16;
    return true;
  }

  /** The TLB is told of a look-up of the page found last. */
  look(): void {
    this.paths.data.look(this.translation);
  }

  /** The same for an access of a region, which is told of with those that the region finds. */
  lookWithHits(): void {
    this.words[layout.HIT_LOOKS]!++;
    this.words[layout.HIT_LAST_DATA] = this.translation << 16;
  }

  /** An access of this kind at `va`, whose byte is at `host`, has been let through. */
  enterPage(va: number, host: number, write: boolean, privileged: boolean, attributes: number): void {
    const translation = this.paths.data.translationAt(va >>> 0);
    if (translation < 0) return;
    const { known } = this;
    const at = knownAt(this.claim(va), write, privileged);
    this.marked[at >> KNOWN_PLACE_SHIFT]! |= IS_KNOWN;
    known[at] = (va & ~0xfff) | KNOWN;
    known[at + 1] = host - (va & 0xfff);
    known[at + 2] = (attributes << 16) | translation;
    known[at + 3] = this.paths.data.misses?.applies(host, attributes, write) ? 1 : 0;
  }

  /** An access of this kind at `va`, which is in the page found last, goes through the caches. The next one to the line may be a hit. */
  access(va: number, write: boolean, privileged: boolean): void {
    const { host, forgotten } = this;
    const line = this.paths.data.access(va >>> 0, host, write, this.attributes);
    // What is known may have been forgotten for it.
    if (line >= 0 && (forgotten === this.forgotten || this.findPage(va, write, privileged)))
      this.enterLine(va, host, write, privileged, line);
  }

  /**
   * Counts an access of `size` bytes, not aligned but in the page found last, as regions do when all of it hits: one and another in the next eight bytes; a load looks
   * at the TLB once, a store with each byte. False: a line is not known to hit, and nothing was counted.
   */
  countBytes(va: number, size: number, write: boolean, privileged: boolean): boolean {
    const { words: R, pairs } = this;
    const table = privileged ? 0 : 1;
    const tag = write ? layout.FAST_WRITE_TAG : layout.FAST_READ_TAG;
    const first = this.dataEntry(table, va);
    const goesOn = (va & 7) + size > 8;
    const next = goesOn ? this.dataEntry(table, va + size - 1) : first;
    const line = -(1 << this.dataLog2);
    if (R[first + tag] !== (va & line) || R[next + tag] !== ((va + size - 1) & line)) return false;
    const count = goesOn ? 2 : 1;
    R[write ? layout.HIT_STORES : layout.HIT_LOADS]! += count;
    R[layout.HIT_LOOKS]! += (write ? size : 1) - count;
    R[layout.HIT_LAST_DATA] = R[next + layout.FAST_SPARE]!;
    if (pairs !== undefined) {
      for (const entry of [first, next]) {
        const number = R[entry + layout.FAST_SPARE]! & 0xffff;
        pairs[number >>> 1] = number;
      }
    }
    return true;
  }

  private enterLine(va: number, host: number, write: boolean, privileged: boolean, line: number): void {
    const { words: R, dataEntries, dataLog2 } = this;
    const table = privileged ? 0 : 1;
    const entry = this.dataEntry(table, va);
    const tag = va & -(1 << dataLog2);
    const spare = (this.translation << 16) | line;
    const addend = (host - va) | 0;
    const other = R[entry + (write ? layout.FAST_READ_TAG : layout.FAST_WRITE_TAG)]!;
    const isOne = other === tag && R[entry + layout.FAST_SPARE] === spare && R[entry + layout.FAST_ADDEND] === addend;
    R[entry + layout.FAST_READ_TAG] = isOne || !write ? tag : layout.FAST_INVALID;
    R[entry + layout.FAST_WRITE_TAG] = isOne || write ? tag : layout.FAST_INVALID;
    if (isOne) return;
    R[entry + layout.FAST_SPARE] = spare;
    R[entry + layout.FAST_ADDEND] = addend;
    // A line of the models has one entry.
    const before = dataEntries[line]!;
    if (before !== entry) {
      if (before !== 0 && (R[before + layout.FAST_SPARE]! & 0xffff) === line) this.clearData(before);
      dataEntries[line] = entry;
    }
    this.mark((va >>> 12) & (PAGES - 1), table, (va & 0xfff) >>> dataLog2);
  }

  enterFetch(va: number, host: number, privileged: boolean, attributes: number): void {
    const { words: R } = this;
    const entry = this.fetchEntry(va);
    const tag = (va & -(1 << this.fetchLog2)) | (privileged ? 1 : 0);
    if (R[entry] === tag) return;
    const path = this.paths.fetch;
    const line = path.lineAt(va >>> 0, host, attributes);
    const translation = line < 0 ? -1 : path.translationAt(va >>> 0);
    if (translation < 0) return;
    const before = this.fetchEntries[line]!;
    if (before !== 0 && before !== entry && (R[before + 1]! & 0xffff) === line) R[before] = layout.FAST_INVALID;
    this.fetchEntries[line] = entry;
    this.mark(this.claim(va), FETCH, (va & 0xfff) >>> this.fetchLog2);
    R[entry] = tag;
    R[entry + 1] = (translation << 16) | line;
  }

  dropAll(): void {
    for (let i = 0; i < this.usedCount; i++) {
      const place = this.used[i]!;
      this.clear(place);
      this.pages[place] = NO_PAGE;
    }
    this.usedCount = 0;
  }

  /** What is of these addresses. */
  drop(va: number, sizeLog2: number): void {
    if (sizeLog2 > 16) {
      this.dropAll();
      return;
    }
    if (sizeLog2 <= 12) this.dropPage(va & ~0xfff);
    else for (let page = va & -(1 << sizeLog2), left = 1 << (sizeLog2 - 12); left > 0; page += 4096, left--) this.dropPage(page | 0);
  }

  private dropPage(page: number): void {
    const place = (page >>> 12) & (PAGES - 1);
    if (this.pages[place] === page) this.clear(place);
  }

  /** What is known of the page at this place is no longer so. */
  private clear(place: number): void {
    this.forgotten = (this.forgotten + 1) | 0;
    const { masks, words: R } = this;
    const page = this.pages[place]!;
    const marked = this.marked[place]!;
    if (marked === 0) return;
    const first = place << KNOWN_PLACE_SHIFT;
    for (let at = first; at < first + (1 << KNOWN_PLACE_SHIFT); at += KNOWN_STRIDE) this.known[at] = 0;
    for (let words = marked & (IS_KNOWN - 1); words !== 0; words &= words - 1) {
      const word = 31 - Math.clz32(words & -words);
      const table = (word / MASK_WORDS) | 0;
      const log2 = table === FETCH ? this.fetchLog2 : this.dataLog2;
      const at = place * TABLES * MASK_WORDS + word;
      for (let bits = masks[at]!; bits !== 0; bits &= bits - 1) {
        const va = page + (((word % MASK_WORDS) * 32 + 31 - Math.clz32(bits & -bits)) << log2);
        const entry = table === FETCH ? this.fetchEntry(va) : this.dataEntry(table, va);
        if (((this.tagOf(entry, table) ^ page) & ~0xfff) !== 0) continue;
        if (table === FETCH) R[entry] = layout.FAST_INVALID;
        else this.clearData(entry);
      }
      masks[at] = 0;
    }
    this.marked[place] = 0;
  }

  private tagOf(entry: number, table: number): number {
    const first = this.words[entry]!;
    return first === layout.FAST_INVALID && table !== FETCH ? this.words[entry + layout.FAST_WRITE_TAG]! : first;
  }

  /** Regions have run, or one waits for what comes: the models are told before anything else asks them. */
  settle(): void {
    const { words: R, paths } = this;
    this.settleLooks();
    this.settleMisses();
    const pending = R[layout.HIT_PENDING]! >>> 24;
    const fetches = R[layout.HIT_FETCHES]! + pending;
    if (fetches === 0) return;
    paths.fetch.hit(fetches, 0, fetches, R[layout.HIT_LAST_FETCH]! >>> 16);
    R[layout.HIT_FETCHES] = -pending;
  }

  /** The same before nobody asks but the TLB, for a translation of data: what else there is are counts, and can be told later. */
  settleLooks(): void {
    const { words: R, paths } = this;
    // What will be added is told now, and so taken from what is.
    const pending = R[layout.HIT_PENDING]!;
    const pendingLoads = pending & 0xff;
    const pendingStores = (pending >>> 8) & 0xff;
    const pendingLooks = (pending >>> 16) & 0xff;
    const loads = R[layout.HIT_LOADS]! + pendingLoads;
    const stores = R[layout.HIT_STORES]! + pendingStores;
    const looks = loads + stores + R[layout.HIT_LOOKS]! + pendingLooks;
    if (looks === 0) return;
    paths.data.hit(loads, stores, looks, R[layout.HIT_LAST_DATA]! >>> 16);
    R[layout.HIT_LOADS] = -pendingLoads;
    R[layout.HIT_STORES] = -pendingStores;
    R[layout.HIT_LOOKS] = -pendingLooks;
  }

  /** The same when they have ended, some of them perhaps at what they waited for. */
  settleEnd(): void {
    const { words: R } = this;
    this.settle();
    if (R[layout.HIT_PENDING] === 0) return;
    R[layout.HIT_PENDING] = 0;
    R.fill(0, layout.HIT_LOADS, layout.HIT_FETCHES + 1);
  }

  private settleMisses(): void {
    const { words: R } = this;
    const loadsFound = R[layout.HIT_LOADS_FOUND]!;
    const loadsMissed = R[layout.HIT_LOADS_MISSED]!;
    const storesFound = R[layout.HIT_STORES_FOUND]!;
    const storesMissed = R[layout.HIT_STORES_MISSED]!;
    if ((loadsFound | loadsMissed | storesFound | storesMissed) === 0) return;
    const evictions = R[layout.HIT_EVICTIONS]!;
    const writeBacks = R[layout.HIT_WRITE_BACKS]!;
    this.paths.data.misses!.count({ loadsFound, loadsMissed, storesFound, storesMissed, evictions, writeBacks });
    R.fill(0, layout.HIT_LOADS_FOUND, layout.HIT_EVICTIONS + 1);
    R[layout.HIT_WRITE_BACKS] = 0;
  }
}

import type { StateViews } from '@tablewalk/engine';
import { layout } from '@tablewalk/engine';
import type { HitPaths } from '@tablewalk/machine';

const LINES = 65536;
const DATA_BASES = [layout.FAST_TABLE_PL1 >>> 2, layout.FAST_TABLE_PL0 >>> 2] as const;
const FETCH_BASE = layout.FETCH_TABLE >>> 2;

/**
 * Lines of data and code that the first levels of TLB and cache are known to hold, as regions find them where each access is counted. An entry says that an
 * access there is a hit which changes counters and times of use alone. Regions note these in the state; here they are handed to the models before anybody
 * else asks them. Host state: what is not here is asked.
 */
export class LineTable {
  private readonly words: Int32Array;
  private readonly doubles: Float64Array;
  private readonly paths: HitPaths;
  private readonly dataLog2: number;
  private readonly fetchLog2: number;
  /** Word index of the entry of each line of the models, by its number; 0 for none. */
  private readonly dataEntries = new Int32Array(LINES);
  private readonly fetchEntries = new Int32Array(LINES);
  /** Entries that have been used since all were dropped. */
  private readonly used = new Int32Array(2 * layout.FAST_TABLE_ENTRIES + layout.FETCH_ENTRIES);
  private usedCount = 0;
  private readonly isUsed: Uint8Array;
  /** By page of VA: it has entries, perhaps. */
  private readonly pages = new Uint8Array(2 ** 20);

  constructor({ words, f64 }: StateViews, paths: HitPaths) {
    this.words = words;
    this.doubles = f64;
    this.paths = paths;
    this.dataLog2 = paths.data.lineSizeLog2;
    this.fetchLog2 = paths.fetch.lineSizeLog2;
    this.isUsed = new Uint8Array(words.length);
    for (const base of DATA_BASES) for (let i = 0; i < layout.FAST_TABLE_ENTRIES; i++) this.clearData(base + i * layout.FAST_STRIDE);
    for (let i = 0; i < layout.FETCH_ENTRIES; i++) words[FETCH_BASE + 2 * i] = layout.FAST_INVALID;
    const translationsChanged = (va: number, sizeLog2: number): void => this.drop(va, sizeLog2);
    paths.data.connect({
      translationsChanged,
      lineDropped: (line) => {
        const entry = this.dataEntries[line]!;
        if (entry !== 0 && words[entry + layout.FAST_SPARE]! >>> 16 === line) this.clearData(entry);
      },
      lineCleaned: (line) => {
        const entry = this.dataEntries[line]!;
        if (entry !== 0 && words[entry + layout.FAST_SPARE]! >>> 16 === line) words[entry + layout.FAST_WRITE_TAG] = layout.FAST_INVALID;
      },
    });
    paths.fetch.connect({
      translationsChanged,
      lineDropped: (line) => {
        const entry = this.fetchEntries[line]!;
        if (entry !== 0 && words[entry + 1]! >>> 16 === line) words[entry] = layout.FAST_INVALID;
      },
      lineCleaned: () => {},
    });
  }

  private clearData(entry: number): void {
    this.words[entry + layout.FAST_READ_TAG] = layout.FAST_INVALID;
    this.words[entry + layout.FAST_WRITE_TAG] = layout.FAST_INVALID;
  }

  private use(entry: number, va: number): void {
    this.pages[va >>> 12] = 1;
    if (this.isUsed[entry] !== 0) return;
    this.isUsed[entry] = 1;
    this.used[this.usedCount++] = entry;
  }

  private dataEntry(base: number, va: number): number {
    return base + ((va >>> this.dataLog2) & (layout.FAST_TABLE_ENTRIES - 1)) * layout.FAST_STRIDE;
  }
  private fetchEntry(va: number): number {
    return FETCH_BASE + ((va >>> this.fetchLog2) & (layout.FETCH_ENTRIES - 1)) * 2;
  }

  /** An access at `va`, whose byte is at `host`, has been let through and is done: the next one of its kind to the line may be a hit. */
  enterData(va: number, host: number, write: boolean, privileged: boolean, attributes: number): void {
    const { words: R } = this;
    const entry = this.dataEntry(DATA_BASES[privileged ? 0 : 1], va);
    const tag = va & -(1 << this.dataLog2);
    const tagAt = entry + (write ? layout.FAST_WRITE_TAG : layout.FAST_READ_TAG);
    if (R[tagAt] === tag) return;
    const path = this.paths.data;
    const found = path.find(va >>> 0, host, attributes);
    if (found === -1 || (write && !path.isDirty(va >>> 0, host))) return;
    const addend = (host - va) | 0;
    const other = entry + (write ? layout.FAST_READ_TAG : layout.FAST_WRITE_TAG);
    if (R[entry + layout.FAST_SPARE] !== found || R[entry + layout.FAST_ADDEND] !== addend || R[other] !== tag) {
      // A line of the models has one entry.
      const line = found >>> 16;
      const before = this.dataEntries[line]!;
      if (before !== 0 && before !== entry && R[before + layout.FAST_SPARE]! >>> 16 === line) this.clearData(before);
      this.dataEntries[line] = entry;
      this.clearData(entry);
      R[entry + layout.FAST_SPARE] = found;
      R[entry + layout.FAST_ADDEND] = addend;
      this.use(entry, va);
    }
    R[tagAt] = tag;
  }

  enterFetch(va: number, host: number, privileged: boolean, attributes: number): void {
    const { words: R } = this;
    const entry = this.fetchEntry(va);
    const tag = (va & -(1 << this.fetchLog2)) | (privileged ? 1 : 0);
    if (R[entry] === tag) return;
    const found = this.paths.fetch.find(va >>> 0, host, attributes);
    if (found === -1) return;
    const line = found >>> 16;
    const before = this.fetchEntries[line]!;
    if (before !== 0 && before !== entry && R[before + 1]! >>> 16 === line) R[before] = layout.FAST_INVALID;
    this.fetchEntries[line] = entry;
    R[entry] = tag;
    R[entry + 1] = found;
    this.use(entry, va);
  }

  dropAll(): void {
    const { words: R, used } = this;
    for (let i = 0; i < this.usedCount; i++) {
      const entry = used[i]!;
      this.isUsed[entry] = 0;
      // What was cleared by itself leaves its page marked, which costs a look.
      const tag = this.tagOf(entry);
      if (tag === layout.FAST_INVALID) continue;
      this.pages[tag >>> 12] = 0;
      if (entry < FETCH_BASE) this.clearData(entry);
      else R[entry] = layout.FAST_INVALID;
    }
    this.usedCount = 0;
  }

  private tagOf(entry: number): number {
    const first = this.words[entry]!;
    return first === layout.FAST_INVALID && entry < FETCH_BASE ? this.words[entry + layout.FAST_WRITE_TAG]! : first;
  }

  /** What is of these addresses. */
  drop(va: number, sizeLog2: number): void {
    if (sizeLog2 <= 12) this.dropPage(va);
    else if (sizeLog2 > 16) this.dropAll();
    else for (let page = va & -(2 ** sizeLog2), left = 2 ** (sizeLog2 - 12); left > 0; page += 4096, left--) this.dropPage(page);
  }

  private dropPage(va: number): void {
    if (this.pages[va >>> 12] === 0) return;
    this.pages[va >>> 12] = 0;
    const { words: R } = this;
    const page = va & ~0xfff;
    for (const base of DATA_BASES) {
      for (let at = 0; at < 4096; at += 1 << this.dataLog2) {
        const entry = this.dataEntry(base, page + at);
        if (((this.tagOf(entry) ^ page) & ~0xfff) === 0) this.clearData(entry);
      }
    }
    for (let at = 0; at < 4096; at += 1 << this.fetchLog2) {
      const entry = this.fetchEntry(page + at);
      if (((R[entry]! ^ page) & ~0xfff) === 0) R[entry] = layout.FAST_INVALID;
    }
  }

  /** Regions are about to run. */
  prepare(): void {
    this.doubles[layout.HIT_DATA_CLOCK >>> 1] = this.paths.data.clock;
    this.doubles[layout.HIT_FETCH_CLOCK >>> 1] = this.paths.fetch.clock;
  }

  /** Regions have run: the models are told before anything else asks them. */
  settle(): void {
    const { words: R, paths } = this;
    const accesses = R[layout.HIT_DATA]! >>> 0;
    if (accesses !== 0) {
      const stores = R[layout.HIT_STORES]! >>> 0;
      const looks = accesses + (R[layout.HIT_LOOKS]! >>> 0);
      paths.data.hit(accesses - stores, stores, looks, R[layout.HIT_LAST_DATA]! & 0xffff);
      R[layout.HIT_DATA] = 0;
      R[layout.HIT_STORES] = 0;
      R[layout.HIT_LOOKS] = 0;
    }
    const fetches = R[layout.HIT_FETCHES]! >>> 0;
    if (fetches === 0) return;
    paths.fetch.hit(fetches, 0, fetches, R[layout.HIT_LAST_FETCH]! & 0xffff);
    R[layout.HIT_FETCHES] = 0;
  }
}

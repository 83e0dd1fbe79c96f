import { layout } from '@tablewalk/engine';
import type { FastTablePort } from '@tablewalk/machine';
import { CodePages } from './code-pages.js';
import { DeviceTable } from './device-table.js';
import type { LineTable } from './line-table.js';

const JUMP_ENTRIES = 1024;
/**
 * Code pages that are remembered by VA and mode before all of them are forgotten. A quarter of what the code cache holds, since they are made again when it
 * begins afresh and must leave it room; no guest but one that aliases its code without end has as many.
 */
const MOST_FETCHED = 4096;

export interface SavedTables {
  /** Six words an entry: where, its four words, memory attributes. */
  readonly entries: Int32Array;
  /** Two words each: tag, page of guest memory. */
  readonly jumps: Int32Array;
  readonly fetchLine: number;
}

/** Told of code that was forgotten, or may not run for a time. */
export interface CodeFollower<Page> {
  /** Code at these VAs was forgotten, the page being executed perhaps. */
  dropped(low: number, size: number): void;
  /** The pages with these tags may not run until {@link resumed}, or something drops them. */
  suspended(pages: CodePages<Page>): void;
  resumed(): void;
}

/** Of an entry that is in no list. */
const UNUSED = 0;
/** What the tags of entries that may not be used for a time differ by: nothing finds them (see {@link layout.FAST_INVALID}), and they stay where they are. */
const RESTING = 8;

/** Number of an entry, of both tables. */
const indexOf = (entry: number): number => (entry - (layout.FAST_TABLE_PL1 >>> 2)) >>> 2;

/** Entries in use, so that forgetting costs what was filled and not the size of the tables. */
class EntryList {
  /** What the entries in it are marked with. */
  readonly id: number;
  readonly entries = new Int32Array(2 * layout.FAST_TABLE_ENTRIES);
  count = 0;
  /** Where each entry is in the list, by its index. */
  private readonly places: Uint16Array;

  /** An entry is in one list at most, so that lists share what says where. */
  constructor(id: number, places: Uint16Array) {
    this.id = id;
    this.places = places;
  }

  push(entry: number): void {
    this.places[indexOf(entry)] = this.count;
    this.entries[this.count++] = entry;
  }
  removeAt(i: number): void {
    const last = this.entries[--this.count]!;
    this.entries[i] = last;
    this.places[indexOf(last)] = i;
  }
  /** Removes an entry that is in it. */
  remove(entry: number): void {
    this.removeAt(this.places[indexOf(entry)]!);
  }
}

/**
 * The fast table (data) and the jump cache (code) of one core: translations that the running code uses without asking the MMU. Always a subset of
 * what the memory system would answer; it is told what to forget.
 */
export class FastTable<Page = unknown> implements FastTablePort {
  private readonly words: Int32Array;
  /** Entries made from global translations, from those of one address space, and those of that which may not be used for a time. */
  private readonly places = new Uint16Array(2 * layout.FAST_TABLE_ENTRIES);
  private readonly global = new EntryList(1, this.places);
  private tagged = new EntryList(2, this.places);
  private resting = new EntryList(3, this.places);
  /** By their marks. */
  private readonly lists = [this.global, this.tagged, this.resting] as const;
  /** The mark of the list that each entry is in, or UNUSED. */
  private readonly listOf = new Uint8Array(2 * layout.FAST_TABLE_ENTRIES);
  /** False: what may not be used for a time is dropped. */
  suspends = true;
  /** Where each access is counted, what regions know of lines. */
  lines: LineTable | undefined;
  /** False: nothing is kept, and every access asks. */
  keeps = true;
  /** False: accesses to what is no memory ask. */
  keepsDevices = true;
  /** Pages that are no memory. */
  readonly devices = new DeviceTable();
  private readonly attributes = new Uint8Array(2 * layout.FAST_TABLE_ENTRIES);
  private readonly jumpTags = new Int32Array(JUMP_ENTRIES).fill(-1);
  private readonly jumpPages = new Array<Page | undefined>(JUMP_ENTRIES).fill(undefined);
  /**
   * Every code page that was fetched since code was last dropped, by its tag. Whether a fetch asks the memory system, which a TLB model remembers, must not
   * depend on which tags share a slot: translated regions go from page to page without a look at the slots.
   */
  private readonly fetched = new CodePages<Page>();
  /** The same for pages of one address space, and those of them that may not run for a time. */
  private taggedFetched = new CodePages<Page>();
  private suspendedFetched = new CodePages<Page>();
  /** One for each page of VA: 0 when no tag of it is in those, so that invalidations of data cost nothing here. */
  private readonly mayHaveCode = new Uint8Array(2 ** 20);
  /** Decode modes that tags of fetched pages have had. */
  private readonly modes: number[] = [];
  /** VAs that were forgotten last, if nothing was entered since: page after page of one large mapping is invalidated in a row, and each is all of it. */
  private emptyLow = 0;
  private emptySize = 0;
  private readonly code: CodeFollower<Page>;

  constructor(words: Int32Array, code: CodeFollower<Page>) {
    this.words = words;
    this.code = code;
    this.fetchLine = -1;
    for (const base of [layout.FAST_TABLE_PL1 >>> 2, layout.FAST_TABLE_PL0 >>> 2]) {
      for (let i = 0; i < layout.FAST_TABLE_ENTRIES; i++) this.clearEntry(base + i * layout.FAST_STRIDE);
    }
  }

  /** VA of the line of code that was fetched last, where fetches are counted; -1 when the next one counts whatever it is. */
  get fetchLine(): number {
    return this.words[layout.FETCH_LINE]!;
  }
  set fetchLine(va: number) {
    this.words[layout.FETCH_LINE] = va;
  }

  /** Word index of the entry for `va`. */
  static entry(va: number, privileged: boolean): number {
    return ((privileged ? layout.FAST_TABLE_PL1 : layout.FAST_TABLE_PL0) >>> 2) + ((va >>> 10) & 0x3ffc);
  }

  /**
   * Enters the page of `va` -> `hostOffset` (of `va` itself). `writable` is what the mapping allows; `writeDirect` whether stores may go straight to
   * memory (no translated code in the page); `global` whether it is a mapping of every address space.
   */
  fill(entry: number, va: number, hostOffset: number, readable: boolean, writable: boolean, writeDirect: boolean, global: boolean): void {
    const R = this.words;
    const page = va & ~0xfff;
    if (!this.keeps || (!readable && !writable)) return;
    this.enlist(entry, global ? this.global : this.tagged);
    R[entry + layout.FAST_READ_TAG] = readable ? page : layout.FAST_INVALID;
    R[entry + layout.FAST_WRITE_TAG] = writable && writeDirect ? page : layout.FAST_INVALID;
    R[entry + layout.FAST_SPARE] = writable ? page : layout.FAST_INVALID;
    R[entry + layout.FAST_ADDEND] = (hostOffset - va) | 0;
  }

  private enlist(entry: number, list: EntryList): void {
    this.emptySize = 0;
    const index = indexOf(entry);
    const before = this.listOf[index]!;
    if (before === list.id) return;
    if (before !== UNUSED) this.lists[before - 1]!.remove(entry);
    this.listOf[index] = list.id;
    list.push(entry);
  }

  private clearEntry(entry: number): void {
    this.words[entry + layout.FAST_READ_TAG] = layout.FAST_INVALID;
    this.words[entry + layout.FAST_WRITE_TAG] = layout.FAST_INVALID;
    this.words[entry + layout.FAST_SPARE] = layout.FAST_INVALID;
    this.listOf[indexOf(entry)] = UNUSED;
  }

  /** The page now holds translated code: stores to it must leave the fast path, under whatever VA it is mapped. */
  protect(hostPage: number): void {
    const R = this.words;
    for (const list of this.lists) {
      const none = list === this.resting ? layout.FAST_INVALID ^ RESTING : layout.FAST_INVALID;
      for (let i = 0; i < list.count; i++) {
        const entry = list.entries[i]!;
        const tag = R[entry + layout.FAST_WRITE_TAG]!;
        if (tag !== none && (tag + R[entry + layout.FAST_ADDEND]!) >>> 12 === hostPage) R[entry + layout.FAST_WRITE_TAG] = none;
      }
    }
  }

  /** Direct access to this page of guest memory ends, under whatever VA. */
  dropHostPage(hostPage: number): void {
    const R = this.words;
    this.lines?.dropAll();
    for (const list of this.lists) {
      for (let i = list.count - 1; i >= 0; i--) {
        const entry = list.entries[i]!;
        if ((this.pageOf(entry) + R[entry + layout.FAST_ADDEND]!) >>> 12 !== hostPage) continue;
        this.clearEntry(entry);
        list.removeAt(i);
      }
    }
  }

  /** VA of the page of an entry in use. */
  private pageOf(entry: number): number {
    const read = this.words[entry + layout.FAST_READ_TAG]! & ~RESTING;
    return read === layout.FAST_INVALID ? this.words[entry + layout.FAST_SPARE]! & ~RESTING : read;
  }

  /** Memory attributes of what an entry was made from: kept for cores whose caches are modelled. */
  attributesOf(entry: number): number {
    return this.attributes[indexOf(entry)]!;
  }
  setAttributes(entry: number, attributes: number): void {
    this.attributes[indexOf(entry)] = attributes;
  }

  /** An access of this kind to what is no memory was let through. */
  setDevice(va: number, write: boolean, privileged: boolean, pa: number): void {
    if (this.keeps && this.keepsDevices) this.devices.set(va, write, privileged, pa);
  }

  /** Page of code for a tag: the page's VA, and the decode mode in its low bits. Undefined: it has to be fetched. */
  jump(tag: number): Page | undefined {
    const slot = (tag >>> 12) & (JUMP_ENTRIES - 1);
    if (this.jumpTags[slot] === tag) return this.jumpPages[slot];
    const page = this.fetched.get(tag) ?? this.taggedFetched.get(tag);
    if (page === undefined) return undefined;
    this.jumpTags[slot] = tag;
    this.jumpPages[slot] = page;
    return page;
  }

  /** `global` as in {@link fill}. */
  setJump(tag: number, page: Page, global: boolean): void {
    if (!this.keeps) return;
    if (this.fetched.size + this.taggedFetched.size >= MOST_FETCHED) this.dropCode();
    this.remember(tag, page, global);
  }

  private remember(tag: number, page: Page, global: boolean): void {
    this.emptySize = 0;
    const mode = tag & 0xfff;
    if (!this.modes.includes(mode)) this.modes.push(mode);
    (global ? this.fetched : this.taggedFetched).set(tag, page);
    this.mayHaveCode[tag >>> 12] = 1;
    const slot = (tag >>> 12) & (JUMP_ENTRIES - 1);
    this.jumpTags[slot] = tag;
    this.jumpPages[slot] = page;
  }

  /** True when there was code at that page. */
  private forgetJump(pageVa: number): boolean {
    if (this.mayHaveCode[pageVa >>> 12] === 0) return false;
    this.mayHaveCode[pageVa >>> 12] = 0;
    let found = false;
    for (const mode of this.modes) {
      const tag = (pageVa & ~0xfff) | mode;
      // No short cut: it may be in several.
      if (this.fetched.delete(tag)) found = true;
      if (this.taggedFetched.delete(tag)) found = true;
      if (this.suspendedFetched.delete(tag)) found = true;
    }
    const slot = (pageVa >>> 12) & (JUMP_ENTRIES - 1);
    if (((this.jumpTags[slot]! ^ pageVa) & ~0xfff) === 0) this.jumpTags[slot] = -1;
    return found;
  }

  dropAll(): void {
    this.devices.drop();
    this.lines?.dropAll();
    for (const list of this.lists) this.clearList(list);
    this.dropCode();
  }

  private clearList(list: EntryList): void {
    for (let i = 0; i < list.count; i++) this.clearEntry(list.entries[i]!);
    list.count = 0;
  }

  /** Forgets the jump cache only. */
  dropCode(): void {
    for (const pages of [this.fetched, this.taggedFetched, this.suspendedFetched]) {
      this.clearSlots(pages);
      for (let i = 0; i < pages.size; i++) this.mayHaveCode[pages.tags[i]! >>> 12] = 0;
      pages.clear();
    }
    this.leaveCode(0, 2 ** 32);
  }

  /** Whatever is in a slot was fetched, so the cost is of what was filled: an invalidation comes with each page fault. */
  private clearSlots(pages: CodePages<Page>): void {
    for (let i = 0; i < pages.size; i++) {
      const tag = pages.tags[i]!;
      const slot = (tag >>> 12) & (JUMP_ENTRIES - 1);
      if (this.jumpTags[slot] !== tag) continue;
      this.jumpTags[slot] = -1;
      this.jumpPages[slot] = undefined;
    }
  }

  suspendNonGlobal(): boolean {
    if (!this.suspends) {
      this.dropNonGlobal();
      return false;
    }
    this.devices.drop();
    const { tagged, resting } = this;
    this.clearList(resting);
    this.turn(tagged);
    this.tagged = resting;
    this.resting = tagged;
    this.clearSlots(this.taggedFetched);
    const before = this.suspendedFetched;
    before.clear();
    this.suspendedFetched = this.taggedFetched;
    this.taggedFetched = before;
    this.code.suspended(this.suspendedFetched);
    return true;
  }

  /** Entries go to rest, or come back: each of their tags is another then. */
  private turn({ entries, count }: EntryList): void {
    const R = this.words;
    for (let i = 0; i < count; i++) {
      const entry = entries[i]!;
      R[entry + layout.FAST_READ_TAG]! ^= RESTING;
      R[entry + layout.FAST_WRITE_TAG]! ^= RESTING;
      R[entry + layout.FAST_SPARE]! ^= RESTING;
    }
  }

  resumeNonGlobal(): void {
    const { tagged: entered, resting } = this;
    if (resting.count > 0) {
      this.turn(resting);
      this.tagged = resting;
      this.resting = entered;
      // They have places of their own: whatever rested there was taken out of its list.
      for (let i = 0; i < entered.count; i++) {
        this.listOf[indexOf(entered.entries[i]!)] = resting.id;
        resting.push(entered.entries[i]!);
      }
      entered.count = 0;
    }
    const since = this.taggedFetched;
    this.taggedFetched = this.suspendedFetched;
    this.suspendedFetched = since;
    for (let i = 0; i < since.size; i++) this.taggedFetched.set(since.tags[i]!, since.pages[i]!);
    since.clear();
    this.code.resumed();
  }

  /** The cache of translated code began afresh: the same pages, made again by `again`. Whoever calls it leaves the page that runs. */
  renewCode(again: (page: Page) => Page): void {
    this.jumpTags.fill(-1);
    this.jumpPages.fill(undefined);
    for (const pages of [this.fetched, this.taggedFetched, this.suspendedFetched])
      for (let i = 0; i < pages.size; i++) pages.pages[i] = again(pages.pages[i]!);
  }

  /** For cores whose TLB is modelled: which look-ups the tables save is part of the machine's state. */
  save(hostPageOf: (page: Page) => number): SavedTables {
    const { words: R } = this;
    const filled = [this.global, this.tagged].flatMap(({ entries, count }) => [...entries.subarray(0, count)]).sort((a, b) => a - b);
    const entries = filled.flatMap((entry) => [entry, ...R.subarray(entry, entry + layout.FAST_STRIDE), this.attributesOf(entry)]);
    const jumps = [this.fetched, this.taggedFetched]
      .flatMap(({ tags, pages, size }) => pages.slice(0, size).map((page, i) => [tags[i]!, hostPageOf(page!)] as const))
      .sort(([a], [b]) => a - b)
      .flat();
    return { entries: Int32Array.from(entries), jumps: Int32Array.from(jumps), fetchLine: this.fetchLine };
  }

  /** Into empty tables. What was global counts as of one address space from now on, which nothing tells apart where tables are saved. */
  load({ entries, jumps, fetchLine }: SavedTables, pageOf: (hostPage: number, tag: number) => Page): void {
    for (let i = 0; i < entries.length; i += 6) {
      const entry = entries[i]!;
      this.words.set(entries.subarray(i + 1, i + 5), entry);
      this.setAttributes(entry, entries[i + 5]!);
      this.enlist(entry, this.tagged);
    }
    for (let i = 0; i < jumps.length; i += 2) this.remember(jumps[i]!, pageOf(jumps[i + 1]!, jumps[i]!), false);
    this.fetchLine = fetchLine;
  }

  /** The memory system names the largest mapping around an address, so nothing else has to go. */
  dropPage(va: number, sizeLog2: number): void {
    this.dropEntry(va, sizeLog2);
  }

  dropEntry(va: number, sizeLog2: number): void {
    const low = (va & ~0xfff) >>> 0;
    const size = sizeLog2 > 12 ? 2 ** sizeLog2 : 4096;
    this.devices.drop();
    this.lines?.drop(va, sizeLog2);
    if (low === this.emptyLow && size === this.emptySize) return;
    let found = false;
    if (size === 4096) found = this.dropOne(low);
    else if (sizeLog2 <= 16) {
      // Counted, not compared: the last page of all is followed by the first.
      for (let page = low, left = size; left > 0; page += 4096, left -= 4096) found = this.dropOne(page) || found;
    } else found = this.dropMany(low, size);
    // Whatever runs has been fetched, so nothing that runs has to look around for anything else.
    if (found || !this.keeps) this.leaveCode(low, size);
    if (!this.keeps) return;
    this.emptyLow = low;
    this.emptySize = size;
  }

  private dropMany(low: number, size: number): boolean {
    for (const list of this.lists) {
      for (let i = list.count - 1; i >= 0; i--) {
        const entry = list.entries[i]!;
        if ((this.pageOf(entry) - low) >>> 0 >= size) continue;
        this.clearEntry(entry);
        list.removeAt(i);
      }
    }
    // Whichever is less to look at: the pages that are dropped, or those that have code.
    const withCode = [this.fetched, this.taggedFetched, this.suspendedFetched];
    let found = false;
    if (size / 4096 < withCode[0]!.size + withCode[1]!.size + withCode[2]!.size) {
      for (let page = low, left = size; left > 0; page += 4096, left -= 4096) found = this.forgetJump(page) || found;
      return found;
    }
    for (const pages of withCode) {
      for (let i = pages.size - 1; i >= 0; i--) {
        const page = pages.tags[i]! & ~0xfff;
        if ((page - low) >>> 0 < size) found = this.forgetJump(page) || found;
      }
    }
    return found;
  }

  /** Forgets one page of VA. True when there was code. */
  private dropOne(page: number): boolean {
    const tag = page | 0;
    for (let privileged = 0; privileged < 2; privileged++) {
      const entry = FastTable.entry(page, privileged === 1);
      const list = this.listOf[indexOf(entry)]!;
      if (list === UNUSED || this.pageOf(entry) !== tag) continue;
      this.clearEntry(entry);
      this.lists[list - 1]!.remove(entry);
    }
    return this.forgetJump(page);
  }

  private leaveCode(low: number, size: number): void {
    this.fetchLine = -1;
    this.code.dropped(low, size);
  }

  dropAsid(_asid: number): void {
    this.dropAll();
  }
  dropNonGlobal(): void {
    this.dropAll();
  }
}

import { layout } from '@tablewalk/engine';
import type { FastTablePort } from '@tablewalk/machine';

const JUMP_ENTRIES = 1024;
/**
 * Code pages that are remembered by VA and mode before all of them are forgotten. A quarter of what the code cache holds, since they are made again when it
 * begins afresh and must leave it room; no guest but one that aliases its code without end has as many.
 */
const MOST_FETCHED = 4096;
const DEVICE_ENTRIES = 16;

export interface SavedTables {
  /** Six words an entry: where, its four words, memory attributes. */
  readonly entries: Int32Array;
  /** Two words each: tag, page of guest memory. */
  readonly jumps: Int32Array;
  readonly fetchLine: number;
}

/**
 * The fast table (data) and the jump cache (code) of one core: translations that the running code uses without asking the MMU. Always a subset of
 * what the memory system would answer; it is told what to forget.
 */
export class FastTable<Page = unknown> implements FastTablePort {
  private readonly words: Int32Array;
  /** Entries in use, so that forgetting costs what was filled and not the size of the tables. */
  private readonly filled = new Int32Array(2 * layout.FAST_TABLE_ENTRIES);
  private filledCount = 0;
  /** Line of code that was fetched last, where fetches are counted; -1 when the next one counts whatever it is. */
  fetchLine = -1;
  /** False: nothing is kept, and every access asks. */
  keeps = true;
  /** False: accesses to what is no memory ask. */
  keepsDevices = true;
  /** Pages that are no memory, by VA: its address with what was asked for in the low bits, or -1; physical address. */
  private readonly deviceTags = new Int32Array(DEVICE_ENTRIES).fill(-1);
  private readonly devicePages = new Float64Array(DEVICE_ENTRIES);
  private deviceCount = 0;
  private readonly attributes = new Uint8Array(2 * layout.FAST_TABLE_ENTRIES);
  private readonly jumpTags = new Int32Array(JUMP_ENTRIES).fill(-1);
  private readonly jumpPages = new Array<Page | undefined>(JUMP_ENTRIES).fill(undefined);
  /**
   * Every code page that was fetched since code was last dropped, by its tag. Whether a fetch asks the memory system, which a TLB model remembers, must not
   * depend on which tags share a slot: translated regions go from page to page without a look at the slots.
   */
  private readonly fetched = new Map<number, Page>();
  /** Decode modes that tags in `fetched` have had. */
  private readonly modes: number[] = [];
  private readonly codeDropped: (low: number, size: number) => void;

  /** `codeDropped` runs when code at these VAs may have been forgotten, the page being executed perhaps. */
  constructor(words: Int32Array, codeDropped: (low: number, size: number) => void) {
    this.words = words;
    this.codeDropped = codeDropped;
    for (const base of [layout.FAST_TABLE_PL1 >>> 2, layout.FAST_TABLE_PL0 >>> 2]) {
      for (let i = 0; i < layout.FAST_TABLE_ENTRIES; i++) this.clearEntry(base + i * layout.FAST_STRIDE);
    }
  }

  /** Word index of the entry for `va`. */
  static entry(va: number, privileged: boolean): number {
    return ((privileged ? layout.FAST_TABLE_PL1 : layout.FAST_TABLE_PL0) >>> 2) + ((va >>> 10) & 0xffc);
  }

  /**
   * Enters the page of `va` -> `hostOffset` (of `va` itself). `writable` is what the mapping allows; `writeDirect` whether stores may go straight to
   * memory (no translated code in the page).
   */
  fill(entry: number, va: number, hostOffset: number, readable: boolean, writable: boolean, writeDirect: boolean): void {
    const R = this.words;
    const page = va & ~0xfff;
    if (!this.keeps || (!readable && !writable)) return;
    if (R[entry + layout.FAST_READ_TAG] === layout.FAST_INVALID && R[entry + layout.FAST_SPARE] === layout.FAST_INVALID)
      this.filled[this.filledCount++] = entry;
    R[entry + layout.FAST_READ_TAG] = readable ? page : layout.FAST_INVALID;
    R[entry + layout.FAST_WRITE_TAG] = writable && writeDirect ? page : layout.FAST_INVALID;
    R[entry + layout.FAST_SPARE] = writable ? page : layout.FAST_INVALID;
    R[entry + layout.FAST_ADDEND] = (hostOffset - va) | 0;
  }

  private clearEntry(entry: number): void {
    this.words[entry + layout.FAST_READ_TAG] = layout.FAST_INVALID;
    this.words[entry + layout.FAST_WRITE_TAG] = layout.FAST_INVALID;
    this.words[entry + layout.FAST_SPARE] = layout.FAST_INVALID;
  }

  /** The page now holds translated code: stores to it must leave the fast path, under whatever VA it is mapped. */
  protect(hostPage: number): void {
    const R = this.words;
    for (let i = 0; i < this.filledCount; i++) {
      const entry = this.filled[i]!;
      const tag = R[entry + layout.FAST_WRITE_TAG]!;
      if (tag !== layout.FAST_INVALID && (tag + R[entry + layout.FAST_ADDEND]!) >>> 12 === hostPage)
        R[entry + layout.FAST_WRITE_TAG] = layout.FAST_INVALID;
    }
  }

  /** Direct access to this page of guest memory ends, under whatever VA. */
  dropHostPage(hostPage: number): void {
    const R = this.words;
    for (let i = this.filledCount - 1; i >= 0; i--) {
      const entry = this.filled[i]!;
      if ((this.pageOf(entry) + R[entry + layout.FAST_ADDEND]!) >>> 12 !== hostPage) continue;
      this.clearEntry(entry);
      this.filled[i] = this.filled[--this.filledCount]!;
    }
  }

  /** VA of the page of an entry in use. */
  private pageOf(entry: number): number {
    const read = this.words[entry + layout.FAST_READ_TAG]!;
    return read === layout.FAST_INVALID ? this.words[entry + layout.FAST_SPARE]! : read;
  }

  /** Memory attributes of what an entry was made from: kept for cores whose caches are modelled. */
  attributesOf(entry: number): number {
    return this.attributes[(entry - (layout.FAST_TABLE_PL1 >>> 2)) >>> 2]!;
  }
  setAttributes(entry: number, attributes: number): void {
    this.attributes[(entry - (layout.FAST_TABLE_PL1 >>> 2)) >>> 2] = attributes;
  }

  /** Physical address of `va` where an access of this kind to what is no memory was let through, or -1. */
  device(va: number, write: boolean, privileged: boolean): number {
    const slot = (va >>> 12) & (DEVICE_ENTRIES - 1);
    const tag = (va & ~0xfff) | (write ? 1 : 0) | (privileged ? 2 : 0);
    return this.deviceTags[slot] === tag ? this.devicePages[slot]! + (va & 0xfff) : -1;
  }
  setDevice(va: number, write: boolean, privileged: boolean, pa: number): void {
    if (!this.keeps || !this.keepsDevices) return;
    const slot = (va >>> 12) & (DEVICE_ENTRIES - 1);
    this.deviceTags[slot] = (va & ~0xfff) | (write ? 1 : 0) | (privileged ? 2 : 0);
    this.devicePages[slot] = pa - (va & 0xfff);
    this.deviceCount++;
  }
  private dropDevices(): void {
    if (this.deviceCount > 0) this.deviceTags.fill(-1);
    this.deviceCount = 0;
  }

  /** Page of code for a tag: the page's VA, and the decode mode in its low bits. Undefined: it has to be fetched. */
  jump(tag: number): Page | undefined {
    const slot = (tag >>> 12) & (JUMP_ENTRIES - 1);
    if (this.jumpTags[slot] === tag) return this.jumpPages[slot];
    const page = this.fetched.get(tag);
    if (page === undefined) return undefined;
    this.jumpTags[slot] = tag;
    this.jumpPages[slot] = page;
    return page;
  }

  setJump(tag: number, page: Page): void {
    if (!this.keeps) return;
    if (this.fetched.size >= MOST_FETCHED) this.dropCode();
    this.remember(tag, page);
  }

  private remember(tag: number, page: Page): void {
    const mode = tag & 0xfff;
    if (!this.modes.includes(mode)) this.modes.push(mode);
    this.fetched.set(tag, page);
    const slot = (tag >>> 12) & (JUMP_ENTRIES - 1);
    this.jumpTags[slot] = tag;
    this.jumpPages[slot] = page;
  }

  private forgetJump(pageVa: number): void {
    for (const mode of this.modes) this.fetched.delete((pageVa & ~0xfff) | mode);
    const slot = (pageVa >>> 12) & (JUMP_ENTRIES - 1);
    if (((this.jumpTags[slot]! ^ pageVa) & ~0xfff) === 0) this.jumpTags[slot] = -1;
  }

  dropAll(): void {
    this.dropDevices();
    for (let i = 0; i < this.filledCount; i++) this.clearEntry(this.filled[i]!);
    this.filledCount = 0;
    this.dropCode();
  }

  /** Forgets the jump cache only. */
  dropCode(): void {
    // Whatever is in a slot is in `fetched`, so the cost is of what was filled: an invalidation comes with each page fault.
    for (const tag of this.fetched.keys()) {
      const slot = (tag >>> 12) & (JUMP_ENTRIES - 1);
      this.jumpTags[slot] = -1;
      this.jumpPages[slot] = undefined;
    }
    this.fetched.clear();
    this.leaveCode(0, 2 ** 32);
  }

  /** The cache of translated code began afresh: the same pages, made again by `again`. Whoever calls it leaves the page that runs. */
  renewCode(again: (page: Page) => Page): void {
    this.jumpTags.fill(-1);
    this.jumpPages.fill(undefined);
    for (const [tag, page] of this.fetched) this.fetched.set(tag, again(page));
  }

  /** For cores whose TLB is modelled: which look-ups the tables save is part of the machine's state. */
  save(hostPageOf: (page: Page) => number): SavedTables {
    const { words: R } = this;
    const entries = new Int32Array(6 * this.filledCount);
    for (let i = 0; i < this.filledCount; i++) {
      const entry = this.filled[i]!;
      for (let k = 0; k < 4; k++) entries[6 * i + 1 + k] = R[entry + k]!;
      entries[6 * i] = entry;
      entries[6 * i + 5] = this.attributesOf(entry);
    }
    const jumps: number[] = [];
    for (const [tag, page] of this.fetched) jumps.push(tag, hostPageOf(page));
    return { entries, jumps: Int32Array.from(jumps), fetchLine: this.fetchLine };
  }

  /** Into empty tables. */
  load({ entries, jumps, fetchLine }: SavedTables, pageOf: (hostPage: number, tag: number) => Page): void {
    for (let i = 0; i < entries.length; i += 6) {
      const entry = entries[i]!;
      this.words.set(entries.subarray(i + 1, i + 5), entry);
      this.setAttributes(entry, entries[i + 5]!);
      this.filled[this.filledCount++] = entry;
    }
    for (let i = 0; i < jumps.length; i += 2) this.remember(jumps[i]!, pageOf(jumps[i + 1]!, jumps[i]!));
    this.fetchLine = fetchLine;
  }

  /** The memory system names the largest mapping around an address, so nothing else has to go. */
  dropPage(va: number, sizeLog2: number): void {
    this.dropEntry(va, sizeLog2);
  }

  dropEntry(va: number, sizeLog2: number): void {
    const low = va >>> 0;
    const size = Math.max(2 ** sizeLog2, 4096);
    this.dropDevices();
    if (sizeLog2 <= 16) {
      // Counted, not compared: the last page of all is followed by the first.
      for (let page = low & ~0xfff, left = size; left > 0; page += 4096, left -= 4096) this.dropOne(page);
    } else {
      for (let i = this.filledCount - 1; i >= 0; i--) {
        const entry = this.filled[i]!;
        const page = this.pageOf(entry) >>> 0;
        if (page < low || page - low >= size) continue;
        this.clearEntry(entry);
        this.filled[i] = this.filled[--this.filledCount]!;
      }
      for (const tag of this.fetched.keys()) {
        const page = (tag & ~0xfff) >>> 0;
        if (page >= low && page - low < size) this.forgetJump(page);
      }
    }
    this.leaveCode(low & ~0xfff, size);
  }

  /** Forgets one page of VA. */
  private dropOne(page: number): void {
    const R = this.words;
    const tag = page | 0;
    for (let privileged = 0; privileged < 2; privileged++) {
      const entry = FastTable.entry(page, privileged === 1);
      if (R[entry + layout.FAST_READ_TAG] === tag || R[entry + layout.FAST_SPARE] === tag) {
        this.clearEntry(entry);
        this.forget(entry);
      }
    }
    this.forgetJump(page);
  }

  private leaveCode(low: number, size: number): void {
    this.fetchLine = -1;
    this.codeDropped(low, size);
  }

  private forget(entry: number): void {
    const at = this.filled.indexOf(entry);
    if (at >= 0 && at < this.filledCount) this.filled[at] = this.filled[--this.filledCount]!;
  }

  dropAsid(_asid: number): void {
    this.dropAll();
  }
  dropNonGlobal(): void {
    this.dropAll();
  }
}

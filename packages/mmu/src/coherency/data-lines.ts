import type { CachedMemoryPort, GuestMemory } from '@tablewalk/machine';
import type { FetchedCode } from './fetched-code.js';
import { HeldPages } from './held-pages.js';
import { ABSENT, DIFFERS, L1_DIRTY, L1_STALE, L2_DIRTY, L2_STALE, type LineViews, type SavedLines } from './line-views.js';

export interface SavedDataLines {
  readonly lines: SavedLines;
  readonly held: readonly Uint32Array[];
}

/**
 * What becomes of lines: stored to, written back, given up, changed below by somebody who does not see the caches. The views of a line and the flags that
 * say how they differ ({@link LineViews}) change here and nowhere else.
 */
export class DataLines {
  private readonly memory: GuestMemory;
  private readonly views: LineViews;
  private readonly shadow: Uint8Array;
  private readonly code: FetchedCode;
  private readonly inclusive: boolean;
  private readonly port: () => CachedMemoryPort;
  private readonly becameStale: (line: number) => void;
  private readonly pageShift: number;
  private readonly l1: HeldPages;
  private readonly l2: HeldPages;
  /** Pages that may have direct loads for accesses past the caches. Host state. */
  private readonly readPast: Uint8Array;
  /** Pages with an {@link ABSENT} line. */
  private readonly absentPages: Uint8Array;

  /** `becameStale` is told of each line that is held while memory has changed: somebody's model should know that it is held. */
  constructor(
    memory: GuestMemory,
    views: LineViews,
    code: FetchedCode,
    inclusive: boolean,
    port: () => CachedMemoryPort,
    becameStale: (line: number) => void,
  ) {
    const pages = memory.tailOffset >>> 12;
    this.memory = memory;
    this.views = views;
    this.shadow = views.shadow;
    this.code = code;
    this.inclusive = inclusive;
    this.port = port;
    this.becameStale = becameStale;
    this.pageShift = 12 - views.lineLog2;
    this.l1 = new HeldPages(pages);
    this.l2 = new HeldPages(pages);
    this.readPast = new Uint8Array(pages);
    this.absentPages = new Uint8Array(pages);
  }

  /** The page is accessed through the caches: its lines may be held. */
  enter(hostPage: number): void {
    this.l1.enter(hostPage);
    this.l2.enter(hostPage);
    if (this.absentPages[hostPage] === 0) return;
    // The core may fetch ahead: lines of it that were invalidated may be held again.
    this.absentPages[hostPage] = 0;
    const first = hostPage << this.pageShift;
    for (let line = first; line < first + (1 << this.pageShift); line++) this.shadow[line]! &= ~ABSENT;
  }

  /** The page is accessed past the caches. True while that is what RAM has: {@link CachedMemoryPort.dropHostPage} ends it. */
  enterPast(hostPage: number): boolean {
    this.readPast[hostPage] = 1;
    return this.views.slotsOfPage[hostPage] === 0;
  }

  private ramValue(host: number, size: 1 | 2 | 4): number {
    const { memory } = this;
    return size === 4 ? memory.i32[host >>> 2]! >>> 0 : size === 2 ? memory.u16[host >>> 1]! : memory.u8[host]!;
  }

  private setRam(host: number, size: 1 | 2 | 4, value: number): void {
    const { memory } = this;
    if (size === 4) memory.i32[host >>> 2] = value;
    else if (size === 2) memory.u16[host >>> 1] = value;
    else memory.u8[host] = value;
  }

  loadPast(host: number, size: 1 | 2 | 4): number {
    if (!this.views.has(host >>> this.views.lineLog2)) return this.ramValue(host, size);
    let value = 0;
    for (let i = size - 1; i >= 0; i--) value = value * 256 + this.views.pocByte(host + i);
    return value;
  }

  storePast(host: number, size: 1 | 2 | 4, value: number): void {
    const line = host >>> this.views.lineLog2;
    const hostPage = host >>> 12;
    if (this.shadow[line] === 0 && !this.l1.has(hostPage) && !this.l2.has(hostPage)) {
      this.code.belowChanges(line, true);
      this.setRam(host, size, value);
      return;
    }
    for (let i = 0; i < size; i++) this.setMemoryByte(host + i, (value >>> (8 * i)) & 0xff);
  }

  storeThrough(host: number, size: 1 | 2 | 4, value: number): void {
    const { views } = this;
    const line = host >>> views.lineLog2;
    this.code.belowChanges(line, true);
    this.setRam(host, size, value);
    if (!views.has(line)) return;
    for (let i = 0; i < size; i++) {
      views.setPouByte(host + i, (value >>> (8 * i)) & 0xff);
      views.setPocByte(host + i, (value >>> (8 * i)) & 0xff);
    }
  }

  /** Somebody who does not see the caches changes memory. */
  setMemoryByte(host: number, value: number): void {
    const { views } = this;
    const line = host >>> views.lineLog2;
    const hostPage = Math.floor(host / 4096);
    const flags = this.shadow[line]!;
    const present = (flags & ABSENT) === 0;
    const inL1 = (flags & (L1_DIRTY | L1_STALE)) !== 0 || (present && this.l1.has(hostPage));
    const inL2 = views.twoLevels && ((flags & (L2_DIRTY | L2_STALE)) !== 0 || (present && this.l2.has(hostPage)));
    if (!inL1 && !inL2) {
      this.code.belowChanges(line, true);
      this.memory.u8[host] = value;
      if (views.has(line)) {
        views.setPouByte(host, value);
        views.setPocByte(host, value);
      }
      return;
    }
    if (views.separate(line)) this.pageDiffers(hostPage);
    if (inL2) {
      this.code.memoryChanges(line);
      if ((flags & L2_DIRTY) === 0) this.views.mark(line, L2_STALE);
    } else {
      this.code.belowChanges(line, true);
      views.setPouByte(host, value);
    }
    views.setPocByte(host, value);
    if (!inL1) this.memory.u8[host] = value;
    else if ((flags & L1_DIRTY) === 0) this.views.mark(line, L1_STALE);
    if ((flags & DIFFERS) === 0) this.becameStale(line);
  }

  /** Before the first store to a line that is not dirty: its old bytes are kept. */
  makeDirty(line: number): void {
    if (this.views.separate(line)) this.pageDiffers(line >>> this.pageShift);
    this.shadow[line] = (this.shadow[line]! | L1_DIRTY) & ~(L1_STALE | ABSENT);
  }

  /** The first line of a page differs: who read it past the caches directly must not go on. */
  private pageDiffers(hostPage: number): void {
    if (this.readPast[hostPage] === 0) return;
    this.readPast[hostPage] = 0;
    this.port().dropHostPage(hostPage);
  }

  /** A load missed and reads the line from below, from memory with `fromMemory`: what somebody else wrote there is seen now. */
  loaded(line: number, fromMemory: boolean): void {
    if (fromMemory && (this.shadow[line]! & L2_STALE) !== 0) this.l2Dropped(line);
    if ((this.shadow[line]! & L1_STALE) !== 0) this.l1Dropped(line);
  }

  /** The L1 writes the line back: the next level is as new. */
  l1Written(line: number): void {
    const { views } = this;
    if ((this.shadow[line]! & L1_DIRTY) === 0) return;
    this.code.belowChanges(line, !views.twoLevels);
    views.copyDown(line);
    this.shadow[line] = views.twoLevels
      ? (this.shadow[line]! | L2_DIRTY) & ~(L1_DIRTY | L1_STALE | L2_STALE)
      : this.shadow[line]! & ~(L1_DIRTY | L1_STALE);
    views.settle(line);
  }
  /** The L1 gives the line up as it is: loads get the next level's bytes. */
  l1Dropped(line: number): void {
    if ((this.shadow[line]! & (L1_DIRTY | L1_STALE)) === 0) return;
    this.views.copyUp(line);
    this.shadow[line]! &= ~(L1_DIRTY | L1_STALE);
    this.views.settle(line);
  }
  l2Written(line: number): void {
    if ((this.shadow[line]! & L2_DIRTY) === 0) return;
    this.code.memoryChanges(line);
    this.views.copyToMemory(line);
    this.shadow[line]! &= ~(L2_DIRTY | L2_STALE);
    this.views.settle(line);
  }
  l2Dropped(line: number): void {
    if ((this.shadow[line]! & (L2_DIRTY | L2_STALE)) === 0) return;
    this.code.belowChanges(line, false);
    this.views.copyFromMemory(line);
    this.shadow[line]! &= ~(L2_DIRTY | L2_STALE);
    if ((this.shadow[line]! & (L1_DIRTY | L1_STALE)) === 0) {
      const kept = !this.inclusive && this.l1.has(line >>> this.pageShift) && (this.shadow[line]! & ABSENT) === 0;
      if (kept) this.views.mark(line, L1_STALE);
      else this.views.copyUp(line);
    }
    this.views.settle(line);
  }

  /** Gives the line up at every level as it is: what memory has is seen. */
  invalidate(line: number): void {
    this.l2Dropped(line);
    this.l1Dropped(line);
    const hostPage = line >>> this.pageShift;
    if (!this.l1.has(hostPage) && !this.l2.has(hostPage)) return;
    this.views.mark(line, ABSENT);
    if (this.absentPages[hostPage] !== 0) return;
    this.absentPages[hostPage] = 1;
    this.port().dropHostPage(hostPage);
  }

  /** Set/way operations went through all of a level. */
  emptied(level: number, clean: boolean): void {
    for (const line of [...this.views.lines()]) {
      if (level === 1) {
        if (clean) this.l1Written(line);
        this.l1Dropped(line);
      } else {
        if (clean) this.l2Written(line);
        this.l2Dropped(line);
      }
    }
    (level === 1 ? this.l1 : this.l2).clear();
    this.port().dropData();
  }

  /** A coherent master, or the machine's owner, is about to write: caches are snooped, so the lines go back to memory first. */
  snooped(offset: number, byteLength: number): void {
    const last = offset + byteLength - 1;
    const { lineLog2 } = this.views;
    for (let page = Math.floor(offset / 4096); page <= Math.floor(last / 4096); page++) {
      if (this.views.slotsOfPage[page] === 0 && !this.code.holds(page) && this.memory.codeGranules[page] === 0) continue;
      const from = Math.max(offset, page * 4096) >>> lineLog2;
      const to = Math.min(last, page * 4096 + 4095) >>> lineLog2;
      for (let line = from; line <= to; line++) {
        this.l1Written(line);
        this.l2Written(line);
        this.l2Dropped(line);
        this.l1Dropped(line);
        this.code.belowChanges(line, true);
      }
    }
  }

  /** The L1 comes out of reset with a line that nobody brought. `random` gives its words. */
  fillUnknown(line: number, dirty: boolean, random: () => number): void {
    const { lineLog2 } = this.views;
    const host = line << lineLog2;
    this.l1.enter(line >>> this.pageShift);
    this.views.separate(line);
    for (let word = 0; word < 1 << (lineLog2 - 2); word++) this.memory.i32[(host >>> 2) + word] = random();
    this.views.mark(line, dirty ? L1_DIRTY : L1_STALE);
  }

  reset(): void {
    this.views.clear();
    this.l1.clear();
    this.l2.clear();
    this.absentPages.fill(0);
    this.readPast.fill(0);
  }
  save(): SavedDataLines {
    return { lines: this.views.save(), held: [this.l1.save(), this.l2.save()] };
  }
  load({ lines, held }: SavedDataLines): void {
    this.views.clear();
    this.views.load(lines);
    this.l1.load(held[0]!);
    this.l2.load(held[1]!);
    this.absentPages.fill(0);
    for (let line = 0; line < this.shadow.length; line++)
      if ((this.shadow[line]! & ABSENT) !== 0) this.absentPages[line >>> this.pageShift] = 1;
    this.readPast.fill(0);
  }
}

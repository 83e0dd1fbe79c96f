import type { CachedMemoryPort, GuestMemory, VirtAddr } from '@tablewalk/machine';
import { MEMORY_NORMAL } from '@tablewalk/machine';
import { InstructionImages, type SavedImages } from './instruction-images.js';
import type { LineViews } from './line-views.js';

/**
 * What instruction fetches see: the instruction cache's image of a line, else the point of unification, else memory where they go past the cache. Whoever
 * changes one of these says so beforehand, so that images are made of what is held and translated code is dropped where it is no longer true.
 */
export class FetchedCode {
  private readonly memory: GuestMemory;
  private readonly views: LineViews;
  private readonly images: InstructionImages;
  /** Pages whose translated code was fetched past the instruction cache. Host state. */
  private readonly past: Uint8Array;
  /** A byte for each page: not 0 when instructions were fetched from it, so that a change below its lines may have to be told. Host state. */
  readonly pages: Uint8Array;
  private readonly port: () => CachedMemoryPort;
  private readonly added: (host: number) => void;

  /** {@link pages} are in the memory at `offset`. `added` is told of each line (its offset in guest memory) that is held otherwise than below from now on. */
  constructor(
    memory: GuestMemory,
    views: LineViews,
    offset: number,
    lineLog2: number,
    colourCount: number,
    port: () => CachedMemoryPort,
    added: (host: number) => void,
  ) {
    const pages = memory.tailOffset >>> 12;
    this.memory = memory;
    this.views = views;
    this.images = new InstructionImages(pages, lineLog2, colourCount);
    this.past = new Uint8Array(pages);
    this.pages = new Uint8Array(memory.buffer, offset, pages);
    this.port = port;
    this.added = added;
  }

  private readonly pouByte = (host: number): number => this.views.pouByte(host);

  /** The page is fetched from; `cacheOn` is SCTLR.I. */
  enter(hostPage: number, attributes: number, va: VirtAddr, cacheOn: boolean): void {
    const past = !(cacheOn && (attributes & 3) === MEMORY_NORMAL && (attributes & 0xc) !== 0);
    if ((this.past[hostPage] !== 0) !== past) {
      this.past[hostPage] = past ? 1 : 0;
      const granules = this.memory.codeGranules[hostPage]!;
      if (granules !== 0) this.port().codeWritten(hostPage, granules);
    }
    this.pages[hostPage] = 1;
    if (!past) this.images.enter(hostPage, va);
  }

  holds(hostPage: number): boolean {
    return this.images.holds(hostPage);
  }

  /** The halfword that a fetch gives. */
  halfword(host: number): number {
    return this.byte(host) | (this.byte(host + 1) << 8);
  }

  private byte(host: number): number {
    if (this.past[Math.floor(host / 4096)] !== 0) return this.views.pocByte(host);
    const held = this.images.byte(host);
    return held >= 0 ? held : this.views.pouByte(host);
  }

  /** The point of unification (and memory, with `memoryToo`) is about to change in this data line: fetched code lives on in the instruction cache. */
  belowChanges(line: number, memoryToo: boolean): void {
    const { lineLog2 } = this.views;
    const hostPage = line >>> (12 - lineLog2);
    const held = this.images.holds(hostPage);
    if (held) {
      const from = (line << lineLog2) >>> 0;
      this.images.keep(from, from + (1 << lineLog2), this.pouByte, this.added);
    }
    if (!held || (memoryToo && this.past[hostPage] !== 0)) this.dropTranslated(line, hostPage);
  }

  /** Memory is, and the point of unification is not. */
  memoryChanges(line: number): void {
    const hostPage = line >>> (12 - this.views.lineLog2);
    if (this.past[hostPage] !== 0) this.dropTranslated(line, hostPage);
  }

  private dropTranslated(line: number, hostPage: number): void {
    const granule = 1 << (((line << this.views.lineLog2) & 0xfff) >>> 7);
    const touched = this.memory.codeGranules[hostPage]! & granule;
    if (touched !== 0) this.port().codeWritten(hostPage, touched);
  }

  /** The instruction cache gives up the line at `host`, if it was one of its own. */
  forget(host: number): void {
    if (this.images.forget(host)) this.port().codeWritten(Math.floor(host / 4096), this.images.granules(host));
  }

  /** ICIMVAU, which reaches a line under its own colours alone. */
  forgetAt(va: VirtAddr, host: number): void {
    if (this.images.reaches(Math.floor(host / 4096), va)) this.forget(host);
  }

  /** ICIALLU. */
  forgetAll(): void {
    this.images.forgetAll((hostPage, granules) => this.port().codeWritten(hostPage, granules));
    this.port().dropCode();
  }

  /** The bytes [host, host + byteLength) were changed from outside, by somebody who means the code too and has dropped what was translated. */
  forgetBytes(host: number, byteLength: number): void {
    for (let at = host; at < host + byteLength; at++) this.images.forget(at);
  }

  /** The instruction cache comes out of reset with these bytes of one page; `va` is its address. */
  fillUnknown(from: number, to: number, va: VirtAddr, byte: () => number): void {
    const hostPage = Math.floor(from / 4096);
    this.pages[hostPage] = 1;
    this.images.enter(hostPage, va);
    this.images.keep(from, to, byte, this.added);
    this.port().codeWritten(hostPage, this.memory.codeGranules[hostPage]!);
  }

  reset(): void {
    this.images.reset();
    this.past.fill(0);
    this.findPages();
  }
  save(): SavedImages {
    return this.images.save();
  }
  load(saved: SavedImages): void {
    this.images.load(saved);
    this.past.fill(0);
    this.findPages();
  }

  /** The pages that something is known of. */
  private findPages(): void {
    const { codeGranules } = this.memory;
    for (let page = 0; page < this.pages.length; page++) this.pages[page] = codeGranules[page] !== 0 || this.images.holds(page) ? 1 : 0;
  }
}

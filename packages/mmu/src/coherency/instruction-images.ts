/** Bytes of a page as the instruction cache has them, by line of the instruction side. */
interface Image {
  readonly bytes: Uint8Array;
  readonly valid: Uint8Array;
}

export interface SavedImage {
  readonly hostPage: number;
  readonly bytes: Uint8Array;
  readonly valid: Uint8Array;
}

export interface SavedImages {
  readonly held: Uint32Array;
  readonly colours: Uint32Array;
  readonly images: readonly SavedImage[];
}

/**
 * What the instruction cache holds that the point of unification no longer has. A page that was fetched from is taken as held altogether: a core may fetch
 * ahead. Its bytes are kept at the moment when they change below.
 */
export class InstructionImages {
  readonly lineLog2: number;
  private readonly images = new Map<number, Image>();
  /** Epoch in which the page was last entered; held when it is the current one. */
  private readonly entered: Uint32Array;
  private epoch = 1;
  /** Of a page that is held: the colours of the VAs that it was fetched under, a bit each. */
  private readonly colours: Uint32Array;
  private readonly colourMask: number;

  /** `colourCount`: pages of a way of the cache when the VA chooses its set, or else 1. A power of two. */
  constructor(pageCount: number, lineLog2: number, colourCount: number) {
    this.entered = new Uint32Array(pageCount);
    this.colours = new Uint32Array(colourCount > 1 ? pageCount : 0);
    this.colourMask = Math.min(colourCount, 32) - 1;
    this.lineLog2 = lineLog2;
  }

  private colour(va: number): number {
    return 1 << ((va >>> 12) & this.colourMask);
  }

  enter(hostPage: number, va: number): void {
    if (this.colourMask !== 0) {
      const before = this.entered[hostPage] === this.epoch ? this.colours[hostPage]! : 0;
      this.colours[hostPage] = before | this.colour(va);
    }
    this.entered[hostPage] = this.epoch;
  }

  /**
   * Whether an invalidation by this VA finds the page's lines (B3.11.2: it reaches those of its own colour). A page that was fetched under several colours is
   * found by each of them, although hardware would leave the others: translated code knows no VA, and who invalidates one colour and runs under it is right.
   */
  reaches(hostPage: number, va: number): boolean {
    return this.colourMask === 0 || !this.holds(hostPage) || (this.colours[hostPage]! & this.colour(va)) !== 0;
  }
  holds(hostPage: number): boolean {
    return this.entered[hostPage] === this.epoch;
  }

  /** Keeps the bytes [from, to) (host, of one page; whole lines around them) as `byte` gives them, unless they are kept. Returns the lines that are new. */
  keep(from: number, to: number, byte: (host: number) => number, added: (host: number) => void): void {
    const hostPage = Math.floor(from / 4096);
    let image = this.images.get(hostPage);
    if (image === undefined) {
      image = { bytes: new Uint8Array(4096), valid: new Uint8Array(4096 >>> this.lineLog2) };
      this.images.set(hostPage, image);
    }
    const size = 1 << this.lineLog2;
    const last = Math.floor((to - 1) / size);
    for (let line = Math.floor(from / size); line <= last; line++) {
      const at = (line * size) & 0xfff;
      if (image.valid[at >>> this.lineLog2] !== 0) continue;
      image.valid[at >>> this.lineLog2] = 1;
      for (let i = 0; i < size; i++) image.bytes[at + i] = byte(line * size + i);
      added(line * size);
    }
  }

  /** The byte that the cache holds, or -1 for one that is as the point of unification has it. */
  byte(host: number): number {
    const image = this.images.get(Math.floor(host / 4096));
    if (image === undefined || image.valid[(host & 0xfff) >>> this.lineLog2] === 0) return -1;
    return image.bytes[host & 0xfff]!;
  }

  /** Forgets a line. True when it was one of its own. */
  forget(host: number): boolean {
    const image = this.images.get(Math.floor(host / 4096));
    const at = (host & 0xfff) >>> this.lineLog2;
    if (image === undefined || image.valid[at] === 0) return false;
    image.valid[at] = 0;
    return true;
  }

  /** Forgets everything, and calls `changed` with each page and the granules (128 bytes) of the lines that were of its own. */
  forgetAll(changed: (hostPage: number, granules: number) => void): void {
    this.epoch++;
    for (const [hostPage, { valid }] of this.images) {
      let granules = 0;
      for (let line = 0; line < valid.length; line++) if (valid[line] !== 0) granules |= this.granules(line << this.lineLog2);
      if (granules !== 0) changed(hostPage, granules);
    }
    this.images.clear();
  }

  /** Granules of the line at an offset in its page. */
  granules(offset: number): number {
    return 1 << ((offset & 0xfff) >>> 7);
  }

  /** As after power-on. */
  reset(): void {
    this.images.clear();
    this.epoch++;
  }

  save(): SavedImages {
    const held: number[] = [];
    for (let page = 0; page < this.entered.length; page++) if (this.holds(page)) held.push(page);
    const images = [...this.images]
      .filter(([, { valid }]) => valid.some((line) => line !== 0))
      .sort(([a], [b]) => a - b)
      .map(([hostPage, { bytes, valid }]) => ({ hostPage, bytes: bytes.slice(), valid: valid.slice() }));
    return { held: Uint32Array.from(held), colours: Uint32Array.from(held, (page) => this.colours[page] ?? 1), images };
  }

  load({ held, colours, images }: SavedImages): void {
    this.reset();
    held.forEach((page, i) => {
      this.entered[page] = this.epoch;
      if (this.colourMask !== 0) this.colours[page] = colours[i]!;
    });
    for (const { hostPage, bytes, valid } of images) this.images.set(hostPage, { bytes: bytes.slice(), valid: valid.slice() });
  }
}

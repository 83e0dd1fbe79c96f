/**
 * Pages whose lines a cache level may hold: those that the core has accessed through it since the level was last emptied. A core may fetch ahead, so one
 * access stands for its page.
 */
export class HeldPages {
  private readonly entered: Uint32Array;
  private epoch = 1;

  constructor(pageCount: number) {
    this.entered = new Uint32Array(pageCount);
  }

  enter(hostPage: number): void {
    this.entered[hostPage] = this.epoch;
  }
  has(hostPage: number): boolean {
    return this.entered[hostPage] === this.epoch;
  }
  clear(): void {
    this.epoch++;
  }
  save(): Uint32Array {
    const pages: number[] = [];
    for (let page = 0; page < this.entered.length; page++) if (this.has(page)) pages.push(page);
    return Uint32Array.from(pages);
  }
  load(pages: Uint32Array): void {
    this.clear();
    for (const page of pages) this.enter(page);
  }
}

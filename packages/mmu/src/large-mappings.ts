/**
 * Remembers how large the mappings were that translations came from. A maintenance operation names one address, and everything that was made from the
 * section around it must go; a host table of 4 KB pages does not know which of its pages came from one section.
 *
 * One byte per MB of VA: 0 when only mappings of 4 KB were seen there, or else the log2 size of the largest.
 */
export class LargeMappings {
  private readonly sizes = new Uint8Array(4096);
  private any = false;

  note(va: number, sizeLog2: number): void {
    if (sizeLog2 <= 12 || this.sizes[va >>> 20] >= sizeLog2) return;
    this.any = true;
    if (sizeLog2 <= 20) {
      this.sizes[va >>> 20] = sizeLog2;
      return;
    }
    const count = 1 << (sizeLog2 - 20);
    const first = (va >>> 20) & ~(count - 1);
    for (let i = first; i < first + count; i++) if (this.sizes[i] < sizeLog2) this.sizes[i] = sizeLog2;
  }

  /** log2 size of the range around `va` that must go when `va` goes. */
  sizeAt(va: number): number {
    const size = this.sizes[va >>> 20];
    return size === 0 ? 12 : size;
  }

  clear(): void {
    if (!this.any) return;
    this.any = false;
    this.sizes.fill(0);
  }

  save(): Uint8Array {
    return this.sizes.slice();
  }
  load(sizes: Uint8Array): void {
    this.sizes.set(sizes);
    this.any = sizes.some((size) => size !== 0);
  }
}

import { layout } from '@tablewalk/engine';

/** The local exclusive monitor (ARM DDI 0406C, A3.4.1): one marked block of 1, 2, 4 or 8 bytes by physical address, kept in the state words. */
export class ExclusiveMonitor {
  private readonly words: Int32Array;

  constructor(words: Int32Array) {
    this.words = words;
  }

  get marked(): boolean {
    return this.words[layout.EXCLUSIVE_SIZE] !== 0;
  }

  mark(pa: number, size: number): void {
    const R = this.words;
    R[layout.EXCLUSIVE_SIZE] = size;
    R[layout.EXCLUSIVE_ADDRESS] = pa % 2 ** 32;
    R[layout.EXCLUSIVE_ADDRESS_HIGH] = Math.floor(pa / 2 ** 32);
  }

  /** True when the marked block is exactly this one. Opens the monitor either way. */
  claim(pa: number, size: number): boolean {
    const R = this.words;
    const mine =
      R[layout.EXCLUSIVE_SIZE] === size &&
      R[layout.EXCLUSIVE_ADDRESS]! >>> 0 === pa % 2 ** 32 &&
      R[layout.EXCLUSIVE_ADDRESS_HIGH] === Math.floor(pa / 2 ** 32);
    R[layout.EXCLUSIVE_SIZE] = 0;
    return mine;
  }

  clear(): void {
    this.words[layout.EXCLUSIVE_SIZE] = 0;
  }
}

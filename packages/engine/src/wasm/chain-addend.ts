import { CHAIN_ADDEND } from '../layout.js';
import type { FunctionWriter, Local } from './function-writer.js';
import * as wasm from './opcodes.js';

/**
 * The addend that loads in chains of addresses (address-chains.ts) take. It is that of the last look at a fast table, which is the same as a rule, and a branch makes it
 * the right one: the processor foretells that, so such a load does not wait for the look.
 */
export class ChainAddend {
  private readonly w: FunctionWriter;
  private local: Local = -1;

  constructor(w: FunctionWriter) {
    this.w = w;
  }

  /** Begins a region, which has chains or none. */
  begin(hasChains: boolean): void {
    this.local = hasChains ? this.w.local(wasm.TYPE_I32) : -1;
  }

  /** Where the region is entered. */
  enter(): void {
    if (this.local < 0) return;
    this.w.loadWord(CHAIN_ADDEND);
    this.w.set(this.local);
  }

  /** Pushes the VA plus what `addend` pushes. */
  add(va: Local, addend: () => void, isChained: boolean): void {
    const { w, local } = this;
    if (isChained) {
      addend();
      w.get(local);
      w.op(wasm.I32_NE);
      w.if();
      addend();
      w.set(local);
      w.storeLocal(CHAIN_ADDEND, local);
      w.end();
    }
    w.get(va);
    if (isChained) w.get(local);
    else addend();
    w.op(wasm.I32_ADD);
  }
}

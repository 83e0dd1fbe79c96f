import type { InstructionPlacer } from './instruction-placer.js';
import type { Item } from './items.js';
import { AssemblerError } from './source.js';
import type { Symbols } from './symbols.js';

const MAX_PASSES = 40;
/** A mistyped `.space` must not exhaust the host. */
const MAX_BYTES = 1 << 28;

/** Gives items their addresses and sizes, in passes. Sizes of instructions only grow from pass to pass, so that it ends. */
export class Layout {
  private readonly items: readonly Item[];
  private readonly origin: number;
  private readonly symbols: Symbols;
  private readonly instructions: InstructionPlacer;

  constructor(items: readonly Item[], origin: number, symbols: Symbols, instructions: InstructionPlacer) {
    this.items = items;
    this.origin = origin;
    this.symbols = symbols;
    this.instructions = instructions;
  }

  /** Runs passes until nothing changes. `line` is the source's last. */
  settle(line: number): void {
    for (let pass = 0; this.pass(); pass++) {
      if (pass === MAX_PASSES - 1) throw new AssemblerError(line, 'sizes depend on one another without end');
    }
  }

  /** One pass over addresses and sizes; true when something changed. */
  private pass(): boolean {
    let changed = false;
    let address = this.origin;
    this.items.forEach((item, index) => {
      if (item.address !== address) changed = true;
      item.address = address;
      const size = this.sizeOf(item, index);
      if (size !== item.size) changed = true;
      item.size = size;
      if (this.place(item, index)) changed = true;
      address += size;
      if (address - this.origin > MAX_BYTES) throw new AssemblerError(item.source.line, 'the image is too large');
    });
    return changed;
  }

  /** Tells whoever asks for the item's address; true when it is another. */
  private place(item: Item, index: number): boolean {
    switch (item.kind) {
      case 'label':
        return this.symbols.set(item.name, item.address);
      case 'local': {
        const changed = item.label.address !== item.address;
        item.label.address = item.address;
        return changed;
      }
      case 'equ': {
        const value = this.symbols.value(item.expression, item.address, index);
        if (value === undefined) throw new AssemblerError(item.source.line, this.symbols.complaint(item.expression));
        this.symbols.set(item.name, value);
        const changed = item.value !== value;
        item.value = value;
        return changed;
      }
      case 'pool':
        item.pool.address = (item.address + 3) & ~3;
        return false;
      default:
        return false;
    }
  }

  private sizeOf(item: Item, index: number): number {
    switch (item.kind) {
      case 'instruction': {
        if (!item.thumb || item.size === 4) return 4;
        const encoded = this.instructions.encode(item, index);
        return typeof encoded === 'string' ? item.size : encoded.size;
      }
      case 'data':
        return item.unit * item.expressions.length;
      case 'bytes':
        return item.bytes.length;
      case 'align':
        return -item.address & (item.to - 1);
      case 'space': {
        const count = this.symbols.value(item.count, item.address, index);
        if (count === undefined || count < 0) throw new AssemblerError(item.source.line, `'${item.count}' is not a size`);
        return count;
      }
      case 'origin': {
        const target = this.symbols.value(item.expression, item.address, index);
        if (target === undefined || target < item.address) throw new AssemblerError(item.source.line, '.org goes back, or is no address');
        return target - item.address;
      }
      case 'pool':
        return (-item.address & 3) + 4 * item.pool.expressions.length;
      default:
        return 0;
    }
  }
}

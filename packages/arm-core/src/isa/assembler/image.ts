import type { InstructionPlacer } from './instruction-placer.js';
import type { Item } from './items.js';
import { AssemblerError } from './source.js';
import type { Symbols } from './symbols.js';

export interface AssembledLine {
  /** Number of the source line, from 1. */
  readonly line: number;
  readonly address: number;
  /** Bytes that the statement made. */
  readonly size: number;
  /** The statement without comments. */
  readonly text: string;
}

/** Writes items that are laid out. */
export class Image {
  readonly bytes: Uint8Array;
  /** Statements that made bytes, in order. */
  readonly lines: AssembledLine[] = [];
  private readonly origin: number;
  private readonly symbols: Symbols;
  private readonly instructions: InstructionPlacer;

  constructor(items: readonly Item[], origin: number, symbols: Symbols, instructions: InstructionPlacer) {
    this.origin = origin;
    this.symbols = symbols;
    this.instructions = instructions;
    this.bytes = new Uint8Array(items.reduce((sum, item) => sum + item.size, 0));
    items.forEach((item, index) => {
      this.write(item, index);
      const { line, text } = item.source;
      if (item.size > 0) this.lines.push({ line, address: item.address, size: item.size, text });
    });
  }

  private write(item: Item, index: number): void {
    const at = item.address - this.origin;
    switch (item.kind) {
      case 'instruction':
        this.writeInstruction(at, item, index);
        break;
      case 'data':
        item.expressions.forEach((expression, i) => {
          const value = this.dataValue(item, expression, item.address + i * item.unit, index);
          if (item.unit < 4 && (value < -(2 ** (8 * item.unit - 1)) || value >= 2 ** (8 * item.unit))) {
            throw new AssemblerError(item.source.line, `${value} does not fit ${item.unit * 8} bits`);
          }
          this.put(at + i * item.unit, value, item.unit);
        });
        break;
      case 'bytes':
        this.bytes.set(item.bytes, at);
        break;
      case 'align':
        this.writeGap(at, item);
        break;
      case 'space':
        this.bytes.fill(item.fill & 0xff, at, at + item.size);
        break;
      case 'pool': {
        const { expressions } = item.pool;
        const first = at + item.size - 4 * expressions.length;
        for (const [i, expression] of expressions.entries())
          this.put(first + 4 * i, this.dataValue(item, expression, item.address, index), 4);
        break;
      }
      case 'equ':
        this.symbols.set(item.name, item.value!);
        break;
      default:
    }
  }

  private writeInstruction(at: number, item: Item<'instruction'>, index: number): void {
    const { line } = item.source;
    const encoded = this.instructions.encode(item, index);
    if (typeof encoded === 'string') throw new AssemblerError(line, this.instructions.explain(item.text, encoded));
    if (item.address & (item.thumb ? 1 : 3)) throw new AssemblerError(line, 'the instruction is not aligned');
    const { word } = encoded;
    if (item.thumb && encoded.size === 4) {
      this.put(at, word >>> 16, 2);
      this.put(at + 2, word, 2);
    } else this.put(at, word, encoded.size);
  }

  /** Gaps after code are filled with NOPs, others with zeros unless a value is given. */
  private writeGap(at: number, item: Item<'align'>): void {
    this.bytes.fill((item.fill ?? 0) & 0xff, at, at + item.size);
    if (item.nops === undefined || item.size % item.nops !== 0) return;
    const nop = item.nops === 2 ? [0x00, 0xbf] : [0x00, 0xf0, 0x20, 0xe3];
    for (let i = 0; i < item.size; i++) this.bytes[at + i] = nop[i % item.nops]!;
  }

  private dataValue(item: Item, expression: string, address: number, index: number): number {
    const value = this.symbols.dataValue(expression, address, index);
    if (value === undefined) throw new AssemblerError(item.source.line, this.symbols.complaint(expression));
    return value;
  }

  private put(at: number, value: number, unit: number): void {
    for (let i = 0; i < unit; i++) this.bytes[at + i] = value >>> (8 * i);
  }
}

import { Disassembler } from '../disassembler.js';
import type { AssembledLine } from './image.js';
import { Image } from './image.js';
import { InstructionEncoder } from './instruction-encoder.js';
import { InstructionPlacer } from './instruction-placer.js';
import { Layout } from './layout.js';
import { Literals } from './literals.js';
import { SourceReader } from './reader.js';
import { readStatements } from './source.js';
import { Symbols } from './symbols.js';

export type { AssembledLine } from './image.js';
export { AssemblerError } from './source.js';

export interface AssembleOptions {
  /** VA of the first byte (0 unless given). */
  readonly origin?: number;
  /** Begin in T32 (`.thumb` and `.arm` switch). */
  readonly thumb?: boolean;
  /** Symbols known beforehand. */
  readonly symbols?: Readonly<Record<string, number>>;
}

export interface Assembly {
  readonly origin: number;
  /** Little-endian image from `origin` on. */
  readonly bytes: Uint8Array;
  /** VA of every label, values of `.equ`. A `.thumb_func` label has bit 0 clear here and set where `.word` or `ldr =` names it. */
  readonly labels: ReadonlyMap<string, number>;
  /** Statements that made bytes, in order. */
  readonly lines: readonly AssembledLine[];
}

/** An assembler made of the instruction records. Make one and keep it: it builds the decode tables. */
export class Assembler {
  private readonly encoder: InstructionEncoder;

  constructor(disassembler: Disassembler = new Disassembler()) {
    this.encoder = new InstructionEncoder(disassembler);
  }

  /** Assembles a source text: reads it, lays it out, writes it. Throws {@link AssemblerError}. */
  assemble(source: string, options: AssembleOptions = {}): Assembly {
    const origin = (options.origin ?? 0) >>> 0;
    const symbols = new Symbols(options.symbols ?? {});
    const statements = readStatements(source);
    const last = statements[statements.length - 1] ?? { line: 1, labels: [], mnemonic: '', rest: '', text: '' };
    const reader = new SourceReader(symbols, new Literals(this.encoder, symbols), options.thumb === true);
    for (const statement of statements) reader.read(statement);
    const items = reader.finish(last);
    const instructions = new InstructionPlacer(this.encoder, symbols);
    new Layout(items, origin, symbols, instructions).settle(last.line);
    const { bytes, lines } = new Image(items, origin, symbols, instructions);
    return { origin, bytes, labels: symbols.known(), lines };
  }
}

let shared: Assembler | undefined;

/** Assembles a source text with every instruction known. Throws {@link AssemblerError}. */
export const assemble = (source: string, options: AssembleOptions = {}): Assembly => {
  // It keeps nothing of what it assembled: one serves all.
  shared ??= new Assembler();
  return shared.assemble(source, options);
};

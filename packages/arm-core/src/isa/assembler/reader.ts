import { conditionNumber } from '../mnemonic.js';
import { readDataDirective } from './data-directives.js';
import type { InstructionText } from './instruction-encoder.js';
import type { Item, ItemContent } from './items.js';
import type { Literals } from './literals.js';
import type { SourceStatement } from './source.js';
import { AssemblerError, splitOperands } from './source.js';
import type { Symbols } from './symbols.js';
import { isPlainName } from './symbols.js';

/** Said for the benefit of other assemblers; nothing to do here. */
const ignored = new Set([
  '.syntax',
  '.arch',
  '.arch_extension',
  '.cpu',
  '.fpu',
  '.text',
  '.data',
  '.section',
  '.global',
  '.globl',
  '.type',
  '.size',
  '.func',
  '.endfunc',
  '.end',
  '.eabi_attribute',
  '.file',
  '.ident',
  '.weak',
  '.hidden',
  '.fnstart',
  '.fnend',
  '.cantunwind',
]);

/** Turns statements into items, in order: instruction set, IT blocks, names and literals as they stand at each statement. */
export class SourceReader {
  private readonly symbols: Symbols;
  private readonly literals: Literals;
  private thumb: boolean;
  private readonly items: Item[] = [];
  /** Labels aside, the last item is an instruction. */
  private afterCode = false;
  /** Conditions still to come in the current IT block. */
  private itSlots: number[] = [];
  private nextIsThumbFunction = false;

  constructor(symbols: Symbols, literals: Literals, thumb: boolean) {
    this.symbols = symbols;
    this.literals = literals;
    this.thumb = thumb;
  }

  read(source: SourceStatement): void {
    for (const label of source.labels) this.readLabel(source, label);
    if (source.mnemonic === '') return;
    if (source.mnemonic.startsWith('.')) this.readDirective(source);
    else this.readInstruction(source);
  }

  /** The items, with what literals are left at the end of the source. */
  finish(last: SourceStatement): readonly Item[] {
    if (this.itSlots.length > 0) throw new AssemblerError(last.line, 'the IT block has no end');
    this.endPool({ ...last, text: '(literals)' });
    return this.items;
  }

  private add(source: SourceStatement, content: ItemContent, size = 0): void {
    this.items.push({ ...content, source, address: 0, size });
    const { kind } = content;
    if (kind !== 'label' && kind !== 'local' && kind !== 'equ') this.afterCode = kind === 'instruction';
  }

  private readLabel(source: SourceStatement, name: string): void {
    if (/^[0-9]+$/.test(name)) this.add(source, { kind: 'local', label: this.symbols.defineLocal(name, this.items.length) });
    else {
      if (!this.symbols.defineLabel(name)) throw this.definedTwice(source, name);
      this.add(source, { kind: 'label', name });
    }
    if (this.nextIsThumbFunction) this.symbols.markThumbFunction(name);
    this.nextIsThumbFunction = false;
  }

  private definedTwice(source: SourceStatement, name: string): AssemblerError {
    return new AssemblerError(source.line, `'${name}' is defined twice`);
  }

  private readDirective(source: SourceStatement): void {
    const { mnemonic, rest, line } = source;
    switch (mnemonic) {
      case '.equ':
      case '.set':
        this.readAssignment(source);
        return;
      case '.arm':
        this.thumb = false;
        return;
      case '.thumb':
        this.thumb = true;
        return;
      case '.code':
        if (rest !== '16' && rest !== '32') throw new AssemblerError(line, '.code is 16 or 32');
        this.thumb = rest === '16';
        return;
      case '.thumb_func':
        this.thumb = true;
        this.nextIsThumbFunction = true;
        return;
      case '.ltorg':
      case '.pool':
        this.endPool(source);
        return;
      default:
    }
    if (ignored.has(mnemonic)) return;
    const contents = readDataDirective(source, {
      thumb: this.thumb,
      afterCode: this.afterCode,
      constant: (expression) => this.constant(source, expression),
    });
    if (contents === undefined) throw new AssemblerError(line, `unknown directive '${mnemonic}'`);
    for (const content of contents) this.add(source, content);
  }

  private readAssignment(source: SourceStatement): void {
    const { mnemonic, line } = source;
    const [name, expression] = splitOperands(source.rest);
    if (name === undefined || expression === undefined || !isPlainName(name))
      throw new AssemblerError(line, `${mnemonic} needs a name and a value`);
    if (!this.symbols.define(name) && (mnemonic === '.equ' || this.symbols.isLabel(name))) throw this.definedTwice(source, name);
    // What depends on addresses has no value before the first pass.
    const value = this.symbols.constant(expression);
    if (value === undefined) this.symbols.forget(name);
    else this.symbols.set(name, value);
    this.add(source, { kind: 'equ', name, expression, value });
  }

  private readInstruction(source: SourceStatement): void {
    const { line } = source;
    const width = /\.([wn])$/.exec(source.mnemonic);
    const mnemonic = width === null ? source.mnemonic : source.mnemonic.slice(0, -2);
    const operands = splitOperands(source.rest);
    if (operands.includes('')) throw new AssemblerError(line, `an operand is missing in '${source.text}'`);
    const it = /^it([te]{0,3})$/.exec(mnemonic);
    if (it !== null) {
      this.readIt(source, { mnemonic, operands }, it[1]!);
      return;
    }
    const size = width === null ? undefined : width[1] === 'w' ? 4 : 2;
    const itCondition = this.thumb ? this.itSlots.shift() : undefined;
    const text: InstructionText = {
      mnemonic,
      operands,
      ...(size !== undefined && { size }),
      ...(itCondition !== undefined && { itCondition }),
    };
    const expression = operands.length === 2 && operands[1]!.startsWith('=') ? operands[1]!.slice(1).trim() : undefined;
    const move = expression === undefined ? undefined : this.literals.move(text, expression, this.thumb);
    const content = { kind: 'instruction', thumb: this.thumb, text: move ?? text } as const;
    if (move !== undefined) this.add(source, content, 4);
    else {
      const least = this.thumb && size !== 4 ? 2 : 4;
      this.add(source, expression === undefined ? content : { ...content, literal: this.literals.place(expression) }, least);
    }
  }

  private readIt(source: SourceStatement, text: InstructionText, letters: string): void {
    const { line } = source;
    const condition = conditionNumber(text.operands[0] ?? '');
    if (condition === undefined || text.operands.length !== 1) throw new AssemblerError(line, `'${text.mnemonic}' needs a condition`);
    if (this.itSlots.length > 0) throw new AssemblerError(line, 'IT inside an IT block');
    // In A32 IT is a promise about what follows and makes no code.
    if (!this.thumb) return;
    this.itSlots = [condition, ...[...letters].map((letter) => (letter === 't' ? condition : condition ^ 1))];
    this.add(source, { kind: 'instruction', thumb: true, text }, 2);
  }

  private endPool(source: SourceStatement): void {
    const pool = this.literals.take();
    if (pool !== undefined) this.add(source, { kind: 'pool', pool });
  }

  private constant(source: SourceStatement, expression: string): number {
    const value = this.symbols.constant(expression);
    if (value === undefined) throw new AssemblerError(source.line, `'${expression}' is not a constant`);
    return value;
  }
}

import { Disassembler } from '../disassembler.js';
import { conditionNumber } from '../mnemonic.js';
import type { SyntaxContext } from '../operands.js';
import { registerNumber } from '../operands.js';
import { evaluate } from './expression.js';
import type { Encoded, InstructionText, Refusal } from './instruction-encoder.js';
import { InstructionEncoder } from './instruction-encoder.js';
import type { SourceStatement } from './source.js';
import { AssemblerError, readStatements, splitOperands, stringBytes } from './source.js';

export { AssemblerError } from './source.js';

export interface AssembleOptions {
  /** VA of the first byte (0 unless given). */
  readonly origin?: number;
  /** Begin in T32 (`.thumb` and `.arm` switch). */
  readonly thumb?: boolean;
  /** Symbols known beforehand. */
  readonly symbols?: Readonly<Record<string, number>>;
}

export interface AssembledLine {
  /** Number of the source line, from 1. */
  readonly line: number;
  readonly address: number;
  /** Bytes that the statement made. */
  readonly size: number;
  /** The statement without comments. */
  readonly text: string;
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

interface Pool {
  /** Expressions, each once; offsets are 4 * index. */
  readonly expressions: string[];
  /** Undefined until the first pass has come to it. */
  address: number | undefined;
}

type Item = { readonly source: SourceStatement; address: number; size: number } & (
  | {
      readonly kind: 'instruction';
      readonly text: InstructionText;
      readonly thumb: boolean;
      readonly literal?: { readonly pool: Pool; readonly index: number };
    }
  | { readonly kind: 'data'; readonly unit: 1 | 2 | 4; readonly expressions: readonly string[] }
  | { readonly kind: 'bytes'; readonly bytes: readonly number[] }
  | { readonly kind: 'align'; readonly to: number; readonly fill: number | undefined; readonly nops: 2 | 4 | undefined }
  | { readonly kind: 'space'; readonly count: string; readonly fill: number }
  | { readonly kind: 'origin'; readonly expression: string }
  | { readonly kind: 'pool'; readonly pool: Pool }
  | { readonly kind: 'label'; readonly name: string; readonly thumbFunction: boolean }
  | { readonly kind: 'equ'; readonly name: string; readonly expression: string }
);

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

const MAX_PASSES = 40;
/** A mistyped `.space` must not exhaust the host. */
const MAX_BYTES = 1 << 28;

const isPlainName = (text: string): boolean => /^[A-Za-z_.$][\w.$]*$/.test(text);

const explain: Readonly<Record<Refusal, (text: InstructionText) => string>> = {
  mnemonic: ({ mnemonic }) => `unknown instruction '${mnemonic}'`,
  operands: ({ mnemonic, operands }) => `'${mnemonic}' does not take '${operands.join(', ')}'`,
  condition: ({ mnemonic, itCondition }) =>
    itCondition === undefined
      ? `'${mnemonic}' needs an IT block, or to set the flags`
      : `the condition or 's' of '${mnemonic}' does not fit its place in the IT block`,
  unpredictable: ({ mnemonic, operands }) => `'${mnemonic} ${operands.join(', ')}' is UNPREDICTABLE`,
};

/** A two-pass assembler made of the instruction records. Make one and keep it: it builds the decode tables. */
export class Assembler {
  private readonly encoder: InstructionEncoder;

  constructor(disassembler: Disassembler = new Disassembler()) {
    this.encoder = new InstructionEncoder(disassembler);
  }

  /** Assembles a source text. Throws {@link AssemblerError}. */
  assemble(source: string, options: AssembleOptions = {}): Assembly {
    return new Run(this.encoder, options).run(source);
  }
}

/** One assembly. Sizes only grow from pass to pass, so that it ends. */
class Run {
  private readonly encoder: InstructionEncoder;
  private readonly origin: number;
  private thumb: boolean;
  private readonly items: Item[] = [];
  /** Values of labels and `.equ`, as of the last pass. */
  private readonly values = new Map<string, number>();
  /** Every name that is defined somewhere. */
  private readonly defined = new Set<string>();
  private readonly thumbFunctions = new Set<string>();
  /** Local labels `1:` in order, with the item they stand before. */
  private readonly locals = new Map<string, { readonly item: number; address: number | undefined }[]>();
  private pool: Pool = { expressions: [], address: undefined };
  /** Conditions still to come in the current IT block. */
  private itSlots: number[] = [];
  private nextIsThumbFunction = false;

  constructor(encoder: InstructionEncoder, options: AssembleOptions) {
    this.encoder = encoder;
    this.origin = (options.origin ?? 0) >>> 0;
    this.thumb = options.thumb === true;
    for (const [name, value] of Object.entries(options.symbols ?? {})) {
      this.values.set(name, value);
      this.defined.add(name);
    }
  }

  run(source: string): Assembly {
    const statements = readStatements(source);
    for (const statement of statements) this.read(statement);
    const last = statements[statements.length - 1] ?? { line: 1, labels: [], mnemonic: '', rest: '', text: '' };
    if (this.itSlots.length > 0) throw new AssemblerError(last.line, 'the IT block has no end');
    this.flushPool({ ...last, text: '(literals)' });
    for (let pass = 0; ; pass++) {
      if (pass === MAX_PASSES) throw new AssemblerError(last.line, 'sizes depend on one another without end');
      if (!this.layOut()) break;
    }
    return this.emit();
  }

  private add(item: Item): undefined {
    this.items.push(item);
  }

  /* Reading */

  private read(source: SourceStatement): void {
    for (const label of source.labels) this.readLabel(source, label);
    if (source.mnemonic === '') return;
    if (source.mnemonic.startsWith('.')) this.readDirective(source);
    else this.readInstruction(source);
  }

  private readLabel(source: SourceStatement, name: string): void {
    if (/^[0-9]+$/.test(name)) {
      const list = this.locals.get(name) ?? [];
      list.push({ item: this.items.length, address: undefined });
      this.locals.set(name, list);
    } else this.define(source, name);
    this.add({ kind: 'label', source, name, thumbFunction: this.nextIsThumbFunction, address: 0, size: 0 });
    if (this.nextIsThumbFunction) this.thumbFunctions.add(name);
    this.nextIsThumbFunction = false;
  }

  private isAfterCode(): boolean {
    for (let i = this.items.length - 1; i >= 0; i--) {
      const { kind } = this.items[i]!;
      if (kind !== 'label' && kind !== 'equ') return kind === 'instruction';
    }
    return false;
  }

  private define(source: SourceStatement, name: string): void {
    if (this.defined.has(name)) throw new AssemblerError(source.line, `'${name}' is defined twice`);
    this.defined.add(name);
  }

  private readDirective(source: SourceStatement): undefined {
    const { mnemonic, rest, line } = source;
    const operands = splitOperands(rest);
    const place = { source, address: 0, size: 0 };
    const data = (unit: 1 | 2 | 4): undefined => {
      if (operands.length === 0 || operands.includes('')) throw new AssemblerError(line, `${mnemonic} needs values`);
      this.add({ ...place, kind: 'data', unit, expressions: operands });
    };
    const text = (terminated: boolean): undefined => {
      const bytes = operands.flatMap((operand) => {
        const one = stringBytes(operand);
        if (one === undefined) throw new AssemblerError(line, `${mnemonic} needs quoted strings`);
        return terminated ? [...one, 0] : one;
      });
      this.add({ ...place, kind: 'bytes', bytes });
    };
    const align = (to: number): undefined => {
      const fill = operands[1] === undefined || operands[1] === '' ? undefined : this.constant(source, operands[1]);
      this.add({ ...place, kind: 'align', to, fill, nops: fill === undefined && this.isAfterCode() ? (this.thumb ? 2 : 4) : undefined });
    };
    switch (mnemonic) {
      case '.word':
      case '.long':
      case '.int':
      case '.4byte':
        return data(4);
      case '.inst':
      case '.inst.w':
      case '.inst.n':
        return this.readInst(source, operands);
      case '.hword':
      case '.short':
      case '.2byte':
        return data(2);
      case '.byte':
        return data(1);
      case '.ascii':
        return text(false);
      case '.asciz':
      case '.string':
        return text(true);
      case '.align':
      case '.p2align': {
        const log2 = operands[0] === undefined ? 2 : this.constant(source, operands[0]);
        if (log2 < 0 || log2 > 20) throw new AssemblerError(line, `${mnemonic} of ${log2}`);
        return align(2 ** log2);
      }
      case '.balign': {
        const to = this.constant(source, operands[0] ?? '');
        if (to < 1 || (to & (to - 1)) !== 0) throw new AssemblerError(line, `${mnemonic} of ${to}`);
        return align(to);
      }
      case '.even':
        return align(2);
      case '.space':
      case '.skip':
      case '.zero':
        if (operands[0] === undefined) throw new AssemblerError(line, `${mnemonic} needs a size`);
        return this.add({
          ...place,
          kind: 'space',
          count: operands[0],
          fill: operands[1] === undefined ? 0 : this.constant(source, operands[1]),
        });
      case '.org':
        return this.add({ ...place, kind: 'origin', expression: rest });
      case '.equ':
      case '.set': {
        const [name, expression] = operands;
        if (name === undefined || expression === undefined || !isPlainName(name))
          throw new AssemblerError(line, `${mnemonic} needs a name and a value`);
        if (mnemonic === '.equ') this.define(source, name);
        else this.defined.add(name);
        const value = this.value(expression, 0);
        if (value !== undefined) this.values.set(name, value);
        return this.add({ ...place, kind: 'equ', name, expression });
      }
      case '.arm':
        this.thumb = false;
        return undefined;
      case '.thumb':
        this.thumb = true;
        return undefined;
      case '.code':
        if (rest !== '16' && rest !== '32') throw new AssemblerError(line, '.code is 16 or 32');
        this.thumb = rest === '16';
        return undefined;
      case '.thumb_func':
        this.thumb = true;
        this.nextIsThumbFunction = true;
        return undefined;
      case '.ltorg':
      case '.pool':
        return this.flushPool(source);
      default:
        if (!ignored.has(mnemonic)) throw new AssemblerError(line, `unknown directive '${mnemonic}'`);
        return undefined;
    }
  }

  /** `.inst`: instruction words, halfwords swapped in T32. */
  private readInst(source: SourceStatement, operands: readonly string[]): undefined {
    for (const operand of operands) {
      const value = this.constant(source, operand) >>> 0;
      const wide = !this.thumb || source.mnemonic === '.inst.w' || (source.mnemonic === '.inst' && value > 0xffff);
      const halves = !wide ? [value] : this.thumb ? [value >>> 16, value & 0xffff] : [value & 0xffff, value >>> 16];
      this.add({ source, address: 0, size: 0, kind: 'bytes', bytes: halves.flatMap((half) => [half & 0xff, (half >> 8) & 0xff]) });
    }
  }

  private readInstruction(source: SourceStatement): void {
    const { line } = source;
    const width = /\.([wn])$/.exec(source.mnemonic);
    const mnemonic = width === null ? source.mnemonic : source.mnemonic.slice(0, -2);
    const operands = splitOperands(source.rest);
    if (operands.includes('')) throw new AssemblerError(line, `an operand is missing in '${source.text}'`);
    const size = width === null ? undefined : width[1] === 'w' ? 4 : 2;
    const place = { source, address: 0, kind: 'instruction', thumb: this.thumb } as const;
    const it = /^it([te]{0,3})$/.exec(mnemonic);
    if (it !== null) {
      const condition = conditionNumber(operands[0] ?? '');
      if (condition === undefined || operands.length !== 1) throw new AssemblerError(line, `'${mnemonic}' needs a condition`);
      if (this.itSlots.length > 0) throw new AssemblerError(line, 'IT inside an IT block');
      // In A32 IT is a promise about what follows and makes no code.
      if (!this.thumb) return;
      this.itSlots = [condition, ...[...it[1]!].map((letter) => (letter === 't' ? condition : condition ^ 1))];
      this.add({ ...place, size: 2, text: { mnemonic, operands } });
      return;
    }
    const itCondition = this.thumb ? this.itSlots.shift() : undefined;
    const literal = operands.length === 2 && operands[1]!.startsWith('=') ? operands[1]!.slice(1).trim() : undefined;
    const text: InstructionText = {
      mnemonic,
      operands,
      ...(size !== undefined && { size }),
      ...(itCondition !== undefined && { itCondition }),
    };
    const least = this.thumb && size !== 4 ? 2 : 4;
    if (literal === undefined) {
      this.add({ ...place, size: least, text });
      return;
    }
    const move = this.moveInstead(text, literal);
    if (move !== undefined) {
      this.add({ ...place, size: 4, text: move });
      return;
    }
    let index = this.pool.expressions.indexOf(literal);
    if (index < 0) index = this.pool.expressions.push(literal) - 1;
    this.add({ ...place, size: least, text, literal: { pool: this.pool, index } });
  }

  /** `ldr rd, =constant` as MOV, MVN or MOVW where one holds it, without touching the flags. */
  private moveInstead(text: InstructionText, literal: string): InstructionText | undefined {
    const suffix = /^ldr(\w*)$/.exec(text.mnemonic)?.[1];
    const value = evaluate(literal, (name) => (this.isConstant(name) ? this.values.get(name) : undefined));
    const destination = registerNumber(text.operands[0] ?? '');
    if (
      suffix === undefined ||
      (suffix !== '' && conditionNumber(suffix) === undefined) ||
      value === undefined ||
      destination === undefined
    )
      return undefined;
    if (destination === 15 || (this.thumb && (destination === 13 || text.size === 2))) return undefined;
    const word = value >>> 0;
    const tries: [string, number][] = [
      ['mov', word],
      ['mvn', ~word >>> 0],
    ];
    if (this.thumb && word <= 0xffff) tries.push(['movw', word]);
    for (const [name, constant] of tries) {
      const move: InstructionText = {
        ...text,
        mnemonic: name + suffix,
        operands: [text.operands[0]!, `#${constant}`],
        size: this.thumb ? 4 : undefined,
      };
      // Exactly this instruction: its aliases are not asked.
      const result = this.encoder.encodeExactly(move, { address: 0, thumb: this.thumb }, 4);
      if (typeof result !== 'string') return move;
    }
    return undefined;
  }

  /** A name whose value does not depend on addresses. */
  private isConstant(name: string): boolean {
    return this.values.has(name) && !this.items.some((item) => item.kind === 'label' && item.name === name);
  }

  private flushPool(source: SourceStatement): undefined {
    if (this.pool.expressions.length === 0) return undefined;
    this.add({ kind: 'pool', source, pool: this.pool, address: 0, size: 0 });
    this.pool = { expressions: [], address: undefined };
  }

  /* Values */

  /** Value of a name at `address`; `index` is the item it stands in, for local labels. */
  private symbol(name: string, address: number, index: number, unknown: number): number | undefined {
    if (name === '.') return address;
    const local = /^([0-9]+)([bf])$/i.exec(name);
    if (local !== null) {
      const list = this.locals.get(local[1]!) ?? [];
      const found =
        local[2]!.toLowerCase() === 'b' ? list.filter(({ item }) => item <= index).pop() : list.find(({ item }) => item > index);
      return found === undefined ? undefined : (found.address ?? unknown);
    }
    return this.values.get(name) ?? (this.defined.has(name) ? unknown : undefined);
  }

  /** `unknown` stands for what the first pass has not come to yet: the value that makes for the shortest encoding. */
  private value(expression: string, address: number, index = this.items.length, unknown = address): number | undefined {
    return evaluate(expression, (name) => this.symbol(name, address, index, unknown));
  }

  /** A value that must be known while reading. */
  private constant(source: SourceStatement, expression: string): number {
    const value = evaluate(expression, (name) => this.values.get(name));
    if (value === undefined) throw new AssemblerError(source.line, `'${expression}' is not a constant`);
    return value;
  }

  /** As data: functions in T32 have bit 0 set. */
  private dataValue(expression: string, item: Item, index: number, address = item.address): number {
    const value = this.value(expression, address, index);
    if (value === undefined) throw new AssemblerError(item.source.line, this.complaint(expression));
    return this.thumbFunctions.has(expression.trim()) ? value | 1 : value;
  }

  private complaint(expression: string): string {
    const unknown = expression
      .match(/[A-Za-z_.$][\w.$]*/g)
      ?.find((name) => name !== '.' && !this.defined.has(name) && !/^0[xb]/i.test(name));
    return unknown === undefined ? `cannot read '${expression}'` : `unknown symbol '${unknown}'`;
  }

  /* Layout */

  /** One pass over addresses and sizes; true when something changed. */
  private layOut(): boolean {
    let changed = false;
    let address = this.origin;
    const set = (name: string, value: number): void => {
      if (this.values.get(name) !== value) changed = true;
      this.values.set(name, value);
    };
    const seen = new Map<string, number>();
    this.items.forEach((item, index) => {
      if (item.address !== address) changed = true;
      item.address = address;
      const size = this.sizeOf(item, index);
      if (size !== item.size) changed = true;
      item.size = size;
      if (item.kind === 'label') {
        if (/^[0-9]+$/.test(item.name)) {
          const n = seen.get(item.name) ?? 0;
          seen.set(item.name, n + 1);
          const local = this.locals.get(item.name)![n]!;
          if (local.address !== address) changed = true;
          local.address = address;
        } else set(item.name, address);
      } else if (item.kind === 'equ') {
        const value = this.value(item.expression, address, index);
        if (value === undefined) throw new AssemblerError(item.source.line, this.complaint(item.expression));
        set(item.name, value);
      } else if (item.kind === 'pool') item.pool.address = (address + 3) & ~3;
      address += size;
      if (address - this.origin > MAX_BYTES) throw new AssemblerError(item.source.line, 'the image is too large');
    });
    return changed;
  }

  private sizeOf(item: Item, index: number): number {
    switch (item.kind) {
      case 'instruction': {
        if (!item.thumb || item.size === 4) return 4;
        const encoded = this.encode(item, index);
        return typeof encoded === 'string' ? item.size : encoded.size;
      }
      case 'data':
        return item.unit * item.expressions.length;
      case 'bytes':
        return item.bytes.length;
      case 'align':
        return -item.address & (item.to - 1);
      case 'space': {
        const count = this.value(item.count, item.address, index);
        if (count === undefined || count < 0) throw new AssemblerError(item.source.line, `'${item.count}' is not a size`);
        return count;
      }
      case 'origin': {
        const target = this.value(item.expression, item.address, index);
        if (target === undefined || target < item.address) throw new AssemblerError(item.source.line, '.org goes back, or is no address');
        return target - item.address;
      }
      case 'pool':
        return (-item.address & 3) + 4 * item.pool.expressions.length;
      default:
        return 0;
    }
  }

  private encode(item: Item & { kind: 'instruction' }, index: number): Encoded | Refusal {
    const pc = (item.address + (item.thumb ? 4 : 8)) & ~3;
    const context: SyntaxContext = {
      address: item.address,
      thumb: item.thumb,
      label: (name) => (registerNumber(name) === undefined ? this.value(name, item.address, index, pc) : undefined),
    };
    const operands = item.text.operands.map((operand) => this.resolveConstants(operand, item.address, index));
    if (item.literal !== undefined) {
      operands[1] = `[pc, #${(item.literal.pool.address ?? pc) + 4 * item.literal.index - pc}]`;
    }
    return this.encoder.encode({ ...item.text, operands }, context, item.size);
  }

  /** Replaces `#expression` by its number. Plain numbers are left as they are (`#-0` has a meaning of its own). */
  private resolveConstants(operand: string, address: number, index: number): string {
    if (!operand.includes('#')) return operand;
    return operand.replace(/#\s*((?:[^,\][{}()]|\([^()]*(?:\([^()]*\)[^()]*)*\))+)/g, (all, expression: string) => {
      const text = expression.trim();
      if (/^[+-]?\s*(0x[0-9a-f]+|[0-9]+(\.[0-9]*)?(e[+-]?[0-9]+)?)$/i.test(text)) return `#${text.replace(/\s/g, '')}`;
      const value = this.value(text, address, index);
      return value === undefined ? all : `#${value}`;
    });
  }

  /* Output */

  private emit(): Assembly {
    const end = this.items.reduce((sum, item) => sum + item.size, 0);
    const bytes = new Uint8Array(end);
    const lines: AssembledLine[] = [];
    const put = (at: number, value: number, unit: number): void => {
      for (let i = 0; i < unit; i++) bytes[at + i] = value >>> (8 * i);
    };
    this.items.forEach((item, index) => {
      const at = item.address - this.origin;
      const { line } = item.source;
      switch (item.kind) {
        case 'instruction': {
          const encoded = this.encode(item, index);
          if (typeof encoded === 'string') throw new AssemblerError(line, this.explainRefusal(item.text, encoded));
          if (item.address & (item.thumb ? 1 : 3)) throw new AssemblerError(line, 'the instruction is not aligned');
          const { word } = encoded;
          if (item.thumb && encoded.size === 4) {
            put(at, word >>> 16, 2);
            put(at + 2, word, 2);
          } else put(at, word, encoded.size);
          break;
        }
        case 'data':
          item.expressions.forEach((expression, i) => {
            const value = this.dataValue(expression, item, index, item.address + i * item.unit);
            if (item.unit < 4 && (value < -(2 ** (8 * item.unit - 1)) || value >= 2 ** (8 * item.unit))) {
              throw new AssemblerError(line, `${value} does not fit ${item.unit * 8} bits`);
            }
            put(at + i * item.unit, value, item.unit);
          });
          break;
        case 'bytes':
          bytes.set(item.bytes, at);
          break;
        case 'align':
          this.fillAlignment(bytes, at, item);
          break;
        case 'space':
          bytes.fill(item.fill & 0xff, at, at + item.size);
          break;
        case 'pool':
          item.pool.expressions.forEach((expression, i) => {
            put(at + item.size - 4 * (item.pool.expressions.length - i), this.dataValue(expression, item, index), 4);
          });
          break;
      }
      if (item.size > 0) lines.push({ line, address: item.address, size: item.size, text: item.source.text });
    });
    return { origin: this.origin, bytes, labels: new Map([...this.values].filter(([name]) => this.defined.has(name))), lines };
  }

  /** Gaps after code are filled with NOPs, others with zeros unless a value is given. */
  private fillAlignment(bytes: Uint8Array, at: number, item: Item & { kind: 'align' }): void {
    bytes.fill((item.fill ?? 0) & 0xff, at, at + item.size);
    if (item.nops === undefined || item.size % item.nops !== 0) return;
    const nop = item.nops === 2 ? [0x00, 0xbf] : [0x00, 0xf0, 0x20, 0xe3];
    for (let i = 0; i < item.size; i++) bytes[at + i] = nop[i % item.nops]!;
  }

  private explainRefusal(text: InstructionText, refusal: Refusal): string {
    if (refusal === 'operands') {
      for (const operand of text.operands) {
        const name = operand.replace(/^[#=]/, '');
        if (
          isPlainName(name) &&
          registerNumber(name) === undefined &&
          !this.defined.has(name) &&
          (/^[#=]/.test(operand) || /^(b|bl|blx|adr|ldr|cb)/.test(text.mnemonic))
        ) {
          return `unknown symbol '${name}'`;
        }
        if (this.values.has(name) && registerNumber(name) === undefined && /^(b|bl|blx|adr|ldr|cb)/.test(text.mnemonic))
          return `'${text.mnemonic}' does not reach '${name}'`;
      }
    }
    return explain[refusal](text);
  }
}

/** Assembles a source text with every instruction known. Throws {@link AssemblerError}. */
export const assemble = (source: string, options: AssembleOptions = {}): Assembly => new Assembler().assemble(source, options);

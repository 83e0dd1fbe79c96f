import type { SyntaxContext } from '../operands.js';
import { registerNumber } from '../operands.js';
import type { Encoded, InstructionEncoder, InstructionText, Refusal } from './instruction-encoder.js';
import type { Item } from './items.js';
import type { Symbols } from './symbols.js';
import { isPlainName } from './symbols.js';

const explain: Readonly<Record<Refusal, (text: InstructionText) => string>> = {
  mnemonic: ({ mnemonic }) => `unknown instruction '${mnemonic}'`,
  operands: ({ mnemonic, operands }) => `'${mnemonic}' does not take '${operands.join(', ')}'`,
  condition: ({ mnemonic, itCondition }) =>
    itCondition === undefined
      ? `'${mnemonic}' needs an IT block, or to set the flags`
      : `the condition or 's' of '${mnemonic}' does not fit its place in the IT block`,
  unpredictable: ({ mnemonic, operands }) => `'${mnemonic} ${operands.join(', ')}' is UNPREDICTABLE`,
};

/** Instructions that take a label. */
const takesLabel = /^(b|bl|blx|adr|ldr|cb)/;

/** Encodes instructions where they stand, with the values that names have there. */
export class InstructionPlacer {
  private readonly encoder: InstructionEncoder;
  private readonly symbols: Symbols;

  constructor(encoder: InstructionEncoder, symbols: Symbols) {
    this.encoder = encoder;
    this.symbols = symbols;
  }

  /** The shortest encoding of at least the item's size; `index` is the item's number. */
  encode(item: Item<'instruction'>, index: number): Encoded | Refusal {
    const pc = (item.address + (item.thumb ? 4 : 8)) & ~3;
    const context: SyntaxContext = {
      address: item.address,
      thumb: item.thumb,
      label: (name) => (registerNumber(name) === undefined ? this.symbols.value(name, item.address, index, pc) : undefined),
    };
    const operands = item.text.operands.map((operand) => this.resolveConstants(operand, item.address, index));
    if (item.literal !== undefined) {
      operands[1] = `[pc, #${(item.literal.pool.address ?? pc) + 4 * item.literal.index - pc}]`;
    }
    return this.encoder.encode({ ...item.text, operands }, context, item.size);
  }

  /** What to say of a refusal. */
  explain(text: InstructionText, refusal: Refusal): string {
    if (refusal === 'operands') {
      for (const operand of text.operands) {
        const name = operand.replace(/^[#=]/, '');
        if (
          isPlainName(name) &&
          registerNumber(name) === undefined &&
          !this.symbols.isDefined(name) &&
          (/^[#=]/.test(operand) || takesLabel.test(text.mnemonic))
        ) {
          return `unknown symbol '${name}'`;
        }
        if (this.symbols.hasValue(name) && registerNumber(name) === undefined && takesLabel.test(text.mnemonic))
          return `'${text.mnemonic}' does not reach '${name}'`;
      }
    }
    return explain[refusal](text);
  }

  /** Replaces `#expression` by its number. Plain numbers are left as they are (`#-0` has a meaning of its own). */
  private resolveConstants(operand: string, address: number, index: number): string {
    if (!operand.includes('#')) return operand;
    return operand.replace(/#\s*((?:[^,\][{}()]|\([^()]*(?:\([^()]*\)[^()]*)*\))+)/g, (all, expression: string) => {
      const text = expression.trim();
      if (/^[+-]?\s*(0x[0-9a-f]+|[0-9]+(\.[0-9]*)?(e[+-]?[0-9]+)?)$/i.test(text)) return `#${text.replace(/\s/g, '')}`;
      const value = this.symbols.value(text, address, index);
      return value === undefined ? all : `#${value}`;
    });
  }
}

import { conditionNumber } from '../mnemonic.js';
import { registerNumber } from '../operands.js';
import type { InstructionEncoder, InstructionText } from './instruction-encoder.js';
import type { LiteralPool } from './items.js';
import type { Symbols } from './symbols.js';

const emptyPool = (): LiteralPool => ({ expressions: [], address: undefined });

/** How `ldr rd, =expression` comes by its value: as an immediate where one holds it, from the literal pool elsewhere. */
export class Literals {
  private readonly encoder: InstructionEncoder;
  private readonly symbols: Symbols;
  private pool = emptyPool();

  constructor(encoder: InstructionEncoder, symbols: Symbols) {
    this.encoder = encoder;
    this.symbols = symbols;
  }

  /** MOV, MVN or MOVW instead of the load, without touching the flags; undefined where none will do. */
  move(text: InstructionText, expression: string, thumb: boolean): InstructionText | undefined {
    const suffix = /^ldr(\w*)$/.exec(text.mnemonic)?.[1];
    const value = this.symbols.constant(expression);
    const destination = registerNumber(text.operands[0] ?? '');
    if (
      suffix === undefined ||
      (suffix !== '' && conditionNumber(suffix) === undefined) ||
      value === undefined ||
      destination === undefined
    )
      return undefined;
    if (destination === 15 || (thumb && (destination === 13 || text.size === 2))) return undefined;
    const word = value >>> 0;
    const tries: [string, number][] = [
      ['mov', word],
      ['mvn', ~word >>> 0],
    ];
    if (thumb && word <= 0xffff) tries.push(['movw', word]);
    for (const [name, constant] of tries) {
      const move: InstructionText = {
        ...text,
        mnemonic: name + suffix,
        operands: [text.operands[0]!, `#${constant}`],
        size: thumb ? 4 : undefined,
      };
      // Exactly this instruction: its aliases are not asked.
      const result = this.encoder.encodeExactly(move, { address: 0, thumb }, 4);
      if (typeof result !== 'string') return move;
    }
    return undefined;
  }

  /** A place in the pool to come, the same for the same expression. */
  place(expression: string): { readonly pool: LiteralPool; readonly index: number } {
    const { pool } = this;
    const index = pool.expressions.indexOf(expression);
    return { pool, index: index < 0 ? pool.expressions.push(expression) - 1 : index };
  }

  /** Ends the pool and begins another. Undefined when nothing is in it. */
  take(): LiteralPool | undefined {
    const { pool } = this;
    if (pool.expressions.length === 0) return undefined;
    this.pool = emptyPool();
    return pool;
  }
}

import type { ItemContent } from './items.js';
import type { SourceStatement } from './source.js';
import { AssemblerError, splitOperands, stringBytes } from './source.js';

/** Where a directive stands. */
export interface DirectiveContext {
  readonly thumb: boolean;
  /** What stands before it is an instruction: gaps are filled with NOPs. */
  readonly afterCode: boolean;
  /** Value of an expression that must be known now. Throws {@link AssemblerError}. */
  constant(expression: string): number;
}

/** `.inst`: instruction words, halfwords swapped in T32. */
const instructionWord = (mnemonic: string, value: number, thumb: boolean): ItemContent => {
  const wide = !thumb || mnemonic === '.inst.w' || (mnemonic === '.inst' && value > 0xffff);
  const halves = !wide ? [value] : thumb ? [value >>> 16, value & 0xffff] : [value & 0xffff, value >>> 16];
  return { kind: 'bytes', bytes: halves.flatMap((half) => [half & 0xff, (half >> 8) & 0xff]) };
};

/** What a directive that makes bytes lays out; undefined for any other. Throws {@link AssemblerError}. */
export const readDataDirective = (source: SourceStatement, context: DirectiveContext): readonly ItemContent[] | undefined => {
  const { mnemonic, rest, line } = source;
  const operands = splitOperands(rest);
  const data = (unit: 1 | 2 | 4): ItemContent[] => {
    if (operands.length === 0 || operands.includes('')) throw new AssemblerError(line, `${mnemonic} needs values`);
    return [{ kind: 'data', unit, expressions: operands }];
  };
  const text = (terminated: boolean): ItemContent[] => {
    const bytes = operands.flatMap((operand) => {
      const one = stringBytes(operand);
      if (one === undefined) throw new AssemblerError(line, `${mnemonic} needs quoted strings`);
      return terminated ? [...one, 0] : one;
    });
    return [{ kind: 'bytes', bytes }];
  };
  const align = (to: number): ItemContent[] => {
    const fill = operands[1] === undefined || operands[1] === '' ? undefined : context.constant(operands[1]);
    const nops = fill === undefined && context.afterCode ? (context.thumb ? 2 : 4) : undefined;
    return [{ kind: 'align', to, fill, nops }];
  };
  switch (mnemonic) {
    case '.word':
    case '.long':
    case '.int':
    case '.4byte':
      return data(4);
    case '.hword':
    case '.short':
    case '.2byte':
      return data(2);
    case '.byte':
      return data(1);
    case '.inst':
    case '.inst.w':
    case '.inst.n':
      return operands.map((operand) => instructionWord(mnemonic, context.constant(operand) >>> 0, context.thumb));
    case '.ascii':
      return text(false);
    case '.asciz':
    case '.string':
      return text(true);
    case '.align':
    case '.p2align': {
      const log2 = operands[0] === undefined ? 2 : context.constant(operands[0]);
      if (log2 < 0 || log2 > 20) throw new AssemblerError(line, `${mnemonic} of ${log2}`);
      return align(2 ** log2);
    }
    case '.balign': {
      const to = context.constant(operands[0] ?? '');
      if (to < 1 || (to & (to - 1)) !== 0) throw new AssemblerError(line, `${mnemonic} of ${to}`);
      return align(to);
    }
    case '.even':
      return align(2);
    case '.space':
    case '.skip':
    case '.zero':
      if (operands[0] === undefined) throw new AssemblerError(line, `${mnemonic} needs a size`);
      return [{ kind: 'space', count: operands[0], fill: operands[1] === undefined ? 0 : context.constant(operands[1]) }];
    case '.org':
      return [{ kind: 'origin', expression: rest }];
    default:
      return undefined;
  }
};

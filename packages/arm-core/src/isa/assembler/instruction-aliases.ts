import type { SyntaxContext } from '../operands.js';
import { parseImmediate, registerNumber } from '../operands.js';
import type { InstructionText } from './instruction-encoder.js';

/**
 * Other ways to write what the records spell one way: UAL allows a first operand to stand for two, names that were mnemonics once, and constants that
 * only the inverse instruction can hold.
 */
export interface Alias {
  readonly text: InstructionText;
  /** True when it says the same and is tried even if the text itself has a (longer) encoding. */
  readonly shorter: boolean;
}

/** An instruction for the negated or inverted constant. */
const inverses: readonly { readonly from: string; readonly to: string; readonly invert: (value: number) => number }[] = [
  { from: 'mov', to: 'mvn', invert: (value) => ~value },
  { from: 'mvn', to: 'mov', invert: (value) => ~value },
  { from: 'and', to: 'bic', invert: (value) => ~value },
  { from: 'bic', to: 'and', invert: (value) => ~value },
  { from: 'adc', to: 'sbc', invert: (value) => ~value },
  { from: 'sbc', to: 'adc', invert: (value) => ~value },
  { from: 'add', to: 'sub', invert: (value) => -value },
  { from: 'sub', to: 'add', invert: (value) => -value },
  { from: 'cmp', to: 'cmn', invert: (value) => -value },
  { from: 'cmn', to: 'cmp', invert: (value) => -value },
];

const commutative = /^(add|adc|and|orr|eor|mul)/;
const isShift = (text: string | undefined): boolean => text !== undefined && /^(lsl|lsr|asr|ror|rrx)\b/i.test(text);
const isRegister = (text: string | undefined): boolean => text !== undefined && registerNumber(text) !== undefined;
const same = (a: string | undefined, b: string | undefined): boolean =>
  isRegister(a) && isRegister(b) && registerNumber(a!) === registerNumber(b!);

const withOperands = (text: InstructionText, operands: readonly string[], mnemonic = text.mnemonic): InstructionText => ({
  ...text,
  mnemonic,
  operands,
});

/** Word-sized two's complement as text. */
const signed = (value: number): string => `#${value | 0}`;

/** `mov rd, rm, lsl #n` as a shift instruction, and a shift by nothing as a move. */
const shiftAliases = (text: InstructionText): InstructionText[] => {
  const { mnemonic, operands } = text;
  const move = /^mov(s?)(\w*)$/.exec(mnemonic);
  if (move !== null && operands.length === 3 && isShift(operands[2])) {
    const [, name, amount] = /^(\w+)\s*(.*)$/.exec(operands[2]!)!;
    const rest = amount === '' ? operands.slice(0, 2) : [...operands.slice(0, 2), amount!];
    return [withOperands(text, rest, `${name!.toLowerCase()}${move[1]}${move[2]}`)];
  }
  const nothing = /^(?:lsl|lsr|asr|ror)(s?)(\w*)$/.exec(mnemonic);
  if (nothing !== null && parseImmediate(operands[operands.length - 1]) === 0) {
    const source = operands.length === 3 ? operands[1]! : operands[0]!;
    return [withOperands(text, [operands[0]!, source], `mov${nothing[1]}${nothing[2]}`)];
  }
  return [];
};

/** `adr rd, label` as an addition to PC. */
const addressAlias = (text: InstructionText, context: SyntaxContext): InstructionText[] => {
  const match = /^adr(?:l?)(eq|ne|cs|hs|cc|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le|al)?$/.exec(text.mnemonic);
  const target =
    match === null || text.operands.length !== 2 ? undefined : (parseImmediate(text.operands[1]) ?? context.label?.(text.operands[1]!));
  if (match === null || target === undefined) return [];
  const suffix = match[1] ?? '';
  const pc = context.address + (context.thumb ? 4 : 8);
  const distance = (target - (context.thumb ? pc & ~3 : pc)) | 0;
  const operands = [text.operands[0]!, 'pc', `#${Math.abs(distance)}`];
  const name = distance < 0 ? 'sub' : 'add';
  return context.thumb
    ? [withOperands(text, operands, `${name}${suffix}`), withOperands(text, operands, `${name}w${suffix}`)]
    : [withOperands(text, operands, `${name}${suffix}`)];
};

const conditionSuffix = '(eq|ne|cs|hs|cc|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le|al|)';
const blockTransfer = new RegExp(`^(ldm|stm)(ia|ib|da|db|fd|fa|ed|ea|)${conditionSuffix}$`);
const stack = new RegExp(`^(push|pop)${conditionSuffix}$`);
/** Stack names of the modes, of loads and of stores. */
const loadModes: Readonly<Record<string, string>> = { fd: 'ia', fa: 'da', ed: 'ib', ea: 'db', '': 'ia' };
const storeModes: Readonly<Record<string, string>> = { fd: 'db', fa: 'ib', ed: 'da', ea: 'ia', '': 'ia' };

/** LDM, STM, PUSH and POP by their other names (A8.8.58-A8.8.61, A8.8.131, A8.8.133). */
const blockTransferAliases = (text: InstructionText): InstructionText[] => {
  const { mnemonic, operands } = text;
  const block = blockTransfer.exec(mnemonic);
  if (block !== null) {
    const [, name, written, condition] = block as unknown as [string, string, string, string];
    const mode = (name === 'ldm' ? loadModes : storeModes)[written] ?? written;
    const list = [withOperands(text, operands, name + mode + condition)];
    if (mode === 'ia') list.push(withOperands(text, operands, name + condition));
    if (/^(sp|r13)\s*!$/i.test(operands[0] ?? '') && mode === (name === 'ldm' ? 'ia' : 'db')) {
      list.push(withOperands(text, operands.slice(1), (name === 'ldm' ? 'pop' : 'push') + condition));
    }
    return list;
  }
  const short = stack.exec(mnemonic);
  if (short === null) return [];
  const single = /^\{\s*(\w+)\s*\}$/.exec(operands[0] ?? '')?.[1];
  const pop = short[1] === 'pop';
  const list = [withOperands(text, ['sp!', ...operands], (pop ? 'ldmia' : 'stmdb') + short[2])];
  if (single !== undefined)
    list.push(withOperands(text, pop ? [single, '[sp]', '#4'] : [single, '[sp, #-4]!'], (pop ? 'ldr' : 'str') + short[2]));
  return list;
};

/** Every other reading of a line, likeliest first. */
export const aliases = (text: InstructionText, context: SyntaxContext): Alias[] => {
  const { mnemonic, operands } = text;
  const list: Alias[] = [];
  const add = (other: InstructionText, shorter = false): void => {
    list.push({ text: other, shorter });
  };
  if (operands.length >= 3 && same(operands[0], operands[1])) add(withOperands(text, [operands[0]!, ...operands.slice(2)]), true);
  if (operands.length === 3 && same(operands[0], operands[2]) && commutative.test(mnemonic))
    add(withOperands(text, operands.slice(0, 2)), true);
  if (operands.length >= 1 && operands.length <= 3 && isRegister(operands[0]) && !same(operands[0], operands[2])) {
    add(withOperands(text, [operands[0]!, ...operands]));
  }
  for (const other of shiftAliases(text)) add(other, true);
  for (const other of blockTransferAliases(text)) add(other, true);
  for (const other of addressAlias(text, context)) add(other);

  const last = operands[operands.length - 1];
  const constant = last?.startsWith('#') === true ? parseImmediate(last) : undefined;
  if (constant !== undefined) {
    const head = operands.slice(0, -1);
    for (const { from, to, invert } of inverses) {
      if (!mnemonic.startsWith(from)) continue;
      const other = [...head, signed(invert(constant))];
      const name = to + mnemonic.slice(from.length);
      add(withOperands(text, other, name));
      if (head.length === 1 && /^(add|sub|and|bic|adc|sbc)/.test(from)) add(withOperands(text, [head[0]!, ...other], name));
      if (head.length === 2 && same(head[0], head[1])) add(withOperands(text, [head[0]!, other[2]!], name), true);
    }
    // Constants that only the wide forms hold.
    const plain = /^(mov|add|sub)((?:eq|ne|cs|hs|cc|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le|al)?)$/.exec(mnemonic);
    if (plain !== null) {
      const full = plain[1] !== 'mov' && head.length === 1 ? [head[0]!, ...operands] : operands;
      add(withOperands(text, full, `${plain[1]}w${plain[2]}`));
      if (plain[1] !== 'mov')
        add(withOperands(text, [...full.slice(0, -1), signed(-constant)], `${plain[1] === 'add' ? 'sub' : 'add'}w${plain[2]}`));
    }
  }
  const negate = /^neg(s?)(\w*)$/.exec(mnemonic);
  if (negate !== null && operands.length === 2) add(withOperands(text, [...operands, '#0'], `rsb${negate[1]}${negate[2]}`));
  if (mnemonic.startsWith('cpy')) add(withOperands(text, operands, `mov${mnemonic.slice(3)}`));
  if (mnemonic.startsWith('swi')) add(withOperands(text, operands, `svc${mnemonic.slice(3)}`));
  if (mnemonic === 'bkpt' && operands.length === 0) add(withOperands(text, ['0']));
  return list;
};

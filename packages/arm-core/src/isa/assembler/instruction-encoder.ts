import type { Disassembler } from '../disassembler.js';
import type { Encoding, Fields, InstructionSet } from '../encoding.js';
import type { Mnemonic, MnemonicMatch } from '../mnemonic.js';
import { itMask } from '../mnemonic.js';
import type { OperandSyntax, SyntaxContext } from '../operands.js';
import { registerName, registerNumber } from '../operands.js';
import type { CompiledPattern } from '../pattern.js';
import { extractFields, insertFields } from '../pattern.js';
import { aliases } from './instruction-aliases.js';

/** Text of one instruction to words, from the records. */

/** One instruction as the assembler reads it. */
export interface InstructionText {
  /** In lower case, without `.w` and `.n`. */
  readonly mnemonic: string;
  readonly operands: readonly string[];
  /** Width asked for by `.w` (4) or `.n` (2). */
  readonly size?: 2 | 4 | undefined;
  /** Condition of its place in an IT block; undefined outside. */
  readonly itCondition?: number | undefined;
}

export interface Encoded {
  readonly word: number;
  readonly size: 2 | 4;
}

/** Why there is no encoding. */
export type Refusal = 'mnemonic' | 'operands' | 'condition' | 'unpredictable';

interface Candidate {
  readonly encoding: Encoding;
  readonly pattern: CompiledPattern;
  readonly mnemonic: Mnemonic;
}

/** Instructions that execute in an IT block whatever its condition. */
const ignoresIt = /^(bkpt|hlt)/;

/** Finds the records that a line may mean, and the shortest word. */
export class InstructionEncoder {
  /** Records by what their mnemonic begins with. */
  private readonly stems: Readonly<Record<'a32' | 'thumb', Map<string, Candidate[]>>>;
  private readonly disassembler: Disassembler;

  constructor(disassembler: Disassembler) {
    this.disassembler = disassembler;
    this.stems = { a32: new Map(), thumb: new Map() };
    for (const isa of ['T16', 'T32', 'A32'] as const) {
      for (const { encoding, pattern } of disassembler.table(isa).entries) {
        const mnemonic = disassembler.mnemonic(encoding);
        const map = this.stems[isa === 'A32' ? 'a32' : 'thumb'];
        const list = map.get(mnemonic.stem) ?? [];
        list.push({ encoding, pattern, mnemonic });
        map.set(mnemonic.stem, list);
      }
    }
  }

  /** The shortest word of at least `leastSize` bytes, or why there is none. */
  encode(text: InstructionText, context: SyntaxContext, leastSize = 2): Encoded | Refusal {
    let refusal: Refusal = 'mnemonic';
    const worse: Record<Refusal, number> = { mnemonic: 0, operands: 1, condition: 2, unpredictable: 3 };
    const direct = this.best(text, context, leastSize);
    if (typeof direct !== 'string' && direct.size === (context.thumb ? Math.max(leastSize, 2) : 4)) return direct;
    let found: Encoded | undefined;
    if (typeof direct === 'string') refusal = direct;
    else found = direct;
    for (const other of aliases(text, context)) {
      if (found !== undefined && !other.shorter) continue;
      const result = this.best(other.text, context, leastSize);
      if (typeof result === 'string') {
        if (worse[result] > worse[refusal]) refusal = result;
      } else if (found === undefined || result.size < found.size) found = result;
    }
    return found ?? refusal;
  }

  /** As `encode`, without other ways to write the line. */
  encodeExactly(text: InstructionText, context: SyntaxContext, leastSize = 2): Encoded | Refusal {
    return this.best(text, context, leastSize);
  }

  private best(text: InstructionText, context: SyntaxContext, leastSize: number): Encoded | Refusal {
    const map = this.stems[context.thumb ? 'thumb' : 'a32'];
    let refusal: Refusal = 'mnemonic';
    let best: Encoded | undefined;
    for (let length = 0; length <= text.mnemonic.length; length++) {
      for (const candidate of map.get(text.mnemonic.slice(0, length)) ?? []) {
        const size = candidate.encoding.isa === 'T16' ? 2 : 4;
        if (
          size < leastSize ||
          (text.size !== undefined && context.thumb && size !== text.size) ||
          (best !== undefined && best.size <= size)
        )
          continue;
        const match = candidate.mnemonic.match(text.mnemonic);
        if (match === undefined) continue;
        const result = this.tryCandidate(candidate, match, text, context);
        if (typeof result === 'number') best = { word: result, size };
        else if (refusal === 'mnemonic' || result === 'unpredictable' || (result === 'condition' && refusal === 'operands'))
          refusal = result;
      }
    }
    return best ?? refusal;
  }

  private tryCandidate(
    { encoding, pattern, mnemonic }: Candidate,
    match: MnemonicMatch,
    text: InstructionText,
    context: SyntaxContext,
  ): number | Refusal {
    const fields: Record<string, number> = { ...match.fields };
    const { itCondition } = text;
    const condition = match.condition ?? 14;
    const ownCondition = pattern.fields.some(({ letter }) => letter === 'c');
    if (!context.thumb) {
      if (ownCondition) fields['c'] = condition;
      else if (condition !== 14) return 'condition';
    } else if (ownCondition) {
      if (itCondition !== undefined || condition === 14) return 'condition';
      fields['c'] = condition;
    } else if (itCondition === undefined) {
      if (condition !== 14 || match.setsFlags === false) return 'condition';
    } else {
      if (match.condition === undefined ? !ignoresIt.test(mnemonic.stem) : condition !== itCondition) return 'condition';
      if (match.setsFlags === true) return 'condition';
    }

    const [, ...syntaxes] = encoding.text;
    const given = [...text.operands];
    const registers: { syntax: OperandSyntax; number: number }[] = [];
    for (let i = 0; i < syntaxes.length; i++) {
      const syntax = syntaxes[i]!;
      // The last operand takes all that is left: some have commas in their text (`#4, 30`, `[r0], r1`).
      const piece = given.length === 0 ? undefined : i === syntaxes.length - 1 ? given.splice(0).join(', ') : given.shift();
      const parsed = syntax.parse(piece, context, fields);
      if (parsed === undefined) return 'operands';
      const number = piece === undefined ? undefined : registerNumber(piece);
      if (number !== undefined) registers.push({ syntax, number });
      for (const [letter, value] of Object.entries(parsed)) {
        if (fields[letter] !== undefined && fields[letter] !== value) return 'operands';
        fields[letter] = value;
      }
    }
    if (given.length > 0) return 'operands';
    if (match.it !== undefined) fields['m'] = itMask(fields['q']!, match.it);
    const word = insertFields(pattern, fields);
    if (word === undefined) return 'operands';
    const complete = extractFields(pattern, word);
    // Registers that have no field of their own (Rt + 1 of LDRD) must be what the fields say.
    for (const { syntax, number } of registers) {
      const printed = syntax.print(complete, context);
      if (printed !== undefined && registerNumber(printed) !== undefined && printed !== registerName(number)) return 'operands';
    }
    return this.verdict(encoding, word, complete, context);
  }

  private operandText(encoding: Encoding, fields: Fields, context: SyntaxContext): string {
    const [template, ...syntaxes] = encoding.text;
    return [template, ...syntaxes.map((syntax) => syntax.print(fields, context))].join('|');
  }

  /** The word, unless it is another instruction or UNPREDICTABLE. */
  private verdict(encoding: Encoding, word: number, fields: Fields, context: SyntaxContext): number | Refusal {
    const isa: InstructionSet = encoding.isa;
    const decoded = this.disassembler.table(isa).decode(word);
    if (decoded === undefined) return 'operands';
    if (
      decoded.entry.encoding !== encoding &&
      this.operandText(decoded.entry.encoding, decoded.fields, context) !== this.operandText(encoding, fields, context)
    )
      return 'operands';
    return this.disassembler.disassemble(word, { thumb: context.thumb }).status === 'unpredictable' ? 'unpredictable' : word;
  }
}

import { parseArgs } from 'node:util';
import { Disassembler } from '@tablewalk/arm-core';
import type { ElfImage, SymbolTable } from '@tablewalk/loader';
import { formatSymbol, imageKind, parseElf, symbolTable } from '@tablewalk/loader';
import { readInput } from './files.js';
import type { CodeKind } from './mapping-symbols.js';
import { mappingSymbols } from './mapping-symbols.js';
import { Output } from './output.js';
import { UsageError } from './usage-error.js';

const number = (name: string, text: string | undefined, fallback: number): number => {
  const value = text === undefined ? fallback : Number(text);
  if (!Number.isInteger(value) || value < 0) throw new UsageError(`--${name} takes a number, not '${text}'`);
  return value;
};

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');

/** A stretch of code: bytes at a VA. */
interface Code {
  readonly bytes: Uint8Array;
  readonly base: number;
}

const SHT_PROGBITS = 1;
const SHF_EXECINSTR = 4;

const options = {
  base: { type: 'string' },
  start: { type: 'string' },
  count: { type: 'string' },
  thumb: { type: 'boolean' },
  hex: { type: 'boolean' },
} as const;

/** `tablewalk disasm`: an ELF file's executable sections with its symbols, a raw image, or words given with `--hex`. */
export const disasm = (argv: readonly string[]): number => {
  let parsed: ReturnType<typeof parseArgs<{ options: typeof options; allowPositionals: true }>>;
  try {
    parsed = parseArgs({ args: [...argv], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message.split('\n')[0]!);
  }
  const { values, positionals } = parsed;
  if (positionals.length === 0) throw new UsageError('disasm needs a file, or words with --hex');
  const bytes = values.hex ? wordsOf(positionals) : readInput('image', positionals[0]!);
  const elf = !values.hex && imageKind(bytes) === 'elf' ? parseElf(bytes) : undefined;
  const symbols = elf && symbolTable(elf.symbols());
  const base = number('base', values.base, 0);
  const pieces = elf ? codeOf(elf) : [{ bytes, base }];
  const listing = new Listing(
    symbols,
    elf ? mappingSymbols(elf) : [],
    values.thumb ?? false,
    number('count', values.count, Number.MAX_SAFE_INTEGER),
  );
  const start = values.start === undefined ? undefined : number('start', values.start, 0);
  for (const piece of pieces) {
    if (start !== undefined && (start < piece.base || start >= piece.base + piece.bytes.length)) continue;
    listing.print(piece, start ?? piece.base);
  }
  return 0;
};

/** Contents of the executable sections; of the executable segments, which may hold headers too, when a file has no sections. */
const codeOf = (elf: ElfImage): readonly Code[] => {
  const sections = elf.sections.filter(({ type, flags }) => type === SHT_PROGBITS && (flags & SHF_EXECINSTR) !== 0);
  if (sections.length === 0)
    return elf.segments.filter(({ executable }) => executable).map((segment) => ({ bytes: segment.bytes, base: segment.virtualAddress }));
  return sections.flatMap(({ name, address }) => {
    const bytes = elf.sectionBytes(name);
    return bytes === undefined ? [] : [{ bytes, base: address }];
  });
};

/** Prints code, labels where symbols begin. Mapping symbols say what follows; without any, function symbols say whether it is T32. */
class Listing {
  private readonly disassembler = new Disassembler();
  private readonly output = new Output(1);
  private readonly symbols: SymbolTable | undefined;
  private readonly labels = new Map<number, { readonly name: string; readonly thumb: boolean; readonly code: boolean }>();
  private thumb: boolean;
  private left: number;

  private readonly mapping: readonly { readonly address: number; readonly kind: CodeKind }[];

  constructor(symbols: SymbolTable | undefined, mapping: Listing['mapping'], thumb: boolean, count: number) {
    this.symbols = symbols;
    this.mapping = mapping;
    this.thumb = thumb;
    this.left = count;
    for (const { name, address, thumb: wide, kind } of symbols?.symbols ?? [])
      if (!this.labels.has(address)) this.labels.set(address, { name, thumb: wide, code: kind === 'function' });
  }

  print({ bytes, base }: Code, start: number): void {
    const half = (offset: number): number => bytes[offset]! | (bytes[offset + 1]! << 8);
    const symbol = (address: number): string | undefined => this.symbols && formatSymbol(this.symbols, address);
    let text = '';
    let at = start - base;
    let next = 0;
    let data = false;
    while (this.left > 0 && at < bytes.length && !this.output.closed) {
      const label = this.labels.get(base + at);
      if (label) {
        if (label.code && this.mapping.length === 0) this.thumb = label.thumb;
        text += `${hex(base + at, 8)} <${label.name}>:\n`;
      }
      for (; next < this.mapping.length && this.mapping[next]!.address <= base + at; next++) {
        const { address, kind } = this.mapping[next]!;
        if (address < base) continue;
        data = kind === 'data';
        if (!data) this.thumb = kind === 'T32';
      }
      if (data) {
        const end = Math.min(bytes.length, (this.mapping[next]?.address ?? Number.POSITIVE_INFINITY) - base);
        const size = (base + at) % 4 === 0 && at + 4 <= end ? 4 : (base + at) % 2 === 0 && at + 2 <= end ? 2 : 1;
        let value = 0;
        for (let i = size - 1; i >= 0; i--) value = value * 256 + bytes[at + i]!;
        const digits = hex(value, 2 * size);
        text += `${hex(base + at, 8)}:  ${digits.padEnd(8)}  .${{ 1: 'byte', 2: 'short', 4: 'word' }[size]} 0x${digits}\n`;
        at += size;
        this.left--;
        continue;
      }
      if (at + (this.thumb ? 2 : 4) > bytes.length) break;
      const first = half(at);
      const second = at + 4 <= bytes.length ? half(at + 2) : 0;
      const word = (this.thumb ? (first << 16) | second : first | (second << 16)) >>> 0;
      const shown = this.disassembler.disassemble(this.thumb && first < 0xe800 ? first : word, {
        thumb: this.thumb,
        address: base + at,
        ...(this.symbols && { symbol }),
      });
      text += `${hex(base + at, 8)}:  ${hex(shown.size === 2 ? first : word, 2 * shown.size).padEnd(8)}  ${shown.text}\n`;
      if (text.length > 1 << 16) {
        this.output.write(text);
        text = '';
      }
      at += shown.size;
      this.left--;
    }
    this.output.write(text);
  }
}

/** Hexadecimal words, each 4 bytes (or 2 with four digits or fewer), little-endian in memory. */
const wordsOf = (texts: readonly string[]): Uint8Array => {
  const bytes: number[] = [];
  for (const text of texts) {
    if (!/^(0x)?[0-9a-fA-F]{1,8}$/.test(text)) throw new UsageError(`'${text}' is not a hexadecimal word`);
    const digits = text.replace(/^0x/, '');
    const value = Number.parseInt(digits, 16);
    const size = digits.length <= 4 ? 2 : 4;
    for (let i = 0; i < size; i++) bytes.push((value >>> (8 * i)) & 255);
  }
  return Uint8Array.from(bytes);
};

import { parseArgs } from 'node:util';
import { Disassembler } from '@tablewalk/arm-core';
import { readInput } from './files.js';
import { Output } from './output.js';
import { UsageError } from './usage-error.js';

const number = (name: string, text: string | undefined, fallback: number): number => {
  const value = text === undefined ? fallback : Number(text);
  if (!Number.isInteger(value) || value < 0) throw new UsageError(`--${name} takes a number, not '${text}'`);
  return value;
};

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');

/** `tablewalk disasm`: a raw image, or words given with `--hex`. */
export const disasm = (argv: readonly string[]): number => {
  let parsed: { values: Record<string, string | boolean | undefined>; positionals: string[] };
  try {
    parsed = parseArgs({
      args: [...argv],
      options: {
        base: { type: 'string' },
        start: { type: 'string' },
        count: { type: 'string' },
        thumb: { type: 'boolean' },
        hex: { type: 'boolean' },
      },
      allowPositionals: true,
    });
  } catch (error) {
    throw new UsageError((error as Error).message.split('\n')[0]!);
  }
  const { values, positionals } = parsed;
  const thumb = values['thumb'] === true;
  if (positionals.length === 0) throw new UsageError('disasm needs a file, or words with --hex');
  const bytes = values['hex'] === true ? wordsOf(positionals) : readInput('image', positionals[0]!);
  const base = number('base', values['base'] as string | undefined, 0);
  const start = number('start', values['start'] as string | undefined, base);
  const disassembler = new Disassembler();
  const output = new Output(1);
  let left = number('count', values['count'] as string | undefined, Number.MAX_SAFE_INTEGER);
  let at = start - base;
  let lines = '';
  const half = (offset: number): number => bytes[offset]! | (bytes[offset + 1]! << 8);
  while (left-- > 0 && at >= 0 && at + (thumb ? 2 : 4) <= bytes.length && !output.closed) {
    const first = half(at);
    const second = at + 4 <= bytes.length ? half(at + 2) : 0;
    const word = (thumb ? (first << 16) | second : first | (second << 16)) >>> 0;
    const { text, size } = disassembler.disassemble(thumb && first < 0xe800 ? first : word, { thumb, address: base + at });
    lines += `${hex(base + at, 8)}:  ${hex(size === 2 ? first : word, 2 * size).padEnd(8)}  ${text}\n`;
    if (lines.length > 1 << 16) {
      output.write(lines);
      lines = '';
    }
    at += size;
  }
  output.write(lines);
  return 0;
};

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

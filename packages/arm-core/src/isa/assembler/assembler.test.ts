import { describe, expect, it } from 'vitest';
import { Disassembler } from '../disassembler.js';
import { Assembler, AssemblerError } from './assembler.js';
import { gnuSamples } from './samples.fixture.js';

const disassembler = new Disassembler();
const assembler = new Assembler(disassembler);
const hex = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
const bytesOf = (source: string, thumb = false, origin = 0): string => hex(assembler.assemble(source, { thumb, origin }).bytes);

describe('assembler', () => {
  it('makes of a long sample what GNU as makes of it', () => {
    const source = gnuSamples.map(([text]) => text).join('\n');
    const { bytes, lines } = assembler.assemble(source, { origin: 0x10000 });
    const made = new Map<number, string>();
    for (const { line, address, size } of lines) {
      made.set(line, (made.get(line) ?? '') + hex(bytes.subarray(address - 0x10000, address - 0x10000 + size)));
    }
    const got = gnuSamples.map(([text, expected], i) => [text, expected === undefined ? undefined : made.get(i + 1)]);
    expect(got).toEqual(gnuSamples.map(([text, expected]) => [text, expected]));
    expect(gnuSamples.filter(([, expected]) => expected !== undefined).length).toBeGreaterThan(200);
  });

  it('gives labels, lines and the origin', () => {
    const result = assembler.assemble('.equ SIZE, 4 * 3\nstart: mov r0, #SIZE @ twelve\n  b start // again\nend:', { origin: 0x8000 });
    expect(Object.fromEntries(result.labels)).toEqual({ SIZE: 12, start: 0x8000, end: 0x8008 });
    expect(hex(result.bytes)).toBe('0c00a0e3fdffffea');
    expect(result.lines).toEqual([
      { line: 2, address: 0x8000, size: 4, text: 'mov r0, #SIZE' },
      { line: 3, address: 0x8004, size: 4, text: 'b start' },
    ]);
  });

  it('keeps one literal for equal expressions, at .ltorg and at the end', () => {
    expect(bytesOf('ldr r0, =0x12345678\nldr r1, =0x12345678\n.ltorg\nldr r2, =there\nthere:')).toBe(
      ['00009fe5', '04101fe5', '78563412', '04201fe5', '10000000'].join(''),
    );
  });

  it('loads what depends on addresses from memory, also by another name', () => {
    expect(bytesOf('msg: .word 0\n.equ len, . - msg\n.equ there, msg\nldr r0, =len\nldr r1, =there', false, 0x8000)).toBe(
      ['00000000', '00009fe5', '00109fe5', '04000000', '00800000'].join(''),
    );
    expect(bytesOf('.set n, 1\n.set n, .\nldr r0, =n', false, 0x8000)).toBe(['04001fe5', '00800000'].join(''));
  });

  it('lets .set change a value from one statement to the next', () => {
    expect(bytesOf('.set n, 1\n.byte n\n.set n, n + 1\n.byte n\n.set n, there\n.byte n\nthere:')).toBe('010203');
    expect(bytesOf('.set n, 1\nmov r0, #n\n.set n, 2\nldr r1, =n')).toBe('0100a0e3' + '0210a0e3');
  });

  it('sets bit 0 where a T32 function is named as data, not where it is called', () => {
    expect(bytesOf('.word f\nblx f\n.thumb_func\nf: bx lr', false, 0x1000)).toBe('09100000' + 'ffffff' + 'fa' + '7047');
  });

  it('grows a branch only when its target is far', () => {
    expect(bytesOf('b there\n.space 2048\nthere: nop', true).slice(0, 4)).toBe('ffe3');
    expect(bytesOf('b there\n.space 2050\nthere: nop', true).slice(0, 8)).toBe('00f001bc');
  });

  it('knows local labels, strings, characters, expressions and block comments', () => {
    expect(bytesOf('1: .byte 1b - ., (2 + 3) * 2 /* ten */, \'a\', "x"[0]'.replace(', "x"[0]', ''))).toBe('000a61');
    expect(bytesOf('.asciz "a;b\\n" ; comment\n.hword 1 << 8 | 2')).toBe('613b620a00' + '0201');
  });

  it.each([
    ['frob r0', 1, "unknown instruction 'frob'"],
    ['nop\nadd r0, r1, [r2]', 2, "'add' does not take 'r0, r1, [r2]'"],
    ['\n\nb nowhere', 3, "unknown symbol 'nowhere'"],
    ['.word nowhere', 1, "unknown symbol 'nowhere'"],
    ['.frob', 1, "unknown directive '.frob'"],
    ['a:\na:', 2, "'a' is defined twice"],
    ['a:\n.set a, 1', 2, "'a' is defined twice"],
    ['.equ n, . + 4\n.balign n', 2, "'n' is not a constant"],
    ['mul r0, r15, r1', 1, "'mul r0, r15, r1' is UNPREDICTABLE"],
    ['mov r0, #0x12345678', 1, "'mov' does not take 'r0, #0x12345678'"],
    ['.thumb\nmoveq r0, r1', 2, "'moveq' needs an IT block, or to set the flags"],
    ['.thumb\nite eq\nmoveq r0, r1\nmoveq r0, r1', 4, "the condition or 's' of 'moveq' does not fit its place in the IT block"],
    ['.thumb\nit eq', 2, 'the IT block has no end'],
    ['.byte 256', 1, '256 does not fit 8 bits'],
    ['.byte 1\nnop', 2, 'the instruction is not aligned'],
    ['.thumb\nfar: .space 300\ncbz r0, far', 3, "'cbz' does not reach 'far'"],
    ['.space -1', 1, "'-1' is not a size"],
    ['ldrd r0, r2, [r1]', 1, "'ldrd' does not take 'r0, r2, [r1]'"],
    ['.align 99', 1, '.align of 99'],
  ])('%j is refused at line %i', (source, line, message) => {
    expect(() => assembler.assemble(source)).toThrow(AssemblerError);
    expect(() => assembler.assemble(source)).toThrow(`[arm-core] [assembler] line ${line}: ${message}`);
  });
});

describe('disassembler', () => {
  it('follows IT blocks', () => {
    const { bytes } = assembler.assemble('itte ne\naddne r0, r0, r1\nmovne r2, #5\nmoveq r2, #6\nadds r0, r0, r1', { thumb: true });
    expect(disassembler.listing(bytes, { thumb: true }).map(({ text }) => text)).toEqual([
      'itte ne',
      'addne r0, r0, r1',
      'movne r2, #5',
      'moveq r2, #6',
      'adds r0, r0, r1',
    ]);
  });
  it('says what is no instruction, and what is UNPREDICTABLE', () => {
    expect(disassembler.disassemble(0xe6000010)).toMatchObject({
      text: '.word 0xe6000010',
      status: 'undefined',
      size: 4,
      entry: undefined,
    });
    expect(disassembler.disassemble(0xba80 | 5, { thumb: true })).toMatchObject({ text: '.short 0xba85', status: 'undefined', size: 2 });
    expect(disassembler.disassemble(0xe0000f91)).toMatchObject({ text: 'mul r0, r1, pc', status: 'unpredictable' });
  });
  it('prints symbols', () => {
    expect(
      disassembler.disassemble(0xeafffffe, { address: 0x100, symbol: (address) => (address === 0x100 ? 'start' : undefined) }).text,
    ).toBe('b start');
  });
});

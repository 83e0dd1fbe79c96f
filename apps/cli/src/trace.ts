import { closeSync, openSync } from 'node:fs';
import { Disassembler } from '@tablewalk/arm-core';
import type { VirtMachine } from '@tablewalk/board-qemu-virt';
import type { SymbolTable } from '@tablewalk/loader';
import { formatSymbol } from '@tablewalk/loader';
import { Output } from './output.js';
import { UsageError } from './usage-error.js';

const hex = (value: number, digits = 8): string => (value >>> 0).toString(16).padStart(digits, '0');

const names = ['r0', 'r1', 'r2', 'r3', 'r4', 'r5', 'r6', 'r7', 'r8', 'r9', 'r10', 'r11', 'r12', 'sp', 'lr'];

/**
 * One line for each instruction: its number, address, word, text, and the registers it changed. Steps the machine, so it is slow (some 100,000
 * instructions a second) and changes nothing.
 */
export class Tracer {
  private readonly machine: VirtMachine;
  private readonly fd: number;
  private readonly output: Output;
  private readonly symbols: SymbolTable | undefined;
  private readonly disassembler = new Disassembler();
  private lines: string[] = [];
  private readonly before = new Int32Array(15);
  private cpsr = 0;

  /** `path` is a file, or `-` for standard error. */
  constructor(machine: VirtMachine, path: string, symbols?: SymbolTable) {
    this.symbols = symbols;
    this.machine = machine;
    try {
      this.fd = path === '-' ? 2 : openSync(path, 'w');
    } catch (error) {
      throw new UsageError(`cannot write the trace ${path}: ${(error as Error).message}`, { cause: error });
    }
    this.output = new Output(this.fd);
  }

  /** Call before an instruction; returns the function to call after it. */
  step(): () => void {
    const { core } = this.machine.cpu;
    const pc = core.words[15]! >>> 0;
    const number = this.machine.instructions;
    const text = this.textAt(pc);
    this.before.set(core.words.subarray(0, 15));
    this.cpsr = core.readCpsr();
    return () => {
      const changes: string[] = [];
      for (let n = 0; n < 15; n++) if (core.words[n] !== this.before[n]) changes.push(`${names[n]}=${hex(core.words[n]!)}`);
      const cpsr = core.readCpsr();
      if (cpsr !== this.cpsr) changes.push(`cpsr=${hex(cpsr)}`);
      this.lines.push(`${number} ${text.padEnd(this.symbols ? 96 : 64)} ${changes.join(' ')}`.trimEnd());
      if (this.lines.length >= 4096) this.flush();
    };
  }

  private textAt(pc: number): string {
    const { machine } = this;
    const first = this.halfword(pc);
    const { symbols } = this;
    const symbol = (address: number): string | undefined => symbols && formatSymbol(symbols, address);
    const name = symbol(pc);
    const place = name === undefined ? hex(pc) : `${hex(pc)} <${name}>`;
    if (first === undefined) return `${place}:  cannot be read`;
    const second = this.halfword(pc + 2) ?? 0;
    const { thumb } = machine.cpu.core;
    const word = thumb ? (first < 0xe800 ? first : ((first << 16) | second) >>> 0) : ((second << 16) | first) >>> 0;
    const shown = this.disassembler.disassemble(word, {
      thumb,
      address: pc,
      itstate: machine.cpu.core.itstate(),
      ...(symbols && { symbol }),
    });
    return `${place}:  ${hex(word, 2 * shown.size).padEnd(8)}  ${shown.text}`;
  }

  private halfword(va: number): number | undefined {
    const pa = this.machine.translate(va);
    const bytes = pa === undefined ? undefined : this.machine.readMemory(pa, 2);
    return bytes && bytes[0]! | (bytes[1]! << 8);
  }

  flush(): void {
    if (this.lines.length === 0) return;
    this.output.write(`${this.lines.join('\n')}\n`);
    this.lines = [];
  }

  close(): void {
    this.flush();
    if (this.fd !== 2) closeSync(this.fd);
  }
}

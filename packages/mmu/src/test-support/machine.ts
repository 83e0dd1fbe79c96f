import type { FastTablePort, SystemRegister, SystemRegister64, SystemRegisterBank, WalkPort } from '@tablewalk/machine/contracts';
import { Vmsav7, type Vmsav7Options } from '../vmsav7.js';

/** Words by physical address. Everything below `limit` reads as zero until it is written; above there is nothing. */
export class TestMemory implements WalkPort {
  readonly words = new Map<number, number>();
  reads = 0;
  limit = 2 ** 40;

  readU32(pa: number): number | undefined {
    this.reads++;
    if (pa % 4 !== 0) throw new Error(`descriptor read at ${pa.toString(16)}`);
    return pa < this.limit ? (this.words.get(pa) ?? 0) : undefined;
  }
  set(pa: number, word: number): void {
    this.words.set(pa, word >>> 0);
  }
  set64(pa: number, low: number, high: number): void {
    this.set(pa, low);
    this.set(pa + 4, high);
  }
}

export class FastTableLog implements FastTablePort {
  readonly calls: string[] = [];
  dropAll(): void {
    this.calls.push('all');
  }
  dropPage(va: number, sizeLog2: number): void {
    this.calls.push(`page ${va.toString(16)} ${sizeLog2}`);
  }
  dropEntry(va: number, sizeLog2: number): void {
    this.calls.push(`entry ${va.toString(16)} ${sizeLog2}`);
  }
  dropAsid(asid: number): void {
    this.calls.push(`asid ${asid}`);
  }
  dropNonGlobal(): void {
    this.calls.push('non-global');
  }
  suspendNonGlobal(): boolean {
    this.calls.push('suspend');
    return true;
  }
  resumeNonGlobal(): void {
    this.calls.push('resume');
  }
  take(): string[] {
    return this.calls.splice(0);
  }
}

export class TestBank implements SystemRegisterBank {
  readonly registers = new Map<string, SystemRegister>();
  readonly wide = new Map<string, SystemRegister64>();
  define(e: { opc1: number; crn: number; crm: number; opc2: number }, register: SystemRegister): void {
    const key = `${e.opc1},c${e.crn},c${e.crm},${e.opc2}`;
    if (this.registers.has(key)) throw new Error(`${key} is defined twice`);
    this.registers.set(key, register);
  }
  define64(e: { opc1: number; crm: number }, register: SystemRegister64): void {
    const key = `${e.opc1},c${e.crm}`;
    if (this.wide.has(key)) throw new Error(`${key} is defined twice`);
    this.wide.set(key, register);
  }
  /** By encoding as in `MCR p15, opc1, Rt, CRn, CRm, opc2` less the Rt. */
  mcr(key: string, value: number): void {
    const write = this.registers.get(key)?.write;
    if (write === undefined) throw new Error(`${key} cannot be written`);
    write(value >>> 0);
  }
  mrc(key: string): number {
    const read = this.registers.get(key)?.read;
    if (read === undefined) throw new Error(`${key} cannot be read`);
    return read();
  }
  mrrc(key: string): [number, number] {
    const pair = new Uint32Array(2);
    this.wide.get(key)?.read?.(pair);
    return [pair[0], pair[1]];
  }
}

export interface TestMachine {
  readonly memory: TestMemory;
  readonly mmu: Vmsav7;
  readonly bank: TestBank;
  readonly port: FastTableLog;
}

export const SCTLR = '0,c1,c0,0';
export const TTBR0 = '0,c2,c0,0';
export const TTBR1 = '0,c2,c0,1';
export const TTBCR = '0,c2,c0,2';
export const DACR = '0,c3,c0,0';
export const CONTEXTIDR = '0,c13,c0,1';
export const PRRR = '0,c10,c2,0';
export const NMRR = '0,c10,c2,1';
export const PAR = '0,c7,c4,0';

export function testMachine(options: Partial<Vmsav7Options> = {}): TestMachine {
  const memory = new TestMemory();
  const mmu = new Vmsav7({ memory, ...options });
  const bank = new TestBank();
  const port = new FastTableLog();
  mmu.defineRegisters(bank);
  mmu.connect(port);
  return { memory, mmu, bank, port };
}

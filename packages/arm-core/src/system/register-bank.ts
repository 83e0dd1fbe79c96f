import type {
  SystemRegister,
  SystemRegister64,
  SystemRegisterBank,
  SystemRegisterEncoding,
  SystemRegisterEncoding64,
} from '@tablewalk/machine/contracts';
import { SystemRegisterError } from './registers-error.js';

/** A set of encodings: a missing field is any value, a list is one of these. */
export interface SystemRegisterRange {
  readonly cp: 14 | 15;
  readonly opc1?: number | readonly number[];
  readonly crn?: number | readonly number[];
  readonly crm?: number | readonly number[];
  readonly opc2?: number | readonly number[];
}

/** Key of `find`: cp << 16 | opc1 << 12 | CRn << 8 | CRm << 4 | opc2. */
export const registerKey = ({ cp, opc1, crn, crm, opc2 }: SystemRegisterEncoding): number =>
  (cp << 16) | (opc1 << 12) | (crn << 8) | (crm << 4) | opc2;

/** Key of `find64`: cp << 16 | opc1 << 4 | CRm. */
export const registerKey64 = ({ cp, opc1, crm }: SystemRegisterEncoding64): number => (cp << 16) | (opc1 << 4) | crm;

/* CP14 and CP15 alone have system registers: one bit of cp, then the fields without the key's gaps. */
const slotOf = (key: number): number => ((key >>> 2) & 0x4000) | ((key >>> 1) & 0x3ff8) | (key & 7);
const slotOf64 = (key: number): number => ((key >>> 8) & 0x100) | (key & 0xff);

const within = (value: number, width: number): boolean => Number.isInteger(value) && value >= 0 && value < 1 << width;

const valuesOf = (field: number | readonly number[] | undefined, width: number): readonly number[] => {
  if (field === undefined) return Array.from({ length: 1 << width }, (_, i) => i);
  return typeof field === 'number' ? [field] : field;
};

/**
 * The CP14/CP15 space of one core. Look-up is two typed-array reads. Registers of their own come before ranges: a range (reserved space that reads as
 * zero, an encoding that is decoded incompletely) fills what nobody else defined, whatever the order of definition.
 */
export class RegisterBank implements SystemRegisterBank {
  /** Index into `registers`; 0 is nobody. */
  private readonly own = new Uint16Array(0x8000);
  private readonly ranged = new Uint16Array(0x8000);
  private readonly own64 = new Uint16Array(0x200);
  private readonly registers: (SystemRegister | undefined)[] = [undefined];
  /** For an alias: slot of the register it stands for, at the same index as in `registers`. */
  private readonly targets: (number | undefined)[] = [undefined];
  private readonly registers64: (SystemRegister64 | undefined)[] = [undefined];
  private readonly byName = new Map<string, SystemRegister>();
  private readonly byName64 = new Map<string, SystemRegister64>();
  private readonly keys = new Map<number, SystemRegister>();
  private readonly keys64 = new Map<number, SystemRegister64>();
  private readonly absent: ReadonlySet<string>;

  /** Registers with a name in `absent` are UNDEFINED, whoever defines them, and whatever range their encoding is in. */
  constructor(absent: readonly string[] = []) {
    this.absent = new Set(absent);
  }

  /** Throws when the encoding has a register already or does not exist. */
  define(encoding: SystemRegisterEncoding, register: SystemRegister): void {
    const { cp, opc1, crn, crm, opc2 } = encoding;
    if ((cp !== 14 && cp !== 15) || !within(opc1, 3) || !within(crn, 4) || !within(crm, 4) || !within(opc2, 3))
      throw new SystemRegisterError(register.name, `there is no encoding p${cp}, ${opc1}, c${crn}, c${crm}, ${opc2}`);
    const key = registerKey(encoding);
    const slot = slotOf(key);
    const before = this.own[slot]!;
    if (before !== 0)
      throw new SystemRegisterError(
        register.name,
        `p${cp}, ${opc1}, c${crn}, c${crm}, ${opc2} is ${this.registers[before]?.name ?? 'absent'} already`,
      );
    if (this.absent.has(register.name)) {
      this.own[slot] = this.registers.push(undefined) - 1;
      return;
    }
    this.own[slot] = this.add(register, undefined);
    this.keys.set(key, register);
    if (!this.byName.has(register.name)) this.byName.set(register.name, register);
  }

  /** Throws when the encoding has a register already or does not exist. */
  define64(encoding: SystemRegisterEncoding64, register: SystemRegister64): void {
    const { cp, opc1, crm } = encoding;
    if ((cp !== 14 && cp !== 15) || !within(opc1, 4) || !within(crm, 4))
      throw new SystemRegisterError(register.name, `there is no 64-bit encoding p${cp}, ${opc1}, c${crm}`);
    const key = registerKey64(encoding);
    const slot = slotOf64(key);
    const before = this.own64[slot]!;
    if (before !== 0)
      throw new SystemRegisterError(register.name, `64-bit p${cp}, ${opc1}, c${crm} is ${this.registers64[before]!.name} already`);
    this.own64[slot] = this.registers64.push(register) - 1;
    this.keys64.set(key, register);
    if (!this.byName64.has(register.name)) this.byName64.set(register.name, register);
  }

  /** One register for every encoding of the range that has none of its own. Throws where two ranges meet. */
  defineRange(range: SystemRegisterRange, register: SystemRegister): void {
    this.fill(range, register.name, this.add(register, undefined));
  }

  /** Every encoding of the range that has no register of its own finds the one at `encoding`, if that exists when it is looked up. */
  alias(range: SystemRegisterRange, encoding: SystemRegisterEncoding): void {
    const index = this.registers.push(undefined) - 1;
    this.targets[index] = slotOf(registerKey(encoding));
    this.fill(range, 'alias', index);
  }

  private add(register: SystemRegister, target: number | undefined): number {
    const index = this.registers.push(register) - 1;
    this.targets[index] = target;
    return index;
  }

  private fill(range: SystemRegisterRange, name: string, index: number): void {
    for (const opc1 of valuesOf(range.opc1, 3))
      for (const crn of valuesOf(range.crn, 4))
        for (const crm of valuesOf(range.crm, 4))
          for (const opc2 of valuesOf(range.opc2, 3)) {
            const slot = slotOf(registerKey({ cp: range.cp, opc1, crn, crm, opc2 }));
            if (this.ranged[slot] !== 0)
              throw new SystemRegisterError(name, `p${range.cp}, ${opc1}, c${crn}, c${crm}, ${opc2} belongs to another range already`);
            this.ranged[slot] = index;
          }
  }

  /** The register of a key (see {@link registerKey}); undefined when the encoding is UNDEFINED. */
  find(key: number): SystemRegister | undefined {
    const slot = slotOf(key);
    const own = this.own[slot]!;
    if (own !== 0) return this.registers[own];
    const ranged = this.ranged[slot]!;
    const target = this.targets[ranged];
    return target === undefined ? this.registers[ranged] : this.registers[this.own[target]!];
  }

  /** The same for MRRC and MCRR (see {@link registerKey64}). */
  find64(key: number): SystemRegister64 | undefined {
    return this.registers64[this.own64[slotOf64(key)]!];
  }

  /** Whether the access exists and the privilege suffices; otherwise it is UNDEFINED. */
  allowed(register: SystemRegister | SystemRegister64, write: boolean, privileged: boolean): boolean {
    if ((write ? register.write : register.read) === undefined) return false;
    if (privileged) return true;
    const { pl0 } = register;
    if (pl0 === undefined || pl0 === 'none') return false;
    if (typeof pl0 === 'function') return pl0(write);
    return pl0 === 'read-write' || pl0 === (write ? 'write' : 'read');
  }

  /** Names of the 32-bit registers, in order of definition. Encodings that share a name are one register: the first. */
  names(): readonly string[] {
    return [...this.byName.keys()];
  }

  /** Names of the 64-bit registers. Some are 32-bit registers too (TTBR0, PAR). */
  names64(): readonly string[] {
    return [...this.byName64.keys()];
  }

  /** Every encoding that has a register of its own, by key. */
  entries(): IterableIterator<[key: number, register: SystemRegister]> {
    return this.keys.entries();
  }

  entries64(): IterableIterator<[key: number, register: SystemRegister64]> {
    return this.keys64.entries();
  }

  /** For gdb and reports: value by name at PL1; undefined for a name that is unknown, write-only or `volatile`. */
  read(name: string): number | undefined {
    const register = this.byName.get(name);
    if (register?.read === undefined || register.volatile === true) return undefined;
    return register.read() >>> 0;
  }

  /** Fills `pair` with bits 31:0 and 63:32; false for a name that is unknown or write-only. */
  read64(name: string, pair: Uint32Array): boolean {
    const register = this.byName64.get(name);
    if (register?.read === undefined) return false;
    register.read(pair);
    return true;
  }

  /** Writes by name as MCR at PL1 would; false for a name that is unknown or read-only, and for operations (`volatile`). */
  write(name: string, value: number): boolean {
    const register = this.byName.get(name);
    if (register?.write === undefined || register.volatile === true) return false;
    register.write(value >>> 0);
    return true;
  }
}

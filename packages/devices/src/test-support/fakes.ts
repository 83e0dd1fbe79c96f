import type {
  Clock,
  DeviceHost,
  DmaPort,
  InterruptLine,
  RomWindow,
  SystemRegister,
  SystemRegister64,
  SystemRegisterBank,
  SystemRegisterEncoding,
  SystemRegisterEncoding64,
  Timer,
} from '@tablewalk/machine/contracts';

/** A clock moved by hand. Timers expire at exactly their deadline, in order of creation when they share one. */
export class FakeClock implements Clock {
  private time = 0;
  private readonly timers: FakeTimer[] = [];

  now(): number {
    return this.time;
  }

  timer(name: string, expire: () => void): Timer {
    const timer = new FakeTimer(name, expire);
    this.timers.push(timer);
    return timer;
  }

  /** Moves to an absolute time, running what expires on the way. */
  advanceTo(target: number): void {
    for (;;) {
      let next: FakeTimer | undefined;
      for (const timer of this.timers) if (timer.deadline <= target && (!next || timer.deadline < next.deadline)) next = timer;
      if (!next) break;
      this.time = Math.max(this.time, next.deadline);
      next.fire();
    }
    this.time = target;
  }

  advance(ns: number): void {
    this.advanceTo(this.time + ns);
  }
}

class FakeTimer implements Timer {
  deadline = Number.POSITIVE_INFINITY;
  readonly name: string;
  private readonly expire: () => void;

  constructor(name: string, expire: () => void) {
    this.name = name;
    this.expire = expire;
  }

  arm(deadline: number): void {
    this.deadline = Math.ceil(deadline);
  }

  disarm(): void {
    this.deadline = Number.POSITIVE_INFINITY;
  }

  fire(): void {
    this.deadline = Number.POSITIVE_INFINITY;
    this.expire();
  }
}

/** A line that remembers its level and counts its changes. */
export class FakeLine implements InterruptLine {
  level = false;
  rises = 0;
  set(level: boolean): void {
    if (level && !this.level) this.rises++;
    this.level = level;
  }
}

export class FakeHost implements DeviceHost {
  readonly clock = new FakeClock();
  readonly guestErrors: string[] = [];
  readonly unimplementedUses: string[] = [];
  readonly diagnostics = {
    guestError: (component: string, message: string): void => {
      this.guestErrors.push(`${component}: ${message}`);
    },
    unimplemented: (component: string, message: string): void => {
      this.unimplementedUses.push(`${component}: ${message}`);
    },
  };
}

/** RAM at `base` behind a DMA port. */
export class FakeRam implements DmaPort {
  readonly bytes: Uint8Array;
  readonly base: number;

  constructor(base: number, byteLength: number) {
    this.base = base;
    this.bytes = new Uint8Array(byteLength);
  }

  contains(address: number, byteLength: number): boolean {
    return address >= this.base && address + byteLength <= this.base + this.bytes.length;
  }

  read(address: number, target: Uint8Array): boolean {
    if (!this.contains(address, target.length)) return false;
    target.set(this.bytes.subarray(address - this.base, address - this.base + target.length));
    return true;
  }

  write(address: number, source: Uint8Array): boolean {
    if (!this.contains(address, source.length)) return false;
    this.bytes.set(source, address - this.base);
    return true;
  }

  readU16(address: number): number | undefined {
    const bytes = new Uint8Array(2);
    return this.read(address, bytes) ? bytes[0] | (bytes[1] << 8) : undefined;
  }

  readU32(address: number): number | undefined {
    const bytes = new Uint8Array(4);
    return this.read(address, bytes) ? new DataView(bytes.buffer).getUint32(0, true) : undefined;
  }

  writeU16(address: number, value: number): boolean {
    return this.write(address, Uint8Array.of(value, value >>> 8));
  }

  writeU32(address: number, value: number): boolean {
    return this.write(address, Uint8Array.of(value, value >>> 8, value >>> 16, value >>> 24));
  }
}

export class FakeRom implements RomWindow {
  direct = true;
  readonly contents: Uint8Array;

  constructor(byteLength: number) {
    this.contents = new Uint8Array(byteLength);
  }

  get byteLength(): number {
    return this.contents.length;
  }

  bytes(): Readonly<Uint8Array> {
    return this.contents;
  }

  touched(): boolean {
    return true;
  }

  write(offset: number, source: Uint8Array): void {
    this.contents.set(source, offset);
  }

  setDirect(direct: boolean): void {
    this.direct = direct;
  }
}

/** A CP15 space: registers are found by name, and access from PL0 is checked as the CPU would. */
export class FakeBank implements SystemRegisterBank {
  readonly registers = new Map<string, SystemRegister>();
  readonly registers64 = new Map<string, SystemRegister64>();
  readonly encodings = new Map<string, string>();

  define(encoding: SystemRegisterEncoding, register: SystemRegister): void {
    const key = `p${encoding.cp} ${encoding.opc1} c${encoding.crn} c${encoding.crm} ${encoding.opc2}`;
    if (this.encodings.has(key)) throw new Error(`${key} is defined twice`);
    this.encodings.set(key, register.name);
    this.registers.set(register.name, register);
  }

  define64(encoding: SystemRegisterEncoding64, register: SystemRegister64): void {
    const key = `p${encoding.cp} ${encoding.opc1} c${encoding.crm}`;
    if (this.encodings.has(key)) throw new Error(`${key} is defined twice`);
    this.encodings.set(key, register.name);
    this.registers64.set(register.name, register);
  }

  read(name: string): number {
    const read = this.registers.get(name)?.read;
    if (!read) throw new Error(`${name} is UNDEFINED`);
    return read();
  }

  write(name: string, value: number): void {
    const write = this.registers.get(name)?.write;
    if (!write) throw new Error(`${name} is UNDEFINED`);
    write(value);
  }

  read64(name: string): bigint {
    const pair = new Uint32Array(2);
    const read = this.registers64.get(name)?.read;
    if (!read) throw new Error(`${name} is UNDEFINED`);
    read(pair);
    return (BigInt(pair[1]) << 32n) | BigInt(pair[0]);
  }

  write64(name: string, value: bigint): void {
    const write = this.registers64.get(name)?.write;
    if (!write) throw new Error(`${name} is UNDEFINED`);
    write(Number(value & 0xffff_ffffn), Number(value >> 32n));
  }

  pl0Allows(name: string, write: boolean): boolean {
    const register = this.registers.get(name) ?? this.registers64.get(name);
    const pl0 = register?.pl0 ?? 'none';
    return typeof pl0 === 'function' ? pl0(write) : pl0 === 'read-write' || pl0 === (write ? 'write' : 'read');
  }
}

import { assemble } from '../../packages/arm-core/src/isa/assembler/assembler.js';
import { VirtMachine } from '../../packages/board-qemu-virt/src/virt-machine.js';
import type { VirtMachineOptions } from '../../packages/board-qemu-virt/src/virt-options.js';
import * as layout from '../../packages/engine/src/layout.js';
import type { Sequence } from './generate.js';
import * as at from './places.js';

/** Waits for a sequence, gives it its state and starts it; takes what it causes. */
const driver = assemble(
  `
  ldr r0, =vectors
  mcr p15, 0, r0, c12, c0, 0
  mov r0, #1
  mcr p15, 0, r0, c3, c0, 0
  ldr r0, =${at.TABLE}
  mcr p15, 0, r0, c2, c0, 0
  mov r0, #0
  mcr p15, 0, r0, c2, c0, 2
  mcr p15, 0, r0, c8, c7, 0
  mov r0, #0x00f00000
  mcr p15, 0, r0, c1, c0, 2
  isb
  @ Counters and timers are PL0's too.
  ldr r0, =0x303
  mcr p15, 0, r0, c14, c1, 0
  mov r0, #0x40000000
  vmsr fpexc, r0
  @ MMU, and SWP.
  mrc p15, 0, r0, c1, c0, 0
  orr r0, r0, #1
  orr r0, r0, #0x400
  mcr p15, 0, r0, c1, c0, 0
  isb
  @ PPI 27, the virtual timer.
  ldr r0, =0x08000000
  mov r1, #1
  str r1, [r0]
  mov r1, #0x08000000
  str r1, [r0, #0x100]
  ldr r0, =0x08010000
  mov r1, #0xff
  str r1, [r0, #4]
  mov r1, #1
  str r1, [r0]
  cpsid if, #0x12
  ldr sp, =${at.STATE + 0x2000}
  cpsid if, #0x13
  ldr sp, =${at.DONE}
begin:
  cpsid if, #0x13
  mov r1, #0x40000000
  vmsr fpexc, r1
  mov r1, #0
  mcr p15, 0, r1, c14, c3, 1
  ldr r0, =${at.STATE}
poll:
  ldr r1, [r0, #${4 * at.STATE_GO}]
  cmp r1, #0
  beq poll
  mov r1, #0
  str r1, [r0, #${4 * at.STATE_GO}]
  clrex
  mrc p15, 0, r1, c1, c0, 0
  bic r2, r1, #2
  ldr r3, [r0, #${4 * at.STATE_ALIGNED}]
  orr r2, r2, r3
  cmp r1, r2
  mcrne p15, 0, r2, c1, c0, 0
  ldr r1, [r0, #${4 * at.STATE_FPSCR}]
  vmsr fpscr, r1
  add r2, r0, #${4 * at.STATE_VECTORS}
  vldmia r2!, {d0-d15}
  vldmia r2, {d16-d31}
  ldr r1, [r0, #${4 * at.STATE_TICKS}]
  cmp r1, #0
  beq untimed
  mcr p15, 0, r1, c14, c3, 0
  mov r1, #1
  mcr p15, 0, r1, c14, c3, 1
untimed:
  ldr r1, [r0, #${4 * at.STATE_CPSR}]
  msr spsr_cxsf, r1
  ldr lr, [r0, #${4 * at.STATE_ENTRY}]
  ldmia r0, {r0-r14}^
  nop
  movs pc, lr

  .balign 32
vectors:
  b begin
  movs pc, lr
  b call
  b begin
  subs pc, lr, #4
  nop
  b interrupt
  b begin

@ An end, or part of a sequence.
call:
  cmp lr, sp
  bhs begin
  movs pc, lr

interrupt:
  sub lr, lr, #4
  push {r0-r2, lr}
  ldr r0, =0x08010000
  ldr r1, [r0, #12]
  ldr r2, =${at.STATE}
  ldr r2, [r2, #${4 * at.STATE_TICKS_AGAIN}]
  cmp r2, #0
  mcrne p15, 0, r2, c14, c3, 0
  mcreq p15, 0, r2, c14, c3, 1
  str r1, [r0, #16]
  ldmfd sp!, {r0-r2, pc}^
  .ltorg
  `,
  { origin: at.KERNEL },
);

/** Where the driver begins to wait, its loop, and the vectors. */
const BEGIN = driver.labels.get('begin')!;
const POLL = driver.labels.get('poll')!;
export const VECTORS = driver.labels.get('vectors')!;

const bytesOf = (words: Uint32Array): Uint8Array => new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
const wordsOf = (bytes: Uint8Array): Int32Array => new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >>> 2);

const sections = (): Uint32Array => {
  const table = new Uint32Array(4096);
  // Normal write-back memory; AP 001 and 011. The interrupt controller is a device.
  table[at.RAM >>> 20] = at.RAM | 0x140e;
  table[(at.RAM >>> 20) + 1] = (at.RAM + 0x10_0000) | 0x1c0e;
  table[0x080] = 0x0800_0000 | 0x0416;
  table[at.WINDOW >>> 20] = at.PAGES_TABLE | 1;
  return table;
};

const pages = (): Uint32Array => {
  const table = new Uint32Array(256);
  const page = (number: number, pa: number, access: number): void => {
    table[number] = pa | access | 0x4e;
  };
  page(0, at.DATA, 0x30);
  page(1, at.DATA + 0x1000, 0x230);
  page(3, at.DATA + 0x3000, 0x10);
  page(5, at.DATA + 0x5000, 0x30);
  for (let slot = 0; slot < at.SLOTS; slot++) page(8 + slot, at.codeAt(slot), 0x30);
  return table;
};

const CODE_BYTES = at.SLOTS * at.CODE_BYTES;
const SYSTEM_BYTES = at.STATE - at.TABLE;

/** State words that are compared as they are. */
const EXACT = [
  ...Array.from({ length: 16 }, (_, n) => n),
  layout.FLAG_C,
  layout.FLAG_Q,
  layout.FLAG_GE,
  layout.CPSR_CONTROL,
  layout.ITSTATE,
  layout.EXCLUSIVE_SIZE,
];
const FPSCR_WORDS = [layout.FPSCR_CONTROL, layout.FPSCR_NZCV, layout.FPSCR_EXCEPTIONS];
const plainWords = Int32Array.from([...EXACT, ...FPSCR_WORDS, ...Array.from({ length: 64 }, (_, n) => layout.D0 + n)]);

/** One machine that runs sequences. */
export class World {
  readonly machine: VirtMachine;
  private readonly base: ReturnType<VirtMachine['snapshot']>;
  private readonly ram: Uint8Array;
  private readonly ramWords: Int32Array;
  private readonly words: Int32Array;
  private readonly registers: readonly string[];
  /** Driver and tables as they should be. */
  private readonly system: Uint8Array;
  private readonly driver: Uint8Array;

  constructor(options: Partial<VirtMachineOptions> = {}) {
    this.machine = new VirtMachine({ kernel: driver.bytes, memory: at.RAM_BYTES, cpu: 'cortex-a15', engine: 'interpreter', ...options });
    const { memory, words } = this.machine.cpu.core;
    const offset = memory.ramOffset(at.RAM, at.RAM_BYTES);
    this.ram = memory.u8.subarray(offset, offset + at.RAM_BYTES);
    this.ramWords = wordsOf(this.ram);
    this.words = words;
    this.write(at.TABLE, bytesOf(sections()));
    this.write(at.PAGES_TABLE, bytesOf(pages()));
    const done = new Uint32Array((at.RAM + at.RAM_BYTES - at.DONE) / 4);
    for (let i = 0; i < done.length; i++) done[i] = i & 1 ? at.END_T16 : at.END_A32;
    this.write(at.DONE, bytesOf(done));
    this.machine.runFor(250);
    if (!this.waits) throw new Error('the driver does not wait for a sequence');
    this.base = this.machine.snapshot();
    this.system = this.bytes(at.TABLE, SYSTEM_BYTES).slice();
    this.driver = this.bytes(at.KERNEL, driver.bytes.length).slice();
    this.registers = this.machine.cpu.registers.names();
  }

  private bytes(address: number, byteLength: number): Uint8Array {
    return this.ram.subarray(address - at.RAM, address - at.RAM + byteLength);
  }

  private write(address: number, bytes: Uint8Array): void {
    if (!this.machine.writeMemory(address, bytes)) throw new Error(`no RAM at 0x${address.toString(16)}`);
  }

  /** The last sequence has ended. */
  get waits(): boolean {
    const pc = this.words[layout.PC]! >>> 0;
    return pc >= POLL && pc < POLL + 12 && this.ram[at.STATE + 4 * at.STATE_GO - at.RAM] === 0;
  }

  /** Two halfwords from an address of RAM on. */
  halfwords(address: number): readonly [number, number] {
    const { ram } = this;
    const i = address - at.RAM;
    return [ram[i]! | (ram[i + 1]! << 8), ram[i + 2]! | (ram[i + 3]! << 8)];
  }

  /** As at the beginning. What a sequence may leave behind is gone. */
  restore(): void {
    this.machine.restore(this.base);
  }

  /**
   * Words that differ, with what is between two of them that are at most `gap` words apart. Without gaps what else the last run changed beside them is the
   * translator's to notice.
   */
  private writeCode(place: number, code: Uint8Array, gap: number): void {
    const wanted = wordsOf(code);
    const there = this.ramWords;
    const first = (place - at.RAM) >>> 2;
    for (let from = 0; from < wanted.length; from++) {
      if (there[first + from] === wanted[from]) continue;
      let to = from + 1;
      for (let k = to; k < wanted.length && k <= to + gap; k++) if (there[first + k] !== wanted[k]) to = k + 1;
      this.write(place + 4 * from, code.subarray(4 * from, 4 * to));
      from = to;
    }
  }

  /** Begins a sequence from one of its states, with its code or the later one. Code that is as it should be stays translated, but nothing of what `isNew`. */
  begin({ slot, states, code, later, data }: Sequence, state: number, isLater = false, isNew = true): void {
    this.writeCode(at.codeAt(slot), isLater ? later : code, isNew ? at.CODE_BYTES / 4 : 0);
    this.write(at.DATA, data);
    this.write(at.STATE, bytesOf(states[state]!));
  }

  /** Ends a sequence that has not ended: the driver waits again. False when it does not. */
  giveUp(): boolean {
    const { cpu } = this.machine;
    // An interrupt that was taken is to be ended.
    for (let left = 40; left > 0 && (cpu.readRegister('cpsr')! & 0x1f) === 0x12; left--) this.machine.runFor(1);
    cpu.writeRegister('cpsr', 0x1d3);
    cpu.writeRegister('pc', BEGIN);
    for (let left = 40; left > 0 && !this.waits; left--) {
      this.bytes(at.STATE + 4 * at.STATE_GO, 1)[0] = 0;
      this.machine.runFor(1);
    }
    return this.waits;
  }

  /** Whether driver and tables are what they were. */
  get sound(): boolean {
    return (
      Buffer.compare(this.bytes(at.TABLE, SYSTEM_BYTES), this.system) === 0 &&
      Buffer.compare(this.bytes(at.KERNEL, this.driver.length), this.driver) === 0
    );
  }

  /** Whether two worlds have the same core state and time. */
  agrees(other: World): boolean {
    const a = this.words;
    const b = other.words;
    for (let i = 0; i < plainWords.length; i++) {
      const word = plainWords[i]!;
      if (a[word] !== b[word]) return false;
    }
    // Only bit 31 of N and V means something, and of Z and QC whether they are 0.
    return (
      (a[layout.FLAG_N]! ^ b[layout.FLAG_N]!) >= 0 &&
      (a[layout.FLAG_V]! ^ b[layout.FLAG_V]!) >= 0 &&
      (a[layout.FLAG_Z] === 0) === (b[layout.FLAG_Z] === 0) &&
      (a[layout.FPSCR_QC] === 0) === (b[layout.FPSCR_QC] === 0) &&
      this.machine.time === other.machine.time &&
      this.machine.instructions === other.machine.instructions
    );
  }

  /** The same for code and data. */
  agreesInMemory(other: World): boolean {
    return (
      Buffer.compare(this.bytes(at.codeAt(0), CODE_BYTES), other.bytes(at.codeAt(0), CODE_BYTES)) === 0 &&
      Buffer.compare(this.bytes(at.DATA, at.DATA_BYTES), other.bytes(at.DATA, at.DATA_BYTES)) === 0
    );
  }

  /** The same for banked registers and those of the system. */
  agreesInSystem(other: World): boolean {
    return this.differentRegisters(other).length === 0;
  }

  private differentRegisters(other: World): string[] {
    const found: string[] = [];
    const note = (name: string, x: number, y: number): void => {
      if (x !== y) found.push(`${name}: interpreter ${x.toString(16)}, translator ${y.toString(16)}`);
    };
    const a = this.machine.cpu;
    const b = other.machine.cpu;
    const x = a.core.banks.save(a.core.mode);
    const y = b.core.banks.save(b.core.mode);
    for (const name in x) note(name, x[name]!, y[name]!);
    for (const name of this.registers) note(name, a.registers.read(name)!, b.registers.read(name)!);
    return found;
  }

  /** Where two worlds differ, in words. */
  differences(other: World): string[] {
    const found: string[] = [];
    const a = this.words;
    const b = other.words;
    const note = (name: string, x: number, y: number): void => {
      if (x !== y) found.push(`${name}: interpreter ${x.toString(16)}, translator ${y.toString(16)}`);
    };
    for (let i = 0; i <= layout.PC; i++) note(i === 15 ? 'pc' : `r${i}`, a[i]! >>> 0, b[i]! >>> 0);
    for (let i = layout.D0; i < layout.D0 + 64; i++) note(`d${(i - layout.D0) >> 1}.${i & 1 ? 'high' : 'low'}`, a[i]! >>> 0, b[i]! >>> 0);
    for (const name of ['cpsr', 'fpscr']) note(name, this.machine.cpu.readRegister(name)!, other.machine.cpu.readRegister(name)!);
    note('itstate', a[layout.ITSTATE]!, b[layout.ITSTATE]!);
    note('instructions', this.machine.instructions, other.machine.instructions);
    note('time', this.machine.time, other.machine.time);
    found.push(...this.differentRegisters(other));
    for (const [name, address, byteLength] of [
      ['code', at.codeAt(0), CODE_BYTES],
      ['data', at.DATA, at.DATA_BYTES],
    ] as const) {
      const x = this.bytes(address, byteLength);
      const y = other.bytes(address, byteLength);
      const i = x.findIndex((byte, k) => byte !== y[k]);
      if (i >= 0) note(`${name} at ${(address + i).toString(16)}`, x[i]!, y[i]!);
    }
    return found;
  }
}

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
  mov r0, #0x40000000
  vmsr fpexc, r0
  mrc p15, 0, r0, c1, c0, 0
  orr r0, r0, #1
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
  ldr sp, =${at.DONE + 4}
begin:
  cpsid if, #0x13
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

call:
  cmp lr, sp
  beq begin
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

/** Addresses of the poll loop and of the vectors. */
export const POLL = driver.labels.get('poll')!;
export const VECTORS = driver.labels.get('vectors')!;

const bytesOf = (words: Uint32Array): Uint8Array => new Uint8Array(words.buffer, words.byteOffset, words.byteLength);

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
  page(4, at.CODE, 0x30);
  page(5, at.DATA + 0x5000, 0x30);
  return table;
};

const D0_WORDS = 64;

/** One machine that runs sequences. */
export class World {
  readonly machine: VirtMachine;
  private readonly options: Partial<VirtMachineOptions>;
  private readonly base: ReturnType<VirtMachine['snapshot']>;
  private readonly system: Uint8Array;
  private readonly words: Int32Array;

  constructor(options: Partial<VirtMachineOptions> = {}) {
    this.options = options;
    this.machine = new VirtMachine({ kernel: driver.bytes, memory: at.RAM_BYTES, cpu: 'cortex-a15', ...this.options });
    this.write(at.TABLE, bytesOf(sections()));
    this.write(at.PAGES_TABLE, bytesOf(pages()));
    const done = assemble('svc #0x77\n', { origin: at.DONE }).bytes;
    for (let i = 0; i < 4; i++) this.write(at.DONE + 4 * i, done);
    this.machine.runFor(200);
    if (!this.waits) throw new Error('the driver does not wait for a sequence');
    this.base = this.machine.snapshot();
    this.system = this.machine.readMemory(at.TABLE, 0x4400)!;
    this.words = this.machine.cpu.core.words;
  }

  private write(address: number, bytes: Uint8Array): void {
    if (!this.machine.writeMemory(address, bytes)) throw new Error(`no RAM at 0x${address.toString(16)}`);
  }

  /** The last sequence has ended. */
  get waits(): boolean {
    const pc = this.machine.cpu.core.words[layout.PC]! >>> 0;
    return pc >= POLL && pc < POLL + 12 && this.machine.readMemory(at.STATE + 4 * at.STATE_GO, 1)![0] === 0;
  }

  /** Begins a sequence, from the base state when the last one did not end or broke the tables. */
  begin({ state, code, data }: Sequence, fresh: boolean): void {
    if (fresh) this.machine.restore(this.base);
    // What is there already stays translated.
    if (Buffer.compare(this.machine.readMemory(at.CODE, at.CODE_BYTES)!, code) !== 0) this.write(at.CODE, code);
    this.write(at.DATA, data);
    this.write(at.STATE, bytesOf(state));
  }

  /** Whether driver and tables are what they were. */
  get sound(): boolean {
    return Buffer.compare(this.machine.readMemory(at.TABLE, 0x4400)!, this.system) === 0;
  }

  /** Where two worlds differ: nothing when they agree. */
  differences(other: World, all: boolean): string[] {
    const found: string[] = [];
    const a = this.words;
    const b = other.words;
    const note = (name: string, x: number, y: number): void => {
      if (x !== y) found.push(`${name}: interpreter ${x.toString(16)}, translator ${y.toString(16)}`);
    };
    for (let i = 0; i <= layout.PC; i++) if (a[i] !== b[i]) note(i === 15 ? 'pc' : `r${i}`, a[i]! >>> 0, b[i]! >>> 0);
    for (let i = D0_WORDS; i < D0_WORDS + 64; i++)
      if (a[i] !== b[i]) note(`d${(i - D0_WORDS) >> 1}.${i & 1 ? 'high' : 'low'}`, a[i]! >>> 0, b[i]! >>> 0);
    note('cpsr', this.machine.cpu.readRegister('cpsr')!, other.machine.cpu.readRegister('cpsr')!);
    note('fpscr', this.machine.cpu.readRegister('fpscr')!, other.machine.cpu.readRegister('fpscr')!);
    note('instructions', this.machine.instructions, other.machine.instructions);
    note('time', this.machine.time, other.machine.time);
    if (!all) return found;
    for (const name of this.machine.cpu.registerNames())
      note(name, this.machine.cpu.readRegister(name)!, other.machine.cpu.readRegister(name)!);
    for (const [name, address, byteLength] of [
      ['code', at.CODE, at.CODE_BYTES],
      ['data', at.DATA, at.DATA_BYTES],
    ] as const) {
      const x = this.machine.readMemory(address, byteLength)!;
      const y = other.machine.readMemory(address, byteLength)!;
      if (Buffer.compare(x, y) === 0) continue;
      const i = x.findIndex((byte, k) => byte !== y[k]);
      note(`${name} at ${(address + i).toString(16)}`, x[i]!, y[i]!);
    }
    return found;
  }
}

import { assemble } from '@tablewalk/arm-core';
import type { VirtMachineOptions } from '@tablewalk/board-qemu-virt';
import { VirtMachine } from '@tablewalk/board-qemu-virt';

/*
 * Small kernels on flat memory. RAM is mapped one to one by write-back sections; X is a page of its own that the program maps as it likes. Results are what
 * registers hold when the machine powers off.
 */
export const ORIGIN = 0x40010000;
export const L1 = 0x40100000;
export const L2 = 0x40104000;
/** The page that moves, and what is behind it: the first word of each page is its number. */
export const X = 0x50000000;
export const PA1 = 0x40200000;
export const PA2 = 0x40300000;
/** A second first-level table, in which X is PA2. */
export const L1B = 0x40108000;
export const L2B = 0x40105000;

/** Small-page descriptors (ARM DDI 0406C, B3.5.1): kernel read-write, or read-only. */
export const WB = 0x5e;
export const NC = 0x52;
export const NON_GLOBAL = 0x800;
const SECTION_WB = 0x140e;
const SECTION_DEVICE = 0x0416;
/** Walk attributes that mean write-back with and without the Multiprocessing Extensions (B4.1.154). */
const WALK_CACHED = 0x49;

export const word = (value: number): Uint8Array => Uint8Array.of(value, value >>> 8, value >>> 16, value >>> 24);

/** Instructions, by the names that HAZARD programs go by. */
export const op = {
  /** `*address = value`; the address stays in r0. */
  store: (address: number, value: number): string => `ldr r0, =${address}\nldr r1, =${value}\nstr r1, [r0]\n`,
  load: (register: string, address: number): string => `ldr r0, =${address}\nldr ${register}, [r0]\n`,
  /** Maps X. */
  map: (descriptor: number, table = L2): string => op.store(table, descriptor),
  /** DCCMVAU, DCCMVAC, DCIMVAC, DCCIMVAC, ICIMVAU, by address. */
  cleanU: (address: number): string => `ldr r0, =${address}\nmcr p15, 0, r0, c7, c11, 1\n`,
  cleanC: (address: number): string => `ldr r0, =${address}\nmcr p15, 0, r0, c7, c10, 1\n`,
  invalidate: (address: number): string => `ldr r0, =${address}\nmcr p15, 0, r0, c7, c6, 1\n`,
  cleanInvalidate: (address: number): string => `ldr r0, =${address}\nmcr p15, 0, r0, c7, c14, 1\n`,
  icimvau: (address: number): string => `ldr r0, =${address}\nmcr p15, 0, r0, c7, c5, 1\n`,
  iciallu: 'mov r0, #0\nmcr p15, 0, r0, c7, c5, 0\n',
  tlbiAll: 'mov r0, #0\nmcr p15, 0, r0, c8, c7, 0\n',
  tlbi: (va: number, asid = 0): string => `ldr r0, =${(va + asid) >>> 0}\nmcr p15, 0, r0, c8, c7, 1\n`,
  itlbi: (va: number): string => `ldr r0, =${va}\nmcr p15, 0, r0, c8, c5, 1\n`,
  dtlbi: (va: number): string => `ldr r0, =${va}\nmcr p15, 0, r0, c8, c6, 1\n`,
  tlbiAsid: (asid: number): string => `mov r0, #${asid}\nmcr p15, 0, r0, c8, c7, 2\n`,
  asid: (asid: number): string => `mov r0, #${asid}\nmcr p15, 0, r0, c13, c0, 1\n`,
  ttbr0: (table: number): string => `ldr r0, =${table + WALK_CACHED}\nmcr p15, 0, r0, c2, c0, 0\n`,
  vbar: (base: number): string => `ldr r0, =${base}\nmcr p15, 0, r0, c12, c0, 0\n`,
  /** SCTLR bits on and off. */
  control: (set: number, clear: number): string =>
    `mrc p15, 0, r0, c1, c0, 0\nldr r1, =${clear}\nbic r0, r0, r1\nldr r1, =${set}\norr r0, r0, r1\nmcr p15, 0, r0, c1, c0, 0\n`,
  dsb: 'dsb sy\n',
  isb: 'isb sy\n',
};

/** Registers, then what is held is thrown away, then MMU and caches on. */
const registers = `
  ldr r0, =1
  mcr p15, 0, r0, c3, c0, 0
  mov r0, #0
  mcr p15, 0, r0, c2, c0, 2
  ${op.ttbr0(L1)}
  ${op.asid(5)}
  isb sy
`;
const invalidated = `${op.tlbiAll}${op.iciallu}`;
const on = `
  dsb sy
  isb sy
  ${op.control(0x1005, 0)}
  isb sy
`;
const START = registers + invalidated + on;
/** The same with other maintenance than that of {@link START}. */
export const startWith = (maintenance: string): string => registers + maintenance + on;
const END = `
  dsb sy
  isb sy
  ldr r0, =0x84000008
  hvc #0
`;

export const SPACE = (base: number): string => `.org ${base}\n`;

/** A machine with the program, tables and pages in place. X is PA1, write-back. */
export const machine = (body: string, options: VirtMachineOptions, first = PA1 | WB, start = START): VirtMachine => {
  const { bytes } = assemble(`${start}${body}${END}.ltorg\n`, { origin: ORIGIN });
  const m = new VirtMachine({ memory: 16 << 20, kernel: bytes, ...options });
  for (const [table, second] of [
    [L1, L2],
    [L1B, L2B],
  ] as const) {
    for (let mb = 0x400; mb < 0x410; mb++) m.writeMemory(table + 4 * mb, word(mb * 0x100000 + SECTION_WB));
    m.writeMemory(table + 4 * 0x090, word(0x09000000 + SECTION_DEVICE));
    m.writeMemory(table + 4 * 0x0a0, word(0x0a000000 + SECTION_DEVICE));
    m.writeMemory(table + 4 * (X >>> 20), word(second | 1));
  }
  m.writeMemory(L2, word(first));
  m.writeMemory(L2B, word((PA2 | WB | NON_GLOBAL) >>> 0));
  m.writeMemory(PA1, word(1));
  m.writeMemory(PA2, word(2));
  return m;
};

/** Registers when the machine has powered off; undefined when it did not. */
export const outcome = (m: VirtMachine): { readonly r4: number; readonly r5: number; readonly r6: number } | undefined => {
  const end = m.runFor(100_000);
  if (end.reason !== 'poweroff') return undefined;
  const r = (name: string): number => m.cpu.readRegister(name)!;
  return { r4: r('r4'), r5: r('r5'), r6: r('r6') };
};

/** Every eighth round (r6) X's page is the other one, and every 64th the TLB is told so: until then what is stale is seen. Changes r0 to r2. */
export const remapNowAndThen = `  tst r6, #7
  bne next
  ldr r0, =${L2}
  ldr r1, [r0]
  ldr r2, =${PA1 ^ PA2}
  eor r1, r1, r2
  str r1, [r0]
  mcr p15, 0, r0, c7, c11, 1
  dsb sy
next:
  tst r6, #63
  bne more
  ${op.tlbiAll}
  dsb sy
  isb sy
more:
`;

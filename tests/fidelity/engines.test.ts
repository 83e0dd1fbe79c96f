import type { VirtMachine, VirtMachineOptions } from '@tablewalk/board-qemu-virt';
import { CACHE_L2, setAssociativeCache } from '@tablewalk/mmu';
import { describe, expect, it } from 'vitest';
import { digest } from '../hostile/support.js';
import { L2, machine, NC, op, remapNowAndThen, WB, X } from './support.js';

/*
 * One program on the interpreter and on the translator at `architectural`: the machines' whole states are the same at the end, TLB, caches and which
 * look-ups are saved among them.
 */
const TABLES = 0x40400000;
const LOCK = 0x40500000;
/** Code that is called in pages 4 MiB apart, and as much data. */
const FAR = [0x40600000, 0x40a00000] as const;

/** Instructions that add to r4, as words: `add r4, r4, #n; bx lr`. */
const ADD_R4 = 0xe2844000;
const BX_LR = 0xe12fff1e;
const storeWord = (value: string): string => `ldr r1, =${value}\nstr r1, [r0], #4\n`;

/**
 * Loads and stores of all widths and of many registers, across lines, conditional ones among them, one of them from two lines of code; pages that are remapped and seen stale; exclusives; code far away, rewritten with and
 * without maintenance; both instruction sets; everything often enough to be hot.
 */
const BUSY = `
  ldr sp, =0x40480000
  mov r4, #0
  mov r6, #0
  ldr r0, =0x40f00000
  mcr p15, 0, r0, c1, c0, 2
  isb sy
  mov r0, #0x40000000
  vmsr fpexc, r0
  ${FAR.map((at) => `ldr r0, =${at}\n${storeWord(`${ADD_R4 + 1}`)}${storeWord(`${BX_LR}`)}${op.cleanU(at)}`).join('')}
  ${op.iciallu}
  dsb sy
  isb sy
again:
  ${op.load('r5', X)}
  add r4, r4, r5
  ldr r0, =${TABLES}
  add r0, r0, r6, lsl #9
  bl widths
  bl exclusive
  ${FAR.map((at) => `ldr r3, =${at}\nblx r3\n`).join('')}
  ands r0, r6, #15
  bleq rewrite
  ldr r3, =thumb + 1
  mov r0, r6
  blx r3
${remapNowAndThen}  add r6, r6, #1
  cmp r6, #100
  blt again
  b done
  .ltorg

widths:
  push {r4-r9, lr}
  mov r7, #12
round:
  str r4, [r0], #4
  strh r4, [r0], #2
  strb r6, [r0], #1
  ldrsb r1, [r0, #-1]
  str r1, [r0, #1]
  ldr r2, [r0, #-3]
  str r2, [r0, #61]
  add r4, r4, r2, ror #3
  bic r0, r0, #3
  add r0, r0, #4
  stm r0!, {r1, r2, r4-r9}
  strd r4, r5, [r0, #24]
  vdup.32 q0, r4
  vmov s5, r7
  vst1.32 {d0-d2}, [r0]!
  vstr d2, [r0, #52]
  vld1.8 {d3}, [r0]
  mov r1, r0
  cmp r7, #6
  ldrlt r8, [r1], #4
  strhge r8, [r1, #-62]!
  ldrsbne r9, [r1]
  ldr r2, [r1, -r7, lsl #5]
  add r4, r4, r2
  subs r7, r7, #1
  bne round
  pop {r4-r9, pc}

exclusive:
  ldr r0, =${LOCK}
  mov r2, #3
try:
  ldrex r1, [r0]
  add r1, r1, r4
  strex r3, r1, [r0]
  cmp r3, #0
  bne try
  ldrexd r8, r9, [r0]
  adds r8, r8, #1
  strexd r3, r8, r9, [r0]
  subs r2, r2, #1
  bne try
  add r4, r4, r1
  bx lr
  .ltorg

rewrite:
  ldr r0, =${FAR[0]}
  ldr r1, [r0]
  add r1, r1, #1
  bic r1, r1, #0xe00
  str r1, [r0]
  tst r6, #16
  bxeq lr
  mcr p15, 0, r0, c7, c11, 1
  dsb sy
  tst r6, #32
  bxeq lr
  mcr p15, 0, r0, c7, c5, 1
  dsb sy
  isb sy
  bx lr
  .ltorg

  .thumb
thumb:
  push {r5, lr}
  movs r5, #9
  movw r3, #0
  movt r3, #0x4058
  add r3, r3, r0, lsl #10
step:
  .balign 64
${'  nop\n'.repeat(31)}  ldr.w r1, [r3], #64
  adds r4, r4, r0
  ite cs
  addcs r4, #1
  subcc r4, r4, r5
  push {r4, r5}
  pop {r1, r2}
  subs r5, r5, #1
  bne step
  pop {r5, pc}
  .balign 4
  .arm
done:
`;

const finish = (options: VirtMachineOptions, slice: number, program = BUSY): { readonly state: string; readonly machine: VirtMachine } => {
  const m = machine(program, options);
  for (let i = 0; i < 100_000; i++) {
    const { reason } = m.runFor(slice);
    if (reason === 'poweroff') return { state: digest(m), machine: m };
    if (reason !== 'limit') break;
  }
  throw new Error('the guest does not end');
};

const evictions = { seed: 11, interval: 300 };
const kinds: readonly (readonly [string, VirtMachineOptions])[] = [
  ['Cortex-A15, that gives up what its size demands', { cpu: 'cortex-a15', retain: 'finite' }],
  ['Cortex-A7, with evictions besides', { cpu: 'cortex-a7', retain: 'finite', evictions }],
  ['Cortex-A8, that retains for ever, with evictions', { cpu: 'cortex-a8', retain: 'forever', evictions }],
  ['Cortex-A9, devices that are not coherent', { cpu: 'cortex-a9', dma: 'noncoherent' }],
  ['the weakest core', { cpu: 'armv7-weakest' }],
  ['the weakest core, with evictions', { cpu: 'armv7-weakest', evictions }],
  ['a TLB without caches', { cpu: 'cortex-a9', cache: 'none' }],
  ['neither', { cpu: 'cortex-a15', tlb: 'none', cache: 'none' }],
];

/** How a program is translated: heat, batch, regions kept, also what was never executed, instructions at a time. */
const SETTINGS = [
  [1, 1, 6000, true, 100_000],
  [3, 4, 5, false, 331],
] as const;

/** Runs a program of more than so many regions on both engines, each machine with models of its own: state and counters are the same at the end. */
const compare = (optionsOf: () => VirtMachineOptions, program: string, regions: number): void => {
  const outcome = ({ state, machine: m }: ReturnType<typeof finish>): string => JSON.stringify(m.memoryStatistics(), null, 1) + state;
  const expected = outcome(finish({ ...optionsOf(), engine: 'interpreter' }, 100_000, program));
  for (const [heat, batch, kept, cold, slice] of SETTINGS) {
    const result = finish({ ...optionsOf(), engine: 'wasm', translation: { heat, batch, regions: kept, cold, leaves: 2 } }, slice, program);
    expect(result.machine.cpu.core.translated.regions).toBeGreaterThan(regions);
    expect(outcome(result)).toBe(expected);
  }
};

describe.each(kinds)('interpreter and translator: %s', (_name, kind) => {
  it('come to the same state', { timeout: 180_000 }, () => compare(() => ({ fidelity: 'architectural', ...kind }), BUSY, 4));
});

/** Each core's own models; where nothing is forgotten; another size of line on each side, and a policy that does not remember use. */
const counted: readonly (readonly [string, VirtMachineOptions])[] = [
  ['Cortex-A15', { cpu: 'cortex-a15' }],
  ['Cortex-A7, with evictions', { cpu: 'cortex-a7', evictions }],
  ['Cortex-A8', { cpu: 'cortex-a8' }],
  ['Cortex-A9, with evictions, devices that are not coherent', { cpu: 'cortex-a9', evictions, dma: 'noncoherent' }],
  ['the weakest core, with evictions', { cpu: 'armv7-weakest', evictions }],
  ['Cortex-A15 that retains for ever', { cpu: 'cortex-a15', retain: 'forever' }],
];

describe.each(counted)('interpreter and translator at measured: %s', (_name, kind) => {
  it('come to the same state and count the same', { timeout: 180_000 }, () => compare(() => ({ fidelity: 'measured', ...kind }), BUSY, 4));
});

/**
 * Loads and stores of each width at pseudo-random places that the L2 has and the L1 has not: in 256 KiB; in a few lines 256 KiB from each other, which share places in every
 * table; in a page with a second name; in the page of the code; in a few lines, at every address. Some lines are given up by maintenance, some changed in memory through a name that is not cacheable.
 */
const WANDER = `
  ${op.map(0x40805000 + WB)}
  ${op.map(0x40806000 + NC, L2 + 4)}
  ${op.cleanU(L2)}
  dsb sy
  isb sy
  ldr r4, =0x40800000
  mov r5, #1
  mov r6, #0
  ldr r7, =9000
  ldr r8, =1664525
  ldr r9, =1013904223
  ldr r10, =${X}
  add r11, r10, #0x1000
  mov r12, r4
wander:
  mla r5, r5, r8, r9
  lsr r1, r5, #14
  bic r1, r1, #3
  ldr r2, [r4, r1]
  add r6, r2, r6, ror #3
  eor r2, r1, r5, lsr #20
  bic r2, r2, #1
  ldrh r3, [r4, r2]
  add r6, r6, r3
  strh r5, [r4, r2]
  eor r0, r1, r5, lsr #21
  bic r0, r0, #3
  str r6, [r4, r0]
  strb r5, [r4, r2]
  tst r5, #(7 << 23)
  bne aside
  adr r0, spot
  ldr r3, [r0]
  eor r3, r3, r6
  str r3, [r0]
aside:
  eor r2, r2, r5, lsr #17
  add r2, r4, r2
  ldrsb r3, [r2]
  add r6, r6, r3
  bic r2, r2, #3
  ubfx r0, r5, #19, #9
  add r0, r0, r10
  ldr r3, [r0]
  add r6, r6, r3
  strh r6, [r0, #37]
  str r3, [r0, #601]
  ldrsh r3, [r0, #243]
  add r6, r6, r3
  ubfx r0, r5, #18, #10
  ldr r3, [r10, r0, lsl #2]
  add r6, r6, r3
  tst r5, #(3 << 13)
  bne uncached
  str r6, [r10, r0, lsl #2]
uncached:
  tst r5, #(31 << 20)
  streq r5, [r11, r0, lsl #2]
  add r0, r4, r0, lsl #2
  add r0, r0, #0x5000
  ldr r3, [r0]
  add r6, r6, r3
  add r0, r0, #0x1000
  ldr r3, [r0]
  add r6, r6, r3
  lsr r0, r5, #30
  add r0, r4, r0, lsl #18
  ubfx r1, r5, #18, #7
  add r0, r0, r1, lsl #2
  ldr r3, [r0]
  add r6, r6, r3
  tst r5, #(3 << 21)
  streq r6, [r12]
  mov r12, r0
  tst r5, #(7 << 22)
  streq r6, [r2]
  tst r5, #(31 << 24)
  mcreq p15, 0, r2, c7, c14, 1
  subs r7, r7, #1
  bne wander
  b wandered
  .balign 64
spot:
  .space 64
wandered:
`;

describe('accesses to lines that the L1 has not', () => {
  it.each(counted)('%s: change and count the same in interpreter and translator', { timeout: 180_000 }, (_name, kind) =>
    compare(() => ({ fidelity: 'measured', ...kind }), WANDER, 0),
  );

  // The cores' own L2s have 8 and 16 ways, which code compares at once; those of any other number it goes through one by one.
  it.each([1, 4, 32])('also where the L2 has %i ways', { timeout: 180_000 }, (ways) => {
    const l2 = { unit: CACHE_L2, byteLength: 512 * 1024, lineLength: 64, replacement: 'random' } as const;
    compare(() => ({ fidelity: 'measured', cpu: 'cortex-a15', cache: setAssociativeCache({ ...l2, ways }) }), WANDER, 0);
  });
});

describe('observers', () => {
  it('attached in the middle of a run hear the same from interpreter and translator', { timeout: 60_000 }, () => {
    const heard = (options: VirtMachineOptions): readonly string[] => {
      const m = machine(BUSY, { cpu: 'cortex-a15', fidelity: 'architectural', ...options });
      m.runFor(20_000);
      const events: string[] = [];
      const note = (...event: readonly unknown[]): void => void events.push(`${m.time} ${event.join(' ')}`);
      m.observe([
        {
          name: 'test',
          barrier: (...event) => note('barrier', ...event),
          systemRegisterWrite: (...event) => note('write', ...event),
          exception: (...event) => note('exception', ...event),
        },
      ]);
      m.runFor(40_000);
      m.observe([]);
      m.runFor(20_000);
      events.push(digest(m));
      return events;
    };
    const expected = heard({ engine: 'interpreter' });
    expect(expected.length).toBeGreaterThan(15);
    expect(heard({ engine: 'wasm', translation: { heat: 3, batch: 2, leaves: 1 } })).toEqual(expected);
  });
});

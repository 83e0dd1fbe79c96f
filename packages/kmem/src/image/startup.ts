import * as trap from './traps.js';

export interface StartupOptions {
  readonly ttbcrN: number;
}

/**
 * Invalidates every line of every data or unified level, by what CLIDR and CCSIDR say (ARM DDI 0406C, B2.2.4), on the cores that leave their data
 * cache UNKNOWN at reset: Cortex-A8 (MIDR part 0xc08) and Cortex-A9 (0xc09).
 */
const invalidateDataCache = `
  mrc   p15, 0, r0, c0, c0, 0         @ MIDR
  ubfx  r0, r0, #4, #12
  movw  r1, #0xc08
  cmp   r0, r1
  addne r1, r1, #1
  cmpne r0, r1
  bne   5f
  mov   r1, #0                        @ level << 1
1:
  add   r2, r1, r1, lsr #1            @ 3 * level
  mrc   p15, 1, r0, c0, c0, 1         @ CLIDR
  mov   r3, r0, lsr r2
  and   r3, r3, #7
  cmp   r3, #2
  blt   4f                            @ no data cache at this level
  mcr   p15, 2, r1, c0, c0, 0         @ CSSELR
  isb
  mrc   p15, 1, r3, c0, c0, 0         @ CCSIDR
  and   r4, r3, #7
  add   r4, r4, #4                    @ log2 of the line
  ubfx  r5, r3, #3, #10               @ ways - 1
  ubfx  r6, r3, #13, #15              @ sets - 1
  clz   r7, r5                        @ where the way goes
2:
  mov   r8, r6
3:
  orr   r11, r1, r5, lsl r7
  orr   r11, r11, r8, lsl r4
  mcr   p15, 0, r11, c7, c6, 2        @ DCISW
  subs  r8, r8, #1
  bge   3b
  subs  r5, r5, #1
  bge   2b
4:
  add   r1, r1, #2
  cmp   r1, #14
  blt   1b
  dsb
5:
`;

/** Exception entry: everything of the interrupted program in a frame on the SVC stack, then \`taken\`. */
const entry = (name: string, adjust: number, kind: number): string => `
${name}:
  sub   lr, lr, #${adjust}
  srsdb sp!, #0x13
  cps   #0x13
  sub   sp, sp, #60
  stmia sp, {r0-r14}^
  mov   r0, #${kind}
  b     taken
`;

/**
 * Start-up, MMU switch, vectors, context switch: real A32, assembled at the linked address. Until \`high\` it is position independent: it runs at the
 * physical address, and what it needs beyond the reach of ADR it finds by adding an offset to where it is.
 */
export const startupSource = ({ ttbcrN }: StartupOptions): string => `
start:
  cpsid aif, #0x13
  mov   r9, r2                        @ the device tree, by the boot protocol; 0 when there is none
  adr   r10, start                    @ where we are
  ldr   r1, =(vectors - start)
  add   r1, r10, r1
  mcr   p15, 0, r1, c12, c0, 0        @ VBAR
  mrc   p15, 0, r0, c1, c0, 0
  bic   r0, r0, #0x1800               @ SCTLR: I and Z off,
  bic   r0, r0, #0x5                  @ M and C off
  bic   r0, r0, #0x30000000           @ no TEX remap, no access flag
  mcr   p15, 0, r0, c1, c0, 0
  isb
  mov   r0, #0
  mcr   p15, 0, r0, c7, c5, 0         @ ICIALLU
  mcr   p15, 0, r0, c7, c5, 6         @ BPIALL
${invalidateDataCache}
  mov   r0, #0
  mcr   p15, 0, r0, c8, c7, 0         @ TLBIALL
  dsb
  isb
  ldr   r1, =(svc_stack_top - start)
  add   sp, r10, r1
  mov   r0, r10                       @ kmem_init2(where we are, device tree)
  mov   r1, r9
  hvc   #${trap.TRAP_INIT2}           @ -> r0 TTBR0, r1 TTBR1
mmu_switch:
  dsb
  mcr   p15, 0, r0, c2, c0, 0         @ TTBR0
  mcr   p15, 0, r1, c2, c0, 1         @ TTBR1
  mov   r2, #${ttbcrN}
  mcr   p15, 0, r2, c2, c0, 2         @ TTBCR
  mov   r2, #1
  mcr   p15, 0, r2, c3, c0, 0         @ DACR: domain 0 is a client
  mov   r2, #0
  mcr   p15, 0, r2, c13, c0, 1        @ CONTEXTIDR: the reserved ASID
  ldr   r2, =vectors
  mcr   p15, 0, r2, c12, c0, 0        @ VBAR, where it will be
  isb
  mrc   p15, 0, r2, c1, c0, 0
  orr   r2, r2, #0x1800               @ I and Z
  orr   r2, r2, #0x5                  @ M and C
  mcr   p15, 0, r2, c1, c0, 0
  isb
  ldr   pc, =high
  .ltorg

high:
  ldr   sp, =svc_stack_top
  hvc   #${trap.TRAP_REMOVE_IDENTITY}
  hvc   #${trap.TRAP_INIT_ALLOCATORS}
idle:
  hvc   #${trap.TRAP_NEXT}            @ -> r0 what to do, r1 task, r2 TTBR0, r3 ASID
  cmp   r0, #${trap.NEXT_RESUME}
  beq   resume
  cmp   r0, #${trap.NEXT_POWER_OFF}
  bne   idle
  ldr   r0, =0x84000008               @ PSCI SYSTEM_OFF
  hvc   #0
  b     idle

resume:
  mcr   p15, 0, r1, c13, c0, 4        @ TPIDRPRW: the task, for the way out
  mov   r5, r1
  mov   r0, r2
  mov   r1, r3
  bl    switch_mm
  mov   r1, r5
  sub   sp, sp, #68
  mov   r2, sp
  ldmia r1!, {r4-r11}
  stmia r2!, {r4-r11}
  ldmia r1!, {r4-r11}
  stmia r2!, {r4-r11}
  ldr   r4, [r1]
  str   r4, [r2]
to_user:
  ldmia sp, {r0-r14}^
  nop
  add   sp, sp, #60
  rfeia sp!

leave:
  mrc   p15, 0, r1, c13, c0, 4
  ldmia sp!, {r4-r11}
  stmia r1!, {r4-r11}
  ldmia sp!, {r4-r11}
  stmia r1!, {r4-r11}
  pop   {r4}
  str   r4, [r1]
  ldr   sp, =svc_stack_top
  b     idle

@ r0 TTBR0, r1 ASID. Never the new table with the old ASID nor the old table with the new one: the reserved ASID stands in between (B3.10.4).
switch_mm:
  mov   r12, #0
  mcr   p15, 0, r12, c13, c0, 1       @ CONTEXTIDR
  isb
  mcr   p15, 0, r0, c2, c0, 0         @ TTBR0
  isb
  mcr   p15, 0, r1, c13, c0, 1
  isb
  bx    lr

@ r0 first byte, r1 bytes, a multiple of 32.
memzero:
  mov   r2, #0
  mov   r3, #0
  mov   r4, #0
  mov   r5, #0
  mov   r6, #0
  mov   r7, #0
  mov   r8, #0
  mov   r9, #0
1:
  stmia r0!, {r2-r9}
  subs  r1, r1, #32
  bgt   1b
  bx    lr

@ r0 first byte, r1 bytes, a multiple of 4, r2 the word to write.
memfill:
1:
  str   r2, [r0], #4
  subs  r1, r1, #4
  bgt   1b
  bx    lr

@ The same range: r0 is the first word that is not r2, or 0.
memcheck:
1:
  ldr   r3, [r0], #4
  cmp   r3, r2
  bne   2f
  subs  r1, r1, #4
  bgt   1b
  mov   r0, #0
  bx    lr
2:
  sub   r0, r0, #4
  bx    lr

@ r0 to, r1 from, r2 bytes, a multiple of 32.
memcopy:
1:
  ldmia r1!, {r3-r10}
  stmia r0!, {r3-r10}
  subs  r2, r2, #32
  bgt   1b
  bx    lr

  .balign 32
vectors:
  b     .
  b     undefined_entry
  b     svc_entry
  b     prefetch_entry
  b     data_entry
  b     .
  b     irq_entry
  b     fiq_entry
${entry('undefined_entry', 4, 0)}
${entry('svc_entry', 0, 1)}
${entry('prefetch_entry', 4, 2)}
${entry('data_entry', 8, 3)}
${entry('irq_entry', 4, 4)}
${entry('fiq_entry', 4, 5)}
taken:
  mrc   p15, 0, r1, c5, c0, 0         @ DFSR
  mrc   p15, 0, r2, c6, c0, 0         @ DFAR
  cmp   r0, #2
  mrceq p15, 0, r1, c5, c0, 1         @ IFSR
  mrceq p15, 0, r2, c6, c0, 2         @ IFAR
  mov   r3, sp
  ldr   r4, [sp, #64]
  and   r4, r4, #0x1f
  cmp   r4, #0x10
  bne   oops
  cmp   r0, #1
  beq   syscall
  hvc   #${trap.TRAP_FAULT}
answered:
  cmp   r0, #0
  beq   to_user
  b     leave
syscall:
  hvc   #${trap.TRAP_SYSCALL}
  b     answered
oops:
  hvc   #${trap.TRAP_OOPS}
  ldr   sp, =svc_stack_top
  b     idle
  .ltorg
`;

/** What the image ends with: one stack, for SVC mode; exceptions of the other modes go there at once. */
export const dataSource = `
data:
  .space 8192
svc_stack_top:
  .space 64
  .balign 4096
image_end:
`;

import { assemble } from '@tablewalk/arm-core';

const ORIGIN = 0x40010000;

const source = `
  ldr r0, =vectors
  mcr p15, 0, r0, c12, c0, 0
  ldr sp, =0x40200000
  cps #0x12
  ldr sp, =0x40210000
  cps #0x13
  @ The virtual timer's interrupt, PPI 27, every 977 ticks.
  ldr r0, =0x08000000
  mov r1, #1
  str r1, [r0]
  ldr r2, =0x08000000
  mov r1, #0x08000000
  str r1, [r2, #0x100]
  ldr r0, =0x08010000
  mov r1, #0xff
  str r1, [r0, #4]
  mov r1, #1
  str r1, [r0]
  bl arm_timer
  cpsie i
  mov r8, #0
  mov r9, #40
again:
  bl sort
  mov r0, #9
  bl fib
  add r8, r8, r0
  and r0, r9, #3
  bl table
  eor r8, r8, r0, ror #5
  mov r0, r9
  ldr r12, =thumb_sum + 1
  blx r12
  add r8, r8, r0, lsl #3
  bl rewrite
  add r8, r8, r0
  b poll
polled:
  add r8, r8, r0
  subs r9, r9, #1
  bne again
  cpsid i
  ldr r1, =0x40300000
  ldr r2, [r1]
  add r8, r8, r2
  ldr r1, =0x09000000
  mov r3, #8
digit:
  mov r8, r8, ror #28
  and r2, r8, #15
  cmp r2, #10
  addlt r2, r2, #48
  addge r2, r2, #87
  str r2, [r1]
  subs r3, r3, #1
  bne digit
  ldr r0, =0x84000008
  hvc #0
  .ltorg

sort:
  push {r4-r7, lr}
  ldr r4, =0x40100000
  mov r5, #0
  mov r0, r9
fill:
  ldr r1, =1103515245
  ldr r2, =12345
  mla r0, r1, r0, r2
  strh r0, [r4, r5]
  add r5, r5, #2
  cmp r5, #64
  blo fill
  mov r5, #2
outer:
  ldrsh r6, [r4, r5]
  mov r7, r5
inner:
  sub r1, r7, #2
  ldrsh r2, [r4, r1]
  cmp r2, r6
  strhgt r2, [r4, r7]
  movgt r7, r1
  cmpgt r7, #0
  bgt inner
  strh r6, [r4, r7]
  add r5, r5, #2
  cmp r5, #64
  blo outer
  ldrd r0, r1, [r4]
  adds r8, r8, r0
  adc r8, r8, r1
  pop {r4-r7, pc}
  .ltorg

fib:
  cmp r0, #2
  bxlo lr
  push {r4, lr}
  mov r4, r0
  sub r0, r0, #1
  bl fib
  sub r1, r4, #2
  mov r4, r0
  mov r0, r1
  bl fib
  add r0, r0, r4
  pop {r4, pc}

table:
  add r1, pc, #8
  ldr pc, [r1, r0, lsl #2]
  nop
  nop
  .word case0
  .word case1
  .word case2
  .word case1
case0:
  mov r0, #77
  bx lr
case1:
  movs r0, r9, lsr #1
  adcs r0, r0, #1
  bx lr
case2:
  umull r0, r1, r9, r9
  bx lr

rewrite:
  @ Adds one to the immediate of an instruction that the loop then runs.
  ldr r1, =patched
  ldrb r2, [r1]
  add r2, r2, #1
  strb r2, [r1]
  mov r0, #0
  mov r3, #5
rewritten:
patched:
  add r0, r0, #0
  subs r3, r3, #1
  bne rewritten
  bx lr
  .ltorg

poll:
  @ A device, the virtual counter, a register that is slow to read, a word across pages, one whose flags matter, the interrupt mask.
  ldr r1, =0x09000000
  ldr r12, =0x40100ffd
  mov r0, #0
  mov r3, #40
polling:
  ldr r2, [r1, #0x18]
  adds r0, r0, r2
  mrrc p15, 1, r2, lr, c14
  adcs r0, r2, r0, ror #3
  ldr r2, [r12], #1
  mrc p15, 0, lr, c14, c3, 1
  addcs r0, r0, lr
  cpsid i
  sbcs r0, r0, r2
  strhmi r0, [r12]
  tst r3, #1
  cpsie i
  ldrne r2, [r1, #0x24]
  addne r0, r2, r0
  bic r12, r12, #4
  strlt r3, [r1, #0x24]
  subs r3, r3, #1
  bne polling
  ldr lr, =polled
  bx lr
  .ltorg

arm_timer:
  ldr r1, =977
  mcr p15, 0, r1, c14, c3, 0
  mov r1, #1
  mcr p15, 0, r1, c14, c3, 1
  bx lr
  .ltorg

irq:
  sub lr, lr, #4
  push {r0-r3, r12, lr}
  ldr r0, =0x08010000
  ldr r1, [r0, #12]
  ldr r2, =0x40300000
  ldr r3, [r2]
  add r3, r3, r4
  eor r3, r3, r5, ror #7
  str r3, [r2]
  push {r1}
  bl arm_timer
  pop {r1}
  ldr r0, =0x08010000
  str r1, [r0, #16]
  ldm sp!, {r0-r3, r12, pc}^
  .ltorg

  .align 5
vectors:
  b vectors
  b vectors
  b vectors
  b vectors
  b vectors
  b vectors
  b irq
  b vectors

  .thumb
thumb_sum:
  push {r4, lr}
  movs r4, #0
step:
  cmp r0, #7
  ite hi
  addhi r4, r4, r0
  subls.w r4, r4, #1
  lsls r1, r0, #30
  it cs
  addcs r4, #3
  subs r0, r0, #1
  bne step
  mov r0, r4
  pop {r4, pc}
`;

/** Loops, calls, recursion, a jump table, code that rewrites itself, a timer that interrupts all of it; prints a checksum and powers off. */
export const busyKernel = assemble(source, { origin: ORIGIN }).bytes;

/* Start, exception vectors and the one function of the probe that C cannot express. MMU and caches stay off. */
  .syntax unified
  .arm
  .section .start, "ax"
  .global _start
_start:
  ldr r0, =vectors
  mcr p15, 0, r0, c12, c0, 0
  cps #0x1b
  ldr sp, =stack_und
  cps #0x13
  ldr sp, =stack_svc
  bl probe
  ldr r0, =0x84000008        @ PSCI SYSTEM_OFF
  .word 0xe1400070           @ hvc #0
1: b 1b

  .balign 32
vectors:
  b hang
  b undefined
  b supervisor
  b hang
  b hang
  b hang
  b hang
  b hang
hang: b hang

/* The instruction under test was UNDEFINED: say so and go on behind it. */
undefined:
  push {r0}
  ldr r0, =faulted
  str lr, [r0]
  pop {r0}
  movs pc, lr

/* Back from User mode. r2 and r3 are as `attempt` left them. */
supervisor:
  b finish

/* u32 attempt(u32 word, u32 *low, u32 *high, u32 user) */
  .global attempt
attempt:
  push {r4-r11, lr}
  mov r4, r1
  mov r5, r2
  ldr r6, =faulted
  mov r7, #0
  str r7, [r6]
  ldr r7, =slot
  str r0, [r7]
  dsb
  mcr p15, 0, r0, c7, c5, 0
  isb
  ldr r0, [r4]
  ldr r1, [r5]
  ldr r8, =slot_end
  cmp r3, #0
  ldrne r9, =0xef000000      @ svc #0
  ldreq r9, =0xe320f000      @ nop
  str r9, [r8]
  beq slot
  mov r9, #0x1d0             @ User mode, interrupts masked
  msr spsr_cxsf, r9
  movs pc, r7
  .balign 64
slot:
  nop
slot_end:
  nop
finish:
  str r0, [r4]
  str r1, [r5]
  ldr r0, [r6]
  cmp r0, #0
  moveq r0, #1
  movne r0, #0
  pop {r4-r11, pc}
  .ltorg

  .bss
  .balign 8
faulted: .space 8
  .space 1024
stack_und:
  .space 4096
stack_svc:

  .section .note.GNU-stack, "", %progbits

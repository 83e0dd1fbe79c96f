@ Start of every program: flat sections with the MMU and caches on, VFP and Advanced SIMD on, vectors, a stack; then main, once or more often, its last value printed, power-off.
  .syntax unified
  .section .start, "ax"
  .arm
  .global _start
_start:
  ldr r0, =0x40004000
  mov r1, #0
  mov r2, #0
clear:
  str r2, [r0, r1, lsl #2]
  add r1, r1, #1
  cmp r1, #4096
  blo clear
  @ 0x08000000-0x0a0fffff: device, execute never. 0x40000000-0x47ffffff: normal, write-back.
  ldr r1, =0x080
1: ldr r2, =0x00000c16
  orr r2, r2, r1, lsl #20
  str r2, [r0, r1, lsl #2]
  add r1, r1, #1
  cmp r1, #0xa1
  blo 1b
  ldr r1, =0x400
1: ldr r2, =0x00001c0e
  orr r2, r2, r1, lsl #20
  str r2, [r0, r1, lsl #2]
  add r1, r1, #1
  ldr r3, =0x480
  cmp r1, r3
  blo 1b
  mcr p15, 0, r0, c2, c0, 0
  mov r0, #0
  mcr p15, 0, r0, c2, c0, 2
  mov r0, #1
  mcr p15, 0, r0, c3, c0, 0
  mcr p15, 0, r0, c8, c7, 0
  dsb
  isb
  mrc p15, 0, r0, c1, c0, 0
  ldr r1, =0x1805
  orr r0, r0, r1
  bic r0, r0, #2
  mcr p15, 0, r0, c1, c0, 0
  isb
  mrc p15, 0, r0, c1, c0, 2
  orr r0, r0, #0xf00000
  mcr p15, 0, r0, c1, c0, 2
  isb
  mov r0, #0x40000000
  vmsr fpexc, r0
  ldr r0, =vectors
  mcr p15, 0, r0, c12, c0, 0
  cps #0x17
  ldr sp, =0x47e00000
  cps #0x13
  ldr sp, =0x47f00000
  @ What stands at 0x47fff000 says how many times; as many as 0 is 1.
  ldr r4, =0x47fff000
  ldr r4, [r4]
1: bl main
  subs r4, r4, #1
  bgt 1b
  bl print
  ldr r0, =0x84000008
  .inst 0xe1400070 @ hvc #0
1: b 1b

  .align 5
vectors:
  b .
  b .
  b service
  b .
  b abort
  b .
  b .
  b .
@ SVC: r0 := r0 + 1.
service:
  push {r1, lr}
  add r0, r0, #1
  ldm sp!, {r1, pc}^

@ Data abort: maps the section of the address to 0x47000000, and tries again.
abort:
  sub lr, lr, #8
  push {r0, r1, r2, r3, lr}
  mrc p15, 0, r0, c6, c0, 0
  lsr r0, r0, #20
  ldr r1, =0x40004000
  ldr r2, =0x47001c0e
  str r2, [r1, r0, lsl #2]
  dsb
  isb
  ldm sp!, {r0, r1, r2, r3, pc}^

@ r0 in hexadecimal and a new line.
print:
  ldr r1, =0x09000000
  mov r3, #8
1: mov r0, r0, ror #28
  and r2, r0, #15
  cmp r2, #10
  addlt r2, r2, #48
  addge r2, r2, #87
  str r2, [r1]
  subs r3, r3, #1
  bne 1b
  mov r2, #10
  str r2, [r1]
  bx lr
  .ltorg

@ What libgcc calls for a division by zero.
  .global raise
raise:
  bx lr

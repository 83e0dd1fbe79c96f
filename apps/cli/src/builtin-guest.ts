import { assemble } from '@tablewalk/arm-core';

/**
 * The guest that runs when there is nothing else: enough of a kernel to show the machine at work. It says where it is, builds a first-level table of
 * 1 MB sections, turns the MMU on, takes a supervisor call and a timer interrupt, and powers off. (ARM DDI 0406C: B3.5.1 for the descriptors, B1.8
 * for the exceptions; PSCI: ARM DEN 0022D.)
 */
const source = `
  .equ UART, 0x09000000
  .equ GICD, 0x08000000
  .equ GICC, 0x08010000
  .equ TABLE, 0x40100000

start:
  ldr   sp, =0x400f0000
  ldr   r0, =hello
  bl    puts

  ldr   r0, =TABLE              @ every megabyte unmapped
  mov   r1, #0
  mov   r2, #4096
clear:
  str   r1, [r0], #4
  subs  r2, r2, #1
  bne   clear
  ldr   r0, =TABLE
  ldr   r1, =0x4001140e         @ RAM: Normal write-back write-allocate, shareable, privileged
  add   r4, r0, #0x1000
  str   r1, [r4]                @ 0x40000000
  add   r4, r0, #0x2000
  str   r1, [r4]                @ and its alias at 0x80000000
  ldr   r1, =0x08010416         @ devices: shareable Device, never executed
  str   r1, [r0, #0x200]
  ldr   r1, =0x09010416
  str   r1, [r0, #0x240]
  dsb
  mov   r1, #0
  mcr   p15, 0, r1, c2, c0, 2   @ TTBCR
  orr   r2, r0, #0x4a
  mcr   p15, 0, r2, c2, c0, 0   @ TTBR0
  mov   r1, #1
  mcr   p15, 0, r1, c3, c0, 0   @ DACR: domain 0 is a client
  mov   r1, #0
  mcr   p15, 0, r1, c8, c7, 0   @ TLBIALL
  dsb
  isb
  mrc   p15, 0, r1, c1, c0, 0
  orr   r1, r1, #5              @ SCTLR.M and C
  orr   r1, r1, #0x1000         @ and I
  mcr   p15, 0, r1, c1, c0, 0
  isb
  ldr   r0, =mmuon
  bl    puts

  ldr   r0, =vectors
  mcr   p15, 0, r0, c12, c0, 0  @ VBAR
  isb
  ldr   r0, =word
  ldr   r1, =0x40000000
  add   r2, r0, r1              @ the same word by its other address
  ldr   r3, =0x600dcafe
  str   r3, [r0]
  ldr   r4, [r2]
  cmp   r3, r4
  ldreq r0, =aliasok
  ldrne r0, =aliasbad
  bl    puts
  svc   #1

  cps   #0x12                   @ a stack for IRQ mode
  ldr   sp, =0x400e0000
  cps   #0x13
  ldr   r0, =GICD
  mov   r1, #1
  str   r1, [r0]
  mov   r2, #0x08000000         @ INTID 27: the virtual timer
  str   r2, [r0, #0x100]
  ldr   r0, =GICC
  mov   r2, #0xff
  str   r2, [r0, #4]
  str   r1, [r0]
  ldr   r2, =62500              @ a millisecond
  mcr   p15, 0, r2, c14, c3, 0
  mcr   p15, 0, r1, c14, c3, 1
  cpsie i
wait:
  wfi
  ldr   r0, =ticked
  ldr   r1, [r0]
  cmp   r1, #0
  beq   wait
  ldr   r0, =bye
  bl    puts
  ldr   r0, =0x84000008         @ PSCI SYSTEM_OFF
  hvc   #0
hang:
  b     hang

puts:
  ldr   r1, =UART
next:
  ldrb  r2, [r0], #1
  cmp   r2, #0
  bxeq  lr
  strb  r2, [r1]
  b     next

onsvc:
  push  {r0-r3, lr}
  ldr   r0, =svctext
  bl    puts
  pop   {r0-r3, lr}
  movs  pc, lr

onirq:
  sub   lr, lr, #4
  push  {r0-r3, lr}
  ldr   r0, =GICC
  ldr   r3, [r0, #0xc]
  mov   r1, #2
  mcr   p15, 0, r1, c14, c3, 1  @ the timer off
  str   r3, [r0, #0x10]
  ldr   r0, =ticked
  mov   r1, #1
  str   r1, [r0]
  ldr   r0, =irqtext
  bl    puts
  pop   {r0-r3, lr}
  movs  pc, lr

onbad:
  ldr   r0, =badtext
  bl    puts
  b     hang
  .ltorg

  .align 5
vectors:
  b     onbad
  b     onbad
  b     onsvc
  b     onbad
  b     onbad
  b     onbad
  b     onirq
  b     onbad

word:    .word 0
ticked:  .word 0
hello:   .asciz "Tablewalk: the built-in guest, loaded at 0x40010000, MMU off\\r\\n"
mmuon:   .asciz "MMU on: 0x40000000 and 0x80000000 are the same megabyte of RAM, devices at 0x08000000 and 0x09000000\\r\\n"
aliasok: .asciz "a word written at one address is read at the other\\r\\n"
aliasbad:.asciz "the two addresses differ: this machine is broken\\r\\n"
svctext: .asciz "supervisor call taken\\r\\n"
irqtext: .asciz "timer interrupt taken\\r\\n"
badtext: .asciz "an exception that nobody expected\\r\\n"
bye:     .asciz "To boot real software: 'npm run guests' fetches Debian's packages, then\\r\\n  npm start -- run -bios .guests/u-boot.bin\\r\\n  npm start -- run -m 512 -kernel .guests/zImage-armmp -initrd .guests/initramfs.cpio.gz -append console=ttyAMA0\\r\\nCtrl-A X leaves. Powering off.\\r\\n"
`;

/** The guest as a raw image for the address that `-kernel` loads at. */
export const builtinGuest = (): Uint8Array => assemble(source, { origin: 0x40010000 }).bytes;

@ Runs address translation operations under register values and page tables that a host put into RAM, and leaves PAR in RAM.
@
@ QEMU virt, bare metal, -m 128. RAM as this program finds it:
@   0x40200000  this program; every case maps its section to itself, readable and executable at PL1
@   0x44000000  [0] number of cases, [4] set to 1 at the end
@   0x44000040  cases, 64 bytes each:
@               00 SCTLR  04 TTBCR  08 TTBR0 (64)  10 TTBR1 (64)  18 DACR  1c PRRR  20 NMRR
@               24 address of the VAs  28 number of them  2c address of the results
@               30 written: TTBCR as read back  34 written: SCTLR as read back (M set)
@ A result is 32 bytes: PAR (64) after ATS1CPR, ATS1CPW, ATS1CUR, ATS1CUW. An operation that took a Data Abort leaves DFSR in the low word and
@ 0xabababab in the high one. No memory is touched while translation is on: the tables map nothing but this program reliably.
    .syntax unified
    .arm
    .arch   armv7-a
    .arch_extension virt
    .section .text, "ax"
    .global _start
_start:
    cpsid   aif
    ldr     r0, =vectors
    mcr     p15, 0, r0, c12, c0, 0
    ldr     r12, =0x44000000
    ldr     r11, [r12]                  @ cases left
    add     r12, r12, #0x40             @ this case
case:
    cmp     r11, #0
    beq     done
    mov     r0, #0
    mcr     p15, 0, r0, c2, c0, 2       @ TTBCR = 0 while the rest changes
    ldr     r0, [r12, #0x18]
    mcr     p15, 0, r0, c3, c0, 0
    ldr     r0, [r12, #0x04]
    mcr     p15, 0, r0, c2, c0, 2
    mrc     p15, 0, r0, c2, c0, 2
    str     r0, [r12, #0x30]
    ldrd    r0, r1, [r12, #0x08]
    mcrr    p15, 0, r0, r1, c2
    ldrd    r0, r1, [r12, #0x10]
    mcrr    p15, 1, r0, r1, c2
    ldr     r0, [r12, #0x1c]
    mcr     p15, 0, r0, c10, c2, 0
    ldr     r0, [r12, #0x20]
    mcr     p15, 0, r0, c10, c2, 1
    ldr     r10, [r12, #0x24]
    ldr     r9, [r12, #0x28]
    ldr     r8, [r12, #0x2c]
    mov     r0, #0
    mcr     p15, 0, r0, c8, c7, 0
    dsb
    isb
va:
    cmp     r9, #0
    beq     next
    ldr     lr, [r10], #4
    mrc     p15, 0, sp, c1, c0, 0       @ what to go back to
    ldr     r0, [r12]
    mcr     p15, 0, r0, c1, c0, 0
    isb
    mcr     p15, 0, lr, c7, c8, 0
    isb
    mrrc    p15, 0, r0, r1, c7
    mcr     p15, 0, lr, c7, c8, 1
    isb
    mrrc    p15, 0, r2, r3, c7
    mcr     p15, 0, lr, c7, c8, 2
    isb
    mrrc    p15, 0, r4, r5, c7
    mcr     p15, 0, lr, c7, c8, 3
    isb
    mrrc    p15, 0, r6, r7, c7
    mrc     p15, 0, lr, c1, c0, 0
    mcr     p15, 0, sp, c1, c0, 0
    isb
    str     lr, [r12, #0x34]
    stmia   r8!, {r0-r7}
    sub     r9, r9, #1
    b       va
next:
    sub     r11, r11, #1
    add     r12, r12, #0x40
    b       case
done:
    ldr     r0, =0x44000000
    mov     r1, #1
    str     r1, [r0, #4]
    ldr     r0, =0x84000008             @ PSCI SYSTEM_OFF
    hvc     #0
    b       .

@ The only abort there can be is one on a walk of an ATS operation. PAR says so instead of the operation.
abort:
    mcr     p15, 0, lr, c13, c0, 4      @ abort mode has two registers of its own, and this takes three
    mrc     p15, 0, sp, c5, c0, 0
    movw    lr, #0xabab
    movt    lr, #0xabab
    mcrr    p15, 0, sp, lr, c7
    mrc     p15, 0, lr, c13, c0, 4
    subs    pc, lr, #4                  @ to the instruction after the operation

    .balign 32
vectors:
    b       .
    b       .
    b       .
    b       .
    b       abort
    nop
    b       .
    b       .
    .ltorg

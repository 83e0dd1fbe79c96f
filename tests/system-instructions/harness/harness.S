/* Runs a batch of short tests in any mode of PL1 or in User mode, on QEMU's virt board or on ours: one .elf for both. Every test ends with the
 * exception it takes; all that the exception left is recorded. Translation tables are flat (VA = PA) except for the frame page.
 *   0x40200000  this code                PL1 RO, domain 0 (tests in PL1 may not overwrite it)
 *   0x40300000  tables, d register copy  PL1 RW, domain 1: no access while a test runs
 *   0x46000000  pages of every permission kind, 0x46100000 pages and 0x46300000 a section of domain 2, 0x46400000.. sections: see `pages`
 *   0x47000000  code slots, 64 bytes a test, RO for all
 *   0x48000000  [0] count, [1] done, [2] tests that are over; 0x48100000 input, 0x50000000 output records (layout.ts); domain 1
 *   0x7ff00000  frame page, PL1 RW: what the last instructions before a test read, and what the first of an exception handler save
 */
    .syntax unified
    .arm
    .arch armv7-a
    .arch_extension virt
    .fpu neon-vfpv4
    .equ FRAME, 0x7ff00400              @ PC, CPSR, r0-r12 of the test to come
    .equ VARS, 0x7ff00800               @ r0, r1, CPSR, type, DACR of the test that ended; then input, output, slot, left, done, SCTLR
    .equ V_IN, 0x20
    .equ V_OUT, 0x24
    .equ V_LEFT, 0x2c
    .equ V_DONE, 0x30
    .equ V_SCTLR, 0x34
    .equ PRIME, 0x9e3779b1
    .macro  LOAD reg, value
    movw    \reg, #(\value & 0xffff)
    movt    \reg, #(\value >> 16)
    .endm

    .section .text.start,"ax"
    .global _start
_start:
    cpsid   aif, #0x13
    mrc     p15, 0, r0, c1, c0, 2
    orr     r0, r0, #(0xf << 20)
    mcr     p15, 0, r0, c1, c0, 2
    isb
    mov     r0, #0x40000000
    vmsr    fpexc, r0
    ldr     r0, =ttb
    mov     r1, #0
    mov     r2, #0
1:  str     r2, [r0, r1, lsl #2]
    add     r1, r1, #1
    cmp     r1, #4096 + 768             @ the three tables of the second level follow
    blo     1b
    ldr     r5, =sections               @ first, last + 1, descriptor
2:  ldmia   r5!, {r1-r3}
    cmp     r2, #0
    beq     3f
4:  orr     r4, r3, r1
    str     r4, [r0, r1, lsr #18]
    add     r1, r1, #0x100000
    cmp     r1, r2
    blo     4b
    b       2b
3:  ldr     r5, =pages                  @ VA, entry of the second level, its descriptor
5:  ldmia   r5!, {r1-r3}
    cmp     r1, #0
    beq     6f
    bic     r4, r2, #0x3fc
    orr     r4, r4, #1
    tst     r1, #0x100000               @ odd MiBs: domain 2, but for the frame page
    beq     7f
    cmp     r1, #0x70000000
    orrlo   r4, r4, #0x40
7:  str     r4, [r0, r1, lsr #18]
    str     r3, [r2]
    b       5b
6:  dsb
    mov     r2, #0
    mcr     p15, 0, r2, c2, c0, 2
    mcr     p15, 0, r0, c2, c0, 0
    LOAD    r1, 0x55555555
    mcr     p15, 0, r1, c3, c0, 0
    mcr     p15, 0, r2, c8, c7, 0
    mcr     p15, 0, r2, c7, c5, 0
    dsb
    isb
    mrc     p15, 0, r3, c1, c0, 0
    LOAD    r1, 0x1805
    orr     r3, r3, r1
    bic     r3, r3, #2
    mcr     p15, 0, r3, c1, c0, 0
    isb
    LOAD    r0, VARS
    str     r3, [r0, #V_SCTLR]
    LOAD    r1, 0x48100000
    str     r1, [r0, #V_IN]
    LOAD    r1, 0x50000000
    str     r1, [r0, #V_OUT]
    mov     r1, #0
    str     r1, [r0, #V_DONE]
    LOAD    r1, 0x48000000
    ldr     r1, [r1]
    str     r1, [r0, #V_LEFT]
    bl      hash                        @ fills the windows
    b       next

/* Sum over the windows, in r6; every word becomes its start value again. Uses r2-r5, r8-r9. */
hash:
    mov     r6, #0
    LOAD    r5, PRIME
    ldr     r2, =windows
1:  ldmia   r2!, {r8, r9}
    cmp     r8, #0
    bxeq    lr
2:  ldr     r3, [r8]
    mul     r4, r8, r5
    eor     r3, r3, r4
    add     r6, r3, r6, ror #27
    str     r4, [r8], #4
    cmp     r8, r9
    blo     2b
    b       1b

    .macro  KEEP type
    mcr     p15, 0, r0, c13, c0, 4      @ TPIDRPRW
    LOAD    r0, VARS
    str     r1, [r0, #4]
    mrs     r1, cpsr
    str     r1, [r0, #8]
    mov     r1, #\type
    str     r1, [r0, #12]
    .endm
res_h: KEEP 0
    b       common
und_h: KEEP 1
    b       common
svc_h: KEEP 2
    b       common
pab_h: KEEP 3
    b       common
dab_h: KEEP 4
    b       common
irq_h: KEEP 6
    b       common
fiq_h: KEEP 7
common:
    mrc     p15, 0, r1, c13, c0, 4
    str     r1, [r0]
    mrc     p15, 0, r1, c3, c0, 0
    str     r1, [r0, #16]
    LOAD    r1, 0x55555555
    mcr     p15, 0, r1, c3, c0, 0
    isb
    ldr     r1, [r0, #V_OUT]
    str     r2, [r1, #8]
    add     r2, r1, #12
    stmia   r2, {r3-r7}
    ldr     r2, [r0]
    str     r2, [r1]
    ldr     r2, [r0, #4]
    str     r2, [r1, #4]
    ldr     r2, [r0, #8]
    str     r2, [r1, #0x8c]
    ldr     r2, [r0, #12]
    str     r2, [r1, #0x90]
    ldr     r2, [r0, #16]
    str     r2, [r1, #0x9c]
    cps     #0x1f
    add     r2, r1, #0x20
    stmia   r2, {r8-r14}
    cps     #0x11
    mrs     r3, spsr
    add     r2, r1, #0x3c
    stmia   r2, {r8-r14}
    str     r3, [r1, #0x58]
    .macro  BANK mode, at
    cps     #\mode
    mrs     r3, spsr
    str     sp, [r1, #\at]
    str     lr, [r1, #\at + 4]
    str     r3, [r1, #\at + 8]
    .endm
    BANK    0x12, 0x5c
    BANK    0x17, 0x74
    BANK    0x1b, 0x80
    BANK    0x13, 0x68
    mrc     p15, 0, r3, c1, c0, 0
    str     r3, [r1, #0x94]
    ldr     r3, [r0, #V_SCTLR]
    mcr     p15, 0, r3, c1, c0, 0
    mrc     p15, 0, r3, c1, c0, 2
    str     r3, [r1, #0x98]
    orr     r3, r3, #(0xf << 20)
    bic     r3, r3, #(1 << 31)
    mcr     p15, 0, r3, c1, c0, 2
    isb
    vmrs    r3, fpexc
    str     r3, [r1, #0xa0]
    mov     r3, #0x40000000
    vmsr    fpexc, r3
    vmrs    r3, fpscr
    str     r3, [r1, #0xa4]
    mrc     p15, 0, r3, c12, c0, 0
    str     r3, [r1, #0xa8]
    mrc     p15, 0, r3, c13, c0, 1
    str     r3, [r1, #0xac]
    mrc     p15, 0, r3, c13, c0, 2
    str     r3, [r1, #0xb0]
    mrc     p15, 0, r3, c13, c0, 3
    str     r3, [r1, #0xb4]
    mrc     p15, 2, r3, c0, c0, 0
    str     r3, [r1, #0xb8]
    mrc     p15, 0, r3, c5, c0, 0
    str     r3, [r1, #0xbc]
    mrc     p15, 0, r3, c6, c0, 0
    str     r3, [r1, #0xc0]
    mrc     p15, 0, r3, c5, c0, 1
    str     r3, [r1, #0xc4]
    mrc     p15, 0, r3, c6, c0, 2
    str     r3, [r1, #0xc8]
    mrc     p15, 0, r3, c7, c4, 0
    str     r3, [r1, #0xcc]
    ldr     r2, =dregs
    mov     r8, r2
    vstmia  r2!, {d0-d15}
    vstmia  r2!, {d16-d31}
    LOAD    r5, PRIME
    mov     r6, #0
8:  ldr     r3, [r8], #4
    mul     r3, r3, r5
    add     r6, r3, r6, ror #27
    cmp     r8, r2
    blo     8b
    str     r6, [r1, #0xd4]
    bl      hash
    str     r6, [r1, #0xd0]
    add     r1, r1, #0x180
    str     r1, [r0, #V_OUT]
    ldr     r1, [r0, #V_IN]
    add     r1, r1, #0x180
    str     r1, [r0, #V_IN]
    ldr     r1, [r0, #V_DONE]
    add     r1, r1, #1
    str     r1, [r0, #V_DONE]
    LOAD    r2, 0x48000000
    str     r1, [r2, #8]
    ldr     r1, [r0, #V_LEFT]
    subs    r1, r1, #1
    str     r1, [r0, #V_LEFT]
    beq     done
next:
    LOAD    r0, VARS
    ldr     r1, [r0, #V_IN]
    ldr     r3, [r1, #0xa4]
    vmsr    fpscr, r3
    add     r2, r1, #0x100
    vldmia  r2, {d0-d15}
    vldmia  r2, {d16-d31}
    LOAD    r2, FRAME
    ldr     r3, [r1, #0x90]
    str     r3, [r2], #4
    ldr     r3, [r1, #0x8c]
    str     r3, [r2], #4
    mov     r4, #0
9:  ldr     r3, [r1, r4]
    str     r3, [r2, r4]
    add     r4, r4, #4
    cmp     r4, #52
    blo     9b
    cps     #0x1f
    ldr     sp, [r1, #0x34]
    ldr     lr, [r1, #0x38]
    cps     #0x11
    ldr     r3, [r1, #0x58]
    msr     spsr_fsxc, r3
    add     r2, r1, #0x3c
    ldmia   r2, {r8-r14}
    .macro  FILL mode, at
    cps     #\mode
    ldr     r3, [r1, #\at + 8]
    msr     spsr_fsxc, r3
    ldr     sp, [r1, #\at]
    ldr     lr, [r1, #\at + 4]
    .endm
    FILL    0x12, 0x5c
    FILL    0x13, 0x68
    FILL    0x17, 0x74
    FILL    0x1b, 0x80
    ldr     r3, [r1, #0xac]
    mcr     p15, 0, r3, c13, c0, 1
    ldr     r3, [r1, #0xb0]
    mcr     p15, 0, r3, c13, c0, 2
    ldr     r3, [r1, #0xb4]
    mcr     p15, 0, r3, c13, c0, 3
    ldr     r3, [r1, #0xb8]
    mcr     p15, 2, r3, c0, c0, 0
    mov     r3, #0
    mcr     p15, 0, r3, c5, c0, 0
    mcr     p15, 0, r3, c6, c0, 0
    mcr     p15, 0, r3, c5, c0, 1
    mcr     p15, 0, r3, c6, c0, 2
    mcr     p15, 0, r3, c7, c4, 0
    ldr     r3, [r1, #0xa0]
    vmsr    fpexc, r3
    ldr     r3, [r1, #0x98]
    mcr     p15, 0, r3, c1, c0, 2
    ldr     r3, [r0, #V_SCTLR]
    ldr     r4, [r1, #0x94]             @ bits of SCTLR to invert
    tst     r4, #(1 << 30)
    ldreq   r2, =vectors
    ldrne   r2, =thumb_vectors
    mcr     p15, 0, r2, c12, c0, 0
    eor     r3, r3, r4
    mcr     p15, 0, r3, c1, c0, 0
    ldr     r3, [r1, #0x8c]             @ the test must not be in the mode whose SP points to the frame
    and     r3, r3, #0x1f
    ldr     r4, [r1, #0x9c]
    cmp     r3, #0x17
    bne     1f
    cps     #0x1b
    b       2f
1:  cps     #0x17
2:  LOAD    sp, FRAME
    mcr     p15, 0, r4, c3, c0, 0
    isb
    clrex
    add     r0, sp, #8
    ldmia   r0, {r0-r12}
    rfeia   sp
done:
    LOAD    r0, 0x48000000
    mov     r1, #1
    str     r1, [r0, #4]
    ldr     r0, =0x84000008
    hvc     #0
    b       .
    .ltorg

/* RO for all: APX AP = 111; PL1 only: 101. Normal memory, write-back: TEX 001, C, B. */
sections:
    .word   0x40200000, 0x40300000, 0x0000940e          @ PL1 RO
    .word   0x40300000, 0x40400000, 0x0000143e          @ PL1 RW, XN, domain 1
    .word   0x46300000, 0x46400000, 0x00001c4e          @ RW, domain 2
    .word   0x46400000, 0x46500000, 0x0000940e          @ PL1 RO
    .word   0x46500000, 0x46600000, 0x00009c1e          @ RO, XN
    .word   0x46600000, 0x46700000, 0x00009c0f          @ RO, PXN
    .word   0x46700000, 0x46800000, 0x0000100e          @ no access
    .word   0x47000000, 0x47800000, 0x00009c0e          @ RO
    .word   0x48000000, 0x4c000000, 0x0000143e          @ domain 1
    .word   0x50000000, 0x54000000, 0x0000143e          @ domain 1
    .word   0, 0, 0
pages:
    .word   0x46000000, l2a + 0x80 * 4, 0x4608007f      @ RW, XN
    .word   0x46000000, l2a + 0x81 * 4, 0x4608105f      @ PL1 RW, XN
    .word   0x46000000, l2a + 0x82 * 4, 0x4608206f      @ PL1 RW, PL0 RO, XN
    .word   0x46000000, l2a + 0x83 * 4, 0x4608325f      @ PL1 RO, XN
    .word   0x46000000, l2a + 0x84 * 4, 0x4608427f      @ RO, XN
    .word   0x46000000, l2a + 0x85 * 4, 0x4608504f      @ no access, XN; 0x86 and 0x87 are unmapped
    .word   0x46000000, l2a + 0x88 * 4, 0x4608825e      @ PL1 RO
    .word   0x46000000, l2a + 0x89 * 4, 0x4608927e      @ RO
    .word   0x46000000, l2a + 0x8a * 4, 0x4608a04e      @ no access
    .word   0x46000000, l2a + 0x8b * 4, 0x4608b07e      @ RW
    .word   0x46100000, l2b + 0x80 * 4, 0x4618007f      @ domain 2: RW, XN; 0x81 is unmapped
    .word   0x46100000, l2b + 0x82 * 4, 0x4618207e      @ domain 2: RW
    .word   0x7ff00000, l2c, 0x4040005f                 @ frame page: PL1 RW, XN
    .word   0, 0, 0
windows:
    .word   0x46080780, 0x46080880
    .word   0x46080fe0, 0x46081020
    .word   0x46081780, 0x46081880
    .word   0x46082780, 0x46082800
    .word   0x46082f80, 0x46083000
    .word   0x46180780, 0x46180880
    .word   0x46180f80, 0x46181000
    .word   0x46300780, 0x46300800
    .word   0x463fff80, 0x46400000
    .word   0, 0
    .align 5
vectors:
    b res_h
    b und_h
    b svc_h
    b pab_h
    b dab_h
    b .
    b irq_h
    b fiq_h
    .thumb
    .macro  THUMB_KEEP type
    KEEP    \type
    ldr     r1, =common
    bx      r1
    .endm
    .align 5
thumb_vectors:
    b.w res_t
    b.w und_t
    b.w svc_t
    b.w pab_t
    b.w dab_t
    b.w .
    b.w irq_t
    b.w fiq_t
res_t: THUMB_KEEP 0
und_t: THUMB_KEEP 1
svc_t: THUMB_KEEP 2
pab_t: THUMB_KEEP 3
dab_t: THUMB_KEEP 4
irq_t: THUMB_KEEP 6
fiq_t: THUMB_KEEP 7
    .ltorg
    .bss
    .align 14
ttb: .space 16384
l2a: .space 1024
l2b: .space 1024
l2c: .space 1024
dregs: .space 256

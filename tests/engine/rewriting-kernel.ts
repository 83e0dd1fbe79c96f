/** A program that changes one instruction of each of its functions, a granule of code each, and calls it twice, for ever: it is translated without end. */
export const rewritingForEver = (functions: number): string => `
  ldr sp, =0x40200000
  mov r9, #0
again:
  ldr r4, =functions
  mov r5, #${functions}
next:
  ldrb r0, [r4]
  add r0, r0, #1
  strb r0, [r4]
  blx r4
  blx r4
  add r4, r4, #128
  subs r5, r5, #1
  bne next
  b again
  .ltorg
  .balign 4096
functions:
  ${'add r9, r9, #0\n eors r9, r9, r9, ror #3\n addmi r9, r9, #7\n bx lr\n .balign 128\n'.repeat(functions)}
`;

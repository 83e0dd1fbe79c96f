/**
 * Address flavours. A plain number is accepted for either, yet a virtual address is not accepted where a physical one is
 * expected: the mix-up that this project exists to show should not be possible in its own code.
 */
declare const flavour: unique symbol;

/** Unsigned 32-bit virtual address (always `>>> 0`). */
export type VirtAddr = number & { readonly [flavour]?: 'virtual' };

/** Unsigned physical address, up to 40 bits with the long-descriptor format: a non-negative integer, never an int32. */
export type PhysAddr = number & { readonly [flavour]?: 'physical' };

/** Size of one bus access in bytes. */
export type AccessSize = 1 | 2 | 4;

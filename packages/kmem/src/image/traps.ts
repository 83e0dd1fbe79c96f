/** Immediates of the HVC instructions by which guest code enters a host routine. */
export const TRAP_INIT2 = 0x4b00;
export const TRAP_REMOVE_IDENTITY = 0x4b01;
export const TRAP_INIT_ALLOCATORS = 0x4b02;
/** The kernel has nothing to do: r0 says what comes next. */
export const TRAP_NEXT = 0x4b03;
/** A branch that a host routine made has come back. */
export const TRAP_RETURNED = 0x4b04;
/** An exception out of kernel code: r0 kind, r1 status, r2 address, r3 the frame. */
export const TRAP_OOPS = 0x4b05;
/** A fault of user code, with the same registers. The answer is r0: 0 goes on, 1 leaves the program. */
export const TRAP_FAULT = 0x4b06;
/** SVC of user code: r3 is the frame. */
export const TRAP_SYSCALL = 0x4b07;

/** Answers to TRAP_NEXT. */
export const NEXT_RESUME = 1;
export const NEXT_POWER_OFF = 2;

/** Kinds of exception in r0. */
export const EXCEPTION_KINDS = ['undefined', 'svc', 'prefetch-abort', 'data-abort', 'irq', 'fiq'] as const;
export type GuestExceptionKind = (typeof EXCEPTION_KINDS)[number];

/** Words of the frame that an exception pushes: r0-r12, sp_usr, lr_usr, pc, cpsr. */
export const FRAME_WORDS = 17;
export const FRAME_PC = 15;
export const FRAME_CPSR = 16;

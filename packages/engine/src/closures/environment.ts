import type { StateViews, VectorKernel } from '../kernel.js';

/** What of a running block the rest of the core needs to see. */
export class Frame {
  /** Index of the instruction being executed, within its block. Valid inside calls and slow accesses. */
  index = 0;
  /** Index of the statement before which the block is left: normally their number, less when the budget ends or something wants attention. */
  limit = 0;
}

/** The way out of the fast path: what is not RAM in the fast table, and whatever faults. A fault takes the guest's exception and throws. */
export interface AccessPort {
  readonly frame: Frame;
  /** Flags as LOAD's (size | MEM_...); value extended to 32 bits. */
  load(va: number, flags: number, index: number): number;
  store(va: number, flags: number, value: number, index: number): void;
  /** Loads words into the state words of `list`; nothing is written when one faults. */
  loadMultiple(va: number, list: Int32Array, flags: number, index: number): void;
  /** Stores `values[0..count)`; nothing is written when one faults. */
  storeMultiple(va: number, values: Int32Array, count: number, flags: number, index: number): void;
  /** Interworking branch into the other instruction set. */
  exchange(target: number): void;
}

/** Everything that the closures of one core close over. */
export interface ClosureEnvironment {
  /** The core's state (all of it, fast tables too) and SIMD views. */
  readonly state: StateViews;
  /** Guest memory as a whole; host offset / 2^k is the index. */
  readonly m8: Uint8Array;
  readonly m16: Uint16Array;
  readonly m32: Int32Array;
  readonly access: AccessPort;
  /** First argument of CALL kernels. */
  readonly core: never;
  /** Vector kernels bound to this core. */
  readonly bound: Map<VectorKernel, (a: number, b: number, c: number) => void>;
}

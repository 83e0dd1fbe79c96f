import type { StateViews, VectorKernel } from '../kernel.js';
import { FAST_TABLE_PL0, FAST_TABLE_PL1 } from '../layout.js';
import * as op from '../ops.js';

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
  /** Execution goes on in another line of code. Only called with {@link ClosureEnvironment.everyAccess}. */
  fetch?(va: number, index: number): void;
}

/** Which lines of guest memory are dirty in the L1 data cache: bit 0 of a byte for each 2^log2 bytes. */
export interface LineShadow {
  readonly shadow: Uint8Array;
  readonly log2: number;
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
  /** With caches modelled: stores go straight only to lines that are dirty. */
  readonly lines?: LineShadow;
  /** No access goes straight, and `access.fetch` hears of each new line of code, of 2^fetchLog2 bytes: the models count. */
  readonly everyAccess?: { readonly fetchLog2: number };
  /** No store goes straight: somebody hashes them. */
  readonly everyStore?: boolean;
  /** Vector kernels bound to this core. */
  readonly bound: Map<VectorKernel, (a: number, b: number, c: number) => void>;
}

/** Word index of the fast table for an access with these flags. */
export const tableOf = (flags: number, privileged: boolean): number =>
  (privileged && (flags & op.MEM_UNPRIVILEGED) === 0 ? FAST_TABLE_PL1 : FAST_TABLE_PL0) >>> 2;

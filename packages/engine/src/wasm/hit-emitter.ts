import {
  FAST_ADDEND,
  FAST_READ_TAG,
  FAST_SPARE,
  FAST_TABLE_ENTRIES,
  FAST_WRITE_TAG,
  FETCH_ENTRIES,
  FETCH_LINE,
  FETCH_TABLE,
  HIT_FETCHES,
  HIT_LAST_DATA,
  HIT_LAST_FETCH,
  HIT_LOADS,
  HIT_LOOKS,
  HIT_STORES,
} from '../layout.js';
import type { ChainAddend } from './chain-addend.js';
import type { FunctionWriter, Local } from './function-writer.js';
import type { HitCounts } from './hit-counts.js';
import * as wasm from './opcodes.js';
import type { HitPlaces } from './region.js';

/** Looks that a store of several words makes before its accesses. */
const LOOKS_OF_MULTIPLE = 1;

/** One access, or several of consecutive words. */
export interface CountedAccess {
  /** Byte offset in the state of the table for its privilege. */
  readonly table: number;
  readonly isStore: boolean;
  /** Bytes of each, to which it must be aligned, if at all, and of all. Several are aligned. */
  readonly size: number;
  readonly isAligned: boolean;
  readonly bytes: number;
  /** A store of several words, be they one. */
  readonly isMultiple: boolean;
  /** No condition is around it. */
  readonly isCertain: boolean;
  /** It waits for what it loaded a round before (address-chains.ts). */
  readonly isChained: boolean;
}

/**
 * Accesses and fetches where each is counted: those of lines in the line tables (layout.ts) are hits, which are noted in the state; anything else leaves. What
 * is left at has noted nothing, so an instruction may have one such place.
 */
export class HitEmitter {
  private readonly w: FunctionWriter;
  private readonly places: HitPlaces;
  readonly counts: HitCounts;
  private readonly chain: ChainAddend;
  private readonly leaveWhen: () => void;

  constructor(w: FunctionWriter, places: HitPlaces, counts: HitCounts, chain: ChainAddend, leaveWhen: () => void) {
    this.w = w;
    this.places = places;
    this.counts = counts;
    this.chain = chain;
    this.leaveWhen = leaveWhen;
  }

  /**
   * Pushes the host address of an access at the VA in local `va`, which is noted. `check` leaves when something else is wrong, with the host address in the
   * local that it gets. `leaveWhen` leaves when the i32 on the stack is not 0, `va` as it was.
   */
  access(va: Local, access: CountedAccess, check: (host: Local) => void, leaveWhen: () => void): void {
    const { w } = this;
    const { bytes, size, isStore } = access;
    const line = 1 << this.places.dataLog2;
    const count = bytes / size;
    const entry = w.borrow();
    const host = w.borrow();
    this.lookUp(va, entry, access);
    w.get(va);
    if (!access.isAligned && size > 1) {
      w.i32(size - 1);
      w.op(wasm.I32_ADD);
      w.and(-line);
    } else w.and(-line | (size - 1));
    w.op(wasm.I32_NE);
    leaveWhen();
    const last = count === 1 ? entry : this.lookUpLast(va, entry, access, leaveWhen);
    this.chain.add(va, () => this.field(entry, access.table, FAST_ADDEND), access.isChained);
    w.set(host);
    check(host);
    if (last !== entry && this.places.dataPairs >= 0) {
      const spare = w.borrow();
      this.field(entry, access.table, FAST_SPARE);
      w.set(spare);
      this.use(this.places.dataPairs, spare);
      w.release(spare);
    }
    this.field(last, access.table, FAST_SPARE);
    w.set(last);
    w.storeLocal(HIT_LAST_DATA, last);
    this.use(this.places.dataPairs, last);
    if (!access.isAligned && size > 1) this.countBytes(va, size, isStore);
    else {
      this.counts.add(isStore ? HIT_STORES : HIT_LOADS, count, access.isCertain);
      if (access.isMultiple) this.counts.add(HIT_LOOKS, LOOKS_OF_MULTIPLE, access.isCertain);
    }
    w.get(host);
    if (last !== entry) w.release(last);
    w.release(host);
    w.release(entry);
  }

  /**
   * An access that need not be aligned. The interpreter's goes byte by byte then: it counts one, and another one in the next eight bytes; a load looks once, a
   * store with each byte.
   */
  private countBytes(va: Local, size: number, isStore: boolean): void {
    const { w } = this;
    const count = w.borrow();
    w.get(va);
    w.and(7);
    w.i32(8 - size);
    w.op(wasm.I32_GT_U);
    w.i32(1);
    w.op(wasm.I32_ADD);
    w.set(count);
    const word = isStore ? HIT_STORES : HIT_LOADS;
    w.storeWord(word, () => {
      w.loadWord(word);
      w.get(count);
      w.op(wasm.I32_ADD);
    });
    w.storeWord(HIT_LOOKS, () => {
      w.loadWord(HIT_LOOKS);
      if (isStore) {
        w.i32(size);
        w.i32(1);
        w.get(va);
        w.and(size - 1);
        w.op(wasm.SELECT);
      } else w.i32(1);
      w.op(wasm.I32_ADD);
      w.get(count);
      w.op(wasm.I32_SUB);
    });
    w.release(count);
  }

  /** The entry of the last word's line, which it returns; leaves when all are not in these two lines, one behind the other in memory. */
  private lookUpLast(va: Local, entry: Local, access: CountedAccess, leaveWhen: () => void): Local {
    const { w } = this;
    const { bytes, size, table } = access;
    const line = 1 << this.places.dataLog2;
    const end = w.borrow();
    const last = w.borrow();
    w.get(va);
    w.i32(bytes - size);
    w.op(wasm.I32_ADD);
    w.set(end);
    this.lookUp(end, last, access);
    w.get(end);
    w.and(-line);
    w.op(wasm.I32_NE);
    leaveWhen();
    if (bytes > line + size) {
      w.get(va);
      w.and(line - 1);
      w.i32(bytes);
      w.op(wasm.I32_ADD);
      w.i32(2 * line);
      w.op(wasm.I32_GT_U);
      leaveWhen();
    }
    this.field(entry, table, FAST_ADDEND);
    this.field(last, table, FAST_ADDEND);
    w.op(wasm.I32_NE);
    leaveWhen();
    if (access.isMultiple) {
      // The other page would be looked at once more.
      w.get(va);
      w.get(end);
      w.op(wasm.I32_XOR);
      w.and(~0xfff);
      leaveWhen();
    }
    w.release(end);
    return last;
  }

  /** `entry` := offset of the entry for `va`; pushes its tag. */
  private lookUp(va: Local, entry: Local, { table, isStore }: CountedAccess): void {
    const { w } = this;
    w.get(va);
    w.shiftRight(this.places.dataLog2 - 4);
    w.and((FAST_TABLE_ENTRIES - 1) << 4);
    w.set(entry);
    this.field(entry, table, isStore ? FAST_WRITE_TAG : FAST_READ_TAG);
  }

  private field(entry: Local, table: number, word: number): void {
    this.w.get(entry);
    this.w.access(wasm.I32_LOAD, 2, this.w.stateOffset + table + 4 * word);
  }

  /** The line whose numbers are in `spare` was used last of its pair. */
  private use(pairs: number, spare: Local): void {
    if (pairs < 0) return;
    const { w } = this;
    // The line's number is in the lower half, whose halfword is at twice half of it.
    w.get(spare);
    w.and(0xfffe);
    w.get(spare);
    w.access(wasm.I32_STORE16, 1, pairs);
  }

  /**
   * Execution comes to the byte at `offset` of the page of code whose VA `pushPageVa` pushes. `isNew`: not from its own line; `isCertain`: and whoever comes to the end
   * of the block has come by here.
   */
  fetch(offset: number, privileged: boolean, isNew: boolean, isCertain: boolean, pushPageVa: () => void): void {
    const { w } = this;
    const { fetchLog2, fetchPairs } = this.places;
    const line = w.borrow();
    pushPageVa();
    w.i32(offset & -(1 << fetchLog2));
    w.op(wasm.I32_ADD);
    w.set(line);
    if (!isNew) {
      w.get(line);
      w.loadWord(FETCH_LINE);
      w.op(wasm.I32_NE);
      w.if();
    }
    const entry = w.borrow();
    w.get(line);
    w.shiftRight(fetchLog2 - 3);
    w.and((FETCH_ENTRIES - 1) << 3);
    w.tee(entry);
    w.access(wasm.I32_LOAD, 2, w.stateOffset + FETCH_TABLE);
    w.get(line);
    if (privileged) {
      w.i32(1);
      w.op(wasm.I32_OR);
    }
    w.op(wasm.I32_NE);
    this.leaveWhen();
    w.storeLocal(FETCH_LINE, line);
    this.counts.add(HIT_FETCHES, 1, isCertain);
    w.get(entry);
    w.access(wasm.I32_LOAD, 2, w.stateOffset + FETCH_TABLE + 4);
    w.set(entry);
    w.storeLocal(HIT_LAST_FETCH, entry);
    this.use(fetchPairs, entry);
    if (!isNew) w.end();
    w.release(entry);
    w.release(line);
  }
}

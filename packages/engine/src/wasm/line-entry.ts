import {
  FAST_ADDEND,
  FAST_INVALID,
  FAST_READ_TAG,
  FAST_SPARE,
  FAST_TABLE_ENTRIES,
  FAST_TABLE_PL0,
  FAST_TABLE_PL1,
  FAST_WRITE_TAG,
} from '../layout.js';
import { IS_PRIVILEGED } from './beside-memory.js';
import type { FunctionWriter, Local } from './function-writer.js';
import * as wasm from './opcodes.js';

/** Where what is known of pages and lines is. A page's place is the low bits of its number. */
export interface LineTablePlaces {
  readonly placeCount: number;
  /**
   * 64 bytes for each place, 16 for each kind of access (bit 0: stores, bit 1: privileged): VA of the page and 1, or something else; offset in the memory; attributes in
   * bits 31:16 and translation in 15:0; not 0 when loads may be done here.
   */
  readonly known: number;
  /** 48 bytes for each place, with a bit for each line of the page: of privileged accesses the first 16, of the others the next. */
  readonly masks: number;
  /** A halfword for each place, with a bit for each word of masks. */
  readonly marked: number;
  /** A word for each slot of the L1: index in the state of its entry in the fast tables, or 0. */
  readonly entries: number;
}

/** Parameters of `RegionHost.access`. */
export const WHAT: Local = 0;
export const VA: Local = 1;
export const VALUE: Local = 3;

/** Bytes of masks for a place. */
const MASK_BYTES = 48;

/** Of the access that is written: the place of its page, its byte in the memory, the slot of its line, and its translation in bits 31:16, to which the slot comes. */
export interface AccessLocals {
  readonly place: Local;
  readonly host: Local;
  readonly slot: Local;
  readonly spare: Local;
}

/** Writes what `LineTable` does with its entries. */
export class LineEntryEmitter {
  private readonly w: FunctionWriter;
  private readonly tables: LineTablePlaces;
  private readonly lineLog2: number;
  private readonly locals: AccessLocals;

  constructor(w: FunctionWriter, tables: LineTablePlaces, lineLog2: number, locals: AccessLocals) {
    this.w = w;
    this.tables = tables;
    this.lineLog2 = lineLog2;
    this.locals = locals;
  }

  private field(word: number): number {
    return this.w.stateOffset + 4 * word;
  }

  /** Where the entry with index `entry` in the state is of this slot's line there is none any more. `entry` becomes its byte. */
  private clearOf(entry: Local): void {
    const { w } = this;
    const { slot } = this.locals;
    w.get(entry);
    w.shiftLeft(2);
    w.tee(entry);
    w.access(wasm.I32_LOAD16_U, 1, this.field(FAST_SPARE));
    w.get(slot);
    w.op(wasm.I32_EQ);
    w.if();
    for (const word of [FAST_READ_TAG, FAST_WRITE_TAG]) {
      w.get(entry);
      w.i32(FAST_INVALID);
      w.access(wasm.I32_STORE, 2, this.field(word));
    }
    w.end();
  }

  /** The next access of this kind to the line is a hit that code finds. */
  enter(isStore: boolean): void {
    const { w, tables, lineLog2 } = this;
    const { spare, slot, host } = this.locals;
    const entry = w.borrow();
    const before = w.borrow();
    const line = w.borrow();
    const store = (word: number, value: () => void): void => {
      w.get(entry);
      value();
      w.access(wasm.I32_STORE, 2, this.field(word));
    };
    const [own, other] = isStore ? [FAST_WRITE_TAG, FAST_READ_TAG] : [FAST_READ_TAG, FAST_WRITE_TAG];
    const addend = (): void => {
      w.get(host);
      w.get(VA);
      w.op(wasm.I32_SUB);
    };
    w.get(spare);
    w.get(slot);
    w.op(wasm.I32_OR);
    w.set(spare);
    w.i32(FAST_TABLE_PL1);
    w.i32(FAST_TABLE_PL0);
    w.get(WHAT);
    w.and(IS_PRIVILEGED);
    w.op(wasm.SELECT);
    w.get(VA);
    w.shiftRight(lineLog2);
    w.and(FAST_TABLE_ENTRIES - 1);
    w.shiftLeft(4);
    w.op(wasm.I32_ADD);
    w.set(entry);
    w.get(VA);
    w.and(-(1 << lineLog2));
    w.set(line);
    store(own, () => w.get(line));
    // Accesses of the other kind that hit there go on doing so when the entry is of this very line.
    w.get(entry);
    w.access(wasm.I32_LOAD, 2, this.field(other));
    w.get(line);
    w.op(wasm.I32_EQ);
    w.get(entry);
    w.access(wasm.I32_LOAD, 2, this.field(FAST_SPARE));
    w.get(spare);
    w.op(wasm.I32_EQ);
    w.op(wasm.I32_AND);
    w.get(entry);
    w.access(wasm.I32_LOAD, 2, this.field(FAST_ADDEND));
    addend();
    w.op(wasm.I32_EQ);
    w.op(wasm.I32_AND);
    w.op(wasm.I32_EQZ);
    w.if();
    store(other, () => w.i32(FAST_INVALID));
    store(FAST_SPARE, () => w.get(spare));
    store(FAST_ADDEND, addend);
    w.get(slot);
    w.shiftLeft(2);
    w.tee(line);
    w.access(wasm.I32_LOAD, 2, tables.entries);
    w.tee(before);
    w.get(entry);
    w.shiftRight(2);
    w.op(wasm.I32_NE);
    w.if();
    w.get(before);
    w.if();
    this.clearOf(before);
    w.end();
    w.get(line);
    w.get(entry);
    w.shiftRight(2);
    w.access(wasm.I32_STORE, 2, tables.entries);
    w.end();
    this.mark(line, before);
    w.end();
    w.release(line);
    w.release(before);
    w.release(entry);
  }

  /** The page has an entry of this line. Uses two locals. */
  private mark(word: Local, line: Local): void {
    const { w, tables, lineLog2 } = this;
    const { place } = this.locals;
    const at = w.borrow();
    w.get(VA);
    w.and(0xfff);
    w.shiftRight(lineLog2);
    w.tee(line);
    w.shiftRight(5);
    w.i32(0);
    w.i32(4);
    w.get(WHAT);
    w.and(IS_PRIVILEGED);
    w.op(wasm.SELECT);
    w.op(wasm.I32_OR);
    w.set(word);
    const setBit = (pushAddress: () => void, load: number, store: number, alignLog2: number, offset: number, bit: Local): void => {
      pushAddress();
      w.tee(at);
      w.get(at);
      w.access(load, alignLog2, offset);
      w.i32(1);
      w.get(bit);
      w.op(wasm.I32_SHL);
      w.op(wasm.I32_OR);
      w.access(store, alignLog2, offset);
    };
    setBit(
      () => {
        w.get(place);
        w.i32(MASK_BYTES);
        w.op(wasm.I32_MUL);
        w.get(word);
        w.shiftLeft(2);
        w.op(wasm.I32_ADD);
      },
      wasm.I32_LOAD,
      wasm.I32_STORE,
      2,
      tables.masks,
      line,
    );
    setBit(
      () => {
        w.get(place);
        w.shiftLeft(1);
      },
      wasm.I32_LOAD16_U,
      wasm.I32_STORE16,
      1,
      tables.marked,
      word,
    );
    w.release(at);
  }
}

import { D0, FAST_ADDEND, FAST_READ_TAG, FAST_TABLE_PL0, FAST_TABLE_PL1, FAST_WRITE_TAG, TEMP0 } from '../layout.js';
import * as op from '../ops.js';
import { emitReverseBytes, emitReverseHalf } from './emit-values.js';
import type { FunctionWriter } from './function-writer.js';
import * as wasm from './opcodes.js';

/** What memory accesses need of the emitter around them. */
export interface MemoryContext {
  readonly push: (v: number) => void;
  readonly pushWord: (word: number) => void;
  readonly setWord: (word: number, value: () => void) => void;
  /** Leaves at this instruction when the i32 on the stack is not 0. */
  readonly leaveWhen: () => void;
}

const isDoubleword = (list: readonly number[], i: number): boolean =>
  list[i]! >= D0 && list[i]! < TEMP0 && (list[i]! & 1) === 0 && list[i + 1] === list[i]! + 1;

/**
 * Loads and stores: one look at the fast table (layout.ts), whose tag holds the page and demands natural alignment, then the access itself. What is
 * not found there leaves the function.
 */
export class MemoryEmitter {
  privileged = true;
  private readonly w: FunctionWriter;
  private readonly context: MemoryContext;

  constructor(w: FunctionWriter, context: MemoryContext) {
    this.w = w;
    this.context = context;
  }

  /** Pushes the host address of `bytes` bytes at the address `v`, of which elements of `size` bytes are aligned; leaves when it is not there. */
  hostAddress(v: number, flags: number, size: number, bytes: number, isStore: boolean): void {
    const { w } = this;
    const table = this.privileged && (flags & op.MEM_UNPRIVILEGED) === 0 ? FAST_TABLE_PL1 : FAST_TABLE_PL0;
    const va = w.borrow();
    const entry = w.borrow();
    this.context.push(v);
    w.tee(va);
    w.i32(8);
    w.op(wasm.I32_SHR_U);
    w.i32(0x3ff0);
    w.op(wasm.I32_AND);
    w.tee(entry);
    w.access(wasm.I32_LOAD, 2, w.stateOffset + table + 4 * (isStore ? FAST_WRITE_TAG : FAST_READ_TAG));
    w.get(va);
    w.i32(~0xfff | (size - 1));
    w.op(wasm.I32_AND);
    w.op(wasm.I32_NE);
    if (bytes > size) {
      w.get(va);
      w.i32(0xfff);
      w.op(wasm.I32_AND);
      w.i32(4096 - bytes);
      w.op(wasm.I32_GT_U);
      w.op(wasm.I32_OR);
    }
    this.context.leaveWhen();
    w.get(va);
    w.get(entry);
    w.access(wasm.I32_LOAD, 2, w.stateOffset + table + 4 * FAST_ADDEND);
    w.op(wasm.I32_ADD);
    w.release(entry);
    w.release(va);
  }

  /** LOAD: pushes the value. */
  load(v: number, flags: number): void {
    const { w } = this;
    const size = flags & op.MEM_SIZE;
    const isSigned = (flags & op.MEM_SIGNED) !== 0;
    this.hostAddress(v, flags, size, size, false);
    if (size === 4) {
      w.access(wasm.I32_LOAD, 2, 0);
      if (flags & op.MEM_SWAP) emitReverseBytes(w);
    } else if (size === 1) w.access(isSigned ? wasm.I32_LOAD8_S : wasm.I32_LOAD8_U, 0, 0);
    else if ((flags & op.MEM_SWAP) === 0) w.access(isSigned ? wasm.I32_LOAD16_S : wasm.I32_LOAD16_U, 1, 0);
    else {
      w.access(wasm.I32_LOAD16_U, 1, 0);
      emitReverseHalf(w);
      if (isSigned) w.op(wasm.I32_EXTEND16_S);
    }
  }

  /** STORE of value `source`. */
  store(v: number, flags: number, source: number): void {
    const { w } = this;
    const size = flags & op.MEM_SIZE;
    this.hostAddress(v, flags, size, size, true);
    this.context.push(source);
    if (size === 4) {
      if (flags & op.MEM_SWAP) emitReverseBytes(w);
      w.access(wasm.I32_STORE, 2, 0);
    } else if (size === 2) {
      if (flags & op.MEM_SWAP) emitReverseHalf(w);
      w.access(wasm.I32_STORE16, 1, 0);
    } else w.access(wasm.I32_STORE8, 0, 0);
  }

  /** LOAD_MULTIPLE into state words. */
  loadMultiple(v: number, list: readonly number[], flags: number): void {
    const { w } = this;
    const isSwapped = (flags & op.MEM_SWAP) !== 0;
    const host = w.borrow();
    this.hostAddress(v, flags, 4, 4 * list.length, false);
    w.set(host);
    for (let i = 0; i < list.length; i++) {
      if (!isSwapped && isDoubleword(list, i)) {
        w.state();
        w.get(host);
        w.access(wasm.I64_LOAD, 2, 4 * i);
        w.access(wasm.I64_STORE, 3, w.stateOffset + 4 * list[i]!);
        i++;
        continue;
      }
      this.context.setWord(list[i]!, () => {
        w.get(host);
        w.access(wasm.I32_LOAD, 2, 4 * i);
        if (isSwapped) emitReverseBytes(w);
      });
    }
    w.release(host);
  }

  /** STORE_MULTIPLE of state words (>= 0) and values (`~v`). */
  storeMultiple(v: number, list: readonly number[], flags: number): void {
    const { w } = this;
    const isSwapped = (flags & op.MEM_SWAP) !== 0;
    const host = w.borrow();
    this.hostAddress(v, flags, 4, 4 * list.length, true);
    w.set(host);
    for (let i = 0; i < list.length; i++) {
      const item = list[i]!;
      w.get(host);
      if (!isSwapped && isDoubleword(list, i)) {
        w.state();
        w.access(wasm.I64_LOAD, 3, w.stateOffset + 4 * item);
        w.access(wasm.I64_STORE, 2, 4 * i);
        i++;
        continue;
      }
      if (item < 0) this.context.push(~item);
      else this.context.pushWord(item);
      if (isSwapped) emitReverseBytes(w);
      w.access(wasm.I32_STORE, 2, 4 * i);
    }
    w.release(host);
  }
}

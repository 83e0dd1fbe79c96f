import { STORE_HASH } from '../layout.js';
import { HASH_ROTATION, HASH_VALUE, HASH_WHERE } from '../store-hash.js';
import type { FunctionWriter, Local } from './function-writer.js';
import * as wasm from './opcodes.js';

/** What `hashStore` does, for the store of `size` bytes that has been done `offset` bytes from where `host` says. */
export const emitStoreHash = (w: FunctionWriter, host: Local, offset: number, size: number): void => {
  w.storeWord(STORE_HASH, () => {
    w.loadWord(STORE_HASH);
    w.i32(HASH_ROTATION);
    w.op(wasm.I32_ROTL);
    w.get(host);
    w.i32(offset);
    w.op(wasm.I32_ADD);
    w.op(wasm.I32_XOR);
    w.i32(HASH_WHERE);
    w.op(wasm.I32_MUL);
    w.get(host);
    w.access(size === 4 ? wasm.I32_LOAD : size === 2 ? wasm.I32_LOAD16_U : wasm.I32_LOAD8_U, 0, offset);
    w.op(wasm.I32_XOR);
    w.i32(HASH_VALUE);
    w.op(wasm.I32_MUL);
    w.i32(size);
    w.op(wasm.I32_ADD);
  });
};

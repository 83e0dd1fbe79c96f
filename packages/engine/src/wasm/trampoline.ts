import { DECODE_MODE, JUMP_ENTRIES, JUMP_ENTRY, JUMP_FUNCTION, JUMP_PC, JUMP_STRIDE, JUMP_TABLE } from '../layout.js';
import { FunctionWriter } from './function-writer.js';
import * as wasm from './opcodes.js';
import type { RegionHost } from './region-module.js';
import { instantiate, regionEncoder } from './region-module.js';

/** Runs region after region from VA `pc` on, as long as the jump table has the next. Result: the last region's, or `pc` when it had none at all. */
export type Trampoline = (pc: number) => number;

/** One for a core: returns and jumps that no region follows by itself come back to it. Not `linked`: it runs one region. */
export const makeTrampoline = (stateOffset: number, host: RegionHost, linked = true): Trampoline => {
  const { encoder, regionType } = regionEncoder();
  const w = new FunctionWriter(stateOffset);
  const pc = 0;
  const word = (n: number): number => stateOffset + JUMP_TABLE + 4 * n;
  w.begin(1);
  const slot = w.local(wasm.TYPE_I32);
  const done = w.block();
  const next = w.loop();
  w.get(pc);
  w.i32(2);
  w.op(wasm.I32_SHL);
  w.i32((JUMP_ENTRIES - 1) * JUMP_STRIDE * 4);
  w.op(wasm.I32_AND);
  w.tee(slot);
  w.access(wasm.I64_LOAD, 3, word(JUMP_PC));
  w.get(pc);
  w.op(wasm.I64_EXTEND_I32_U);
  w.loadWord(DECODE_MODE);
  w.op(wasm.I64_EXTEND_I32_U);
  w.i64(32);
  w.op(wasm.I64_SHL);
  w.op(wasm.I64_OR);
  w.op(wasm.I64_NE);
  w.brIf(done);
  w.get(slot);
  w.access(wasm.I32_LOAD, 2, word(JUMP_ENTRY));
  w.get(pc);
  w.i32(0);
  w.get(slot);
  w.access(wasm.I32_LOAD, 2, word(JUMP_FUNCTION));
  w.callIndirect(regionType);
  w.set(pc);
  if (linked) {
    w.get(pc);
    w.i32(1);
    w.op(wasm.I32_AND);
    w.op(wasm.I32_EQZ);
    w.brIf(next);
  }
  w.end();
  w.end();
  w.get(pc);
  encoder.addFunction(encoder.type([wasm.TYPE_I32], [wasm.TYPE_I32]), w.finish(), 'run');
  return instantiate(encoder.encode(), host, [])['run'] as Trampoline;
};

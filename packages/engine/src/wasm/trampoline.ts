import { DECODE_MODE, JUMP_ENTRY, JUMP_FUNCTION, JUMP_PC, SLOT_INDEX } from '../layout.js';
import type { Label, Local } from './function-writer.js';
import { FunctionWriter } from './function-writer.js';
import { DEEPEST_CALL, jumpWord, pushJumpSlot } from './jump-slot.js';
import * as wasm from './opcodes.js';
import type { RegionHost } from './region-module.js';
import { instantiate, regionEncoder } from './region-module.js';

/** The functions that know the table of regions; one pair for a core. */
export interface Trampoline {
  /** Runs region after region from VA `pc` on, as long as the jump table has the next. Result: the last region's, or `pc` when it had none at all. */
  readonly run: (pc: number) => number;
  /**
   * In the place of whoever calls it, the region for VA `pc` in decode mode `key`, `depth` calls deep. Result: the region's, or `pc` when the jump table has
   * none or this is too deep. For regions (`RegionHost.follow`).
   */
  readonly follow: (pc: number, key: number, depth: number) => number;
}

const PC: Local = 0;
const KEY: Local = 1;
const DEPTH: Local = 2;

/** Finds the jump table's entry for the VA in local `pc` and the decode mode that `key` pushes; branches to `missing` when it has none. */
const lookUp = (w: FunctionWriter, pc: Local, key: () => void, slot: Local, missing: Label): void => {
  pushJumpSlot(w, pc);
  w.tee(slot);
  w.access(wasm.I64_LOAD, 3, jumpWord(w, JUMP_PC));
  w.get(pc);
  w.op(wasm.I64_EXTEND_I32_U);
  key();
  w.op(wasm.I64_EXTEND_I32_U);
  w.i64(32);
  w.op(wasm.I64_SHL);
  w.op(wasm.I64_OR);
  w.op(wasm.I64_NE);
  w.brIf(missing);
};

/** Pushes what a region's function takes, and its place in the table. */
const pushTarget = (w: FunctionWriter, pc: Local, depth: () => void, slot: Local): void => {
  w.get(slot);
  w.access(wasm.I32_LOAD, 2, jumpWord(w, JUMP_ENTRY));
  w.get(pc);
  depth();
  w.get(slot);
  w.access(wasm.I32_LOAD, 2, jumpWord(w, JUMP_FUNCTION));
  w.and(SLOT_INDEX);
};

/** Returns and jumps that no region follows by itself come back to `run`. Not `linked`: it runs one region. */
export const makeTrampoline = (stateOffset: number, host: RegionHost, linked = true): Trampoline => {
  const { encoder, regionType } = regionEncoder(true);
  const w = new FunctionWriter(stateOffset);
  w.begin(1);
  let slot = w.local(wasm.TYPE_I32);
  const done = w.block();
  const next = w.loop();
  lookUp(w, PC, () => w.loadWord(DECODE_MODE), slot, done);
  pushTarget(w, PC, () => w.i32(0), slot);
  w.callIndirect(regionType);
  w.set(PC);
  if (linked) {
    w.get(PC);
    w.and(1);
    w.op(wasm.I32_EQZ);
    w.brIf(next);
  }
  w.end();
  w.end();
  w.get(PC);
  encoder.addFunction(encoder.type([wasm.TYPE_I32], [wasm.TYPE_I32]), w.finish(), 'run');

  w.begin(3);
  slot = w.local(wasm.TYPE_I32);
  const missing = w.block();
  w.get(DEPTH);
  w.i32(DEEPEST_CALL);
  w.op(wasm.I32_GT_U);
  w.brIf(missing);
  lookUp(w, PC, () => w.get(KEY), slot, missing);
  pushTarget(w, PC, () => w.get(DEPTH), slot);
  w.returnCallIndirect(regionType);
  w.end();
  w.get(PC);
  encoder.addFunction(regionType, w.finish(), 'follow');
  return instantiate(new WebAssembly.Module(encoder.encode()), host, []) as unknown as Trampoline;
};

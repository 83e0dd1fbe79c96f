import type { CachePlace, MissPath, ViewPlaces } from '@tablewalk/machine';
import { HIT_EVICTIONS, HIT_LOADS_FOUND, HIT_LOADS_MISSED, HIT_STORES_FOUND, HIT_STORES_MISSED, HIT_WRITE_BACKS } from '../layout.js';
import type { FunctionWriter, Label, Local } from './function-writer.js';
import type { AccessLocals } from './line-entry.js';
import * as wasm from './opcodes.js';
import { BITMASK_I8, F64_EQ, NARROW, SPLAT_F64, V128_LOAD, V128_STORE } from './simd-opcodes.js';

/** Ways of a set that are looked through together. */
const WAYS_OF_SEARCH = 8;

/** Where the models are, for accesses that change nothing else. */
export interface FoundPlaces extends Omit<MissPath, 'applies' | 'count'> {
  readonly lineLog2: number;
  /** Halfwords as `HitPlaces.dataPairs`. */
  readonly pairs: number;
}

/** Of the access that is written, besides: its line from the memory's beginning, as tags have it, and its set of the L1. */
export interface FoundLine extends AccessLocals {
  readonly hostLine: Local;
  readonly tag: Local;
  readonly set: Local;
}

/** Writes what the caches do with a line: that of `PlainLevels`, where no more than a line of the L1 changes. */
export class FoundLineEmitter {
  private readonly w: FunctionWriter;
  private readonly places: FoundPlaces;
  private readonly found: FoundLine;
  /** Of a line that the L1 gives up: from the memory's beginning, its shadow byte, its slot of the L2. */
  private readonly old: Local;
  private readonly oldShadow: Local;
  private readonly oldBelow: Local;

  constructor(w: FunctionWriter, places: FoundPlaces, found: FoundLine) {
    this.w = w;
    this.places = places;
    this.found = found;
    this.old = w.local(wasm.TYPE_I32);
    this.oldShadow = w.local(wasm.TYPE_I32);
    this.oldBelow = w.local(wasm.TYPE_I32);
  }

  /** Sets `slot`: the L1 has the line there. Or goes to `slow`, nothing being changed. */
  write(isStore: boolean, slow: Label): void {
    const { w, places } = this;
    const { slot } = this.found;
    const { views } = places;
    if (isStore) {
      // Its old bytes are kept already.
      this.shadow(this.found.hostLine, views!.differs);
      w.op(wasm.I32_EQZ);
      w.brIf(slow);
    }
    const done = w.block();
    const found = w.block();
    this.leaveWhenInFirst(found);
    this.checkBelow(slow);
    this.makeRoom(slow);
    w.get(slot);
    w.shiftLeft(3);
    w.get(this.found.tag);
    w.access(wasm.F64_STORE, 3, places.first.tags);
    w.get(slot);
    w.i32(isStore ? 1 : 0);
    w.access(wasm.I32_STORE8, 0, places.first.dirty);
    w.add(isStore ? HIT_STORES_MISSED : HIT_LOADS_MISSED, 1);
    w.br(done);
    w.end();
    if (isStore) {
      w.get(slot);
      w.i32(1);
      w.access(wasm.I32_STORE8, 0, places.first.dirty);
    }
    w.add(isStore ? HIT_STORES_FOUND : HIT_LOADS_FOUND, 1);
    w.end();
    if (isStore) this.makeDirty(views!);
    this.use();
  }

  /** Pushes the tag of `way` of the set whose first slot is in `slot`. */
  private tagOf(cache: CachePlace, slot: Local, way: number): void {
    this.w.get(slot);
    this.w.shiftLeft(3);
    this.w.access(wasm.F64_LOAD, 3, cache.tags + 8 * way);
  }

  /** Pushes bits of the shadow byte of the line in local `line`. */
  private shadow(line: Local, bits: number): void {
    this.w.get(line);
    this.w.access(wasm.I32_LOAD8_U, 0, this.places.shadow);
    this.w.and(bits);
  }

  private leaveWhenInFirst(found: Label): void {
    const { w } = this;
    const { set, slot, tag } = this.found;
    w.get(set);
    w.shiftLeft(1);
    w.set(slot);
    this.tagOf(this.places.first, slot, 0);
    w.get(tag);
    w.op(wasm.F64_EQ);
    w.brIf(found);
    this.tagOf(this.places.first, slot, 1);
    w.get(tag);
    w.op(wasm.F64_EQ);
    w.if();
    this.nextSlot();
    w.br(found);
    w.end();
  }

  private nextSlot(): void {
    const { w } = this;
    const { slot } = this.found;
    w.get(slot);
    w.i32(1);
    w.op(wasm.I32_OR);
    w.set(slot);
  }

  /** The next level has the line, and nothing is stale of it. */
  private checkBelow(slow: Label): void {
    const { w } = this;
    const { second, loaded } = this.places;
    this.shadow(this.found.hostLine, loaded);
    w.brIf(slow);
    if (second === undefined) return;
    const at = w.borrow();
    this.findBelow(second, this.found.hostLine, this.found.tag, at, slow);
    w.release(at);
  }

  /** `at` := the L2's slot of a line. */
  private findBelow(second: CachePlace, line: Local, tag: Local, at: Local, slow: Label): void {
    const { w } = this;
    const { firstLine, hostLine } = this.places;
    w.get(line);
    w.i32(firstLine - hostLine);
    w.op(wasm.I32_ADD);
    w.and(second.setMask);
    w.i32(second.wayCount);
    w.op(wasm.I32_MUL);
    w.set(at);
    if (second.wayCount === WAYS_OF_SEARCH || second.wayCount === 2 * WAYS_OF_SEARCH) this.searchAtOnce(second, tag, at, slow);
    else this.search(second, tag, at, slow);
  }

  /** `at`, the first slot of a set, := the one that has the tag. No branch depends on which one that is, which no processor foretells. */
  private searchAtOnce(second: CachePlace, tag: Local, at: Local, slow: Label): void {
    const { w } = this;
    const both = w.borrow(wasm.TYPE_V128);
    const found = w.borrow();
    w.get(tag);
    w.simd(SPLAT_F64);
    w.set(both);
    // Two bits for each way.
    for (let first = 0; first < second.wayCount; first += WAYS_OF_SEARCH) {
      for (let way = first; way < first + WAYS_OF_SEARCH; way += 2) {
        w.get(at);
        w.shiftLeft(3);
        w.simdAccess(V128_LOAD, 4, second.tags + 8 * way);
        w.get(both);
        w.simd(F64_EQ);
        if (way & 2) w.simd(NARROW[0][1]);
      }
      w.simd(NARROW[0][0]);
      w.simd(BITMASK_I8);
      if (first === 0) continue;
      w.shiftLeft(2 * first);
      w.op(wasm.I32_OR);
    }
    w.tee(found);
    w.op(wasm.I32_EQZ);
    w.brIf(slow);
    w.get(at);
    w.get(found);
    w.op(wasm.I32_CTZ);
    w.shiftRight(1);
    w.op(wasm.I32_ADD);
    w.set(at);
    w.release(found);
    w.release(both);
  }

  private search(second: CachePlace, tag: Local, at: Local, slow: Label): void {
    const { w } = this;
    const left = w.borrow();
    w.i32(second.wayCount);
    w.set(left);
    const has = w.block();
    const next = w.loop();
    this.tagOf(second, at, 0);
    w.get(tag);
    w.op(wasm.F64_EQ);
    w.brIf(has);
    w.get(at);
    w.i32(1);
    w.op(wasm.I32_ADD);
    w.set(at);
    w.get(left);
    w.i32(1);
    w.op(wasm.I32_SUB);
    w.tee(left);
    w.brIf(next);
    w.end();
    w.br(slow);
    w.end();
    w.release(left);
  }

  /** `slot` := one that is empty, or that of a line that goes. */
  private makeRoom(slow: Label): void {
    const { w } = this;
    const { set, slot } = this.found;
    const { first, pairs } = this.places;
    const chosen = w.block();
    this.tagOf(first, slot, 0);
    w.f64(0);
    w.op(wasm.F64_LT);
    w.brIf(chosen);
    this.tagOf(first, slot, 1);
    w.f64(0);
    w.op(wasm.F64_LT);
    w.if();
    this.nextSlot();
    w.br(chosen);
    w.end();
    w.get(slot);
    w.get(set);
    w.shiftLeft(1);
    w.access(wasm.I32_LOAD16_U, 1, pairs);
    w.i32(-1);
    w.op(wasm.I32_XOR);
    w.and(1);
    w.op(wasm.I32_OR);
    w.set(slot);
    this.giveUp(slow);
    w.end();
  }

  /** Its entry goes when the slot gets its next (`LineEntryEmitter.enter`). */
  private giveUp(slow: Label): void {
    const { w, old, oldShadow } = this;
    const { slot } = this.found;
    const { first, firstLine, hostLine, lineCount, givenUp, shadow } = this.places;
    const tag = w.borrow(wasm.TYPE_F64);
    this.tagOf(first, slot, 0);
    w.tee(tag);
    w.f64(firstLine);
    w.op(wasm.F64_LT);
    w.brIf(slow);
    w.get(tag);
    w.f64(firstLine + lineCount);
    w.op(wasm.F64_GE);
    w.brIf(slow);
    w.get(tag);
    w.op(wasm.I32_TRUNC_F64_U);
    w.i32(hostLine - firstLine);
    w.op(wasm.I32_ADD);
    w.tee(old);
    w.access(wasm.I32_LOAD8_U, 0, shadow);
    w.set(oldShadow);
    w.get(slot);
    w.access(wasm.I32_LOAD8_U, 0, first.dirty);
    w.if();
    this.writeBack(tag, slow);
    w.else();
    w.get(oldShadow);
    w.and(givenUp);
    w.brIf(slow);
    w.end();
    w.add(HIT_EVICTIONS, 1);
    w.release(tag);
  }

  /** The L2 gets its bytes, if it has the line. */
  private writeBack(tag: Local, slow: Label): void {
    const { w, old, oldShadow, oldBelow } = this;
    const { second, views, lineLog2, shadow } = this.places;
    if (second === undefined || views === undefined) {
      w.br(slow);
      return;
    }
    w.get(oldShadow);
    w.and(views.dirty);
    w.op(wasm.I32_EQZ);
    w.brIf(slow);
    w.get(old);
    w.shiftRight(12 - lineLog2);
    w.access(wasm.I32_LOAD8_U, 0, views.codePages);
    w.brIf(slow);
    this.findBelow(second, old, tag, oldBelow, slow);
    w.get(oldBelow);
    w.i32(1);
    w.access(wasm.I32_STORE8, 0, second.dirty);
    w.get(old);
    w.get(oldShadow);
    w.and(~views.endedByWriteBack);
    w.i32(views.dirtyBelow);
    w.op(wasm.I32_OR);
    w.access(wasm.I32_STORE8, 0, shadow);
    this.copyDown(views);
    w.add(HIT_WRITE_BACKS, 1);
  }

  /** The line's view below becomes what the core sees. */
  private copyDown({ slots, lower }: ViewPlaces): void {
    const { w, old } = this;
    const { lineLog2 } = this.places;
    const view = w.borrow();
    w.get(old);
    w.shiftLeft(2);
    w.access(wasm.I32_LOAD, 2, slots);
    w.i32(1);
    w.op(wasm.I32_SUB);
    w.shiftLeft(lineLog2);
    w.set(view);
    w.get(old);
    w.shiftLeft(lineLog2);
    w.set(old);
    for (let at = 0; at < 1 << lineLog2; at += 16) {
      w.get(view);
      w.get(old);
      w.simdAccess(V128_LOAD, 4, at);
      w.simdAccess(V128_STORE, 4, lower + at);
    }
    w.release(view);
  }

  /** The line's bytes in the L1 become newer than those below. */
  private makeDirty({ endedByStore, dirty }: ViewPlaces): void {
    const { w } = this;
    const { hostLine } = this.found;
    w.get(hostLine);
    this.shadow(hostLine, ~endedByStore);
    w.i32(dirty);
    w.op(wasm.I32_OR);
    w.access(wasm.I32_STORE8, 0, this.places.shadow);
  }

  /** The slot was used last of its pair. */
  private use(): void {
    const { w } = this;
    const { set, slot } = this.found;
    w.get(set);
    w.shiftLeft(1);
    w.get(slot);
    w.access(wasm.I32_STORE16, 1, this.places.pairs);
  }
}

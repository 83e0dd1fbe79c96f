import type { CachePlace, MissPath } from '@tablewalk/machine';
import { HIT_EVICTIONS, HIT_FOUND, HIT_LAST_DATA, HIT_LOOKS, HIT_MISSES } from '../layout.js';
import { IS_PRIVILEGED, IS_STORE, SIZE_SHIFT } from './beside-memory.js';
import type { Label, Local } from './function-writer.js';
import { FunctionWriter } from './function-writer.js';
import type { LineTablePlaces, LoadLocals } from './line-entry.js';
import { LineEntryEmitter, VA, WHAT } from './line-entry.js';
import * as wasm from './opcodes.js';
import type { RegionHost } from './region-module.js';
import { importAccess, instantiate, regionEncoder } from './region-module.js';

/** Where the models and the tables of known pages and lines are, for loads that change nothing else. */
export interface FoundPlaces extends Omit<MissPath, 'applies' | 'count'> {
  readonly lineLog2: number;
  /** Halfwords as `HitPlaces.dataPairs`. */
  readonly pairs: number;
  readonly tables: LineTablePlaces;
}

const PARAMETERS = 4;
/** log2 of the bytes of what is known of a place. */
const KNOWN_LOG2 = 6;

/**
 * `RegionHost.access` for cores whose accesses are counted: an aligned load from a known page whose line is in the L1, or in the next level while the L1 gives up a clean
 * one, is done and noted here, as the models would; everything else by `host.access`.
 */
export const foundLoads = (
  stateOffset: number,
  host: Omit<RegionHost, 'table'>,
  places: FoundPlaces,
): NonNullable<RegionHost['access']> => {
  const { encoder } = regionEncoder();
  const { number, type } = importAccess(encoder);
  const w = new FunctionWriter(stateOffset);
  w.begin(PARAMETERS);
  const slow = w.block();
  new FoundLoad(w, places, slow).write();
  w.op(wasm.RETURN);
  w.end();
  for (let i = 0; i < PARAMETERS; i++) w.get(i);
  w.returnCall(number);
  encoder.addFunction(type, w.finish(), 'load');
  return instantiate(new WebAssembly.Module(encoder.encode()), host, [])['load'] as NonNullable<RegionHost['access']>;
};

/** Writes it. Nothing is changed until it is certain that nothing else has to be done. */
class FoundLoad implements LoadLocals {
  private readonly w: FunctionWriter;
  private readonly places: FoundPlaces;
  private readonly slow: Label;
  private readonly size: Local;
  /** The page's place, and the byte in the memory. */
  readonly place: Local;
  readonly host: Local;
  /** Translation in bits 31:16, then the slot besides. */
  readonly spare: Local;
  /** The line from the memory's beginning; as tags have it. */
  private readonly hostLine: Local;
  private readonly tag: Local;
  private readonly set: Local;
  readonly slot: Local;
  private readonly entries: LineEntryEmitter;

  constructor(w: FunctionWriter, places: FoundPlaces, slow: Label) {
    this.w = w;
    this.places = places;
    this.slow = slow;
    this.size = w.local(wasm.TYPE_I32);
    this.place = w.local(wasm.TYPE_I32);
    this.host = w.local(wasm.TYPE_I32);
    this.spare = w.local(wasm.TYPE_I32);
    this.hostLine = w.local(wasm.TYPE_I32);
    this.tag = w.local(wasm.TYPE_F64);
    this.set = w.local(wasm.TYPE_I32);
    this.slot = w.local(wasm.TYPE_I32);
    this.entries = new LineEntryEmitter(w, places.tables, places.lineLog2, this);
  }

  write(): void {
    const { w } = this;
    this.findPage();
    this.findLine();
    const enter = w.block();
    const found = w.block();
    this.leaveWhenInFirst(found);
    this.checkBelow();
    this.makeRoom();
    this.fill();
    w.br(enter);
    w.end();
    this.add(HIT_FOUND);
    w.end();
    this.use();
    this.entries.enter();
    this.add(HIT_LOOKS);
    w.storeLocal(HIT_LAST_DATA, this.spare);
    this.load();
  }

  private word(offset: number): void {
    this.w.access(wasm.I32_LOAD, 2, offset);
  }
  private add(word: number): void {
    const { w } = this;
    w.storeWord(word, () => {
      w.loadWord(word);
      w.i32(1);
      w.op(wasm.I32_ADD);
    });
  }

  /** An aligned load from a page that is known, and whose loads may be done here. */
  private findPage(): void {
    const { w, slow, size, place, host, spare } = this;
    const { known, placeCount } = this.places.tables;
    const at = w.borrow();
    w.get(WHAT);
    w.and(IS_STORE);
    w.brIf(slow);
    w.get(WHAT);
    w.shiftRight(SIZE_SHIFT);
    w.and(7);
    w.tee(size);
    w.i32(1);
    w.op(wasm.I32_SUB);
    w.get(VA);
    w.op(wasm.I32_AND);
    w.brIf(slow);
    w.get(VA);
    w.shiftRight(12);
    w.and(placeCount - 1);
    w.tee(place);
    w.shiftLeft(KNOWN_LOG2);
    // Bit 1 of a kind of 16 bytes.
    w.get(WHAT);
    w.and(IS_PRIVILEGED);
    w.shiftLeft(4);
    w.op(wasm.I32_OR);
    w.tee(at);
    this.word(known);
    w.get(VA);
    w.and(~0xfff);
    w.i32(1);
    w.op(wasm.I32_OR);
    w.op(wasm.I32_NE);
    w.brIf(slow);
    w.get(at);
    this.word(known + 12);
    w.op(wasm.I32_EQZ);
    w.brIf(slow);
    w.get(at);
    this.word(known + 4);
    w.get(VA);
    w.and(0xfff);
    w.op(wasm.I32_ADD);
    w.set(host);
    w.get(at);
    this.word(known + 8);
    w.shiftLeft(16);
    w.set(spare);
    w.release(at);
  }

  private findLine(): void {
    const { w, host, hostLine, tag, set } = this;
    const { lineLog2, firstLine, hostLine: firstHostLine, first, virtuallyIndexed } = this.places;
    const line = w.borrow();
    w.get(host);
    w.shiftRight(lineLog2);
    w.tee(hostLine);
    w.i32(firstLine - firstHostLine);
    w.op(wasm.I32_ADD);
    w.tee(line);
    w.op(wasm.F64_CONVERT_I32_U);
    w.set(tag);
    if (virtuallyIndexed) {
      w.get(VA);
      w.shiftRight(lineLog2);
    } else w.get(line);
    w.and(first.setMask);
    w.set(set);
    w.release(line);
  }

  /** Pushes the tag of `way` of the set whose first slot is in `slot`. */
  private tagOf(cache: CachePlace, slot: Local, way: number): void {
    this.w.get(slot);
    this.w.shiftLeft(3);
    this.w.access(wasm.F64_LOAD, 3, cache.tags + 8 * way);
  }

  private leaveWhenInFirst(found: Label): void {
    const { w, set, slot, tag } = this;
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
    const { w, slot } = this;
    w.get(slot);
    w.i32(1);
    w.op(wasm.I32_OR);
    w.set(slot);
  }

  /** Pushes bits of the shadow byte of the line in local `line`. */
  private shadow(line: Local, bits: number): void {
    this.w.get(line);
    this.w.access(wasm.I32_LOAD8_U, 0, this.places.shadow);
    this.w.and(bits);
  }

  /** The next level has the line, and nothing is stale of it. */
  private checkBelow(): void {
    const { w, slow, tag, hostLine } = this;
    const { second, firstLine, hostLine: firstHostLine, loaded } = this.places;
    this.shadow(hostLine, loaded);
    w.brIf(slow);
    if (second === undefined) return;
    const at = w.borrow();
    w.get(hostLine);
    w.i32(firstLine - firstHostLine);
    w.op(wasm.I32_ADD);
    w.and(second.setMask);
    w.i32(second.wayCount);
    w.op(wasm.I32_MUL);
    w.set(at);
    const has = w.block();
    for (let way = 0; way < second.wayCount; way++) {
      this.tagOf(second, at, way);
      w.get(tag);
      w.op(wasm.F64_EQ);
      w.brIf(has);
    }
    w.br(slow);
    w.end();
    w.release(at);
  }

  /** `slot` := one that is empty, or that of a clean line, which goes. */
  private makeRoom(): void {
    const { w, set, slot } = this;
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
    this.giveUp();
    w.end();
  }

  /** Its entry goes when the slot gets its next ({@link LineEntryEmitter.enter}). */
  private giveUp(): void {
    const { w, slow, slot } = this;
    const { first, dirty, firstLine, hostLine, lineCount, givenUp } = this.places;
    w.get(slot);
    w.access(wasm.I32_LOAD8_U, 0, dirty);
    w.brIf(slow);
    const distance = w.borrow(wasm.TYPE_F64);
    this.tagOf(first, slot, 0);
    w.f64(firstLine);
    w.op(wasm.F64_SUB);
    w.tee(distance);
    w.f64(0);
    w.op(wasm.F64_LT);
    w.brIf(slow);
    w.get(distance);
    w.f64(lineCount);
    w.op(wasm.F64_GE);
    w.brIf(slow);
    const line = w.borrow();
    w.get(distance);
    w.op(wasm.I32_TRUNC_F64_U);
    w.i32(hostLine);
    w.op(wasm.I32_ADD);
    w.set(line);
    this.shadow(line, givenUp);
    w.brIf(slow);
    this.add(HIT_EVICTIONS);
    w.release(line);
    w.release(distance);
  }

  private fill(): void {
    const { w, slot, tag } = this;
    const { first, dirty } = this.places;
    w.get(slot);
    w.shiftLeft(3);
    w.get(tag);
    w.access(wasm.F64_STORE, 3, first.tags);
    w.get(slot);
    w.i32(0);
    w.access(wasm.I32_STORE8, 0, dirty);
    this.add(HIT_MISSES);
  }

  /** The slot was used last of its pair. */
  private use(): void {
    const { w, set, slot } = this;
    w.get(set);
    w.shiftLeft(1);
    w.get(slot);
    w.access(wasm.I32_STORE16, 1, this.places.pairs);
  }

  /** Pushes what is loaded, without its sign. */
  private load(): void {
    const { w, size, host } = this;
    w.get(size);
    w.i32(4);
    w.op(wasm.I32_EQ);
    w.if(wasm.TYPE_I32);
    w.get(host);
    w.access(wasm.I32_LOAD, 2, 0);
    w.else();
    w.get(size);
    w.i32(2);
    w.op(wasm.I32_EQ);
    w.if(wasm.TYPE_I32);
    w.get(host);
    w.access(wasm.I32_LOAD16_U, 1, 0);
    w.else();
    w.get(host);
    w.access(wasm.I32_LOAD8_U, 0, 0);
    w.end();
    w.end();
  }
}

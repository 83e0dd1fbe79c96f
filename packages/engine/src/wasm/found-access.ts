import { HIT_LAST_DATA, HIT_LOOKS } from '../layout.js';
import { IS_PRIVILEGED, IS_STORE, SIZE_SHIFT } from './beside-memory.js';
import type { FoundLine, FoundPlaces } from './found-line.js';
import { FoundLineEmitter } from './found-line.js';
import type { Label, Local } from './function-writer.js';
import { FunctionWriter } from './function-writer.js';
import type { LineTablePlaces } from './line-entry.js';
import { LineEntryEmitter, VA, VALUE, WHAT } from './line-entry.js';
import * as wasm from './opcodes.js';
import type { RegionHost } from './region-module.js';
import { importAccess, instantiate, regionEncoder } from './region-module.js';

/** Where the models and what is known of pages and lines are. */
export interface AccessPlaces extends FoundPlaces {
  readonly tables: LineTablePlaces;
}

const PARAMETERS = 4;
/** log2 of the bytes of what is known of a place, and of each kind of access to it. */
const KNOWN_LOG2 = 6;
const KIND_LOG2 = 4;

/**
 * `RegionHost.access` for cores whose accesses are counted: an aligned one to a known page whose line is in the L1, or in the next level, which takes what the L1 gives
 * up, is done and noted here, as the models would; everything else by `host.access`.
 */
export const foundAccesses = (
  stateOffset: number,
  host: Omit<RegionHost, 'table'>,
  places: AccessPlaces,
): NonNullable<RegionHost['access']> => {
  const { encoder } = regionEncoder();
  const { access, find, found, type } = importAccess(encoder);
  const w = new FunctionWriter(stateOffset);
  w.begin(PARAMETERS);
  const emitter = new FoundAccessEmitter(w, places, find);
  const slow = w.block();
  w.get(WHAT);
  w.and(IS_STORE);
  if (places.views === undefined) w.brIf(slow);
  else {
    w.if();
    emitter.write(true, slow);
    w.end();
  }
  emitter.write(false, slow);
  w.end();
  w.get(emitter.wasTold);
  w.if();
  for (let i = 0; i < PARAMETERS; i++) w.get(i);
  w.returnCall(found);
  w.end();
  for (let i = 0; i < PARAMETERS; i++) w.get(i);
  w.returnCall(access);
  encoder.addFunction(type, w.finish(), 'access');
  return instantiate(new WebAssembly.Module(encoder.encode()), host, [])['access'] as NonNullable<RegionHost['access']>;
};

/** Writes it. Nothing is changed until it is certain that nothing else has to be done. */
class FoundAccessEmitter implements FoundLine {
  private readonly w: FunctionWriter;
  private readonly places: AccessPlaces;
  private readonly find: number;
  private readonly size: Local;
  /** The models have been asked for the translation, and have counted that. */
  readonly wasTold: Local;
  readonly place: Local;
  readonly host: Local;
  readonly spare: Local;
  readonly hostLine: Local;
  readonly tag: Local;
  readonly set: Local;
  readonly slot: Local;
  private readonly lines: FoundLineEmitter;
  private readonly entries: LineEntryEmitter;

  constructor(w: FunctionWriter, places: AccessPlaces, find: number) {
    this.w = w;
    this.places = places;
    this.find = find;
    this.size = w.local(wasm.TYPE_I32);
    this.wasTold = w.local(wasm.TYPE_I32);
    this.place = w.local(wasm.TYPE_I32);
    this.host = w.local(wasm.TYPE_I32);
    this.spare = w.local(wasm.TYPE_I32);
    this.hostLine = w.local(wasm.TYPE_I32);
    this.tag = w.local(wasm.TYPE_F64);
    this.set = w.local(wasm.TYPE_I32);
    this.slot = w.local(wasm.TYPE_I32);
    this.lines = new FoundLineEmitter(w, places, this);
    this.entries = new LineEntryEmitter(w, places.tables, places.lineLog2, this);
  }

  /** Returns with its result, or goes to `slow`. */
  write(isStore: boolean, slow: Label): void {
    const { w } = this;
    this.findPage(isStore, slow);
    this.findLine();
    this.lines.write(isStore, slow);
    this.entries.enter(isStore);
    w.storeWord(HIT_LOOKS, () => {
      w.loadWord(HIT_LOOKS);
      w.get(this.wasTold);
      w.op(wasm.I32_EQZ);
      w.op(wasm.I32_ADD);
    });
    w.storeLocal(HIT_LAST_DATA, this.spare);
    if (isStore) this.store();
    else this.load();
    w.op(wasm.RETURN);
  }

  private word(offset: number): void {
    this.w.access(wasm.I32_LOAD, 2, offset);
  }

  /** An aligned access to a page that is known, or becomes so, and whose accesses of this kind may be done here. */
  private findPage(isStore: boolean, slow: Label): void {
    const { w, size, place, host, spare } = this;
    const { known: tables, placeCount } = this.places.tables;
    const known = tables + (isStore ? IS_STORE << KIND_LOG2 : 0);
    const at = w.borrow();
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
    w.get(WHAT);
    w.and(IS_PRIVILEGED);
    w.shiftLeft(KIND_LOG2);
    w.op(wasm.I32_OR);
    w.tee(at);
    this.word(known);
    w.get(VA);
    w.and(~0xfff);
    w.i32(1);
    w.op(wasm.I32_OR);
    w.op(wasm.I32_NE);
    w.if();
    w.i32(1);
    w.set(this.wasTold);
    w.get(WHAT);
    w.get(VA);
    w.call(this.find);
    w.op(wasm.I32_EQZ);
    w.brIf(slow);
    w.end();
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

  private bySize(write: (bytes: 1 | 2 | 4) => void, type?: number): void {
    const { w, size } = this;
    const is = (bytes: number): void => {
      w.get(size);
      w.i32(bytes);
      w.op(wasm.I32_EQ);
      w.if(type);
    };
    is(4);
    write(4);
    w.else();
    is(2);
    write(2);
    w.else();
    write(1);
    w.end();
    w.end();
  }

  /** Pushes what is loaded, without its sign. */
  private load(): void {
    this.bySize((bytes) => {
      this.w.get(this.host);
      if (bytes === 4) this.w.access(wasm.I32_LOAD, 2, 0);
      else if (bytes === 2) this.w.access(wasm.I32_LOAD16_U, 1, 0);
      else this.w.access(wasm.I32_LOAD8_U, 0, 0);
    }, wasm.TYPE_I32);
  }

  /** Pushes the 0 that a store returns. */
  private store(): void {
    this.bySize((bytes) => {
      this.w.get(this.host);
      this.w.get(VALUE);
      if (bytes === 4) this.w.access(wasm.I32_STORE, 2, 0);
      else if (bytes === 2) this.w.access(wasm.I32_STORE16, 1, 0);
      else this.w.access(wasm.I32_STORE8, 0, 0);
    });
    this.w.i32(0);
  }
}

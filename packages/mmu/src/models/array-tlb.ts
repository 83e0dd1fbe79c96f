import type { Snapshot } from '@tablewalk/machine/contracts';
import type { TlbHits } from '../contracts/hits.js';
import {
  TLB_CONTRACT,
  TLB_ENTRY_GLOBAL,
  TLB_ENTRY_LOCKED,
  TLB_ENTRY_VALID,
  TLB_ENTRY_WHOLE_SHIFT,
  TLB_ENTRY_WORDS,
  TLB_SIDE_DATA,
  TLB_SIDE_INSTRUCTION,
  type Tlb,
  type TlbEvictionSink,
  type TlbReplacement,
  type TlbSide,
  type WalkCache,
} from '../contracts/tlb.js';
import { MmuError } from '../mmu-error.js';
import { declaredReplacement } from './replacement.js';
import { arrayGeometry, TlbArray, type TlbArrayOptions, type TlbArrayState, wholeSizeLog2 } from './tlb-array.js';

/** The structures of an {@link ArrayTlb}, checked already. A micro-TLB may be missing; a unified main TLB is its instruction and its data half. */
export interface ArrayTlbPlan {
  readonly name: string;
  readonly microInstruction: TlbArrayOptions | null;
  readonly microData: TlbArrayOptions | null;
  /** log2 of the largest piece that a micro-TLB holds: 30 when it holds whole mappings. */
  readonly microPageLog2: number;
  readonly flushMicro: boolean;
  readonly main: TlbArrayOptions | { readonly instruction: TlbArrayOptions; readonly data: TlbArrayOptions };
  readonly lockdown: TlbArrayOptions | null;
  readonly walkCache: TlbArrayOptions | null;
}

const SCHEMA = 'mmu/tlb-arrays';
const VERSION = 2;

interface ArrayTlbData {
  readonly plan: string;
  readonly arena: Uint32Array;
  readonly arrays: readonly TlbArrayState[];
  readonly missed: readonly [number, number];
}

/** The walk cache of an {@link ArrayTlb}: an array of its arena that translates nothing. */
class ArrayWalkCache implements WalkCache {
  readonly arena: Uint32Array;
  readonly array: TlbArray;

  constructor(arena: Uint32Array, array: TlbArray) {
    this.arena = arena;
    this.array = array;
  }

  lookup(va: number, asid: number): number {
    const offset = this.array.find(va, asid);
    if (offset < 0) this.array.misses++;
    else {
      this.array.hits++;
      this.array.touch(offset);
    }
    return offset;
  }

  insert(entry: Readonly<Uint32Array>): void {
    const tag = (entry[1] & ~(TLB_ENTRY_GLOBAL | TLB_ENTRY_LOCKED)) | TLB_ENTRY_VALID;
    const offset = this.array.place(entry[0], tag);
    if ((this.arena[offset + 1] & TLB_ENTRY_VALID) !== 0) {
      if (!this.array.isSame(offset, entry[0], tag)) this.array.evictions++;
      this.array.clear(offset);
    }
    this.arena.set(entry, offset);
    this.arena[offset + 1] = tag;
    this.array.filled(offset);
  }

  entries(): Iterable<number> {
    return validOffsets(this.arena, this.array.base, this.array.end);
  }
}

function* validOffsets(arena: Uint32Array, base: number, end: number): Iterable<number> {
  for (let o = base; o < end; o += TLB_ENTRY_WORDS) if ((arena[o + 1] & TLB_ENTRY_VALID) !== 0) yield o;
}

/**
 * Every TLB that is made of arrays: a main TLB, unified or split, with micro-TLBs above it or not, entries for lockdown, and a walk cache. A miss in a
 * micro-TLB that hits below fills it; an entry that a level gives up may live on in another, and the sink hears of it when the last one goes.
 */
export class ArrayTlb implements Tlb {
  readonly name: string;
  readonly contract = TLB_CONTRACT;
  readonly replacement: TlbReplacement;
  readonly arena: Uint32Array;
  readonly walks?: ArrayWalkCache;
  readonly hits?: { readonly instruction: TlbHits; readonly data: TlbHits };

  private readonly plan: string;
  private readonly microPageLog2: number;
  private readonly flushMicro: boolean;
  private readonly microInstruction: TlbArray | null;
  private readonly microData: TlbArray | null;
  private readonly instruction: TlbArray;
  private readonly data: TlbArray;
  private readonly lockdown: TlbArray | null;
  /** All that translate, micro-TLBs first, each once. */
  private readonly arrays: readonly TlbArray[];
  /** The last VA that each side missed: which piece of a section its micro-TLB gets. -1 when it was inserted. */
  private missedInstruction = -1;
  private missedData = -1;

  constructor(plan: ArrayTlbPlan) {
    const { name, main } = plan;
    const split = 'instruction' in main;
    const specs: [string, TlbArrayOptions | null][] = [
      ['micro instruction', plan.microInstruction],
      ['micro data', plan.microData],
      ...(split
        ? ([
            ['instruction', main.instruction],
            ['data', main.data],
          ] as [string, TlbArrayOptions][])
        : ([['main', main]] as [string, TlbArrayOptions][])),
      ['locked', plan.lockdown],
      ['walk cache', plan.walkCache],
    ];
    let entryCount = 0;
    for (const [label, options] of specs) {
      if (options === null) continue;
      arrayGeometry(name, label, options);
      entryCount += options.entries;
    }
    this.arena = new Uint32Array(entryCount * TLB_ENTRY_WORDS);
    const made = new Map<string, TlbArray>();
    let base = 0;
    for (const [label, options] of specs) {
      if (options === null) continue;
      const array = new TlbArray(name, label, options, this.arena, base, label === 'walk cache');
      made.set(label, array);
      base = array.end;
    }
    this.name = name;
    this.plan = JSON.stringify({ ...plan, name: undefined });
    this.microPageLog2 = plan.microPageLog2;
    this.flushMicro = plan.flushMicro;
    this.microInstruction = made.get('micro instruction') ?? null;
    this.microData = made.get('micro data') ?? null;
    this.instruction = made.get(split ? 'instruction' : 'main') as TlbArray;
    this.data = made.get(split ? 'data' : 'main') as TlbArray;
    this.lockdown = made.get('locked') ?? null;
    const walkCache = made.get('walk cache');
    made.delete('walk cache');
    this.arrays = [...made.values()];
    if (walkCache !== undefined) this.walks = new ArrayWalkCache(this.arena, walkCache);
    // A hit in a micro-TLB keeps its entry there, and one in the main TLB moves an entry up: both change what goes next.
    const levels = this.microInstruction !== null || this.microData !== null;
    this.replacement = levels ? 'needs-hits' : declaredReplacement(this.arrays.map((array) => array.policy));
    const hits = { instruction: this.microInstruction ?? this.instruction, data: this.microData ?? this.data };
    // Entries beside the main TLB are asked before it.
    const isFirst = this.lockdown === null || (this.microInstruction !== null && this.microData !== null);
    if (isFirst && hits.instruction.countsHitsAlone && hits.data.countsHitsAlone) this.hits = hits;
  }

  lookup(va: number, asid: number, fetch: boolean, sink: TlbEvictionSink): number {
    const micro = fetch ? this.microInstruction : this.microData;
    if (micro !== null) {
      const offset = micro.find(va, asid);
      if (offset >= 0) {
        micro.hits++;
        micro.touch(offset);
        return offset;
      }
      micro.misses++;
    }
    const main = fetch ? this.instruction : this.data;
    let array = main;
    let offset = -1;
    if (this.lockdown !== null) {
      offset = this.lockdown.find(va, asid);
      if (offset >= 0) array = this.lockdown;
    }
    if (offset < 0) offset = main.find(va, asid);
    if (offset < 0) {
      main.misses++;
      if (fetch) this.missedInstruction = va;
      else this.missedData = va;
      return -1;
    }
    array.hits++;
    array.touch(offset);
    return micro === null ? offset : this.fillMicro(micro, va, offset, sink);
  }

  insert(entry: Readonly<Uint32Array>, fetch: boolean, sink: TlbEvictionSink): void {
    const va = entry[0];
    const tag = (entry[1] | TLB_ENTRY_VALID) >>> 0;
    const main = fetch ? this.instruction : this.data;
    const before = this.lockdown === null ? -1 : this.lockdown.same(va, tag);
    if (before >= 0) this.retire(this.lockdown as TlbArray, before, sink);
    let array = main;
    let offset = -1;
    let locked = (tag & TLB_ENTRY_LOCKED) !== 0;
    if (locked && this.lockdown !== null) {
      offset = this.lockdown.empty();
      if (offset >= 0) {
        array = this.lockdown;
        const below = main.same(va, tag);
        if (below >= 0) this.retire(main, below, sink);
      }
    }
    if (offset < 0) {
      const same = main.same(va, tag);
      if (same >= 0) this.retire(main, same, sink);
      locked = locked && main.canLock(va, tag);
      offset = this.vacate(main, va, tag, sink);
    }
    this.arena.set(entry, offset);
    this.arena[offset + 1] = locked ? tag : (tag & ~TLB_ENTRY_LOCKED) >>> 0;
    array.filled(offset);

    const micro = fetch ? this.microInstruction : this.microData;
    const missed = fetch ? this.missedInstruction : this.missedData;
    if (fetch) this.missedInstruction = -1;
    else this.missedData = -1;
    if (micro === null) return;
    if ((tag & 0xff) <= this.microPageLog2) this.fillMicro(micro, va, offset, sink);
    else if (missed >= 0 && (missed ^ va) >>> (tag & 31) === 0) this.fillMicro(micro, missed, offset, sink);
  }

  invalidateAll(side: TlbSide, sink: TlbEvictionSink): void {
    for (const array of this.arrays) {
      if (!this.covers(array, side)) continue;
      for (let o = array.base; o < array.end; o += TLB_ENTRY_WORDS) {
        const tag = this.arena[o + 1];
        if ((tag & TLB_ENTRY_VALID) !== 0 && (tag & TLB_ENTRY_LOCKED) === 0) this.retire(array, o, sink);
      }
    }
    this.invalidateWalks(-1, -1);
  }

  invalidateMva(va: number, asid: number, side: TlbSide, sink: TlbEvictionSink): void {
    this.invalidate(va, asid, true, side, sink);
    this.invalidateWalks(va, asid);
  }

  invalidateAsid(asid: number, side: TlbSide, sink: TlbEvictionSink): void {
    this.invalidate(-1, asid, false, side, sink);
    this.invalidateWalks(-1, asid);
  }

  invalidateMvaAllAsid(va: number, side: TlbSide, sink: TlbEvictionSink): void {
    this.invalidate(va, -1, true, side, sink);
    this.invalidateWalks(va, -1);
  }

  evictOne(random: number, sink: TlbEvictionSink): boolean {
    const arena = this.arena;
    const candidates: number[] = [];
    for (const o of this.entries()) if ((arena[o + 1] & TLB_ENTRY_LOCKED) === 0) candidates.push(o);
    const translations = candidates.length;
    if (this.walks !== undefined) candidates.push(...this.walks.entries());
    if (candidates.length === 0) return false;
    const index = (random >>> 0) % candidates.length;
    const chosen = candidates[index];
    if (index >= translations) {
      this.walks?.array.clear(chosen);
      return true;
    }
    // Its copies and the pieces of the same mapping come from the same descriptor.
    const [va, tag] = [arena[chosen], arena[chosen + 1]];
    const [low, high] = [arena[chosen + 6], arena[chosen + 7]];
    const size = wholeSizeLog2(tag);
    for (const array of this.arrays) {
      for (const o of validOffsets(arena, array.base, array.end)) {
        const held = arena[o + 1];
        const sameSpace = ((held ^ tag) & (0xff00 | TLB_ENTRY_GLOBAL)) === 0;
        if (!sameSpace || (arena[o] ^ va) >>> size !== 0 || arena[o + 6] !== low || arena[o + 7] !== high) continue;
        if ((held & TLB_ENTRY_LOCKED) === 0) this.retire(array, o, sink);
      }
    }
    return true;
  }

  reset(sink: TlbEvictionSink): void {
    for (const o of this.entries()) sink.evicted(this.arena, o);
    for (const array of [...this.arrays, ...(this.walks === undefined ? [] : [this.walks.array])]) {
      for (const o of validOffsets(this.arena, array.base, array.end)) array.clear(o);
      array.reset();
    }
    this.arena.fill(0);
    this.missedInstruction = -1;
    this.missedData = -1;
  }

  *entries(): Iterable<number> {
    for (const array of this.arrays) yield* validOffsets(this.arena, array.base, array.end);
  }

  stats(): Record<string, number> {
    const result: Record<string, number> = {};
    for (const array of this.counted()) {
      result[`${array.label} hits`] = array.hits;
      if (array !== this.lockdown) {
        result[`${array.label} misses`] = array.misses;
        result[`${array.label} evictions`] = array.evictions;
      }
    }
    return result;
  }

  resetStats(): void {
    for (const array of this.counted()) array.resetStats();
  }

  snapshot(): Snapshot<ArrayTlbData> {
    return {
      schema: SCHEMA,
      version: VERSION,
      data: {
        plan: this.plan,
        arena: this.arena.slice(),
        arrays: this.counted().map((array) => array.snapshot()),
        missed: [this.missedInstruction, this.missedData],
      },
    };
  }

  restore(snapshot: Snapshot): void {
    if (snapshot.schema !== SCHEMA || snapshot.version !== VERSION) {
      throw new MmuError(this.name, `cannot restore ${snapshot.schema} version ${snapshot.version}`);
    }
    const data = snapshot.data as ArrayTlbData;
    if (data.plan !== this.plan) throw new MmuError(this.name, 'cannot restore the state of a TLB of another shape');
    this.arena.set(data.arena);
    this.counted().forEach((array, i) => {
      array.restore(data.arrays[i]);
    });
    [this.missedInstruction, this.missedData] = data.missed;
  }

  // ---- inside

  private counted(): TlbArray[] {
    return this.walks === undefined ? [...this.arrays] : [...this.arrays, this.walks.array];
  }

  /** True if an operation for `side` is one for this array. What is not of one side alone is unified and takes every operation. */
  private covers(array: TlbArray, side: TlbSide): boolean {
    if (array === this.microInstruction) return (side & TLB_SIDE_INSTRUCTION) !== 0 || this.unifiedBelow();
    if (array === this.microData) return (side & TLB_SIDE_DATA) !== 0 || this.unifiedBelow();
    if (this.instruction === this.data || array === this.lockdown) return true;
    return (side & (array === this.instruction ? TLB_SIDE_INSTRUCTION : TLB_SIDE_DATA)) !== 0;
  }

  /** Micro-TLBs over a unified TLB are a part of it. */
  private unifiedBelow(): boolean {
    return this.instruction === this.data;
  }

  /** Entries of the side that match: by `va` (-1: any), and by `asid` (-1: any); a global one matches any ASID if `globals`. */
  private invalidate(va: number, asid: number, globals: boolean, side: TlbSide, sink: TlbEvictionSink): void {
    const arena = this.arena;
    for (const array of this.arrays) {
      if (!this.covers(array, side)) continue;
      const all = this.flushMicro && (array === this.microInstruction || array === this.microData);
      for (let o = array.base; o < array.end; o += TLB_ENTRY_WORDS) {
        const tag = arena[o + 1];
        if ((tag & TLB_ENTRY_VALID) === 0) continue;
        if (!all) {
          if (va >= 0 && (arena[o] ^ va) >>> wholeSizeLog2(tag) !== 0) continue;
          if ((tag & TLB_ENTRY_GLOBAL) !== 0 ? !globals : asid >= 0 && ((tag >>> 8) & 0xff) !== asid) continue;
          // An operation for every ASID passes over what is locked.
          if (asid < 0 && (tag & TLB_ENTRY_LOCKED) !== 0) continue;
        }
        this.retire(array, o, sink);
      }
    }
  }

  private invalidateWalks(va: number, asid: number): void {
    if (this.walks === undefined) return;
    const { array, arena } = this.walks;
    for (let o = array.base; o < array.end; o += TLB_ENTRY_WORDS) {
      const tag = arena[o + 1];
      if ((tag & TLB_ENTRY_VALID) === 0) continue;
      if (va >= 0 && (arena[o] ^ va) >>> (tag & 31) !== 0) continue;
      if (asid >= 0 && ((tag >>> 8) & 0xff) !== asid) continue;
      array.clear(o);
    }
  }

  /** Copies the entry at `offset`, or the piece of it around `va`, into a micro-TLB. Returns where. */
  private fillMicro(micro: TlbArray, va: number, offset: number, sink: TlbEvictionSink): number {
    const arena = this.arena;
    const whole = arena[offset + 1];
    const size = whole & 31;
    const cut = size > this.microPageLog2;
    const pieceVa = cut ? (va & (0xffffffff << this.microPageLog2)) >>> 0 : arena[offset];
    // Signed: a number of 32 bits that calls take without an object around it.
    const unlocked = whole & ~TLB_ENTRY_LOCKED;
    const tag = cut ? (unlocked & ~0xff) | this.microPageLog2 | (size << TLB_ENTRY_WHOLE_SHIFT) : unlocked;
    const place = this.vacate(micro, pieceVa, tag, sink);
    // Eight words: a loop is several times as quick as `copyWithin`.
    for (let i = 2; i < TLB_ENTRY_WORDS; i++) arena[place + i] = arena[offset + i];
    arena[place] = pieceVa;
    arena[place + 1] = tag;
    // The PA of a mapping is aligned on its size: no carry into the upper word.
    if (cut) arena[place + 2] = (arena[offset + 2] | (pieceVa - arena[offset])) >>> 0;
    micro.filled(place);
    return place;
  }

  /** Makes an empty place for an entry. */
  private vacate(array: TlbArray, va: number, tag: number, sink: TlbEvictionSink): number {
    const offset = array.place(va, tag);
    if ((this.arena[offset + 1] & TLB_ENTRY_VALID) !== 0) {
      if (!array.isSame(offset, va, tag)) array.evictions++;
      this.retire(array, offset, sink);
    }
    return offset;
  }

  /** Gives up one entry, and says so unless another gives the same translation. */
  private retire(array: TlbArray, offset: number, sink: TlbEvictionSink): void {
    // The main TLB first: it has most of what a micro-TLB gives up.
    let held = false;
    for (let i = this.arrays.length - 1; i >= 0 && !held; i--) held = this.arrays[i].gives(offset);
    if (!held) sink.evicted(this.arena, offset);
    array.clear(offset);
  }
}
